"""Who belongs to the cluster at one moment: voters, learners, both groups while it is joint.

A node goes by the newest configuration in its own log, so nodes may differ. Pictures go
by that of the leader (of the longest log, if nobody leads), and say where a node's own
log has it otherwise. Paper: 6. Thesis: 4.1 to 4.3.
"""

from collections.abc import Iterable, Mapping

import msgspec

from raftlab.raft.vocabulary import Configuration, Index, NodeId
from raftlab.sim.frames.frame import Frame, NodeFrame
from raftlab.view.configurations import configuration_text, runs, runs_text


class Standing(msgspec.Struct, frozen=True):
    """What a node is in the cluster. `word` is "" where that goes without saying.

    `votes`: it has a vote. `groups` are "old", "new" or both while the cluster is joint.
    `own` is what the node is by its own log, where that decides otherwise on its vote.
    """

    word: str = ""
    votes: bool = True
    groups: tuple[str, ...] = ()
    own: str = ""

    @property
    def is_member(self) -> bool:
        """Whether the log is sent to it."""
        return self.word != OUTSIDE

    @property
    def label(self) -> str:
        """The word as a picture puts it beside a node; "" for an ordinary voter."""
        return "" if self.word == VOTER else self.word

    @property
    def own_label(self) -> str:
        """What it is by its own log, as a picture puts it beside a node."""
        if not self.own:
            return ""
        return f"its log: {OWN_WORDS.get(self.own, VOTER)}"


VOTER, LEARNER, OUTSIDE = "voter", "learner", "not a member"
OWN_WORDS = {LEARNER: LEARNER, OUTSIDE: "not in"}

ORDINARY = Standing()
"""A voter of a cluster that has nothing but voters, all of one configuration."""


def standings(frame: Frame) -> Mapping[NodeId, Standing]:
    """What each node of the frame is."""
    leading = reference(frame)
    if leading is None or not _is_worth_saying(frame, leading):
        return {node.node: ORDINARY for node in frame.nodes}
    return {node.node: _standing(node, leading.configuration) for node in frame.nodes}


def reference(frame: Frame) -> NodeFrame | None:
    """The node whose configuration pictures go by: the leader, or else the longest log."""
    if frame.leader is not None:
        return frame.leader
    alive = [node for node in frame.nodes if node.alive and node.is_member]
    return max(alive, key=lambda node: (node.last_term, node.last_index), default=None)


def _is_worth_saying(frame: Frame, leading: NodeFrame) -> bool:
    """Whether there is more to it than nodes that have been voters from the start."""
    here, voters = leading.configuration, set(leading.configuration.all_voters)
    if here.is_joint or here.learners or any(node.node not in voters for node in frame.nodes):
        return True
    alive = [node for node in frame.nodes if node.alive]
    return any(
        configuration_entry(node) or node.configuration.is_joint or node.configuration.learners
        for node in alive
    )


def _standing(node: NodeFrame, configuration: Configuration) -> Standing:
    word, name = standing_word(node.node, configuration), node.node
    votes, groups = configuration.can_vote(name), _groups(name, configuration)
    same = (votes, name in configuration.members) == (node.is_voter, node.is_member)
    own = "" if same or not node.alive else standing_word(name, node.configuration)
    return Standing(word, votes, groups, own)


def _groups(node: NodeId, configuration: Configuration) -> tuple[str, ...]:
    if not configuration.is_joint:
        return ()
    sides = (("old", configuration.old_voters), ("new", configuration.voters))
    return tuple(name for name, side in sides if node in side)


def standing_word(node: NodeId, configuration: Configuration) -> str:
    """What `node` is by `configuration`: "voter", "both groups", "learner", "not a member" …"""
    groups, learns = _groups(node, configuration), node in configuration.learners
    if not configuration.can_vote(node):
        return LEARNER if learns else OUTSIDE
    if not groups:
        return VOTER
    if learns:
        return f"{groups[0]}, {LEARNER}"  # it gives up its vote
    return f"{groups[0]} group" if len(groups) == 1 else "both groups"


