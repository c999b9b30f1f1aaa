"""The words every other file uses: nodes, terms, indexes, time, and who belongs to the cluster."""

import re
import reprlib
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

NodeId: TypeAlias = str
"""The name of a server: "S1", "S2", …; never empty."""

Term: TypeAlias = int
"""Raft's logical clock; 0 is the time before the first election. Paper: 5.1."""

Index: TypeAlias = int
"""A position in the log, 1-based; 0 is the place before the first entry. Paper: 5.3."""

Millis: TypeAlias = float
"""Milliseconds of virtual time, or a span of them. No clock is ever read."""


class Misuse(ValueError):
    """Nonsense: a name, a type or a value that can never be right here.

    A mistake of the program that asks, not of a peer: what peers send never raises. Nothing is
    changed when this is raised. Asking again is in vain; see `NotNow` for what is not.
    """


class NotNow(RuntimeError):
    """What was asked for makes sense, and is not possible at this moment. The message says why.

    A node is down, a message has arrived already, a configuration change is under way, a
    learner has not caught up. Nothing is changed when this is raised. What asks at random, or
    again and again, may pass over this, and never over `Misuse`, which is no kind of it.
    """


class NotLeader(NotNow):
    """Only a leader accepts entries. `leader` is the leader this node knows, or None.

    Paper: 5.1, "if a client contacts a follower, the follower redirects it to the leader".
    """

    def __init__(self, message: str, leader: NodeId | None = None) -> None:
        super().__init__(message, leader)
        self.leader = leader

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def of(
        cls,
        node: NodeId,
        role: str,
        term: Term,
        leader: NodeId | None,
        what: str = "accept entries",
    ) -> "NotLeader":
        """The refusal of `node`, which has `role` in `term` and follows `leader`, if anyone."""
        known = f"its leader is {leader}" if leader else "it knows no leader"
        said = f"{node} is a {role} in term {term} and cannot {what}; {known}."
        return cls(said, leader)


REFUSALS = (Misuse, NotNow)
"""For what treats both kinds alike: it shows them, or undoes what was begun."""


MOST_SHOWN = 120
"""How many characters of something that was given a message repeats."""


class _Shown(reprlib.Repr):
    """A `repr` that never grows long and never fails, whatever was given."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxstring = self.maxlong = self.maxother = MOST_SHOWN
        self.maxtuple = self.maxlist = self.maxset = self.maxfrozenset = 24
        self.maxdict = self.maxarray = self.maxdeque = 12

    def repr1(self, x: object, level: int) -> str:
        """Like that of any `Repr`, of what has a `repr` that can be made."""
        try:
            return super().repr1(x, level)
        except Exception:  # of an object of the reader's own, or a number of too many digits
            return f"<{type(x).__name__}>"


_SHOWN = _Shown()


def shown(given: object) -> str:
    """What was given, as a message repeats it: its `repr`, shortened where it is long.

    No address in memory is in it, and no order of a set.
    """
    return shortened(re.sub(r" at 0x[0-9a-fA-F]+", "", _SHOWN.repr(given)))


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """A text with the middle left out, if it is longer than `most` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[len(text) - (most - 1 - most // 2) :]}"


def named(given: object) -> str:
    """A name as a sentence has it, without quotes; of what is no text, its short `repr`."""
    return shortened(given) if isinstance(given, str) else shown(given)


def listed(names: Iterable[object]) -> str:
    """Names for a sentence, one after the other; of many or long ones only the first."""
    given = [str(name) for name in names]
    said = ", ".join(given)
    if len(said) <= MOST_SHOWN:
        return said
    return f"{said[: MOST_SHOWN - 20].rpartition(', ')[0] or shortened(given[0])}, … ({len(given)})"


def how_many(number: int, what: str) -> str:
    """So many of something: "1 node", "1,200 nodes"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class Configuration(msgspec.Struct, frozen=True, gc=False, tag="configuration"):
    """Who belongs to the cluster, as it stands in a log entry or a snapshot.

    `voters` decide elections and commitment. `old_voters` is not empty only while the
    cluster is joint, and then both groups must agree. `learners` receive the log and
    have no vote. The order is the order in which the names were given.

    Paper: 6. Thesis: 4.1 to 4.3 (joint consensus), 4.2.1 (non-voting members).
    """

    voters: tuple[NodeId, ...]
    old_voters: tuple[NodeId, ...] = ()
    learners: tuple[NodeId, ...] = ()

    def check(self) -> None:
        """Refuse a configuration that can never elect or that names a node twice.

        Raises: Misuse.
        """
        if not self.voters:
            raise Misuse("a configuration needs at least one voter")
        for group in (self.voters, self.old_voters, self.learners):
            if group == ():
                continue
            names = [each for each in group if isinstance(each, str) and each]
            if not isinstance(group, tuple) or len(names) < len(group):
                raise Misuse(f"a configuration is made of tuples of names, not of {shown(group)}")
            if len(set(group)) != len(group):
                raise Misuse(f"a configuration names a node twice: {listed(group)}")
        both = set(self.learners) & set(self.voters) if self.learners else None
        if both:
            raise Misuse(f"{listed(sorted(both))} cannot be voter and learner at once")

    @property
    def is_joint(self) -> bool:
        """Whether old and new voters must both agree. Paper: 6, Figure 11."""
        return bool(self.old_voters)

    @property
    def voter_sets(self) -> tuple[tuple[NodeId, ...], ...]:
        """The groups of which each needs a majority of its own: one, or two while joint."""
        return (self.voters, self.old_voters) if self.old_voters else (self.voters,)

    @property
    def all_voters(self) -> tuple[NodeId, ...]:
        """Every node with a vote in some group, each named once."""
        return tuple(dict.fromkeys((*self.voters, *self.old_voters)))

    @property
    def members(self) -> tuple[NodeId, ...]:
        """Every node that receives the log, each named once: voters, then learners."""
        return tuple(dict.fromkeys((*self.voters, *self.old_voters, *self.learners)))

    def joint_with(self, target: "Configuration") -> "Configuration":
        """The way to `target`: both groups of voters must agree. Paper: 6, C_old,new."""
        return Configuration(target.voters, self.voters, target.learners)

    def without_old(self) -> "Configuration":
        """What the joint configuration leads to: the new voters alone. Paper: 6, C_new."""
        return Configuration(self.voters, (), self.learners)

    def can_vote(self, node: NodeId) -> bool:
        """Whether `node` has a vote in some group; in either group while joint."""
        return node in self.voters or node in self.old_voters
