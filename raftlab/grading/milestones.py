"""The milestones of the course: what each asks for, its points, and how long it takes.

An assignment is one milestone, by its name ("M1"), or "course", which is all of them.
"""

from collections.abc import Mapping

import msgspec

from raftlab.raft.vocabulary import Misuse, listed, shown

WHOLE_COURSE = "course"


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone: its name ("M1"), its title, and the `minutes` that it takes a student.

    `parts` are what is marked, each with its points: numbers of exercises, or, in M0 and from M4
    on, names of the parts. Where there are `options`, one of them is enough, and each has parts of
    its own: the best one has the points, and the others a bonus.
    """

    name: str
    title: str
    minutes: int
    parts: Mapping[str, int] = {}
    options: "tuple[Milestone, ...]" = ()

    @property
    def points(self) -> int:
        """The points that there are, without a bonus."""
        return max([sum(self.parts.values()), *(each.points for each in self.options)])


M0 = Milestone(
    name="M0",
    title="Predict",
    minutes=25,
    parts={"append": 1, "terms": 1, "votes": 1, "tally": 1, "commit": 1},
)
M1 = Milestone(
    name="M1",
    title="The log",
    minutes=75,
    parts={"1.1": 3, "1.2": 5, "1.3": 7},
)
M2 = Milestone(
    name="M2",
    title="Elections",
    minutes=150,
    parts={
        "2.1": 1,
        "2.2": 1,
        "2.3": 1,
        "3.1": 1,
        "3.2": 1,
        "3.3": 2,
        "4.1": 1,
        "4.2": 2,
        "4.3": 1,
        "5.1": 1,
        "5.2": 1,
        "5.3": 2,
    },
)
M3 = Milestone(
    name="M3",
    title="Replication and commit",
    minutes=120,
    parts={"6.1": 2, "6.2": 3, "6.3": 4, "7.1": 3, "7.2": 3, "7.3": 5},
)
M4 = Milestone(
    name="M4",
    title="Persistence",
    minutes=120,
    parts={
        "a cluster works": 2,
        "all restart": 2,
        "a voter restarts": 2,
        "alone, with a slow disk": 1,
        "a tail is replaced": 2,
        "every crash point": 2,
        "faults among three": 2,
        "faults among five": 2,
    },
)
M5 = Milestone(
    name="M5",
    title="Clients and reads",
    minutes=90,
    parts={
        "a read": 2,
        "a leader that was deposed": 2,
        "a leader that is new": 2,
        "an old answer": 2,
        "reads among faults": 2,
    },
)
M6 = Milestone(
    name="M6",
    title="Your own tests",
    minutes=90,
    parts={"correct machines": 3, "mistakes": 12},
)
SNAPSHOTS = Milestone(
    name="snapshots",
    title="Snapshots",
    minutes=90,
    parts={
        "the log shrinks": 1,
        "a follower far behind": 1,
        "a tail": 1,
        "an old snapshot": 1,
        "faults and snapshots": 1,
    },
)
TRANSFER = Milestone(
    name="pre-vote and transfer",
    title="Pre-vote and transfer",
    minutes=90,
    parts={
        "leadership moves": 1,
        "a transfer that fails": 1,
        "a server that comes back": 1,
        "the leader is gone": 1,
        "faults and transfers": 1,
    },
)
MEMBERSHIP = Milestone(
    name="membership",
    title="Membership",
    minutes=90,
    parts={
        "a server comes": 1,
        "servers go": 1,
        "the leader goes": 1,
        "one change at a time": 1,
        "faults and changes": 1,
    },
)
M7 = Milestone(
    name="M7",
    title="One of several",
    minutes=90,
    options=(SNAPSHOTS, TRANSFER, MEMBERSHIP),
)

MILESTONES: Mapping[str, Milestone] = {each.name: each for each in (M0, M1, M2, M3, M4, M5, M6, M7)}
"""Those that can be set, by name, in the order of the course."""
PROGRAMS = (M4.name, M5.name, M7.name)
"""Those that ask for a program."""


def milestones_of(assignment: str) -> tuple[Milestone, ...]:
    """What an assignment consists of. Raises: Misuse, naming the assignments there are."""
    if assignment == WHOLE_COURSE:
        return tuple(MILESTONES.values())
    if assignment not in MILESTONES:
        raise Misuse(
            f"there is no assignment {shown(assignment)}; there are"
            f" {listed([*MILESTONES, WHOLE_COURSE])}"
        )
    return (MILESTONES[assignment],)


def milestone_of(exercise: str) -> Milestone | None:
    """The milestone that marks an exercise ("3.1"), or None."""
    return next((each for each in MILESTONES.values() if exercise in each.parts), None)
