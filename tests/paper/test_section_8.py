"""Section 8: client interaction: finding the leader, the empty entry, duplicates, reads."""

import pytest

from raftlab.raft.log import Command, Empty
from raftlab.raft.messages import AppendEntries, AppendEntriesReply
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotLeader, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network
from raftlab.sim.world.violation import Violation
from tests.paper.runs import PLAIN, held, leads, led, settled, value, wins
from tests.raft.world import (
    World,
    accepted,
    append,
    candidate,
    drain,
    leader,
    machine,
    names,
    rejected,
    tell,
    terms_of,
)

# Finding the leader


def test_a_server_that_is_not_leader_supplies_the_most_recent_leader_it_heard_from():
    """Paper: 8. It refuses the request, and says whom to ask."""
    node = machine()
    for term, known in ((1, "S2"), (2, "S3")):
        tell(node, append(known, term))
        with pytest.raises(NotLeader) as refused:
            node.add_entry(Command(b"x=1"))
        assert refused.value.leader == known


@pytest.mark.parametrize("make", [machine, candidate])
def test_a_server_that_knows_no_leader_says_so(make):
    """Paper: 8. It refuses all the same: only the leader takes requests."""
    with pytest.raises(NotLeader) as refused:
        make().add_entry(Command(b"x=1"))
    assert refused.value.leader is None


def test_append_entries_include_who_the_leader_is():
    """Paper: 8. That is how followers know: its requests carry its address."""
    node = leader()
    for message in tell(node, rejected("S2", 1, at=0, last=0)):
        assert isinstance(message, AppendEntries)
    node.tick(node.next_deadline)
    assert {each.sender for each in drain(node).messages} == {"S1"}
    assert terms_of(node) == [1]


@pytest.mark.parametrize("first", names(5))
def test_a_client_that_asks_any_server_reaches_the_leader_at_its_second_try(first):
    """Paper: 8. A client begins with a server chosen at random, and is sent on from there."""
    cluster = led("S3", nodes=5)
    try:
        cluster.propose("x=1", to=first)
    except NotLeader as refused:
        assert refused.leader == "S3"
        cluster.propose("x=1", to=refused.leader)
    cluster.run(150)
    assert value(cluster, first, "x") == "1"


def test_when_the_leader_crashes_a_client_tries_other_servers_until_one_leads():
    """Paper: 8. Requests time out then, and the client tries again with servers at random."""
    cluster = led("S3", nodes=5)
    cluster.crash("S3")
    with pytest.raises(NotNow):
        cluster.propose("x=1", to="S3")
    taken = None
    for number in range(200):
        try:
            taken = cluster.propose("x=1", to=("S1", "S2", "S4", "S5")[number % 4])
            break
        except NotLeader:
            cluster.run(10)
    assert taken is not None
    cluster.run(150)
    assert cluster.commit_index >= taken


# Duplicates


def answered_too_late(first: str, again: str, opening: str | None = None) -> Cluster:
    """The leader commits a command and crashes before it answers; the client asks the next one."""
    cluster = led(nodes=5)
    if opening is not None:
        settled(cluster, opening)
    index = cluster.propose(first)
    assert cluster.run_until(lambda each: each.commit_index >= index, 1_000)
    cluster.crash("S1")
    cluster.elect()
    cluster.run(200)
    assert cluster.commit_index > index, "the command survives its leader"
    settled(cluster, again)
    return cluster


def test_a_command_whose_leader_crashed_before_answering_may_be_executed_twice():
    """Paper: 8. Without more, the client's second request is a second command."""
    cluster = answered_too_late("x+=1", "x+=1")
    assert value(cluster, cluster.leader, "x") == "2"


def test_with_serial_numbers_it_is_executed_once():
    """Paper: 8. The state machine knows the latest serial number of each client."""
    cluster = answered_too_late("c1#1 x+=1", "c1#1 x+=1", opening="open c1")
    assert value(cluster, cluster.leader, "x") == "1"
    settled(cluster, "c1#2 x+=1")
    assert value(cluster, cluster.leader, "x") == "2"


def test_the_duplicate_is_in_the_log_and_gets_the_first_answer():
    """Paper: 8. It is answered at once with the saved response, and not executed again."""
    cluster = answered_too_late("c1#1 x+=1", "c1#1 x+=1", opening="open c1")
    node = cluster.leader
    copies = [each for each in held(cluster, node) if each.payload == Command(b"c1#1 x+=1")]
    assert len(copies) == 2
    settled(cluster, "x=7")
    application = cluster.hosts[node].application
    assert application.apply(copies[0]) == "1"
    assert application.get("x") == "7"


