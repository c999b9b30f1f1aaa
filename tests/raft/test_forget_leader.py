"""A host that knows that its leader is gone: nobody has to wait until the machine knows it."""

import pytest

from raftlab.raft.messages import AppendEntriesReply, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NotLeader
from tests.raft.world import (
    COMPLETE,
    World,
    append,
    candidate,
    drain,
    machine,
    tell,
    vote,
    vote_request,
)

STICKY = Options.figure_2(leader_stickiness=True)


def follower(**about):
    """S1, which has just heard S2, the leader of term 3."""
    node = machine(**{"options": STICKY, **about})
    tell(node, append("S2", 3))
    return node


@pytest.mark.parametrize("is_prevote", [False, True], ids=["vote", "pre-vote"])
def test_a_follower_that_forgets_its_leader_listens_to_candidates_at_once(is_prevote):
    asked = vote_request("S3", 4, is_prevote=is_prevote)
    sticks = follower()
    assert vote("S1", 4, to="S3", is_prevote=is_prevote) not in tell(sticks, asked)
    node = follower()
    node.forget_leader()
    assert tell(node, asked) == [vote("S1", 4, to="S3", is_prevote=is_prevote)]


def test_a_follower_that_forgets_its_leader_follows_nobody_and_stays_what_it_was():
    node = follower()
    deadline = node.election_deadline
    node.forget_leader()
    said = drain(node)
    assert (node.leader, node.role, node.term, node.voted_for) == (None, Role.FOLLOWER, 3, None)
    assert node.election_deadline == deadline, "its own timer runs on"
    assert (said.messages, said.roles) == ([], [])
    assert [str(note) for note in said.notes] == ["forgets its leader S2"]


def test_who_forgot_its_leader_names_none():
    node = follower()
    node.forget_leader()
    with pytest.raises(NotLeader) as refused:
        node.read()
    assert refused.value.leader is None


def test_who_forgot_its_leader_votes_once_in_that_term_all_the_same():
    node = follower()
    node.forget_leader()
    assert tell(node, vote_request("S3", 3)) == [vote("S1", 3, to="S3")]
    assert tell(node, vote_request("S4", 3)) == [vote("S1", 3, False, to="S4")]
    voted = machine(term=3, vote="S2", options=STICKY)
    tell(voted, append("S2", 3))
    voted.forget_leader()
    assert tell(voted, vote_request("S3", 3)) == [vote("S1", 3, False, to="S3")]


def test_a_leader_that_was_forgotten_too_early_is_followed_again():
    node = follower()
    node.forget_leader()
    (reply,) = tell(node, append("S2", 3))
    assert isinstance(reply, AppendEntriesReply)
    assert node.leader == "S2"
    assert tell(node, vote_request("S3", 4)) == [], "and stuck to"


def test_forgetting_nobody_changes_nothing():
    node = machine(options=STICKY)
    before = node.fingerprint()
    node.forget_leader()
    node.forget_leader()
    assert drain(node).notes == []
    assert node.fingerprint() == before


def test_a_candidate_that_forgets_goes_on_campaigning():
    node = candidate(options=STICKY)
    node.forget_leader()
    assert drain(node).outputs == []
    tell(node, vote("S2", node.term))
    assert node.role is Role.LEADER


def test_where_all_forget_a_dead_leader_the_next_is_elected_without_waiting():
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world.crash("S1")
        world.timeout("S2")
        world.deliver(RequestVote, "S2", "S3")
        world.lose_all()
        assert world["S2"].role is Role.CANDIDATE, "S3 still counts on S1"
        for node in ("S2", "S3"):
            world[node].forget_leader()
            world.pump(node)
        world.timeout("S2")
        world.settle("S2", "S3")
        assert (world["S2"].role, world.now) == (Role.LEADER, 0.0)
