"""The network: how long each message takes, and whether it arrives at all.

Every link draws from a random source of its own, so that what happens on one link does
not depend on what is sent over another.
"""

import random
from collections.abc import Iterator

import msgspec

from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.world.settings import Network


class Link:
    """One direction between two nodes."""

    __slots__ = ("cut", "last_arrival", "rng", "sent")

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.sent = 0
        self.last_arrival: Millis = 0.0
        self.cut = False


class Flight(msgspec.Struct, eq=False, gc=False):
    """A message on its way. `key` is (sender, receiver, nth on that link, from 1).

    It ends at `ends_at` (ms): by arriving, or half way if it is `lost`.
    """

    number: int
    key: tuple[NodeId, NodeId, int]
    link: Link
    message: Message
    sent_at: Millis
    arrives_at: Millis
    ends_at: Millis
    lost: bool = False

    def lose(self) -> None:
        """Let it be lost half way."""
        self.lost = True
        self.ends_at = (self.sent_at + self.arrives_at) / 2


class Wires:
    """All the links of a cluster, and the rates at which they fail."""

    __slots__ = ("_high", "_links", "_low", "_seed", "_settings", "_span", "_troubled", "sent")

    def __init__(self, settings: Network, seed: int) -> None:
        self._settings = settings
        self._seed = seed
        self._low, self._high = settings.latency
        self._span = self._high - self._low
        self._troubled = bool(settings.loss or settings.duplication or settings.reordering)
        self._links: dict[tuple[NodeId, NodeId], Link] = {}
        self.sent = 0

    def link(self, sender: NodeId, receiver: NodeId) -> Link:
        """The link from `sender` to `receiver`."""
        link = self._links.get((sender, receiver))
        if link is None:
            rng = random.Random(f"raftlab {self._seed} link {sender} {receiver}")
            link = self._links[sender, receiver] = Link(rng)
        return link

    def links(self) -> Iterator[Link]:
        """The links that have been used, or cut."""
        return iter(self._links.values())

    def send(self, message: Message, now: Millis) -> tuple[Flight, ...]:
        """Send a message at `now`; the flights are it and, rarely, its second copy."""
        sender, receiver = message.sender, message.receiver
        link = self._links.get((sender, receiver)) or self.link(sender, receiver)
        arrives_at = now + self._low + self._span * link.rng.random()
        if self._troubled:
            return self._send_through_trouble(link, message, now, arrives_at)
        if arrives_at < link.last_arrival:
            arrives_at = link.last_arrival
        link.last_arrival = arrives_at
        link.sent = nth = link.sent + 1
        self.sent = number = self.sent + 1
        key = (sender, receiver, nth)
        flight = Flight(number, key, link, message, now, arrives_at, arrives_at)
        if link.cut:
            flight.lose()
        return (flight,)

    def copy(self, message: Message, now: Millis, arrives_at: Millis) -> Flight:
        """A second copy of a message, under a number of its own."""
        link = self.link(message.sender, message.receiver)
        link.sent += 1
        self.sent += 1
        key = (message.sender, message.receiver, link.sent)
        flight = Flight(self.sent, key, link, message, now, arrives_at, arrives_at)
        if link.cut:
            flight.lose()
        return flight

    def _send_through_trouble(
        self, link: Link, message: Message, now: Millis, arrives_at: Millis
    ) -> tuple[Flight, ...]:
        settings, rng = self._settings, link.rng
        if settings.reordering and rng.random() < settings.reordering:
            arrives_at += self._high * rng.random()
        else:
            arrives_at = max(arrives_at, link.last_arrival)
            link.last_arrival = arrives_at
        first = self.copy(message, now, arrives_at)
        if settings.loss and rng.random() < settings.loss:
            first.lose()
        if settings.duplication and rng.random() < settings.duplication:
            again = arrives_at + self._span * rng.random()
            return (first, self.copy(message, now, again))
        return (first,)

    # Cuts

    def cut(self, sender: NodeId, receiver: NodeId) -> None:
        """Let nothing pass from `sender` to `receiver`."""
        self.link(sender, receiver).cut = True

    def heal(self) -> None:
        """Let everything pass again."""
        for link in self._links.values():
            link.cut = False

    def calm(self) -> None:
        """From now on lose, double and reorder nothing."""
        self._troubled = False

    @property
    def cuts(self) -> tuple[tuple[NodeId, NodeId], ...]:
        """The links that carry nothing, in the order of their names."""
        return tuple(sorted(ends for ends, link in self._links.items() if link.cut))
