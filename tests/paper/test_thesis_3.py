"""Thesis, chapter 3: leadership transfer (3.10), and what 3.4 to 3.6 say beyond the paper."""

import pytest

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntries, RequestVote, RequestVoteReply, TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotLeader, NotNow
from raftlab.sim.world.settings import Network
from tests.paper.runs import caught, leads, led, said, settled
from tests.raft.world import (
    COMPLETE,
    World,
    accepted,
    accepted_by_all,
    append,
    drain,
    leader,
    let_time_out,
    machine,
    propose,
    rejected,
    tell,
    vote,
    vote_request,
)


def handing_over(
    to: str | None = "S2", behind: str | None = None, rules: Rules | None = None
) -> tuple:
    """S1 leads and hands over; all hold everything, but for `behind`. And what it says then."""
    node = accepted_by_all(leader(options=COMPLETE, rules=rules))
    if behind is not None:
        propose(node)
        for peer in {"S2", "S3"} - {behind}:
            tell(node, accepted(peer, 1, 2))
    node.transfer_leadership(to)
    return node, drain(node).messages


# The three steps


def test_step_1_the_prior_leader_stops_accepting_requests():
    """Thesis: 3.10, step 1. Whoever asks is told to ask again soon."""
    node, _ = handing_over()
    with pytest.raises(NotNow):
        node.add_entry(Command(b"x=1"))
    assert node.role is Role.LEADER


class TakesCommands(Rules):
    """A leader that hands over and goes on taking commands."""

    def takes_commands_while_handing_over(self):
        return True


def test_if_it_took_them_its_successor_would_lack_them_and_lose():
    """Thesis: 3.10, step 1. The test above can fail: here a command slips in."""
    with World(3, rules=TakesCommands()) as world:
        world.elect("S1")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        world.propose("S1")
        world.deliver(AppendEntries, "S1", "S3")
        world.deliver(TimeoutNow, "S1", "S2")
        world.settle()
        assert world["S2"].role is not Role.LEADER


def test_step_2_the_leader_brings_the_target_s_log_up_to_its_own():
    """Thesis: 3.10, step 2. Nothing is said to the target before it has everything."""
    node, messages = handing_over(behind="S2")
    assert not any(isinstance(each, TimeoutNow) for each in messages)
    again = let_time_out(node)
    assert not any(isinstance(each, TimeoutNow) for each in again)
    assert tell(node, accepted("S2", 1, 2)) == [TimeoutNow(1, "S1", "S2")]


class TellsItAtOnce(Rules):
    """A leader that does not care what its successor lacks."""

    def may_take_over(self, match_index, last_index):
        return True


def test_a_target_that_lacked_something_would_lose():
    """Thesis: 3.10, step 2. The test above can fail: here the target is told too early."""
    for rules, wins in ((TellsItAtOnce(), False), (Rules(), True)):
        with World(3, rules=rules) as world:
            world.elect("S1")
            world.propose("S1")
            world.lose(AppendEntries, "S1", "S2")
            world.settle()
            world["S1"].transfer_leadership("S2")
            world.pump("S1")
            world.settle()
            if world["S1"].role is Role.LEADER:
                world.heartbeat("S1")
            assert (world["S2"].role is Role.LEADER) is wins


def test_step_3_the_leader_tells_the_target_to_start_an_election():
    """Thesis: 3.10, step 3. One message, to the target alone."""
    _, messages = handing_over()
    assert messages == [TimeoutNow(1, "S1", "S2")]


@pytest.mark.parametrize("options", [COMPLETE, Options.figure_2()], ids=["complete", "figure 2"])
def test_it_has_the_effect_of_the_target_s_timer_running_out(options):
    """Thesis: 3.10, step 3. The target takes the next term, becomes candidate, and asks at once."""
    node = machine(term=4, options=options)
    tell(node, append("S2", 4))
    asked = tell(node, TimeoutNow(4, "S2", "S1"))
    assert (node.term, node.role, node.voted_for) == (5, Role.CANDIDATE, "S1")
    assert {type(each) for each in asked} == {RequestVote}
    assert all(each.force and not each.is_prevote for each in asked)


def test_the_others_listen_to_it_though_a_leader_is_alive():
    """Thesis: 3.10, with 4.2.3. Its request says that the leader itself sent it."""
    node = machine(options=COMPLETE)
    tell(node, append("S2", 1))
    assert tell(node, vote_request("S3", 2, (9, 1), force=True)) == [vote("S1", 2, to="S3")]


def test_when_the_prior_leader_hears_the_higher_term_it_steps_down_and_that_is_the_end():
    """Thesis: 3.10. The target's message has a greater term; then the transfer is complete."""
    node, _ = handing_over()
    tell(node, vote_request("S2", 2, (1, 1), force=True))
    assert (node.role, node.term) == (Role.FOLLOWER, 2)
    with pytest.raises(NotLeader):
        node.add_entry(Command(b"x=1"))


