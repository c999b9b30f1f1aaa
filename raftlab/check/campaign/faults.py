"""What can happen in a random run: every fault, every verb, each as a function of the run.

A verb may be refused for the moment (`NotNow`), and in no other way: `Misuse` would be a fault
that never happens. What it does the rules of Raft allow, so that no property may break. Hence
with leases no election is forced, no timer is made to run out too early, and no clock runs
faster than the leases allow for; and only a server that the cluster has let go may lose its
disk, and comes back under a new name.
"""

import random
from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import asdict

from raftlab.check.campaign.run_state import RandomRun
from raftlab.check.members import erasable
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.actions import Timeout
from raftlab.sim.world.host import Host
from raftlab.sim.world.settings import Network

MOST_SERVERS = 10
CLIENTS = ("ann", "bob", "cy")


# Clients


def propose(run: RandomRun) -> None:
    """A client hands a command to the leader, under a key that nobody else uses."""
    run.proposed += 1
    run.cluster.propose(f"k{run.proposed}={run.proposed}")


def client_tries(run: RandomRun) -> None:
    """A client sends its numbered command, as often as it takes to see that it was executed."""
    client = run.rng.choice(CLIENTS)
    if client not in run.serials:  # it asks for a session once, and may not get one
        run.serials[client] = 0
        run.cluster.propose(f"open {client}")
    elif any(client in host.application.sessions for host in run.living):
        seen = max(int(host.application.get(client) or 0) for host in run.living)
        run.serials[client] = max(run.serials[client], seen + 1)
        run.cluster.propose(f"{client}#{run.serials[client]} {client}+=1")


def read(run: RandomRun) -> None:
    """A client asks any node, or one that leads, as far as it knows."""
    key = run.rng.choice([*CLIENTS, f"k{run.rng.randint(1, run.proposed + 1)}"])
    leading = [host.node for host in run.living if host.machine.role is Role.LEADER]
    where = run.rng.choice([run.any_node(), *leading])  # one that leads no more may not know it
    ask(run, key, where)


def ask(run: RandomRun, key: str, node: NodeId) -> None:
    """A client asks this node, if its machine answers reads at all."""
    if not run.lacks(node, "read"):
        run.readings.append(run.cluster.read(key, node))


# Nodes


def crash(run: RandomRun) -> None:
    """Any node crashes, if it is up."""
    node = run.any_node()
    if run.cluster.hosts[node].alive:
        run.cluster.crash(node)


def crash_leader(run: RandomRun) -> None:
    """The leader crashes."""
    if leader := run.cluster.leader:
        run.cluster.crash(leader)


def crash_all(run: RandomRun) -> None:
    """Every node crashes at once."""
    for host in run.living:
        run.cluster.crash(host.node)


def restart(run: RandomRun) -> None:
    """A crashed node starts again, unless its disk is lost."""
    down = [host.node for host in run.cluster.hosts.values() if not host.alive]
    down = [node for node in down if node not in run.wiped]
    if down:
        run.cluster.restart(run.rng.choice(down))


def restart_all(run: RandomRun) -> None:
    """Every crashed node starts again, except those whose disk is lost."""
    for node, host in run.cluster.hosts.items():
        if not host.alive and node not in run.wiped:
            run.cluster.restart(node)


def pause(run: RandomRun) -> None:
    """Any node stands still, if it runs."""
    node = run.any_node()
    if is_running(run.cluster.hosts[node]):
        run.cluster.pause(node)


def resume_all(run: RandomRun) -> None:
    """Every paused node goes on."""
    for host in run.living:
        if host.paused:
            run.cluster.resume(host.node)


def resume(run: RandomRun) -> None:
    """A node goes on, if it is paused."""
    node = run.any_node()
    if run.cluster.hosts[node].paused:
        run.cluster.resume(node)


def timeout(run: RandomRun) -> None:
    """A timer runs out early. Leases count on timers that do not."""
    stand_for_election_if_possible(run, run.any_node(), force=False)


def force_election(run: RandomRun) -> None:
    """A node campaigns as if its leader had sent it. Leases count on nobody doing that."""
    stand_for_election_if_possible(run, run.any_node())


