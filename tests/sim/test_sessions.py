"""Client sessions: a retry is executed once, on every node, whatever snapshots and expiry do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from raftlab import Command, LogEntry, Misuse
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.client_sessions import Sessions


def play(application: KeyValue, commands: list[str], start: int = 1) -> list[str]:
    """What each command gives, from log index `start` on."""
    return [
        application.apply(LogEntry(1, index, Command(command.encode())))
        for index, command in enumerate(commands, start)
    ]


def said(*commands: str, sessions: int = 16) -> list[str]:
    return play(KeyValue(sessions), list(commands))


def after(*commands: str, sessions: int = 16) -> KeyValue:
    application = KeyValue(sessions)
    play(application, list(commands))
    return application


def missing(client: str) -> str:
    return f"no session {client}: it was never opened, or has expired"


# One client


def test_a_numbered_command_is_executed():
    commands = ["open c1", "c1#1 x+=1", "c1#2 x+=1", "c1#3 y=a b", "c1#4 del x", "c1#5 del x"]
    assert said(*commands) == ["session c1 is open", "1", "2", "a b", "2", ""]
    assert after(*commands).values == {"y": "a b"}


def test_a_retry_gives_the_first_result_and_changes_nothing():
    commands = ["open c1", "c1#1 x+=1", "x=5", "c1#1 x+=1"]
    assert said(*commands)[-1] == "1"
    assert after(*commands).values == {"x": "5"}


def test_a_retry_is_known_by_its_number_alone():
    assert said("open c1", "c1#1 x=1", "c1#1 y=2")[-1] == "1"
    assert after("open c1", "c1#1 x=1", "c1#1 y=2").values == {"x": "1"}


def test_a_retry_of_what_was_not_possible_is_not_possible_again():
    commands = ["open c1", "x=a", "c1#1 x+=1", "x=1", "c1#1 x+=1"]
    assert said(*commands)[2] == said(*commands)[4] == "x does not hold a whole number"
    assert after(*commands).values == {"x": "1"}


def test_an_answered_command_is_refused():
    commands = ["open c1", "c1#1 x+=1", "c1#2 x+=1", "c1#1 x+=1"]
    assert said(*commands)[-1] == "c1#1 is an answered command: c1 is at 2"
    assert after(*commands).values == {"x": "2"}


def test_numbers_may_be_skipped_and_not_used_later():
    commands = ["open c1", "c1#7 x+=1", "c1#3 x+=1"]
    assert said(*commands)[-1] == "c1#3 is an answered command: c1 is at 7"
    assert after(*commands).values == {"x": "1"}


def test_a_command_without_a_session_is_refused():
    assert said("c1#1 x=1") == [missing("c1")]
    assert after("open c2", "c1#1 x=1").values == {}


def test_a_closed_session_is_over():
    commands = ["open c1", "c1#1 x+=1", "close c1", "c1#1 x+=1", "close c1"]
    assert said(*commands)[2:] == ["session c1 is closed", missing("c1"), missing("c1")]
    assert after(*commands).values == {"x": "1"}
    assert after(*commands).sessions == {}


def test_opening_again_begins_anew():
    commands = ["open c1", "c1#5 x+=1", "open c1", "c1#1 x+=1"]
    assert said(*commands)[2:] == ["session c1 is open", "2"]
    assert after(*commands).sessions == {"c1": 1}


def test_clients_count_each_for_themselves():
    commands = ["open a", "open b", "a#2 x+=1", "b#1 x+=1", "b#1 x+=1", "a#2 x+=1"]
    assert said(*commands)[2:] == ["1", "2", "2", "1"]
    assert after(*commands).sessions == {"a": 2, "b": 1}


def test_a_plain_command_needs_no_session_and_touches_none():
    commands = ["open c1", "c1#1 x=1", "x=2", "c1=3"]
    assert after(*commands).values == {"x": "2", "c1": "3"}
    assert after(*commands).sessions == {"c1": 1}


@pytest.mark.parametrize("command", ["  c1#1   x+=1 ", "c1#1\tx+=1", "\nc1#1 x += 1"])
def test_blanks_around_a_numbered_command_do_not_count(command):
    assert said(" open   c1 ", command, " close\tc1\n") == [
        "session c1 is open",
        "1",
        "session c1 is closed",
    ]


@pytest.mark.parametrize(
    "command",
    [
        "open",
        "open ",
        "open c-1",
        "open c1 c2",
        "opened c1",
        "close",
        "closec1",
        "c1# x=1",
        "c1#0 x=1",
        "c1#01 x=1",
        "c1#-1 x=1",
        "c1#1.5 x=1",
        "c1#1x=1",
        "c1#1",
        "c1 #1 x=1",
        "c1# 1 x=1",
        "#1 x=1",
        "c1#1000000000000000000 x=1",
        "c1#" + "9" * 5000 + " x=1",
    ],
)
def test_what_is_nearly_a_session_command_changes_nothing(command):
    before = after("open c1", "c1#1 x=0")
    assert play(before, [command], start=3) == ["not a command"]
    assert before.encode() == after("open c1", "c1#1 x=0").encode()


@pytest.mark.parametrize("inner", ["open c2", "close c1", "c1#2 x=1", "c2#1 x=1", "nothing", ""])
def test_only_a_plain_command_can_be_numbered(inner):
    commands = ["open c1", f"c1#1 {inner}"]
    assert said(*commands)[-1] == "not a command"
    assert after(*commands).values == {}
    assert after(*commands).sessions == {"c1": 1}


def test_words_of_sessions_are_still_keys():
    assert after("open=1", "close=2", "del open").values == {"close": "2"}


# Expiry


def test_one_session_too_many_ends_the_one_used_longest_ago():
    commands = ["open a", "open b", "a#1 x=1", "open c"]
    assert said(*commands, sessions=2)[-1] == "session c is open; session b has expired"
    assert after(*commands, sessions=2).sessions == {"a": 1, "c": 0}


def test_sixteen_sessions_are_kept_if_nobody_says_otherwise():
    opened = [f"open c{each}" for each in range(17)]
    assert list(after(*opened[:16]).sessions) == [f"c{each}" for each in range(16)]
    assert list(after(*opened).sessions) == [f"c{each}" for each in range(1, 17)]


def test_a_retry_from_an_expired_session_is_not_executed_again():
    commands = ["open a", "a#1 x+=1", "open b", "a#1 x+=1", "a#2 x+=1"]
    assert said(*commands, sessions=1)[-2:] == [missing("a"), missing("a")]
    assert after(*commands, sessions=1).values == {"x": "1"}


def test_a_retry_is_a_use_of_the_session():
    commands = ["open a", "a#1 x=1", "open b", "a#1 x=1", "open c"]
    assert list(after(*commands, sessions=2).sessions) == ["a", "c"]


def test_a_refusal_is_no_use_of_the_session():
    commands = ["open a", "a#2 x=1", "open b", "a#1 x=1", "open c"]
    assert list(after(*commands, sessions=2).sessions) == ["b", "c"]


def test_opening_again_is_a_use_and_ends_no_other_session():
    assert said("open a", "open b", "open b", sessions=2)[-1] == "session b is open"
    assert list(after("open a", "open b", "open b", sessions=2).sessions) == ["a", "b"]
    commands = ["open a", "open b", "open a", "open c"]
    assert list(after(*commands, sessions=2).sessions) == ["a", "c"]


def test_a_closed_session_leaves_room():
    commands = ["open a", "open b", "close b", "open c"]
    assert list(after(*commands, sessions=2).sessions) == ["a", "c"]


def test_age_is_counted_in_the_log_and_not_in_commands_seen():
    application = KeyValue(sessions=2)
    play(application, ["open a", "open b"], start=10)
    play(application, ["a#1 x=1"], start=5)
    play(application, ["open c"], start=20)
    assert list(application.sessions) == ["b", "c"]


@pytest.mark.parametrize("sessions", [0, -1, 1.5, "2", None, 2**63])
def test_a_number_of_sessions_that_cannot_be_is_refused(sessions):
    with pytest.raises(Misuse, match="a whole number from 1, not"):
        KeyValue(sessions)


def test_sessions_are_a_copy():
    application = after("open c1")
    application.sessions["c1"] = 9  # type: ignore[index]
    assert application.sessions == {"c1": 0}


# Exactly once, and the same everywhere


numbered = st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.sampled_from("xy"))


@given(st.lists(numbered, max_size=25))
def test_a_log_with_retries_gives_what_it_gives_without_them(log):
    """A client sends rising serials; whatever else stands in the log is a retry."""
    opened = [f"open {client}" for client in "abc"]
    at = dict.fromkeys("abc", 0)
    once = []
    for client, serial, key in log:
        if serial > at[client]:
            at[client] = serial
            once.append(f"{key}+=1")
    twice = [f"{client}#{serial} {key}+=1" for client, serial, key in log]
    assert after(*opened, *twice).values == after(*once).values
    assert after(*opened, *twice).sessions == at


client_commands = st.one_of(
    numbered.map(lambda each: f"{each[0]}#{each[1]} {each[2]}+=1"),
    st.sampled_from(["a", "b", "c", "d"]).map(lambda client: f"open {client}"),
    st.sampled_from(["close a", "x=5", "x=?", "del x", "a#2 del y", "b#3 nothing", "y=é"]),
)


def from_snapshot(kind: type[KeyValue], log: list[str], cut: int) -> tuple[bytes, list[str]]:
    """State and answers of a node that received the first `cut` entries as a snapshot."""
    first = kind(sessions=2)
    early = play(first, log[:cut])
    second = kind.decode(first.encode())
    late = play(second, log[cut:], start=cut + 1)
    return second.encode(), early + late


def from_the_log(kind: type[KeyValue], log: list[str]) -> tuple[bytes, list[str]]:
    """State and answers of a node that applied every entry itself."""
    node = kind(sessions=2)
    answers = play(node, log)
    return node.encode(), answers


@given(st.lists(client_commands, max_size=25), st.data())
def test_a_node_that_restored_a_snapshot_says_and_holds_the_same(log, data):
    cut = data.draw(st.integers(0, len(log)))
    assert from_snapshot(KeyValue, log, cut) == from_the_log(KeyValue, log)


class NoTable(Sessions):
    """Every numbered command is executed, whether or not it was before (H25)."""

    def once(self, client, serial, index, execute):
        super().once(client, serial, index, lambda: "")
        return execute()


class NoAges(Sessions):
    """How long ago a session was used is forgotten with a snapshot (H26)."""

    def __init__(self, most, sessions=None):
        young = {client: replace(each, used=0) for client, each in (sessions or {}).items()}
        super().__init__(most, young)


class ExecutesTwice(KeyValue):
    __slots__ = ()
    table = NoTable


class ForgetsAges(KeyValue):
    __slots__ = ()
    table = NoAges


class SavesNoSessions(KeyValue):
    """The table is left out of the snapshot (H26)."""

    __slots__ = ()

    def encode(self):
        bare = KeyValue.decode(super().encode())
        for client in self.sessions:
            play(bare, [f"close {client}"])
        return KeyValue.encode(bare)


def test_a_variant_restores_a_variant():
    assert type(ExecutesTwice.decode(ExecutesTwice().encode())) is ExecutesTwice


def test_without_a_table_a_retry_is_executed_twice():
    """H25: the leader dies before it answers, and the client asks the next one."""
    log = ["open c1", "c1#1 x+=1", "c1#1 x+=1"]
    right, wrong = KeyValue(), ExecutesTwice()
    assert play(right, log)[-1] == "1"
    assert play(wrong, log)[-1] == "2"
    assert right.encode() != wrong.encode()


@pytest.mark.parametrize(
    ("kind", "log", "cut"),
    [
        (SavesNoSessions, ["open a", "a#1 x+=1", "a#1 x+=1", "a#2 x+=1"], 2),
        (ForgetsAges, ["open a", "open b", "a#1 x+=1", "open c", "b#1 x+=1"], 3),
    ],
)
def test_what_is_left_out_of_the_snapshot_tells_nodes_apart(kind, log, cut):
    """H26: known on the node that applied the log, unknown on the one that got a snapshot."""
    restored, _ = from_snapshot(kind, log, cut)
    steady, _ = from_the_log(kind, log)
    assert KeyValue.decode(restored).values != KeyValue.decode(steady).values
    assert from_snapshot(KeyValue, log, cut) == from_the_log(KeyValue, log)
