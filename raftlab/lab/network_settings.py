"""How messages are carried at the moment looked at, and the steps of the sliders that change it."""

from typing import TypeAlias

from raftlab.lab.session import Session
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.world.settings import Network

ALL_LINKS = "all links"

LATENCIES: tuple[Millis, ...] = (
    *(0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, 150.0, 200.0, 300.0),
    *(500.0, 1000.0, 2000.0, 5000.0, 10_000.0),
)
"""The latencies (ms) that a slider offers."""

Ends: TypeAlias = tuple[NodeId | None, NodeId | None]
"""The ends of a directed link; (None, None) stands for all links."""


def network_at(session: Session, ends: Ends) -> Network:
    """How messages are carried over a link, or over all that have no settings of their own."""
    frame = session.frame
    for link in frame.links:
        if (link.sender, link.receiver) == ends:
            return link.network
    return frame.network or session.cluster.setup.network


def latency_options(network: Network) -> tuple[tuple[str, Millis], ...]:
    """What a slider of latencies offers: the usual steps, and those that are so now."""
    return tuple((f"{each:g}", each) for each in sorted({*LATENCIES, *network.latency}))
