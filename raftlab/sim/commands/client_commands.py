"""What clients and operators ask of the leader: commands, reads, and changes of the cluster."""

from collections.abc import Iterable, Mapping

from raftlab.raft.roles import LEADER
from raftlab.raft.vocabulary import (
    Configuration,
    Index,
    Misuse,
    NodeId,
    NotLeader,
    NotNow,
    listed,
    named,
    shown,
)
from raftlab.sim.commands.base import Commands
from raftlab.sim.watch.properties import configuration_of
from raftlab.sim.world.actions import Compact, Join, Propose, Read, Reconfigure, TransferLeadership
from raftlab.sim.world.arguments import command_data, is_text, node_names, side_named
from raftlab.sim.world.host import Host, Reading


class ClientCommands(Commands):
    """The verbs that a machine may refuse: NotNow, NotLeader, Misuse, with the reason."""

    # Who is asked

    @property
    def leader(self) -> NodeId | None:
        """The living leader of the highest term, or None."""
        leading = [
            host for host in self.hosts.values() if host.alive and host.machine.role is LEADER
        ]
        return max(leading, key=lambda host: host.machine.term).node if leading else None

    @property
    def configuration(self) -> Configuration:
        """Who belongs to the cluster, as the leader has it; without a leader, the newest log."""
        living = [host for host in self.hosts.values() if host.alive] or list(self.hosts.values())
        leader = self.leader
        leading = [host for host in living if host.node == leader]
        newest = max(
            leading or living,
            key=lambda host: (host.machine.log.last_term, host.machine.log.last_index),
        )
        return configuration_of(newest)

    def _leader_or(self, to: NodeId | None, what: str) -> NodeId:
        """The node that is asked: `to`, or the leader; it must be up, and lead."""
        node = to if to is not None else self.leader
        if node is None:
            raise NotNow(
                f"No node leads, so nobody can {what}. Run until one does: cluster.elect()."
            )
        host = self._living(node)
        if host.paused:
            raise NotNow(f"{node} is paused and takes no commands: resume it first.")
        machine = host.machine
        if machine.role is not LEADER:
            leader = getattr(machine, "leader", None)
            raise NotLeader.of(node, machine.role.value, machine.term, leader)
        return node

    # Commands and reads

    def propose(self, command: str | bytes, to: NodeId | None = None) -> Index:
        """Hand a command to the leader, or to the node `to`; returns its index in the log.

        Raises: NotNow, if there is no leader, or it cannot take it at this moment; NotLeader,
        if `to` is none; Misuse, for what is no command, and no node.
        """
        node = self._leader_or(to, "take a command")
        data = command_data(command)
        self._act(Propose(self.now, node, data))
        return self.hosts[node].machine.log.last_index

    def read(self, key: str, of: NodeId | None = None) -> Reading:
        """Ask the leader, or the node `of`, for the value of `key`; run on until it `is_done`.

        A follower asks its leader how far its log must be applied, and answers itself.
        Thesis: 6.4.

        Raises: NotNow, if there is no leader; NotLeader, if `of` knows none; Misuse, for what is
        no key, and no node.
        """
        node = of if of is not None else self.leader
        if node is None:
            raise NotNow("No node leads, so nobody knows what is committed. Run: cluster.elect().")
        if not is_text(key):
            raise Misuse(f"a key is text, and not empty: not {shown(key)}")
        self._act(Read(self.now, node, key))
        return self.engine.world.readings[-1]

    # Logs and leaders

    def compact(self, node: NodeId, up_to: Index | None = None) -> None:
        """Let a node's snapshot stand for its log up to `up_to`, or for all that it has applied.

        Paper: 7.
        """
        host = self._running(node)
        index = host.applied_index if up_to is None else up_to
        snapshot = host.machine.log.snapshot
        if up_to is None and index == (snapshot.index if snapshot else 0):
            since = "since its last snapshot" if snapshot else "yet"
            raise NotNow(f"{node} has applied nothing {since} that a snapshot could stand for.")
        if not isinstance(index, int) or isinstance(index, bool):
            raise Misuse(f"a log is compacted up to an index, not up to {shown(up_to)}")
        self._act(Compact(self.now, node, index))

    def transfer(self, to: NodeId | None = None) -> None:
        """Ask the leader to hand its leadership over, to `to` or to whoever can take it.

        Run on to see it happen. Thesis: 3.10.

        Raises: NotNow, if there is no leader, or `to` cannot lead; Misuse, if there is no `to`.
        """
        node = self._leader_or(None, "hand leadership over")
        if to is not None:
            self._host(to)
        self._act(TransferLeadership(self.now, node, to))

    # Who belongs to the cluster

    def add_node(self, node: NodeId) -> None:
        """Start a new server with an empty disk. It is no member until it is added as one."""
        self._act(Join(self.now, node))

    def add_learner(self, node: NodeId) -> Index:
        """Let `node` receive the log without a vote; starts the server if there is none.

        Returns the index of the new configuration. Thesis: 4.2.1.
        """
        leader = self._leader_for_a_change()
        now = configuration_of(self.hosts[leader])
        if node in now.members:
            raise NotNow(f"{node} is a member already; the members are {listed(now.members)}.")
        learners = (*now.learners, node)
        if node not in self.nodes:
            node_names((*self.nodes, node))
            machine = self.hosts[leader].machine
            check = getattr(machine, "_check_change", Configuration.check)
            check(Configuration(now.voters, (), learners))
            self.add_node(node)
        return self._reconfigure(leader, now.voters, learners)

    def promote(self, node: NodeId) -> Index:
        """Give a learner a vote; it must have caught up. Thesis: 4.2.1.

        Raises: NotNow, if it has not, or is no learner: run on, and ask again; Misuse, if there
        is no such server.
        """
        leader = self._leader_for_a_change()
        now = configuration_of(self.hosts[leader])
        if node in now.voters:
            raise NotNow(f"{node} has a vote already.")
        if node not in now.learners:
            raise self._no_member(node)(
                f"{named(node)} is no learner: cluster.add_learner({shown(node)}) makes it one."
            )
        learners = tuple(each for each in now.learners if each != node)
        return self._reconfigure(leader, (*now.voters, node), learners)

    def remove(self, node: NodeId) -> Index:
        """Take a voter or a learner out of the cluster.

        Its server goes on until it is stopped. Nothing is sent to it any more, so it may never
        learn that it was removed, and asks for votes that nobody gives. Thesis: 4.2.3.
        """
        leader = self._leader_for_a_change()
        now = configuration_of(self.hosts[leader])
        if node not in now.members:
            raise self._no_member(node)(
                f"{named(node)} is no member; the members are {listed(now.members)}."
            )
        voters = tuple(each for each in now.voters if each != node)
        if not voters:
            raise NotNow("a configuration needs at least one voter")
        learners = tuple(each for each in now.learners if each != node)
        return self._reconfigure(leader, voters, learners)

    def reconfigure(
        self, voters: str | Iterable[NodeId], learners: str | Iterable[NodeId] = ()
    ) -> Index:
        """Ask the leader for exactly these voters and learners: "S1 S2 S4", or names one by one.

        The machine gets there through a joint configuration. Paper: 6.
        """
        leader = self._leader_for_a_change()
        what = "a configuration"
        return self._reconfigure(leader, side_named(voters, what), side_named(learners, what))

    def _leader_for_a_change(self) -> NodeId:
        return self._leader_or(None, "change who belongs to the cluster")

    def _no_member(self, node: NodeId) -> type[Misuse] | type[NotNow]:
        """The kind of refusal for one who is no member: a server may become one, a name may not."""
        return NotNow if node in self.nodes else Misuse

    def _reconfigure(
        self, leader: NodeId, voters: tuple[NodeId, ...], learners: tuple[NodeId, ...]
    ) -> Index:
        for node in (*voters, *learners):
            try:
                self._host(node)
            except Misuse as why:
                raise Misuse(made_up(self.hosts) or str(why)) from why
        machine = self.hosts[leader].machine
        self._act(Reconfigure(self.now, leader, voters, learners))
        return machine.log.configuration_index


def made_up(hosts: Mapping[NodeId, Host]) -> str | None:
    """Which server some machine made up, as a sentence; None, if there is each that they name."""
    for host in hosts.values():
        for member in configuration_of(host).members:
            if member not in hosts:
                return (
                    f"{host.node}'s machine names {shown(member)} as a member, and there is no such"
                    f" server: a machine made it up, for this cluster has {listed(hosts)}"
                )
    return None
