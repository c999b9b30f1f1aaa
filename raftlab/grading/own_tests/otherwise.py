"""Correct machines that do otherwise what the paper leaves open.

In which order messages leave, how many entries one carries, when a leader speaks (at least once in
each heartbeat interval), how soon it says what is committed, and where it tries next after a
rejection: who writes down what one machine does there has tested nothing that a Raft must do.

What they choose, they draw: from a number, and from what they know at the moment. So two runs of
one number are equal, and a machine has no other state than the shipped one.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, TypeVar

from msgspec.structs import replace

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, Rejected
from raftlab.raft.options import Options
from raftlab.raft.output import Output
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Leader
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, NodeId, Term

Item = TypeVar("Item")

MOST_AT_ONCE = 3
"""How many entries a message carries at most, where that is drawn."""
INTERVALS = (25.0, 50.0)
"""From when to when a leader speaks again, where that is drawn (ms): tests count on the latter."""


class Drawing(Rules):
    """The shipped rules, and chance for those who draw: all of it is a function of `number`."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def drawn(self, *words: object) -> float:
        """A number from 0 to 1, for what these words say."""
        said = repr((self.number, *words)).encode()
        return int.from_bytes(blake2b(said, digest_size=6).digest()) / 2**48

    def shuffled(self, items: Sequence[Item], *words: object) -> tuple[Item, ...]:
        """The items in an order that is drawn."""
        places = sorted(range(len(items)), key=lambda place: self.drawn(place, *words))
        return tuple(items[place] for place in places)


class OtherSteps(Drawing):
    """Few entries in a message, and after a rejection one step back or more."""

    __slots__ = ()

    def entries_for_one_message(
        self, log: RaftLog, next_index: Index, probing: bool, options: Options
    ) -> tuple[LogEntry, ...]:
        """One to three entries, in a probe too. Paper: 5.3."""
        count = 1 + int(MOST_AT_ONCE * self.drawn("entries", log.last_index, next_index))
        return log.entries(next_index, min(next_index + count, log.last_index + 1))

    def rejection(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> Rejected:
        """With the hint, or only with where the log ends. Paper: 5.3, last part."""
        told = super().rejection(log, prev_log_index, prev_log_term)
        if self.drawn("hint", log.last_index, prev_log_index, prev_log_term) < 0.5:
            return told
        hint = max(min(log.last_index, prev_log_index - 1), told.hint_index)
        return Rejected(
            non_matching_index=told.non_matching_index,
            last_index=told.last_index,
            hint_index=hint,
            hint_term=log.term_for_index(hint) or 0,
        )

    def next_index_after(
        self, rejected: Rejected, log: RaftLog, progress: FollowerProgress
    ) -> Index:
        """One back, as Figure 2 has it, or as far as the hint says. Paper: 5.3."""
        if self.drawn("next", progress.node, log.last_index, rejected.non_matching_index) < 0.5:
            return super().next_index_after(rejected, log, progress)
        return max(rejected.non_matching_index - 1, progress.match_index) + 1


class Draws(RaftStateMachine):
    """The shipped machine, and chance of its rules: a function of what it knows at the moment."""

    __slots__ = ()

    @property
    def _chance(self) -> Drawing:
        assert isinstance(self._rules, Drawing)
        return self._rules

    @property
    def _moment(self) -> tuple[object, ...]:
        log = self.log
        return self.node_id, self.term, self.role.value, log.last_index, self.commit_index


class InAnotherOrder(Draws):
    """What leaves together leaves in an order that is drawn. Paper: 5.1, "in parallel"."""

    __slots__ = ()

    def _take_output(self, entries: tuple[LogEntry, ...], more: dict[str, Any] | None) -> Output:
        self._messages[:] = self._chance.shuffled(self._messages, *self._moment)
        return super()._take_output(entries, more)


class SpeaksOtherwise(Draws):
    """A leader that says at once that more is committed, to some; to others only when it must."""

    __slots__ = ()

    def _on_commit(self, before: Index) -> None:
        super()._on_commit(before)
        leader = self.role_data
        for progress in leader.tracker.progress.values() if isinstance(leader, Leader) else ():
            if progress.node != self.node_id and self._draws("says", progress.node) < 0.5:
                self._send_append(progress, ())

    def _append_to(
        self,
        node: NodeId,
        prev: Index,
        prev_term: Term,
        entries: tuple[LogEntry, ...],
        commit: Index,
    ) -> AppendEntries:
        if entries and self._draws("commit", node, prev) < 0.5:
            commit = min(commit, prev)
        return super()._append_to(node, prev, prev_term, entries, commit)

    def _draws(self, *words: object) -> float:
        return self._chance.drawn(*words, *self._moment)


class DoesAllOtherwise(InAnotherOrder, SpeaksOtherwise):
    """Both."""

    __slots__ = ()


def in_another_order(number: int, options: Options) -> dict[str, Any]:
    """A cluster's arguments: messages leave in another order."""
    return {"options": options, "machine": InAnotherOrder, "rules": Drawing(number)}


def speaks_otherwise(number: int, options: Options) -> dict[str, Any]:
    """A cluster's arguments: a leader speaks more often, and says what is committed otherwise."""
    rules = Drawing(number)
    return {"options": _sooner(options, rules), "machine": SpeaksOtherwise, "rules": rules}


def takes_other_steps(number: int, options: Options) -> dict[str, Any]:
    """A cluster's arguments: other numbers of entries in a message, other hints, other tries."""
    return {"options": options, "rules": OtherSteps(number)}


def does_all_otherwise(number: int, options: Options) -> dict[str, Any]:
    """A cluster's arguments: all of this at once."""
    rules = OtherSteps(number)
    return {"options": _sooner(options, rules), "machine": DoesAllOtherwise, "rules": rules}


def _sooner(options: Options, chance: Drawing) -> Options:
    low, high = INTERVALS
    interval = low + (high - low) * chance.drawn("interval")
    return replace(options, heartbeat_interval=interval)
