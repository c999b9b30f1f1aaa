"""What was taught before, asked once more: two questions at the start of a notebook."""

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

from raftlab.course.predict.appends import append_result, possible_followers
from raftlab.course.predict.commit import (
    acks_commit,
    commit_after,
    which_committed,
)
from raftlab.course.predict.counting import majority_size, tally
from raftlab.course.predict.deposed import deposed_leader, deposed_leader_commits
from raftlab.course.predict.logs import legal_log, possible_logs
from raftlab.course.predict.lost import lost_vote
from raftlab.course.predict.races import splits
from raftlab.course.predict.repair import corrupt_next_index, messages_to_repair, next_index_after
from raftlab.course.predict.terms import term_after
from raftlab.course.predict.timers import next_leader, timer_reset, wan_timeouts
from raftlab.course.predict.votes import who_can_win, who_grants
from raftlab.course.question import Question
from raftlab.course.score import SCORE, Verdict
from raftlab.raft.vocabulary import Misuse, NotNow, shown

Answer: TypeAlias = str | int | Sequence[str] | None
"""To one question of a review: a choice, a number, or all that is right; None is no answer."""

KINDS: dict[str, tuple[Callable[..., Question], ...]] = {
    "01": (append_result, legal_log, possible_logs, possible_followers),
    "02": (term_after, timer_reset),
    "03": (who_grants, who_can_win, lost_vote),
    "04": (tally, majority_size, splits),
    "05": (next_leader, wan_timeouts),
    "06": (next_index_after, messages_to_repair, corrupt_next_index),
    "07": (commit_after, acks_commit, which_committed, deposed_leader, deposed_leader_commits),
}
"""The kinds of questions, by the notebook that teaches what they ask."""

FIRST, LAST = 2, 19
"""The notebooks that can begin with a review."""


class Verdicts(tuple[Verdict, ...]):
    """The verdicts on the answers to a review, one below the other."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": "\n".join(each.html for each in self)}


class Review:
    """Two questions from earlier notebooks.

        review = predict.review("03")
        review                                   # shows both: click, or
        review.answer("c", ["a", "d"])           # one answer for each

    `first` and `second` are the questions.
    """

    def __init__(self, first: Question, second: Question) -> None:
        self.first, self.second = first, second
        first.place, second.place = "first", "second"

    def answer(self, first: Answer = None, second: Answer = None) -> Verdicts:
        """Say which predictions were right, what is true, and why; as `Question.answer`."""
        pairs = ((self.first, first), (self.second, second))
        return Verdicts(question.answer(*_given(answer)) for question, answer in pairs)

    def __repr__(self) -> str:
        return f"{self.first!r}\n\n{self.second!r}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        html = f"{self.first.html}\n{self.second.html}"
        return {"text/plain": repr(self), "text/html": html}

    def _ipython_display_(self) -> None:
        self.first._ipython_display_()
        self.second._ipython_display_()


def _given(answer: Answer) -> tuple[str | int | None, ...]:
    if isinstance(answer, str) or not isinstance(answer, Sequence):
        return (answer,)
    return tuple(answer)


def review(notebook: str, *, seed: int = 0) -> Review:
    """Two questions of what was taught before `notebook`, "02" to "19"; another seed, others.

    The first is of the notebook before it that has questions, the second of any earlier one.

    Raises: Misuse, for a notebook that none was before.
    """
    listed = [f"{number:02}" for number in range(FIRST, LAST + 1)]
    if not isinstance(notebook, str) or notebook not in listed:
        raise Misuse(f'name a notebook from "02" to "{LAST}", not {shown(notebook)}')
    rng = random.Random(f"raftlab review {notebook} {seed}")
    *earlier, newest = [kinds for number, kinds in KINDS.items() if number < notebook]
    first = rng.choice(newest)
    second = rng.choice([each for kinds in earlier or [newest] for each in kinds if each != first])
    return Review(*(kind(seed=rng.randrange(10**6)) for kind in (first, second)))


def again() -> Question:
    """Another question of the kind that was shown or answered last, under the same conditions.

    Raises: NotNow, if nothing was asked yet, or there is no other.
    """
    if not isinstance(SCORE.latest, Question):
        raise NotNow("nothing was asked yet: show a question first, or answer one")
    return SCORE.latest.again()
