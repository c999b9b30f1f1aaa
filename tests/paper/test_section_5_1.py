"""Section 5.1: Raft basics. One test for each of its sentences that says what a server does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab.raft.log import Command
from raftlab.raft.messages import Rejected, RequestVote, TimeoutNow
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NotLeader
from tests.raft.world import (
    World,
    accepted,
    append,
    candidate,
    leader,
    let_time_out,
    machine,
    rejected,
    tell,
    vote,
    vote_request,
)

ROLES = {"follower": machine, "candidate": candidate, "leader": leader}
in_every_role = pytest.mark.parametrize("make", ROLES.values(), ids=ROLES)

OF_TERM_9 = [
    vote_request("S2", 9),
    vote("S2", 9, granted=False),
    vote("S2", 9),
    append("S2", 9),
    accepted("S2", 9, 0),
    rejected("S2", 9, at=1, last=0),
    vote("S2", 9, granted=False, is_prevote=True),
]


def kind(message) -> str:
    return type(message).__name__


def test_at_any_time_each_server_is_leader_follower_or_candidate():
    """5.1: each server is in one of three states."""
    assert {make().role for make in ROLES.values()} == set(Role)


def test_a_follower_issues_no_requests_on_its_own():
    """5.1: followers are passive; they simply respond to requests from leaders and candidates."""
    node = machine(terms=(1, 1))
    for message in [append("S2", 1, (2, 1), (1,)), vote_request("S3", 2), append("S3", 2)]:
        for answer in tell(node, message, after=10.0):
            assert answer.receiver == message.sender
            assert not isinstance(answer, RequestVote)
    node.tick(node.next_deadline - 1)
    assert node.poll().messages == ()


def test_the_leader_handles_client_requests():
    """5.1: the leader handles all client requests."""
    assert leader().add_entry(Command(b"x=1")) == 2


def test_a_follower_redirects_clients_to_the_leader():
    """5.1: if a client contacts a follower, the follower redirects it to the leader."""
    node = machine()
    tell(node, append("S2", 1))
    with pytest.raises(NotLeader) as refused:
        node.add_entry(Command(b"x=1"))
    assert refused.value.leader == "S2"


def test_terms_are_numbered_with_consecutive_integers():
    """5.1: terms are numbered with consecutive integers; each begins with an election."""
    node = machine(term=4)
    terms = []
    for _ in range(3):
        let_time_out(node)
        terms.append(node.term)
    assert terms == [5, 6, 7]


def test_if_the_vote_is_split_the_term_ends_with_no_leader_and_a_new_one_begins():
    """5.1: in the case of a split vote the term will end with no leader; a new term begins."""
    with World(4) as world:
        world.timeout("S1")
        world.timeout("S2")
        world.hand(world.take(RequestVote, "S1", "S3"))
        world.hand(world.take(RequestVote, "S2", "S4"))
        world.settle()
        assert [each.role for each in world.machines.values()].count(Role.LEADER) == 0
        world.tick("S1")
        world.settle()
        assert (world["S1"].role, world["S1"].term) == (Role.LEADER, 2)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(OF_TERM_9), st.integers(0, 12)), max_size=15))
def test_the_current_term_increases_monotonically(messages):
    """5.1: each server stores a current term number, which increases monotonically over time."""
    node = machine(term=5)
    for message, term in messages:
        before = node.term
        tell(node, type(message)(**{**as_fields(message), "term": term}))
        assert node.term >= before
        assert node.term >= min(term, before)


def as_fields(message) -> dict:
    return {name: getattr(message, name) for name in message.__struct_fields__}


@in_every_role
def test_the_current_term_is_exchanged_whenever_servers_communicate(make):
    """5.1: current terms are exchanged whenever servers communicate."""
    node = make(term=4)
    said = [*let_time_out(node), *tell(node, vote_request("S2", 1)), *tell(node, append("S2", 1))]
    assert said
    assert {message.term for message in said} == {node.term}


@in_every_role
@pytest.mark.parametrize("message", [*OF_TERM_9, TimeoutNow(9, "S2", "S1")], ids=kind)
def test_a_server_whose_term_is_smaller_updates_it(make, message):
    """5.1: if one server's current term is smaller, it updates to the larger value."""
    node = make(term=3)
    tell(node, message)
    assert node.term == (10 if isinstance(message, TimeoutNow) else 9)


@pytest.mark.parametrize("make", [candidate, leader])
@pytest.mark.parametrize("message", OF_TERM_9, ids=kind)
def test_a_candidate_or_leader_whose_term_is_out_of_date_reverts_to_follower(make, message):
    """5.1: if a candidate or leader discovers that its term is out of date, it follows."""
    node = make(term=3)
    tell(node, message)
    assert node.role is Role.FOLLOWER


@in_every_role
def test_a_request_with_a_stale_term_is_rejected(make):
    """5.1: if a server receives a request with a stale term number, it rejects the request."""
    node = make(terms=(1, 1), term=5)
    before = node.fingerprint()
    (no_vote,) = tell(node, vote_request("S2", 3, (99, 3)))
    assert (no_vote.vote_granted, no_vote.term) == (False, node.term)
    (no_append,) = tell(node, append("S2", 3, (2, 1), (3,), commit=3))
    assert isinstance(no_append.result, Rejected)
    assert no_append.term == node.term
    assert node.fingerprint() == before


@in_every_role
@pytest.mark.parametrize(
    "answer", [vote("S2", 2), accepted("S2", 2, 2), rejected("S2", 2, at=1, last=0)], ids=kind
)
def test_an_answer_with_a_stale_term_says_nothing(make, answer):
    """5.1 holds for answers too: a term that is over decides nothing any more."""
    node = make(terms=(1, 1), term=5)
    before = node.fingerprint()
    assert tell(node, answer) == []
    assert node.fingerprint() == before


def test_requests_that_are_not_answered_are_sent_again():
    """5.1: servers retry RPCs if they do not receive a response in a timely manner."""
    node = leader()
    first, second = let_time_out(node), let_time_out(node)
    assert first == second
    asked = candidate()
    assert [each.receiver for each in let_time_out(asked)] == ["S2", "S3"]


def test_requests_are_issued_in_parallel():
    """5.1: they issue RPCs in parallel for best performance."""
    for make in (machine, leader):
        assert len(let_time_out(make(nodes=5))) == 4
