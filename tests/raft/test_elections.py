"""How a node asks for votes, gives its own, and counts."""

import pytest

from raftlab.raft.messages import AppendEntries, RequestVote, RequestVoteReply, TimeoutNow
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import (
    COMPLETE,
    World,
    accepted,
    append,
    candidate,
    drain,
    leader,
    let_time_out,
    machine,
    rejected,
    tell,
    vote,
    vote_request,
)

# Asking


def test_a_campaign_asks_every_other_voter_once_for_the_next_term():
    node = machine(nodes=5, terms=(1, 1, 4), term=6)
    assert let_time_out(node) == [
        RequestVote(term=7, sender="S1", receiver=peer, last_log_index=3, last_log_term=4)
        for peer in ("S2", "S3", "S4", "S5")
    ]
    assert (node.role, node.term, node.voted_for) == (Role.CANDIDATE, 7, "S1")


def test_a_candidate_forgets_its_leader():
    node = machine()
    tell(node, append("S2", 1))
    assert node.leader == "S2"
    let_time_out(node)
    assert node.leader is None


def test_a_campaign_draws_a_new_timeout():
    node = machine()
    drawn = set()
    for _ in range(8):
        let_time_out(node)
        assert node.election_deadline == node.now + node._randomized_election_timeout
        drawn.add(node._randomized_election_timeout)
    assert len(drawn) == 8


def test_a_learner_whose_timer_runs_out_waits_again():
    node = machine("S4", configuration=Configuration(("S1", "S2"), learners=("S4",)))
    first = node.election_deadline
    assert let_time_out(node) == []
    assert (node.role, node.term) == (Role.FOLLOWER, 0)
    assert node.election_deadline > first


def test_a_stranger_to_the_cluster_does_not_campaign():
    node = machine("S9")
    assert let_time_out(node) == []
    assert node.role is Role.FOLLOWER


def test_learners_are_not_asked():
    node = machine(configuration=Configuration(("S1", "S2"), learners=("S4",)))
    assert [each.receiver for each in let_time_out(node)] == ["S2"]


def test_while_joint_the_voters_of_both_sets_are_asked_once():
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S2", "S4"))
    asked = [each.receiver for each in let_time_out(machine(configuration=joint))]
    assert asked == ["S2", "S3", "S4"]


def test_a_leader_cannot_be_told_to_time_out_but_a_candidate_can():
    node = candidate()
    node.campaign(node.now)
    assert node.term == 2


# Counting


def test_a_majority_of_grants_makes_a_leader():
    node = candidate(nodes=5)
    tell(node, vote("S2", 1))
    assert node.role is Role.CANDIDATE
    tell(node, vote("S4", 1))
    assert node.role is Role.LEADER


def test_a_grant_that_comes_twice_counts_once():
    node = candidate(nodes=5)
    tell(node, vote("S2", 1))
    tell(node, vote("S2", 1))
    assert node.role is Role.CANDIDATE


def test_a_grant_of_a_stranger_does_not_count():
    node = candidate()
    tell(node, vote("S9", 1))
    assert node.role is Role.CANDIDATE


def test_a_grant_of_an_earlier_campaign_does_not_count():
    node = candidate()
    let_time_out(node)
    assert node.term == 2
    tell(node, vote("S2", 1))
    assert node.role is Role.CANDIDATE
    assert "S2" not in node.role_data.votes.answers


def test_a_refused_vote_is_no_grant():
    node = candidate(nodes=5)
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 1, granted=False))
    assert node.role is Role.CANDIDATE


def test_a_campaign_that_a_majority_refused_is_over():
    node = candidate(nodes=5)
    deadline = node.election_deadline
    for peer in ("S2", "S3", "S4"):
        node.advance(vote(peer, 1, granted=False), node.now)
    assert (node.role, node.term, node.voted_for) == (Role.FOLLOWER, 1, "S1")
    assert node.poll().role_change.cause is Cause.ELECTION_LOST
    assert node.election_deadline == deadline, "losing is no reason to wait longer"


def test_a_refusal_with_a_higher_term_ends_the_campaign_and_is_adopted():
    node = candidate()
    tell(node, vote("S2", 7, granted=False))
    assert (node.role, node.term, node.voted_for) == (Role.FOLLOWER, 7, None)


