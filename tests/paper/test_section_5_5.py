"""Section 5.5: follower and candidate crashes."""

import pytest

from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.roles import Role
from raftlab.sim.cluster import Cluster
from tests.raft.world import FIGURE_2, World, append, machine, tell, terms_of, vote_request


def test_append_entries_to_a_crashed_follower_are_retried_until_it_restarts():
    """Paper: 5.5. However long that takes."""
    with World(3) as world:
        world.elect("S1")
        world.crash("S3")
        for _ in range(20):
            world.propose("S1")
            world.settle("S1", "S2")
            world.tick("S1")
            world.settle("S1", "S2")
        world.restart("S3")
        world.heartbeat("S1")
        assert world["S3"].log == world["S1"].log


def test_a_request_for_a_vote_to_a_crashed_server_is_made_again_in_the_next_campaign():
    """Paper: 5.5. As long as nobody leads, somebody asks."""
    with World(3) as world:
        world.crash("S2")
        world.crash("S3")
        for _ in range(5):
            world.tick("S1")
            world.settle("S1")
        world.restart("S2")
        world.tick("S1")
        world.settle("S1", "S2")
        assert (world["S1"].role, world["S1"].term) == (Role.LEADER, 6)


def test_if_the_crashed_server_restarts_the_rpc_completes_successfully():
    """Paper: 5.5. The next try finds it up."""
    with World(3) as world:
        world.elect("S1")
        world.propose("S1")
        world.settle("S1", "S2")
        world.crash("S3")
        world.restart("S3")
        world.heartbeat("S1")
        assert terms_of(world["S3"]) == [1, 1]


def test_a_server_that_crashed_before_responding_receives_the_same_rpc_again():
    """Paper: 5.5. It had done what was asked, and is asked once more."""
    with World(3) as world:
        world.elect("S1")
        world.propose("S1")
        world.deliver(AppendEntries, "S1", "S3")
        world.lose(AppendEntriesReply, "S3", "S1")
        world.crash("S3")
        world.restart("S3")
        assert terms_of(world["S3"]) == [1, 1], "it was completed"
        world.lose(AppendEntries, "S1", "S2")
        world.tick("S1")
        world.deliver(AppendEntries, "S1", "S3")
        world.deliver(AppendEntriesReply, "S3", "S1", result=Accepted(2))
        assert world["S1"].commit_index == 2
        world.settle()


@pytest.mark.parametrize(
    "message",
    [
        append("S2", 1, (1, 1), (1, 1), commit=2),
        append("S2", 1, (3, 1), (), commit=3),
        append("S2", 1, (9, 1), (1,)),
        append("S2", 3, (0, 0), (3,)),
        vote_request("S2", 1, (9, 1)),
        vote_request("S2", 4, (9, 1)),
    ],
    ids=["entries", "heartbeat", "refused", "conflict", "vote", "vote of a later term"],
)
def test_rpcs_are_idempotent(message):
    """Paper: 5.5. A second copy of a request does nothing, and is answered like the first."""
    node = machine(terms=(1, 1, 1))
    tell(node, message)
    before = node.fingerprint()
    answers = [tell(node, message) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert node.fingerprint() == before


def test_entries_that_are_already_there_are_ignored():
    """Paper: 5.5. A follower does not write what it holds."""
    node = machine(terms=(1, 1, 1))
    held = node.log[2]
    node.advance(append("S2", 1, (0, 0), (1, 1)), 0.0)
    output = node.poll()
    assert (output.log_entries, output.truncate_from) == ((), None)
    assert node.log[2] is held
    assert terms_of(node) == [1, 1, 1]


def test_a_candidate_that_crashed_keeps_its_term_and_its_vote():
    """Paper: 5.5; Figure 2, persistent state. What it asked for before, it still stands by."""
    with World(3) as world:
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2")
        world.lose(RequestVote, "S1", "S3")
        world.crash("S1")
        world.restart("S1")
        world.lose_all()
        assert (world["S1"].term, world["S1"].voted_for) == (1, "S1")
        world.hand(vote_request("S3", 1))
        assert world.take(RequestVoteReply, "S1", "S3").vote_granted is False


def test_an_answer_to_a_campaign_before_the_crash_elects_nobody():
    """Paper: 5.5. A restarted server is a follower, whatever comes for the old candidate."""
    with World(3) as world:
        world.timeout("S1")
        world.lose(RequestVote, "S1", "S3")
        world.deliver(RequestVote, "S1", "S2")
        answer = world.take(RequestVoteReply, "S2", "S1")
        world.crash("S1")
        world.restart("S1")
        world.hand(answer)
        assert world["S1"].role is Role.FOLLOWER


def test_a_voter_that_crashed_before_answering_votes_for_the_same_candidate_again():
    """Paper: 5.5; Figure 2, persistent state. Its vote was on disk; the retry gets the answer."""
    with World(3) as world:
        world.timeout("S1")
        request = world.deliver(RequestVote, "S1", "S2")
        world.lose(RequestVoteReply, "S2", "S1")
        world.lose(RequestVote, "S1", "S3")
        world.crash("S2")
        world.restart("S2")
        world.hand(vote_request("S3", 1, to="S2"))
        assert world.take(RequestVoteReply, "S2", "S3").vote_granted is False
        world.hand(request)
        assert world.take(RequestVoteReply, "S2", "S1").vote_granted


def test_crashes_of_candidates_are_handled_like_those_of_followers():
    """Paper: 5.5. Another server times out, and the cluster has a leader in a later term."""
    cluster = Cluster(5, seed=1, options=FIGURE_2)
    cluster.timeout("S1")
    cluster.crash("S1")
    cluster.elect()
    assert cluster.leader != "S1"
    cluster.restart("S1")
    cluster.run(300)
    assert cluster.machine("S1").leader == cluster.leader
