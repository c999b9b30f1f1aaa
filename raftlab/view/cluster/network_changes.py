"""How messages are carried, where that was changed while the run went on."""

from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.settings import network_text


def network_lines(frame: Frame) -> list[str]:
    """The settings of all links, if they were changed, and then of each that has its own.

    A link that is the same both ways is told once, in the order of the cluster.
    """
    said = [] if frame.network is None else [f"network: {network_text(frame.network)}"]
    order = {node.node: place for place, node in enumerate(frame.nodes)}
    known = {(each.sender, each.receiver): each.network for each in frame.links}
    for one, other in sorted(known, key=lambda ends: (order[ends[0]], order[ends[1]])):
        network = known[one, other]
        both = known.get((other, one)) == network
        if not both or order[one] < order[other]:
            said.append(f"link {one} {'↔' if both else '→'} {other}: {network_text(network)}")
    return said