@pytest.mark.parametrize("make", [machine, leader], ids=["follower", "leader"])
def test_answers_to_nobody_who_asks_change_nothing(make):
    node = make(term=3)
    before = node.fingerprint()
    assert tell(node, vote("S2", node.term)) == []
    assert tell(node, vote("S2", node.term, granted=False)) == []
    assert node.fingerprint() == before


def test_while_joint_a_leader_needs_both_majorities():
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S4", "S5", "S6"))
    node = candidate(configuration=joint)
    for peer in ("S2", "S3", "S4"):
        tell(node, vote(peer, 1))
    assert node.role is Role.CANDIDATE
    tell(node, vote("S6", 1))
    assert node.role is Role.LEADER


def test_while_joint_the_own_vote_counts_in_every_set_it_belongs_to():
    joint = Configuration(("S1", "S2"), old_voters=("S1",))
    node = candidate(configuration=joint)
    tell(node, vote("S2", 1))
    assert node.role is Role.LEADER


def test_while_joint_a_voter_of_the_old_set_alone_may_lead():
    joint = Configuration(("S2", "S3"), old_voters=("S1", "S2", "S3"))
    node = candidate(configuration=joint)
    tell(node, vote("S2", 1))
    assert node.role is Role.CANDIDATE, "the new set has given one vote of two"
    tell(node, vote("S3", 1))
    assert node.role is Role.LEADER


def test_a_candidate_that_hears_the_leader_of_its_term_follows_it():
    node = candidate()
    assert tell(node, append("S3", 1)) == [accepted("S1", 1, 0, to="S3")]
    assert (node.role, node.leader, node.voted_for) == (Role.FOLLOWER, "S3", "S1")


def test_a_rival_in_the_same_term_is_refused_and_the_campaign_goes_on():
    node = candidate()
    assert tell(node, vote_request("S2", 1, (9, 1))) == [vote("S1", 1, False, to="S2")]
    assert node.role is Role.CANDIDATE


# Giving a vote


def test_a_vote_is_granted_durably_and_answered_with_its_term():
    node = machine()
    node.advance(vote_request("S2", 4), 1.0)
    output = node.poll()
    assert (output.term, output.voted_for) == (4, "S2")
    assert output.messages == (vote("S1", 4, to="S2"),)


def test_the_second_to_ask_in_a_term_is_refused():
    node = machine()
    tell(node, vote_request("S2", 4))
    assert tell(node, vote_request("S3", 4, (9, 3))) == [vote("S1", 4, False, to="S3")]
    assert node.voted_for == "S2"


def test_whoever_asks_again_is_granted_again_and_nothing_is_written():
    node = machine()
    tell(node, vote_request("S2", 4))
    node.advance(vote_request("S2", 4), 2.0)
    output = node.poll()
    assert output.messages == (vote("S1", 4, to="S2"),)
    assert not output.must_be_written


def test_the_next_term_has_a_vote_of_its_own():
    node = machine()
    tell(node, vote_request("S2", 4))
    assert tell(node, vote_request("S3", 5)) == [vote("S1", 5, to="S3")]
    assert node.voted_for == "S3"


@pytest.mark.parametrize("last", [(2, 4), (99, 3), (0, 0)])
def test_a_vote_is_refused_to_a_candidate_with_an_older_log(last):
    node = machine(terms=(1, 1, 4))
    assert tell(node, vote_request("S2", 9, last)) == [vote("S1", 9, False, to="S2")]
    assert (node.term, node.voted_for) == (9, None), "the term is adopted all the same"


@pytest.mark.parametrize("last", [(3, 4), (4, 4), (1, 5)])
def test_a_vote_is_granted_to_a_candidate_with_a_log_as_new(last):
    node = machine(terms=(1, 1, 4))
    assert tell(node, vote_request("S2", 9, last)) == [vote("S1", 9, to="S2")]


def test_a_vote_for_an_earlier_term_is_refused_with_the_own_term():
    node = machine(term=6)
    assert tell(node, vote_request("S2", 5, (9, 5))) == [vote("S1", 6, False, to="S2")]
    assert (node.term, node.voted_for) == (6, None)


def test_nobody_votes_against_the_leader_of_its_term():
    node = machine(term=3)
    tell(node, append("S2", 3))
    assert tell(node, vote_request("S3", 3, (9, 3))) == [vote("S1", 3, False, to="S3")]


