"""The replicated application: what each command does, and that nothing else does anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab import Command, Configuration, Empty, LogEntry
from raftlab.sim.key_value import KeyValue


def after(*commands: str | bytes) -> dict[str, str]:
    application = KeyValue()
    for index, command in enumerate(commands, start=1):
        data = command.encode() if isinstance(command, str) else command
        application.apply(LogEntry(1, index, Command(data)))
    return dict(application.values)


@pytest.mark.parametrize(
    ("commands", "values"),
    [
        (["x=1"], {"x": "1"}),
        (["x=1", "x=2"], {"x": "2"}),
        (["x=1", "y=2"], {"x": "1", "y": "2"}),
        (["  x  =  1  "], {"x": "1"}),
        (["x="], {"x": ""}),
        (["x=a b  c"], {"x": "a b  c"}),
        (["x=y=z"], {"x": "y=z"}),
        (["x==1"], {"x": "=1"}),
        (["x=1\n"], {"x": "1"}),
        (["x=1\ny=2"], {"x": "1\ny=2"}),
        (["añó=ü"], {"añó": "ü"}),
        (["_1=2"], {"_1": "2"}),
        (["X=1", "x=2"], {"X": "1", "x": "2"}),
    ],
)
def test_a_key_is_set(commands, values):
    assert after(*commands) == values


@pytest.mark.parametrize(
    ("commands", "values"),
    [
        (["x+=1"], {"x": "1"}),
        (["x+=1", "x+=41"], {"x": "42"}),
        (["x=40", " x += 2 "], {"x": "42"}),
        (["x=1", "x+=-3"], {"x": "-2"}),
        (["x=-5", "x+=5"], {"x": "0"}),
        (["x=007", "x+=1"], {"x": "8"}),
        (["x=a", "x+=1"], {"x": "a"}),
        (["x=", "x+=1"], {"x": ""}),
        (["x=1", "x+=a"], {"x": "1"}),
        (["x=1", "x+="], {"x": "1"}),
        (["x=1", "x+=1.5"], {"x": "1"}),
        (["x=1", "x-=1"], {"x": "1"}),
    ],
)
def test_a_whole_number_is_added(commands, values):
    assert after(*commands) == values


@pytest.mark.parametrize(
    ("commands", "values"),
    [
        (["x=1", "del x"], {}),
        (["x=1", "  del   x "], {}),
        (["del x"], {}),
        (["x=1", "del y"], {"x": "1"}),
        (["del=1"], {"del": "1"}),
        (["x=1", "delx"], {"x": "1"}),
        (["x=1", "del x y"], {"x": "1"}),
        (["x=1", "y=2", "del x", "x=3"], {"y": "2", "x": "3"}),
    ],
)
def test_a_key_is_removed(commands, values):
    assert after(*commands) == values


@pytest.mark.parametrize(
    "command", ["", " ", "=", "=1", "x", "+=1", "x y=1", "a-b=1", b"\xff", "x:1"]
)
def test_anything_else_changes_nothing(command):
    assert after("x=1", command) == {"x": "1"}


def test_values_keep_the_order_in_which_keys_appeared():
    assert list(after("b=1", "a=1", "b=2")) == ["b", "a"]


def test_entries_of_the_protocol_change_nothing():
    application = KeyValue()
    application.apply(LogEntry(1, 1, Empty()))
    application.apply(LogEntry(1, 2, Configuration(("x=1",))))
    assert application.values == {}


def test_values_are_a_copy():
    application = KeyValue()
    application.values["x"] = "1"  # type: ignore[index]
    assert application.values == {}


def test_numbers_that_nobody_counts_to_are_text():
    """Python refuses to read a number of more than 4,300 digits: no command may stumble there."""
    long = "9" * 5000
    assert after(f"x={long}", "x+=1") == {"x": long}
    assert after("x=1", f"x+={long}") == {"x": "1"}
    edge = "9" * 1000
    assert after(f"x={edge}", "x+=1", "x+=1") == {"x": "1" + "0" * 1000}


def test_a_value_with_very_many_blanks_takes_no_time():
    """Not a clock but a bound: this would take hours if blanks were tried one by one."""
    value = "a" + " " * 1_000_000 + "b"
    assert after(f"x= {value} ") == {"x": value}
    assert after(" " * 1_000_000) == {}
    assert after("x" * 1_000_000) == {}


@given(st.lists(st.text(max_size=12) | st.from_regex(r"[xy](=|\+=)-?\d{1,3}"), max_size=12))
def test_the_same_commands_give_the_same_values(commands):
    data = [command.encode("utf-8", "replace") for command in commands]
    assert after(*data) == after(*data)
