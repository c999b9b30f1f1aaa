"""What a search can stand for, and what it must keep an eye on, given where it begins."""

import msgspec

from raftlab.check.explore.scope import Scope
from raftlab.check.explore.single_step import SingleStep
from raftlab.check.explore.state_equivalence import Timing, overrides
from raftlab.raft.vocabulary import Misuse, NotNow, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.tape import is_taped
from raftlab.sim.world.actions import Compact, Read, Reconfigure, TransferLeadership
from raftlab.sim.world.host import Host
from raftlab.sim.world.settings import Setup

TIMELY = (
    "leader_is_alive",
    "keeps_promise",
    "keeps_leading",
    "has_caught_up",
    "lease_holds",
    "waits_after_start",
)
"""The rules that are told a time, or that decide how long something is remembered."""


def refuse_what_needs_time(cluster: Cluster) -> None:
    """Raises: Misuse, for a cluster that a search without time cannot stand for; NotNow, if it
    can at another moment.
    """
    hosts = cluster.hosts.values()
    if any(is_taped(host.factory) for host in hosts):
        raise Misuse(
            f"a search compares and copies machines, and {cluster.setup.machine.partition(' ')[2]}"
            " is a process, which offers neither: use a campaign"
        )
    if cluster.stopped is not None:
        raise NotNow(f"this run has stopped, where {cluster.stopped}: search from before that")
    if cluster.setup.options.lease_reads:
        raise Misuse("leases trust clocks, and a search has none: use a campaign")
    if any(host.clock is not None for host in hosts):
        raise NotNow("a node's clock is not true, and a search has none: use a campaign")
    if any(host.paused for host in hosts):
        raise NotNow("a node is paused: resume it first (a search delivers late anyway)")
    if not cluster.setup.disks.waits:
        raise Misuse("messages leave before the write, and in a search writes end at once")
    if any(host.alive and (host.disk.writes or host.held) for host in hosts):
        raise NotNow("a node is writing to its disk: run on until it has ended, or search earlier")


def single_step_of(cluster: Cluster) -> SingleStep:
    """Where nodes like those of a cluster take single steps."""
    setup = cluster.setup
    hosts = [cluster.hosts[node] for node in setup.nodes]
    at_once = msgspec.structs.replace(setup.disks, write_ms=0.0)
    like = Setup(setup.nodes, 0, options=setup.options, disks=at_once, machine=setup.machine)
    made = SingleStep(like, {host.node: host.rules for host in hosts}, hosts[0].factory)
    made.hosts.update(cluster.hosts)
    return made


def timing_of(cluster: Cluster, scope: Scope) -> Timing:
    """What of time makes a difference within a scope."""
    options, hosts = cluster.setup.options, cluster.hosts.values()
    guarded = options.pre_vote or options.check_quorum or options.leader_stickiness
    hands_over = any(isinstance(each, Reconfigure | TransferLeadership) for each in scope.actions)
    hands_over = hands_over or any(is_under_way(host) for host in hosts)
    timely = (Compact, Read, Reconfigure, TransferLeadership)
    matters = (
        guarded
        or hands_over
        or cluster.setup.disks.snapshot_every > 0
        or any(isinstance(each, timely) for each in scope.actions)
        or any(host.disk.snapshot is not None or host.readings for host in hosts)
        or any(overrides(host.rules, name) for host in hosts for name in TIMELY)
    )
    return Timing(bool(matters), hands_over)


def is_under_way(host: Host) -> bool:
    """Whether a leader hands over, or a change of members is not committed yet."""
    machine = host.machine
    if not host.alive:
        return False
    pending = getattr(machine.log, "configuration_index", 0) > machine.commit_index
    return pending or getattr(machine, "_transfer", None) is not None


def leaders_may_step_down(cluster: Cluster) -> bool:
    """Whether a leader's tick can do more than speak."""
    rules = [host.rules for host in cluster.hosts.values()]
    decided = any(overrides(each, "keeps_leading") for each in rules)
    return decided or cluster.setup.options.check_quorum


def latest_term(cluster: Cluster, scope: Scope) -> Term:
    """The term beyond which no node goes: the scope's, or what is under way already."""
    hosts = cluster.hosts.values()
    terms = [host.machine.term if host.alive else host.disk.known_term for host in hosts]
    sent = [each.message.term for each in cluster.in_flight()]
    return max(scope.terms, *terms, *sent)
