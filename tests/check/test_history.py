"""Histories: what an operation may say, and files that hold them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab import Misuse
from raftlab.check.history import History, Operation, Outcome
from raftlab.check.history.operations import operation_text
from raftlab.check.linearizability import check
from raftlab.check.linearizability.models import Register
from tests.check.histories import MODELS, histories

# Operations


@pytest.mark.parametrize(
    ("said", "operation"),
    [
        ("read x → 1", Operation("c", "read", "x", None, 1, 0, 1)),
        ("read x → nothing", Operation("c", "read", "x", None, None, 0, 1)),
        ("read → [1 2]", Operation("c", "read", None, None, (1, 2), 0, 1)),
        ("write x 1", Operation("c", "write", "x", 1, None, 0, 1)),
        ("write x 1", Operation("c", "write", "x", "1", "1", 0, 1)),
        ("add x 1 → 1", Operation("c", "add", "x", "1", "1", 0, 1)),
        ('delete x → ""', Operation("c", "delete", "x", None, "", 0, 1)),
        ("cas x 1 2", Operation("c", "cas", "x", (1, 2), True, 0, 1)),
        ("cas x 1 2 → refused", Operation("c", "cas", "x", (1, 2), False, 0, 1)),
        ("cas x 1 2 → ?", Operation("c", "cas", "x", (1, 2), outcome=Outcome.UNKNOWN)),
        ("write x 1", Operation("c", "write", "x", 1, outcome=Outcome.FAILED)),
    ],
)
def test_an_operation_says_what_was_asked_and_answered(said, operation):
    assert operation_text(operation) == said
    assert said in str(operation)
    assert str(operation).startswith("c: ")


def test_lists_become_tuples_so_that_they_can_be_compared():
    operation = Operation("c", "read", "x", None, [1, [2, 3]], 0, 1)
    assert operation.result == (1, (2, 3))
    assert Operation("c", "cas", "x", [1, 2], None, 0, 1).argument == (1, 2)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"start": 5, "end": 4}, "starts at 5 and ends at 4 ms"),
        ({"start": 5}, "was acknowledged, so it has an end"),
        ({"start": float("nan"), "end": 1}, "a time is a number of ms"),
        ({"start": float("inf"), "end": 1}, "a time is a number of ms"),
        ({"start": 0, "end": float("inf")}, "starts at 0 and ends at inf ms"),
        ({"end": 1, "argument": {"a": 1}}, "is no plain value"),
        ({"end": 1, "result": [{}]}, "is no plain value"),
        ({"end": 1, "outcome": "fine"}, "outcome 'fine': say 'acknowledged', 'failed' or 'unk"),
        ({"end": 1, "outcome": None}, "has the outcome None: say"),
        ({"end": 1, "outcome": []}, r"has the outcome \[\]: say"),
        ({"start": float("-inf"), "end": 1}, "starts at -inf: a time is a number of ms"),
        ({"start": "soon", "end": 1}, "starts at 'soon': a time is a number of ms"),
        ({"start": None, "end": 1}, "starts at None: a time is a number of ms"),
        ({"start": True, "end": 1}, "starts at True: a time is a number of ms"),
        ({"start": 10**400, "end": 10**401}, "a time is a number of ms"),
        ({"end": "later"}, "ends at later ms: an end is a number of ms"),
        ({"end": float("nan"), "outcome": "unknown"}, "ends at nan ms"),
        ({"end": 1, "key": ["x"]}, r"on the key \['x'\]: clients, calls and keys are text"),
        ({"end": 1, "key": {}}, "clients, calls and keys are text"),
    ],
)
def test_an_operation_that_cannot_be_is_refused(wrong, why):
    with pytest.raises(Misuse, match=why):
        Operation("c", "read", **wrong)


def deep(levels: int) -> list:
    found: list = []
    for _ in range(levels):
        found = [found]
    return found


ABSURD = [
    ({"call": None}, "the call of an operation is text, like 'read', not None"),
    ({"client": None}, "the client of an operation is text, like 'c1', not None"),
    ({"client": 7}, "the client of an operation is text"),
    ({"key": 7}, "is on the key 7: clients, calls and keys are text"),
    ({"argument": deep(90_000)}, "the argument of the read of c is too deep: lists lie in"),
    ({"result": (1, deep(60))}, "the result of the read of c is too deep"),
    ({"key": deep(90_000)}, "clients, calls and keys are text"),
    ({"outcome": deep(90_000)}, "say 'acknowledged', 'failed' or 'unknown'"),
    ({"start": deep(90_000)}, "a time is a number of ms"),
    ({"result": float("nan")}, "the result of the read of c is not a number, so it is equal to"),
    ({"argument": (1, [float("nan")])}, "is not a number"),
    ({"argument": 10**5000}, "has too many digits"),
    ({"start": 1e308, "end": 1e308}, "starts at 1e+308: a time is a number of ms, from -2**63"),
    ({"end": 2.0**64}, "an end is a number of ms"),
    ({"argument": {"x" * 5000}}, "is no plain value"),
    ({"outcome": "x" * 5000}, "has the outcome 'xxx"),
    ({"client": "c" * 5000, "call": "r" * 5000, "end": -1}, "an end is a number of ms"),
]


@pytest.mark.parametrize(("wrong", "why"), ABSURD, ids=range(len(ABSURD)))
def test_an_absurd_operation_is_refused_in_a_short_sentence(wrong, why):
    with pytest.raises(Misuse) as caught:
        Operation(**{"client": "c", "call": "read", "key": "x", "end": 1, **wrong})
    assert why in str(caught.value)
    assert len(str(caught.value)) < 450


def test_a_history_of_nothing_but_depth_is_refused():
    with pytest.raises(Misuse, match=r"a history is made of operations, and .* is none"):
        History(deep(90_000))


@pytest.mark.parametrize("path", [5, None, b"x"])
def test_a_history_is_in_a_file_that_has_a_name(path):
    with pytest.raises(Misuse, match="a history is in a file, named like"):
        History.load(path)
    with pytest.raises(Misuse, match="a history is in a file, named like"):
        History().save(path)


def test_cas_sees_is_yes_or_no(tmp_path):
    with pytest.raises(Misuse, match="cas_sees is True or False, not 'no'"):
        History.load(tmp_path / "x", cas_sees="no")


@pytest.mark.parametrize("value", [float("inf"), b"x", "\ud800", (1, b"x")])
def test_a_value_that_json_does_not_have_is_not_saved_as_another(value, tmp_path):
    path = tmp_path / "history.jsonl"
    with pytest.raises(Misuse, match="JSON has no such values"):
        History([Operation("c", "write", "x", value, None, 0, 1)]).save(path)
    assert not path.exists()


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_can_be_given_by_its_name(outcome):
    named = Operation("c", "write", "x", 1, None, 0, 1, outcome.value)
    assert named == Operation("c", "write", "x", 1, None, 0, 1, outcome)
    assert named.outcome is outcome
    assert named.is_unknown is (outcome is Outcome.UNKNOWN)


def test_a_write_that_failed_by_name_has_no_effect():
    failed = Operation("a", "write", "x", 1, None, 0, 1, "failed")
    assert check([failed, Operation("b", "read", "x", None, 1, 2, 3)]).is_linearizable is False


@pytest.mark.parametrize("wrong", [5, None, Operation])
def test_a_history_is_not_made_of_anything_else(wrong):
    with pytest.raises(Misuse, match=r"give a list of them, or history_of\(cluster\)"):
        History(wrong)


# Histories


def test_a_history_is_a_sequence_of_operations():
    one = Operation("b", "write", "x", 1, None, 0, 1)
    other = Operation("a", "read", "x", outcome=Outcome.UNKNOWN)
    history = History([one, other])
    assert (len(history), history[0], list(history)) == (2, one, [one, other])
    assert history[1:] == History([other])
    assert history.clients == ("b", "a")
    assert repr(history) == "<History of 2 operations: 1 acknowledged, 1 unknown>"
    assert repr(History()) == "<History of 0 operations>"
    assert hash(history) == hash(History([one, other]))
    assert history != [one, other]


def test_a_history_holds_nothing_but_operations():
    with pytest.raises(Misuse, match="'x=1' is none"):
        History(["x=1"])


# Files


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_what_is_saved_is_loaded_again(name, data, tmp_path_factory):
    history = History(data.draw(histories(name, keys=("x", "y"))))
    path = tmp_path_factory.mktemp("histories") / "history.jsonl"
    history.save(path)
    assert History.load(path) == history
    assert len(path.read_text().splitlines()) == len(history)


def file_of(tmp_path, *lines):
    path = tmp_path / "history.jsonl"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n")
    return path


def event(process, kind, f, value=None, **more):
    return {"process": process, "type": kind, "f": f, "value": value, **more}


def test_operations_can_be_written_by_hand(tmp_path):
    path = file_of(
        tmp_path,
        {"client": "c1", "call": "write", "key": "x", "argument": 1, "start": 0, "end": 5},
        "",
        {"client": "c2", "call": "read", "key": "x", "result": 1, "start": 6, "end": 7},
        {"client": "c3", "call": "cas", "argument": [1, 2], "start": 8, "outcome": "unknown"},
    )
    assert History.load(path) == History(
        [
            Operation("c1", "write", "x", 1, None, 0, 5),
            Operation("c2", "read", "x", None, 1, 6, 7),
            Operation("c3", "cas", None, (1, 2), None, 8, None, Outcome.UNKNOWN),
        ]
    )


def test_events_are_paired_by_process(tmp_path):
    path = file_of(
        tmp_path,
        event(0, "invoke", "write", 3, time=10, key="x", index=0),
        event(1, "invoke", "read", time=11, key="x"),
        event("nemesis", "info", "start", "partition"),
        event(0, "ok", "write", 3, time=12, key="x"),
        event(1, "ok", "read", 3, time=13, key="x"),
        event(0, "invoke", "cas", [3, 4], time=14, key="x"),
        event(1, "invoke", "cas", [1, 2], time=15, key="x"),
        event(2, "invoke", "write", 5, time=16, key="x"),
        event(0, "info", "cas", [3, 4], time=17, key="x", error="timeout"),
        event(1, "fail", "cas", [1, 2], time=18, key="x"),
    )
    expected = [
        Operation("0", "write", "x", 3, None, 10, 12),
        Operation("1", "read", "x", None, 3, 11, 13),
        Operation("0", "cas", "x", (3, 4), None, 14, 17, Outcome.UNKNOWN),
        Operation("1", "cas", "x", (1, 2), None, 15, 18, Outcome.FAILED),
        Operation("2", "write", "x", 5, None, 16, None, Outcome.UNKNOWN),
    ]
    assert list(History.load(path)) == expected
    saw = History.load(path, ms_per_unit=0.5, cas_sees=True)
    assert saw[3] == Operation("1", "cas", "x", (1, 2), False, 7.5, 9)


def test_without_times_the_lines_are_the_time(tmp_path):
    path = file_of(
        tmp_path,
        event(0, "invoke", "write", 1),
        event(1, "invoke", "read"),
        event(1, "ok", "read", None),
        event(0, "ok", "write", 1),
        event(1, "invoke", "read"),
        event(1, "ok", "read", None),
    )
    history = History.load(path)
    assert [(each.start, each.end) for each in history] == [(1, 4), (2, 3), (5, 6)]
    verdict = check(history, model=Register())
    assert verdict.culprit == history[2]


def test_the_times_of_operations_can_be_in_other_units(tmp_path):
    path = file_of(tmp_path, {"client": "c", "call": "read", "start": 2e6, "end": 3e6})
    assert History.load(path, ms_per_unit=1e-6)[0] == Operation("c", "read", start=2, end=3)


GOOD = {"client": "c", "call": "read", "start": 0, "end": 1}

WRONG_LINES = [
    ([GOOD, "{"], 2, "input data was truncated"),
    ([GOOD, "[1]"], 2, "expected `object`, got `array`"),
    ([{**GOOD, "start": "soon"}], 1, r"expected `int \| float`, got `str` - at `\$.start`"),
    ([GOOD, GOOD, {"client": "c", "start": 0, "end": 1}], 3, "required field `call`"),
    ([{**GOOD, "outcome": "fine"}], 1, r"invalid enum value 'fine' - at `\$.outcome`"),
    ([{**GOOD, "color": "red"}], 1, "contains unknown field `color`"),
    ([{**GOOD, "end": -1}], 1, "starts at 0 and ends at -1 ms"),
    ([{**GOOD, "result": {"a": 1}}], 1, "is no plain value"),
    ([GOOD, event(0, "invoke", "read")], 2, "contains unknown field"),
    ([event(0, "ok", "read", 1)], 1, "process 0 is told 'ok' without having asked"),
    (
        [event(0, "invoke", "read"), event(0, "invoke", "read")],
        2,
        "process 0 asks again, and has no answer to line 1",
    ),
    (
        [event(0, "invoke", "read"), event(0, "ok", "write", 1)],
        2,
        "process 0 asked in line 1 for something else",
    ),
    ([event(0, "invoke", "read"), event(0, "done", "read")], 2, "invalid enum value 'done'"),
    ([event(0, "invoke", "read"), GOOD], 2, "missing required field `process`"),
    ([event(0, "invoke", "write", {"a": 1})], 1, "is no plain value"),
    (["[" * 3000], 1, "line 1: .+"),
    (['{"client": "\\ud800"'], 1, "line 1: .+"),
]


@pytest.mark.parametrize(("lines", "number", "why"), WRONG_LINES)
def test_a_file_that_makes_no_sense_is_refused_with_its_line_and_the_reason(
    lines, number, why, tmp_path
):
    path = file_of(tmp_path, *lines)
    with pytest.raises(Misuse, match=why) as caught:
        History.load(path)
    assert str(caught.value).startswith(f"{path}, line {number}: ")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_bytes(b'{"client": "\xff", "call": "read"}\n')
    with pytest.raises(Misuse, match="line 1"):
        History.load(path)


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        History.load(tmp_path / "nowhere.jsonl")


def test_an_empty_file_is_an_empty_history(tmp_path):
    assert History.load(file_of(tmp_path, "")) == History()
