"""Who belongs to a cluster for certain, and which servers it has let go, seen from outside."""

from collections.abc import Iterable

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Index, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import configuration_of
from raftlab.sim.world.host import Host


def current(cluster: Cluster) -> Configuration:
    """The newest configuration that is committed, as far as any node knows."""
    newest = max(filter(is_settled, cluster.hosts.values()), key=changed_at, default=None)
    return Configuration(cluster.setup.nodes) if newest is None else configuration_of(newest)


def changed_at(host: Host) -> Index:
    """Where the newest configuration stands in a log."""
    return host.machine.log.configuration_index


def is_settled(host: Host) -> bool:
    """Whether a node knows that the newest configuration in its log is committed."""
    return changed_at(host) <= host.machine.commit_index


def is_blank(host: Host) -> bool:
    """Whether a server has no entry yet, and no vote: it was started to be added."""
    return not host.machine.log.last_index and host.node not in configuration_of(host).voters


def former(cluster: Cluster, lasting: Iterable[Host] | None = None) -> list[NodeId]:
    """The servers that the cluster has let go: no configuration from now on can name them.

    `lasting` are the nodes that may still bring a change about, where these are not all.
    """
    hosts = cluster.hosts.values()
    settled_at = max(map(changed_at, filter(is_settled, hosts)), default=0)
    changing = hosts if lasting is None else lasting
    pending = [configuration_of(host) for host in changing if changed_at(host) > settled_at]
    named = {node for each in (current(cluster), *pending) for node in each.members}
    return [node for node in cluster.nodes if node not in named]


def erasable(cluster: Cluster) -> list[NodeId]:
    """The servers on whose disks no member counts: they were let go, and say nothing any more.

    There are none while it is unclear who leads, or while a node is paused, and may be behind.
    """
    living = [host for host in cluster.hosts.values() if host.alive]
    leading = [host for host in living if host.machine.role is Role.LEADER]
    if len(leading) != 1 or any(host.paused for host in living):
        return []
    speaking = {each.message.sender for each in cluster.in_flight()}
    return [node for node in former(cluster) if node not in speaking]
