"""Section 7: log compaction, with Figures 12 and 13: every rule of the receiver."""

import pytest

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import Accepted, AppendEntries, InstallSnapshot, InstallSnapshotReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.settings import Disks
from raftlab.sim.world.violation import Violation
from tests.paper.runs import PLAIN, caught, held, led, said, settled, value, wins
from tests.raft.world import (
    append,
    append_of,
    candidate,
    drain,
    entries,
    entry,
    leader,
    let_time_out,
    machine,
    names,
    rejected,
    tell,
    terms_of,
)

THREE = Configuration(names(3))
TERMS_OF_FIGURE_12 = (1, 1, 1, 2, 3, 3, 3)


def snapshot(index: int, term: int, data: bytes = b"") -> Snapshot:
    """What stands for everything up to (`index`, `term`)."""
    return Snapshot(index, term, THREE, data)


def compacted(up_to: int, terms: tuple[int, ...] = TERMS_OF_FIGURE_12) -> RaftLog:
    """A log with entries of `terms`, of which those up to `up_to` are in a snapshot."""
    tail = entries(*terms[up_to:], start=up_to + 1)
    return RaftLog(tail, snapshot(up_to, terms[up_to - 1]))


def install(
    sender: str, term: int, index: int, last_term: int, data: bytes = b""
) -> InstallSnapshot:
    """`sender`, as leader of `term`, sends S1 its snapshot up to (`index`, `last_term`)."""
    return InstallSnapshot(
        term=term, sender=sender, receiver="S1", snapshot=snapshot(index, last_term, data)
    )


def installed(sender: str, term: int, index: int, success: bool = True) -> InstallSnapshotReply:
    """`sender` answers S1 that it took the snapshot up to `index`, or not."""
    return InstallSnapshotReply(
        term=term, sender=sender, receiver="S1", last_index=index, success=success
    )


class NoEmptyEntry(Rules):
    """The figures are drawn for leaders that append nothing when their term starts."""

    def appends_at_term_start(self):
        return False


# Taking a snapshot


def figure_12() -> Cluster:
    """Seven entries of terms 1 1 1 2 3 3 3, all committed, as in the figure; x and y are set."""
    cluster = Cluster(3, seed=1, options=PLAIN, rules=NoEmptyEntry)
    past = {"S1": ("x=3", "y=1", "y=9"), "S2": ("x=2",), "S3": ("x=0", "y=7", "x=5")}
    for node, commands in past.items():
        cluster.elect(node)
        for command in commands:
            settled(cluster, command)
    assert terms_of(cluster.machine("S1").log) == list(TERMS_OF_FIGURE_12)
    return cluster


def test_figure_12_a_snapshot_takes_the_place_of_the_committed_entries_up_to_its_index():
    """Paper: 7, Figure 12. Entries 1 to 5 become x and y as they were then; 6 and 7 stay."""
    cluster = figure_12()
    cluster.compact("S1", 5)
    log = cluster.machine("S1").log
    assert KeyValue.decode(log.snapshot.data).values == {"x": "0", "y": "9"}
    assert [each.index for each in log] == [6, 7]
    assert value(cluster, "S1", "x") == "5", "the application itself goes on from where it is"


def test_figure_12_a_snapshot_says_where_it_ends_and_in_which_term():
    """Paper: 7, Figure 12. Its last included index and term are part of it."""
    cluster = figure_12()
    cluster.compact("S1", 5)
    held_snapshot = cluster.machine("S1").log.snapshot
    assert (held_snapshot.index, held_snapshot.term) == (5, 3)


@pytest.mark.parametrize(("prev", "agrees"), [((5, 3), True), ((5, 2), False), ((4, 2), True)])
def test_they_support_the_consistency_check_for_the_first_entry_after_it(prev, agrees):
    """Paper: 7. That entry has a predecessor too, whose index and term must be known."""
    node = machine(held=compacted(5, (1, 1, 1, 2, 3)), term=3)
    sent = entries(3, 3, start=prev[0] + 1)
    (answer,) = tell(
        node,
        append_of("S2", 3, prev, *sent),
    )
    assert isinstance(answer.result, Accepted) is agrees


def test_each_server_takes_snapshots_on_its_own():
    """Paper: 7. A follower asks nobody, and tells nobody."""
    cluster = figure_12()
    sent = cluster.engine.world.network.sent
    cluster.compact("S2")
    assert cluster.engine.world.network.sent == sent
    assert [cluster.machine(node).log.snapshot is not None for node in names(3)] == [
        False,
        True,
        False,
    ]


