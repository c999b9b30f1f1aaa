"""The check against the definition, against known examples, and what it says of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab import Misuse
from raftlab.check.history import Operation, Outcome
from raftlab.check.linearizability import check
from raftlab.check.linearizability.models import AppendList, KeyValue, Register
from tests.bench_histories import key_value_history, register_histories, register_history
from tests.check import brute
from tests.check.histories import MODELS, histories

UNKNOWN = Outcome.UNKNOWN


def op(client, call, argument=None, result=None, start=0.0, end=None, key="x", outcome=None):
    """An operation in short; without an end, its outcome is unknown."""
    outcome = outcome or (UNKNOWN if end is None else Outcome.ACKNOWLEDGED)
    return Operation(client, call, key, argument, result, start, end, outcome)


def write(client, value, start, end=None, **more):
    return op(client, "write", value, None, start, end, **more)


def read(client, value, start, end=None, **more):
    return op(client, "read", None, value, start, end, **more)


def cas(client, expected, new, start, end=None, result=None, **more):
    return op(client, "cas", (expected, new), result, start, end, **more)


# Against the definition


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_the_verdict_is_that_of_the_definition(name, data):
    operations, model = data.draw(histories(name)), MODELS[name]()
    verdict = check(operations, model=model)
    assert verdict.is_linearizable is brute.is_linearizable(operations, model)
    check_witness(verdict, operations, model)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_several_keys_are_judged_as_the_definition_judges_each(name, data):
    operations, model = data.draw(histories(name, keys=("x", "y"))), MODELS[name]()
    verdict = check(operations, model=model)
    assert verdict.is_linearizable is brute.is_linearizable(operations, model)
    check_witness(verdict, operations, model)


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_longer_histories_are_judged_as_a_plain_search_judges_them(name, data):
    operations, model = data.draw(histories(name, most=14)), MODELS[name]()
    verdict = check(operations, model=model)
    assert verdict.is_linearizable is brute.any_order_remembered(operations, model)
    check_witness(verdict, operations, model)


@pytest.mark.parametrize("seed", range(120))
def test_histories_of_busy_registers_are_judged_as_a_plain_search_judges_them(seed):
    history = register_history(
        seed, 20 + seed % 15, 2 + seed % 6, unknown=0.1 * (seed % 4), corrupt=seed % 2 == 0
    )
    verdict = check(history, model=Register())
    assert verdict.is_linearizable is brute.any_order_remembered(history, Register())
    check_witness(verdict, history, Register())


def test_a_history_is_linearizable_until_it_is_corrupted():
    fine = [check(register_history(seed), model=Register()) for seed in range(60)]
    assert all(verdict.is_linearizable for verdict in fine)
    spoilt = [check(register_history(seed, corrupt=True), model=Register()) for seed in range(60)]
    assert sum(verdict.is_linearizable is False for verdict in spoilt) >= 20


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_promise_that_reads_change_nothing_does_not_change_the_verdict(data):
    operations = data.draw(histories("Register", most=12))

    class Plain:
        initial = None

        def step(self, state, operation):
            return Register().step(state, operation)

    plain, helped = check(operations, model=Plain()), check(operations, model=Register())
    assert plain.is_linearizable is helped.is_linearizable
    assert plain.culprit is helped.culprit


def check_witness(verdict, operations, model):
    """The order that is given as a proof proves it; the culprit is the first one."""
    prefix = verdict.prefix
    assert len({id(each) for each in prefix}) == len(prefix)
    assert list(verdict.moments) == sorted(verdict.moments)
    for operation, moment in zip(prefix, verdict.moments, strict=True):
        assert operation.start <= moment
        assert operation.is_unknown or moment <= operation.end
        assert operation.outcome is not Outcome.FAILED
    for key in dict.fromkeys(each.key for each in prefix):
        assert brute.explains([each for each in prefix if each.key == key], model)
    if verdict.is_linearizable:
        must = [each for each in operations if each.outcome is Outcome.ACKNOWLEDGED]
        assert all(any(each is placed for placed in prefix) for each in must)
        assert verdict.culprit is None
    else:
        of_key = [each for each in operations if each.key == verdict.key]
        assert verdict.culprit is brute.first_culprit(of_key, model)
        assert all(each.key == verdict.key for each in prefix)
        ended = [each for each in of_key if is_over(each, verdict.culprit, of_key)]
        assert all(any(each is placed for placed in prefix) for each in ended)


def is_over(operation, culprit, operations):
    """Whether an acknowledged operation ended before the culprit did."""
    if operation.outcome is not Outcome.ACKNOWLEDGED:
        return False
    place = [each is operation for each in operations].index(True)
    last = [each is culprit for each in operations].index(True)
    return (operation.end, place) < (culprit.end, last)


# Examples from the literature


H = Register(0)

HERLIHY_WING = [  # in the manner of Herlihy and Wing 1990, section 1
    ("a read that overlaps two writes may see either", True, [
        write("A", 1, 0, 30), read("B", 0, 5, 10), read("B", 1, 15, 20)]),
    ("once the new value was seen, the old one is gone", False, [
        write("A", 1, 0, 30), read("B", 1, 5, 10), read("B", 0, 15, 20)]),
    ("what is over is over, for other clients too", False, [
        write("A", 1, 0, 10), read("B", 0, 20, 30)]),
    ("an order that each client would accept is not enough", False, [
        write("A", 1, 0, 10), write("B", 2, 20, 30), read("A", 1, 40, 50)]),
    ("touching at one moment is being concurrent", True, [
        write("A", 1, 0, 10), read("B", 0, 10, 20)]),
    ("a moment later it is not", False, [
        write("A", 1, 0, 10), read("B", 0, 10.5, 20)]),
    ("operations may take no time", True, [
        write("A", 1, 5, 5), read("B", 0, 5, 5), read("C", 1, 5, 5)]),
    ("two that take no time, one after the other", False, [
        write("A", 1, 5, 5), read("B", 0, 6, 6)]),
]  # fmt: skip

UNKNOWNS = [
    ("an unanswered write may have happened", True, [write("A", 1, 0), read("B", 1, 10, 20)]),
    ("or not", True, [write("A", 1, 0), read("B", 0, 10, 20)]),
    ("or later", True, [write("A", 1, 0), read("B", 0, 10, 20), read("B", 1, 30, 40)]),
    ("but only once", False, [
        write("A", 1, 0), read("B", 1, 10, 20), write("B", 2, 30, 40), read("B", 1, 50, 60)]),
    ("and not before it was asked for", False, [read("B", 1, 0, 5), write("A", 1, 10)]),
    ("two of them may have happened twice", True, [
        write("A", 1, 0), write("C", 1, 0), read("B", 1, 10, 20), write("B", 2, 30, 40),
        read("B", 1, 50, 60)]),
    ("one may open the way for another", True, [
        cas("A", 1, 2, 0), cas("B", 0, 1, 0), read("C", 2, 10, 20)]),
    ("what failed had no effect", False, [
        write("A", 1, 0, 5, outcome=Outcome.FAILED), read("B", 1, 10, 20)]),
    ("an unknown write may hide in another one's shadow", True, [
        write("A", 3, 0, 10), cas("B", 3, 4, 0), write("C", 5, 20, 30), read("D", 5, 40, 50)]),
    ("a write of the value that is there already may still matter later", True, [
        write("A", 1, 0, 100), read("B", 0, 1, 2), write("C", 1, 3, 4), write("D", 2, 5, 6),
        read("E", 2, 7, 8), read("F", 1, 9, 10)]),
    ("a cas that was refused saw another value", False, [
        write("A", 1, 0, 10), cas("B", 1, 2, 20, 30, result=False)]),
    ("a cas that was not refused saw the value", False, [cas("B", 1, 2, 20, 30)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fits", "operations"), [each[1:] for each in HERLIHY_WING + UNKNOWNS],
    ids=[each[0] for each in HERLIHY_WING + UNKNOWNS],
)  # fmt: skip
def test_a_known_example(fits, operations):
    verdict = check(operations, model=H)
    assert verdict.is_linearizable is fits
    check_witness(verdict, operations, H)


def test_each_key_is_judged_by_itself():
    fine = [write("A", 1, 0, 10, key="x"), read("B", None, 20, 30, key="y")]
    assert check(fine).is_linearizable
    wrong = check([*fine, read("B", 2, 40, 50, key="y")])
    assert (wrong.is_linearizable, wrong.key) == (False, "y")
    assert list(wrong.history) == [fine[1], wrong.culprit]


def test_a_model_without_keys_sees_one_object():
    class Counter:
        initial = 0

        def step(self, state, operation):
            if operation.call == "add":
                return True, state + operation.argument
            return operation.is_unknown or operation.result == state, state

    adds = [op("A", "add", 2, None, 0, 10, key="x"), op("B", "add", 3, None, 0, key="y")]
    assert check([*adds, op("C", "get", None, 5, 20, 30)], model=Counter()).is_linearizable
    verdict = check([*adds, op("C", "get", None, 3, 20, 30)], model=Counter())
    assert verdict.is_linearizable is False
    assert verdict.model == "Counter"


# What a verdict says


def test_the_culprit_is_named_with_what_the_state_can_have_been():
    verdict = check(
        [write("A", 1, 0, 30), write("B", 2, 0, 30), read("C", 3, 40, 50)], model=Register()
    )
    assert verdict.culprit.client == "C"
    assert [each.client for each in verdict.prefix] in (["A", "B"], ["B", "A"])
    assert verdict.explanation == (
        "Not linearizable: C's “read x → 3” (40.0 to 50.0 ms) cannot be placed. The operations on"
        " x that had ended before 50.0 ms can be put in order, but in every such order the state"
        " at that time is 1 or 2, and this operation does not fit. Nothing that had begun by then"
        " gives 3."
    )
    assert str(verdict) == repr(verdict) == verdict.explanation


def test_a_verdict_that_is_yes_counts_what_it_explains():
    verdict = check([write("A", 1, 0), write("A", 2, 0), read("B", 1, 10, 20)], model=Register())
    assert verdict.explanation == (
        "Linearizable: each of 2 operations can be given one moment between its start and its"
        " end, so that a Register used by one client at a time gives the same answers. 1 of 2"
        " operations of unknown outcome helped to explain them."
    )
    assert [each.client for each in verdict.prefix] == ["A", "B"]
    assert verdict.moments == (0.0, 10.0)
    assert (verdict.unknown, verdict.key, verdict.culprit) == (False, None, None)


def test_a_verdict_is_not_taken_for_a_yes_by_mistake():
    with pytest.raises(TypeError, match="ask for its is_linearizable, which is True, False or"):
        bool(check([]))


def test_a_verdict_repeats_little_of_the_history():
    long = "x" * 5000
    story = [write(long, long, 0, 1, key=long), read(long, f"{long}y", 2, 3, key=long)]
    for model in (Register(), KeyValue()):
        verdict = check(story, model=model)
        assert verdict.is_linearizable is False
        assert len(str(verdict)) < 1200


def test_nothing_is_linearizable():
    verdict = check([])
    assert (verdict.is_linearizable, verdict.prefix, verdict.tried) == (True, (), 0)
    assert verdict.explanation == (
        "Linearizable: the history is empty, so there is no answer to explain."
    )
    failed = check([write("A", 1, 0, 5, outcome=Outcome.FAILED)])
    assert failed.is_linearizable
    assert failed.explanation.startswith("Linearizable: no operation in the history was ack")


def test_what_looks_the_same_and_is_not_stands_in_quotes():
    verdict = check([write("A", 2, 0, 10), read("B", "2", 20, 30)], model=Register())
    assert verdict.is_linearizable is False
    assert 'B\'s “read x → "2"”' in verdict.explanation
    assert "the state at that time is 2, and" in verdict.explanation
    word = check([read("B", "nothing", 20, 30)])
    assert '“read x → "nothing"”' in word.explanation
    assert "the state at that time is nothing, and" in word.explanation


@pytest.mark.parametrize(("one", "other"), [(1, "1"), ("1", 1)])
def test_a_number_and_its_text_are_one_value_to_the_key_value_model(one, other):
    assert check([write("A", one, 0, 10), read("B", other, 20, 30)]).is_linearizable
    adds = [write("A", one, 0, 10), op("A", "add", other, 2, 20, 30), read("B", "2", 40, 50)]
    assert check(adds).is_linearizable
    assert check([*adds, read("B", 3, 60, 70)]).is_linearizable is False


@pytest.mark.parametrize("first", [True, 1])
def test_true_is_no_number_although_python_calls_them_equal(first):
    other = 1 if first is True else True
    story = [write("A", first, 0, 10), read("B", first, 20, 30), write("A", other, 40, 50)]
    assert check([*story, read("B", other, 60, 70)]).is_linearizable
    assert check([*story, read("B", first, 60, 70)]).is_linearizable is False


def test_an_answer_of_0_to_a_cas_is_refused_also_after_one_of_false():
    story = [cas("A", 1, 2, 0, 10, result=False), cas("A", 1, 2, 20, 30, result=0)]
    with pytest.raises(Misuse, match="a cas gives True or None"):
        check(story)


def test_a_value_whose_write_failed_is_said_to_have_failed():
    failed = write("A", 3, 0, 5, outcome=Outcome.FAILED)
    assert check([failed, read("B", 3, 10, 20)]).explanation.endswith(
        " Nothing that had begun by then gives 3: A's “write x 3” failed, so it had no effect."
    )


def test_a_name_has_its_article():
    verdict = check([op("A", "append", 1, None, 0, 10)], model=AppendList())
    assert "so that an AppendList used by one client at a time" in verdict.explanation


def test_operations_of_one_client_may_overlap():
    assert check([write("A", 1, 0, 30), read("A", 1, 5, 10), write("A", 2, 6, 20)]).is_linearizable


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Register, r"Register is a class: say model=Register\(\)"),
        ("reg", "'reg' has not: say KeyValue"),
        (5, "5 has not: say KeyValue"),
    ],
)
def test_a_model_that_is_none_is_refused(model, why):
    with pytest.raises(Misuse, match=why):
        check([write("A", 1, 0, 10)], model=model)


@pytest.mark.parametrize("history", [5, None, "read", [1]])
def test_a_history_that_is_none_is_refused(history):
    with pytest.raises(Misuse, match=r"a history is made of operations, and .+ is none"):
        check(history)


def test_equal_histories_give_equal_verdicts():
    for seed in range(10):
        one = check(register_history(seed, corrupt=True), model=Register())
        other = check(register_history(seed, corrupt=True), model=Register())
        assert one == other


# The budget


def hard_history(adds: int = 14) -> list[Operation]:
    """Additions at one and the same time, with a wrong sum that is read much later."""
    found = [op(f"c{n}", "add", 2**n, None, 0, 10) for n in range(adds)]
    return [*found, op("r", "read", None, "1", 20, 30)]


def test_a_hard_history_is_cut_off_and_called_unknown():
    verdict = check(hard_history(), model=KeyValue(), budget=10_000)
    assert verdict.is_linearizable is None
    assert verdict.unknown
    assert verdict.culprit is None
    assert verdict.key == "x"
    assert 10_000 <= verdict.tried < 10_100
    assert verdict.explanation.startswith("Unknown: 10,0")
    assert "the budget was used up. So far, 14 of 15 acknowledged operations on x" in (
        verdict.explanation
    )


def test_a_small_hard_history_is_decided_within_the_budget():
    verdict = check(hard_history(5), model=KeyValue())
    assert verdict.is_linearizable is False


@pytest.mark.parametrize("budget", [0, -1, 1.5, None, True])
def test_a_budget_is_a_number_of_placements(budget):
    with pytest.raises(Misuse, match="a budget is a number of placements"):
        check([], budget=budget)


def test_a_wrong_key_is_found_behind_a_hard_one():
    wrong = [op("c", "read", None, "1", 0, 10, key="y")]
    verdict = check([*hard_history(), *wrong], model=KeyValue(), budget=20_000)
    assert (verdict.is_linearizable, verdict.key) == (False, "y")


@settings(max_examples=100, deadline=None)
@given(data=st.data(), budget=st.integers(1, 12))
def test_a_smaller_budget_never_gives_another_verdict_but_unknown(data, budget):
    operations, model = data.draw(histories("Register", most=8)), Register()
    verdict = check(operations, model=model, budget=budget)
    assert verdict.is_linearizable in (None, check(operations, model=model).is_linearizable)
    assert brute.explains(verdict.prefix, model)


def test_many_unknown_operations_of_a_kind_are_no_burden():
    unknown = [write(f"u{n}", n % 3, 0) for n in range(60)]
    reads = [read("r", n % 3, 10 * n, 10 * n + 5) for n in range(60)]
    assert check([*unknown, *reads], model=Register()).is_linearizable
    one_too_many = read("r", 0, 900, 910)
    verdict = check([*unknown, *reads, one_too_many], model=Register())
    assert verdict.is_linearizable is False
    assert verdict.culprit is one_too_many


def test_the_histories_to_measure_with_are_what_they_claim():
    histories_ = register_histories()
    assert len(histories_) == 102
    assert 8_000 <= sum(map(len, histories_)) <= 9_000
    wrong = [h for h in histories_ if check(h, model=Register()).is_linearizable is False]
    assert 20 <= len(wrong) <= 40
    long = key_value_history(operations=2000)
    assert check(long, model=KeyValue()).is_linearizable
