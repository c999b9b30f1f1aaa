"""The runs that a machine must stand in M4 and in M5.

A trial drives clusters of the machine, with all properties watched, and says what did not go on,
or nothing. How long something may take is virtual time.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

from raftlab.check.campaign.complaints import complaint, wrong_answer, wrong_read
from raftlab.check.campaign.faults import (
    Verb,
    crash,
    cut,
    delay_long,
    heal,
    isolate,
    partition,
    restart,
    timeout,
)
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.museum.reads import (
    late_acknowledgement,
    read_of_the_deposed,
    read_of_the_newly_elected,
)
from raftlab.museum.runs import stale_tail_meets_leader
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import PLAIN, settle, until_sent

SOON: Millis = 3000.0
"""Ten election timeouts: a sound cluster that is left alone needs one or two."""
CRASH_POINTS = 10
"""How many crashes are tried, each by itself."""
NOT_MENDED = "the faults have ended, and within 30 election timeouts it does not go on"


class Setting:
    """What a trial is given: it makes clusters of the machine, and remembers the last."""

    def __init__(self, machine: Any, seed: int) -> None:
        self.machine = machine
        self.seed = seed
        self.last: Cluster | None = None

    def cluster(self, nodes: int = 3, options: Options = PLAIN, **given: Any) -> Cluster:
        """A new cluster."""
        self.last = Cluster(nodes, seed=self.seed, options=options, machine=self.machine, **given)
        return self.last

    def goes_on(self, cluster: Cluster) -> Cluster:
        """A cluster that goes another way from here."""
        self.last = cluster
        return cluster


Run: TypeAlias = Callable[[Setting], str]


class Trial(NamedTuple):
    """One trial: what is tried, where to read, and what to try if it fails.

    `mistake` is what is probably wrong where a property is broken in it.
    """

    name: str
    run: Run
    section: str
    advice: str
    mistake: str


# What a cluster must do


def lasts(cluster: Cluster, command: str) -> str:
    """A leader takes a command, and every server that is up has it soon; what does not, if so."""
    key, _, value = command.partition("=")
    end = cluster.now + SOON

    def all_have_it(_: Cluster) -> bool:
        up = [host for host in cluster.hosts.values() if host.alive]
        return all(host.application.get(key) == value for host in up)

    while cluster.now < end:
        if not cluster.run_until(lambda each: each.leader is not None, end - cluster.now):
            return f"no leader within {SOON:g} ms"
        try:
            cluster.propose(command)
        except NotNow:  # it has just stepped down, say
            cluster.run(20)
            continue
        if cluster.run_until(all_have_it, min(1000.0, end - cluster.now)):
            return ""
    return f"{command} is not everywhere within {SOON:g} ms"


def has(cluster: Cluster, key: str, value: str) -> str:
    """Whether all servers that are up still show what was acknowledged."""
    for host in cluster.hosts.values():
        if host.alive and host.application.get(key) != value:
            return f"{host.node} does not show {key}={value} any more"
    return ""


# M4


def works(setting: Setting) -> str:
    """Three servers elect, replicate and commit; so do five."""
    return lasts(setting.cluster(3), "x=1") or lasts(setting.cluster(5), "x=1")


def all_lose_power(cluster: Cluster) -> None:
    """Every server crashes, and then starts again."""
    for node in cluster.nodes:
        cluster.crash(node)
    for node in cluster.nodes:
        cluster.restart(node)


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
    """Random faults in a cluster of three, then peace."""
    return random_run(setting, 3)


def five_for_long(setting: Setting) -> str:
    """Random faults in a cluster of five, then peace."""
    return random_run(setting, 5)


def random_run(setting: Setting, nodes: int) -> str:
    """What peace does not mend, and what was acknowledged and is not there."""
    run = start(setting.seed, nodes=nodes, machine=setting.machine, change_members=False)
    setting.last = run.cluster
    inject_faults(run)
    if not heal_and_converge(run):
        return NOT_MENDED
    wrong = complaint(run, operator=False)
    return wrong.text if wrong else ""


# M5


def is_read(setting: Setting) -> str:
    """The leader is asked for what it has committed, when nothing else happens."""
    cluster = setting.cluster(3)
    if stuck := lasts(cluster, "x=1"):
        return stuck
    got = cluster.get("x")
    return "" if got == "1" else f"a read of x shows {got}, and x=1 is committed"


def reads_among_faults(setting: Setting) -> str:
    """Leaders come and go, and clients ask whoever leads, or believes so, for reads."""
    run = start(setting.seed, nodes=3, machine=setting.machine, options=PLAIN, change_members=False)
    setting.last = run.cluster
    inject_faults(run, only=[(verb, 1) for verb in TROUBLES])
    if not heal_and_converge(run):
        return NOT_MENDED
    if wrong := wrong_answer(run) or wrong_read(run):
        return wrong
    got = run.cluster.get("last")
    return "" if got == f"{run.seed}" else f"a read of last shows {got}, after last={run.seed}"


def ask_a_leader(run: RandomRun) -> None:
    """A client asks one of those that believe to lead for a value."""
    leaders = [each for each in run.living if each.machine.role is Role.LEADER and not each.paused]
    if leaders:
        node = run.rng.choice(leaders).node
        with suppress(NotNow):
            run.readings.append(run.cluster.read(f"k{run.rng.randint(1, 3)}", of=node))


TROUBLES: Sequence[Verb] = (
    *(ask_a_leader,) * 6,
    *(isolate, partition, timeout, crash, cut, delay_long, heal, restart),
)


def then_reads(run: Callable[[Cluster], object]) -> Run:
    """A run of the museum, which is about reads; then peace, in which a read is answered."""

    def trial(setting: Setting) -> str:
        cluster = setting.cluster(3)
        run(cluster)
        cluster.heal()
        for node in cluster.nodes:
            if not cluster.hosts[node].alive:
                cluster.restart(node)
        if stuck := lasts(cluster, "z=1"):
            return stuck
        got = cluster.get("z")
        return "" if got == "1" else f"a read of z shows {got}, and z=1 is committed"

    trial.__doc__ = run.__doc__
    return trial


FIGURE_2 = "Figure 2, persistent state"
SAVE_FIRST = "Say in each reply all that has changed of term, vote and log: it is written then."
TRIALS: Mapping[str, Sequence[Trial]] = {
    "M4": (
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
        Trial("faults among three", three_for_long, FIGURE_2, SAVE_FIRST, ""),
        Trial("faults among five", five_for_long, FIGURE_2, SAVE_FIRST, ""),
    ),
    "M5": (
        Trial(
            "a read",
            is_read,
            "thesis, 6.4",
            'Answer with "reads" once a majority has said the round back.',
            "a read shows the past",
        ),
        Trial(
            "a leader that was deposed",
            then_reads(read_of_the_deposed),
            "thesis, 6.4, step 3",
            "Ask the others first whether this server still leads.",
            "a deposed leader answers reads",
        ),
        Trial(
            "a leader that is new",
            then_reads(read_of_the_newly_elected),
            "thesis, 6.4, step 1",
            "Wait until an entry of the own term is committed.",
            "a new leader answers reads too soon",
        ),
        Trial(
            "an old answer",
            then_reads(late_acknowledgement),
            "thesis, 6.4, step 3",
            "Compare the number of the round in the answer with that of the read.",
            "an older answer confirms a read",
        ),
        Trial(
            "reads among faults",
            reads_among_faults,
            "thesis, 6.4",
            "Play the run, and look at who answers the read that is broken.",
            "",
        ),
    ),
}
"""The trials of a milestone."""
