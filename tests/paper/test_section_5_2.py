"""Section 5.2: leader election. One test for each of its sentences."""

import itertools
from collections.abc import Callable
from random import Random

import pytest

from raftlab.raft.messages import AppendEntries, RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network
from tests.raft.world import (
    FIGURE_2,
    World,
    accepted,
    append,
    candidate,
    leader,
    let_time_out,
    machine,
    names,
    tell,
    vote,
    vote_request,
)

SIZES = [2, 3, 4, 5, 6, 7]


def test_when_servers_start_up_they_begin_as_followers():
    """Paper: 5.2, Figure 4. Nobody starts as anything but a follower."""
    with World(5) as world:
        assert {each.role for each in world.machines.values()} == {Role.FOLLOWER}


@pytest.mark.parametrize(
    "message", [append("S2", 1), append("S2", 1, (0, 0), (1,)), vote_request("S2", 1)]
)
def test_a_server_stays_follower_as_long_as_it_hears_a_leader_or_candidate(message):
    """Paper: 5.2. Entries, heartbeats and votes it grants all keep it a follower."""
    node = machine()
    for _ in range(50):
        node.tick(node.now + 100.0)
        tell(node, message)
        assert node.role is Role.FOLLOWER


def test_leaders_send_heartbeats_to_all_followers_to_maintain_their_authority():
    """Paper: 5.2. A leader with nothing to say still speaks to all, at regular times."""
    node = leader(nodes=5)
    for peer in names(5)[1:]:
        tell(node, accepted(peer, 1, 1))
    times = []
    for _ in range(4):
        said = let_time_out(node)
        assert [each.receiver for each in said] == ["S2", "S3", "S4", "S5"]
        assert all(isinstance(each, AppendEntries) and each.entries == () for each in said)
        times.append(node.now)
    assert [after - before for before, after in itertools.pairwise(times)] == [50.0] * 3


@pytest.mark.parametrize("make", [machine, candidate], ids=["follower", "candidate"])
def test_without_communication_for_an_election_timeout_a_server_begins_an_election(make):
    """Paper: 5.2. Silence for one election timeout, and not a moment less."""
    node = make()
    term = node.term
    node.tick(node.election_deadline - 0.001)
    assert (node.term, node.poll().messages) == (term, ())
    asked = let_time_out(node)
    assert node.term == term + 1
    assert {type(each) for each in asked} == {RequestVote}


def test_to_begin_an_election_it_increments_its_term_and_becomes_candidate():
    """Paper: 5.2; Figure 2, candidates, first rule. The next term, and a new role."""
    node = machine(term=4)
    let_time_out(node)
    assert (node.term, node.role) == (5, Role.CANDIDATE)


def test_a_candidate_votes_for_itself_and_asks_each_of_the_others_in_parallel():
    """Paper: 5.2; Figure 2, candidates, first rule. Its own vote, then all others' at once."""
    node = machine(nodes=5, terms=(1, 2), term=4)
    asked = let_time_out(node)
    assert node.voted_for == "S1"
    assert node.role_data.votes.answers == {"S1": True}
    assert asked == [
        RequestVote(term=5, sender="S1", receiver=peer, last_log_index=2, last_log_term=2)
        for peer in ("S2", "S3", "S4", "S5")
    ]


def test_a_candidate_goes_on_until_it_wins_or_another_does_or_time_runs_out():
    """Paper: 5.2. There are three ways for a candidacy to end."""
    won, beaten, late = candidate(), candidate(), candidate()
    tell(won, vote("S2", 1))
    assert won.role is Role.LEADER
    tell(beaten, append("S2", 1))
    assert beaten.role is Role.FOLLOWER
    late.tick(late.election_deadline - 0.001)
    assert (late.role, late.term) == (Role.CANDIDATE, 1)
    late.tick(late.election_deadline)
    assert (late.role, late.term) == (Role.CANDIDATE, 2)


@pytest.mark.parametrize("size", SIZES)
def test_a_candidate_wins_with_votes_from_a_majority_of_the_full_cluster(size):
    """Paper: 5.2. Of all servers, whether they answer or not."""
    node, have = candidate(nodes=size), 1
    for peer in names(size)[1:]:
        assert (node.role is Role.LEADER) == (2 * have > size)
        if node.role is Role.CANDIDATE:
            tell(node, vote(peer, 1))
            have += 1
    assert have == size // 2 + 1


def test_votes_must_be_for_the_same_term():
    """Paper: 5.2. Votes from different terms do not add up."""
    node = candidate(nodes=5, term=6)
    tell(node, vote("S2", 6))
    tell(node, vote("S3", 5))
    tell(node, vote("S4", 7))
    assert (node.role, node.role_data.votes.answers) == (Role.CANDIDATE, {"S1": True, "S4": True})
    tell(node, vote("S5", 7))
    assert node.role is Role.LEADER


@pytest.mark.parametrize(
    ("given", "asks", "granted"),
    [
        (None, "S2", True),
        (None, "S3", True),
        ("S2", "S2", True),
        ("S2", "S3", False),
        ("S3", "S2", False),
    ],
)
def test_each_server_votes_for_at_most_one_candidate_in_a_term(given, asks, granted):
    """Paper: 5.2; Figure 2, RequestVote, receiver rule 2. The first to ask gets the vote."""
    node = machine(term=4, vote=given)
    assert tell(node, vote_request(asks, 4)) == [vote("S1", 4, granted, to=asks)]
    assert node.voted_for == (given or asks)


