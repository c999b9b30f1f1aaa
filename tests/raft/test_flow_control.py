"""How much is under way: to one follower, and uncommitted at the leader. Thesis 10.2."""

import pytest

from raftlab.raft.log import Command, Empty, LogEntry, RaftLog
from raftlab.raft.messages import AppendEntries
from raftlab.raft.options import Options
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, NotNow
from tests.raft.world import (
    FIGURE_2,
    World,
    accepted,
    accepted_by_all,
    append,
    append_of,
    drain,
    entry,
    in_flight,
    known,
    leader,
    let_time_out,
    machine,
    names,
    propose,
    rejected,
    sized,
    tell,
    vote,
)


def options(**changes) -> Options:
    """Figure 2, changed so."""
    return Options.figure_2(**changes)


def streaming(**changes):
    """S1 leads three; everyone agrees, so it sends without waiting."""
    return accepted_by_all(leader(options=options(**changes)))


def proposed(node, *sizes: int):
    """Hand a leader commands of so many bytes; what it then sends to S2."""
    for size in sizes:
        node.add_entry(Command(bytes(size)))
    return to_s2(drain(node).messages)


def to_s2(said):
    """Of some messages, those for S2."""
    return [each for each in said if each.receiver == "S2"]


def indexes(said):
    """The indexes of the entries of each message."""
    return [[each.index for each in message.entries] for message in said]


# The size of one message


@pytest.mark.parametrize(
    ("limit", "batches"),
    [(1, [[2], [3], [4], [5]]), (3, [[2, 3, 4], [5]]), (4, [[2, 3, 4, 5]]), (64, [[2, 3, 4, 5]])],
)
def test_a_message_has_at_most_so_many_entries(limit, batches):
    node = streaming(max_entries_per_append=limit)
    assert indexes(proposed(node, 1, 1, 1, 1)) == batches


@pytest.mark.parametrize(
    ("limit", "batches"),
    [
        (9, [[2], [3], [4], [5]]),
        (10, [[2], [3], [4], [5]]),
        (19, [[2], [3], [4], [5]]),
        (20, [[2, 3], [4, 5]]),
        (39, [[2, 3, 4], [5]]),
        (40, [[2, 3, 4, 5]]),
    ],
)
def test_a_message_has_at_most_so_many_bytes_but_always_one_entry(limit, batches):
    node = streaming(max_bytes_per_append=limit)
    assert indexes(proposed(node, 10, 10, 10, 10)) == batches


def test_one_long_entry_travels_alone():
    node = streaming(max_bytes_per_append=10)
    assert indexes(proposed(node, 3, 99, 3, 3)) == [[2], [3], [4, 5]]


def test_entries_of_the_protocol_itself_count_as_no_bytes():
    node = streaming(max_bytes_per_append=1)
    for _ in range(3):
        node.add_entry(Empty())
    node.add_entry(Command(b"x"))
    assert indexes(to_s2(drain(node).messages)) == [[2, 3, 4, 5]]


def test_a_probe_is_one_entry_whatever_the_limits():
    node = leader(terms=(1, 1, 1), options=options(max_bytes_per_append=1))
    (probe,) = tell(node, rejected("S2", 2, at=3, last=0))
    assert indexes([probe]) == [[1]]


# How much is under way to one follower


def test_no_more_messages_with_entries_than_the_window_are_under_way():
    node = streaming(max_in_flight=3, max_entries_per_append=1)
    assert indexes(proposed(node, 1, 1, 1, 1, 1)) == [[2], [3], [4]]
    assert in_flight(node, "S2") == 3
    assert proposed(node, 1) == []


def test_an_answer_makes_room_for_as_much_as_it_covers():
    node = streaming(max_in_flight=3, max_entries_per_append=1)
    proposed(node, 1, 1, 1, 1, 1, 1)
    assert indexes(tell(node, accepted("S2", 1, 2))) == [[5]]
    assert indexes(tell(node, accepted("S2", 1, 4))) == [[6], [7]]


def test_each_follower_has_a_window_of_its_own():
    node = streaming(max_in_flight=1, max_entries_per_append=1)
    proposed(node, 1, 1)
    tell(node, accepted("S3", 1, 2))
    assert (in_flight(node, "S2"), known(node, "S2").next_index) == (1, 3)
    assert (in_flight(node, "S3"), known(node, "S3").next_index) == (1, 4)


def test_heartbeats_pass_a_full_window():
    node = streaming(max_in_flight=1)
    proposed(node, 1)
    (beat,) = to_s2(let_time_out(node))
    assert (beat.entries, beat.prev_log_index) == ((), 2)
    assert in_flight(node, "S2") == 1


def test_an_answer_that_covers_nothing_new_still_empties_the_window_of_what_it_covers():
    """The first answer was lost, and an accepted heartbeat covers the same."""
    node = streaming(max_in_flight=1)
    proposed(node, 1, 1)
    proposed(node, 1)
    (beat,) = to_s2(let_time_out(node))
    assert indexes(tell(node, accepted("S2", 1, beat.prev_log_index))) == [[4]]


def test_a_rejection_empties_the_window_and_feels_the_way():
    node = streaming(max_in_flight=2, max_entries_per_append=1)
    proposed(node, 1, 1, 1)
    (probe,) = tell(node, rejected("S2", 1, at=3, last=1, hint=(1, 1)))
    assert (known(node, "S2").state, in_flight(node, "S2")) == (ProgressState.PROBE, 0)
    assert indexes([probe]) == [[2]]