def stand_for_election_if_possible(run: RandomRun, node: NodeId, force: bool = True) -> None:
    """Let a node stand for election now, if it runs, can, and does not lead; not with leases."""
    host, leases = run.cluster.hosts[node], run.cluster.setup.options.lease_reads
    able = is_running(host) and hasattr(host.machine, "campaign")
    if able and not leases and host.machine.role is not Role.LEADER:
        run.cluster.apply(Timeout(run.cluster.now, node, force))


def is_running(host: Host) -> bool:
    """Whether a node is up and not paused."""
    return host.alive and not host.paused


def forget_leader(run: RandomRun) -> None:
    """A follower is told that its leader is gone. Leases count on nobody being told."""
    node = run.any_node()
    if not run.cluster.setup.options.lease_reads and not run.lacks(node, "forget_leader"):
        run.cluster.forget_leader(node)


def set_clock_rate(run: RandomRun) -> None:
    """A clock runs too fast or too slow; with leases, within what they allow for."""
    options = run.cluster.setup.options
    rate = run.rng.choice([1.0, run.rng.uniform(0.3, 3.0)])
    if options.lease_reads:
        rate = run.rng.uniform(1.0, options.clock_drift_bound)
    run.cluster.set_clock_rate(run.any_node(), rate)


def slow_disk(run: RandomRun) -> None:
    """A disk becomes slow, or fast again."""
    run.cluster.slow_disk(run.any_node(), run.rng.choice([0.0, 1.0, 20.0, 60.0]))


def compact(run: RandomRun) -> None:
    """A node compacts its log: all that it has applied, or a part of it."""
    node = run.any_node()
    applied = run.cluster.hosts[node].applied_index
    up_to = run.rng.choice([None, run.rng.randint(0, applied)])
    if not run.lacks(node, "compact"):
        run.cluster.compact(node, up_to)


def wipe(run: RandomRun) -> None:
    """A server that the cluster has let go loses its disk, when nothing it said is under way."""
    gone = [node for node in erasable(run.cluster) if node not in run.wiped]
    if gone:
        node = run.rng.choice(gone)
        run.wiped.add(node)
        run.cluster.wipe(node)


# The network


def partition(run: RandomRun) -> None:
    """Up to three nodes fall apart from the others."""
    nodes = run.cluster.nodes
    side = run.rng.sample(nodes, min(run.rng.randint(1, 3), len(nodes)))
    if len(side) < len(nodes):
        run.cluster.partition(side)


def isolate(run: RandomRun) -> None:
    """A node is cut off from all others."""
    node = run.any_node()
    if len(run.cluster.nodes) > 1:
        run.cluster.isolate(node)


def cut(run: RandomRun) -> None:
    """A link is cut, in one direction or in both."""
    sender, receiver = run.rng.choices(run.cluster.nodes, k=2)
    both_ways = run.rng.random() < 0.5
    if sender != receiver:
        run.cluster.cut(sender, receiver, both_ways)


def heal(run: RandomRun) -> None:
    """Every link is mended."""
    run.cluster.heal()


def worsen_network(run: RandomRun) -> None:
    """Messages take longer, or no time at all, are lost, doubled, reordered: on all links or one.

    It may be as bad as can be: nothing arrives, or everything takes ten seconds and comes twice.
    """
    rng = run.rng
    network = Network(
        latency=rng.choice([(0.0, 0.0), (1.0, 3.0), (5.0, 200.0), (0.0, 1e4), (1e4, 1e4)]),
        loss=rng.choice([0.0, 0.1, 0.5, 1.0]),
        duplication=rng.choice([0.0, 0.3, 1.0]),
        reordering=rng.choice([0.0, 0.3, 1.0]),
    )
    sender, receiver = rng.sample((*run.cluster.nodes, None, None), 2)
    if sender is None or receiver is None:
        sender = receiver = None
    both_ways = rng.random() < 0.5
    run.cluster.set_network(sender, receiver, both_ways, **asdict(network))


def restore_network(run: RandomRun) -> None:
    """Messages are carried as at first, over every link."""
    if network_is_changed(run.cluster):
        run.cluster.set_network(**asdict(run.cluster.setup.network))


def network_is_changed(cluster: Cluster) -> bool:
    """Whether messages are carried in another way than at first, on whatever link."""
    own = cluster.engine.world.network.own_settings
    return bool(own) or cluster.engine.world.network_between() != cluster.setup.network


