"""The runs in which an answer is looked at, and how to see one that goes wrong.

First come the runs of the museum that show the mistakes an exercise knows, then whole clusters.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from raftlab.course.exercises import guard
from raftlab.course.exercises.clusters import bounded
from raftlab.course.exercises.running import ClusterExercise, Trouble
from raftlab.grading.open_runs import shared
from raftlab.museum import exhibit
from raftlab.sim.world.violation import Violation


class InMuseum(NamedTuple):
    """The run of a known mistake; `what` is the name of its exhibit."""

    exercise: ClusterExercise
    what: str

    def trouble(self, answer: Any) -> Trouble | None:
        """What the answer does wrong in the run. Raises: Unwritten."""
        shown = exhibit(self.what)
        cluster = shown.cluster(wrong=False, **self.exercise.for_cluster(answer))
        try:
            with bounded(cluster):
                went_on = shown.run(cluster)
        except Violation as violation:
            broken = violation.frame
            text = f"{broken.name} is broken: {broken.text}"
            return Trouble(cluster, 1, "safety", text, broken.name)
        except guard.LearnerError as error:
            return Trouble(cluster, 1, "code", f"your code fails: {error}")
        except guard.Unwritten:
            raise
        except Exception as error:  # the run goes another way with what it answers
            return Trouble(cluster, 1, "liveness", f"the run stops: {guard.where(error)}")
        stuck = shown.breaks is None and went_on is False
        return Trouble(cluster, 1, "liveness", shown.shows_in) if stuck else None

    def advice(self, _: Any, trouble: Trouble) -> str:
        """What to try, if the run of the mistake ends in the same trouble; else ""."""
        return f'try exhibit("{self.what}").recording().lab()' if self._shows(trouble) else ""

    def share(self, trouble: Trouble) -> str:
        """The run of the mistake, then: whoever has not the answer can open it, too."""
        return share_of(self.what) if self._shows(trouble) else ""

    def _shows(self, trouble: Trouble) -> bool:
        shown = exhibit(self.what)
        if trouble.kind == "safety":
            return shown.breaks is not None and trouble.broke == shown.breaks.name
        return trouble.text == shown.shows_in


class InCluster(NamedTuple):
    """A troubled cluster; `what` is its seed."""

    exercise: ClusterExercise
    what: int

    def trouble(self, answer: Any) -> Trouble | None:
        """What goes wrong with the answer."""
        return self.exercise.trouble(answer, self.what)

    def advice(self, answer: Any, _: Trouble) -> str:
        """What to try."""
        return f"try {self.exercise.cluster_call(answer, self.what)}"

    def share(self, trouble: Trouble) -> str:
        """The run as short as it was found, or ""."""
        return shared(trouble.cluster.recording)


Look: TypeAlias = InMuseum | InCluster


def looks(exercise: ClusterExercise) -> Iterator[Look]:
    """All that is looked at, in this order."""
    for name in dict.fromkeys(each.exhibit for each in exercise.mistakes if each.exhibit):
        yield InMuseum(exercise, name)
    for seed in exercise.seeds:
        yield InCluster(exercise, seed)


@cache
def share_of(name: str) -> str:
    """The share string of the run that a mistake leads to, in the museum."""
    return exhibit(name).recording().share()


@cache
def broken_in(name: str) -> str:
    """What is broken at the end of that run, with servers and index; "" if it is no property."""
    violation = exhibit(name).recording().attempt().violation
    return f"{violation.name}: {violation.text}" if violation else ""
