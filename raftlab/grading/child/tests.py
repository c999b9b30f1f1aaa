"""The boxed process of a learner's own tests: told a source once, it then runs one scenario a line.

    {"pack": [["cell 3", "def first(start): …"]]}       ->  {"packed": "…"}
    {"parts": [["cell 3", "def first(start): …"]]}      ->  {"scenarios": ["first"]}
    {"scenario": 0}                                     ->  {"do": "start", "given": [3], …}
    {"value": 1, "frames": […]}                         ->  {"do": "elect", "cluster": 1, …}
    {"value": "S1", "frames": […]}                      ->  {"ended": "passed"}
    {"look": 1}                                         ->  {"ended": "failed", "text": "…"}

With each answer come the frames since the last one; the invariant looks at all of a cluster.
It never knows which machine it is that it tests: what it says of one is compared with what it says
of the others, elsewhere.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import msgspec

from raftlab.course.exercises import guard
from raftlab.grading.child import changes, running, serve
from raftlab.grading.child.clusters import TestedCluster
from raftlab.raft.vocabulary import Misuse, NotNow
from raftlab.sim.frames.frame import Frame

MOST_TEXT = 200
REFUSALS = {"Misuse": Misuse, "NotNow": NotNow}
Speak = Callable[[Any], bytes]


class Answer(msgspec.Struct):
    """What is answered to a question, and the frames that are new since."""

    value: Any = None
    refused: str = ""
    text: str = ""
    frames: list[changes.Change] = []


ANSWER = msgspec.json.Decoder(Answer)


def run_tests(told_to: BinaryIO, says: BinaryIO) -> None:
    """Answer lines until they end."""

    def say(reply: Any) -> None:
        says.write(json.dumps(reply).encode() + b"\n")
        says.flush()

    def ask(question: Any) -> bytes:
        say(question)
        return told_to.readline()

    starts = Starts(ask)
    for line in told_to:
        asked = json.loads(line)
        if "pack" in asked:
            say(packed(asked["pack"]))
        elif "parts" in asked:
            say(loaded(asked, serve.saying(says)))
        elif "scenario" in asked:
            starts = Starts(ask)
            say(ended(chosen()[asked["scenario"]], starts))
        else:
            frames = [*starts.frames[asked["look"] - 1]]
            say(ended(names().get("invariant"), frames, holds=True))


def names() -> dict[str, Any]:
    """What the source has defined."""
    return vars(sys.modules[running.MODULE])


def packed(parts: Any) -> Any:
    """The source as code, for processes that are to run it: this one does not; or nothing."""
    try:
        return {"packed": running.packed(parts)}
    except Exception:  # it is no Python, or too deep: whoever runs it says so
        return {"packed": ""}


def loaded(asked: Any, says: running.Says) -> Any:
    """Run the source; the names of the scenarios, or why there are none."""
    _, reply = running.loaded({**asked, "name": "scenarios", "holder": ""}, says)
    if reply:
        return reply
    try:
        return {"scenarios": [name_of(each) for each in chosen()]}
    except BaseException as problem:  # a learner's list may raise anything
        return {"raised": guard.where(problem)[:300]}


def chosen() -> list[Any]:
    """The scenarios, as a list."""
    return list(names()["scenarios"])


def name_of(scenario: Any) -> str:
    """What a scenario is called."""
    name = getattr(scenario, "__name__", "")
    return name[:60] if isinstance(name, str) and name.isidentifier() else "a scenario"


class Starts:
    """What a scenario is given: `start(3)` is a new cluster with the machine under test.

    `frames` are those of each cluster so far.
    """

    def __init__(self, ask: Speak) -> None:
        self._ask = ask
        self.frames: list[list[Frame]] = []

    def __call__(self, *given: Any, **named: Any) -> TestedCluster:
        """A new cluster. Raises: Misuse, as `Cluster` does."""
        frames: list[Frame] = []
        number = self._asked(0, "start", given, named, frames)
        self.frames.append(frames)

        def ask(verb: str, given: Sequence[Any], named: dict[str, Any]) -> Any:
            if verb == "frame":
                return frames[-1]
            return self._asked(number, verb, given, named, frames)

        return TestedCluster(ask)

    def _asked(
        self,
        cluster: int,
        verb: str,
        given: Sequence[Any],
        named: dict[str, Any],
        frames: list[Frame],
    ) -> Any:
        question = {"do": verb, "cluster": cluster, "given": list(given), "named": named}
        answer = ANSWER.decode(self._ask(question))
        changes.add_frames(answer.frames, frames)
        if answer.refused:
            raise REFUSALS[answer.refused](answer.text)
        return answer.value


def ended(function: Any, argument: Any, holds: bool = False) -> Any:
    """How a scenario has ended, or, where something is to hold, whether it does."""
    try:
        said = function(argument)
        if holds and not said:
            return {"ended": "failed", "text": ""}
        return {"ended": "passed"}
    except AssertionError as failed:
        return {"ended": "failed", "text": str(failed)[:MOST_TEXT]}
    except (Misuse, NotNow) as refusal:
        return {"ended": "raised", "text": str(refusal)[:MOST_TEXT]}
    except BaseException as problem:  # whatever a test raises is its own
        return {"ended": "raised", "text": type(problem).__name__[:MOST_TEXT]}


if __name__ == "__main__":
    serve.main(sys.argv[1], sys.argv[2:], run_tests)
