"""Thesis, chapter 9: the pre-vote (9.6), and randomness (9.3)."""

import pytest

from raftlab.raft.messages import RequestVote
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network
from tests.paper.runs import PLAIN, leads, led, said, settled
from tests.raft.world import (
    COMPLETE,
    append,
    let_time_out,
    machine,
    names,
    tell,
    vote,
    vote_request,
)

# 9.3 Randomness


class EqualTimeouts(Rules):
    """Everybody waits equally long."""

    def election_timeout(self, options, rng):
        return options.election_timeout[0]


def test_without_randomness_votes_are_split_again_and_again():
    """Thesis: 9.3. With equal timeouts and equal delays nobody is ever elected."""
    network = Network(latency=(10.0, 10.0))
    stuck = Cluster(3, seed=1, options=PLAIN, network=network, rules=EqualTimeouts)
    assert not stuck.run_until(lambda each: each.leader is not None, 6_000)
    assert stuck.machine("S1").term > 20
    assert Cluster(3, seed=1, options=PLAIN, network=network).elect()


def test_a_little_randomness_is_enough():
    """Thesis: 9.3. A spread of a few times the latency resolves an election within a few terms."""
    options = Options.figure_2(election_timeout=(150.0, 200.0))
    for seed in range(10):
        cluster = Cluster(5, seed=seed, options=options, network=Network(latency=(5.0, 10.0)))
        cluster.elect()
        assert cluster.machine(cluster.leader).term <= 5


# 9.6 Preventing disruptions when a server rejoins the cluster


def test_a_candidate_increments_its_term_only_if_a_majority_would_grant_it_votes():
    """Thesis: 9.6. First it asks, and only a majority of willing servers lets it campaign."""
    node = machine(nodes=5, options=COMPLETE)
    node.tick(node.next_deadline)
    node.poll()
    for peer, term in (("S2", 0), ("S2", 0), ("S3", 1)):
        tell(node, vote(peer, 1, is_prevote=True))
        assert node.term == term


def test_the_question_is_for_the_next_term_and_shows_the_log():
    """Thesis: 9.6. It is the request that it would make, and it costs nobody anything."""
    node = machine(terms=(1, 1), term=4, options=COMPLETE)
    asked = let_time_out(node)
    assert asked == [
        RequestVote(
            term=5, sender="S1", receiver=peer, last_log_index=2, last_log_term=1, is_prevote=True
        )
        for peer in ("S2", "S3")
    ]
    assert (node.term, node.voted_for) == (4, None)


def test_if_a_majority_is_not_willing_it_stays_in_its_term():
    """Thesis: 9.6. It goes on waiting, as a follower."""
    node = machine(options=COMPLETE)
    let_time_out(node)
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 0, granted=False, is_prevote=True))
    assert (node.role, node.term) == (Role.FOLLOWER, 0)


@pytest.mark.parametrize(
    ("last", "granted"), [((1, 1), False), ((9, 1), False), ((2, 2), True), ((1, 3), True)]
)
def test_voters_are_willing_only_if_the_candidate_s_log_is_up_to_date(last, granted):
    """Thesis: 9.6, with 5.4.1. The same comparison as for a vote."""
    node = machine(terms=(1, 2), term=3, options=COMPLETE)
    (answer,) = tell(node, vote_request("S2", 4, last, is_prevote=True), after=200.0)
    assert answer.vote_granted is granted


@pytest.mark.parametrize("sticky", [True, False])
def test_voters_that_hear_a_leader_would_not_grant_their_votes(sticky):
    """Thesis: 9.6. Not within a minimum election timeout of the last heartbeat of a leader."""
    node = machine(options=Options(leader_stickiness=sticky))
    tell(node, append("S2", 1))
    asked = vote_request("S3", 2, (9, 1), is_prevote=True)
    assert tell(node, asked, after=149.0) == [vote("S1", 1, False, to="S3", is_prevote=True)]
    assert tell(node, asked, after=1.0) == [vote("S1", 2, to="S3", is_prevote=True)]


def test_a_promise_changes_nothing_at_the_voter():
    """Thesis: 9.6. It is not a vote: term, vote and timer stay, and others may get it too."""
    node = machine(term=3, options=COMPLETE)
    before, deadline = node.fingerprint(), node.election_deadline
    for candidate in ("S2", "S3"):
        (answer,) = tell(node, vote_request(candidate, 4, is_prevote=True), after=80.0)
        assert answer.vote_granted
    assert (node.fingerprint(), node.election_deadline) == (before, deadline)


def test_a_promise_is_no_vote_when_the_election_comes():
    """Thesis: 9.6. What was promised is asked again, and counted anew."""
    node = machine(nodes=5, options=COMPLETE)
    let_time_out(node)
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 1, is_prevote=True))
    assert (node.role, node.term) == (Role.CANDIDATE, 1)
    for peer in ("S4", "S5"):
        tell(node, vote(peer, 1, is_prevote=True))
    assert node.role is Role.CANDIDATE
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 1))
    assert node.role is Role.LEADER


def away_and_back(options: Options, seed: int) -> tuple[Cluster, str, int]:
    """One of five was cut off for five seconds; the leader before, and its term."""
    cluster = Cluster(5, seed=seed, options=options)
    leading = cluster.elect()
    cluster.run(300)
    term = cluster.machine(leading).term
    cluster.isolate(next(node for node in cluster.nodes if node != leading))
    cluster.run(5_000)
    cluster.heal()
    cluster.run(1_000)
    return cluster, leading, term


@pytest.mark.parametrize("seed", range(5))
def test_a_server_that_returns_from_a_partition_does_not_disrupt(seed):
    """Thesis: 9.6. It could not raise its term while it was away."""
    cluster, leading, term = away_and_back(Options(leader_stickiness=False), seed)
    assert leads(cluster, leading)
    assert {cluster.machine(node).term for node in names(5)} == {term}


def test_without_a_pre_vote_it_does():
    """Thesis: 9.6. Its term is the highest when it comes back, and deposes the leader."""
    cluster, leading, term = away_and_back(PLAIN, 0)
    assert cluster.machine(leading).term > term + 5


def test_a_crashed_leader_is_replaced_all_the_same():
    """Thesis: 9.6. When nobody hears a leader, a majority is willing."""
    for seed in range(5):
        cluster = led("S1", nodes=5, seed=seed, options=COMPLETE)
        term = cluster.machine("S1").term
        cluster.crash("S1")
        assert cluster.run_until(lambda each: each.leader is not None, 3_000)
        assert cluster.machine(cluster.leader).term > term
        assert any(each.is_prevote for each in said(cluster, RequestVote))
        settled(cluster, "x=1")
