"""What grading finds, as values: checks, the marks of a milestone, the marks of a submission.

What a submission makes somebody say is bounded here, where every result is built, also one that
is read from a file: no page, no CSV and no file of marks becomes large by it.
"""

import operator
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import force_setattr

from raftlab.raft.vocabulary import shortened

MARKS = "marks"
"""The folder, in that of a batch, in which marks are: a file for each submission."""

MOST_TEXT = 600
"""How many characters a text of a result has."""
MOST_SHARED = 24_000
"""A share string that is longer is left out: an honest run has a tenth of it."""
MOST_SHARED_IN_ALL = 80_000
"""The same for all share strings of a submission: the first ones stay."""
MOST_TOLD = 40
"""How many sentences are told of a submission; of the others, how many there are."""


def _shorten(result: msgspec.Struct, *names: str) -> None:
    for name in names:
        force_setattr(result, name, shortened(getattr(result, name), MOST_TEXT))


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that was checked, and all that feedback says of it.

    `points` were earned of `of`. `property` is what was broken, with servers and index;
    `sentence` says what happened, `section` where to read, `mistake` is the name of the mistake
    that was probably made, `advice` what to try. `share` is the share string of a run that
    shows it, or "". Without `ran`, there is no answer that runs, so no rule was missed by it.
    """

    name: str
    exercise: str
    points: float
    of: float
    passed: bool
    property: str = ""
    sentence: str = ""
    section: str = ""
    mistake: str = ""
    advice: str = ""
    share: str = ""
    ran: bool = True

    def __post_init__(self) -> None:
        _shorten(self, "name", "exercise", "property", "sentence", "section", "mistake", "advice")
        if len(self.share) > MOST_SHARED:
            force_setattr(self, "share", "")


class MilestoneMark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mark of one milestone.

    `points` is the sum of the checks' points, or what is left of it where a violation of safety
    caps it: `capped` then says so. `liveness` says what did not go on once the faults had ended.
    `bonus` are points beyond: they stand in for points that are missing elsewhere. `handed_in` says
    whether the submission has anything of it, `asked_as` by which name M0's questions were asked.
    """

    milestone: str
    title: str
    points: float
    of: float
    checks: tuple[Check, ...] = ()
    capped: str = ""
    liveness: str = ""
    bonus: float = 0.0
    handed_in: bool = True
    asked_as: str = ""

    @property
    def reached(self) -> str:
        """What was reached: 4, and with a bonus 4+1.2."""
        bonus = f"+{round(self.bonus, 2):g}" if self.bonus else ""
        return f"{round(self.points, 2):g}{bonus}"

    def __post_init__(self) -> None:
        _shorten(self, "title", "capped", "liveness", "asked_as")


class Marks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The marks of one submission.

    `submission` is its name in the batch, `student` whose it is; `box` is what its code ran in.
    `told` are sentences about the submission as a whole. `similarity` says how similar its answers
    are to the published solutions (per cent), for a person to judge: no point hangs on it.
    `raftlab` is the version that judged, `seeds_digest` tells two files of seeds apart and tells
    none of them.
    """

    submission: str
    student: str
    assignment: str
    box: str
    milestones: tuple[MilestoneMark, ...]
    told: tuple[str, ...] = ()
    similarity: int | None = None
    raftlab: str = ""
    seeds_digest: str = ""

    def __post_init__(self) -> None:
        _shorten(self, "submission", "student")
        force_setattr(self, "milestones", _with_few_runs(self.milestones))
        told = [shortened(each, MOST_TEXT) for each in self.told[: MOST_TOLD + 1]]
        if len(told) > MOST_TOLD:
            more = len(self.told) - MOST_TOLD + 1
            told[MOST_TOLD - 1 :] = [f"There are {more:,} more sentences like these."]
        force_setattr(self, "told", tuple(told))

    @property
    def total(self) -> float:
        """The points earned; with a bonus too, no more than there are."""
        return min(self.of, round(sum(each.points + each.bonus for each in self.milestones), 2))

    @property
    def of(self) -> float:
        """The points that there are."""
        return sum(each.of for each in self.milestones)


def of_students(every: Iterable[Marks]) -> dict[str, Marks]:
    """What each student has earned, by whose it is."""
    found: dict[str, list[Marks]] = {}
    for each in every:
        found.setdefault(each.student, []).append(each)
    return {student: _best(its) for student, its in found.items()}


def _best(every: Sequence[Marks]) -> Marks:
    """Of each milestone, the best of several submissions."""
    best: dict[str, MilestoneMark] = {}
    for mark in (mark for each in every for mark in each.milestones):
        before = best.get(mark.milestone)
        if before is None or mark.points + mark.bonus > before.points + before.bonus:
            best[mark.milestone] = mark
    return msgspec.structs.replace(every[0], milestones=tuple(best.values()))


def _with_few_runs(milestones: Sequence[MilestoneMark]) -> tuple[MilestoneMark, ...]:
    """The same, where share strings that are too much in all are left out."""
    left = MOST_SHARED_IN_ALL
    found = []
    for mark in milestones:
        checks = []
        for each in mark.checks:
            left -= len(each.share)
            checks.append(each if left >= 0 else msgspec.structs.replace(each, share=""))
        is_same = all(map(operator.is_, checks, mark.checks))
        found.append(mark if is_same else msgspec.structs.replace(mark, checks=tuple(checks)))
    return tuple(found)


def to_json(marks: Marks) -> bytes:
    """The marks as text that is the same, byte for byte, wherever it is written."""
    return msgspec.json.format(msgspec.json.encode(marks, order="deterministic"), indent=1) + b"\n"


def from_json(text: bytes) -> Marks:
    """The marks that `to_json` wrote. Raises: msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Marks)
