"""The commit decision as a value: what a majority has reached, what its term says, and why."""

from collections.abc import Mapping

import msgspec

from raftlab.raft.quorum import majority, majority_index
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term
from raftlab.sim.frames.frame import Frame, NodeFrame
from raftlab.view.checked import checked
from raftlab.view.logs.columns import last_index, shown_entries
from raftlab.view.words import clean, ms, table

MOST_COLUMNS = 14
"""How many entries of a long log are shown."""


class Reached(msgspec.Struct, frozen=True):
    """How far one set of voters is: (voter, match index) ascending, and a majority's index.

    `name` is "" for the only set, "new" or "old" while the configuration is joint.
    """

    name: str
    voters: tuple[tuple[NodeId, Index], ...]
    index: Index


class Decision(msgspec.Struct, frozen=True):
    """What a leader may commit, and why: the smallest of the groups' indexes, and its term.

    `matched_term` is None where the leader does not know the term. `old` and `new` are
    its commit index before and after; `leader` is "" where there is no cluster, and then
    `actual` is None, else the commit index that the leader really has. `uncounted` are
    those that hold entries and have no vote: learners, or a leader that is on its way out.
    """

    groups: tuple[Reached, ...]
    matched: Index
    matched_term: Term | None
    term: Term
    old: Index
    new: Index
    leader: NodeId = ""
    actual: Index | None = None
    uncounted: tuple[tuple[NodeId, Index], ...] = ()


def decide(
    match_indexes: Mapping[NodeId, Index],
    holder: NodeFrame,
    term: Term,
    commit_index: Index,
    configuration: Configuration,
) -> Decision:
    """The decision of a leader in `term` whose log is that of `holder`.

    A voter that is not in `match_indexes` counts as 0. Paper: Figure 2, Leaders, last rule.
    """
    groups = tuple(
        _reached(name, match_indexes, voters)
        for name, voters in zip(_group_names(configuration), configuration.voter_sets, strict=True)
    )
    matched = min(group.index for group in groups)
    matched_term = _term_at(holder, matched)
    counts = matched > commit_index and matched_term == term  # 5.4.2
    new = matched if counts else commit_index
    return Decision(groups, matched, matched_term, term, commit_index, new)


def leader_shown(frame: Frame, leader: NodeId | None) -> NodeFrame | None:
    """The node whose decision is shown; None if it does not lead."""
    node = frame.leader if leader is None else frame[leader]
    return node if node and node.alive and node.role is Role.LEADER else None


def decision_of(node: NodeFrame, previous: Frame | None) -> Decision:
    """The decision of a leader as it stands, from the commit index it had in `previous`."""
    old = node.commit_index
    for before in previous.nodes if previous else ():
        if (before.node, before.role, before.term) == (node.node, node.role, node.term):
            old = before.commit_index
    known = {each.node: each.match_index for each in node.progress}
    decision = decide(known, node, node.term, old, node.configuration)
    return msgspec.structs.replace(
        decision,
        leader=node.node,
        actual=node.commit_index,
        uncounted=_uncounted(known | {node.node: last_index(node)}, node),
    )


def _uncounted(known: Mapping[NodeId, Index], node: NodeFrame) -> tuple[tuple[NodeId, Index], ...]:
    """The learners, and a leader without a vote, with their match indexes."""
    members = dict.fromkeys((*node.configuration.members, node.node))
    silent = [name for name in members if not node.configuration.can_vote(name)]
    return tuple((name, known.get(name, 0)) for name in silent)


def _group_names(configuration: Configuration) -> tuple[str, ...]:
    return ("new", "old") if configuration.is_joint else ("",)


def _reached(name: str, known: Mapping[NodeId, Index], voters: tuple[NodeId, ...]) -> Reached:
    ordered = sorted(voters, key=lambda voter: known.get(voter, 0))  # ties in cluster order
    pairs = tuple((voter, known.get(voter, 0)) for voter in ordered)
    return Reached(name, pairs, majority_index([index for _, index in pairs]))


def _term_at(node: NodeFrame, index: Index) -> Term | None:
    entry = node.entry(index)
    if entry is not None:
        return entry.term
    if node.snapshot is not None and node.snapshot.index == index:
        return node.snapshot.term
    return 0 if index == 0 else None


# In words


