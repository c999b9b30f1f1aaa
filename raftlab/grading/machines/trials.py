"""What a trial is, and what trials have in common.

A trial drives clusters of a machine, with all properties watched, and says what did not go on, or
nothing. How long something may take is virtual time.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import Verb, Verbs
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.run_state import RandomRun
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import PLAIN

SOON: Millis = 3000.0
"""Ten election timeouts: a sound cluster that is left alone needs one or two."""
PATIENT = Options.figure_2(election_timeout=(500.0, 800.0))
"""Nobody's timer runs out while a situation is brought about."""
AT_ONCE: Millis = 140.0
"""Less than any election timeout: what happens within it was asked for."""
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


def all_lose_power(cluster: Cluster) -> None:
    """Every server crashes, and then starts again."""
    for node in cluster.nodes:
        cluster.crash(node)
    for node in cluster.nodes:
        cluster.restart(node)


def faults_end(setting: Setting, run: RandomRun, verbs: Verbs, last: Verb | None = None) -> str:
    """Faults, then a `last` one, then peace: what it does not mend, or what is gone or wrong."""
    setting.last = run.cluster
    inject_faults(run, only=verbs)
    if last is not None:
        last(run)
    if not heal_and_converge(run):
        return NOT_MENDED
    wrong = complaint(run, operator=False)
    return wrong.text if wrong else ""