def test_serial_numbers_of_different_clients_have_nothing_to_do_with_each_other():
    """Paper: 8. Each client numbers its own commands."""
    cluster = led()
    for command in ("open c1", "open c2", "c1#1 x+=1", "c2#1 x+=1", "c2#1 x+=1"):
        settled(cluster, command)
    assert value(cluster, "S3", "x") == "2"


# The empty entry


@pytest.mark.parametrize("terms", [(), (1,), (1, 2, 2)])
def test_each_leader_appends_an_empty_entry_at_the_start_of_its_term(terms):
    """Paper: 8. The first entry of every term has nothing in it."""
    node = leader(terms=terms, term=2, quiet=False)
    last = node.log.last_entry
    assert (last.payload, last.term, last.index) == (Empty(), 3, len(terms) + 1)
    said = drain(node)
    assert said.log_entries == [last]
    assert {each.entries for each in said.messages} == {(last,)}


def test_a_new_leader_does_not_know_which_entries_are_committed():
    """Paper: 8. It holds all of them, but at the start of its term it cannot tell which."""
    with World(3) as world:
        world.elect("S1")
        world.heartbeat("S1")
        world.propose("S1")
        world.settle("S1", "S2")
        assert world["S1"].commit_index == 2
        world.crash("S1")
        world.timeout("S2")
        assert world["S2"].commit_index == 1
        world.settle("S2", "S3")
        assert world["S2"].commit_index == 3, "it finds out by committing an entry of its term"


def test_without_an_entry_of_its_own_term_it_would_never_find_out():
    """Paper: 8. The rule above can fail: here the leader waits for a command."""

    class NoEmptyEntry(Rules):
        def appends_at_term_start(self):
            return False

    with World(3, logs=((1, 1),) * 3, term=1, rules=NoEmptyEntry()) as world:
        world.timeout("S1", force=True)
        world.settle()
        for _ in range(5):
            world.heartbeat("S1")
        assert world["S1"].role_data.tracker.match_indexes() == {"S1": 2, "S2": 2, "S3": 2}
        assert world["S1"].commit_index == 0
        world.propose("S1")
        world.settle()
        assert world["S1"].commit_index == 3


def test_the_empty_entry_is_sent_in_the_first_words_of_the_leader():
    """Paper: 8, with 5.2. Committing it takes one round."""
    with World(3) as world:
        world.timeout("S1", force=True)
        world.settle("S1", "S2")
        assert world["S1"].commit_index == 1
        world.lose_all()


def test_the_empty_entry_is_handed_to_the_application_in_its_place():
    """Paper: 8. It has an index like any other, and changes nothing."""
    node = leader()
    node.advance(accepted("S2", 1, 1), node.now)
    assert [each.payload for each in drain(node).committed] == [Empty()]


# Reads


class TrustsItself(Rules):
    """A leader that asks nobody whether it still leads."""

    def still_led_at(self, acked, configuration):
        return max(acked.values())


class AnswersAtOnce(Rules):
    """A leader that has committed nothing of its own term, and answers all the same."""

    def may_read(self, log, commit_index, term):
        return True


def deposed(rules: type[Rules] = Rules) -> Cluster:
    """S1 led, and set x to 1; cut off, it does not know that S2 leads and has set x to 2."""
    cluster = led(rules=rules)
    settled(cluster, "x=1")
    cluster.isolate("S1")
    assert wins(cluster, "S2")
    settled(cluster, "x=2")
    assert leads(cluster, "S1")
    return cluster


def test_a_read_writes_nothing_into_the_log():
    """Paper: 8. Reads can be answered without an entry."""
    cluster = led()
    settled(cluster, "x=1")
    last = [cluster.machine(node).log.last_index for node in names(3)]
    assert cluster.get("x") == "1"
    assert [cluster.machine(node).log.last_index for node in names(3)] == last


def test_a_leader_that_asked_nobody_could_answer_with_what_is_past():
    """Paper: 8. Another may lead by now, of whom it knows nothing."""
    cluster = deposed(TrustsItself)
    with pytest.raises(Violation) as stopped:
        cluster.get("x", of="S1")
    assert stopped.value.frame.name == "Reads Are Current"


