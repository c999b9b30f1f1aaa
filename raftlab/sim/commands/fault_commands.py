"""What a reader can do to nodes, to the network and to messages: one verb an action."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from raftlab.raft.options import LONGEST, is_count, is_number
from raftlab.raft.vocabulary import Millis, Misuse, NodeId, NotNow, shown
from raftlab.sim.commands.base import Commands
from raftlab.sim.world.actions import (
    Calm,
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    ForgetLeader,
    Heal,
    Partition,
    Pause,
    Restart,
    Resume,
    SetClockRate,
    SetNetwork,
    SlowDisk,
    Timeout,
    Wipe,
    checked,
)
from raftlab.sim.world.arguments import side_named
from raftlab.sim.world.network import Flight


class FaultCommands(Commands):
    """The verbs that need nobody's consent. Raises: NotNow; Misuse, for what never can be done."""

    # To a node

    def crash(self, node: NodeId) -> None:
        """Stop a node; it forgets all that is not on its disk."""
        self._act(Crash(self.now, node))

    def restart(self, node: NodeId) -> None:
        """Start a crashed node again, from what its disk holds."""
        self._act(Restart(self.now, node))

    def pause(self, node: NodeId) -> None:
        """Let a node stand still, as if its machine hung; what reaches it waits."""
        self._act(Pause(self.now, node))

    def resume(self, node: NodeId) -> None:
        """Let a paused node go on."""
        self._act(Resume(self.now, node))

    def timeout(self, node: NodeId) -> None:
        """Let a node's election timer run out now. A leader has none.

        While a leader is alive the others may refuse it (thesis 4.2.3); `elect` asks by force.
        `lease_reads` counts on timers that run out by themselves.
        """
        self._act(Timeout(self.now, node))

    def forget_leader(self, node: NodeId) -> None:
        """Tell a follower that its leader is gone, so that it waits for no timeout to vote."""
        self._act(ForgetLeader(self.now, node))

    def wipe(self, node: NodeId) -> None:
        """Lose a node's disk, with everything on it; a node that is up crashes first.

        Raft does not survive a node that forgets and comes back under its old name. The way
        back is `remove` and then `add_learner` under a new one.
        """
        host = self._host(node)
        if host.alive and not host.disk.is_lost:
            self.crash(node)
        self._act(Wipe(self.now, node))

    def set_clock_rate(self, node: NodeId, rate: float) -> None:
        """Let a node's clock run `rate` times as fast as it should; 1 makes it true again."""
        self._act(SetClockRate(self.now, node, as_float(rate)))

    def slow_disk(self, node: NodeId, write_ms: Millis) -> None:
        """Let every write of a node take `write_ms` from now on.

        A node says nothing while it writes, unless `Options.async_persistence` is on: a
        leader whose disk is slow enough is deposed.
        """
        self._act(SlowDisk(self.now, node, as_float(write_ms)))

    # To the network

    def partition(self, *groups: Iterable[NodeId]) -> None:
        """Cut the network into groups; nodes that are not named form one more.

        cluster.partition(["S1", "S2"])             # against the rest
        cluster.partition("S1 S2", "S3 S4", "S5")

        It takes the place of whatever was cut before.
        """
        named = [side_named(group) for group in groups]
        listed = [node for group in named for node in group]
        for node in listed:
            self._host(node)
        if len(set(listed)) != len(listed):
            raise Misuse("A node can be on one side only; one is named twice.")
        rest = tuple(node for node in self.nodes if node not in listed)
        sides = tuple(group for group in (*named, rest) if group)
        self._act(Partition(self.now, sides))

    def isolate(self, node: NodeId) -> None:
        """Cut one node off from all others. The sides of a partition stay apart."""
        self._host(node)
        if len(self.nodes) == 1:
            raise NotNow(f"{node} is alone already.")
        others = [[each for each in group if each != node] for group in self.engine.world.groups]
        self.partition(*others, [node])

    def cut(self, sender: NodeId, receiver: NodeId, both_ways: bool = True) -> None:
        """Cut one link, in both directions or in one."""
        self._act(Cut(self.now, sender, receiver))
        if both_ways:
            self._act(Cut(self.now, receiver, sender))

    def heal(self) -> None:
        """Mend every link."""
        self._act(Heal(self.now))

    def set_network(
        self,
        sender: NodeId | None = None,
        receiver: NodeId | None = None,
        both_ways: bool = True,
        *,
        latency: tuple[Millis, Millis] | None = None,
        loss: float | None = None,
        duplication: float | None = None,
        reordering: float | None = None,
    ) -> None:
        """Change how messages are carried from now on, on all links or on one; see `Network`.

        cluster.set_network(loss=0.3)                              # everywhere
        cluster.set_network("S1", "S2", latency=(80, 120))         # between these two
        cluster.set_network("S1", "S2", loss=1, both_ways=False)   # from S1 to S2 only

        What is not named stays as it is. For all links, it takes the place of what single links
        had. What is on its way arrives when it would have, or is lost as it would have been;
        what is sent later may overtake it, if it is slower than the longest latency.
        """
        given = {"latency": latency, "loss": loss}
        given |= {"duplication": duplication, "reordering": reordering}
        changes: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        if not changes:
            raise Misuse("Say what of the network changes: latency, loss, duplication, reordering.")
        ways = [(sender, receiver)]
        if both_ways and sender is not None:
            ways.append((receiver, sender))
        for ends in ways:
            network = replace(self.engine.world.network_between(*ends), **changes)
            self._act(checked(SetNetwork(self.now, network, *ends)))

    def calm(self) -> None:
        """End all loss, duplication and reordering, for good. Cut links stay cut."""
        self._act(Calm(self.now))

    # To a message

    def deliver(self, number: int) -> None:
        """Let a message in flight arrive now, even over a link that is cut."""
        key = self._flight(number).key
        self._living(key[1])
        self._act(Deliver(self.now, *key))

    def drop(self, number: int) -> None:
        """Lose a message in flight."""
        self._act(Drop(self.now, *self._flight(number).key))

    def duplicate(self, number: int) -> None:
        """Send a second copy of a message in flight on its way; it arrives just after."""
        flight = self._flight(number)
        arrives_at = max(flight.arrives_at, self.now) + flight.link.weather.low / 2
        self._act(Duplicate(self.now, *flight.key, arrives_at))

    def delay(self, number: int, ms: Millis = 50.0) -> None:
        """Hold a message in flight up for `ms` longer. A lost message is lost all the same."""
        if not (is_number(ms) and 0 < ms <= LONGEST):
            raise Misuse(f"a delay is some time above 0 ms, not {shown(ms)}")
        flight = self._flight(number)
        self._act(Delay(self.now, *flight.key, max(flight.arrives_at, self.now) + ms))

    # Understanding what a reader named

    def _flight(self, number: int) -> Flight:
        for flight in self.in_flight():
            if flight.number == number:
                return flight
        there = ", ".join(str(flight.number) for flight in self.in_flight()) or "none"
        kind = NotNow if is_count(number, 1) else Misuse
        raise kind(f"No message {shown(number)} is on its way; in flight: {there}.")


def as_float(given: float) -> float:
    """A number as a recording holds it; anything else as it is, for the engine to refuse."""
    return float(given) if is_number(given) else given
