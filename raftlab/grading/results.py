"""What grading finds, as values: checks, the marks of a milestone, the marks of a submission."""

import msgspec

MARKS = "marks"
"""The folder, in that of a batch, in which marks are: a file for each submission."""


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that was checked, and all that feedback says of it.

    `points` were earned of `of`. `property` is what was broken, with servers and index;
    `sentence` says what happened, `section` where to read, `mistake` is the name of the mistake
    that was probably made, `advice` what to try. `share` is the share string of a run that
    shows it, or "".
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


class MilestoneMark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mark of one milestone.

    `points` is the sum of the checks' points, or what is left of it where a violation of safety
    caps it: `capped` then says so. `liveness` says what did not go on once the faults had ended.
    """

    milestone: str
    title: str
    points: float
    of: float
    checks: tuple[Check, ...] = ()
    capped: str = ""
    liveness: str = ""


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

    @property
    def total(self) -> float:
        """The points earned."""
        return sum(each.points for each in self.milestones)

    @property
    def of(self) -> float:
        """The points that there are."""
        return sum(each.of for each in self.milestones)


def to_json(marks: Marks) -> bytes:
    """The marks as text that is the same, byte for byte, wherever it is written."""
    return msgspec.json.format(msgspec.json.encode(marks, order="deterministic"), indent=1) + b"\n"


def from_json(text: bytes) -> Marks:
    """The marks that `to_json` wrote. Raises: msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Marks)
