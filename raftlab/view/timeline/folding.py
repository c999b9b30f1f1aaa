"""Quiet spans of a crowded timeline: heartbeats that changed nothing, told by their number.

A heartbeat is folded, with its answer, if both arrived and nothing happened to either node at
that moment. One that was lost, deposed somebody, or told of a commit is always drawn.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Message
from raftlab.raft.vocabulary import Millis, NodeId, how_many
from raftlab.sim.frames.frame import MessageSpan, Trace
from raftlab.view.words import clean, ms, names

MOST_PLAIN = 60
"""With more messages than this, heartbeats that change nothing are folded."""

_FEWEST = 3
_MOST_NAMES = 6


class Fold(msgspec.Struct, frozen=True):
    """A span (ms) in which heartbeats are folded. They are in the order in which they were sent."""

    start: Millis
    end: Millis
    heartbeats: tuple[Message, ...]

    @property
    def words(self) -> str:
        """How many there are: "12 heartbeats"."""
        return how_many(len(self.heartbeats), "heartbeat")


def fold(
    trace: Trace, messages: Sequence[tuple[int, MessageSpan]], start: Millis, end: Millis
) -> tuple[list[tuple[int, MessageSpan]], tuple[Fold, ...]]:
    """Of messages with their places in the trace: those to draw, and what is folded between."""
    if len(messages) <= MOST_PLAIN:
        return list(messages), ()
    quiet = _quiet(trace)
    beats = [(place, span) for place, span in messages if place in quiet]
    news = [span.sent_at for _, span in messages if not _is_routine(span.message)]
    news += [each.at for each in trace.marks] + [each.start for each in trace.spans]
    groups = [each for each in _groups(beats, sorted(news)) if len(each) >= _FEWEST]
    folds: list[Fold] = []
    hidden: set[int] = set()
    for group in groups:
        hidden |= {place for place, _ in group} | {quiet[place] for place, _ in group}
        last = max(trace.messages[quiet[place]].ended_at or end for place, _ in group)
        since = max(group[0][1].sent_at, start, folds[-1].end if folds else start)
        heartbeats = tuple(span.message for _, span in group)
        folds.append(Fold(since, max(since, min(last, end)), heartbeats))
    return [each for each in messages if each[0] not in hidden], tuple(folds)


def fold_rows(each: Fold) -> Iterator[tuple[NodeId, str]]:
    """Who sent the heartbeats of a fold, and what is said of them."""
    receivers: dict[NodeId, list[NodeId]] = defaultdict(list)
    for message in each.heartbeats:
        receivers[message.sender].append(message.receiver)
    for sender, told in receivers.items():
        different = list(dict.fromkeys(told))
        whom = names([clean(node) for node in different])
        whom = whom if len(different) <= _MOST_NAMES else f"{len(different)} nodes"
        many = f"{len(told)} heartbeats, each" if len(told) > 1 else "1 heartbeat,"
        yield sender, f"→ {whom}: {many} answered; until {ms(each.end)}"


def _quiet(trace: Trace) -> Mapping[int, int]:
    """The places of the heartbeats that changed nothing, and of the answers to them."""
    turns = {(each.node, each.at) for each in trace.marks}
    turns |= {(each.node, each.start) for each in trace.spans}
    answers: dict[tuple[NodeId, NodeId, Millis | None], list[int]] = defaultdict(list)
    for place, span in enumerate(trace.messages):
        if _is_plain_answer(span):
            answers[span.message.sender, span.message.receiver, span.sent_at].append(place)
    quiet: dict[int, int] = {}
    for place, span in enumerate(trace.messages):
        sender, receiver, at = span.message.sender, span.message.receiver, span.ended_at
        if not (span.delivered and _is_plain(span.message)) or (receiver, at) in turns:
            continue
        given = answers.get((receiver, sender, at))
        if given and (sender, trace.messages[given[-1]].ended_at) not in turns:
            quiet[place] = given.pop()
    return quiet


def _groups(
    beats: Sequence[tuple[int, MessageSpan]], news: Sequence[Millis]
) -> Iterator[list[tuple[int, MessageSpan]]]:
    """Heartbeats between which nothing else happened."""
    group: list[tuple[int, MessageSpan]] = []
    for each in beats:
        before = group[-1][1].sent_at if group else each[1].sent_at
        if bisect_right(news, before) < bisect_right(news, each[1].sent_at):
            yield group
            group = []
        group.append(each)
    if group:
        yield group


def _is_plain(message: Message) -> bool:
    return isinstance(message, AppendEntries) and not message.entries and not message.read_round


def _is_plain_answer(span: MessageSpan) -> bool:
    message = span.message
    return (
        span.delivered
        and isinstance(message, AppendEntriesReply)
        and isinstance(message.result, Accepted)
        and not message.read_round
    )


def _is_routine(message: Message) -> bool:
    """A heartbeat that was lost or changed something, or an answer: what it did is news, not it."""
    return _is_plain(message) or isinstance(message, AppendEntriesReply)
