"""What each model says of one operation in one state."""

from typing import Any

import pytest

from raftlab import Command, Misuse
from raftlab.check.history import Operation, Outcome
from raftlab.check.history.client_history import call_of
from raftlab.check.linearizability.models import (
    AppendList,
    KeyValue,
    Model,
    Register,
    can_change,
    key_of,
)
from raftlab.raft.log import LogEntry
from raftlab.sim.world.application import KeyValue as Application


def told(call, argument=None, result=None):
    return Operation("c", call, "x", argument, result, 0, 1)


def unknown(call, argument=None):
    return Operation("c", call, "x", argument, outcome=Outcome.UNKNOWN)


REGISTER = [
    (None, told("read", None, None), True, None),
    (None, told("read", None, 1), False, None),
    (1, told("read", None, 1), True, 1),
    (1, told("get", None, 2), False, 1),
    (1, unknown("read"), True, 1),
    (1, told("write", 2), True, 2),
    (1, told("put", None), True, None),
    (1, told("cas", (1, 2)), True, 2),
    (1, told("cas", (1, 2), True), True, 2),
    (1, told("cas", (2, 3)), False, 3),
    (1, told("cas", (1, 2), False), False, 1),
    (1, told("cas", (2, 3), False), True, 1),
    (1, unknown("cas", (1, 2)), True, 2),
    (1, unknown("cas", (2, 3)), False, 3),
]

KEY_VALUE = [
    (None, told("add", "5", "5"), True, "5"),
    ("3", told("add", "-5", "-2"), True, "-2"),
    ("3", told("add", "1", "5"), False, "4"),
    ("3", told("add", 1), True, "4"),
    ("a", told("add", "1", "x does not hold a whole number"), True, "a"),
    ("a", told("add", "1", "2"), False, "a"),
    ("a", unknown("add", "1"), True, "a"),
    (None, told("append", "a", "a"), True, "a"),
    ("a", told("append", "b"), True, "ab"),
    ("a", told("append", "b", "b"), False, "ab"),
    ("a", told("delete", None, "a"), True, None),
    (None, told("delete", None, ""), True, None),
    ("a", told("delete", None, ""), False, None),
    ("a", unknown("delete"), True, None),
]

LIST = [
    ((), told("append", 1), True, (1,)),
    ((1,), unknown("append", 2), True, (1, 2)),
    ((1, 2), told("read", None, [1, 2]), True, (1, 2)),
    ((1, 2), told("read", None, [2, 1]), False, (1, 2)),
    ((), told("read", None, None), True, ()),
    ((1,), unknown("read"), True, (1,)),
]


@pytest.mark.parametrize(("state", "operation", "allowed", "after"), REGISTER)
@pytest.mark.parametrize("model", [Register(), KeyValue()], ids=repr)
def test_a_register_reads_writes_and_compares(model, state, operation, allowed, after):
    said = model.step(state, operation)
    assert said[0] is allowed
    assert model.same(said[1], after) or not allowed


@pytest.mark.parametrize("argument", [7, "7", 7.0])
def test_a_whole_number_and_its_text_are_one_value_of_a_key(argument):
    model, other = KeyValue(), 7 if argument == "7" else "7"
    after = model.step(None, told("write", argument))[1]
    assert model.step(after, told("read", None, other))[0]
    assert model.step(after, told("read", None, argument))[0]
    assert model.step(after, told("add", 1, 8)) == (True, "8")
    assert model.step(after, told("append", 1, 71))[0]
    assert model.step(after, told("delete", None, other))[0]
    assert model.step(after, told("cas", (other, 9))) == (True, "9")
    assert not model.step(after, told("read", None, "07"))[0]
    assert KeyValue(7).initial == "7"
    assert not Register().step(7, told("read", None, "7"))[0]


@pytest.mark.parametrize("value", [True, False, 1.5, float("inf"), 10**2000, (1,), None, "a"])
def test_what_is_no_whole_number_is_kept_as_it_is(value):
    after = KeyValue().step(None, told("write", value))[1]
    assert (after, type(after)) == (value, type(value))
    assert not KeyValue().step(after, told("read", None, "1"))[0]


