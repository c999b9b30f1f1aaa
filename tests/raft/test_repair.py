"""However two logs differ, the leader's wins, and it takes a handful of round trips.

A round trip is one rejection and the message it leads to. They are counted.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab.raft.log import RaftLog
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.roles import Role
from tests.raft.world import World, terms_of

# The paper's Figure 7: the log of the leader for term 8, and of six possible followers.
LEADER_OF_TERM_8 = (1, 1, 1, 4, 4, 5, 5, 6, 6, 6)
FIGURE_7 = {
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}


def repaired(leader_terms: tuple[int, ...], follower_terms: tuple[int, ...]) -> int:
    """Let S1 lead and bring S2 to its own log; how many rejections that took.

    S3 has the leader's log, so that S1 is elected whatever S2 holds.
    """
    term = max((*leader_terms, *follower_terms, 0))
    with World(3, logs=(leader_terms, follower_terms, leader_terms), term=term) as world:
        world.elect("S1", "S1", "S3")
        world.tick("S1")
        rejections = 0
        while world.flying:
            message = world.flying[0]
            refused = isinstance(message, AppendEntriesReply) and message.sender == "S2"
            rejections += refused and isinstance(message.result, Rejected)
            world.deliver(type(message), message.sender, message.receiver)
        assert world["S1"].role is Role.LEADER
        assert list(world["S2"].log) == list(world["S1"].log)
        assert terms_of(world["S2"]) == [*leader_terms, term + 1]
        world.heartbeat("S1")
        assert world["S2"].commit_index == world["S1"].commit_index == len(leader_terms) + 1
        assert not world.alarms
    return rejections


@pytest.mark.parametrize(
    ("follower", "rejections"), [("a", 1), ("b", 1), ("c", 0), ("d", 0), ("e", 1), ("f", 1)]
)
def test_each_log_of_figure_7_is_repaired_by_the_leader_for_term_8(follower, rejections):
    assert repaired(LEADER_OF_TERM_8, FIGURE_7[follower]) == rejections


@pytest.mark.parametrize(
    ("name", "leader_terms", "follower_terms", "rejections"),
    [
        ("the follower is empty", (1,) * 50, (), 1),
        ("the follower is short, in one term", (1,) * 60, (1,) * 10, 1),
        ("50 entries of one other term", (1, *(3,) * 50), (1, *(2,) * 50), 1),
        ("50 entries of an older term", (1, *(2,) * 50), (1, *(3,) * 50), 1),
        ("50 terms against one", (1, *(99,) * 50), (1, *range(2, 52)), 1),
        ("one term against 50", (1, *range(3, 53)), (1, *(2,) * 50), 1),
        ("50 entries too many", (1, 2), (1, *(1,) * 50), 1),
        ("two runs of terms each", (1, *(4,) * 25, *(8,) * 25), (1, *(3,) * 25, *(6,) * 25), 2),
    ],
)
def test_a_divergence_of_50_entries_is_repaired_in_a_handful_of_round_trips(
    name, leader_terms, follower_terms, rejections
):
    assert repaired(leader_terms, follower_terms) == rejections <= 3


def test_the_worst_case_is_one_round_trip_for_each_pair_of_terms_that_interlace():
    """Every entry by a leader of its own, on both sides in turn: no hint can do better."""
    odd = (1, *range(3, 23, 2))
    even = (1, *range(2, 22, 2))
    assert repaired(odd, even) == 10


@st.composite
def two_histories(draw):
    """Two logs that can be: alike up to some place, and from there of different leaders."""
    common = [1] * draw(st.integers(0, 5))
    owner = {term: draw(st.booleans()) for term in range(2, 12)}
    tails = [
        sorted(draw(st.lists(st.sampled_from([0, *terms]), max_size=20)))
        for terms in ([t for t in owner if owner[t]], [t for t in owner if not owner[t]])
    ]
    return [(*common, *(term for term in tail if term)) for tail in tails]


@settings(max_examples=80)
@given(two_histories())
def test_any_two_logs_agree_in_the_end_after_no_more_rejections_than_there_are_terms(logs):
    mine, its = logs
    assert repaired(mine, its) <= max(len({*mine, *its}), 1)


def test_a_leader_sends_one_entry_until_it_knows_where_the_logs_agree():
    with World(3, logs=((1,) * 30, (), (1,) * 30)) as world:
        world.elect("S1", "S1", "S3")
        world.tick("S1")
        world.lose(AppendEntries, "S1", "S3")
        world.deliver(AppendEntries, "S1", "S2")
        world.deliver(AppendEntriesReply, "S2", "S1")
        probe = world.deliver(AppendEntries, "S1", "S2")
        assert (probe.prev_log_index, len(probe.entries)) == (0, 1)
        world.deliver(AppendEntriesReply, "S2", "S1")
        rest = world.deliver(AppendEntries, "S1", "S2")
        assert (rest.prev_log_index, len(rest.entries)) == (1, 30)
        world.settle()


def test_a_probe_that_is_refused_twice_moves_the_leader_once():
    with World(3, logs=((1,) * 9, (), (1,) * 9)) as world:
        world.elect("S1", "S1", "S3")
        world.tick("S1")
        world.lose(AppendEntries, "S1", "S3")
        probe = world.deliver(AppendEntries, "S1", "S2")
        world.hand(probe)
        world.deliver(AppendEntriesReply, "S2", "S1")
        next_index = world["S1"].role_data.tracker.progress["S2"].next_index
        world.deliver(AppendEntriesReply, "S2", "S1")
        assert world["S1"].role_data.tracker.progress["S2"].next_index == next_index == 1
        world.deliver(AppendEntries, "S1", "S2")
        world.settle()


def test_the_leader_s_own_log_is_never_touched_by_a_repair():
    with World(3, logs=(LEADER_OF_TERM_8, FIGURE_7["f"], LEADER_OF_TERM_8), term=7) as world:
        world.elect("S1", "S1", "S3")
        held = list(world["S1"].log)
        world.heartbeat("S1")
        assert list(world["S1"].log) == held
        assert world["S2"].log == RaftLog(held)
