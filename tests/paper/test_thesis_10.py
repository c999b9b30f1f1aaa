"""Thesis, chapter 10: writing to disk in parallel (10.2.1), batching and pipelining (10.2.2)."""

import pytest

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Disks, Network
from tests.paper.runs import led, settled, value
from tests.raft.world import (
    World,
    accepted,
    accepted_by_all,
    append,
    drain,
    in_flight,
    leader,
    let_time_out,
    machine,
    propose,
    rejected,
    tell,
    terms_of,
    vote_request,
)

PARALLEL = Options.figure_2(async_persistence=True)

# 10.2.1 Writing to the leader's disk in parallel


def test_the_leader_sends_entries_while_it_writes_them():
    """Thesis: 10.2.1. Its requests need not wait for its own disk."""
    node = accepted_by_all(leader(options=PARALLEL))
    node.add_entry(Command(b"x=1"))
    output = node.poll()
    assert [each.index for each in output.log_entries] == [2]
    assert [each.receiver for each in output.messages_at_once] == ["S2", "S3"]
    assert {each.entries for each in output.messages_at_once} == {output.log_entries}


def test_without_that_they_wait():
    """Thesis: 10.2.1. In the plain form they leave once the leader has written."""
    node = accepted_by_all(leader())
    node.add_entry(Command(b"x=1"))
    output = node.poll()
    assert output.must_be_written
    assert output.messages_at_once == ()
    assert [each.receiver for each in output.messages] == ["S2", "S3"]


@pytest.mark.parametrize("options", [PARALLEL, Options.figure_2()], ids=["parallel", "plain"])
def test_what_followers_and_voters_say_always_waits(options):
    """Thesis: 10.2.1. Only the leader may do this: an answer claims that something is on disk."""
    node = machine(options=options)
    node.advance(append("S2", 1, (0, 0), (1,)), 0.0)
    node.advance(vote_request("S3", 2, (1, 1)), 0.0)
    output = node.poll()
    assert output.must_be_written and output.messages_at_once == ()
    assert [type(each) for each in output.messages] == [AppendEntriesReply, RequestVoteReply]


def test_the_leader_counts_itself_once_its_own_write_is_done():
    """Thesis: 10.2.1. Until then its copy is not one of the majority."""
    node = accepted_by_all(leader(options=PARALLEL))
    node.add_entry(Command(b"x=1"))
    output = node.poll()
    node.advance(accepted("S2", 1, 2), node.now)
    node.poll()
    assert node.commit_index == 1
    node.persisted(output)
    assert node.commit_index == 2


@pytest.mark.parametrize("acks", [2, 3])
@pytest.mark.parametrize("options", [PARALLEL, Options.figure_2()], ids=["parallel", "plain"])
def test_an_entry_may_be_committed_before_the_leader_itself_has_written_it(acks, options):
    """Thesis: 10.2.1. If a majority of followers have it, that is enough."""
    node = leader(nodes=5, quiet=False, options=options)
    output = node.poll()
    for number in range(acks):
        peer = f"S{number + 2}"
        node.advance(accepted(peer, 1, 1), node.now)
    assert node.commit_index == (1 if acks == 3 else 0)
    node.persisted(output) if options.async_persistence else node.poll()
    assert node.commit_index == 1


def test_so_a_command_takes_one_write_less():
    """Thesis: 10.2.1. There and back, and one write, where it was two."""
    took = []
    for options in (Options.figure_2(), PARALLEL):
        cluster = led(
            options=options, disks=Disks(write_ms=20.0), network=Network(latency=(5.0, 5.0))
        )
        index, start = cluster.propose("x=1"), cluster.now
        assert cluster.run_until(lambda each, index=index: each.commit_index >= index, 500)
        took.append(cluster.now - start)
    assert took == [pytest.approx(20.0 + 5.0 + 20.0 + 5.0), pytest.approx(5.0 + 20.0 + 5.0)]


def overwritten(rules: type[Rules]) -> int:
    """How far S1 counts its own log, after a write that was overwritten before it was done."""
    node = leader(options=PARALLEL, rules=rules(), quiet=False)
    node.add_entry(Command(b"x=1"))
    late = node.poll()
    assert [each.term for each in late.log_entries] == [1, 1]
    tell(node, append("S2", 2, (0, 0), (2, 2)))
    assert terms_of(node) == [2, 2]
    node.campaign(node.now, force=True)
    node.poll()
    for voter in ("S2", "S3"):
        node.advance(
            RequestVoteReply(term=3, sender=voter, receiver="S1", vote_granted=True), node.now
        )
    assert node.role is Role.LEADER
    node.role_data.tracker.progress["S1"].match_index = 0
    node.persisted(late)
    return node.role_data.tracker.progress["S1"].match_index


