"""Thesis, chapter 6: finding the leader (6.2), sessions (6.3), reads (6.4), leases (6.4.1)."""

from collections.abc import Sequence
from typing import Any

import pytest

from raftlab.raft.log import Command, LogEntry
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    Message,
    ReadIndex,
    ReadIndexReply,
)
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotLeader
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.host import Reading
from raftlab.sim.world.settings import Disks, Network
from raftlab.sim.world.violation import Violation
from tests.paper.runs import caught, held, leads, led, said, settled, value, wins
from tests.raft.members import told
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
    names,
    tell,
    vote_request,
)

LEASES = Options(lease_reads=True)

# 6.2 Routing requests to the leader


def test_a_server_refuses_a_client_and_names_the_leader():
    """Thesis: 6.2. One of the two ways to send clients on: the address, if it is known."""
    node = machine()
    tell(node, append("S3", 4))
    with pytest.raises(NotLeader) as refused:
        node.add_entry(Command(b"x=1"))
    assert refused.value.leader == "S3"


@pytest.mark.parametrize(
    "forgets", [lambda node: node.tick(node.next_deadline), lambda node: tell(node, vote_of_5())]
)
def test_followers_forget_a_leader_that_is_gone_so_that_clients_are_not_sent_there_for_ever(
    forgets,
):
    """Thesis: 6.2. When an election begins, or a term, the old address is worth nothing."""
    node = machine()
    tell(node, append("S3", 4))
    forgets(node)
    with pytest.raises(NotLeader) as refused:
        node.add_entry(Command(b"x=1"))
    assert refused.value.leader is None


def vote_of_5():
    """S2 asks for a vote in term 5."""
    return vote_request("S2", 5, (9, 4))


def test_a_leader_steps_down_if_an_election_timeout_passes_without_a_majority():
    """Thesis: 6.2. A round of heartbeats to a majority must succeed in that time."""
    cluster = Cluster(5, seed=2)
    old = cluster.elect()
    cluster.run(500)
    cluster.isolate(old)
    cluster.run(COMPLETE.election_timeout[0])
    assert cluster.machine(old).role is Role.FOLLOWER


class LeadsForEver(Rules):
    """A leader leads until it hears of another one."""

    def keeps_leading(self, heard, configuration, options):
        return True


@pytest.mark.parametrize(("rules", "waits"), [(Rules, False), (LeadsForEver, True)])
def test_so_clients_of_a_deposed_leader_are_not_left_waiting(rules, waits):
    """Thesis: 6.2. A client whose request cannot succeed there learns it, and asks another."""
    cluster = led("S1", options=COMPLETE, rules=rules)
    cluster.isolate("S1")
    index = cluster.propose("x=1", to="S1")
    cluster.run(1_000)
    assert cluster.machine("S1").commit_index < index
    assert leads(cluster, "S1") is waits
    if not waits:
        with pytest.raises(NotLeader):
            cluster.propose("x=1", to="S1")


@pytest.mark.parametrize("reachable", [1, 2, 3])
def test_a_leader_with_a_majority_goes_on(reachable):
    """Thesis: 6.2. The others may be down as long as they like."""
    cluster = led("S1", nodes=5, options=COMPLETE)
    cluster.partition(names(5)[: reachable + 1], names(5)[reachable + 1 :])
    cluster.run(1_000)
    assert leads(cluster, "S1") is (reachable >= 2)


# 6.3 Linearizable semantics


def play(*commands: str, sessions: int = 16) -> list[str]:
    """What one replica answers to these commands, in this order."""
    application = KeyValue(sessions)
    return [
        application.apply(LogEntry(1, index, Command(command.encode())))
        for index, command in enumerate(commands, start=1)
    ]


def test_a_client_registers_and_then_numbers_its_commands():
    """Thesis: 6.3, RegisterClient and ClientRequest. A session stands before its commands."""
    assert play("c1#1 x=1")[0].startswith("no session c1")
    assert play("open c1", "c1#1 x=1")[1] == "1"