def test_a_snapshot_covers_committed_entries_only():
    """Paper: 7. What is not committed may still be overwritten."""
    node = machine()
    node.advance(append("S2", 1, (0, 0), (1, 1, 1), commit=2), 0.0)
    drain(node)
    with pytest.raises(NotNow):
        node.compact(3)
    node.compact(2)
    assert node.log.snapshot.index == 2


def test_a_snapshot_holds_the_latest_configuration_up_to_its_index():
    """Paper: 7. Membership changes need it; one that comes later in the log is not in it."""
    first, second = Configuration(names(4)), Configuration(names(5))
    log = RaftLog(
        [
            entry(1, 1),
            LogEntry(1, 2, first),
            entry(3, 1),
            LogEntry(1, 4, second),
        ]
    )
    node = machine(held=log, term=1, commit_index=4)
    drain(node)
    node.compact(3)
    assert node.log.snapshot.configuration == first
    assert node.configuration == second
    drain(node)
    node.compact(4)
    assert node.log.snapshot.configuration == second


def test_a_configuration_whose_entry_is_gone_is_still_in_force():
    """Paper: 7, with 6. The snapshot stands for it, also after a restart."""
    five = Configuration(names(5))
    log = RaftLog((), Snapshot(4, 1, five))
    assert machine(held=log, term=1).configuration == five


def test_once_a_snapshot_is_written_the_entries_up_to_its_index_may_go():
    """Paper: 7. It takes their place on the disk too, and any snapshot before it goes as well."""
    cluster = figure_12()
    disk = cluster.hosts["S1"].disk
    cluster.compact("S1", 3)
    cluster.run(20)
    cluster.compact("S1", 5)
    cluster.run(20)
    assert disk.snapshot.index == 5
    assert [each.index for each in disk.log] == [6, 7]


def test_and_not_before_it_is_written():
    """Paper: 7. A crash in the middle of writing leaves the whole log."""
    cluster = figure_12()
    cluster.slow_disk("S1", 50)
    cluster.compact("S1", 5)
    cluster.crash("S1")
    disk = cluster.hosts["S1"].disk
    assert disk.snapshot is None
    assert terms_of(disk.log) == list(TERMS_OF_FIGURE_12)


def test_a_server_that_restarts_goes_on_from_its_snapshot():
    """Paper: 7. The application begins with the snapshot and applies only what comes after."""
    cluster = figure_12()
    cluster.compact("S1", 5)
    cluster.run(20)
    cluster.crash("S1")
    cluster.restart("S1")
    host = cluster.hosts["S1"]
    assert (host.applied_index, dict(host.application.values)) == (5, {"x": "0", "y": "9"})
    cluster.run(400)
    assert (host.applied_index, dict(host.application.values)) == (7, {"x": "5", "y": "7"})


def test_a_fixed_size_is_a_simple_strategy_for_when_to_take_one():
    """Paper: 7. With a snapshot for every few entries, no log grows without end."""
    cluster = led(disks=Disks(snapshot_every=5))
    longest = 0
    for number in range(40):
        settled(cluster, f"x={number}", 60)
        longest = max(longest, *(len(cluster.machine(node).log) for node in names(3)))
    cluster.run(200)
    assert longest <= 6
    assert value(cluster, "S2", "x") == "39"


def test_followers_take_snapshots_without_the_leader_s_knowledge():
    """Paper: 7. Data still comes from the leader only; followers tidy up what they have."""
    cluster = led()
    for number in range(5):
        settled(cluster, f"x={number}")
    known = cluster.machine("S1").role_data.tracker.progress["S2"].fingerprint()
    cluster.compact("S2")
    cluster.run(200)
    assert cluster.machine("S1").role_data.tracker.progress["S2"].fingerprint() == known
    assert cluster.machine("S1").log.snapshot is None
    settled(cluster, "x=5")
    assert value(cluster, "S2", "x") == "5"


# Sending it


@pytest.mark.parametrize(("agrees_at", "sends"), [(0, True), (3, True), (4, True), (5, False)])
def test_the_leader_sends_a_snapshot_if_it_has_discarded_the_next_entry(agrees_at, sends):
    """Paper: 7. Only what is no longer in the log has to go as a snapshot."""
    node = leader(held=compacted(5), term=3)
    term = TERMS_OF_FIGURE_12[agrees_at - 1] if agrees_at else 0
    answer = rejected("S2", 4, at=7, last=agrees_at, hint=(agrees_at, term))
    (message,) = tell(node, answer)
    assert isinstance(message, InstallSnapshot if sends else AppendEntries)
    if sends:
        assert message == InstallSnapshot(
            term=4, sender="S1", receiver="S2", snapshot=node.log.snapshot
        )
    else:
        assert (message.prev_log_index, message.prev_log_term) == (5, 3)


