"""The votes of one campaign: who granted, who refused, who is silent, and the majority line.

Below the seats the same votes lie in a bar: granted ones fill it from the left, refused
ones from the right. Once the left part reaches the majority line the campaign is won;
once the right part has passed it, it is lost; in between, it is still open.
Paper: 5.2; while joint: 6.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Configuration, NodeId, Term
from raftlab.raft.votes import ElectionTracker
from raftlab.sim.frames.frame import Frame
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.decisions.vote_count import (
    VoteCount,
    answer_word,
    count_at,
    count_headline,
    count_votes,
    describe_count,
    group_name,
    nobody_counts,
    outlook,
    vote_totals,
)
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.shapes import cross
from raftlab.view.words import clean, ms

WIDTH = 520.0
_LEFT = 10.0
_WIDE = WIDTH - 2 * _LEFT
_LINE = 18.0
_BAR = 26.0
_SEATS_IN_ROW = 17
_NARROW = 24.0
"""A bar whose cells would be narrower is drawn in three runs with their counts."""
_INKS: Mapping[bool | None, Ink] = {
    True: Ink(style.INK, style.INK, 1.4),
    False: Ink(style.FAINT, style.INK, 1.4),
    None: Ink(style.PAPER, style.INK, 1.4, (2.5, 2.5)),
}
_MAJORITY = Ink(None, style.INK, 3.0)


@checked
def scene_votes(
    frame: Frame, candidate: NodeId | None = None, previous: Frame | None = None
) -> Scene:
    """The votes as `candidate` counts them at this moment; by default, as the newest one does.

    With `previous`, answers that were not there before are marked "new", and a campaign
    that has just been won still shows its last count. Where nobody counts votes, the
    picture says so. Raises: KeyError, for a node that is not in the frame.
    """
    count = count_at(frame, candidate, previous)
    text = partial(describe_votes, frame, candidate, previous)
    if count is None:
        said = nobody_counts(frame, candidate)
        words = Text("headline", _LEFT, 18, style.fit_text(said, _WIDE), anchor="start")
        return Scene(WIDTH, 30.0, (words,), "Votes", text)
    return _scene(count, f"{ms(frame.at)}: {count_headline(count)}", text)


@checked
def describe_votes(
    frame: Frame, candidate: NodeId | None = None, previous: Frame | None = None
) -> str:
    """The votes as text: the tally in a sentence, then each voter's answer.

    Raises: KeyError, for a node that is not in the frame.
    """
    count = count_at(frame, candidate, previous)
    if count is None:
        return nobody_counts(frame, candidate)
    return f"{ms(frame.at)}: {describe_count(count)}"


@checked
def scene_tally(
    answers: Mapping[NodeId, bool],
    configuration: Configuration,
    *,
    candidate: NodeId = "",
    term: Term | None = None,
    is_prevote: bool = False,
) -> Scene:
    """A count of votes from plain data: `answers` maps a voter to granted (True) or refused.

    Voters without an answer are silent; answers of others do not count.
    """
    count = VoteCount(count_votes(answers, configuration), candidate, term, is_prevote)
    return _scene(count, count_headline(count), partial(describe_count, count))


# As marks


class _Group(msgspec.Struct, frozen=True):
    """Where the seats and the bar of one set of voters lie, from `top` down to `bottom`."""

    name: str
    tracker: ElectionTracker
    top: float

    @property
    def prefix(self) -> str:
        return f"{self.name}-" if self.name else ""

    @property
    def columns(self) -> int:
        voters = len(self.tracker.voters)
        return -(-voters // -(-voters // _SEATS_IN_ROW))

    @property
    def r(self) -> float:
        return 16.0 if self.columns <= 10 else 10.0

    @property
    def pitch(self) -> float:
        """From one row of seats to the next."""
        return 2 * self.r + 34

    def seat(self, place: int) -> tuple[float, float]:
        """The middle of a seat."""
        row, column = divmod(place, self.columns)
        x = _LEFT + _WIDE * (column + 0.5) / self.columns
        head = 30.0 if self.name else 10.0
        return x, self.top + head + self.r + self.pitch * row

    @property
    def bar(self) -> float:
        """The upper edge of the bar."""
        return self.seat(len(self.tracker.voters) - 1)[1] + self.r + 56

    @property
    def bottom(self) -> float:
        return self.bar + _BAR + 2.9 * _LINE


def _scene(count: VoteCount, headline: str, text: Callable[[], str]) -> Scene:
    votes = count.votes
    said = style.fit_text(headline, _WIDE)
    marks: list[Mark] = [Text("headline", _LEFT, 18, said, anchor="start", role="headline")]
    bottom = 30.0
    for place, tracker in enumerate(votes.trackers):
        group = _Group(group_name(place, votes), tracker, bottom)
        marks += _seats(group, count)
        marks += _cells(group)
        marks += _verdict(group)
        bottom = group.bottom
    title = "Pre-votes" if count.is_prevote else "Votes"
    return Scene(WIDTH, bottom, tuple(marks), title, text)


def _seats(group: _Group, count: VoteCount) -> Iterator[Mark]:
    if group.name:
        y, words = group.top + 12, f"{group.name} voters"
        yield Text(f"group-{group.name}", _LEFT, y, words, bold=True, anchor="start", role="group")
    for place, voter in enumerate(group.tracker.voters):
        (x, y), answer = group.seat(place), group.tracker.answers.get(voter)
        name, fresh = f"{group.prefix}seat-{voter}", voter in count.fresh
        if fresh:
            ring = Ink(None, style.INK, style.CHANGED_WIDTH)
            yield Disc(f"{name}-new", x, y, group.r + 4, ring, "changed")
        yield from _answer(name, x, y, group.r, voter, answer)
        room = _WIDE / group.columns - 2
        size = style.SIZE if group.columns <= 10 else style.SMALL
        word = style.fit_text(clean(voter), room, size, bold=fresh)
        below = y + group.r + 17
        yield Text(f"{name}-name", x, below, word, size, bold=fresh, role="name")
        if room >= 40:
            word = "itself" if voter == count.candidate else ""
            word = ", ".join(each for each in (word, "new" if fresh else "") if each)
            yield Text(f"{name}-note", x, below + 12, word, style.SMALL, style.QUIET)


def _answer(
    name: str, x: float, y: float, r: float, voter: NodeId, answer: bool | None
) -> Iterator[Mark]:
    """One voter's answer: full with a tick, grey with a cross, or open with a question mark."""
    ink, word = _INKS[answer], answer_word(answer)
    data: dict[str, str | int | float] = {"voter": voter, "answer": word}
    yield Disc(name, x, y, r, ink, f"vote {word}", data, f"{voter}: {word}")
    yield from _glyph(name, x, y, r * 0.42, answer)


