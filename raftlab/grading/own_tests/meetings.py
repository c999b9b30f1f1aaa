"""Which test meets which machine, and when: what is left out tells nobody which machine it has.

Each test meets each machine in a process of its own, which knows that one test, and no machine but
this one. So what was asked before, and what is never asked, is not seen in a box. It could still
have counted, somehow, how many processes there were before it; then it could fail late, say, when
all correct machines are over. Therefore:

* First, each test meets the machine of Figure 2. A mistake that does not show in such a meeting
  behaves, in it, as this machine does, and what the test says of it is known.
* Then it meets the mistakes that show, in an order that is drawn, and other correct machines among
  them. A mistake with which one test has failed meets no more in this pass: what comes late is
  correct more often than by the draw alone, and to fail early means to fail with a correct machine
  as often as by the draw. A correct machine meets all whom it is drawn for, whoever has failed.
* What has failed is met once more, with other timing, in another pass that has correct machines
  among it, too; and so on, until no mistake has a test left. Who fails with a correct machine
  finds nothing, in any pass.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from raftlab.grading.own_tests.machines import CORRECT, FIGURE_2, correct, mistaken
from raftlab.grading.own_tests.runners import Outcome, Tests
from raftlab.grading.own_tests.shown import noting

TWICE = 2
"""With how many timings a mistake is to be found."""
AMONG = 2
"""How many correct machines each test meets in a pass, among the others."""


class Meeting(NamedTuple):
    """A machine, by its name, the seed of its timing, and the place of the test."""

    machine: str
    seed: int
    place: int


class Meetings:
    """All meetings of a learner's tests. `came` says how those went that took place."""

    def __init__(
        self, tests: Tests, seeds: Sequence[int], mistakes: Sequence[str], chance: random.Random
    ) -> None:
        self.came: dict[Meeting, Outcome] = {}
        self._tests = tests
        self._seeds = seeds
        self._mistakes = mistakes
        self._chance = chance
        self._shows: dict[tuple[int, int], Callable[[str], bool]] = {}
        self._left = {place: self._others(place) for place in range(len(tests.names))}

    def hold(self) -> None:
        """Let tests and machines meet until all is known."""
        for each in self._drawn(
            Meeting(FIGURE_2, seed, place) for seed in self._seeds[:TWICE] for place in self._left
        ):
            start, self._shows[each.seed, each.place] = noting(each.seed)
            self._note(each, self._tests.on(start).run_alone(each.place))
        while wanted := [each for name in self._mistakes for each in self._wanted(name)]:
            failed: set[str] = set()
            for each in self._drawn([*wanted, *self._among(wanted)]):
                if each.machine in failed:
                    continue
                if self._met(each).how == "failed" and each.machine not in CORRECT:
                    failed.add(each.machine)
        for each in self._drawn(each for others in self._left.values() for each in others):
            self._met(each)

    def is_sound(self, place: int) -> bool:
        """Whether a test has passed with all correct machines so far."""
        return all(
            came.how == "passed"
            for meeting, came in self.came.items()
            if meeting.place == place and meeting.machine in CORRECT
        )

    def found(self, mistake: str) -> bool:
        """Whether a sound test fails with a mistake, with each timing."""
        return any(
            all(self._how(mistake, seed, place) == "failed" for seed in self._seeds[:TWICE])
            for place in self._left
            if self.is_sound(place)
        )

    def _others(self, place: int) -> list[Meeting]:
        """The correct machines that a test meets later: all options, each timing with one more."""
        options = [name for name in CORRECT if name != FIGURE_2]
        found = [Meeting(FIGURE_2, seed, place) for seed in self._seeds[TWICE:]]
        seeds = self._chance.sample(self._seeds, len(self._seeds))
        found += [Meeting(name, seeds[at % len(seeds)], place) for at, name in enumerate(options)]
        return self._drawn(found)

    def _wanted(self, mistake: str) -> Iterator[Meeting]:
        """What is to be known next of a mistake: nothing, where one sound test has found it."""
        if self.found(mistake):
            return
        first, *more = self._seeds[:TWICE]
        places = [each for each in self._left if self.is_sound(each)]
        places = [each for each in places if self._may_find(mistake, each)]
        failed = [each for each in places if self._how(mistake, first, each) == "failed"]
        for place in failed:
            for seed in more:
                yield Meeting(mistake, seed, place)
        if not failed:
            for place in places:
                if self._how(mistake, first, place) is None:
                    yield Meeting(mistake, first, place)

    def _may_find(self, mistake: str, place: int) -> bool:
        """Whether a mistake shows with each timing, and no meeting has gone well yet."""
        return all(
            self._shows[seed, place](mistake)
            and self._how(mistake, seed, place) in (None, "failed")
            for seed in self._seeds[:TWICE]
        )

    def _how(self, machine: str, seed: int, place: int) -> str | None:
        came = self.came.get(Meeting(machine, seed, place))
        return came.how if came else None

    def _among(self, wanted: Sequence[Meeting]) -> Iterator[Meeting]:
        """Correct machines for each test that meets another; known ones, if no new one is left."""
        for place in dict.fromkeys(each.place for each in wanted):
            left = self._left[place]
            for _ in range(AMONG):
                if left:
                    yield left.pop()
                else:
                    names = [*CORRECT]
                    yield Meeting(
                        self._chance.choice(names), self._chance.choice(self._seeds), place
                    )

    def _met(self, meeting: Meeting) -> Outcome:
        kind = correct if meeting.machine in CORRECT else mistaken
        runner = self._tests.on(kind(meeting.machine, meeting.seed))
        return self._note(meeting, runner.run_alone(meeting.place))

    def _note(self, meeting: Meeting, came: Outcome) -> Outcome:
        before = self.came.get(meeting)
        if before is None or before.how == "passed":
            self.came[meeting] = came
        return came

    def _drawn(self, meetings: "Iterator[Meeting] | Sequence[Meeting]") -> list[Meeting]:
        found = [*meetings]
        self._chance.shuffle(found)
        return found