@pytest.mark.parametrize("seed", range(5))
def test_the_target_is_most_likely_to_lead_next_and_soon(seed):
    """Thesis: 3.10. It is far ahead of everybody's timer: no one waits for a timeout."""
    cluster = led("S1", nodes=5, seed=seed, options=Options(), network=Network(latency=(5.0, 15.0)))
    settled(cluster, "x=1")
    start, term = cluster.now, cluster.machine("S1").term
    cluster.transfer("S4")
    assert cluster.run_until(lambda each: each.leader == "S4", 1_000)
    assert cluster.now - start < cluster.setup.options.election_timeout[0]
    assert cluster.machine("S4").term == term + 1


def test_without_a_wish_any_server_that_has_everything_is_chosen():
    """Thesis: 3.10. An operator may leave the choice to the leader."""
    cluster = led("S1", nodes=3, options=Options())
    cluster.isolate("S2")
    settled(cluster, "x=1")
    cluster.transfer()
    cluster.run(100)
    assert cluster.leader == "S3"


# When it fails


def test_if_it_takes_longer_than_about_an_election_timeout_the_leader_goes_on():
    """Thesis: 3.10. The target may be down: the transfer is given up, commands are taken again."""
    cluster = led("S1", nodes=3, options=Options())
    cluster.crash("S2")
    cluster.transfer("S2")
    with pytest.raises(NotNow):
        cluster.propose("x=1")
    cluster.run(cluster.setup.options.transfer_timeout + 1)
    assert leads(cluster, "S1")
    settled(cluster, "x=1")


def test_if_the_leader_was_mistaken_and_the_target_does_campaign_nothing_worse_happens():
    """Thesis: 3.10. At worst there is one more election, and what was committed stays."""
    cluster = led("S1", nodes=3, options=Options())
    cluster.transfer("S2")
    late = caught(cluster, TimeoutNow, "S1", "S2")
    cluster.delay(late, 1_000)
    cluster.cut("S1", "S2")
    cluster.run(400)
    settled(cluster, "x=1")
    cluster.heal()
    cluster.run(100)
    term = cluster.machine("S1").term
    cluster.deliver(late)
    cluster.run(300)
    assert cluster.machine("S1").term == term + 1
    assert cluster.leader is not None
    assert cluster.get("x") == "1"


def test_a_lost_request_is_repeated():
    """Thesis: 3.10, with 5.5. The target is told again as long as the transfer lasts."""
    cluster = led("S1", nodes=3, options=Options())
    cluster.transfer("S2")
    cluster.drop(caught(cluster, TimeoutNow, "S1", "S2"))
    assert cluster.run_until(lambda each: each.leader == "S2", 290)
    assert len(said(cluster, TimeoutNow)) >= 2


def test_only_a_leader_hands_over_and_only_to_a_server_that_could_lead():
    """Thesis: 3.10. There is nothing to hand over otherwise."""
    with pytest.raises(NotLeader):
        machine().transfer_leadership("S2")
    with pytest.raises(NotNow):
        leader().transfer_leadership("S9")


# 3.4 to 3.6


def test_servers_that_are_told_nothing_stay_followers():
    """Thesis: 3.4. A server starts as follower, and a follower never sends a request."""
    node = machine()
    assert node.role is Role.FOLLOWER
    node.tick(node.election_deadline - 1)
    assert node.poll().messages == ()


def test_until_the_logs_are_known_to_match_a_leader_sends_as_little_as_it_can():
    """Thesis: 3.5. While it looks for the place, entries would be sent in vain."""
    node = leader(terms=(1,) * 20, quiet=False)
    assert {len(each.entries) for each in drain(node).messages} == {1}
    (again,) = tell(node, rejected("S2", 2, at=20, last=5, hint=(5, 1)))
    assert (again.prev_log_index, len(again.entries)) == (5, 1)
    (rest,) = tell(node, accepted("S2", 2, 6))
    assert (rest.prev_log_index, len(rest.entries)) == (6, 15)


def test_a_leader_takes_no_special_action_to_repair_logs_when_it_comes_to_power():
    """Thesis: 3.5. Normal operation is enough: the logs converge when AppendEntries fails."""
    with World(3, logs=((1, 2), (1,), (1, 1, 1)), term=2) as world:
        world.elect("S1")
        world.heartbeat("S1")
        assert world["S1"].log == world["S2"].log == world["S3"].log


def test_votes_are_counted_once_the_candidate_s_own_vote_is_durable():
    """Thesis: 3.8. Current term and vote are on disk before anything is said about them."""
    node = machine()
    node.tick(node.next_deadline)
    output = node.poll()
    assert (output.term, output.voted_for) == (1, "S1")
    assert output.messages, "they leave with the output that asks for the write"
    node.advance(RequestVoteReply(1, "S2", "S1", True), node.now)
    assert node.role is Role.CANDIDATE
    node.poll()
    assert node.role is Role.LEADER
