"""M0: questions that differ, answers that are data, and marks that tell no answer."""

import pytest

from raftlab.course.my_raft import SECTION
from raftlab.course.score import SCORE
from raftlab.grading.child.answers import cells_of
from raftlab.grading.child.written import value
from raftlab.grading.milestones import M0
from raftlab.grading.predictions import KINDS, marked, missing, questions_for, sheet, unread
from raftlab.raft.vocabulary import Misuse

STUDENTS = [f"student-{number}" for number in range(12)]


def right(word, student):
    questions = questions_for(word, student)
    return {part: list(each.truth) for part, each in questions.items()}


def test_each_part_has_its_points():
    assert [*KINDS] == [*M0.parts]


@pytest.mark.parametrize("student", STUDENTS)
def test_right_answers_have_all_points(student):
    mark = marked(right("autumn", student), "autumn", student)
    assert mark.points == mark.of == 5
    assert not missing(right("autumn", student), "autumn", student)


def test_questions_differ_by_student_and_by_class():
    keys = [
        tuple(each.key for each in questions_for(word, student).values())
        for word in ("autumn", "spring")
        for student in STUDENTS
    ]
    assert len(set(keys)) == len(keys)


def test_the_answers_of_another_student_are_seldom_right():
    points = [
        marked(right("autumn", other), "autumn", student).points
        for student in STUDENTS
        for other in STUDENTS
        if student != other
    ]
    assert sum(points) / len(points) < 2.5


def test_the_same_student_has_the_same_questions():
    first, second = (questions_for("autumn", "ann") for _ in range(2))
    assert [each.key for each in first.values()] == [each.key for each in second.values()]


@pytest.mark.parametrize("student", STUDENTS[:4])
def test_a_sheet_asks_and_does_not_tell(student):
    for part, question in questions_for("autumn", student).items():
        told = repr(sheet("autumn", student)[part])
        assert question.statement.split()[0] in told and "Answer:" in told
        assert not any(reason in told for reason in question.explain if len(reason) > 25)
        assert "question.answer" not in told


def test_judging_counts_and_keeps_nothing():
    before = dict(SCORE.first)
    marked(right("autumn", "ann"), "autumn", "ann")
    assert SCORE.first == before


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        "no such choice",
        10**30,
        True,
        1.5,
        b"x",
        [["S1"]],
        ["none", "S1"],
        "S1" * 9999,
    ],
)
def test_what_is_no_answer_is_told_and_stops_nothing(answer):
    answers = dict.fromkeys(KINDS, answer)
    mark = marked(answers, "autumn", "ann")
    assert mark.points == 0
    assert all(check.sentence and len(check.sentence) < 600 for check in mark.checks)


def test_a_wrong_answer_is_told_without_the_right_one():
    questions = questions_for("autumn", "ann")
    wrong = {}
    for part, each in questions.items():
        choices = [choice for choice in each.choices if (choice,) != each.truth]
        wrong[part] = choices[0] if choices else 999
    for check, (part, question) in zip(
        marked(wrong, "autumn", "ann").checks, questions.items(), strict=True
    ):
        assert not check.passed
        assert check.sentence == f"{part}: you said {wrong[part]}, and that is not so."
        assert not any(reason in check.sentence + check.advice for reason in question.explain)
        assert check.section and f"predict.{check.name}(seed=1)" in check.advice


def test_without_a_name_there_are_no_questions():
    with pytest.raises(Misuse, match="write your name above"):
        questions_for("autumn", " ")
    assert "write your name above" in repr(sheet("autumn", "")["votes"])
    assert "write your name above" in missing({}, "autumn", "")[0]


def test_however_a_name_is_written_its_questions_are_the_same():
    written = [questions_for("autumn", name) for name in ("ann lee", " Ann LEE ")]
    first, second = ([each[part].text for part in KINDS] for each in written)
    assert first == second


WRITTEN = {
    "a dictionary": "answers = {'append': 'a', 'commit': 4}",
    "with a type": "answers: dict[str, object] = {'append': 'a', 'commit': 4}",
    "dict()": "answers = dict(append='a', commit=4)",
    "dict() of pairs": "answers = dict([('append', 'a'), ('commit', 4)])",
    "dict() of a dictionary": "answers = dict({'append': 'a'}, commit=4)",
    "one by one": "answers = {}\nanswers['append'] = 'a'\nanswers['commit'] = 4",
    "one mended": "answers = {'append': 'b', 'commit': 4}\nanswers['append'] = 'a'",
    "update": "answers = dict()\nanswers.update({'append': 'a'})\nanswers.update(commit=4)",
    "|=": "answers = {'append': 'a'}\nanswers |= {'commit': 4}",
    "setdefault": "answers = {'append': 'a'}\nanswers.setdefault('commit', 4)",
    "two names at once": "student, answers = 'ann', {'append': 'a', 'commit': 4}",
    "another cell shows it": "answers = {'append': 'a', 'commit': 4}\n# %%\nprint(answers)",
    "a function has one": "answers = {'append': 'a', 'commit': 4}\ndef f():\n    answers = 3",
}


@pytest.mark.parametrize("how", WRITTEN)
def test_answers_are_read_however_they_are_written_out(how):
    cells = cells_of(WRITTEN[how], False, SECTION)
    assert value("answers", cells) == {"append": "a", "commit": 4}
    assert unread(value("answers", cells)) == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1", "no cell has answers"),
        ("answers = ask()", "answers is not written out"),
        ("answers = {**others}", "answers is not written out"),
        ("answers = 3", "answers is not written out"),
        (
            "answers = {}\nfor part in others:\n    answers[part] = 'S2'",
            "answers is not written out",
        ),
        ("answers = {}\nanswers[part] = 'S2'", "answers is not written out"),
        ("for part in others:\n    answers = part", "answers is not written out"),
    ],
)
def test_why_no_answer_can_be_read_is_told(source, told):
    (sentence,) = unread(value("answers", cells_of(source, False, SECTION)))
    assert sentence.startswith(told)


@pytest.mark.parametrize(
    "source",
    [
        "answers = {'append': ask(), 'votes': 'S1'}",
        "answers = {'votes': 'S1'}\nanswers['append'] = ask()",
        "answers = {'votes': 'S1'}\nanswers.update(append=ask())",
        "answers = {'votes': 'S1'}\nif True:\n    answers['append'] = 'a'",
    ],
)
def test_an_answer_that_is_computed_costs_itself(source):
    found = value("answers", cells_of(source, False, SECTION))
    assert found["votes"] == "S1"
    check = marked(found, "autumn", "ann").checks[0]
    assert check.sentence.startswith("append is not written out: it is read and never run")


def test_nested_dictionaries_stop_nothing():
    deep = "answers = " + "{1: " * 80 + "2" + "}" * 80
    assert unread(value("answers", cells_of(deep, False, SECTION))) == []


@pytest.mark.parametrize(
    "more",
    [
        "print([answers for answers in range(3)])",
        "print((lambda answers: answers)(3), {answers for answers in 'ab'})",
        "answers, x = [{'append': 'a'}, 3]",
        "[answers, x] = {'append': 'a'}, 3",
    ],
)
def test_names_within_an_expression_are_its_own_and_pairs_are_read(more):
    source = f"answers = {{'append': 'a'}}\n{more}"
    assert value("answers", cells_of(source, False, SECTION)) == {"append": "a"}
