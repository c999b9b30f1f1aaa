"""Marks as a grading makes them, for the tests of what is told of them."""

from functools import cache

from raftlab.grading.results import Check, Marks, MilestoneMark
from raftlab.museum import exhibit

HOSTILE = "<script>alert(1)</script>\u202e'\"&{{ 7*7 }}\x00\ud800\n=2+3"


@cache
def share_of(name: str) -> str:
    """The run of an exhibit, as it is shared."""
    return exhibit(name).recording().share()


def right(name: str, exercise: str, points: float) -> Check:
    return Check(name=name, exercise=exercise, points=points, of=points, passed=True)


def half_elects() -> Check:
    return Check(
        name="tally_vote",
        exercise="4.2",
        points=0,
        of=2,
        passed=False,
        property="Election Safety: S1 and S4 are both leaders of term 1",
        section="5.2; Figure 2, candidates",
        mistake="half of the votes are not a majority",
        advice="Count the votes of 4 servers on paper: how many win?",
        share=share_of("half-elects"),
    )


def old_commit() -> Check:
    return Check(
        name="leader_commit_index",
        exercise="7.3",
        points=2,
        of=5,
        passed=False,
        property="Leader Completeness: S2 leads term 4 without entry 1 of term 1",
        sentence="expected None, but it answers 1",
        section="5.4.2, Figure 8",
        mistake="an entry of an earlier term is committed by counting copies",
        advice="Look at the term of the entry before you count.",
        share=share_of("figure-8"),
    )


def marks(student: str = "ann", **changes: object) -> Marks:
    """What a student with two mistakes gets."""
    given = {
        "submission": student,
        "student": student,
        "assignment": "course",
        "box": "bubblewrap",
        "raftlab": "0.1.0",
        "seeds_digest": "5f3a9c01",
        "told": ("Exercise 5.1 has no answer: its cell was renamed.",),
        "milestones": (
            MilestoneMark(
                milestone="M2",
                title="Elections",
                points=3,
                of=5,
                checks=(right("majority", "4.1", 1), half_elects(), right("vote", "3.2", 2)),
                capped="A property is broken, so this milestone has half of its points at most.",
                liveness="97 of 100 clusters elected a leader within 10 timeouts.",
            ),
            MilestoneMark(
                milestone="M3",
                title="Replication and commit",
                points=4,
                of=7,
                checks=(right("match_index_after", "6.1", 2), old_commit()),
            ),
        ),
    }
    return Marks(**(given | changes))


def perfect(student: str = "bob") -> Marks:
    """What a student without a mistake gets."""
    part = MilestoneMark(
        milestone="M2", title="Elections", points=5, of=5, checks=(right("majority", "4.1", 5),)
    )
    return marks(student, told=(), milestones=(part,))


def weak_tests(student: str = "cleo") -> Marks:
    """What a student gets whose tests let a mistake live, and who predicted wrongly."""
    survived = Check(
        name="old-votes",
        exercise="",
        points=0,
        of=1,
        passed=False,
        sentence="None of your tests fails with it: votes of an older term count.",
        advice="Let a vote arrive late, after the candidate stands again.",
        share=share_of("old-votes"),
    )
    predicted = Check(
        name="who_grants",
        exercise="",
        points=0,
        of=1,
        passed=False,
        sentence="You said S2; it is S2 and S4.",
        section="5.4.1",
    )
    parts = (
        MilestoneMark(milestone="M0", title="Predict", points=0, of=1, checks=(predicted,)),
        MilestoneMark(milestone="M6", title="Your own tests", points=0, of=1, checks=(survived,)),
    )
    return marks(student, told=(), milestones=parts)


def hostile() -> Marks:
    """What a student gets who gives everything a hostile name."""
    check = Check(
        name=HOSTILE,
        exercise=HOSTILE,
        points=0,
        of=1,
        passed=False,
        property=HOSTILE,
        sentence=HOSTILE,
        section=HOSTILE,
        mistake=HOSTILE,
        advice=HOSTILE,
        share=HOSTILE,
    )
    part = MilestoneMark(
        milestone="M2",
        title=HOSTILE,
        points=0,
        of=1,
        checks=(check,),
        capped=HOSTILE,
        liveness=HOSTILE,
    )
    return marks(HOSTILE, told=(HOSTILE, "x" * 5000), milestones=(part,), assignment=HOSTILE)
