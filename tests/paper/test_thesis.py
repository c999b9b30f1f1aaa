"""What the thesis adds and the machine has: 3.10 force, 4.2.3 stickiness, 6.2, 9.6, 10.2."""

import pytest

from raftlab.raft.messages import AppendEntries
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.sim.cluster import Cluster
from tests.raft.world import (
    COMPLETE,
    World,
    accepted,
    append,
    leader,
    machine,
    tell,
    vote,
    vote_request,
)


def test_a_server_that_hears_a_leader_does_not_grant_votes_or_update_its_term():
    """4.2.3: if a server receives a RequestVote within the minimum election timeout of hearing
    from a current leader, it does not update its term or grant its vote."""
    node = machine(options=COMPLETE)
    tell(node, append("S2", 1))
    assert tell(node, vote_request("S3", 7, (9, 6)), after=149.0) == []
    assert (node.term, node.voted_for) == (1, None)
    (said,) = tell(node, vote_request("S3", 7, (9, 6)), after=1.0)
    assert (said.vote_granted, node.term, node.voted_for) == (True, 7, "S3")


def test_servers_still_vote_when_the_leader_itself_asked_for_it():
    """4.2.3 and 3.10: a special flag in RequestVote allows leadership transfer to disrupt."""
    node = machine(options=COMPLETE)
    tell(node, append("S2", 1))
    assert tell(node, vote_request("S3", 2, (9, 1), force=True)) == [vote("S1", 2, to="S3")]


def test_a_removed_server_cannot_disrupt_the_cluster():
    """4.2.3: a server that is no longer told anything times out again and again."""
    cluster = Cluster(4, seed=3, options=Options(pre_vote=False))
    leading = cluster.elect()
    cluster.run(300)
    removed = next(node for node in cluster.nodes if node != leading)
    for node in cluster.nodes:
        if node != removed:
            cluster.cut(node, removed, both_ways=False)
    terms = {cluster.hosts[node].machine.term for node in cluster.nodes}
    cluster.run(3_000)
    assert cluster.hosts[removed].machine.term > max(terms) + 5
    assert cluster.leader == leading or cluster.hosts[leading].machine.role is Role.LEADER
    others = [cluster.hosts[node].machine.term for node in cluster.nodes if node != removed]
    assert {*others} == terms


def test_without_stickiness_a_removed_server_does():
    """4.2.3: without it, each of its requests deposes the leader."""
    cluster = Cluster(4, seed=3, options=Options.figure_2())
    leading = cluster.elect()
    cluster.run(300)
    term = cluster.hosts[leading].machine.term
    removed = next(node for node in cluster.nodes if node != leading)
    for node in cluster.nodes:
        if node != removed:
            cluster.cut(node, removed, both_ways=False)
    cluster.run(3_000)
    assert cluster.hosts[leading].machine.term > term + 5


def test_a_leader_steps_down_if_an_election_timeout_passes_without_a_majority():
    """6.2: a leader steps down if an election timeout elapses without a successful round of
    heartbeats to a majority of its cluster."""
    cluster = Cluster(5, seed=2)
    old = cluster.elect()
    cluster.run(500)
    cluster.isolate(old)
    cluster.run(COMPLETE.election_timeout[0])
    assert cluster.hosts[old].machine.role is Role.FOLLOWER


def test_so_clients_of_a_deposed_leader_are_not_left_waiting():
    """6.2: this allows clients to retry with another server."""
    node = leader(options=COMPLETE)
    for _ in range(20):
        if node.role is Role.LEADER:
            node.tick(node.next_deadline)
    assert node.role is Role.FOLLOWER


def test_a_candidate_increments_its_term_only_if_a_majority_would_grant_it_votes():
    """9.6: a candidate only increments its term if it first learns that a majority would vote."""
    node = machine(nodes=5, options=COMPLETE)
    node.tick(node.next_deadline)
    node.poll()
    for peer, term in (("S2", 0), ("S2", 0), ("S3", 1)):
        tell(node, vote(peer, 1, is_prevote=True))
        assert node.term == term


@pytest.mark.parametrize("sticky", [True, False])
def test_voters_that_hear_a_leader_would_not_grant_their_votes(sticky):
    """9.6: voters are willing only if they have not received heartbeats from a valid leader for
    at least a baseline election timeout."""
    node = machine(options=Options(leader_stickiness=sticky))
    tell(node, append("S2", 1))
    asked = vote_request("S3", 2, (9, 1), is_prevote=True)
    assert tell(node, asked, after=149.0) == [vote("S1", 1, False, to="S3", is_prevote=True)]
    assert tell(node, asked, after=1.0) == [vote("S1", 2, to="S3", is_prevote=True)]


def test_a_server_that_returns_from_a_partition_does_not_disrupt():
    """9.6: it solves the issue of a partitioned server disrupting the cluster when it rejoins."""
    for seed in range(5):
        cluster = Cluster(5, seed=seed)
        leading = cluster.elect()
        cluster.run(300)
        term = cluster.hosts[leading].machine.term
        apart = next(node for node in cluster.nodes if node != leading)
        cluster.isolate(apart)
        cluster.run(5_000)
        cluster.heal()
        cluster.run(1_000)
        assert cluster.leader == leading
        assert {host.machine.term for host in cluster.hosts.values()} == {term}


def test_a_leader_does_not_wait_for_one_append_before_it_sends_the_next():
    """10.2.2: once a leader knows that the logs agree, it pipelines."""
    with World(3) as world:
        world.elect("S1")
        for number in range(5):
            world.propose("S1", str(number))
        waiting = [each for each in world.flying if each.receiver == "S2"]
        assert [each.prev_log_index for each in waiting] == [1, 2, 3, 4, 5]
        world.settle()
        assert world["S1"].commit_index == 6


@pytest.mark.parametrize("acks", [2, 3])
def test_an_entry_may_be_committed_before_the_leader_itself_has_written_it(acks):
    """10.2.1: the leader may replicate and write in parallel, and count itself when written."""
    node = leader(nodes=5, quiet=False)
    node.poll()
    for number in range(acks):
        peer = f"S{number + 2}"
        node.advance(accepted(peer, 1, 1), node.now)
    assert node.commit_index == (1 if acks == 3 else 0)
    assert all(isinstance(each, AppendEntries) for each in node.poll().messages)
    assert node.commit_index == 1
