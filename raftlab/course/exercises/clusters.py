"""Whole clusters that run a learner's rules: troubled, then healed, always watched."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from raftlab.course.exercises import guard
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.settings import Network
from raftlab.view.words import ms

LOSSY = Network(latency=(2.0, 20.0), loss=0.05, duplication=0.1, reordering=0.2)
PATIENCE = 20
"""Election timeouts that a healed cluster gets to elect and commit."""
MOST_ACTIONS = 20_000
"""How many actions a run of an answer may have: with right ones it has a few thousand."""


@contextmanager
def bounded(cluster: Cluster) -> Iterator[None]:
    """Inside, a run that does not come to an end is stopped: its time may stand (nearly) still.

    What counts is how many things happen, not who is asked how often: an answer that is known
    already keeps a cluster busy as well. Raises: LearnerError, which says so.
    """
    engine = cluster.engine
    keep, keep_at, most = engine.checkpoint, engine.checkpoint_at, engine.number + MOST_ACTIONS

    def look(engine: Engine) -> float:
        nonlocal keep_at
        if engine.number >= most:
            raise guard.LearnerError(_endless(cluster))
        if engine.number >= keep_at:
            keep_at = keep(engine)
        return min(keep_at, most)

    engine.checkpoint, engine.checkpoint_at = look, min(keep_at, most)
    try:
        yield
    finally:
        engine.checkpoint, engine.checkpoint_at = keep, keep_at


def _endless(cluster: Cluster) -> str:
    return f"a run does not come to an end: {cluster.number:,} actions in {ms(cluster.now)}"


def problem_after_faults(cluster: Cluster, seed: int, rounds: int = 12) -> str | None:
    """Put a cluster through commands, crashes and partitions, then heal it.

    Returns what is wrong with its progress once healed, or None. Raises: Violation, when
    a property is broken; LearnerError, if the run does not come to an end.
    """
    with bounded(cluster):
        _trouble(cluster, random.Random(f"raftlab trouble {seed}"), rounds)
        return problem_after_healing(cluster)


def _trouble(cluster: Cluster, rng: random.Random, rounds: int) -> None:
    for _ in range(rounds):
        _stir(cluster, rng)
        for _ in range(rng.randint(1, 3)):
            _propose(cluster, f"x={rng.randint(0, 9)}")
            cluster.run(rng.choice([10, 40, 120, 250]))


def problem_after_healing(cluster: Cluster) -> str | None:
    """Heal everything and wait; says what is missing if the cluster does not work again."""
    cluster.heal()
    cluster.calm()
    for node, host in cluster.hosts.items():
        if not host.alive:
            cluster.restart(node)
    patience = PATIENCE * cluster.setup.options.election_timeout[1]
    if not cluster.run_until(lambda each: each.leader is not None, patience):
        return f"no node was elected within {PATIENCE} election timeouts after the network healed"
    _propose(cluster, "last=1")
    if not cluster.run_until(_agreed, patience):
        return (
            f"the nodes had not all committed the leader's log within {PATIENCE} election"
            " timeouts after the network healed"
        )
    return None


def _agreed(cluster: Cluster) -> bool:
    """Whether everyone has committed all that the leader has, an entry of its own term included."""
    leader = cluster.leader
    if leader is None:
        return False
    machine = cluster.hosts[leader].machine
    last = machine.log.last_index
    return machine.log.last_term == machine.term and all(
        host.machine.commit_index == last for host in cluster.hosts.values()
    )


def _propose(cluster: Cluster, command: str) -> None:
    with suppress(NotNow):  # nobody leads at the moment, and the client goes without
        cluster.propose(command)


def _stir(cluster: Cluster, rng: random.Random) -> None:
    """Do one thing that a cluster must survive."""
    down = [node for node, host in cluster.hosts.items() if not host.alive]
    what = rng.choice(["crash", "restart", "partition", "isolate", "heal", "timeout"])
    if what == "restart" and down:
        cluster.restart(rng.choice(down))
    elif what == "crash" and len(down) < (len(cluster.nodes) - 1) // 2:
        up = [node for node in cluster.nodes if node not in down]
        cluster.crash(rng.choice(up))
    elif what == "partition" and len(cluster.nodes) > 2:
        cluster.partition(rng.sample(cluster.nodes, len(cluster.nodes) // 2))
    elif what == "isolate" and cluster.leader:
        cluster.isolate(cluster.leader)
    elif what == "heal":
        cluster.heal()
    elif what == "timeout":
        waiting = [
            node
            for node, host in cluster.hosts.items()
            if host.alive and host.machine.role is not Role.LEADER
        ]
        if waiting:  # else all that are up believe that they lead: one of them is cut off
            cluster.timeout(rng.choice(waiting))


def options() -> Options:
    """The plain protocol of Figure 2, so that the learner's rule has nothing to hide behind."""
    return Options.figure_2()
