"""The replicated application: what each command does, and that nothing else does anything."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from raftlab import Command, Configuration, Empty, LogEntry, Misuse
from raftlab.sim.world.application import KeyValue


def said_by(application: KeyValue, *commands: str | bytes) -> list[str]:
    """What each command gives, one after the other."""
    said = []
    for index, command in enumerate(commands, start=1):
        data = command.encode() if isinstance(command, str) else command
        said.append(application.apply(LogEntry(1, index, Command(data))))
    return said


def applied(*commands: str | bytes) -> KeyValue:
    application = KeyValue()
    said_by(application, *commands)
    return application


def after(*commands: str | bytes) -> dict[str, str]:
    return dict(applied(*commands).values)


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
        (["x=1", "x + =1"], {"x": "1"}),
        (["x=1", "x+=--1"], {"x": "1"}),
        (["x=-", "x+=1"], {"x": "-"}),
        (["x=1+=2"], {"x": "1+=2"}),
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
    assert application.apply(LogEntry(1, 1, Empty())) == ""
    assert application.apply(LogEntry(1, 2, Configuration(("x=1",)))) == ""
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


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (["x= 1 "], ["1"]),
        (["x="], [""]),
        (["x+=1", "x += 41"], ["1", "42"]),
        (["x=a", "x+=1"], ["a", "x does not hold a whole number"]),
        (["x=1", "del x", "del x"], ["1", "1", ""]),
        (["x", "", "x y=1", b"\xff"], ["not a command"] * 4),
    ],
)
def test_a_command_says_what_came_of_it(commands, said):
    assert said_by(KeyValue(), *commands) == said


def test_a_key_without_a_value_gives_none():
    application = applied("x=1", "y=", "z=3", "del z")
    assert [application.get(key) for key in "xyz"] == ["1", "", None]


commands = st.text(max_size=12) | st.from_regex(r"[xy](=|\+=)-?\d{1,3}|del [xy]", fullmatch=True)


@given(st.lists(commands, max_size=12))
def test_the_same_commands_give_the_same_values(commands):
    data = [command.encode("utf-8", "replace") for command in commands]
    assert after(*data) == after(*data)


@given(st.lists(st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace"))))
@example([b"\xed\xa0\x80=1", b"x=\xed\xb0\x80", b"\x00=\x00", b"\xff=1", b"x=\xff"])
@example([b"x+=" + b"9" * 1000, b"x+=1", b"x+=1", b"x=-", b"x+=1"])
@example([b"open c", b"c#" + b"9" * 18 + b" x=1", b"c#" + b"9" * 5000 + b" x=1"])
def test_no_bytes_make_the_application_raise(data):
    application = applied(*data)
    assert KeyValue.decode(application.encode()).encode() == application.encode()


def test_a_snapshot_is_text_that_a_reader_can_read():
    application = applied("b=1", "a=2", "open c1", "c1#1 b+=1")
    assert application.encode() == (
        b'{"values":{"b":"2","a":"2"},'
        b'"sessions":{"c1":{"serial":1,"result":"2","used":4}},"most_sessions":16}'
    )


@given(st.lists(commands, max_size=12))
def test_a_snapshot_restores_values_in_their_order(commands):
    application = applied(*(command.encode("utf-8", "replace") for command in commands))
    restored = KeyValue.decode(application.encode())
    assert list(restored.values.items()) == list(application.values.items())
    assert restored.encode() == application.encode()


def test_an_empty_snapshot_restores_an_empty_application():
    assert KeyValue.decode(b"").encode() == KeyValue().encode()


def test_a_restored_application_shares_nothing_with_the_first():
    first = applied("x=1")
    second = KeyValue.decode(first.encode())
    said_by(second, "x=2", "open c1")
    assert (first.get("x"), first.sessions) == ("1", {})


ONE_TOO_MANY = (
    b'{"values":{},"sessions":{"c1":{"serial":1,"result":"","used":1},'
    b'"c2":{"serial":1,"result":"","used":2}},"most_sessions":1}'
)


@pytest.mark.parametrize(
    "data",
    [
        b" ",
        b"x=1",
        b"\xff",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"values":{"x":1},"sessions":{},"most_sessions":1}',
        b'{"values":{"x":"\xff"},"sessions":{},"most_sessions":1}',
        b'{"values":{},"sessions":{},"most_sessions":0}',
        b'{"values":{},"sessions":{},"most_sessions":1,"more":1}',
        b'{"values":{},"sessions":{},"most_sessions":' + b"9" * 40 + b"}",
        b'{"values":{},"sessions":{"c1":{"serial":-1,"result":"","used":1}},"most_sessions":1}',
        b'{"values":{},"sessions":{"c":{"serial":1,"result":"","used":1,"at":1}},"most_sessions":1}',
        applied("x=1").encode()[:-1],
        applied("x=1").encode() + b"!",
    ],
    ids=lambda data: repr(data[:60]),
)
def test_bytes_that_nobody_saved_are_refused(data):
    with pytest.raises(Misuse, match=rf"^a snapshot of {len(data)} bytes is no KeyValue: \S"):
        KeyValue.decode(data)


def test_a_snapshot_with_too_many_sessions_is_refused():
    with pytest.raises(Misuse, match="a snapshot holds 2 sessions, and may hold no more than 1"):
        KeyValue.decode(ONE_TOO_MANY)


@given(st.data())
@example(None)
def test_a_damaged_snapshot_is_refused_or_read_and_never_worse(data):
    saved = bytearray(applied("x=1", "y=é", "open c1", "c1#1 x+=1").encode())
    if data is None:
        saved = bytearray(saved.replace("é".encode(), b"\\udc00"))
    else:
        saved[data.draw(st.integers(0, len(saved) - 1))] = data.draw(st.integers(0, 255))
    try:
        restored = KeyValue.decode(bytes(saved))
    except Misuse:
        return
    assert KeyValue.decode(restored.encode()).encode() == restored.encode()
