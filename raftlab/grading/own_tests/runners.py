"""Who runs a learner's tests on one machine: this process, or one in a box.

The box is not told which machine it has. It is asked for the same things in the same order,
whichever it is: what comes out is its word on that machine, and it is compared here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from raftlab.grading.box import Boxes
from raftlab.grading.child.clusters import TestedCluster
from raftlab.grading.forks import forked
from raftlab.grading.loading import loaded, reply_in
from raftlab.grading.own_tests.machines import Start
from raftlab.grading.own_tests.tested import Tested
from raftlab.grading.replies import DECODE_ERRORS
from raftlab.grading.waited import Waited
from raftlab.grading.words import plain
from raftlab.process.child import Child
from raftlab.process.faults import MachineFault
from raftlab.raft.vocabulary import REFUSALS, NotNow
from raftlab.sim.frames.frame import Frame

Scenario: TypeAlias = Callable[[Any], object]
Invariant: TypeAlias = Callable[[Sequence[Frame]], object]
How: TypeAlias = Literal["passed", "failed", "raised"]

MOST_SCENARIOS = 12
"""More are not run."""
MOST_QUESTIONS = 20_000
"""How many a scenario asks of its clusters."""
MOST_TOLD = 1 << 24
"""How many bytes a scenario is told of its clusters: a good one needs a few 100,000."""
AT_ONCE = 64
"""How many frames are made text in one go."""
PATIENCE_S = 20.0
LONGEST_LINE, LONGEST_PACKED = 1 << 16, 1 << 22
MOST_TEXT = 200
NO_CLUSTER = "it starts no cluster: call start(3)"
HOLDS_NOT = "the invariant does not hold"
NO_SENSE = "its process says what is no answer"
STOPPED: Mapping[str, str] = {
    "hung": f"it was stopped: it says nothing for {PATIENCE_S:g} s",
    "flooded": "it was stopped: it says too much",
}
TOO_LONG = "it was stopped: all in all the tests take too long"
ENDED = "its process ended, by itself or for what it used"


class Outcome(NamedTuple):
    """How one scenario went: `failed` is what finds a mistake, `raised` is neither."""

    how: How
    text: str = ""


class Unusable(Exception):
    """There are no tests to be run; the text says why."""


class Runner(ABC):
    """Runs scenarios on one machine, which `start` has, in the order in which it is asked."""

    def __init__(self, start: Start) -> None:
        self._start = start

    def run(self, place: int) -> Outcome:
        """Run one scenario, and look at the frames of its clusters, also if it was stopped."""
        tested = Tested(self._start)
        came = self._scenario(place, tested)
        if came.how == "failed":
            return Outcome("failed", _with("an assert fails", came.text))
        for number in range(1, len(tested.runs) + 1):
            looked = self._look(tested, number)
            if looked.how == "failed":
                return Outcome("failed", _with(HOLDS_NOT, looked.text))
            if looked.how == "raised" and came.how == "passed":
                return looked._replace(text=f"the invariant raises {looked.text}")
        if came.how == "passed" and not tested.runs:
            return Outcome("raised", NO_CLUSTER)
        return came

    def run_alone(self, place: int) -> Outcome:
        """Run one scenario, and no other after it."""
        try:
            return self.run(place)
        finally:
            self.close()

    @abstractmethod
    def _scenario(self, place: int, tested: Tested) -> Outcome:
        """How a scenario ends."""

    @abstractmethod
    def _look(self, tested: Tested, number: int) -> Outcome:
        """What the invariant says of all frames of a cluster."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more is to be run."""


class Tests(Protocol):
    """A learner's tests: what the scenarios are called, and who runs them on a machine."""

    names: Sequence[str]

    def on(self, start: Start) -> Runner:
        """What runs them on the machine that `start` has."""


def _with(what: str, words: str) -> str:
    return f"{what}: {words}" if words else what


# In this process


class OwnTests:
    """A learner's own functions, in the learner's own process."""

    def __init__(self, scenarios: Sequence[Scenario], invariant: Invariant) -> None:
        self.scenarios = list(scenarios)[:MOST_SCENARIOS]
        self.invariant = invariant
        self.names: Sequence[str] = [_name(each) for each in self.scenarios]

    def on(self, start: Start) -> Runner:
        """What runs them on a machine."""
        return OwnRunner(self, start)


