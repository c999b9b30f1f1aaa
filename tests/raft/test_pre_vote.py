"""Pre-vote, on and off. Thesis 9.6."""

import pytest

from raftlab.raft.messages import RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Cause, Role
from tests.raft.world import (
    World,
    append,
    drain,
    leader,
    let_time_out,
    machine,
    names,
    tell,
    vote,
    vote_request,
)

PRE_VOTE = Options.figure_2(pre_vote=True)


def asking(**about):
    """S1 asking who would vote for it."""
    node = machine(options=PRE_VOTE, **about)
    let_time_out(node)
    return node


def test_without_it_a_campaign_raises_the_term_at_once():
    node = machine()
    asked = let_time_out(node)
    assert (node.term, {each.is_prevote for each in asked}) == (1, {False})


def test_asking_for_a_chance_raises_no_term_and_costs_no_vote():
    node = machine(options=PRE_VOTE, terms=(1, 1), term=4, vote="S3")
    node.tick(node.next_deadline)
    output = node.poll()
    assert output.messages == tuple(
        vote_request("S1", 5, (2, 1), to=peer, is_prevote=True) for peer in ("S2", "S3")
    )
    assert not output.must_be_written
    assert (node.role, node.term, node.voted_for) == (Role.CANDIDATE, 4, "S3")


def test_a_chance_with_a_majority_is_followed_by_a_campaign():
    node = asking(nodes=5)
    assert tell(node, vote("S2", 1, is_prevote=True)) == []
    asked = tell(node, vote("S3", 1, is_prevote=True))
    assert [(each.term, each.is_prevote, each.force) for each in asked] == [(1, False, False)] * 4
    assert (node.role, node.term, node.voted_for) == (Role.CANDIDATE, 1, "S1")


def test_the_step_from_chance_to_campaign_is_reported():
    node = asking()
    node.advance(vote("S2", 1, is_prevote=True), node.now)
    assert node.poll().role_change.cause is Cause.PREVOTE_GRANTED


def test_pre_votes_do_not_elect():
    node = asking(nodes=3)
    tell(node, vote("S2", 1, is_prevote=True))
    assert node.role is Role.CANDIDATE
    tell(node, vote("S3", 1, is_prevote=True))
    assert node.role is Role.CANDIDATE, "a late pre-vote is no vote"
    tell(node, vote("S3", 1))
    assert node.role is Role.LEADER


def test_votes_are_not_pre_votes():
    node = asking(term=3)
    before = node.fingerprint()
    tell(node, vote("S2", 3))
    assert node.fingerprint() == before


@pytest.mark.parametrize("term", [2, 3, 5, 9])
def test_a_granted_pre_vote_for_another_term_does_not_count(term):
    node = asking(term=3)
    tell(node, vote("S2", term, is_prevote=True))
    assert (node.role, node.term) == (Role.CANDIDATE, 3)
    assert "S2" not in node.role_data.votes.answers


def test_no_chance_with_a_majority_ends_the_asking():
    node = asking(term=3)
    tell(node, vote("S2", 3, False, is_prevote=True))
    assert node.role is Role.CANDIDATE
    tell(node, vote("S3", 3, False, is_prevote=True))
    assert (node.role, node.term) == (Role.FOLLOWER, 3)


def test_a_refused_pre_vote_of_a_higher_term_is_adopted():
    node = asking(term=3)
    tell(node, vote("S2", 7, False, is_prevote=True))
    assert (node.role, node.term, node.voted_for) == (Role.FOLLOWER, 7, None)


def test_asking_again_counts_anew():
    node = asking(nodes=5)
    tell(node, vote("S2", 1, is_prevote=True))
    let_time_out(node)
    assert node.role_data.votes.answers == {"S1": True}
    assert node.term == 0


@pytest.mark.parametrize("term", [4, 5, 99])
def test_a_pre_vote_is_granted_with_the_term_asked_for_and_leaves_the_voter_as_it_is(term):
    node = machine(options=PRE_VOTE, term=3, vote="S3")
    before, deadline = node.fingerprint(), node.election_deadline
    asked = vote_request("S2", term, (0, 0), is_prevote=True)
    assert tell(node, asked, after=20.0) == [vote("S1", term, to="S2", is_prevote=True)]
    assert (node.fingerprint(), node.election_deadline) == (before, deadline)


def test_a_pre_vote_may_be_granted_to_several():
    node = machine(options=PRE_VOTE)
    for peer in ("S2", "S3"):
        asked = vote_request(peer, 1, is_prevote=True)
        assert tell(node, asked) == [vote("S1", 1, to=peer, is_prevote=True)]


def test_a_pre_vote_is_refused_to_a_shorter_log_with_the_own_term():
    node = machine(options=PRE_VOTE, terms=(1, 2), term=3)
    asked = vote_request("S2", 4, (9, 1), is_prevote=True)
    assert tell(node, asked) == [vote("S1", 3, False, to="S2", is_prevote=True)]
    assert node.term == 3