@pytest.mark.parametrize("lost", ["the entries", "the answers"])
@pytest.mark.parametrize("window", [1, 3])
def test_whatever_is_lost_a_follower_is_never_stalled_for_ever(lost, window):
    with World(3, options=options(max_in_flight=window, max_entries_per_append=1)) as world:
        world.elect("S1")
        for _ in range(8):
            world["S1"].add_entry(Command(b"x"))
        world.pump("S1")
        while any({each.sender, each.receiver} == {"S1", "S2"} for each in world.flying):
            message = next(
                each for each in world.flying if {each.sender, each.receiver} == {"S1", "S2"}
            )
            world.flying.remove(message)
            if lost == "the answers" and isinstance(message, AppendEntries):
                world.hand(message)
        world.settle()
        for _ in range(4):
            world.heartbeat("S1")
        assert world["S2"].log.last_index == 9
        assert known(world["S1"], "S2").match_index == 9
        assert in_flight(world["S1"], "S2") == 0


def test_a_window_that_was_full_is_refilled_in_order():
    with World(3, options=options(max_in_flight=2, max_entries_per_append=2)) as world:
        world.elect("S1")
        for number in range(20):
            world.propose("S1", str(number))
        world.settle()
        assert world["S3"].log == world["S1"].log
        assert world["S1"].commit_index == 21


# How much is uncommitted


LIMIT = 100


def limited(**about):
    """S1 leads three and lets 100 bytes wait; everyone agrees."""
    return accepted_by_all(leader(options=options(max_uncommitted_bytes=LIMIT), **about))


def refuses(node, size: int) -> bool:
    """Whether a leader has no room for a command of so many bytes; if it has, it takes it."""
    before, last = node.fingerprint(), node.log.last_index
    try:
        node.add_entry(Command(bytes(size)))
    except NotNow:
        assert (node.fingerprint(), node.log.last_index) == (before, last)
        return True
    return False


def waiting(node) -> int:
    """How many bytes a leader counts as not committed."""
    twin = node.copy()
    twin._count_committed()
    return twin._uncommitted_bytes


def test_commands_are_taken_up_to_the_limit_and_refused_beyond_it():
    node = limited()
    assert not refuses(node, 60)
    assert refuses(node, 41)
    assert not refuses(node, 40)
    assert refuses(node, 1)


def test_the_refusal_says_how_much_waits_and_that_it_will_pass():
    node = limited()
    propose(node, "x" * 70)
    with pytest.raises(NotNow, match=r"70 bytes .* no more than 100: ask again later"):
        node.add_entry(Command(bytes(31)))


def test_the_first_command_is_always_taken_however_long():
    node = limited()
    assert not refuses(node, 10 * LIMIT)
    assert refuses(node, 1)


def test_a_command_of_no_bytes_counts_too_so_that_there_is_an_end():
    node = limited()
    assert not any(refuses(node, 0) for _ in range(LIMIT))
    assert refuses(node, 0)


def test_entries_of_the_protocol_itself_are_never_refused_for_their_size():
    node = limited()
    refuses(node, LIMIT)
    node.add_entry(Empty())
    node.add_entry(Configuration(names(3), learners=("S4",)))
    assert waiting(node) == LIMIT


def test_a_commit_makes_room_for_as_much_as_it_commits():
    node = limited()
    for size in (50, 30, 20):
        assert not refuses(node, size)
    drain(node)
    tell(node, accepted("S2", 1, 3))
    assert waiting(node) == 20
    assert refuses(node, 81)
    assert not refuses(node, 80)


def test_without_a_majority_nothing_is_ever_freed():
    node = limited()
    refuses(node, LIMIT)
    for _ in range(20):
        let_time_out(node)
    assert refuses(node, 1)


@pytest.mark.parametrize("keep", [0, 9])
@pytest.mark.parametrize("up_to", [2, 3, 4])
def test_the_count_survives_a_compaction(keep, up_to):
    node = accepted_by_all(
        leader(options=options(max_uncommitted_bytes=LIMIT, trailing_entries=keep))
    )
    for size in (50, 30, 15, 5):
        refuses(node, size)
    drain(node)
    tell(node, accepted("S2", 1, 4))
    node.compact(up_to)
    assert waiting(node) == 5
    tell(node, accepted("S2", 1, 5))
    assert waiting(node) == 0


def test_a_new_leader_counts_the_tail_that_it_found_uncommitted():
    tail = RaftLog((sized(1, 1, 50), sized(2, 1, 30), LogEntry(1, 3, Empty())))
    node = leader(held=tail, term=1, commit_index=1, options=options(max_uncommitted_bytes=LIMIT))
    assert waiting(node) == 30
    assert refuses(node, 71)
    assert not refuses(node, 70)
    tell(node, accepted("S2", 2, 3))
    assert waiting(node) == 100, "what an earlier term left is not committed by counting"
    tell(node, accepted("S2", 2, 4))
    assert waiting(node) == 70


def test_a_leader_that_comes_back_counts_from_what_it_holds_then():
    node = limited()
    refuses(node, LIMIT)
    drain(node)
    tell(node, append("S2", 2, (1, 1), (2,)))
    node.campaign(node.now, force=True)
    drain(node)
    tell(node, vote("S2", 3))
    assert node.role is Role.LEADER
    assert waiting(node) == entry(2, 2).size


def test_a_copy_has_a_count_of_its_own():
    node = limited()
    refuses(node, 60)
    twin = node.copy()
    refuses(twin, 40)
    assert (waiting(node), waiting(twin)) == (60, 100)


def test_a_follower_counts_nothing_and_takes_all_that_its_leader_sends():
    node = machine(term=1, options=options(max_uncommitted_bytes=1))
    long = (sized(1, 1, 500), sized(2, 1, 500))
    tell(
        node,
        append_of("S2", 1, (0, 0), *long),
    )
    assert node.log.last_index == 2


def test_as_it_comes_so_much_may_wait():
    assert FIGURE_2.max_uncommitted_bytes >= 10 * FIGURE_2.max_bytes_per_append