def test_the_majority_rule_ensures_at_most_one_winner_in_a_term():
    """Paper: 5.2; Figure 3, Election Safety. Two majorities share a server, which has one vote."""
    for seed in range(40):
        with World(5) as world:
            for node in ("S1", "S2", "S3"):
                world.timeout(node)
            Random(seed).shuffle(world.flying)
            leaders = set()
            while world.flying:
                message = world.flying.pop(0)
                world.hand(message)
                leaders |= {
                    (each.term, each.node_id)
                    for each in world.machines.values()
                    if each.role is Role.LEADER
                }
            assert len(leaders) <= 1


def test_a_candidate_that_wins_becomes_leader_and_tells_all_others():
    """Paper: 5.2. At once, and everybody."""
    node = candidate(nodes=5)
    tell(node, vote("S2", 1))
    said = tell(node, vote("S3", 1))
    assert node.role is Role.LEADER
    assert [each.receiver for each in said] == ["S2", "S3", "S4", "S5"]
    assert all(isinstance(each, AppendEntries) for each in said)


def test_its_first_words_prevent_new_elections():
    """Paper: 5.2. Whoever hears them waits anew."""
    with World(3) as world:
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2")
        world.lose(RequestVote, "S1", "S3")
        world.wait(100.0)
        world.deliver(RequestVoteReply, "S2", "S1")
        world.deliver(AppendEntries, "S1", "S3")
        assert world["S3"].election_deadline >= world.now + 150.0
        world.settle()


@pytest.mark.parametrize("term", [5, 6, 9])
def test_a_candidate_recognizes_a_leader_whose_term_is_as_large_as_its_own(term):
    """Paper: 5.2. A leader of this term or a later one: the candidate follows it."""
    node = candidate(term=4)
    tell(node, append("S2", term, (0, 0), (term,)))
    assert (node.role, node.leader, node.term) == (Role.FOLLOWER, "S2", term)


def test_a_candidate_rejects_a_leader_of_a_smaller_term_and_goes_on():
    """Paper: 5.2. A leader of an earlier term does not end a candidacy."""
    node = candidate(term=4)
    (said,) = tell(node, append("S2", 4, (0, 0), (4,)))
    assert (said.term, node.role, node.log.last_index) == (5, Role.CANDIDATE, 0)


def test_if_votes_are_split_candidates_time_out_and_begin_another_round():
    """Paper: 5.2. Nobody has a majority: the next term, and everybody is asked again."""
    node = candidate(nodes=4)
    tell(node, vote("S2", 1))
    tell(node, vote("S3", 1, granted=False))
    assert node.role is Role.CANDIDATE
    asked = let_time_out(node)
    assert node.term == 2
    assert [(each.receiver, each.term) for each in asked] == [("S2", 2), ("S3", 2), ("S4", 2)]


@pytest.mark.parametrize("make", [machine, candidate], ids=["follower", "candidate"])
def test_election_timeouts_are_chosen_randomly_from_a_fixed_interval(make):
    """Paper: 5.2. By default between 150 and 300 ms."""
    drawn = []
    for seed in range(200):
        node = make(seed=seed)
        drawn.append(node.election_deadline - node.now)
    assert all(150.0 <= each <= 300.0 for each in drawn)
    assert len({round(each) for each in drawn}) > 80


def test_each_candidate_restarts_its_timeout_at_the_start_of_an_election():
    """Paper: 5.2. Each campaign has its own random time."""
    node = machine()
    for _ in range(5):
        let_time_out(node)
        assert 150.0 <= node.election_deadline - node.now <= 300.0


def test_it_waits_for_that_timeout_to_elapse_before_the_next_election():
    """Paper: 5.2. The next campaign begins when that time has passed, and not before."""
    node = candidate()
    node.tick(node.election_deadline - 0.001)
    assert node.term == 1
    node.tick(node.election_deadline)
    assert node.term == 2


def conflicts(size: int, make: Callable, rules: Rules | None = None) -> float:
    """Of 200 clusters, the share in which a second node times out within 10 ms of the first."""
    together = 0
    for seed in range(200):
        first, second, *_ = sorted(
            make(node=node, nodes=size, seed=seed, rules=rules).election_deadline
            for node in names(size)
        )
        together += second - first < 10.0
    return together / 200


@pytest.mark.parametrize("make", [machine, candidate], ids=["followers", "candidates"])
def test_in_most_cases_only_a_single_server_times_out(make):
    """Paper: 5.2. Random timeouts are mostly far enough apart."""
    assert conflicts(3, make) < 0.25
    assert conflicts(5, make) < 0.40


def test_without_randomness_they_would_all_time_out_together():
    """Paper: 5.2. The test above can fail: here everybody waits equally long."""

    class Constant(Rules):
        def election_timeout(self, options, rng):
            return options.election_timeout[0]

    assert conflicts(3, machine, Constant()) == 1.0


def test_split_votes_are_rare_and_resolved_quickly():
    """Paper: 5.2. Most elections take one term, and hardly any takes many."""
    terms = []
    for seed in range(30):
        cluster = Cluster(5, seed=seed, options=FIGURE_2, network=Network(latency=(5.0, 15.0)))
        cluster.elect()
        terms.append(cluster.hosts[cluster.leader].machine.term)
    assert max(terms) <= 4
    assert terms.count(1) >= 20


def test_there_is_a_leader_soon_after_the_last_one_crashed():
    """Paper: 5.2. Somebody times out first, and is heard before the others do."""
    for seed in range(10):
        cluster = Cluster(5, seed=seed, options=Options.figure_2())
        old = cluster.elect()
        cluster.run(200)
        cluster.crash(old)
        assert cluster.run_until(lambda each: each.leader is not None, limit_ms=3_000)
        assert cluster.leader != old
