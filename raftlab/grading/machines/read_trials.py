"""The runs that a machine must stand in M5: no read shows the past."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from raftlab.check.campaign.faults import (
    Verbs,
    crash,
    cut,
    delay_long,
    heal,
    isolate,
    partition,
    restart,
    timeout,
)
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.check.campaign.timed_faults import cut_off_leader, lead_again
from raftlab.grading.machines.trials import Run, Setting, Trial, faults_end, lasts
from raftlab.museum.reads import (
    deposed_but_unaware,
    late_acknowledgement,
    read_of_the_newly_elected,
)
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import PLAIN
from raftlab.sim.world.settings import Network

ALONE: Millis = 100.0
"""How long a leader hears one server alone: an answer to what it has just asked would be there."""
RUNS = 5
"""How many runs there are with faults: a read goes wrong in few of them."""


def is_read(setting: Setting) -> str:
    """The leader of four is asked for what it has committed; once more, when it hears one alone."""
    cluster = setting.cluster(4)
    if stuck := lasts(cluster, "x=1") or shows(cluster, "x", "1"):
        return stuck
    leader = cluster.leader
    if leader is None:
        return "no leader"
    other = next(node for node in cluster.nodes if node != leader)
    cluster.partition([leader, other])
    with suppress(NotNow):
        reading = cluster.read("x", of=leader)
        cluster.run(ALONE)
        if reading.is_done:
            return f"{leader} hears {other} alone, and answers a read: another may lead by now"
    cluster.heal()
    return lasts(cluster, "x=2") or shows(cluster, "x", "2")


def shows(cluster: Cluster, key: str, value: str) -> str:
    """Whether a read of what is committed is answered so; else what it shows."""
    got = cluster.get(key)
    return "" if got == value else f"a read of {key} shows {got}, and {key}={value} is committed"


def reads_among_faults(setting: Setting) -> str:
    """Leaders come and go, and clients ask whoever leads, or believes so, for reads."""
    chance = random.Random(f"raftlab reads {setting.seed}")
    runs = (_reads_and_faults(setting, chance.getrandbits(32)) for _ in range(RUNS))
    return next((stuck for stuck in runs if stuck), "")


def _reads_and_faults(setting: Setting, seed: int) -> str:
    run = start(
        seed,
        nodes=3,
        machine=setting.machine,
        options=PLAIN,
        network=Network(),
        change_members=False,
    )
    return faults_end(setting, run, READ_FAULTS) or shows(run.cluster, "last", f"{seed}")


def ask_a_leader(run: RandomRun) -> None:
    """A client asks one of those that believe to lead for a value."""
    leaders = [each for each in run.living if each.machine.role is Role.LEADER and not each.paused]
    if leaders:
        node = run.rng.choice(leaders).node
        with suppress(NotNow):
            run.readings.append(run.cluster.read(f"k{run.rng.randint(1, 3)}", of=node))


READ_FAULTS: Verbs = [
    *((cut_off_leader, 8), (lead_again, 8), (ask_a_leader, 6), (timeout, 3)),
    *((isolate, 1), (partition, 1), (crash, 1), (cut, 1), (delay_long, 1), (heal, 4), (restart, 4)),
]
"""What makes leaders come and go, and clients that ask meanwhile."""


def then_reads(run: Callable[[Cluster], object]) -> Run:
    """A run of the museum, which is about reads; then peace, in which a read is answered."""

    def trial(setting: Setting) -> str:
        cluster = setting.cluster(3)
        run(cluster)
        cluster.heal()
        for node in cluster.nodes:
            if not cluster.hosts[node].alive:
                cluster.restart(node)
        return lasts(cluster, "z=1") or shows(cluster, "z", "1")

    trial.__doc__ = run.__doc__
    return trial


def deposed(setting: Setting) -> str:
    """A leader that was deposed, and does not know it yet, is asked for a value; then it knows."""
    cluster = setting.cluster(3)
    deposed_but_unaware(cluster)
    reading = cluster.read("x", of="S1")
    cluster.run(ALONE)
    cluster.heal()
    if stuck := lasts(cluster, "z=1") or shows(cluster, "z", "1"):
        return stuck
    ended = reading.is_done or reading.has_failed
    return "" if ended else "S1 leads no more, and a client that asked it still waits"


READ_TRIALS: Sequence[Trial] = (
    Trial(
        "a read",
        is_read,
        "thesis, 6.4",
        'Answer with "reads" once a majority has said the round back.',
        "a read shows the past",
    ),
    Trial(
        "a leader that was deposed",
        deposed,
        "thesis, 6.4, step 3",
        "Ask the others first whether this server still leads; once it does not, its reads fail.",
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
)
"""The trials, in their order."""
