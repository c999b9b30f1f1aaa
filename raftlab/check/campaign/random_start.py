"""What a seed decides before anything happens: nodes, network, disks and options."""

import random
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from raftlab.check.campaign.run_state import RandomRun
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import configuration_of
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Disks, Network

LEARNS_WITHIN_MS: Millis = 900.0


def start(
    seed: int,
    nodes: int | tuple[NodeId, ...] | None = None,
    change_network: bool = False,
    change_members: bool = True,
    **given: Any,
) -> RandomRun:
    """A cluster whose weather `seed` decides, before anything has happened.

    With `change_network`, the weather changes while the run goes on, too; without
    `change_members`, nobody joins or leaves.
    `given` are arguments of `Cluster` (`rules`, `machine`, `options`, `network`, `disks`) that
    take the place of what the seed would have chosen; all else stays as it is. A machine that
    lacks a method is spared what needs it: a learner's own may have the four of the contract.

    Raises: whatever the machine raises when it is made; Misuse, for what cannot be given.
    """
    rng = random.Random(f"random run {seed}")
    count = rng.choice([3, 3, 3, 4, 5, 5, 7])
    chosen = count if nodes is None else nodes
    derived = {"network": network(rng), "disks": disks(rng), "options": options(rng)}
    machine = given.get("machine")
    able = abilities(machine, chosen)
    if "persisted" not in able:
        derived["options"] = replace(derived["options"], async_persistence=False)
    if "compact" not in able:
        derived["disks"] = replace(derived["disks"], snapshot_every=0)
    cluster = Cluster(chosen, seed=seed, **{**derived, **given})
    return RandomRun(
        seed,
        cluster,
        rng,
        changes_members=change_members and members_change(machine, chosen),
        changes_network=change_network,
    )


ABILITIES = frozenset(["persisted", "compact"])
"""What a machine may lack, and a run then does without."""


@lru_cache(maxsize=256)
def abilities(machine: MachineFactory | None, nodes: int | tuple[NodeId, ...]) -> frozenset[str]:
    """Which of `ABILITIES` the machines of all nodes have."""
    if machine is None or is_shipped(machine):
        return ABILITIES
    machines = [
        host.machine for host in Cluster(nodes, machine=machine, watched=False).hosts.values()
    ]
    return frozenset(name for name in ABILITIES if all(hasattr(each, name) for each in machines))


@lru_cache(maxsize=256)
def members_change(machine: MachineFactory | None, nodes: int | tuple[NodeId, ...]) -> bool:
    """Whether the machines of all nodes take a new member, found out by trying."""
    if machine is None or is_shipped(machine):
        return True
    return takes_members(Cluster(nodes, machine=machine, watched=False))


def is_shipped(machine: object) -> bool:
    """Whether it is the machine of this package, or one derived from it."""
    return isinstance(machine, type) and issubclass(machine, RaftStateMachine)


def takes_members(cluster: Cluster) -> bool:
    """Whether every node of a new cluster learns of a member that is added."""
    newcomer = f"S{len(cluster.nodes) + 1}"
    try:
        cluster.elect()
        cluster.add_learner(newcomer)
        cluster.run(LEARNS_WITHIN_MS)
    except Exception:  # whatever is wrong with it: the runs will say
        return False
    hosts = cluster.hosts.values()
    return all(newcomer in configuration_of(host).members for host in hosts)


def network(rng: random.Random) -> Network:
    """How fast and how bad the network is."""
    lossy = rng.random() < 0.7
    return Network(
        latency=rng.choice([(1.0, 3.0), (5.0, 15.0), (5.0, 50.0), (10.0, 10.0)]),
        loss=rng.choice([0.0, 0.02, 0.1, 0.25]) if lossy else 0.0,
        duplication=rng.choice([0.0, 0.02, 0.1, 0.3]) if lossy else 0.0,
        reordering=rng.choice([0.0, 0.05, 0.3, 0.7]) if lossy else 0.0,
    )


def disks(rng: random.Random) -> Disks:
    """How slow the disks are, and how often logs are compacted."""
    return Disks(
        write_ms=rng.choice([0.0, 1.0, 8.0]),
        torn=rng.random() < 0.5,
        snapshot_every=rng.choice([0, 0, 0, 1, 5, 20]),
    )


def options(rng: random.Random) -> Options:
    """Which of the later features are on, and how much is sent at once."""
    most_entries, most_in_flight = rng.choice([(64, 10), (64, 10), (4, 3), (1, 10), (64, 1)])
    lease_reads = rng.random() < 0.25
    later: dict[str, Any] = {
        "max_entries_per_append": most_entries,
        "max_in_flight": most_in_flight,
        "max_uncommitted_bytes": rng.choice([1_048_576, 1_048_576, 40]),
        "trailing_entries": rng.choice([0, 0, 1, 5, 100]),
        "single_server_changes": rng.random() < 0.4,
        "async_persistence": rng.random() < 0.4,
    }
    if rng.random() < 0.15:
        return Options.figure_2(**later)
    return Options(
        pre_vote=rng.random() < 0.8,
        check_quorum=rng.random() < 0.8,
        leader_stickiness=lease_reads or rng.random() < 0.8,
        lease_reads=lease_reads,
        clock_drift_bound=rng.choice([1.1, 2.0]),
        catch_up_first=rng.random() < 0.5,
        **later,
    )
