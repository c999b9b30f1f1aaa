"""The network: how long each message takes, and whether it arrives at all.

Every link draws from a random source of its own, so that what happens on one link does
not depend on what is sent over another. What is changed while a run goes on concerns what is
sent from then on: what is on its way arrives when it would have, or is lost as it would have been.
"""

import random
from collections.abc import Container, Iterable, Iterator
from heapq import heappush
from itertools import chain
from typing import Any

import msgspec
from msgspec.structs import replace

from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.world.settings import Network


class Weather:
    """What a `Network` says, as sending needs it. It never changes: links and copies share it."""

    __slots__ = ("high", "low", "settings", "span", "troubled")

    def __init__(self, settings: Network) -> None:
        self.settings = settings
        self.low, self.high = settings.latency
        self.span = self.high - self.low
        self.troubled = bool(settings.loss or settings.duplication or settings.reordering)

    def __deepcopy__(self, memo: object) -> "Weather":
        return self


class Link:
    """One direction between two nodes, whose names are its `ends`: sender and receiver."""

    __slots__ = ("cut", "ends", "last_arrival", "rng", "sent", "weather")

    def __init__(self, ends: tuple[NodeId, NodeId], rng: random.Random, weather: Weather) -> None:
        self.ends = ends
        self.rng = rng
        self.weather = weather
        self.sent = 0
        self.last_arrival: Millis = 0.0
        self.cut = False

    def change(self, weather: Weather, now: Millis) -> None:
        """Carry what is sent from `now` on so. It waits for no message from before any longer
        than the longest latency: it overtakes those that are slower.
        """
        self.weather = weather
        self.last_arrival = min(self.last_arrival, now + weather.high)


class Flight(msgspec.Struct, eq=False, gc=False):
    """A message on its way. `key` is (sender, receiver, nth on that link, from 1).

    It ends at `ends_at` (ms), by arriving, or half way if it is `lost`; once it has ended, never.
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
    """All the links between `nodes`, how each of them carries messages, and the `flights`.

    They stand by their keys, in the order in which they were sent.
    """

    __slots__ = ("_links", "_nodes", "_seed", "_weather", "flights", "sent")

    def __init__(self, settings: Network, seed: int, nodes: Container[NodeId]) -> None:
        self._nodes = nodes
        self._seed = seed
        self._weather = Weather(settings)
        self._links: dict[NodeId, dict[NodeId, Link]] = {}
        self.flights: dict[tuple[NodeId, NodeId, int], Flight] = {}
        self.sent = 0

    def link(self, sender: NodeId, receiver: NodeId) -> Link:
        """The link from `sender` to `receiver`."""
        links = self._links.setdefault(sender, {})
        link = links.get(receiver)
        if link is None:
            rng = random.Random(f"raftlab {self._seed} link {sender} {receiver}")
            link = links[receiver] = Link((sender, receiver), rng, self._weather)
        return link

    def links(self) -> Iterator[Link]:
        """The links that have been used, or cut."""
        return chain.from_iterable(links.values() for links in self._links.values())

    def send(self, messages: Iterable[Message], now: Millis, due: list[Any], scheduled: int) -> int:
        """Send messages at `now`: each is a flight, and rarely two.

        What is said to nobody of the nodes goes nowhere. The ends of the flights are put on the
        heap of what is `due`, and counted on from `scheduled`; returns how far.
        """
        links, flights = self._links, self.flights
        for message in messages:
            sender, receiver = message.sender, message.receiver
            try:
                link = links[sender][receiver]
            except KeyError:
                if receiver not in self._nodes:
                    continue
                link = self.link(sender, receiver)
            weather = link.weather
            arrives_at = now + weather.low + weather.span * link.rng.random()
            if weather.troubled:
                for flight in self._send_through_trouble(link, message, now, arrives_at):
                    flights[flight.key] = flight
                    scheduled += 1
                    heappush(due, (flight.ends_at, scheduled, flight))
                continue
            if arrives_at < link.last_arrival:
                arrives_at = link.last_arrival
            link.last_arrival = arrives_at
            link.sent = nth = link.sent + 1
            self.sent = number = self.sent + 1
            key = (sender, receiver, nth)
            flight = flights[key] = Flight(number, key, link, message, now, arrives_at, arrives_at)
            if link.cut:
                flight.lose()
            scheduled += 1
            heappush(due, (flight.ends_at, scheduled, flight))
        return scheduled

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
        weather, rng = link.weather, link.rng
        settings = weather.settings
        if settings.reordering and rng.random() < settings.reordering:
            arrives_at += weather.high * rng.random()
        else:
            arrives_at = max(arrives_at, link.last_arrival)
            link.last_arrival = arrives_at
        first = self.copy(message, now, arrives_at)
        if settings.loss and rng.random() < settings.loss:
            first.lose()
        if settings.duplication and rng.random() < settings.duplication:
            again = arrives_at + weather.span * rng.random()
            return (first, self.copy(message, now, again))
        return (first,)

    # Cuts

    def cut(self, sender: NodeId, receiver: NodeId) -> None:
        """Let nothing pass from `sender` to `receiver`."""
        self.link(sender, receiver).cut = True

    def heal(self) -> None:
        """Let everything pass again."""
        for link in self.links():
            link.cut = False

    # Settings

    @property
    def settings(self) -> Network:
        """How links carry messages, unless they have settings of their own."""
        return self._weather.settings

    @property
    def own_settings(self) -> tuple[tuple[NodeId, NodeId, Network], ...]:
        """The links that have settings of their own, with them, in the order of their names."""
        usual = self._weather
        own = sorted(link.ends for link in self.links() if link.weather is not usual)
        return tuple((*ends, self.settings_of(*ends)) for ends in own)

    def settings_of(self, sender: NodeId, receiver: NodeId) -> Network:
        """How what goes from `sender` to `receiver` is carried."""
        link = self._links.get(sender, {}).get(receiver)
        return (self._weather if link is None else link.weather).settings

    def change(self, settings: Network, now: Millis) -> None:
        """Carry everything so from `now` on; no link has settings of its own any more."""
        self._weather = Weather(settings)
        for link in self.links():
            link.change(self._weather, now)

    def change_link(self, sender: NodeId, receiver: NodeId, settings: Network, now: Millis) -> None:
        """Carry what goes from `sender` to `receiver` so from `now` on."""
        self.link(sender, receiver).change(self._weather_of(settings), now)

    def calm(self) -> None:
        """From now on lose, double and reorder nothing."""
        self._weather = Weather(_calmed(self.settings))
        for link in self.links():
            link.weather = self._weather_of(_calmed(link.weather.settings))

    def _weather_of(self, settings: Network) -> Weather:
        return self._weather if settings == self.settings else Weather(settings)

    @property
    def cuts(self) -> tuple[tuple[NodeId, NodeId], ...]:
        """The links that carry nothing, in the order of their names."""
        return tuple(sorted(link.ends for link in self.links() if link.cut))


def _calmed(settings: Network) -> Network:
    """The same without loss, duplication and reordering."""
    return replace(settings, loss=0.0, duplication=0.0, reordering=0.0)