def test_followers_that_keep_up_never_need_one():
    """Paper: 7. In normal operation nobody needs what was discarded."""
    cluster = led(disks=Disks(snapshot_every=3))
    for number in range(20):
        settled(cluster, f"x={number}", 100)
    assert cluster.machine("S1").log.first_index > 15
    assert said(cluster, InstallSnapshot) == []


def test_an_exceptionally_slow_follower_is_brought_up_to_date_by_a_snapshot():
    """Paper: 7. One that was away for long gets the snapshot, and then what follows."""
    cluster = led(disks=Disks(snapshot_every=5))
    cluster.isolate("S3")
    for number in range(20):
        settled(cluster, f"x={number}", 60)
    cluster.heal()
    cluster.run(600)
    assert {each.receiver for each in said(cluster, InstallSnapshot)} == {"S3"}
    assert value(cluster, "S3", "x") == "19"
    assert cluster.machine("S3").commit_index == cluster.commit_index


def test_a_new_server_is_brought_up_to_date_by_a_snapshot():
    """Paper: 7. So is one that joins with an empty disk."""
    cluster = led(disks=Disks(snapshot_every=5), options=Options())
    for number in range(20):
        settled(cluster, f"x={number}", 60)
    cluster.add_learner("S4")
    cluster.run(600)
    assert {each.receiver for each in said(cluster, InstallSnapshot)} == {"S4"}
    assert value(cluster, "S4", "x") == "19"


def test_after_the_snapshot_the_leader_sends_what_follows_it():
    """Paper: 7. Replication goes on just after the last included index."""
    node = leader(held=compacted(5), term=3)
    tell(node, rejected("S2", 4, at=7, last=0))
    said_then = tell(node, installed("S2", 4, 5))
    assert [each.prev_log_index for each in said_then] == [5]
    assert [each.index for each in said_then[0].entries] == [6, 7, 8]


def test_a_snapshot_counts_as_a_copy_of_what_it_stands_for():
    """Paper: 7, with 5.3. Whoever took it agrees up to its last index."""
    node = leader(held=compacted(5), term=3)
    tell(node, rejected("S2", 4, at=7, last=0))
    tell(node, installed("S2", 4, 5))
    assert node.role_data.tracker.progress["S2"].match_index == 5


def test_a_snapshot_that_is_not_answered_is_sent_again():
    """Paper: 7, with 5.5. Like any request it is retried until it arrives."""
    cluster = led(disks=Disks(snapshot_every=5))
    cluster.isolate("S3")
    for number in range(9):
        settled(cluster, f"x={number}", 60)
    cluster.heal()
    for _ in range(3):
        cluster.drop(caught(cluster, InstallSnapshot, "S1", "S3"))
        assert value(cluster, "S3", "x") is None
    caught(cluster, InstallSnapshot, "S1", "S3")
    cluster.run(200)
    assert value(cluster, "S3", "x") == "8"


def test_the_leader_keeps_its_authority_while_a_snapshot_is_under_way():
    """Paper: 7, with 5.2. Sending one may take long; its heartbeats go on meanwhile."""
    node = leader(held=compacted(5), term=3)
    tell(node, rejected("S2", 4, at=7, last=0))
    heard = [each for each in let_time_out(node) if each.receiver == "S2"]
    assert [each.entries for each in heard] == [()]


# Receiving it: Figure 13


@pytest.mark.parametrize("make", [machine, candidate, leader])
def test_rule_1_a_snapshot_of_a_lower_term_is_refused_at_once(make):
    """Paper: 7, Figure 13, receiver rule 1. It changes nothing; the answer brings the term."""
    node = make(terms=(1, 1), term=5)
    before = node.fingerprint()
    (answer,) = tell(node, install("S2", 3, 9, 3))
    assert isinstance(answer, InstallSnapshotReply)
    assert (answer.success, answer.term) == (False, node.term)
    assert node.fingerprint() == before


def test_the_answer_s_term_makes_an_old_leader_step_down():
    """Paper: 7, Figure 13, results. The term is for the leader to update itself."""
    node = leader(held=compacted(5), term=3)
    tell(node, installed("S2", 9, 0, success=False))
    assert (node.role, node.term) == (Role.FOLLOWER, 9)