def test_a_grant_lets_the_voter_wait_anew_and_a_refusal_does_not():
    node = machine(terms=(4,))
    deadline = node.election_deadline
    tell(node, vote_request("S2", 5, (0, 0)), after=20.0)
    assert node.election_deadline == deadline
    tell(node, vote_request("S3", 5, (1, 4)), after=20.0)
    assert node.election_deadline == 40.0 + node._randomized_election_timeout


def test_learners_and_strangers_vote_when_asked_because_they_may_have_been_promoted():
    for node in (
        machine("S4", configuration=Configuration(("S1", "S2"), learners=("S4",))),
        machine("S4", nodes=3),
    ):
        assert tell(node, vote_request("S1", 2, to="S4")) == [vote("S4", 2, to="S1")]


def test_a_leader_of_an_older_term_steps_down_for_a_candidate_and_votes():
    node = leader(terms=(1,))
    assert tell(node, vote_request("S2", 9, (9, 8))) == [vote("S1", 9, to="S2")]
    assert (node.role, node.voted_for) == (Role.FOLLOWER, "S2")


# Handing over


def test_a_follower_told_to_time_out_campaigns_by_force_and_without_a_pre_vote():
    node = machine(options=COMPLETE)
    asked = tell(node, TimeoutNow(term=0, sender="S2", receiver="S1"))
    assert {(each.term, each.is_prevote, each.force) for each in asked} == {(1, False, True)}


def test_nobody_else_listens_to_a_hand_over():
    for node in (candidate(), leader()):
        before = node.fingerprint()
        assert tell(node, TimeoutNow(term=node.term, sender="S2", receiver="S1")) == []
        assert node.fingerprint() == before


def test_a_hand_over_of_an_earlier_term_is_over():
    node = machine(term=5)
    assert tell(node, TimeoutNow(term=4, sender="S2", receiver="S1")) == []
    assert node.role is Role.FOLLOWER


def test_a_learner_is_not_handed_the_lead():
    node = machine("S4", configuration=Configuration(("S1", "S2"), learners=("S4",)))
    assert tell(node, TimeoutNow(term=0, sender="S2", receiver="S4")) == []
    assert node.role is Role.FOLLOWER


# Leading


def test_a_new_leader_speaks_to_everyone_at_once_with_the_empty_entry_of_its_term():
    node = leader(terms=(1, 1, 4), quiet=False)
    output = node.poll()
    assert [each.index for each in output.log_entries] == [4]
    for message, peer in zip(output.messages, ("S2", "S3"), strict=True):
        assert isinstance(message, AppendEntries)
        assert (message.receiver, message.term) == (peer, 5)
        assert (message.prev_log_index, message.prev_log_term) == (3, 4)
        assert message.entries == output.log_entries


def test_an_election_by_hand_takes_one_round_of_letters():
    with World(3) as world:
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2", term=1)
        world.deliver(RequestVoteReply, "S2", "S1", vote_granted=True)
        assert world["S1"].role is Role.LEADER
        world.lose(RequestVote, "S1", "S3")
        world.deliver(AppendEntries, "S1", "S2", prev_log_index=0)
        world.deliver(AppendEntries, "S1", "S3")
        world.settle()
        assert [world[each].leader for each in ("S1", "S2", "S3")] == ["S1"] * 3


def test_two_candidates_of_one_term_split_the_vote_and_neither_leads():
    with World(4) as world:
        world.timeout("S1")
        world.timeout("S4")
        world.deliver(RequestVote, "S1", "S2")
        world.deliver(RequestVote, "S4", "S3")
        world.settle()
        assert {each.role for each in world.machines.values()}.isdisjoint({Role.LEADER})
        world.tick("S1")
        world.settle()
        assert world["S1"].role is Role.LEADER
        assert world["S1"].term == 2


@pytest.mark.parametrize("reply", [accepted("S2", 1, 1), rejected("S2", 1, at=1, last=0)])
def test_answers_to_appends_mean_nothing_to_a_candidate(reply):
    node = candidate()
    before = node.fingerprint()
    assert tell(node, reply) == []
    assert node.fingerprint() == before


def test_a_single_voter_elects_itself_and_commits_alone():
    node = machine(nodes=1)
    node.tick(node.next_deadline)
    said = drain(node)
    assert node.role is Role.LEADER
    assert said.messages == []
    assert [each.index for each in said.committed] == [1]
    assert len(said.outputs) == 3, "a vote to write, an entry to write, an entry to apply"