def test_a_pre_vote_of_the_past_is_refused_and_answered():
    node = machine(options=PRE_VOTE, term=9)
    asked = vote_request("S2", 4, is_prevote=True)
    assert tell(node, asked) == [vote("S1", 9, False, to="S2", is_prevote=True)]


def test_a_pre_vote_for_the_own_term_is_refused_once_the_vote_is_gone():
    node = machine(options=PRE_VOTE, term=4, vote="S3")
    asked = vote_request("S2", 4, (0, 0), is_prevote=True)
    assert tell(node, asked) == [vote("S1", 4, False, to="S2", is_prevote=True)]


def test_one_that_asks_grants_others_their_chance():
    node = asking(term=3)
    asked = vote_request("S2", 4, is_prevote=True)
    assert tell(node, asked) == [vote("S1", 4, to="S2", is_prevote=True)]
    assert node.role is Role.CANDIDATE


def test_a_single_voter_needs_to_ask_nobody():
    node = machine(nodes=1, options=PRE_VOTE)
    node.tick(node.next_deadline)
    assert [each.cause for each in drain(node).roles] == [
        Cause.ELECTION_TIMEOUT,
        Cause.PREVOTE_GRANTED,
        Cause.MAJORITY_GRANTED,
    ]
    assert (node.role, node.term) == (Role.LEADER, 1)


def test_a_leader_in_office_ends_the_asking():
    node = asking(term=3)
    tell(node, append("S2", 3))
    assert (node.role, node.leader, node.term) == (Role.FOLLOWER, "S2", 3)
    tell(node, vote("S3", 4, is_prevote=True))
    assert (node.role, node.term) == (Role.FOLLOWER, 3), "a late grant starts no campaign"


def test_a_node_cut_off_for_long_comes_back_in_the_old_term():
    options = Options.figure_2(pre_vote=True, leader_stickiness=True)
    with World(3, options=options) as world:
        world.elect("S1")
        for _ in range(9):
            world.tick("S3")
            world.settle("S3")
        assert world["S3"].term == 1
        world.tick("S1")
        world.settle()
        assert world["S1"].role is Role.LEADER
        assert {each.term for each in world.machines.values()} == {1}


def test_without_it_a_node_cut_off_for_long_deposes_the_leader_when_it_is_back():
    with World(3) as world:
        world.elect("S1")
        for _ in range(9):
            world.tick("S3")
            world.settle("S3")
        assert world["S3"].term == 10
        world.tick("S1")
        world.settle()
        assert world["S1"].role is Role.FOLLOWER
        assert world["S1"].term == 10


def test_a_term_raised_while_apart_does_not_block_the_others():
    """A higher term with a shorter log, a lower term with a longer one: the latter must win."""
    logs = ((1, 1), (1,), (1, 1))
    with World(3, logs=logs, term=1, options=PRE_VOTE) as world:
        world["S2"]._set_term(7)
        world.pump("S2")
        world.crash("S3")
        for _ in range(3):
            world.tick("S1")
            world.settle()
        assert world["S1"].role is Role.LEADER
        assert world["S1"].term == 8


def test_two_rounds_of_letters_make_a_leader():
    with World(3, options=PRE_VOTE) as world:
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2", is_prevote=True)
        world.deliver(RequestVoteReply, "S2", "S1", is_prevote=True, term=1)
        world.deliver(RequestVote, "S1", "S2", is_prevote=False)
        world.deliver(RequestVoteReply, "S2", "S1", is_prevote=False)
        assert world["S1"].role is Role.LEADER
        world.settle()
        assert {world[each].leader for each in names(3)} == {"S1"}


sticky_or_not = pytest.mark.parametrize("sticky", [True, False], ids=["sticky", "not sticky"])


@sticky_or_not
def test_a_leader_refuses_a_pre_vote_and_leads_on(sticky):
    node = leader(options=Options.figure_2(pre_vote=True, leader_stickiness=sticky), term=3)
    asked = vote_request("S2", 5, (9, 4), is_prevote=True)
    assert tell(node, asked) == [vote("S1", 4, False, to="S2", is_prevote=True)]
    assert (node.role, node.term) == (Role.LEADER, 4)


@sticky_or_not
def test_nobody_gets_a_chance_while_the_others_hear_their_leader(sticky):
    options = Options.figure_2(pre_vote=True, leader_stickiness=sticky)
    with World(3, options=options) as world:
        world.elect("S1")
        world.heartbeat("S1")
        world.timeout("S3")
        world.settle()
        assert {each.term for each in world.machines.values()} == {1}
        assert [world[each].role for each in names(3)] == [
            Role.LEADER,
            Role.FOLLOWER,
            Role.FOLLOWER,
        ]
