"""Files of histories, in the forms in which the tools of the field write them."""

import json
from pathlib import Path

import pytest

from raftlab import Misuse
from raftlab.check.history import History, Operation, Outcome
from raftlab.check.linearizability import check
from raftlab.check.linearizability.models import AppendList, KeyValue, Register

DATA = Path(__file__).parent / "data"
UNKNOWN = Outcome.UNKNOWN


def event(process, kind, f, value=None, **more):
    return {"process": process, "type": kind, "f": f, "value": value, **more}


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def loaded(tmp_path, *events, **given) -> History:
    path = tmp_path / "history.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    return History.load(path, **given)


@pytest.mark.parametrize(
    ("name", "fits", "key"),
    [
        ("no_times.jsonl", False, None),
        ("times_all_equal.jsonl", False, None),
        ("keyed_right.jsonl", True, None),
        ("keyed_stale.jsonl", False, "0"),
        ("array.json", False, None),
        ("bom.jsonl", False, None),
        ("colon.jsonl", True, None),
    ],
)
@pytest.mark.parametrize("model", [Register(), KeyValue()], ids=repr)
def test_a_file_of_another_tool_has_its_right_answer(name, fits, key, model):
    verdict = check(History.load(DATA / name), model=model)
    assert (verdict.is_linearizable, verdict.key) == (fits, key)
    if key is not None:
        assert f"The operations on {key} that had ended" in verdict.explanation


# The order of events


def test_the_lines_are_the_order_also_of_events_in_one_and_the_same_ms(tmp_path):
    history = loaded(
        tmp_path,
        event(0, "invoke", "write", 1, time=7),
        event(0, "ok", "write", 1, time=7),
        event(1, "invoke", "write", 2, time=7),
        event(1, "ok", "write", 2, time=7),
        event(0, "invoke", "read", time=8),
        event(0, "ok", "read", 1, time=8),
    )
    verdict = check(history, model=Register())
    assert verdict.is_linearizable is False
    assert "(8.0 to 8.0 ms)" in verdict.explanation


def test_the_lines_are_the_order_also_where_the_times_run_back(tmp_path):
    history = loaded(
        tmp_path,
        event(0, "invoke", "write", 1, time=50),
        event(0, "ok", "write", 1, time=40),
        event(1, "invoke", "read", time=30),
        event(1, "ok", "read", None, time=60),
    )
    assert history[0].start < history[0].end < history[1].start < history[1].end == 60
    assert check(history, model=Register()).is_linearizable is False


def test_a_line_without_a_time_leaves_all_times_to_the_lines(tmp_path):
    history = loaded(
        tmp_path,
        event(0, "invoke", "write", 1, time=500),
        event(0, "ok", "write", 1),
        event(1, "invoke", "read", time=501),
        event(1, "ok", "read", None, time=502),
    )
    assert [(each.start, each.end) for each in history] == [(1, 2), (3, 4)]
    assert check(history, model=Register()).is_linearizable is False


def test_events_that_overlap_in_the_lines_are_concurrent_whatever_their_times(tmp_path):
    history = loaded(
        tmp_path,
        event(0, "invoke", "write", 1, time=3),
        event(1, "invoke", "read", time=3),
        event(0, "ok", "write", 1, time=3),
        event(1, "ok", "read", None, time=3),
        event(1, "invoke", "read", time=4),
        event(1, "ok", "read", 1, time=5),
    )
    assert check(history, model=Register()).is_linearizable


def test_nanoseconds_since_1970_are_told_apart(tmp_path):
    """As floats, these moments are one, and the stale read would be concurrent."""
    at = 1_764_000_000_000_000_000

    def operation(client, call, start, end, **more):
        return {"client": client, "call": call, "key": "x", "start": start, "end": end, **more}

    for unit in (1.0, 1e-6):
        history = loaded(
            tmp_path,
            operation("a", "write", at, at + 10, argument=1),
            operation("b", "read", at + 11, at + 12, result=None),
            ms_per_unit=unit,
        )
        assert check(history).is_linearizable is False


# Values with keys