@pytest.mark.parametrize(("make", "term"), [(machine, 5), (machine, 7), (candidate, 6)])
def test_a_snapshot_comes_from_the_leader_and_is_heard_as_such(make, term):
    """Paper: 7, Figure 13, arguments. It names the leader, and keeps the follower waiting."""
    node = make(term=5)
    tell(node, install("S2", term, 3, 2), after=100.0)
    assert (node.role, node.leader, node.term) == (Role.FOLLOWER, "S2", term)
    assert node.election_deadline >= node.now + 150.0


def test_rules_2_to_4_there_is_one_chunk_and_it_is_the_last():
    """Paper: 7, Figure 13, receiver rules 2 to 4. Offset 0 and done: one message, one answer."""
    cluster = led(disks=Disks(snapshot_every=5))
    cluster.isolate("S3")
    for number in range(9):
        settled(cluster, f"x={number}", 60)
    cluster.heal()
    cluster.run(600)
    (sent,) = said(cluster, InstallSnapshot)
    assert KeyValue.decode(sent.snapshot.data).get("x")
    (answer,) = said(cluster, InstallSnapshotReply)
    assert (answer.success, answer.last_index) == (True, sent.snapshot.index)


def test_rule_5_a_snapshot_is_saved_and_an_earlier_one_goes():
    """Paper: 7, Figure 13, receiver rule 5. The new one is on disk before the answer leaves."""
    node = machine(held=RaftLog((), snapshot(2, 1)), term=1)
    node.advance(install("S2", 1, 5, 1, b"later"), 0.0)
    output = node.poll()
    assert output.snapshot == snapshot(5, 1, b"later") == node.log.snapshot
    assert output.must_be_written
    assert output.messages == (
        InstallSnapshotReply(term=1, sender="S1", receiver="S2", last_index=5, success=True),
    )


class TakesAnySnapshot(Rules):
    """Takes whatever snapshot arrives, however old."""

    def takes_snapshot(self, snapshot, commit_index):
        return True


@pytest.mark.parametrize("index", [1, 2, 3, 4])
def test_a_snapshot_of_what_is_known_already_changes_nothing(index):
    """Paper: 7, Figure 13, receiver rule 5 read backwards. An older snapshot replaces nothing."""
    node = machine(held=compacted(3, (1, 1, 1, 1, 1)), term=1, commit_index=4)
    drain(node)
    (answer,) = tell(node, install("S2", 1, index, 1))
    assert answer.success
    assert (node.log.snapshot, node.commit_index) == (snapshot(3, 1), 4)
    assert list(node.log) == list(entries(1, 1, start=4))


def late_copy(rules: type[Rules]) -> Cluster:
    """S3 was away and got a snapshot; a second copy of it comes when S3 has much more."""
    cluster = led(rules=rules)
    cluster.isolate("S3")
    for number in range(6):
        settled(cluster, f"x={number}", 60)
    cluster.compact("S1")
    cluster.heal()
    cluster.duplicate(caught(cluster, InstallSnapshot, "S1", "S3"))
    second = cluster.in_flight()[-1].number
    cluster.delay(second, 900)
    for number in range(4):
        settled(cluster, f"y={number}")
    cluster.deliver(second)
    return cluster


def test_a_late_copy_of_a_snapshot_does_not_roll_the_application_back():
    """Paper: 7. A retransmission, or a mistake, must do no harm."""
    cluster = late_copy(Rules)
    assert value(cluster, "S3", "y") == "3"
    assert cluster.machine("S3").log.last_index == cluster.commit_index


def test_if_any_snapshot_were_taken_committed_entries_would_be_lost():
    """Paper: 7. The tests above can fail: here the follower takes the old snapshot."""
    with pytest.raises(Violation) as stopped:
        late_copy(TakesAnySnapshot)
    assert stopped.value.frame.name == "Committed Stays"


class ForgetsTheTail(Rules):
    """Drops the whole log whenever a snapshot arrives."""

    def keeps_tail(self, log, snapshot):
        return False


class KeepsAnyTail(Rules):
    """Keeps what follows a snapshot, whether or not it belongs to it."""

    def keeps_tail(self, log, snapshot):
        return True


def after_snapshot(
    terms: tuple[int, ...], index: int, last_term: int, rules: type[Rules] = Rules
) -> list[int]:
    """The terms along what a follower's log holds after a snapshot has arrived."""
    node = machine(terms=terms, term=3, rules=rules())
    (answer,) = tell(node, install("S2", 3, index, last_term))
    assert answer.success and node.commit_index == index
    return terms_of(node)


