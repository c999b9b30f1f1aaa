"""A search guided by what reads saw: the verdicts are the same, and there is less to try."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab.check.history import Operation, Outcome
from raftlab.check.linearizability import lookahead
from raftlab.check.linearizability.checker import by_key, check, search_for
from raftlab.check.linearizability.models import AppendList, KeyValue, Register
from tests.bench_histories import append_history
from tests.check import brute
from tests.check.histories import appends
from tests.check.test_linearizability import check_witness, op

MODELS = {"KeyValue": KeyValue, "AppendList": AppendList}


# The verdicts are the same


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_histories_of_appends_are_judged_as_the_definition_judges_them(name, data):
    operations, model = data.draw(appends(name, 5)), MODELS[name]()
    verdict = check(operations, model=model)
    assert verdict.is_linearizable is brute.is_linearizable(operations, model)
    check_witness(verdict, operations, model)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_longer_histories_of_appends_are_judged_as_a_plain_search_judges_them(name, data):
    operations, model = data.draw(appends(name, 9)), MODELS[name]()
    verdict = check(operations, model=model)
    assert verdict.is_linearizable is brute.any_order_remembered(operations, model)
    check_witness(verdict, operations, model)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), budget=st.integers(1, 30))
def test_a_smaller_budget_never_gives_another_verdict_on_appends_but_unknown(data, budget):
    operations, model = data.draw(appends("KeyValue", 8)), KeyValue()
    verdict = check(operations, model=model, budget=budget)
    assert verdict.is_linearizable in (None, check(operations, model=model).is_linearizable)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_model_that_says_nothing_of_what_was_seen_gets_the_same_verdict(data):
    class Plain:
        initial = None

        def step(self, state, operation):
            return KeyValue().step(state, operation)

    operations = data.draw(appends("KeyValue", 9))
    plain, helped = check(operations, model=Plain()), check(operations, model=KeyValue())
    assert plain.is_linearizable is helped.is_linearizable
    assert plain.culprit is helped.culprit


def test_the_histories_that_these_tests_draw_are_guided_and_of_both_kinds():
    """Or else the tests above would say little."""
    told = {True: 0, False: 0}

    @settings(max_examples=150, deadline=None, database=None)
    @given(operations=appends("KeyValue", 10))
    def count(operations):
        parts = by_key(operations, KeyValue()).values()
        if any(search_for(part, KeyValue()).ahead is not None for part in parts):
            told[bool(check(operations).is_linearizable is True)] += 1

    count()
    assert min(told.values()) >= 15


# What answers say


def test_a_text_is_a_beginning_of_what_it_can_grow_to():
    assert lookahead.begins("ab", "abc")
    assert lookahead.begins("", "") and lookahead.begins((), (1,))
    assert not lookahead.begins("b", "ab")
    assert not lookahead.begins((2,), (1, 2))


def test_a_state_of_another_kind_may_become_anything():
    assert lookahead.begins(None, "abc") and lookahead.begins(1.5, "abc")


def test_only_what_grows_is_guided():
    register = [op("a", "write", 1, None, 0, 1), op("b", "read", None, 1, 2, 3)]
    assert search_for(register, Register()).ahead is None
    assert search_for(register, KeyValue()).ahead is None
    grows = [*register, op("a", "append", 1, None, 4, 5)]
    assert search_for(grows, KeyValue()).ahead is not None


# There is less to try


def unanswered(count: int, order: list[int]) -> list[Operation]:
    """Appends that were never answered, and a read that saw some of them."""
    found = [op(f"u{n}", "append", n, start=0) for n in range(count)]
    return [*found, op("r", "read", None, tuple(order), 20, 30)]


@pytest.mark.parametrize("seed", range(5))
def test_a_read_of_a_dozen_unanswered_appends_is_the_order(seed):
    rng = random.Random(seed)
    order = rng.sample(range(12), 8)
    verdict = check(unanswered(12, order), model=AppendList())
    assert verdict.is_linearizable and verdict.tried < 200
    assert [each.argument for each in verdict.prefix[:-1]] == order


def test_a_read_that_no_unanswered_append_explains_is_found_wrong_at_once():
    verdict = check(unanswered(12, [3, 3]), model=AppendList(), budget=1000)
    assert verdict.is_linearizable is False
    assert verdict.culprit.client == "r"
    assert verdict.explanation.startswith(
        "Not linearizable: r's “read x → [3 3]” (20.0 to 30.0 ms) cannot be placed. The operations"
        " on x that had ended before 30.0 ms can be put in order, as one in which the state at that"
        " time is [], but this operation fits into none."
    )


def texts(count: int, *more: Operation) -> list[Operation]:
    return [*(op(f"u{n}", "append", f"<{n}>", start=0) for n in range(count)), *more]


@pytest.mark.parametrize(
    ("fits", "operations"),
    [
        (True, texts(12, op("r", "read", None, "<7><2>", 20, 30))),
        (False, texts(12, op("r", "read", None, "<7><2><7>", 20, 30))),
        (False, texts(12, op("a", "append", "a", None, 1, 2), op("r", "read", None, None, 20, 30))),
        (False, texts(
            12,
            op("w", "write", "w", None, 1, 2), op("r", "read", None, "w<3>", 3, 4),
            op("w", "write", "v", None, 5, 6), op("r", "read", None, "v<3>", 7, 8),
        )),
        (True, texts(
            12,
            op("w", "write", "w", None, 1, 2), op("r", "read", None, "w<3>", 3, 4),
            op("w", "write", "v", None, 5, 6), op("r", "read", None, "v<5><4>", 7, 8),
        )),
    ],
    ids=["seen in part", "seen twice", "nothing seen", "seen after a write", "seen between writes"],
)  # fmt: skip
def test_a_dozen_unanswered_appends_to_a_text_are_no_burden(fits, operations):
    verdict = check(operations, budget=100_000)
    assert verdict.is_linearizable is fits
    assert check(operations[:3] + operations[12:], budget=100_000).is_linearizable is not None


def test_what_nobody_read_is_placed_if_a_refused_cas_or_an_addition_noticed_it():
    """The append was never answered and never read, and nothing else explains the answers."""
    lost = [op("a", "write", "1", None, 0, 1), op("u", "append", "z", start=2)]
    refused = op("c", "cas", ("1", "2"), False, 3, 4)
    assert check([*lost, refused]).is_linearizable
    assert check([lost[0], refused]).is_linearizable is False
    added = op("c", "add", "1", "x does not hold a whole number", 3, 4)
    assert check([*lost, added, op("r", "append", "y", None, 5, 6)]).is_linearizable


def test_concurrent_appends_stand_as_a_later_read_has_them():
    order = list(range(14))
    random.Random(3).shuffle(order)
    concurrent = [op(f"c{n}", "append", n, None, 0, 10) for n in range(14)]
    verdict = check([*concurrent, op("r", "read", None, tuple(order), 20, 30)], model=AppendList())
    assert verdict.is_linearizable and verdict.tried < 500
    wrong = check([*concurrent, op("r", "read", None, (14,), 20, 30)], model=AppendList())
    assert wrong.is_linearizable is False


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({}, 12_000),
        ({"unknown": 0.05}, 14_000),
        ({"puts": 0.0}, 8_000),
        ({"puts": 0.0, "keys": 1, "operations": 500}, 6_000),
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(2))
def test_many_clients_who_append_are_judged_in_few_placements(given, most, seed):
    """Without guidance more than 3,000,000 are tried, and that is no verdict."""
    fine = check(append_history(seed, **given))
    assert fine.is_linearizable and fine.tried < most
    wrong = check(append_history(seed, **given, corrupt=True), budget=100_000)
    assert wrong.is_linearizable is False
    assert wrong.culprit.call == "read"


def test_of_many_who_append_the_first_wrong_read_is_the_culprit():
    history = append_history(2, operations=300, keys=3, puts=0.0, corrupt=True)
    fine = append_history(2, operations=300, keys=3, puts=0.0)
    (changed,) = [each for each, same in zip(history, fine, strict=True) if each != same]
    assert check(history).culprit is changed


def test_what_failed_is_in_no_order():
    failed = op("f", "append", 1, None, 0, 5, outcome=Outcome.FAILED)
    verdict = check([failed, op("r", "read", None, (1,), 6, 7)], model=AppendList())
    assert verdict.is_linearizable is False


def test_values_that_cannot_grow_stand_beside_texts():
    history = [
        Operation("a", "write", "x", True, start=5, end=9),
        Operation("b", "write", "x", 1.5, start=8, outcome="unknown"),
        Operation("c", "append", "x", "1", start=11, end=14),
        Operation("d", "read", "x", result="1.51", start=7, end=15),
    ]
    assert check(history).is_linearizable is True