def test_a_command_with_a_known_number_is_not_executed_again_and_answered_as_before():
    """Thesis: 6.3. The table keeps what the last command of each session gave."""
    assert play("open c1", "c1#1 x+=1", "x+=5", "c1#1 x+=1", "c1#2 x+=1") == [
        "session c1 is open",
        "1",
        "6",
        "1",
        "7",
    ]


def test_answers_that_a_client_has_received_need_not_be_kept():
    """Thesis: 6.3. Its next number says that it has the answers before."""
    refused = play("open c1", "c1#1 x+=1", "c1#2 x+=1", "c1#1 x+=1")[-1]
    assert refused.startswith("c1#1 is an answered command")


def test_all_replicas_agree_on_which_session_expires():
    """Thesis: 6.3. Expiry follows from the log alone: the one that was used longest ago."""
    commands = ["open c1", "open c2", "c1#1 x+=1", "open c3", "c1#2 x+=1", "c2#1 x+=1"]
    answers = [play(*commands, sessions=2) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][3] == "session c3 is open; session c2 has expired"


def test_the_command_of_an_expired_session_is_refused_and_never_executed():
    """Thesis: 6.3. It may be a duplicate; nobody can know any more. The client gets an error."""
    commands = ["open c1", "c1#1 x+=1", "open c2", "c1#1 x+=1", "c1#2 x+=1"]
    assert [each.startswith("no session c1") for each in play(*commands, sessions=1)[3:]] == [
        True,
        True,
    ]


def test_sessions_are_in_the_snapshot():
    """Thesis: 6.3. A server that has its state from a snapshot knows the duplicates too."""
    cluster = led(disks=Disks(snapshot_every=4))
    settled(cluster, "open c1")
    settled(cluster, "c1#1 x+=1")
    cluster.isolate("S3")
    for number in range(8):
        settled(cluster, f"y={number}", 60)
    cluster.heal()
    cluster.run(600)
    settled(cluster, "c1#1 x+=1")
    assert not any(each.payload == Command(b"c1#1 x+=1") for each in held(cluster, "S3")[:-1])
    assert {value(cluster, node, "x") for node in names(3)} == {"1"}


def test_sessions_survive_a_change_of_leader():
    """Thesis: 6.3. The table is replicated state: the next leader knows it."""
    cluster = led("S1")
    settled(cluster, "open c1")
    settled(cluster, "c1#1 x+=1")
    assert wins(cluster, "S2")
    settled(cluster, "c1#1 x+=1")
    assert {value(cluster, node, "x") for node in names(3)} == {"1"}


# 6.4 Reads without the log


def reads(outputs) -> list[int]:
    """The reads that came out as ready."""
    return [each.read_id for output in outputs for each in output.reads]


def asked(node, after: float = 0.0) -> tuple[int, Sequence[Message]]:
    """Ask a leader for a read; its number, and what the leader says to the others."""
    number = node.read(node.now)
    return number, drain(node).messages


def answer(node, message: AppendEntries) -> list[int]:
    """A follower, which has everything, answers; the reads that are ready then."""
    node.advance(told(message.receiver, message.term, 1, message.read_round), node.now)
    return reads(drain(node).outputs)


def test_step_1_a_leader_waits_until_an_entry_of_its_own_term_is_committed():
    """Thesis: 6.4, step 1. Before that it may not know the latest commit index."""
    node = leader(terms=(1, 1), term=1)
    number, messages = asked(node)
    assert messages == []
    node.advance(accepted("S2", 2, 3), node.now)
    messages = drain(node).messages
    assert {each.read_round for each in messages} - {0}
    confirmed = [each for each in messages if each.read_round]
    assert answer(node, confirmed[0]) == [number]


class ForgetsStepOne(Rules):
    """A new leader answers reads with what it knows."""

    def may_read(self, log, commit_index, term):
        return True


