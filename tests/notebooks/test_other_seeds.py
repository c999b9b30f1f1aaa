"""A notebook's questions can be asked with other seeds: each is answered, right and wrong."""

import ast

import pytest

from raftlab.course import predict
from raftlab.course.question import Question
from raftlab.course.score import SCORE
from tests.notebooks.meta import FULL, code_cells, read

PATHS = sorted(FULL.glob("*.ipynb"))
SEEDS = range(1, 6)
KINDS = {kind.__name__: kind for kinds in predict.KINDS.values() for kind in kinds}


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch):
    """Each test begins with a score of its own."""
    monkeypatch.setattr(SCORE, "first", {})
    monkeypatch.setattr(SCORE, "latest", None)


def asked_in(notebook) -> list[str]:
    """The names of what a notebook calls of `predict`, each once."""
    calls = [
        node.func
        for cell in code_cells(notebook)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    named = [call.attr for call in calls if ast.unparse(call.value) == "predict"]
    return list(dict.fromkeys(named))


def wrong_answer(question: Question) -> str | int:
    if not question.choices:
        (truth,) = question.truth
        return int(truth) + 1
    keys = [*question.choices, *(["none"] if question.several else [])]
    return next(key for key in keys if (key,) != question.truth)


def assert_it_can_be_answered(question: Question) -> None:
    assert question.answer().right is None
    assert question.answer(wrong_answer(question)).right is False
    verdict = question.answer(*question.truth)
    assert verdict.right is True
    assert verdict.why


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_questions_of_a_notebook_have_answers_with_another_seed(path, seed):
    names = asked_in(read(path))
    for name in names:
        if name in KINDS:
            assert_it_can_be_answered(KINDS[name](seed=seed))
    if "review" in names:
        review = predict.review(path.stem[:2], seed=seed)
        assert_it_can_be_answered(review.first)
        assert_it_can_be_answered(review.second)


def test_every_notebook_asks_something_that_another_seed_varies():
    for path in PATHS:
        assert {*asked_in(read(path))} & {*KINDS, "Question"}, path.stem