def test_keyed_values_are_read_as_keyed_and_the_rest_as_it_is(tmp_path):
    history = loaded(
        tmp_path,
        event("nemesis", "info", "start", ["n1", "n2"]),
        event(0, "invoke", "cas", ["x", [1, 2]]),
        event(1, "invoke", "append", ["y", 5]),
        event(2, "invoke", "read", ["y", None]),
        event(3, "invoke", "write", ["x", 1]),
        event(4, "invoke", "write", ["x", 7]),
        event(0, "fail", "cas", ["x", [1, 2]]),
        event(1, "ok", "append", None),
        event(2, "ok", "read", ["y", [5]]),
        event(3, "info", "write", "timed out"),
    )
    assert list(history) == [
        Operation("0", "cas", "x", (1, 2), None, 1, 6, Outcome.FAILED),
        Operation("1", "append", "y", 5, None, 2, 7),
        Operation("2", "read", "y", None, (5,), 3, 8),
        Operation("3", "write", "x", 1, None, 4, 9, UNKNOWN),
        Operation("4", "write", "x", 7, None, 5, None, UNKNOWN),
    ]


@pytest.mark.parametrize(
    "events",
    [
        [event(0, "invoke", "cas", [1, 2]), event(0, "ok", "cas", [1, 2])],
        [event(0, "invoke", "write", [1, 2]), event(0, "ok", "write", [1, 2]),
         event(1, "invoke", "read"), event(1, "ok", "read", [1, 2])],
    ],
    ids=["a cas", "a pair that is written"],
)  # fmt: skip
def test_pairs_that_are_values_are_not_taken_for_keys(events, tmp_path):
    history = loaded(tmp_path, *events)
    assert {each.key for each in history} == {None}
    assert history[0].argument == (1, 2)


KEYED = [event(0, "invoke", "read", [1, None]), event(0, "ok", "read", [1, 5])]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ([event(1, "invoke", "write", 5)], "line 3: the value 5 is not [key, value], as that of"),
        ([event(1, "invoke", "read", [1, None]), event(1, "ok", "read", 5)],
         "line 4: the value 5 is not [key, value]"),
        ([event(1, "invoke", "read", [1, None]), event(1, "ok", "read", [2, 5])],
         "line 4: process 1 is told of the key 2, and asked for another"),
        ([event(1, "invoke", "write", ["1", 5])], "is a key as a number and as text"),
    ],
)  # fmt: skip
def test_what_is_keyed_in_part_is_refused(more, why, tmp_path):
    with pytest.raises(Misuse) as caught:
        loaded(tmp_path, *KEYED, *more)
    assert why in str(caught.value)


# Other forms


def test_an_array_may_hold_operations_and_its_elements_are_counted(tmp_path):
    path = tmp_path / "history.json"
    good = {"client": "c", "call": "read", "start": 0, "end": 1}
    path.write_text(json.dumps([good, good], indent=2))
    assert len(History.load(path)) == 2
    path.write_text(json.dumps([good, {**good, "end": -1}]))
    with pytest.raises(Misuse, match=r"history\.json, element 2: the read of c starts at 0 and"):
        History.load(path)
    path.write_text("[]")
    assert History.load(path) == History()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_may_begin_with_the_mark_of_its_encoding(encoding, tmp_path):
    path = tmp_path / "history.jsonl"
    text = json.dumps(event(0, "invoke", "write", "ü"), ensure_ascii=False)
    path.write_text(f"{text}\r\n", encoding=encoding)
    assert [each.argument for each in History.load(path)] == ["ü"]


def test_keys_and_keywords_may_have_kept_their_colons(tmp_path):
    history = loaded(
        tmp_path,
        {":process": 0, ":type": ":invoke", ":f": ":write", ":value": ":a", ":time": 5},
        {":process": ":nemesis", ":type": ":info", ":f": ":kill", ":value": None, ":time": 6},
        {":process": 0, ":type": ":ok", ":f": ":write", ":value": ":a", ":time": 7},
    )
    assert list(history) == [Operation("0", "write", None, ":a", None, 5, 7)]


