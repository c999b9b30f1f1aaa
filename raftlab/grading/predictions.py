"""M0: five questions that differ from student to student, and what an answer is worth.

    questions = sheet("autumn", "ann")     # by the class's word, and the student
    questions["votes"]                     # the question, as on paper

A question says nothing of its answer here: students write theirs down, and the grader judges them
by asking the machine again. The class's word is public; the answers differ all the same.
"""

import random
from collections.abc import Callable, Mapping

from raftlab.course.panel import Panel
from raftlab.course.predict import (
    acks_commit,
    append_result,
    commit_after,
    legal_log,
    majority_size,
    possible_logs,
    splits,
    tally,
    term_after,
    timer_reset,
    who_can_win,
    who_grants,
)
from raftlab.course.question import Question
from raftlab.grading.child.written import UNWRITTEN
from raftlab.grading.milestones import M0
from raftlab.grading.results import Check, MilestoneMark
from raftlab.raft.vocabulary import Misuse, shown

NOT_WRITTEN = (
    "is not written out: it is read and never run, so write the value itself, as in"
    ' answers = {"append": "S2"}'
)
KINDS: Mapping[str, tuple[Callable[..., Question], ...]] = {
    "append": (append_result, legal_log, possible_logs),
    "terms": (term_after, timer_reset),
    "votes": (who_grants, who_can_win),
    "tally": (tally, majority_size, splits),
    "commit": (commit_after, acks_commit),
}
"""The kinds of questions of each part."""

NAME_FIRST = 'write your name above, as your instructor knows it: student = "ann"'
SECTIONS: Mapping[str, str] = {
    "append": "5.3",
    "terms": "5.1; Figure 2, rules for servers",
    "votes": "5.2, 5.4.1",
    "tally": "5.2",
    "commit": "5.3, 5.4.2",
}


def questions_for(word: str, student: str) -> dict[str, Question]:
    """The questions of a student, by their parts; `word` is that of the class.

    However a name is written, in capitals say, its questions are the same.

    Raises: Misuse, for a student without a name.
    """
    if not (isinstance(student, str) and student.strip()):
        raise Misuse(NAME_FIRST)
    name = student.strip().casefold()
    return {part: _question(f"raftlab M0 {word} {name} {part}", part) for part in KINDS}


def _question(seed: str, part: str) -> Question:
    rng = random.Random(seed)
    kind = rng.choice(KINDS[part])
    return kind(seed=rng.randrange(10**6))


def sheet(word: str, student: str) -> dict[str, Panel]:
    """The questions as a student gets them: to be read, and answered in another cell."""
    if not student.strip():
        return dict.fromkeys(KINDS, Panel(f"{NAME_FIRST}."))
    return {part: each.sheet for part, each in questions_for(word, student).items()}


def form_of(question: Question, answer: object) -> str:
    """What is wrong with the form of an answer, or ""."""
    given = _given(answer)
    if given is not None and question.problem(given) is None:
        return ""
    return f"{shown(answer)} is no answer; the question says what one is, after Answer"


def _given(answer: object) -> tuple[object, ...] | None:
    """An answer as `Question.answer` takes it; None for what is none."""
    given = tuple(answer) if isinstance(answer, list | tuple) else (answer,)
    return given if given and all(type(each) in (str, int) for each in given) else None


def missing(answers: Mapping[str, object], word: str, student: str) -> list[str]:
    """What is still to be done, a sentence for each part; nothing of what is right."""
    if not student.strip():
        return [f"{NAME_FIRST}."]
    questions = questions_for(word, student)
    said = {part: form_of(each, answers.get(part)) for part, each in questions.items()}
    return [f"{part}: {what}" for part, what in said.items() if what]


def unread(answers: object) -> list[str]:
    """Why nothing of a submission's answers can be read: a sentence, or none."""
    if answers is None:
        return ["no cell has answers"]
    if answers == UNWRITTEN or not isinstance(answers, dict):
        return [f"answers {NOT_WRITTEN}"]
    return []


def marked(answers: Mapping[str, object], word: str, student: str) -> MilestoneMark:
    """What a student's answers are worth. They are data: nothing of them is run.

    The checks are named after the kinds of questions.
    """
    checks = tuple(
        _check(part, question, answers.get(part))
        for part, question in questions_for(word, student).items()
    )
    points = sum(check.points for check in checks)
    return MilestoneMark(
        milestone=M0.name, title=M0.title, points=points, of=M0.points, checks=checks
    )


def _check(part: str, question: Question, answer: object) -> Check:
    name, of = getattr(question.kind, "__name__", part), M0.parts[part]
    if answer is None:
        return _wrong(name, part, of, f"{part} has no answer.")
    if answer == UNWRITTEN:
        return _wrong(name, part, of, f"{part} {NOT_WRITTEN}.")
    if said := form_of(question, answer):
        return _wrong(name, part, of, f"{part}: {said}.")
    given = _given(answer) or ()
    if not question.is_right(given):
        said = ", ".join(map(str, given))
        return _wrong(name, part, of, f"{part}: you said {said}, and that is not so.")
    return Check(name=name, exercise="", points=of, of=of, passed=True)


def _wrong(name: str, part: str, of: float, sentence: str) -> Check:
    advice = f"Ask for more of the kind, and let the machine answer: predict.{name}(seed=1)."
    return Check(
        name=name,
        exercise="",
        points=0,
        of=of,
        passed=False,
        sentence=sentence,
        section=SECTIONS[part],
        advice=advice,
    )