def perturb_message(run: RandomRun) -> None:
    """A message on its way arrives now, or is lost, doubled or held up."""
    cluster, rng = run.cluster, run.rng
    flights = cluster.in_flight()
    if flights:
        verb = rng.choice([cluster.deliver, cluster.drop, cluster.duplicate, cluster.delay])
        flight = rng.choice(flights)
        if cluster.hosts[flight.message.receiver].alive or verb != cluster.deliver:
            verb(flight.number)


def delay_long(run: RandomRun) -> None:
    """A message on its way is held up for a long time."""
    flights = run.cluster.in_flight()
    if flights:
        run.cluster.delay(run.rng.choice(flights).number, run.rng.uniform(1, 1500))


# Who leads, and who belongs to the cluster


def transfer(run: RandomRun) -> None:
    """The leader hands over, to a voter or to whoever can take it."""
    voters = run.cluster.configuration.voters
    run.cluster.transfer(run.rng.choice([None, *voters]))


def add_learner(run: RandomRun) -> None:
    """A new server, or one that was a member before, begins to receive the log."""
    nodes, members = run.cluster.nodes, run.cluster.configuration.members
    back = [node for node in nodes if node not in members and node not in run.wiped]
    if len(nodes) < MOST_SERVERS:
        back.append(f"S{len(nodes) + 1}")
    if back:
        run.cluster.add_learner(run.rng.choice(back))


def promote(run: RandomRun) -> None:
    """A learner gets a vote."""
    learners = run.cluster.configuration.learners
    chosen = run.rng.choice(learners or ("",))  # chance takes its turn, whoever there is
    if learners:
        run.cluster.promote(chosen)


def remove(run: RandomRun) -> None:
    """A member is let go."""
    run.cluster.remove(run.rng.choice(run.cluster.configuration.members))


def remove_leader(run: RandomRun) -> None:
    """The leader itself is let go."""
    if leader := run.cluster.leader:
        run.cluster.remove(leader)


def reconfigure(run: RandomRun) -> None:
    """Voters and learners are chosen anew, among the servers that there are."""
    cluster, rng = run.cluster, run.rng
    pool = [node for node in cluster.nodes if node not in run.wiped]
    if cluster.setup.options.catch_up_first:
        pool = list(cluster.configuration.members)
    chosen = rng.sample(pool, rng.randint(1, min(len(pool), 7)))
    learners = chosen[rng.randint(1, len(chosen)) :]
    cluster.reconfigure([node for node in chosen if node not in learners], learners)


Verb: TypeAlias = Callable[[RandomRun], None]
Verbs: TypeAlias = list[tuple[Verb, int]]
"""Verbs, and how often each is chosen."""

REPAIRS: Verbs = [
    (client_tries, 8),
    (read, 14),
    (restart, 10),
    (restart_all, 2),
    (resume, 8),
    (heal, 8),
]
FAULTS: Verbs = [
    (crash, 4),
    (crash_leader, 3),
    (crash_all, 1),
    (pause, 4),
    (timeout, 3),
    (force_election, 2),
    (forget_leader, 2),
    (set_clock_rate, 3),
    (slow_disk, 3),
    (compact, 4),
    (wipe, 4),
    (partition, 3),
    (isolate, 2),
    (cut, 4),
    (perturb_message, 8),
    (delay_long, 4),
    (transfer, 4),
    (add_learner, 5),
    (promote, 6),
    (remove, 4),
    (remove_leader, 3),
    (reconfigure, 6),
]
NETWORK_CHANGES: Verbs = [(worsen_network, 4), (restore_network, 8)]
"""What happens besides, where a run `changes_network`."""

MEMBERSHIP_CHANGES: frozenset[Verb] = frozenset(
    [wipe, transfer, add_learner, promote, remove, remove_leader, reconfigure]
)
"""What only a machine can take that changes members."""

MAY_BE_REFUSED: frozenset[Verb] = frozenset(
    [*MEMBERSHIP_CHANGES, propose, client_tries, read, forget_leader, compact]
)
"""What is asked of a machine, which may have reasons not to do it now."""


def chosen_verbs(rng: random.Random) -> Verbs:
    """What happens in one run: all that mends, and half of the faults, which so come closer."""
    return REPAIRS + rng.sample(FAULTS, len(FAULTS) // 2)
