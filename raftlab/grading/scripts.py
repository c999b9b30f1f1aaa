"""What right answers say in whole runs: who says the same to every question goes the same way.

A run is a function of its seed and of what the answer says. So a run need not be played for an
answer that says, to all that is asked in it, what is right: it would be the same run.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from raftlab.course.exercises.running import ClusterExercise, RulesExercise
from raftlab.grading.child.values import reply_of
from raftlab.grading.replies import call_of
from raftlab.raft.rules import Rules

Script: TypeAlias = Mapping[bytes, bytes]
"""By what is asked: what is right to say."""


def script_of(exercise: ClusterExercise, look: Callable[[Any], object]) -> Script | None:
    """What is asked in a run, and what is right; None, if the run does not go well even so."""
    script: dict[bytes, bytes] = {}
    return script if look(_right_answer(exercise, script)) is None else None


def _right_answer(exercise: ClusterExercise, script: dict[bytes, bytes]) -> Any:
    """What is right, as an answer that notes what it is asked."""

    def answer(*arguments: Any, **named: Any) -> Any:
        given = [*arguments, *named.values()]
        call = call_of(given)
        got: list[Any] = []

        def noted(*those: Any) -> Any:
            got.append(exercise.reference(*those))
            return got[0]

        script[call] = json.dumps(reply_of(noted, given)).encode()
        return got[0]

    if not isinstance(exercise, RulesExercise):
        answer.__name__ = exercise.name
        return answer

    def method(_: Rules, *arguments: Any, **named: Any) -> Any:
        return answer(*arguments, **named)

    return type("Right", (Rules,), {exercise.name: method, "__slots__": ()})
