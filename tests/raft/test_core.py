"""What every role shares: the durable fields, the timer, the leader it knows."""

from raftlab.raft.roles import Cause, Role
from tests.raft.world import append, candidate, leader, machine, tell, vote_request


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
