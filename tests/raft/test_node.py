"""What every role shares: the durable fields, the timer, the leader it knows."""

import pytest

from raftlab.raft.figure2 import Figure2
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.roles import Cause, Role
from raftlab.raft.rules import Rules
from tests.raft import world
from tests.raft.world import (
    COMPLETE,
    append,
    candidate,
    leader,
    machine,
    tell,
    vote,
    vote_request,
)


def test_a_new_term_has_no_vote_and_must_be_written():
    node = machine(term=3, vote="S2")
    node._set_term(4)
    output = node.poll()
    assert (output.term, output.voted_for) == (4, None)


def test_a_vote_given_again_is_nothing_new_to_write():
    node = machine(term=3, vote="S2")
    node._set_vote("S2")
    assert not node.poll().must_be_written
    node = machine(term=3)
    node._set_vote("S2")
    assert node.poll().voted_for == "S2"


def test_a_leader_knows_itself_and_a_candidate_nobody():
    assert leader().leader == "S1"
    assert candidate().leader is None


def test_a_leader_that_steps_down_starts_a_timer_of_its_own():
    node = leader()
    node.now = 500.0
    node._become_follower(None, Cause.HIGHER_TERM)
    assert node.next_deadline == 500.0 + node._randomized_election_timeout


def test_a_candidate_that_steps_down_keeps_its_timer():
    node = candidate()
    deadline = node.election_deadline
    node._become_follower("S2", Cause.LEADER_SEEN)
    assert (node.role, node.next_deadline) == (Role.FOLLOWER, deadline)


def test_hearing_the_leader_restarts_the_wait():
    node = machine()
    tell(node, append("S2", 1), after=77.0)
    assert node._last_leader_contact == 77.0
    assert node.election_deadline == 77.0 + node._randomized_election_timeout


def test_a_follower_that_enters_a_new_term_draws_a_new_timeout():
    """`Options` and `set_term` say so; the wait that is under way is not begun anew by it."""
    node = machine()
    drawn, deadline = node._randomized_election_timeout, node.election_deadline
    node._set_term(1)
    assert node.election_deadline == deadline
    tell(node, append("S2", 1))
    assert node._randomized_election_timeout != drawn


def test_the_timeout_that_is_shown_is_the_one_being_waited_for():
    """Or a picture shows "233 of 213 ms"."""
    for seed in range(40):
        node = machine(terms=(1, 1), seed=seed)
        (said,) = tell(node, vote_request("S2", 2, (1, 1)))
        assert not said.vote_granted
        assert node.election_deadline - node.now <= node._randomized_election_timeout


# What `Rules` decide, whatever they decide


class NeverNewer(Rules):
    def is_newer_term(self, message_term, term):
        return False


class NothingResets(Rules):
    def resets_election_timer(self, granted_vote, heard_leader):
        return False


class AnythingResets(Rules):
    def resets_election_timer(self, granted_vote, heard_leader):
        return True


class NothingIsStale(Rules):
    def is_stale_term(self, message_term, term):
        return False


class AnswersOfThePastCount(Rules):
    def is_about_the_present(self, reply_term, asked_term):
        return True


class CommitsBeyondTheLog(Rules):
    def follower_commit_index(self, leader_commit, verified, log, commit_index):
        return leader_commit


@pytest.fixture(params=[RaftStateMachine, Figure2], ids=["whole", "Figure2"])
def kind(request, monkeypatch):
    monkeypatch.setattr(world, "MACHINE", request.param)


@pytest.mark.usefixtures("kind")
def test_a_message_of_a_term_that_is_not_called_newer_is_one_of_this_term():
    node = machine(term=1, rules=NeverNewer())
    (said,) = tell(node, append("S2", 3))
    assert (node.term, node.leader, said.term) == (1, "S2", 1)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize(("rules", "resets"), [(NothingResets(), False), (Rules(), True)])
def test_the_rules_say_whether_hearing_the_leader_resets_the_timer(rules, resets):
    node = machine(rules=rules)
    before = node.election_deadline
    tell(node, append("S2", 0), after=50.0)
    assert (node.election_deadline > before) is resets


def test_the_rules_say_whether_a_pre_vote_resets_the_timer():
    node = machine(options=COMPLETE, rules=AnythingResets())
    before = node.election_deadline
    tell(node, vote_request("S2", 1, is_prevote=True), after=50.0)
    assert node.election_deadline > before


def test_a_candidate_of_an_earlier_term_is_no_matter_of_a_living_leader():
    """Even to rules that know no earlier terms."""
    node = machine(term=3, options=COMPLETE, rules=NothingIsStale())
    tell(node, append("S2", 3))
    (said,) = tell(node, vote_request("S3", 2))
    assert not said.vote_granted


@pytest.mark.usefixtures("kind")
def test_the_rules_say_whether_an_old_answer_counts():
    node = candidate(rules=AnswersOfThePastCount())
    tell(node, vote("S2", node.term - 1))
    assert node.role is Role.LEADER


@pytest.mark.usefixtures("kind")
def test_whatever_the_rules_say_nothing_is_committed_that_is_not_in_the_log():
    node = machine(terms=(1, 1), rules=CommitsBeyondTheLog())
    tell(node, append("S2", 1, (2, 1), commit=9))
    assert node.commit_index == 2
