"""The boxed process of a learner's own tests: told a source once, it then runs one scenario a line.

    {"parts": [["cell 3", "def first(start): …"]]}      ->  {"scenarios": ["first"]}
    {"scenario": 0}                                     ->  {"do": "start", "given": [3], …}
    {"value": 1}                                        ->  {"do": "elect", "cluster": 1, …}
    {"value": "S1"}                                     ->  {"ended": "passed"}
    {"frames": […]}                                     ->  {"ended": "failed", "text": "…"}

It never knows which machine it is that it tests: what it says of one is compared with what it says
of the others, elsewhere.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import msgspec

from raftlab.course.exercises import guard
from raftlab.grading.child import serve
from raftlab.grading.child.clusters import TestedCluster
from raftlab.raft.vocabulary import Misuse, NotNow
from raftlab.sim.frames.frame import Frame

MOST_TEXT = 200
REFUSALS = {"Misuse": Misuse, "NotNow": NotNow}
FRAME = msgspec.json.Decoder(Frame)
FRAMES = msgspec.json.Decoder(list[Frame])
Speak = Callable[[Any], bytes]


def run_tests(told_to: BinaryIO, says: BinaryIO) -> None:
    """Answer lines until they end."""

    def say(reply: Any) -> None:
        says.write(json.dumps(reply).encode() + b"\n")
        says.flush()

    def ask(question: Any) -> bytes:
        say(question)
        return told_to.readline()

    for line in told_to:
        if line.startswith(b'{"parts"'):
            say(loaded(json.loads(line)))
        elif line.startswith(b'{"scenario"'):
            scenario = chosen()[json.loads(line)["scenario"]]
            say(ended(scenario, Starts(ask)))
        else:
            frames = FRAMES.decode(line)
            say(ended(names().get("invariant"), frames, holds=True))


def names() -> dict[str, Any]:
    """What the source has defined."""
    return vars(sys.modules[serve.MODULE])


def loaded(asked: Any) -> Any:
    """Run the source; the names of the scenarios, or why there are none."""
    _, reply = serve.loaded({**asked, "name": "scenarios", "holder": ""})
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
    """What a scenario is given: `start(3)` is a new cluster with the machine under test."""

    def __init__(self, ask: Speak) -> None:
        self._ask = ask

    def __call__(self, *given: Any, **named: Any) -> TestedCluster:
        """A new cluster. Raises: Misuse, as `Cluster` does."""
        number = self._asked(0, "start", given, named)

        def ask(verb: str, given: Sequence[Any], named: dict[str, Any]) -> Any:
            return self._asked(number, verb, given, named)

        return TestedCluster(ask)

    def _asked(self, cluster: int, verb: str, given: Sequence[Any], named: dict[str, Any]) -> Any:
        question = {"do": verb, "cluster": cluster, "given": list(given), "named": named}
        line = self._ask(question)
        if verb == "frame":
            return FRAME.decode(line)
        reply = json.loads(line)
        if "refused" in reply:
            raise REFUSALS[reply["refused"]](reply["text"])
        return reply["value"]


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