def nobody_decides(frame: Frame, leader: NodeId | None) -> str:
    """Why there is no decision to show."""
    if leader is None:
        return f"{ms(frame.at)}: nobody leads, so nothing is being committed."
    node = frame[leader]
    what = f"is a {node.role.value} in term {node.term}" if node.alive else "is down"
    return f"{ms(frame.at)}: {clean(leader)} {what}; only a leader counts copies."


def decision_headline(decision: Decision) -> str:
    """What a majority holds and where that brings the commit index, in a sentence."""
    who = f"{clean(decision.leader)} leads term {decision.term}" if decision.leader else ""
    held = f"a majority holds entry {decision.matched}"
    if len(decision.groups) > 1:
        held = f"majorities of both groups hold entry {decision.matched}"
    if not decision.matched:
        held = "the leader knows of no entry on a majority"
    said = f"{who}; {held}" if who else held[0].upper() + held[1:]
    return f"{said}; commit index {commit_moves(decision)}."


def commit_moves(decision: Decision) -> str:
    """The commit index, old → new."""
    if decision.new == decision.old:
        return f"stays {decision.old}"
    return f"{decision.old} → {decision.new}"


def verdict(decision: Decision) -> str:
    """What the current-term rule says."""
    entry, term = f"Entry {decision.matched}", decision.term
    if not decision.matched:
        return "There is nothing to commit."
    if decision.matched <= decision.old:
        return f"{entry} is committed already: nothing new."
    if decision.matched_term is None:
        return f"{entry} is not in the leader's log: nothing is committed."
    if decision.matched_term != term:
        where = f"{entry} is of term {decision.matched_term}, the leader is in term {term}"
        return f"{where}: not committed by counting."
    return f"{entry} is of term {term}, the leader's own: committed, with all before it."


def all_the_same(decision: Decision) -> str:
    """What to say of a leader that has committed more than the rule allows; else ""."""
    if decision.actual is None or decision.actual <= decision.new:
        return ""
    return f"{clean(decision.leader)} has committed up to {decision.actual} all the same."


def not_counted(decision: Decision) -> str:
    """Whose copies count for nothing, and how far they are; else ""."""
    if not decision.uncounted:
        return ""
    each = ", ".join(f"{clean(name)} (match {index})" for name, index in decision.uncounted)
    return f"Without a vote, not counted: {each}."


def counted(group: Reached) -> str:
    """How many have reached the majority's index, and how many it takes."""
    least = max(group.index, 1)
    reached = sum(index >= least for _, index in group.voters)
    voters = f"{len(group.voters)} {group.name + ' ' if group.name else ''}voters"
    return f"{reached} of {voters} have reached {least}; {majority(len(group.voters))} needed."


@checked
def describe_decision(decision: Decision, holder: NodeFrame) -> str:
    """The decision in a sentence, each voter's index, the leader's terms, and the verdict."""
    parts = [decision_headline(decision)]
    for group in decision.groups:
        middle = (len(group.voters) - 1) // 2
        rows = [
            [
                clean(voter),
                _rank_bar(group, index),
                str(index),
                "majority" if place == middle else "",
            ]
            for place, (voter, index) in enumerate(group.voters)
        ]
        header = [f"{group.name} voter".strip(), "", "match", ""]
        parts.append(f"{table(header, rows, right=(2,))}\n{counted(group)}")
    columns = columns_around(decision, holder)
    entries = shown_entries(holder, columns)
    terms = " ".join(f"{entry.index}:{entry.term}" for entry in entries) or "none"
    whose = f"{clean(decision.leader)}'s entries" if decision.leader else "The leader's entries"
    said = [not_counted(decision), f"{whose} (index:term): {terms}"]
    said += [verdict(decision), all_the_same(decision)]
    return "\n\n".join([*parts, "\n".join(line for line in said if line)])


def _rank_bar(group: Reached, index: Index) -> str:
    """As many "x" as voters are strictly behind, in the manner of etcd's `Describe`."""
    return "x" * sum(other < index for _, other in group.voters) + ">"


def columns_around(decision: Decision, holder: NodeFrame) -> range:
    """The indexes to show: all, or a window around the majority's index."""
    furthest = max(index for group in decision.groups for _, index in group.voters)
    last = max(last_index(holder), furthest, 1)
    start = max(decision.matched - MOST_COLUMNS + 5, 1)
    stop = min(start + MOST_COLUMNS - 1, last)
    return range(max(stop - MOST_COLUMNS + 1, 1), stop + 1)