def _glyph(name: str, x: float, y: float, r: float, answer: bool | None) -> Iterator[Mark]:
    if answer:
        points = ((x - r, y), (x - r * 0.25, y + r * 0.75), (x + r, y - r * 0.75))
        yield Path(f"{name}-tick", points, Ink(None, style.PAPER, 2.2), role="tick")
    elif answer is False:
        yield from cross(f"{name}-cross", x, y, r * 0.8, style.INK, 2.0)
    else:
        size = max(r * 2.2, style.SMALL)
        yield Text(f"{name}-open", x, y + size * 0.36, "?", size, role="open")


def _cells(group: _Group) -> Iterator[Mark]:
    """The bar: granted from the left, refused from the right, and what is open in between."""
    answers, voters = group.tracker.answers, group.tracker.voters
    runs: list[tuple[bool | None, list[NodeId]]] = [
        (True, [voter for voter, yes in answers.items() if yes]),
        (None, [voter for voter in voters if voter not in answers]),
        (False, [voter for voter, yes in reversed(answers.items()) if not yes]),
    ]
    wide, x = _WIDE / len(voters), _LEFT
    for answer, run in runs:
        if wide < _NARROW and run:
            yield from _cell(
                group, f"{answer_word(answer)}-run", str(len(run)), x, wide * len(run), answer
            )
        for place, voter in enumerate(run if wide >= _NARROW else ()):
            yield from _cell(group, voter, clean(voter), x + wide * place, wide, answer)
        x += wide * len(run)


def _cell(
    group: _Group, name: str, word: str, x: float, wide: float, answer: bool | None
) -> Iterator[Mark]:
    name, role = f"{group.prefix}cell-{name}", f"cell {answer_word(answer)}"
    yield Box(name, x + 1.5, group.bar, wide - 3, _BAR, _INKS[answer], role=role)
    if style.text_width(word) < wide - 6:
        color = style.PAPER if answer else style.INK
        yield Text(f"{name}-name", x + wide / 2, group.bar + _BAR / 2 + 4, word, color=color)


def _verdict(group: _Group) -> Iterator[Mark]:
    """The majority line across the bar, and below it the tally and what would decide it."""
    tracker, y = group.tracker, group.bar
    voters, needed = len(tracker.voters), majority(len(tracker.voters))
    x = _LEFT + _WIDE * needed / voters
    line = Path(f"{group.prefix}majority", ((x, y - 10), (x, y + _BAR + 6)), _MAJORITY)
    yield msgspec.structs.replace(line, role="majority", title=f"majority: {needed} of {voters}")
    words = f"{needed} of {voters} needed"
    half = style.text_width(words) / 2
    at = min(max(x, _LEFT + half), _LEFT + _WIDE - half)
    yield Text(f"{group.prefix}needed", at, y - 16, words, role="needed")
    counts = vote_totals(tracker)
    below = y + _BAR + 1.4 * _LINE
    result = tracker.tally_vote().name
    yield Text(f"{group.prefix}tally", _LEFT, below, f"{counts}:", anchor="start", role="tally")
    after = _LEFT + style.text_width(f"{counts}: ")
    yield Text(
        f"{group.prefix}result", after, below, result, anchor="start", bold=True, role="result"
    )
    yield Text(
        f"{group.prefix}outlook", _LEFT, below + 16, outlook(tracker), 10, style.QUIET, "start",
        role="outlook",
    )  # fmt: skip