def test_a_leader_asks_a_majority_before_it_answers():
    """Paper: 8. It exchanges heartbeats with a majority to see that it was not deposed."""
    cluster = deposed()
    reading = cluster.read("x", of="S1")
    cluster.run(1_000)
    assert not reading.is_done
    cluster.heal()
    cluster.run(500)
    assert reading.has_failed
    assert cluster.get("x") == "2"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_it_answers_as_soon_as_a_majority_has_answered_it(size):
    """Paper: 8. Its heartbeats go to all; a majority is enough."""
    with World(size) as world:
        world.timeout("S1", force=True)
        world.settle()
        number = world["S1"].read()
        asked = drain(world["S1"])
        ready = [each.read_id for output in asked.outputs for each in output.reads]
        assert ready == ([number] if size == 1 else [])
        assert [each.receiver for each in asked.messages] == list(names(size)[1:])
        for have, message in enumerate(asked.messages, start=2):
            world.hand(message)
            world["S1"].advance(world.take(AppendEntriesReply, message.receiver, "S1"), world.now)
            said = drain(world["S1"])
            ready += [each.read_id for output in said.outputs for each in output.reads]
            assert bool(ready) is (2 * have > size)
        assert ready == [number]


def inherited(rules: type[Rules] = Rules) -> Cluster:
    """S1 committed x=1 with S2 and crashed; S2 leads, does not know it yet, and S3 lacks it."""
    cluster = led(rules=rules, network=Network(latency=(10.0, 10.0)))
    settled(cluster, "x=0")
    cluster.isolate("S3")
    index = cluster.propose("x=1")
    assert cluster.run_until(lambda each: each.commit_index >= index, 1_000)
    cluster.crash("S1")
    cluster.heal()
    cluster.timeout("S2")
    assert cluster.run_until(lambda each: leads(each, "S2"), 200)
    assert cluster.machine("S2").commit_index == index - 1
    return cluster


def test_a_leader_must_have_the_latest_word_on_what_is_committed():
    """Paper: 8. It answers only when its own empty entry is committed, and so all before it."""
    cluster = inherited()
    assert cluster.get("x", of="S2") == "1"
    machine_of_leader = cluster.machine("S2")
    assert machine_of_leader.log.term_for_index(machine_of_leader.commit_index) == 2


def test_without_that_word_it_could_miss_what_its_predecessor_committed():
    """Paper: 8. The test above can fail: here the empty entry is not waited for."""
    cluster = inherited(AnswersAtOnce)
    with pytest.raises(Violation) as stopped:
        cluster.get("x", of="S2")
    assert stopped.value.frame.name == "Reads Are Current"


def test_alternatively_a_leader_can_rely_on_a_lease():
    """Paper: 8. With bounded clocks, heartbeats of late are enough, and nobody is asked."""
    cluster = led(options=Options(lease_reads=True))
    settled(cluster, "x=1")
    sent = cluster.engine.world.network.sent
    reading = cluster.read("x")
    assert (reading.is_done, reading.value) == (True, "1")
    assert cluster.engine.world.network.sent == sent


def test_every_request_appears_to_happen_once_between_call_and_answer():
    """Paper: 8, the goal: linearizability. A counter under crashes, lost answers and retries."""
    for seed in range(4):
        weather = Network(latency=(2.0, 12.0), loss=0.05, duplication=0.1)
        cluster = Cluster(5, seed=seed, options=PLAIN, network=weather)
        cluster.elect()
        settled_by_retries(cluster, "open c1")
        for number in range(1, 16):
            settled_by_retries(cluster, f"c1#{number} x+=1")
            if number % 5 == 0:
                crashed = cluster.leader
                cluster.crash(crashed)
                cluster.run(600)
                cluster.restart(crashed)
        cluster.calm()
        cluster.run(1_000)
        assert {value(cluster, node, "x") for node in cluster.nodes} == {"15"}


def settled_by_retries(cluster: Cluster, command: str) -> None:
    """A client that sends its command again until it hears that it was committed."""
    for _ in range(100):
        if cluster.leader is None:
            cluster.run(50)
            continue
        index, term = cluster.propose(command), cluster.machine(cluster.leader).term
        for _ in range(4):
            cluster.run(20)
            known = cluster.leader and cluster.machine(cluster.leader)
            if known and known.commit_index >= index and known.log.term_for_index(index) == term:
                return
    raise AssertionError(f"{command} was never committed")