@pytest.mark.parametrize("result", [0, 1, "false", "true", ()])
@pytest.mark.parametrize("model", [Register(), KeyValue()], ids=repr)
def test_a_cas_gives_yes_or_no_and_nothing_that_looks_like_it(model, result):
    with pytest.raises(Misuse, match="a cas gives True or None if it took effect, and False"):
        model.step(1, told("cas", (1, 2), result))


@pytest.mark.parametrize(("state", "operation", "allowed", "after"), KEY_VALUE)
def test_a_key_holds_text_that_can_be_added_to(state, operation, allowed, after):
    said = KeyValue().step(state, operation)
    assert said[0] is allowed
    assert said[1] == after or not allowed


@pytest.mark.parametrize(("state", "operation", "allowed", "after"), LIST)
def test_a_list_only_grows(state, operation, allowed, after):
    said = AppendList().step(state, operation)
    assert said[0] is allowed
    assert said[1] == after or not allowed


ALL: list[tuple[Any, list[Any]]] = [
    (Register(), REGISTER),
    (KeyValue(), REGISTER + KEY_VALUE),
    (AppendList(), LIST),
]


@pytest.mark.parametrize(
    ("model", "operation"),
    [(model, row[1]) for model, rows in ALL for row in rows],
)
def test_what_is_said_to_change_nothing_changes_nothing(model, operation):
    states = [row[0] for kind, rows in ALL if kind is model for row in rows]
    after = [model.step(state, operation) for state in states]
    changed = any(
        allowed and later != state for state, (allowed, later) in zip(states, after, strict=True)
    )
    assert can_change(model, operation) or not changed
    assert can_change(model, operation) is (
        operation.call not in ("read", "get")
        and not (operation.call == "cas" and operation.result is False)
    )


COMMANDS = [
    "x=1", "x=", "x = a=b", "x+=1", "x+=-3", "x+=a", "x=7", "x+=5", "del x", "del x", "x+=2",
    "x=word", "x+=1", "nonsense", "del", "=1", "y z=1",
]  # fmt: skip


def test_the_key_value_model_agrees_with_the_simulated_application():
    application, model, states = Application(), KeyValue(), {}
    for index, command in enumerate(COMMANDS, start=1):
        result = application.apply(LogEntry(1, index, Command(command.encode())))
        call = call_of(command)
        if call is None:
            assert result == "not a command"
            continue
        kind, key, argument = call
        taken = Operation("c", kind, key, argument, result, 0, 1)
        allowed, states[key] = model.step(states.get(key), taken)
        assert allowed, command
        assert application.get(key) == states[key]
        wrong = Operation("c", kind, key, argument, f"{result}!", 0, 1)
        assert kind == "write" or not model.step(states.get(key), wrong)[0]


@pytest.mark.parametrize("model", [Register(), KeyValue(), AppendList()], ids=repr)
def test_a_call_that_a_model_does_not_know_is_refused(model):
    name = {Register: "a Register", KeyValue: "a KeyValue", AppendList: "an AppendList"}
    with pytest.raises(Misuse, match=f"^{name[type(model)]} has no call 'enqueue'"):
        model.step(model.initial, told("enqueue", 1))


@pytest.mark.parametrize("argument", [None, 1, (1,), (1, 2, 3), "ab"])
def test_a_cas_takes_a_pair(argument):
    with pytest.raises(Misuse, match="a cas takes a pair"):
        Register().step(None, told("cas", argument))


def test_models_start_where_they_are_told_to():
    assert Register(7).step(Register(7).initial, told("read", None, 7))[0]
    assert AppendList([1]).initial == (1,)


class Plain:
    """A model of one object, as a reader writes it."""

    initial = 0

    def step(self, state, operation):
        return True, state


def test_what_a_model_does_not_say_is_taken_carefully():
    model: Model = Plain()
    assert can_change(model, told("read"))
    assert key_of(model, told("read")) is None
    assert key_of(Register(), told("read")) == "x"


def test_a_state_that_cannot_be_hashed_is_refused():
    from raftlab.check.linearizability import check

    class Lists(Plain):
        initial: list = []  # noqa: RUF012

    with pytest.raises(Misuse, match="a model's states can be hashed"):
        check([told("read")], model=Lists())
