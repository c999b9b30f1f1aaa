"""The runs that a machine must stand in M4: what is on its disk, and nothing else, is left."""

import random
from collections.abc import Sequence

from raftlab.check.campaign.faults import (
    Verbs,
    crash,
    crash_all,
    crash_leader,
    cut,
    delay_long,
    heal,
    isolate,
    partition,
    pause,
    perturb_message,
    restart,
    restart_all,
    resume,
    set_clock_rate,
    slow_disk,
    timeout,
)
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.timed_faults import PLANS
from raftlab.grading.machines.replication_trials import overtaken
from raftlab.grading.machines.trials import Setting, Trial, all_lose_power, faults_end, has, lasts
from raftlab.museum.runs import stale_tail_meets_leader
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle, until_sent

CRASH_POINTS = 10
"""How many crashes are tried, each by itself."""


def works(setting: Setting) -> str:
    """Three servers elect, replicate and commit; so do five."""
    return lasts(setting.cluster(3), "x=1") or lasts(setting.cluster(5), "x=1")


def all_restart(setting: Setting) -> str:
    """All servers lose power after a command was acknowledged, and start again."""
    cluster = setting.cluster(3)
    if stuck := lasts(cluster, "x=1"):
        return stuck
    all_lose_power(cluster)
    return lasts(cluster, "y=1") or has(cluster, "x", "1")


def voter_restarts(setting: Setting) -> str:
    """S2 votes for S1, and loses power; in the same term S3, which has not heard, asks it."""
    cluster = setting.cluster(3)
    cluster.cut("S1", "S3")
    cluster.timeout("S1")
    until_sent(cluster, "S2", "S1")
    cluster.crash("S2")
    cluster.restart("S2")
    cluster.timeout("S3")
    cluster.run(100)
    cluster.heal()
    return lasts(cluster, "x=1")


def alone_and_slow(setting: Setting) -> str:
    """One server alone, whose disk is slow, takes a command and loses power while it writes."""
    cluster = setting.cluster(1)
    if stuck := lasts(cluster, "x=1"):
        return stuck
    cluster.slow_disk("S1", 200)
    cluster.propose("x=2")
    cluster.run(100)
    cluster.crash("S1")
    cluster.slow_disk("S1", 1)
    cluster.restart("S1")
    return lasts(cluster, "y=1") or has(cluster, "x", "1")


def tail_is_replaced(setting: Setting) -> str:
    """S3's log had entries that the leader replaced; then all lose power."""
    cluster = setting.cluster(3)
    stale_tail_meets_leader(cluster)
    if stuck := has(cluster, "x", "1"):
        return stuck
    for node in ("S3", "S1", "S2"):
        cluster.crash(node)
        cluster.restart(node)
    return lasts(cluster, "y=1") or has(cluster, "x", "1")


def every_crash_point(setting: Setting) -> str:
    """A run of two elections and two commands, and the same with a crash at each of its writes."""
    cluster = setting.cluster(3)
    settle(cluster, "S1", 100)
    cluster.propose("x=1")
    cluster.run(60)
    settle(cluster, "S2", 100)
    cluster.propose("x=2", to="S2")
    cluster.run(60)
    for number, node in crash_points(cluster):
        there = setting.goes_on(cluster.at(number))
        there.crash(node)
        there.run(5)
        there.restart(node)
        if stuck := lasts(there, "y=1"):
            return f"after a crash of {node} at {cluster.at(number).now:.0f} ms: {stuck}"
    return ""


def crash_points(cluster: Cluster) -> list[tuple[int, NodeId]]:
    """Where a disk begins and ends a write: the frame, and whose disk. At most `CRASH_POINTS`."""
    found: list[tuple[int, NodeId]] = []
    before: dict[NodeId, object] = {}
    for frame in cluster.recording.frames():
        for node in frame.nodes:
            if node.node in before and node.disk != before[node.node]:
                found.append((frame.number, node.node))
            before[node.node] = node.disk
    step = max(1, len(found) // CRASH_POINTS)
    return found[::step][:CRASH_POINTS]


def three_for_long(setting: Setting) -> str:
    """Late messages, and leaders whose entries are old or few; random faults, and a power cut."""
    return overtaken(setting) or random_run(setting, 3)


def five_for_long(setting: Setting) -> str:
    """Random faults in a cluster of five, then a power cut; then peace."""
    return random_run(setting, 5)


def random_run(setting: Setting, nodes: int) -> str:
    """What is wrong after random faults, at whose end all lose power."""
    most = random.Random(f"raftlab sizes {setting.seed}").choice([1, 4, 64])
    run = start(
        setting.seed,
        nodes=nodes,
        machine=setting.machine,
        options=Options.figure_2(max_entries_per_append=most),
        change_members=False,
    )
    return faults_end(setting, run, FIGURE_2_FAULTS, last=crash_all)


FIGURE_2_FAULTS: Verbs = [
    *((crash, 6), (crash_leader, 4), (crash_all, 2), (restart, 12), (restart_all, 3)),
    *((pause, 3), (resume, 8), (set_clock_rate, 2), (slow_disk, 4), (timeout, 4)),
    *((partition, 3), (isolate, 2), (cut, 4), (heal, 8), (perturb_message, 8), (delay_long, 4)),
    *PLANS,
]
"""What can happen to a machine that has Figure 2 and no more."""


FIGURE_2 = "Figure 2, persistent state"
SAVE_FIRST = "Say in each reply all that has changed of term, vote and log: it is written then."
PERSISTENCE_TRIALS: Sequence[Trial] = (
    Trial("a cluster works", works, "5.2, 5.3", SAVE_FIRST, "not all that is said is saved"),
    Trial(
        "all restart",
        all_restart,
        FIGURE_2,
        'Start from the disk alone: line["term"], ["voted_for"], ["log"].',
        "a restart begins with something else than the disk holds",
    ),
    Trial(
        "a voter restarts",
        voter_restarts,
        "5.2; Figure 2, RequestVote, rule 2",
        "Save the vote with its term, and read both at the start.",
        "a vote is forgotten, or given twice",
    ),
    Trial(
        "alone, with a slow disk",
        alone_and_slow,
        "5.3; thesis, 10.2.1",
        "Count an own copy when `saved` says that it is on the disk.",
        "a leader counts what it has not written",
    ),
    Trial(
        "a tail is replaced",
        tail_is_replaced,
        "5.3; Figure 2, AppendEntries, rules 3 and 4",
        'Say "truncate_from" and then what takes its place, in one reply.',
        "what replaces an entry is not saved, or what fits is cut away",
    ),
    Trial(
        "every crash point",
        every_crash_point,
        FIGURE_2,
        "Look at the write that the crash fell into: what was said before it had ended?",
        "something is said before it is on the disk",
    ),
    Trial(
        "faults among three",
        three_for_long,
        "Figure 2; 5.3, 5.4.2",
        "What earlier milestones asked for must hold here, too: cut at a conflict only, count"
        " copies of the own term's entries only, commit no further than was verified, and let"
        " match_index rise only. And save first.",
        "",
    ),
    Trial("faults among five", five_for_long, FIGURE_2, SAVE_FIRST, ""),
)
"""The trials, in their order."""
