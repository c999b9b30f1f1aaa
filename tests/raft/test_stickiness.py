"""Leader stickiness, on and off. Thesis 4.2.3; `force`: 3.10."""

import pytest

from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from tests.raft.world import (
    FIGURE_2,
    World,
    append,
    candidate,
    drain,
    leader,
    machine,
    tell,
    vote,
    vote_request,
)

STICKY = Options.figure_2(leader_stickiness=True)
LOW = STICKY.election_timeout[0]

asked_for = pytest.mark.parametrize("is_prevote", [False, True], ids=["vote", "pre-vote"])


def follower(options=STICKY):
    """S1, which has just heard S2, the leader of term 3."""
    node = machine(options=options)
    tell(node, append("S2", 3))
    return node


def sitting_leader(options=STICKY):
    """S1, the leader of term 3."""
    return leader(options=options, term=2)


hears_a_leader = pytest.mark.parametrize("make", [follower, sitting_leader])


@hears_a_leader
def test_while_a_leader_lives_a_vote_of_a_later_term_gets_no_answer_and_changes_nothing(make):
    node = make()
    before, deadline = node.fingerprint(), node.next_deadline
    node.advance(vote_request("S3", 9, (99, 8)), node.now + LOW - 1)
    said = drain(node)
    assert (said.messages, said.roles) == ([], [])
    (note,) = said.notes
    assert (note.rule, str(note)) == (
        "leader_is_alive",
        "refuses S3 its vote: a leader is alive",
    )
    assert (node.term, node.voted_for) == before[1:3]
    assert (node.fingerprint(), node.next_deadline) == (before, deadline)


@hears_a_leader
@pytest.mark.parametrize("options", [STICKY, FIGURE_2], ids=["sticky", "not sticky"])
def test_while_a_leader_lives_a_pre_vote_is_refused_with_the_own_term(make, options):
    node = make(options)
    before, deadline = node.fingerprint(), node.next_deadline
    node.advance(vote_request("S3", 9, (99, 8), is_prevote=True), node.now + LOW - 1)
    said = drain(node)
    assert said.messages == [vote("S1", 3, False, to="S3", is_prevote=True)]
    assert [str(note) for note in said.notes] == ["refuses S3 its pre-vote: a leader is alive"]
    assert (node.fingerprint(), node.next_deadline) == (before, deadline)


@asked_for
@hears_a_leader
@pytest.mark.parametrize("term", [2, 3], ids=["an earlier term", "the own term"])
def test_while_a_leader_lives_a_candidate_that_is_not_ahead_is_still_answered(
    make, term, is_prevote
):
    asked = vote_request("S3", term, (99, 2), is_prevote=is_prevote)
    assert tell(make(), asked) == [vote("S1", 3, False, to="S3", is_prevote=is_prevote)]


@asked_for
def test_after_the_shortest_timeout_the_leader_is_not_counted_on_any_more(is_prevote):
    node = follower()
    asked = vote_request("S3", 9, (99, 8), is_prevote=is_prevote)
    assert tell(node, asked, after=LOW) == [vote("S1", 9, to="S3", is_prevote=is_prevote)]


def test_without_it_a_vote_of_a_later_term_is_listened_to():
    node = follower(FIGURE_2)
    assert tell(node, vote_request("S3", 9, (99, 8))) == [vote("S1", 9, to="S3")]


def test_without_it_a_pre_vote_is_granted_after_the_shortest_timeout():
    node = follower(FIGURE_2)
    asked = vote_request("S3", 9, (99, 8), is_prevote=True)
    assert tell(node, asked, after=LOW) == [vote("S1", 9, to="S3", is_prevote=True)]


def test_without_it_a_leader_steps_down_for_a_later_term():
    node = leader(term=2)
    tell(node, vote_request("S3", 9, (99, 8)))
    assert (node.role, node.term, node.voted_for) == (Role.FOLLOWER, 9, "S3")


@hears_a_leader
def test_a_candidate_that_the_leader_itself_sent_is_listened_to(make):
    node = make()
    asked = vote_request("S3", 4, (99, 3), force=True)
    assert tell(node, asked) == [vote("S1", 4, to="S3")]
    assert (node.role, node.term, node.voted_for) == (Role.FOLLOWER, 4, "S3")


def test_force_does_not_help_an_older_log():
    node = machine(options=STICKY, terms=(3,))
    assert tell(node, vote_request("S3", 4, (9, 2), force=True)) == [vote("S1", 4, False, to="S3")]


def test_once_in_the_later_term_there_is_no_leader_to_stick_to():
    node = machine(options=STICKY, terms=(3,))
    tell(node, append("S2", 3, (1, 3)))
    tell(node, vote_request("S3", 4, (9, 2), force=True))
    assert (node.term, node.voted_for) == (4, None)
    assert tell(node, vote_request("S2", 4, (1, 3))) == [vote("S1", 4, to="S2")]


def test_who_never_heard_a_leader_listens_to_everyone():
    node = machine(options=STICKY)
    assert tell(node, vote_request("S3", 9)) == [vote("S1", 9, to="S3")]


def test_a_vote_granted_to_a_candidate_is_not_a_leader_heard():
    node = machine(options=STICKY)
    tell(node, vote_request("S2", 4))
    assert tell(node, vote_request("S3", 5)) == [vote("S1", 5, to="S3")]


def test_a_stale_leader_is_not_a_leader_heard():
    node = machine(options=STICKY, term=5)
    tell(node, append("S2", 4))
    assert tell(node, vote_request("S3", 6)) == [vote("S1", 6, to="S3")]


def test_a_rejected_append_is_a_leader_heard():
    node = machine(options=STICKY)
    tell(node, append("S2", 3, (7, 3), (3,)))
    assert tell(node, vote_request("S3", 9, (99, 8))) == []
    assert (node.term, node.voted_for) == (3, None)


def test_a_candidate_listens_to_a_later_term():
    node = candidate(options=STICKY)
    assert tell(node, vote_request("S3", 9)) == [vote("S1", 9, to="S3")]


def test_an_append_of_a_later_term_is_always_followed():
    node = leader(options=STICKY, term=2)
    tell(node, append("S3", 9))
    assert (node.role, node.leader, node.term) == (Role.FOLLOWER, "S3", 9)


def test_a_node_whose_term_ran_ahead_comes_back_through_its_answer_to_the_leader():
    """Everyone sticks to the leader, whose appends are stale to the node: one must give way."""
    with World(3, options=STICKY) as world:
        world.elect("S1")
        for _ in range(4):
            world.tick("S3")
            world.settle("S3")
        assert world["S3"].term == 5
        world.tick("S1")
        world.settle()
        assert (world["S1"].role, world["S1"].term) == (Role.FOLLOWER, 5)
        world.tick("S1")
        world.settle()
        assert world["S1"].role is Role.LEADER
        assert world["S3"].leader == "S1"


def test_a_node_that_was_removed_does_not_disturb_those_that_stay():
    with World(4, options=STICKY) as world:
        world.elect("S1")
        world.heartbeat("S1")
        for _ in range(5):
            world.timeout("S4")
            world.settle("S4", "S2", "S3")
        assert world["S4"].term == 6
        assert {world[each].term for each in ("S1", "S2", "S3")} == {1}
        assert world["S1"].role is Role.LEADER
