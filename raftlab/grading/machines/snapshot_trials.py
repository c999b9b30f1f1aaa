"""The runs that a machine must stand that has snapshots.

Each has something in it that only such a machine can do: to offer them is not enough.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from raftlab.check.campaign.faults import (
    Verbs,
    compact,
    crash,
    cut,
    delay_long,
    heal,
    isolate,
    partition,
    perturb_message,
    restart,
    timeout,
)
from raftlab.check.campaign.random_start import start
from raftlab.grading.machines.trials import (
    AT_ONCE,
    PATIENT,
    Setting,
    Trial,
    all_lose_power,
    faults_end,
    has,
    lasts,
)
from raftlab.museum.runs import left_behind_a_snapshot
from raftlab.museum.snapshots import late_snapshot, stale_tail_meets_snapshot
from raftlab.raft.messages import InstallSnapshot
from raftlab.raft.vocabulary import NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import (
    PLAIN,
    drop_all,
    is_a,
    numbers_of,
    settle,
    until_sent,
    with_entry,
)
from raftlab.sim.world.settings import Disks

OFTEN = Disks(snapshot_every=3)
NOT_SENT = "S1 has compacted what S3 lacks, and does not send its snapshot"


def log_shrinks(setting: Setting) -> str:
    """Servers compact their logs, a part first and then all; more commands; all restart."""
    cluster = setting.cluster(3, PATIENT)
    if stuck := lasts(cluster, "x=1") or lasts(cluster, "y=1"):
        return stuck
    for node in cluster.nodes:
        for up_to in (cluster.hosts[node].applied_index - 1, None):
            cluster.compact(node, up_to)
            if stuck := _keeps_too_much(cluster, node):
                return stuck
    if stuck := lasts(cluster, "z=1"):
        return stuck
    all_lose_power(cluster)
    return lasts(cluster, "z=2") or has(cluster, "x", "1") or has(cluster, "y", "1")


def _keeps_too_much(cluster: Cluster, node: NodeId) -> str:
    log = cluster.hosts[node].machine.log
    if log.snapshot is None:
        return f"{node} was asked to compact its log, and keeps no snapshot"
    if log.first_index <= log.snapshot.index:
        return f"{node} keeps entry {log.first_index}, and its snapshot stands for it"
    return ""


def _stops(run: Callable[[Cluster], object], cluster: Cluster) -> str:
    """Why S1 sends S3 no snapshot in a run, if so. Raises: NotNow, if it never comes to that."""
    try:
        run(cluster)
    except NotNow:
        if cluster.commit_index < 2:  # it was not elected, say
            raise
        return _keeps_too_much(cluster, "S1") or NOT_SENT
    return ""


def far_behind(setting: Setting) -> str:
    """S3 lacks what S1 has compacted, and gets the snapshot; then it restarts, and leads."""
    cluster = setting.cluster(3, PATIENT)
    if stuck := _stops(left_behind_a_snapshot, cluster):
        return stuck
    if stuck := lasts(cluster, "y=1") or has(cluster, "x", "1"):
        return stuck
    cluster.crash("S3")
    cluster.restart("S3")
    cluster.elect("S3")
    return lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1")


def tail_meets_snapshot(setting: Setting) -> str:
    """A snapshot meets a log that goes on: once it does not fit, once it does."""
    cluster = setting.cluster(3, PATIENT)
    stale_tail_meets_snapshot(cluster)
    cluster.timeout("S3")
    if not cluster.run_until(lambda each: each.leader == "S3", AT_ONCE):
        return "S3 has taken the snapshot, and its log is not as up to date as that of the others"
    if stuck := lasts(cluster, "y=1"):
        return stuck
    cluster = setting.cluster(3, PATIENT)
    if stuck := _stops(_tail_that_fits, cluster):
        return stuck
    cluster.run(100)
    if cluster.hosts["S3"].machine.log.last_index < 3:
        return "S3 has thrown away entry 3, which follows the snapshot and fits"
    return lasts(cluster, "y=1") or has(cluster, "x", "2")


def _tail_that_fits(cluster: Cluster) -> None:
    """S3 gets entries 2 and 3, which were slow, just before a snapshot up to entry 2."""
    settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.propose("x=2")
    slow = numbers_of(cluster, "S1", "S3", with_entry(2))
    for number in slow:
        cluster.delay(number, 5000)
    cluster.cut("S1", "S3")
    cluster.run(60)
    cluster.compact("S1", 2)
    cluster.heal()
    snapshot = until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))
    for number in slow:
        cluster.deliver(number)
    if cluster.hosts["S3"].machine.log.last_index < 3:
        cluster.deliver(until_sent(cluster, "S1", "S3", with_entry(3)))
    with suppress(NotNow):  # it may have come by itself
        cluster.deliver(snapshot)
    drop_all(cluster, "S1", "S3")


def snapshot_is_old(setting: Setting) -> str:
    """A copy of a snapshot comes late, when S3 has more than what it stands for."""
    cluster = setting.cluster(3, PATIENT)
    if stuck := _stops(late_snapshot, cluster):
        return stuck
    return lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1")


def faults_and_snapshots(setting: Setting) -> str:
    """Random faults, where every third command makes a snapshot; then peace, and one far behind."""
    run = start(
        setting.seed,
        nodes=3,
        machine=setting.machine,
        options=PLAIN,
        disks=OFTEN,
        change_members=False,
    )
    if stuck := faults_end(setting, run, FORGETTING):
        return stuck
    cluster = run.cluster
    behind = next(node for node in cluster.nodes if node != cluster.leader)
    cluster.crash(behind)
    for value in range(OFTEN.snapshot_every + 1):  # so that each has something to compact
        if stuck := lasts(cluster, f"w={value}"):
            return stuck
    cluster.restart(behind)
    if stuck := lasts(cluster, "z=1"):
        return stuck
    without = [each.node for each in run.living if each.machine.log.snapshot is None]
    return f"{without[0]} keeps no snapshot" if without else ""


FORGETTING: Verbs = [
    *((isolate, 2), (partition, 1), (timeout, 1), (crash, 1), (cut, 1), (heal, 1), (restart, 2)),
    *((delay_long, 1), (perturb_message, 1), (compact, 1)),
]


COMPACT = "7; Figure 13"
SNAPSHOT_TRIALS: Sequence[Trial] = (
    Trial(
        "the log shrinks",
        log_shrinks,
        "7, Figure 12",
        'Say "snapshot" and "first_index", and start from the snapshot and what follows it.',
        "what a snapshot stands for is lost, or what it does not stand for",
    ),
    Trial(
        "a follower far behind",
        far_behind,
        COMPACT,
        "Send the snapshot to whoever needs what it stands for; what follows comes after it.",
        "a snapshot is acknowledged and not kept, or what follows it is not sent",
    ),
    Trial(
        "a tail",
        tail_meets_snapshot,
        "Figure 13, rules 6 and 7",
        "Keep what follows if the log has the entry that the snapshot ends with; else nothing.",
        "a snapshot is not kept, or with a tail that does not fit",
    ),
    Trial(
        "an old snapshot",
        snapshot_is_old,
        "7, last part",
        "Compare the end of the snapshot with what is known to be committed here.",
        "an older snapshot is taken, or none",
    ),
    Trial(
        "faults and snapshots",
        faults_and_snapshots,
        COMPACT,
        "Play the run, and look at who takes the last snapshot in it.",
        "",
    ),
)
"""The trials, in their order."""