class AnyWriteCounts(Rules):
    """A write is a write, whatever stands at its place by now."""

    def is_still_there(self, written, log):
        return True


def test_a_write_that_was_overwritten_meanwhile_counts_for_nothing():
    """Thesis: 10.2.1. What was written late is not what stands there now."""
    assert overwritten(Rules) == 0
    assert overwritten(AnyWriteCounts) == 2, "the test can fail"


@pytest.mark.parametrize("seed", range(4))
def test_slow_disks_that_crash_lose_nothing_that_was_committed(seed):
    """Thesis: 10.2.1. Every property is watched while leaders crash in the middle of a write."""
    options = Options(async_persistence=True)
    cluster = Cluster(5, seed=seed, options=options, disks=Disks(write_ms=15.0, torn=True))
    for number in range(12):
        cluster.elect()
        for part in range(3):
            cluster.propose(f"x={number}.{part}")
            cluster.run(4)
        crashed = cluster.leader or "S1"
        cluster.crash(crashed)
        cluster.run(700)
        cluster.restart(crashed)
        cluster.run(100)
    assert cluster.violation is None and cluster.engine.world.alarms == []
    assert cluster.commit_index > 20


# 10.2.2 Batching and pipelining


def test_commands_that_come_together_travel_together():
    """Thesis: 10.2.2. One request carries many entries; one write stores them."""
    node = accepted_by_all(leader())
    for number in range(7):
        node.add_entry(Command(b"%d" % number))
    output = node.poll()
    assert len(output.log_entries) == 7
    assert [len(each.entries) for each in output.messages] == [7, 7]


def test_but_no_request_grows_without_end():
    """Thesis: 10.2.2. There is a largest batch, in entries and in bytes."""
    node = accepted_by_all(leader(options=Options.figure_2(max_entries_per_append=3)))
    for number in range(7):
        node.add_entry(Command(b"%d" % number))
    sizes = [len(each.entries) for each in drain(node).messages if each.receiver == "S2"]
    assert sizes == [3, 3, 1]
    node = accepted_by_all(leader(options=Options.figure_2(max_bytes_per_append=100)))
    for _ in range(4):
        node.add_entry(Command(b"." * 60))
    sizes = [len(each.entries) for each in drain(node).messages if each.receiver == "S2"]
    assert sizes == [1, 1, 1, 1]


def test_a_leader_does_not_wait_for_one_append_before_it_sends_the_next():
    """Thesis: 10.2.2. Once it knows that the logs agree, it takes what it sent for received."""
    with World(3) as world:
        world.elect("S1")
        for number in range(5):
            world.propose("S1", str(number))
        waiting = [each for each in world.flying if each.receiver == "S2"]
        assert [each.prev_log_index for each in waiting] == [1, 2, 3, 4, 5]
        world.settle()
        assert world["S1"].commit_index == 6


def test_what_was_sent_is_not_taken_for_stored():
    """Thesis: 10.2.2. The next index runs ahead; the match index waits for answers."""
    node = accepted_by_all(leader())
    for number in range(3):
        propose(node, str(number))
    known = node.role_data.tracker.progress["S2"]
    assert (known.match_index, known.next_index) == (1, 5)
    assert node.commit_index == 1


def test_there_is_a_limit_to_what_may_be_under_way():
    """Thesis: 10.2.2. A follower that does not answer is not flooded."""
    node = accepted_by_all(leader(options=Options.figure_2(max_in_flight=4)))
    sent = [each for number in range(9) for each in propose(node, str(number))]
    assert len([each for each in sent if each.receiver == "S2" and each.entries]) == 4
    assert in_flight(node, "S2") == 4
    (more,) = tell(node, accepted("S2", 1, 2))
    assert more.prev_log_index == 5


def test_the_consistency_check_makes_it_safe_that_requests_overtake_each_other():
    """Thesis: 10.2.2. A request that comes too early is refused, and is sent again."""
    with World(2) as world:
        world.elect("S1")
        for number in range(3):
            world.propose("S1", str(number))
        late = world.take(AppendEntries, "S1", "S2", prev_log_index=1)
        world.deliver(AppendEntries, "S1", "S2", prev_log_index=2)
        assert world["S2"].log.last_index == 1
        world.hand(late)
        world.settle()
        world.heartbeat("S1")
        assert world["S2"].log == world["S1"].log
        assert world["S1"].commit_index == 4


