"""Random runs: one whole number gives the weather, the troubles, and everything that happens.

`python -m tests.sim.random_runs 2000` tries the seeds 0 to 1999 and prints those that fail.
"""

import random
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from raftlab import Cluster, Command, Disks, Misuse, Network, Options, Role

TROUBLE_MS = 3000.0
PATIENCE_MS = 20 * 300.0


@dataclass
class RandomRun:
    """One run: its cluster, and what was learnt of it.

    `acknowledged` maps the index of every command that some node called committed to its
    text; `settled_after` is how long the healed cluster needed (ms) to lead and commit.
    """

    seed: int
    cluster: Cluster
    rng: random.Random
    proposed: int = 0
    acknowledged: dict[int, str] = field(default_factory=dict)
    settled_after: float | None = None

    def __str__(self) -> str:
        setup = self.cluster.setup
        last = "\n".join(f"{each.at:9.1f}  {each.text}" for each in self.cluster.events(25))
        return (
            f"seed {self.seed}: {self.cluster!r}\n{setup.network}\n{setup.disks}\n{setup.options}\n"
            f"acknowledged: {self.acknowledged}\nlast events:\n{last}"
        )

    def note_acknowledged(self) -> None:
        for host in self.cluster.hosts.values():
            if not host.alive:
                continue
            for index in range(len(self.acknowledged) + 1, host.machine.commit_index + 1):
                payload = host.machine.log[index].payload
                text = payload.data.decode() if isinstance(payload, Command) else ""
                self.acknowledged[index] = text


def start(seed: int, nodes: int = 5, **wrong: object) -> RandomRun:
    """A cluster whose weather `seed` decides, before anything has happened."""
    rng = random.Random(f"random run {seed}")
    lossy = rng.random() < 0.7
    network = Network(
        latency=rng.choice([(1.0, 3.0), (5.0, 15.0), (5.0, 50.0), (10.0, 10.0)]),
        loss=rng.choice([0.0, 0.02, 0.1, 0.25]) if lossy else 0.0,
        duplication=rng.choice([0.0, 0.02, 0.1, 0.3]) if lossy else 0.0,
        reordering=rng.choice([0.0, 0.05, 0.3, 0.7]) if lossy else 0.0,
    )
    disks = Disks(write_ms=rng.choice([0.0, 1.0, 8.0]), torn=rng.random() < 0.5)
    options = rng.choice(
        [
            Options(),
            Options(),
            Options(max_entries_per_append=4, max_in_flight=3),
            Options(pre_vote=False),
            Options(leader_stickiness=False),
            Options.figure_2(),
        ]
    )
    given = {"network": network, "disks": disks, "options": options, **wrong}
    return RandomRun(seed, Cluster(nodes, seed=seed, **given), rng)


def trouble(run: RandomRun, ms: float = TROUBLE_MS) -> None:
    """Let random things happen for `ms` of virtual time, more or less often."""
    cluster, rng = run.cluster, run.rng
    share = rng.choice([0.1, 0.3, 0.6])
    while cluster.now < ms:
        cluster.run(rng.choice([0.0, rng.uniform(0, 10), rng.uniform(10, 60)]))
        verb = rng.choices(VERBS, WEIGHTS)[0] if rng.random() < share else propose
        with suppress(Misuse):  # test_refusals.py looks at the sentences
            verb(run)
        run.note_acknowledged()


def propose(run: RandomRun) -> None:
    run.proposed += 1
    run.cluster.propose(f"k{run.proposed}={run.proposed}")


def crash(run: RandomRun) -> None:
    run.cluster.crash(run.rng.choice(run.cluster.nodes))


def restart(run: RandomRun) -> None:
    run.cluster.restart(run.rng.choice(run.cluster.nodes))


def crash_leader(run: RandomRun) -> None:
    run.cluster.crash(run.cluster.leader)


def crash_all(run: RandomRun) -> None:
    for node in run.cluster.nodes:
        if run.cluster.hosts[node].alive:
            run.cluster.crash(node)


def restart_all(run: RandomRun) -> None:
    for node in run.cluster.nodes:
        if not run.cluster.hosts[node].alive:
            run.cluster.restart(node)


def pause(run: RandomRun) -> None:
    run.cluster.pause(run.rng.choice(run.cluster.nodes))


def resume(run: RandomRun) -> None:
    run.cluster.resume(run.rng.choice(run.cluster.nodes))