def test_step_1_without_it_the_leader_asks_before_it_can_know():
    """Thesis: 6.4, step 1. The test above can fail: here the read goes at commit index 0."""
    node = leader(terms=(1, 1), term=1, rules=ForgetsStepOne())
    number, messages = asked(node)
    node.advance(told("S2", 2, 2, messages[0].read_round), node.now)
    ready = [each for output in drain(node).outputs for each in output.reads]
    assert [(each.read_id, each.index) for each in ready] == [(number, 0)]


def test_step_2_the_read_index_is_the_commit_index_of_the_moment_of_asking():
    """Thesis: 6.4, step 2. The read must see the state up to there; more is not needed."""
    node = accepted_by_all(leader())
    number, messages = asked(node)
    node.add_entry(Command(b"x=1"))
    drain(node)
    tell(node, accepted("S3", 1, 2))
    assert node.commit_index == 2
    node.advance(told("S2", 1, 1, messages[0].read_round), node.now)
    ready = [each for output in drain(node).outputs for each in output.reads]
    assert [(each.read_id, each.index) for each in ready] == [(number, 1)]


def test_step_3_the_leader_asks_a_majority_whether_it_still_leads():
    """Thesis: 6.4, step 3. A new round of heartbeats, after the read has come."""
    node = accepted_by_all(leader(nodes=5))
    number, messages = asked(node)
    assert [each.receiver for each in messages] == ["S2", "S3", "S4", "S5"]
    assert answer(node, messages[0]) == []
    assert answer(node, messages[0]) == [], "the same server again is no majority"
    assert answer(node, messages[1]) == [number]


def test_step_3_answers_to_earlier_heartbeats_say_nothing():
    """Thesis: 6.4, step 3. Another leader may have come after they were sent."""
    node = accepted_by_all(leader())
    early = let_time_out(node)
    number, later = asked(node)
    assert answer(node, early[0]) == answer(node, early[1]) == []
    assert answer(node, later[1]) == [number]


def test_step_3_a_deposed_leader_gets_no_such_answer():
    """Thesis: 6.4, step 3. Whoever answers in a higher term ends its leadership, and its reads."""
    cluster = led("S1")
    settled(cluster, "x=1")
    cluster.partition("S1", "S2 S3")
    assert wins(cluster, "S2")
    settled(cluster, "x=2")
    reading = cluster.read("x", of="S1")
    cluster.heal()
    cluster.run(300)
    assert not reading.is_done and reading.has_failed


class AsksNobody(Rules):
    """A leader that takes its own word for it."""

    def still_led_at(self, acked, configuration):
        return max(acked.values())


def test_step_3_without_it_the_read_may_show_the_past():
    """Thesis: 6.4, step 3. The test above can fail: here the old leader answers x=1."""
    cluster = led("S1", rules=AsksNobody)
    settled(cluster, "x=1")
    cluster.partition("S1", "S2 S3")
    assert wins(cluster, "S2")
    settled(cluster, "x=2")
    with pytest.raises(Violation) as stopped:
        cluster.read("x", of="S1")
    assert stopped.value.frame.name == "Reads Are Current"


class AnswersTooEarly(Rules):
    """A node that answers before it has applied what the leader named."""

    def may_serve_read(self, index, commit_index):
        return True


def behind(rules: type[Rules] = Rules) -> Cluster:
    """S3 holds x=2 and does not know that it is committed; its link from the leader is slow."""
    cluster = led("S1", rules=rules, network=Network(latency=(10.0, 10.0)))
    settled(cluster, "x=1")
    index = cluster.propose("x=2")
    assert cluster.run_until(lambda each: each.commit_index >= index, 500)
    assert value(cluster, "S3", "x") == "1"
    return cluster


