"""A step of a fixture that cannot be done says so."""

import pytest

from raftlab import NotNow, Role
from raftlab.raft.messages import AppendEntries, RequestVote
from raftlab.sim.fixtures import (
    commit,
    drop_all,
    is_a,
    numbers_of,
    settle,
    stage,
    until_sent,
    win_election,
    with_entry,
)


def test_a_cluster_has_settled_when_everybody_knows_of_the_leaders_first_entry():
    cluster = settle(stage(3, seed=1), "S2")
    assert cluster.leader == "S2"
    assert [each.commit_index for each in cluster.frame().nodes] == [1, 1, 1]


def test_an_election_is_won_within_one_attempt_or_refused():
    cluster = stage(3, seed=1)
    win_election(cluster, "S3")
    assert cluster.leader == "S3" and cluster.now <= 25
    alone = stage(3, seed=1)
    alone.isolate("S3")
    with pytest.raises(NotNow, match="S3 does not get a majority"):
        win_election(alone, "S3")
    assert alone.hosts["S3"].machine.role is Role.CANDIDATE


def test_a_command_is_committed_or_the_leader_cannot():
    cluster = settle(stage(3, seed=1), "S1")
    assert commit(cluster, "x=1") == 2
    cluster.isolate("S1")
    with pytest.raises(NotNow, match="S1 cannot commit 'x=2'"):
        commit(cluster, "x=2", to="S1")


def test_messages_on_their_way_are_found_awaited_and_lost():
    cluster = settle(stage(3, seed=1), "S1")
    cluster.propose("x=1")
    number = until_sent(cluster, "S1", "S2", with_entry(2))
    assert number == numbers_of(cluster, "S1", "S2", is_a(AppendEntries))[-1]
    drop_all(cluster, "S1", "S2", "S3")
    assert not numbers_of(cluster, "S1", "S2") and not numbers_of(cluster, "S1", "S3")
    with pytest.raises(NotNow, match="S2 sends S1 no such message"):
        until_sent(cluster, "S2", "S1", is_a(RequestVote))