@pytest.mark.parametrize(
    ("terms", "index", "last_term", "stays"),
    [
        ((1, 1, 1, 2), 2, 1, [1, 2]),
        ((1, 1, 1, 2), 3, 1, [2]),
        ((1, 1, 1, 2), 4, 2, []),
        ((1, 2, 3, 3), 1, 1, [2, 3, 3]),
    ],
)
def test_rule_6_what_follows_a_snapshot_of_a_prefix_stays(terms, index, last_term, stays):
    """Paper: 7, Figure 13, receiver rule 6. The snapshot's last entry is there: keep the rest."""
    assert after_snapshot(terms, index, last_term) == stays


def test_rule_6_without_it_acknowledged_entries_would_be_gone():
    """Paper: 7, Figure 13, receiver rule 6. The leader may have counted on what follows."""
    assert after_snapshot((1, 1, 1, 2), 2, 1, ForgetsTheTail) == []


@pytest.mark.parametrize(
    ("terms", "index", "last_term"),
    [
        ((), 3, 3),
        ((1, 1), 3, 3),
        ((1, 1, 1, 1, 1), 3, 3),
        ((1, 1, 2, 2, 2), 3, 3),
        ((1, 2, 2, 2), 2, 1),
    ],
)
def test_rule_7_a_log_that_does_not_hold_the_last_entry_is_discarded_whole(terms, index, last_term):
    """Paper: 7, Figure 13, receiver rule 7. The snapshot supersedes it, conflicts and all."""
    assert after_snapshot(terms, index, last_term) == []


def test_rule_7_without_it_entries_that_conflict_would_stay():
    """Paper: 7, Figure 13, receiver rule 7. The test above can fail: here a stale tail is kept."""
    assert after_snapshot((1, 1, 2, 2, 2), 3, 3, KeepsAnyTail) == [2, 2]


def test_rule_7_what_was_discarded_is_gone_from_the_disk_too():
    """Paper: 7, Figure 13, receiver rule 7. A restart must not find the old tail again."""
    cluster = led("S3", disks=Disks(snapshot_every=4))
    cluster.isolate("S3")
    for number in range(8):
        cluster.propose(f"stale={number}", to="S3")
    cluster.run(50)
    assert wins(cluster, "S1")
    for number in range(12):
        settled(cluster, f"x={number}", 60)
    cluster.heal()
    cluster.run(600)
    assert said(cluster, InstallSnapshot)
    cluster.crash("S3")
    cluster.restart("S3")
    assert held(cluster, "S3") == [
        each for each in held(cluster, "S1") if each.index >= held(cluster, "S3")[0].index
    ]
    cluster.run(400)
    assert value(cluster, "S3", "stale") is None
    assert value(cluster, "S3", "x") == "11"


def test_rule_8_the_application_begins_anew_from_the_snapshot():
    """Paper: 7, Figure 13, receiver rule 8. It is handed out; what is applied then follows it."""
    node = machine(terms=(1, 1), term=3)
    node.advance(install("S2", 3, 5, 2, b"state"), 0.0)
    output = node.poll()
    assert (output.snapshot.data, output.committed) == (b"state", ())
    node.advance(append("S2", 3, (5, 2), (3, 3), commit=7), 0.0)
    assert [each.index for each in drain(node).committed] == [6, 7]


def test_rule_8_the_snapshot_s_configuration_is_loaded():
    """Paper: 7, Figure 13, receiver rule 8. Who belongs to the cluster is part of what it says."""
    cluster = led("S3", nodes=4, disks=Disks(snapshot_every=4), options=Options())
    cluster.isolate("S4")
    cluster.remove("S2")
    cluster.run(300)
    for number in range(8):
        settled(cluster, f"x={number}", 60)
    assert cluster.machine("S4").configuration == Configuration(names(4))
    cluster.heal()
    cluster.run(600)
    assert "S4" in {each.receiver for each in said(cluster, InstallSnapshot)}
    assert cluster.machine("S4").configuration == Configuration(("S1", "S3", "S4"))
    assert not any(isinstance(each.payload, Configuration) for each in held(cluster, "S4"))


def test_wherever_logs_are_compacted_all_servers_end_in_the_same_state():
    """Paper: 7. Whatever is compacted where, followers end with the leader's state."""
    for seed in range(4):
        cluster = led(seed=seed, nodes=5, disks=Disks(snapshot_every=3))
        for number in range(15):
            away = names(5)[1 + number % 4]
            cluster.isolate(away)
            settled(cluster, f"x+={number}", 70)
            cluster.heal()
        cluster.run(800)
        assert {value(cluster, node, "x") for node in names(5)} == {"105"}