def asked_behind(rules: type[Rules] = Rules) -> tuple[Cluster, Reading]:
    """S3 is asked for x; the leader's answer comes, and what tells of the commitment is held up."""
    cluster = behind(rules)
    reading, held_up = cluster.read("x", of="S3"), set()
    while not any(each.index for each in said(cluster, ReadIndexReply)) or len(held_up) < 2:
        for flight in cluster.in_flight():
            to_s3 = isinstance(flight.message, AppendEntries) and flight.message.receiver == "S3"
            if to_s3 and flight.number not in held_up:
                held_up.add(flight.number)
                cluster.delay(flight.number, 200)
        cluster.step()
        assert cluster.now < 1_000
    cluster.run(15)
    return cluster, reading


def test_step_4_the_state_machine_must_have_applied_as_far_as_the_read_index():
    """Thesis: 6.4, steps 4 and 5. Then the read is answered from it, there and then."""
    cluster, reading = asked_behind()
    assert value(cluster, "S3", "x") == "1" and not reading.is_done
    assert cluster.run_until(lambda _: reading.is_done, 500)
    assert (reading.value, reading.index) == ("2", cluster.commit_index)


def test_step_4_without_it_a_slow_server_would_show_the_past():
    """Thesis: 6.4, step 4. The test above can fail: here S3 answers when it hears the index."""
    with pytest.raises(Violation) as stopped:
        asked_behind(AnswersTooEarly)
    assert stopped.value.frame.name == "Reads Are Current"


def test_one_round_serves_any_number_of_reads():
    """Thesis: 6.4. They are collected, so that the cost of the round is shared."""
    node = accepted_by_all(leader())
    numbers = [node.read(node.now) for _ in range(10)]
    messages = drain(node).messages
    assert len(messages) == 2
    assert answer(node, messages[0]) == numbers


def test_a_read_that_comes_after_the_round_began_waits_for_the_next():
    """Thesis: 6.4. What is asked now says nothing of a later moment."""
    node = accepted_by_all(leader())
    first, round_one = asked(node)
    second, nothing = asked(node)
    assert nothing == []
    node.advance(told("S2", 1, 1, round_one[0].read_round), node.now)
    then = drain(node)
    assert reads(then.outputs) == [first]
    round_two = [each for each in then.messages if each.read_round > round_one[0].read_round]
    assert answer(node, round_two[0]) == [second]


def test_a_follower_asks_the_leader_for_a_read_index_and_answers_itself():
    """Thesis: 6.4. The leader does steps 1 to 3, the follower 4 and 5: its load is shared."""
    cluster = led("S1")
    settled(cluster, "x=1")
    assert cluster.get("x", of="S3") == "1"
    assert {(each.sender, each.receiver) for each in said(cluster, ReadIndex)} == {("S3", "S1")}
    answers = {(each.receiver, each.index) for each in said(cluster, ReadIndexReply)}
    assert answers == {("S3", cluster.commit_index)}


def test_a_follower_of_a_deposed_leader_gets_no_read_index():
    """Thesis: 6.4. A stale leader cannot confirm, so its followers cannot answer."""
    cluster = led("S1", nodes=5)
    settled(cluster, "x=1")
    cluster.partition("S1 S2", "S3 S4 S5")
    assert wins(cluster, "S3")
    settled(cluster, "x=2")
    reading = cluster.read("x", of="S2")
    cluster.run(1_000)
    assert not reading.is_done
    cluster.heal()
    cluster.run(400)
    assert reading.has_failed
    assert cluster.get("x", of="S2") == "2"


def test_reads_see_what_was_written_before_whoever_is_asked():
    """Thesis: 6.4. In any weather, at any server: every answer is current, or there is none."""
    for seed in range(4):
        weather = Network(latency=(2.0, 30.0), loss=0.05, duplication=0.1, reordering=0.2)
        cluster = Cluster(5, seed=seed, network=weather)
        answered = 0
        for number in range(30):
            if number % 10 == 7 and cluster.leader:
                cluster.isolate(cluster.leader)
            cluster.run(120)
            readings = []
            for node in cluster.nodes:
                if cluster.machine(node).leader is not None:
                    readings.append(cluster.read("x", of=node))
            if cluster.leader:
                cluster.propose(f"x={number}")
            cluster.run(120)
            cluster.heal()
            answered += sum(each.is_done for each in readings)
        assert cluster.violation is None
        assert answered > 40