def resume_all(run: RandomRun) -> None:
    for node in run.cluster.nodes:
        if run.cluster.hosts[node].paused:
            run.cluster.resume(node)


def partition(run: RandomRun) -> None:
    nodes = run.cluster.nodes
    run.cluster.partition(run.rng.sample(nodes, min(run.rng.randint(1, 3), len(nodes))))


def isolate(run: RandomRun) -> None:
    run.cluster.isolate(run.rng.choice(run.cluster.nodes))


def cut(run: RandomRun) -> None:
    sender, receiver = run.rng.choices(run.cluster.nodes, k=2)
    run.cluster.cut(sender, receiver, both_ways=run.rng.random() < 0.5)


def heal(run: RandomRun) -> None:
    run.cluster.heal()


def timeout(run: RandomRun) -> None:
    run.cluster.timeout(run.rng.choice(run.cluster.nodes))


def touch_message(run: RandomRun) -> None:
    cluster, rng = run.cluster, run.rng
    flights = cluster.in_flight()
    if flights:
        verb = rng.choice([cluster.deliver, cluster.drop, cluster.duplicate, cluster.delay])
        verb(rng.choice(flights).number)


def hold_back(run: RandomRun) -> None:
    flights = run.cluster.in_flight()
    if flights:
        run.cluster.delay(run.rng.choice(flights).number, run.rng.uniform(1, 1500))


TROUBLES: list[tuple[Callable[[RandomRun], None], int]] = [
    (crash, 4),
    (crash_leader, 3),
    (crash_all, 1),
    (restart, 12),
    (restart_all, 2),
    (pause, 4),
    (resume, 8),
    (partition, 3),
    (isolate, 2),
    (cut, 4),
    (heal, 8),
    (timeout, 5),
    (touch_message, 8),
    (hold_back, 4),
]
VERBS = [verb for verb, _ in TROUBLES]
WEIGHTS = [weight for _, weight in TROUBLES]


def settle(run: RandomRun) -> bool:
    """End all troubles; whether a new command is on every node within 20 election timeouts."""
    cluster = run.cluster
    cluster.calm()
    cluster.heal()
    resume_all(run)
    restart_all(run)
    start, asked = cluster.now, None
    while cluster.now < start + PATIENCE_MS:
        leader = cluster.leader
        if leader and (leader, cluster.machine(leader).term) != asked:
            cluster.propose(f"last={run.seed}", to=leader)
            asked = (leader, cluster.machine(leader).term)
        cluster.run(10)
        if all(values.get("last") == str(run.seed) for values in applied(cluster)):
            run.settled_after = cluster.now - start
            run.note_acknowledged()
            return True
    return False


def applied(cluster: Cluster) -> list[dict[str, str]]:
    """What each node's application holds."""
    return [dict(host.application.values) for host in cluster.hosts.values()]


def complaint(run: RandomRun) -> str | None:
    """What is wrong with a run that has settled, or None."""
    cluster = run.cluster
    if run.settled_after is None:
        return f"no new command on every node within {PATIENCE_MS:g} ms of peace"
    values = applied(cluster)
    if any(each != values[0] for each in values):
        return f"the nodes hold different values: {values}"
    for text in run.acknowledged.values():
        key, _, value = text.partition("=")
        if key.startswith("k") and values[0].get(key) != value:
            return f"{text} was acknowledged, and is gone"
    leaders = [host for host in cluster.hosts.values() if host.machine.role is Role.LEADER]
    if len(leaders) != 1:
        return f"{len(leaders)} nodes lead after all is well"
    if cluster.alarms:
        return f"alarms: {cluster.alarms}"
    return None


def random_run(seed: int) -> RandomRun:
    """Trouble, then peace. Raises: AssertionError, with the seed and the last events."""
    run = start(seed)
    try:
        trouble(run)
        settle(run)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{run}") from error
    wrong = complaint(run)
    assert wrong is None, f"{wrong}\n{run}"
    return run


def main(first: int, last: int) -> None:
    failed, slowest = [], 0.0
    for seed in range(first, last):
        try:
            slowest = max(slowest, random_run(seed).settled_after or 0.0)
        except AssertionError as error:
            failed.append(seed)
            print(error, "\n")
    print(f"{last - first} runs, failed: {failed}; the slowest peace took {slowest:.0f} ms")


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    main(*(numbers if len(numbers) == 2 else (0, *numbers)))