class OwnRunner(Runner):
    """Runs a learner's functions."""

    def __init__(self, tests: OwnTests, start: Start) -> None:
        super().__init__(start)
        self._tests = tests

    def _scenario(self, place: int, tested: Tested) -> Outcome:
        def start(*given: Any, **named: Any) -> TestedCluster:
            number = tested.ask("start", 0, given, named)

            def ask(verb: str, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
                return tested.ask(verb, number, given, named)

            return TestedCluster(ask)

        return _came(lambda: self._tests.scenarios[place](start) or True)

    def _look(self, tested: Tested, number: int) -> Outcome:
        return _came(lambda: self._tests.invariant([*tested.runs[number - 1].frames]))

    def close(self) -> None:
        """There is nothing to be ended."""


def _came(test: Callable[[], object]) -> Outcome:
    try:
        return Outcome("passed" if test() else "failed")
    except AssertionError as failed:
        return Outcome("failed", str(failed))
    except Exception as problem:  # a learner's code may raise anything
        refused = isinstance(problem, REFUSALS)
        return Outcome("raised", str(problem) if refused else type(problem).__name__)


def _name(scenario: Scenario) -> str:
    name = getattr(scenario, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else "a scenario"


# In a box


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a box says: what it asks of a cluster, or how a scenario or the invariant ended."""

    do: str = ""
    cluster: int = 0
    given: list[Any] = []
    named: dict[str, Any] = {}
    ended: How | None = None
    text: str = ""
    scenarios: list[str] | None = None
    raised: str = ""
    unwritten: str | None = None
    packed: str = ""


_SAID = msgspec.json.Decoder(Said).decode
_ENCODE = msgspec.json.Encoder(enc_hook=tuple).encode


class BoxedTests:
    """A learner's tests as source, each machine in a box of its own. Raises: Unusable.

    `waited` is what bounds all of them.
    """

    def __init__(self, parts: Sequence[tuple[str, str]], boxes: Boxes) -> None:
        self.waited = Waited()
        self._boxes = boxes
        packed = self._said({"pack": parts}, longest_line=LONGEST_PACKED).packed
        asks = {"parts": parts, "packed": packed}
        said = self._loaded(asks)
        self._source = _ENCODE({**asks, "without": sorted(self.waited.left_out)})
        if said.unwritten is not None or not said.scenarios:
            raise Unusable(plain(said.raised or said.unwritten or "There is no scenario."))
        self.names: Sequence[str] = [plain(each, 60) for each in said.scenarios[:MOST_SCENARIOS]]

    def on(self, start: Start) -> Runner:
        """What runs them on a machine, in a process that knows no other."""
        runner = BoxedRunner(self._begun(), start, self)
        runner.load(self._source)
        return runner

    def _said(self, asked: Any, longest_line: int = LONGEST_LINE) -> Said:
        """What a process says that knows nothing. Raises: Unusable."""
        child = BoxedRunner(self._begun(longest_line), lambda *_, **__: _nobody(), self)
        try:
            return child.told(_ENCODE(asked))
        except NotNow as trouble:
            raise Unusable(str(trouble)) from None
        finally:
            child.close()

    def _loaded(self, asks: Mapping[str, Any]) -> Said:
        """What a process says that has run the source. Raises: Unusable."""
        try:
            child, said = loaded(self._begun, asks, self.waited)
            child.end()
            return _SAID(said)
        except MachineFault as fault:
            raise Unusable(STOPPED.get(fault.kind, ENDED)) from None
        except DECODE_ERRORS:
            raise Unusable(NO_SENSE) from None

    def _begun(self, longest_line: int = LONGEST_LINE) -> Child:
        return forked(self._boxes.tester, patience_s=PATIENCE_S, longest_line=longest_line)


class BoxedRunner(Runner):
    """Runs scenarios in a box, and does what they ask for."""

    def __init__(self, child: Child, start: Start, tests: BoxedTests) -> None:
        super().__init__(start)
        self._child = child
        self._tests = tests
        self._trouble = ""

    def load(self, line: bytes) -> None:
        """Tell the box the source."""
        try:
            self.told(line)
        except NotNow as trouble:
            self._trouble = str(trouble)

    def told(self, line: bytes) -> Said:
        """What the box says to a line. Raises: NotNow, with what became of it."""
        if self._tests.waited.is_over:
            self._trouble = TOO_LONG
        if self._trouble:
            raise NotNow(self._trouble)
        try:
            with self._tests.waited.counted():
                return _SAID(reply_in(self._child.ask(line)))
        except MachineFault as fault:
            self._trouble = STOPPED.get(fault.kind, ENDED)
        except DECODE_ERRORS:
            self._trouble = NO_SENSE
        self._child.end()
        raise NotNow(self._trouble)

    def _scenario(self, place: int, tested: Tested) -> Outcome:
        try:
            said = self.told(_ENCODE({"scenario": place}))
            left = MOST_TOLD
            for _ in range(MOST_QUESTIONS):
                if said.ended is not None:
                    return _outcome(said)
                answer = _answer(tested, said, left)
                left -= len(answer)
                said = self.told(answer)
            raise TooMuch("it was stopped: it asks without an end")
        except TooMuch as trouble:
            self._trouble = str(trouble)
            self._child.end()
            return Outcome("raised", self._trouble)
        except NotNow as trouble:
            return Outcome("raised", str(trouble))

    def _look(self, _: Tested, number: int) -> Outcome:
        try:
            said = self.told(_ENCODE({"look": number}))
        except NotNow as trouble:
            return Outcome("raised", str(trouble))
        return _outcome(said)

    def close(self) -> None:
        """End the process."""
        self._child.end()


class TooMuch(Exception):
    """A scenario is to be stopped; the text says why."""


def _answer(tested: Tested, said: Said, most: int) -> bytes:
    """What a cluster answers, and its frames since its last answer. Raises: TooMuch."""
    answer = _said(tested, said)
    number = answer.get("value", 0) if said.do == "start" else said.cluster
    news, parts = tested.news(number), []
    for place in range(0, len(news), AT_ONCE):
        parts.append(_ENCODE(news[place : place + AT_ONCE])[1:-1])
        most -= len(parts[-1])
        if most < 0:
            raise TooMuch("it was stopped: there is too much in the frames of its clusters")
    frames = msgspec.Raw(b"[%s]" % b",".join(parts))
    return _ENCODE({**answer, "frames": frames})


def _said(tested: Tested, said: Said) -> dict[str, Any]:
    try:
        return {"value": tested.ask(said.do, said.cluster, said.given, said.named)}
    except REFUSALS as refusal:
        kind = "NotNow" if isinstance(refusal, NotNow) else "Misuse"
        return {"refused": kind, "text": str(refusal)}
    except Exception as problem:  # a mistake may raise anything
        return {"refused": "NotNow", "text": f"the machine raises {type(problem).__name__}"}


def _outcome(said: Said) -> Outcome:
    return Outcome(said.ended or "raised", plain(said.text, MOST_TEXT) or "")


def _nobody() -> Any:
    raise NotNow("there is no machine yet")