# 6.4.1 Leases


def test_with_a_lease_a_leader_answers_without_asking():
    """Thesis: 6.4.1. A round of heartbeats of late is proof enough, while the clocks are good."""
    cluster = led("S1", options=LEASES)
    settled(cluster, "x=1")
    sent = cluster.engine.world.network.sent
    reading = cluster.read("x")
    assert (reading.is_done, reading.value, cluster.engine.world.network.sent) == (True, "1", sent)


def leased(**about: Any):
    """S1 leads with leases; a majority has answered the heartbeat it sent at time 0."""
    node = leader(options=Options(lease_reads=True, **about))
    tell(node, accepted("S2", 1, 1))
    first = let_time_out(node)
    start = node.now
    answer(node, first[0])
    return node, start


def test_the_lease_runs_from_the_moment_the_round_was_sent():
    """Thesis: 6.4.1. Start of the round, plus an election timeout over the drift bound."""
    node, start = leased(clock_drift_bound=1.5)
    ends = start + LEASES.election_timeout[0] / 1.5
    number = node.read(ends - 0.001)
    assert reads(drain(node).outputs) == [number]
    node.read(ends)
    assert reads(drain(node).outputs) == []


def test_it_is_extended_by_every_round_that_a_majority_answers():
    """Thesis: 6.4.1. The usual heartbeats do it; reads cost nothing more."""
    cluster = led("S1", options=LEASES)
    settled(cluster, "x=1")
    for _ in range(20):
        cluster.run(77)
        assert cluster.read("x").is_done


def test_when_it_has_run_out_the_leader_asks_again():
    """Thesis: 6.4.1. Without a lease, 6.4 holds."""
    node, start = leased()
    node.tick(start + 149.0)
    drain(node)
    number, messages = asked(node)
    assert messages and answer(node, messages[0]) == [number]


def test_a_lease_ends_when_the_leader_hands_over():
    """Thesis: 6.4.1, with 3.10. The target campaigns before anybody's timeout has passed."""
    node, _ = leased()
    tell(node, accepted("S2", 1, 1))
    node.transfer_leadership("S2")
    drain(node)
    node.read(node.now)
    assert reads(drain(node).outputs) == []


class KeepsItsLease(Rules):
    """A leader that hands over and trusts its lease all the same."""

    def lease_holds(self, lease_from, now, handed_over, options):
        return super().lease_holds(lease_from, now, False, options)


def handed_over(rules: type[Rules]) -> Cluster:
    """S1 has a lease and hands over to S2; it hears nothing of what comes of that."""
    cluster = led("S1", options=LEASES, rules=rules)
    settled(cluster, "x=1")
    cluster.transfer("S2")
    caught(cluster, AppendEntries, "S1", "S3")
    cluster.cut("S2", "S1", both_ways=False)
    cluster.cut("S3", "S1", both_ways=False)
    assert cluster.run_until(lambda each: each.leader == "S2", 100)
    index = cluster.propose("x=2")
    assert cluster.run_until(lambda each: each.machine("S2").commit_index >= index, 100)
    assert leads(cluster, "S1")
    cluster.read("x", of="S1")
    return cluster


def test_if_it_did_not_end_the_old_leader_would_show_the_past():
    """Thesis: 6.4.1, with 3.10. The test above can fail: here the lease is kept."""
    handed_over(Rules)
    with pytest.raises(Violation) as stopped:
        handed_over(KeepsItsLease)
    assert stopped.value.frame.name == "Reads Are Current"


