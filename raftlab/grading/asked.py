"""An answer that is asked over a pipe: here it is a function like any other.

What was asked before is answered from memory, so an answer is asked each thing once; in the end
all of it is asked anew, last first, of a process that knows nothing (`same_again`).
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import MOST_ERRORS, Exercise
from raftlab.course.exercises.running import RulesExercise
from raftlab.grading.answers import Source
from raftlab.grading.box import Boxes
from raftlab.grading.child.values import Seeded, from_json
from raftlab.grading.forks import forked
from raftlab.grading.loading import loaded
from raftlab.grading.replies import (
    DECODE_ERRORS,
    Reply,
    batches,
    call_of,
    change,
    decoded,
    decoded_all,
)
from raftlab.grading.waited import Waited
from raftlab.grading.words import plain
from raftlab.process.child import Child
from raftlab.process.faults import MachineFault
from raftlab.raft.rules import Rules

PATIENCE_S = 20.0
"""How long a question may take (s)."""
LONGEST_LINE = 1 << 20


class Asked:
    """One answer to one exercise, in a boxed process of its own: `call`.

    `trouble` says what ended the process, or is ""; `waited` is what bounds it and others.
    """

    def __init__(
        self, exercise: Exercise, source: Source, boxes: Boxes, waited: Waited | None = None
    ) -> None:
        self.exercise = exercise
        self.trouble = ""
        self._source = source
        self._boxes = boxes
        self._said: dict[bytes, bytes] = {}
        self._child: Child | None = None
        self._loaded = b""
        self._waited = waited or Waited()

    def call(self, *arguments: Any, **named: Any) -> Any:
        """What the answer returns. Raises: LearnerError, Unwritten, as `guard.call` does."""
        given = [*arguments, *named.values()]
        call = call_of(given)
        if call not in self._said:
            self._ask_all([call])
        reply = self._read(self._said[call])
        self._check(reply)
        try:
            for place, raw in reply.after.items():
                if not isinstance(given[int(place)], Seeded):
                    change(given[int(place)], from_json(raw))
            return from_json(reply.value)
        except guard.LearnerError:
            raise
        except Exception:  # no value at all: what speaks there is not our own process
            self._end(NO_ANSWER)

    def answer(self) -> Any:
        """What an exercise takes for an answer: a subclass of Rules, or a function.

        The process is started here. Raises: LearnerError, Unwritten.
        """
        self._start()

        def asked(*arguments: Any, **named: Any) -> Any:
            return self.call(*arguments, **named)

        if not isinstance(self.exercise, RulesExercise):
            asked.__name__ = self.exercise.name
            return asked

        def method(_: Rules, *arguments: Any, **named: Any) -> Any:
            return self.call(*arguments, **named)

        method.__name__ = self.exercise.name
        return type(
            self._source.holder,
            (Rules,),
            {self.exercise.name: method, "__slots__": (), "__module__": "__main__"},
        )

    def says(self, right: Mapping[bytes, bytes]) -> bool:
        """Whether it says to all these calls what is right."""
        self.ask_ahead(right)
        return all(self._said.get(call) == said for call, said in right.items())

    def ask_ahead(self, calls: Iterable[bytes]) -> None:
        """Ask these calls, many at once, until a few raise; `call` then knows them."""
        calls = dict.fromkeys(calls)
        with suppress(guard.LearnerError):  # it is told when `call` comes to it
            for some in batches([each for each in calls if each not in self._said]):
                if not self._ask_all(some, most=MOST_ERRORS):
                    break

    def same_again(self) -> bool:
        """Whether a fresh process answers all of it as before, asked last first."""
        before, loaded = self._said, self._loaded
        if not loaded:
            return True
        self.close()
        self._said, self.trouble = {}, ""
        try:
            self._start(1)
            for some in batches([*before][::-1]):
                self._ask_all(some)
        except (guard.LearnerError, guard.Unwritten):
            return self._loaded == loaded and not before
        return self._loaded == loaded and self._said == before

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ask_all(self, calls: Sequence[bytes], most: int = 0) -> bool:
        """Ask several calls in one line, and keep what is said; after `most` errors no more.

        Returns whether all were asked. Raises: LearnerError, if the process cannot be asked.
        """
        line = b'{"calls":[%s],"most":%d}' % (b",".join(calls), most)
        try:
            said = decoded_all(self._ask(line))
        except DECODE_ERRORS:
            self._end(NO_ANSWER)
        if len(said) > len(calls) or (len(said) < len(calls) and not most):
            self._end(NO_ANSWER)
        self._said.update(zip(calls, map(bytes, said), strict=False))
        return len(said) == len(calls)

    def _ask(self, line: bytes) -> bytes:
        if self.trouble:
            raise guard.LearnerError(self.trouble)
        if self._waited.is_over:
            self._end(TOO_LONG)
        assert self._child is not None
        try:
            with self._waited.counted():
                return self._boxes.without_place(self._child.ask(line))
        except MachineFault as fault:
            self._end(_said_of(fault))

    def _start(self, round: int = 0) -> None:
        """Start a process, and tell it the answer's source."""
        self._loaded = b""
        if self._waited.is_over:
            self._end(TOO_LONG)
        start = partial(self._boxes.start, self.exercise, round)
        begin = partial(forked, start, patience_s=PATIENCE_S, longest_line=LONGEST_LINE)
        source = self._source
        asks = {"parts": source.parts, "name": source.name, "holder": source.holder}
        try:
            self._child, said = loaded(begin, asks, self._waited)
        except MachineFault as fault:
            self._end(_said_of(fault))
        self._loaded = self._boxes.without_place(said)
        self._check(self._read(self._loaded))

    def _read(self, said: bytes) -> Reply:
        try:
            return decoded(said)
        except DECODE_ERRORS:
            self._end(NO_ANSWER)

    def _check(self, reply: Reply) -> None:
        if reply.unwritten is not None:
            raise guard.Unwritten(plain(reply.unwritten))
        if reply.raised:
            raise guard.LearnerError(plain(reply.raised))

    def _end(self, why: str) -> NoReturn:
        self.trouble = why
        self.close()
        raise guard.LearnerError(why)


NO_ANSWER = "its process says what is no answer"
TOO_LONG = "it was stopped: all in all the answers take too long"
FAULTS: Mapping[str, str] = {
    "hung": "it was stopped: it answers nothing for {patience:g} s",
    "flooded": "it was stopped: it answers with more than {line:,} bytes",
    "died": "its process ended before it answered: it was ended by itself, or for what it used"
    " (time of the processor, memory, size of files)",
    "too much memory": "it was stopped: it takes too much memory",
    "out of turn": "it was stopped: it says more than one answer to a question",
}


def _said_of(fault: MachineFault) -> str:
    """What ended a process, without numbers that differ from run to run."""
    form = FAULTS.get(fault.kind, "its process cannot be asked")
    return form.format(patience=PATIENCE_S, line=LONGEST_LINE)
