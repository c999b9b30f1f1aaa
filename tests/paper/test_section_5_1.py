"""Section 5.1: Raft basics. One test for each of its sentences that says what a server does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab.raft.log import Command
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Rejected, RequestVote, TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NotLeader
from raftlab.sim.cluster import Cluster
from tests.raft.world import (
    World,
    accepted,
    append,
    candidate,
    leader,
    let_time_out,
    machine,
    names,
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
    """Paper: 5.1. There are three roles and no fourth."""
    assert {make().role for make in ROLES.values()} == set(Role)


def test_a_follower_issues_no_requests_on_its_own():
    """Paper: 5.1. Followers speak when they are spoken to."""
    node = machine(terms=(1, 1))
    messages: list[Any] = [append("S2", 1, (2, 1), (1,)), vote_request("S3", 2), append("S3", 2)]
    for message in messages:
        for answer in tell(node, message, after=10.0):
            assert answer.receiver == message.sender
            assert not isinstance(answer, RequestVote)
    node.tick(node.next_deadline - 1)
    assert node.poll().messages == ()


def test_the_leader_handles_client_requests():
    """Paper: 5.1. Commands go to the leader, which appends them."""
    assert leader().add_entry(Command(b"x=1")) == 2


def test_a_follower_redirects_clients_to_the_leader():
    """Paper: 5.1. A client at a follower's door is told where the leader is."""
    node = machine()
    tell(node, append("S2", 1))
    with pytest.raises(NotLeader) as refused:
        node.add_entry(Command(b"x=1"))
    assert refused.value.leader == "S2"


def test_terms_are_numbered_with_consecutive_integers():
    """Paper: 5.1, Figure 5. Each campaign opens the next term; none is left out."""
    node = machine(term=4)
    terms = []
    for _ in range(3):
        let_time_out(node)
        terms.append(node.term)
    assert terms == [5, 6, 7]


def test_if_the_vote_is_split_the_term_ends_with_no_leader_and_a_new_one_begins():
    """Paper: 5.1, Figure 5. A term may pass without anybody leading it."""
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


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7])
def test_a_cluster_survives_the_crash_of_a_minority_and_of_no_more(size):
    """Paper: 5.1. Five servers tolerate two failures; in general, less than half may fail."""
    for crashed in ((size - 1) // 2, (size + 1) // 2):
        cluster = Cluster(size, seed=1, options=Options.figure_2())
        cluster.elect("S1")
        for node in names(size)[size - crashed :]:
            cluster.crash(node)
        cluster.run(1_000)
        if cluster.leader is not None:
            cluster.propose("x=1")
        cluster.run(500)
        served = any(host.application.get("x") for host in cluster.hosts.values())
        assert served is (2 * crashed < size)


def test_in_normal_operation_there_is_one_leader_and_all_others_follow_it():
    """Paper: 5.1. Once elected, it stays, and everybody knows it."""
    cluster = Cluster(5, seed=1)
    leading = cluster.elect()
    cluster.run(300)
    for _ in range(20):
        cluster.run(100)
        roles = {node: cluster.machine(node).role for node in names(5)}
        assert roles == {
            node: Role.LEADER if node == leading else Role.FOLLOWER for node in names(5)
        }
        assert {cluster.machine(node).leader for node in names(5)} == {leading}


def test_a_server_may_miss_an_election_or_whole_terms():
    """Paper: 5.1. Servers see the terms pass at different times; some never see one."""
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    cluster.elect("S1")
    cluster.run(100)
    cluster.crash("S3")
    for node in ("S2", "S1", "S2"):
        cluster.elect(node)
        cluster.run(60)
    assert cluster.machine("S2").term == 4
    cluster.restart("S3")
    seen = {cluster.machine("S3").term}
    for _ in range(100):
        cluster.step()
        seen.add(cluster.machine("S3").term)
    assert seen == {1, 4}


def test_terms_show_a_stale_leader_for_what_it_is():
    """Paper: 5.1. It learns from the first answer that its time is over."""
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    cluster.elect("S1")
    cluster.run(100)
    cluster.isolate("S1")
    cluster.elect("S2")
    assert cluster.machine("S1").role is Role.LEADER
    cluster.heal()
    cluster.run(100)
    assert cluster.machine("S1").role is Role.FOLLOWER
    assert cluster.machine("S1").term == cluster.machine("S2").term


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(OF_TERM_9), st.integers(0, 12)), max_size=15))
def test_the_current_term_increases_monotonically(messages):
    """Paper: 5.1. Whatever arrives, a server's term never falls."""
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
    """Paper: 5.1. Every message carries its sender's term."""
    node = make(term=4)
    said = [*let_time_out(node), *tell(node, vote_request("S2", 1)), *tell(node, append("S2", 1))]
    assert said
    assert {message.term for message in said} == {node.term}


@in_every_role
@pytest.mark.parametrize(
    "message", [*OF_TERM_9, TimeoutNow(term=9, sender="S2", receiver="S1")], ids=kind
)
def test_a_server_whose_term_is_smaller_updates_it(make, message):
    """Paper: 5.1; Figure 2, all servers, second rule. The larger term is adopted."""
    node = make(term=3)
    tell(node, message)
    campaigns = isinstance(message, TimeoutNow) and isinstance(node, RaftStateMachine)
    assert node.term == (10 if campaigns else 9)


@pytest.mark.parametrize("make", [candidate, leader])
@pytest.mark.parametrize("message", OF_TERM_9, ids=kind)
def test_a_candidate_or_leader_whose_term_is_out_of_date_reverts_to_follower(make, message):
    """Paper: 5.1; Figure 2, all servers, second rule. Whoever meets a later term, follows."""
    node = make(term=3)
    tell(node, message)
    assert node.role is Role.FOLLOWER


@in_every_role
def test_a_request_with_a_stale_term_is_rejected(make):
    """Paper: 5.1; Figure 2, both RPCs, receiver rule 1. A term that is over asks in vain."""
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
    """Paper: 5.1. Answers too: a term that is over decides nothing any more."""
    node = make(terms=(1, 1), term=5)
    before = node.fingerprint()
    assert tell(node, answer) == []
    assert node.fingerprint() == before


def test_requests_that_are_not_answered_are_sent_again():
    """Paper: 5.1. A request that nobody answers in time is repeated."""
    node = leader()
    first, second = let_time_out(node), let_time_out(node)
    assert first == second
    asked = candidate()
    assert [each.receiver for each in let_time_out(asked)] == ["S2", "S3"]


def test_requests_are_issued_in_parallel():
    """Paper: 5.1. All servers are asked at once, and none is waited for."""
    for make in (machine, leader):
        assert len(let_time_out(make(nodes=5))) == 4