def slow_clock(rate: float, seed: int = 1) -> Cluster:
    """S1 leads with a clock at `rate` and is cut off; it is asked for x again and again.

    Meanwhile another is elected, and sets x to 2.
    """
    options = Options(lease_reads=True, check_quorum=False)
    cluster = led("S1", seed=seed, options=options, network=Network(latency=(1.0, 2.0)))
    settled(cluster, "x=1")
    cluster.set_clock_rate("S1", rate)
    cluster.isolate("S1")
    written, answered = 0, 0
    for _ in range(1_000):
        if written == 20:
            break
        cluster.step()
        if cluster.leader != "S1":
            written += cluster.leader is not None and bool(cluster.propose("x=2"))
        answered += cluster.read("x", of="S1").is_done
    assert answered, "the lease lasted for a while"
    return cluster


@pytest.mark.parametrize("seed", range(3))
def test_leases_are_safe_while_no_clock_drifts_further_than_the_bound(seed):
    """Thesis: 6.4.1. Within the bound, the lease ends before anybody else can be elected."""
    for rate in (2.0, 1.0, 1 / LEASES.clock_drift_bound):
        assert slow_clock(rate, seed).violation is None


def test_leases_are_not_safe_if_one_does():
    """Thesis: 6.4.1. With a clock that is three times too slow, a read shows the past."""
    with pytest.raises(Violation) as stopped:
        slow_clock(1 / 3)
    assert stopped.value.frame.name == "Reads Are Current"


def test_a_server_that_restarts_waits_before_it_votes():
    """Thesis: 6.4.1. It may have answered the leader just before, and a lease counts on that."""
    node = machine(options=LEASES)
    assert tell(node, vote_request("S3", 1), after=100.0) == []
    (given,) = tell(node, vote_request("S3", 1), after=50.0)
    assert given.vote_granted
    plain = machine(options=COMPLETE)
    (given,) = tell(plain, vote_request("S3", 1), after=100.0)
    assert given.vote_granted


class VotesAtOnce(Rules):
    """A server that has just started has heard of no leader, and votes."""

    def waits_after_start(self, options):
        return False


def everybody_restarts(rules: type[Rules]) -> Cluster:
    """S1 has a lease and is cut off; the others restart, and S2 asks S3 for its vote."""
    cluster = led("S1", options=LEASES, rules=rules, network=Network(latency=(1.0, 2.0)))
    settled(cluster, "x=1")
    cluster.isolate("S1")
    for node in ("S2", "S3"):
        cluster.crash(node)
        cluster.restart(node)
    cluster.timeout("S2")
    cluster.run(30)
    if leads(cluster, "S2"):
        index = cluster.propose("x=2", to="S2")
        assert cluster.run_until(lambda each: each.machine("S2").commit_index >= index, 30)
    assert cluster.read("x", of="S1").is_done, "the lease still holds"
    return cluster


def test_if_it_did_not_wait_the_lease_would_be_worth_nothing():
    """Thesis: 6.4.1. The test above can fail: here S3 votes while S1's lease still holds."""
    assert not leads(everybody_restarts(Rules), "S2")
    with pytest.raises(Violation) as stopped:
        everybody_restarts(VotesAtOnce)
    assert stopped.value.frame.name == "Reads Are Current"


def test_leases_need_servers_that_stick_to_their_leader():
    """Thesis: 6.4.1, with 4.2.3. Followers that would vote at any time could not promise it."""
    with pytest.raises(ValueError):
        Options(lease_reads=True, leader_stickiness=False)


def test_a_whole_read_by_hand():
    """Thesis: 6.4. The whole of it, by hand: read, question, answer, and the value's index."""
    with World(3) as world:
        world.elect("S1")
        world.heartbeat("S1")
        number = world["S1"].read()
        asking = drain(world["S1"])
        for message in asking.messages:
            world.hand(message)
        reply = world.take(AppendEntriesReply, "S3", "S1")
        assert reply.read_round == asking.messages[0].read_round
        world["S1"].advance(reply, world.now)
        assert reads(drain(world["S1"]).outputs) == [number]
        world.lose(AppendEntriesReply, "S2", "S1")
