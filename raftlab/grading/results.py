"""What a grading came to: checks, milestones, the marks of one submission."""

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was checked, and what a student is told of it.

    `share` is a shared text of the shortest run that shows what is wrong, or "".
    """

    name: str
    exercise: str = ""
    points: float = 0
    of: float = 0
    passed: bool = False
    property: str = ""
    sentence: str = ""
    section: str = ""
    mistake: str = ""
    advice: str = ""
    share: str = ""


class MilestoneMark(msgspec.Struct, frozen=True, kw_only=True):
    """What a milestone came to. `capped` says why it cannot have more than half, `liveness` how
    the runs went on once their faults had stopped."""

    milestone: str
    title: str
    points: float
    of: float
    checks: tuple[Check, ...] = ()
    capped: str = ""
    liveness: str = ""


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """The marks of one submission: a function of the submission and the seeds alone."""

    submission: str
    student: str
    assignment: str
    box: str
    milestones: tuple[MilestoneMark, ...] = ()
    told: tuple[str, ...] = ()
    raftlab: str = ""
    seeds_digest: str = ""

    @property
    def total(self) -> float:
        """The points that were reached."""
        return sum(each.points for each in self.milestones)

    @property
    def of(self) -> float:
        """The points that there are."""
        return sum(each.of for each in self.milestones)