def test_what_a_process_with_a_name_tells_unasked_is_no_operation(tmp_path):
    history = loaded(
        tmp_path,
        event("clock-nemesis", "info", "bump", {"n1": 20}),
        event("c1", "invoke", "write", 1),
        event("c1", "info", "write", 1),
        event("clock-nemesis", "info", "bump", None),
    )
    assert [(each.client, each.outcome) for each in history] == [("c1", UNKNOWN)]
    with pytest.raises(Misuse, match="process 3 is told 'info' without having asked"):
        loaded(tmp_path, event(3, "info", "write", 1))


JEPSEN_LOG = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ((DATA / "keyed.edn").read_text(), "is EDN, not JSON: `jet --from edn --to json"),
        ("[{:process 0, :type :invoke, :f :read}]", "this is EDN"),
        ("#jepsen.history.Op{:index 0, :process 0}", "this is EDN"),
        ("{ :process 0}\n", "this is EDN"),
        (JEPSEN_LOG, "is a log, not JSON: Jepsen keeps the same history in history.edn"),
        ("0\t:invoke\t:read\tnil\n", "is a log, not JSON"),
        (json.dumps(event(0, "invoke", "read"), indent=2) + "\n", "`jq -c .` writes each in one"),
        (json.dumps(event(0, "invoke", "txn", [["append", 1, 2]])), "asks for a transaction"),
        ('{"a": nope}', "JSON is malformed"),
        ("[" * 90_000, "nested too deeply"),
        (json.dumps(event(0, "invoke", "write", "DEEP")).replace('"DEEP"', deep(900)),
         "line 1: the argument of the write of 0 is too deep: lists lie in one another 50 deep"),
        (json.dumps(event(0, "invoke", "write", "DEEP")).replace('"DEEP"', deep(90_000)),
         "nested too deeply"),
        (json.dumps(event(0, "invoke", "write", 1, time=1e308)), "Expected `float` <= ".lower()),
        (json.dumps({"client": "c", "call": "read", "start": 1e308, "end": 1e308}),
         "a time is a number of ms, from -2**63 to 2**63"),
        (json.dumps({"client": "c", "call": None, "end": 1}), "expected `str`, got `null`"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_to_do(text, why, tmp_path):
    path = tmp_path / "history"
    path.write_text(text)
    with pytest.raises(Misuse) as caught:
        History.load(path)
    assert why in str(caught.value)
    assert str(caught.value).startswith(f"{path}, line 1: ")


@pytest.mark.parametrize(
    "line",
    [
        {"client": "c", "call": "read", "start": 0, "end": 1, "outcome": "x" * 5000},
        {"client": "c", "call": "read", "start": 0, "end": 1, "x" * 5000: 1},
        {"client": "c" * 5000, "call": "r" * 5000, "start": 2, "end": 1},
        event("p" * 5000, "ok", "read", 1),
        event(0, "invoke", "write", {"a": "x" * 5000}),
    ],
    ids=["outcome", "field", "client", "process", "value"],
)
def test_a_message_repeats_little_of_the_file(line, tmp_path):
    with pytest.raises(Misuse) as caught:
        loaded(tmp_path, line)
    assert len(str(caught.value)) < len(str(tmp_path)) + 450


@pytest.mark.parametrize("unit", [0, -1, float("nan"), float("inf"), "ns", None, True])
def test_a_unit_is_a_number_of_ms(unit):
    with pytest.raises(Misuse, match="ms_per_unit is how many ms a unit of the file is"):
        History.load(DATA / "array.json", ms_per_unit=unit)


def test_lists_of_a_keyed_file_are_judged_as_lists(tmp_path):
    events = [
        event(0, "invoke", "append", ["k", 1]),
        event(0, "ok", "append", ["k", 1]),
        event(0, "invoke", "read", ["k", None]),
        event(0, "ok", "read", ["k", [1]]),
    ]
    assert check(loaded(tmp_path, *events), model=AppendList()).is_linearizable
    events[3] = event(0, "ok", "read", ["k", []])
    assert check(loaded(tmp_path, *events), model=AppendList()).is_linearizable is False