def test_after_a_loss_the_leader_goes_back_and_sends_again():
    """Thesis: 10.2.2. The next index falls to where the follower really is."""
    with World(2) as world:
        world.elect("S1")
        for number in range(3):
            world.propose("S1", str(number))
        world.lose(AppendEntries, "S1", "S2", prev_log_index=1)
        world.deliver(AppendEntries, "S1", "S2", prev_log_index=2)
        world.deliver(AppendEntriesReply, "S2", "S1")
        assert world["S1"].role_data.tracker.progress["S2"].next_index == 2
        world.settle()
        world.heartbeat("S1")
        assert world["S2"].log == world["S1"].log


class BelievesEveryRefusal(Rules):
    """A leader that goes back at every refusal, however late it comes."""

    def is_stray_rejection(self, rejected, progress):
        return False


def test_a_refusal_that_comes_late_is_no_reason_to_go_back():
    """Thesis: 10.2.2, with 5.3. What has matched in this term still does."""
    for rules, resends in ((Rules(), False), (BelievesEveryRefusal(), True)):
        node = accepted_by_all(leader(rules=rules))
        for number in range(3):
            propose(node, str(number))
        tell(node, accepted("S2", 1, 4))
        again = tell(node, rejected("S2", 1, at=3, last=1, hint=(1, 1)))
        state = node.role_data.tracker.progress["S2"].state
        assert bool(again or state is ProgressState.PROBE) is resends


class TrustsWhatItSent(Rules):
    """A leader that takes every answer for the latest: what was sent was received."""

    def match_index_after(self, log, last_new_index, next_index):
        return next_index - 1


def test_an_answer_to_an_early_request_proves_no_later_one():
    """Thesis: 10.2.2. With many under way, an answer counts for what it says."""
    for rules, committed in ((Rules(), 2), (TrustsWhatItSent(), 4)):
        node = accepted_by_all(leader(rules=rules))
        for number in range(3):
            propose(node, str(number))
        tell(node, accepted("S2", 1, 2))
        assert node.commit_index == committed, "4 is what nobody else holds"


def test_while_it_does_not_know_where_the_logs_agree_it_sends_one_request_at_a_time():
    """Thesis: 10.2.2. A new leader probes: more would most likely be refused too."""
    node = leader(terms=(1,) * 9)
    assert node.role_data.tracker.progress["S2"].state is ProgressState.PROBE
    assert [each for number in range(5) for each in propose(node, str(number))] == []
    assert [len(each.entries) for each in let_time_out(node) if each.receiver == "S2"] == [1]


@pytest.mark.parametrize("success", [True, False])
def test_the_first_success_opens_the_pipeline_and_a_failure_closes_it(success):
    """Thesis: 10.2.2. What the last answer said decides how the next entries are sent."""
    node = leader(terms=(1,) * 9)
    tell(node, accepted("S2", 2, 10))
    assert node.role_data.tracker.progress["S2"].state is ProgressState.PIPELINE
    if not success:
        for number in range(4):
            propose(node, str(number))
        again = tell(node, rejected("S2", 2, at=12, last=10, hint=(10, 2)))
        assert [(each.prev_log_index, len(each.entries)) for each in again] == [(10, 1)]
    state = node.role_data.tracker.progress["S2"].state
    assert state is (ProgressState.PIPELINE if success else ProgressState.PROBE)


def test_pipelining_makes_a_row_of_commands_fast():
    """Thesis: 10.2.2. Ten commands, one after the other, take little longer than one."""
    cluster = led(network=Network(latency=(50.0, 50.0)), options=slow_line())
    for number in range(10):
        cluster.propose(f"x={number}")
        cluster.run(2)
    start = cluster.now
    assert cluster.run_until(lambda each: each.commit_index >= 11, 2_000)
    assert cluster.now - start < 2 * 50.0 + 10
    settled(cluster, "y=1", 400)
    assert value(cluster, "S3", "x") == "9"


def slow_line() -> Options:
    """Timeouts for a network on which a message takes 50 ms."""
    return Options.figure_2(election_timeout=(500.0, 1_000.0), heartbeat_interval=200.0)
