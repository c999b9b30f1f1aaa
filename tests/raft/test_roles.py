"""Roles change as Figure 4 says, and in no other way."""

from copy import copy
from itertools import product
from typing import Any

import pytest

from raftlab.raft.progress import Tracker
from raftlab.raft.roles import ROLE_AFTER, Candidate, Cause, Follower, Leader, Role
from raftlab.raft.thesis.reads import Reads
from raftlab.raft.thesis.transfer import Transfer
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import Votes
from tests.raft.world import candidate, leader, machine, names

FOLLOWER, CANDIDATE, LEADER = Role.FOLLOWER, Role.CANDIDATE, Role.LEADER
MAKE = {FOLLOWER: machine, CANDIDATE: candidate, LEADER: leader}
IMPOSSIBLE = [move for move in product(Role, Cause) if move not in ROLE_AFTER]


def test_the_table_holds_the_arrows_of_figure_4_and_those_of_the_thesis():
    assert dict(ROLE_AFTER) == {
        (FOLLOWER, Cause.ELECTION_TIMEOUT): CANDIDATE,
        (CANDIDATE, Cause.ELECTION_TIMEOUT): CANDIDATE,
        (CANDIDATE, Cause.MAJORITY_GRANTED): LEADER,
        (CANDIDATE, Cause.LEADER_SEEN): FOLLOWER,
        (CANDIDATE, Cause.HIGHER_TERM): FOLLOWER,
        (LEADER, Cause.HIGHER_TERM): FOLLOWER,
        # Figure 4 does not draw a follower that stays one
        (FOLLOWER, Cause.LEADER_SEEN): FOLLOWER,
        (FOLLOWER, Cause.HIGHER_TERM): FOLLOWER,
        # thesis 9.6, 6.2
        (CANDIDATE, Cause.PREVOTE_GRANTED): CANDIDATE,
        (CANDIDATE, Cause.ELECTION_LOST): FOLLOWER,
        (LEADER, Cause.QUORUM_LOST): FOLLOWER,
        # a host that knows better; thesis 4.2.2
        (FOLLOWER, Cause.LEADER_FORGOTTEN): FOLLOWER,
        (LEADER, Cause.REMOVED): FOLLOWER,
    }


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        ROLE_AFTER[LEADER, Cause.LEADER_SEEN] = FOLLOWER  # type: ignore[index]


def test_nobody_becomes_leader_except_a_candidate_with_a_majority():
    assert [move for move, after in ROLE_AFTER.items() if after is LEADER] == [
        (CANDIDATE, Cause.MAJORITY_GRANTED)
    ]


@pytest.mark.parametrize(("role", "cause"), IMPOSSIBLE, ids=lambda each: each.name)
def test_a_move_that_is_not_in_the_table_cannot_happen(role, cause):
    node = MAKE[role]()
    before = node.fingerprint()
    with pytest.raises(KeyError):
        node._change_role(cause, Follower("S2"))
    assert node.fingerprint() == before
    assert node.poll().role_changes == ()


@pytest.mark.parametrize(("role", "cause"), list(ROLE_AFTER), ids=lambda each: each.name)
def test_a_move_in_the_table_is_made_and_reported(role, cause):
    node = MAKE[role]()
    data = {
        FOLLOWER: Follower("S2"),
        CANDIDATE: Candidate(Votes(node.configuration)),
        LEADER: Leader(Tracker(node.configuration, 1, 0.0), 50.0),
    }[ROLE_AFTER[role, cause]]
    node._change_role(cause, data)
    assert (node.role, node.role_data) == (ROLE_AFTER[role, cause], data)
    change = node.poll().role_change
    if (role, node.role) == (FOLLOWER, FOLLOWER):
        assert change is None, "staying a follower is no change"
    else:
        assert (change.before, change.cause, change.after) == (role, cause, node.role)
        assert change.term == node.term


def test_records_of_a_role_are_copied_with_all_they_hold():
    follower, votes = Follower("S2"), Votes(Configuration(names(3)))
    assert follower.copy().leader == "S2"
    standing = Candidate(votes, is_prevote=True)
    votes.register_vote("S1", True)
    twin = standing.copy()
    votes.register_vote("S2", True)
    assert (twin.is_prevote, twin.votes.answers) == (True, {"S1": True})
    leading = Leader(Tracker(Configuration(names(3)), 4, 0.0), 50.0)
    other = leading.copy()
    other.tracker.progress["S1"].accepted(9)
    other.heartbeat_deadline = 1.0
    assert leading.tracker.match_indexes()["S1"] == 0
    assert leading.heartbeat_deadline == 50.0


def test_what_a_leader_hands_over_counts_and_is_asked_is_copied_with_it():
    leading = leader()
    leading._transfer = Transfer("S2", 300.0, resend_at=300.0)
    leading._transfer.sent, leading._transfer.resend_at = "S2", 60.0
    leading._has_handed_over, leading._quorum_deadline = True, 150.0
    leading._uncommitted_bytes, leading._counted_index = 12, 3
    leading._reads.round, leading._reads.asked_at = 2, {2: 10.0}
    twin = leading.copy()
    handing = twin._transfer
    assert (handing.to, handing.deadline, handing.sent, handing.resend_at) == (
        "S2", 300.0, "S2", 60.0
    )  # fmt: skip
    assert (twin._has_handed_over, twin._quorum_deadline) == (True, 150.0)
    assert (twin._uncommitted_bytes, twin._counted_index) == (12, 3)
    handing.sent, twin._reads.round, twin._uncommitted_bytes = None, 3, 0
    twin._reads.asked_at = {3: 20.0}
    assert (leading._transfer.sent, leading._uncommitted_bytes) == ("S2", 12)
    assert (leading._reads.round, leading._reads.asked_at) == (2, {2: 10.0})


@pytest.mark.parametrize("kind", [Reads, Transfer, Leader, Candidate, Follower])
def test_a_copy_leaves_nothing_out(kind):
    votes, tracker = Votes(Configuration(names(3))), Tracker(Configuration(names(3)), 4, 0.0)
    made: Any = {
        Reads: lambda: Reads(),
        Transfer: lambda: Transfer("S2", 300.0, resend_at=300.0),
        Leader: lambda: Leader(tracker, 50.0),
        Candidate: lambda: Candidate(votes, True),
        Follower: lambda: Follower("S2"),
    }[kind]()
    plain = [
        name
        for name in getattr(kind, "__struct_fields__", kind.__slots__)
        if isinstance(getattr(made, name), int | float | str | None)
    ]
    for number, name in enumerate(plain, 1000):
        setattr(made, name, number)
    twin = made.copy() if hasattr(made, "copy") else copy(made)
    assert [getattr(twin, name) for name in plain] == [getattr(made, name) for name in plain]