# Which configurations are in force, and where


def configuration_entry(node: NodeFrame) -> Index:
    """The index of the entry whose configuration the node goes by; 0 if none in its log."""
    if not node.alive or not node.configuration_index:
        return 0
    entry = node.entry(node.configuration_index)
    return entry.index if entry and isinstance(entry.payload, Configuration) else 0


def configuration_source(node: NodeFrame) -> str:
    """Where the node has its configuration from: "7" (its entry), "snapshot", or "start"."""
    index = configuration_entry(node)
    if index:
        return str(index)
    return "snapshot" if node.snapshot else "start"


def configuration_lines(frame: Frame) -> list[str]:
    """Each configuration in force, the leader's first: who is in it, and is it committed.

    None, while there are only the voters that the cluster began with.
    """
    held = _in_force(frame)
    return [f"{_told(each, frame)}{_where(each, held, frame)}" for each in held]


def configuration_choices(frame: Frame, most: int) -> list[list[str]]:
    """The same in at most so many wordings, each with shorter ones for where room is scarce.

    The last one only counts, if there are more.
    """
    held = _in_force(frame)
    shown = held if len(held) <= most else held[: most - 1]
    said = []
    for each in shown:
        where, short = _where(each, held, frame), runs_text(each.configuration)
        source = _source(list(each.nodes), _alive(frame))
        words = [f"{_told(each, frame)}{where}", f"{short}; {source}{where}"]
        said.append([*words, f"{short}; {source}", short])
    if len(shown) < len(held):
        others = [node for each in held[most - 1 :] for node in each.nodes]
        count = f"{len(held) - most + 1} other configurations"
        said.append([f"{count} in force at {_runs(others, frame)}", count])
    return said


class _InForce(msgspec.Struct, frozen=True):
    """A configuration, and the living nodes that go by it, the leader before the others."""

    configuration: Configuration
    nodes: tuple[NodeFrame, ...]


def _in_force(frame: Frame) -> list[_InForce]:
    """Each configuration that a living node goes by, the leader's first; none if all is plain."""
    leading = reference(frame)
    if leading is None or not _is_worth_saying(frame, leading):
        return []
    held: dict[Configuration, list[NodeFrame]] = {}
    for node in (leading, *(each for each in _alive(frame) if each is not leading)):
        if configuration_entry(node) or node.last_index or node.is_member:  # no newcomer
            held.setdefault(node.configuration, []).append(node)
    return [_InForce(each, tuple(nodes)) for each, nodes in held.items()]


def _alive(frame: Frame) -> list[NodeFrame]:
    return [node for node in frame.nodes if node.alive]


def _told(each: _InForce, frame: Frame) -> str:
    return f"{configuration_text(each.configuration)}; {_source(list(each.nodes), _alive(frame))}"


def _where(each: _InForce, held: list[_InForce], frame: Frame) -> str:
    """Where a configuration is in force; "" if no node has another."""
    return "" if len(held) == 1 else f"; in force at {_runs(each.nodes, frame)}"


def _runs(nodes: Iterable[NodeFrame], frame: Frame) -> str:
    order = [node.node for node in frame.nodes]
    return runs(sorted((node.node for node in nodes), key=order.index))


def _source(nodes: list[NodeFrame], alive: list[NodeFrame]) -> str:
    """Where the nodes that go by a configuration have it from, and whether it is committed."""
    holder = max(nodes, key=configuration_entry)
    entry = holder.entry(configuration_entry(holder))
    if entry is None:
        return f"from the {configuration_source(nodes[0])}"
    beyond = [node for node in alive if node.commit_index >= entry.index]
    if any(node.entry(entry.index) == entry for node in beyond):
        return f"entry {entry.index}, committed"
    if any(node.entry(entry.index) is None for node in beyond):
        return f"entry {entry.index}"  # those who know have compacted it away
    return f"entry {entry.index}, not committed"
