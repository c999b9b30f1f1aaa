"""The constructor is the only way to restart; what is not passed in is lost."""

import pytest

from raftlab.raft.messages import AppendEntries, AppendEntriesReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Misuse
from tests.raft.world import (
    COMPLETE,
    World,
    accepted,
    append,
    drain,
    entries,
    let_time_out,
    log,
    machine,
    tell,
    terms_of,
    vote,
    vote_request,
)


def test_a_vote_outlives_a_restart():
    with World(3) as world:
        world.timeout("S1")
        world.settle("S1", "S2")
        world.crash("S2")
        world.restart("S2")
        assert (world["S2"].term, world["S2"].voted_for) == (1, "S1")
        world.hand(vote_request("S3", 1, (9, 1), to="S2"))
        assert world.take(type(vote("S2", 1)), "S2", "S3").vote_granted is False


def test_a_vote_that_is_not_passed_in_is_given_twice():
    """What a disk that forgets votes leads to: the host must pass it in."""
    node = machine(term=1, vote=None)
    assert tell(node, vote_request("S3", 1)) == [vote("S1", 1, to="S3")]


def test_a_leader_restarts_as_a_follower_of_its_term():
    with World(3) as world:
        world.elect("S1")
        world.crash("S1")
        world.restart("S1")
        node = world["S1"]
        assert (node.role, node.term, node.voted_for, node.leader) == (Role.FOLLOWER, 1, "S1", None)
        assert terms_of(node) == [1]


def test_what_was_committed_before_a_restart_is_handed_out_again_from_the_start():
    node = machine(terms=(1, 1, 1, 1), commit_index=3)
    output = node.poll()
    assert output.committed == entries(1, 1, 1)
    assert not output.must_be_written
    assert drain(node).committed == []


def test_a_restarted_node_that_knows_no_commit_index_learns_it():
    node = machine(terms=(1, 1, 1))
    assert drain(node).committed == []
    node.advance(append("S2", 1, (3, 1), commit=2), 0.0)
    assert drain(node).committed == list(entries(1, 1))


def test_what_it_restarts_with_is_not_written_again():
    node = machine(terms=(1, 1, 1), vote="S2")
    node.advance(append("S2", 1, (3, 1), (1,)), 0.0)
    output = node.poll()
    assert (output.term, output.log_entries) == (None, entries(1, start=4))


def test_a_restarted_leader_knows_that_its_log_is_durable():
    node = machine(nodes=1, terms=(1, 1))
    let_time_out(node)
    assert node.role is Role.LEADER
    assert node.role_data.tracker.match_indexes() == {"S1": 3}


def test_a_restarted_node_waits_for_a_full_timeout():
    node = machine(terms=(1,), now=5000.0)
    assert 5150.0 <= node.next_deadline <= 5300.0


@pytest.mark.parametrize("options", [COMPLETE, Options.figure_2()], ids=["complete", "figure 2"])
def test_a_restarted_node_learns_its_leader_within_one_heartbeat(options):
    with World(3, options=options) as world:
        world.elect("S1")
        world.crash("S3")
        world.restart("S3")
        assert world["S3"].leader is None
        world.heartbeat("S1")
        assert world["S3"].leader == "S1"


def test_a_write_that_was_never_made_is_lost_and_sent_again():
    with World(3) as world:
        world.elect("S1")
        world.propose("S1")
        lost = world.take(AppendEntries, "S1", "S3")
        world["S3"].advance(lost, world.now)  # in memory, and never polled
        world.crash("S3")
        world.restart("S3")
        assert terms_of(world["S3"]) == [1]
        world.settle()
        world.heartbeat("S1")
        assert world["S3"].log == world["S1"].log


def test_a_node_that_crashed_before_answering_gets_the_same_again_and_answers():
    with World(3) as world:
        world.elect("S1")
        world.propose("S1")
        sent = world.deliver(AppendEntries, "S1", "S2")
        world.lose(AppendEntriesReply, "S2", "S1")
        world.crash("S2")
        world.restart("S2")
        world.hand(sent)
        again = world.deliver(AppendEntriesReply, "S2", "S1")
        assert again.result == accepted("S2", 1, 2).result
        assert world["S2"].log == world["S1"].log
        world.settle()


def test_a_cluster_that_all_crashed_goes_on_from_its_disks():
    with World(3) as world:
        world.elect("S1")
        world.propose("S1", "x=1")
        world.settle()
        world.heartbeat("S1")
        for node in ("S1", "S2", "S3"):
            world.crash(node)
        for node in ("S1", "S2", "S3"):
            world.restart(node)
        world.elect("S2")
        assert world["S2"].term == 2
        world.heartbeat("S2")
        assert [terms_of(world[node]) for node in ("S1", "S2", "S3")] == [[1, 1, 2]] * 3
        assert [world[node].commit_index for node in ("S1", "S2", "S3")] == [3, 3, 3]


def test_the_log_passed_in_decides_who_may_lead():
    node = machine(terms=(1, 1), term=1)
    assert node.log == log(1, 1)
    assert tell(node, vote_request("S2", 2, (1, 1))) == [vote("S1", 2, False, to="S2")]


def test_what_the_application_has_kept_is_not_handed_out_again():
    node = machine(terms=(1, 1, 1, 1), commit_index=2, applied=3)
    assert node.commit_index == 3
    assert drain(node).committed == []
    tell(node, append("S2", 1, (4, 1), commit=4))
    assert node.commit_index == 4
    fresh = machine(terms=(1, 1, 1, 1), applied=3)
    fresh.advance(append("S2", 1, (4, 1), commit=4), fresh.now)
    assert [each.index for each in drain(fresh).committed] == [4]


@pytest.mark.parametrize("applied", [-1, 5])
def test_nobody_can_have_applied_what_is_not_in_its_log(applied):
    with pytest.raises(Misuse, match=f"S1 cannot have applied up to {applied}: its log ends at 4"):
        machine(terms=(1, 1, 1, 1), applied=applied)
