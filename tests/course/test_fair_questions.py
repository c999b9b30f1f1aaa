"""Any seed gives a fair question: two hundred of each kind, answered from what is shown."""

import re
from collections import Counter
from functools import cache

import pytest

from raftlab.course import predict
from raftlab.course.question import Question
from raftlab.course.score import NONE
from tests.course.solvers import SOLVERS

KINDS = {template.__name__: template for kinds in predict.KINDS.values() for template in kinds}
SEEDS = range(200)
ASKED = (2.0 / 3.0) * len(SEEDS)
"""As often may one answer be right."""

SECTION = re.compile(r"\((Figure \d+|\d\.\d[\d.]*)([,;] (Figure \d+|\d\.\d[\d.]*))*\)")

each_kind = pytest.mark.parametrize("name", KINDS)


@cache
def asked(name: str) -> tuple[Question, ...]:
    return tuple(KINDS[name](seed=seed) for seed in SEEDS)


def as_given(answer: str | int | list[str]) -> tuple[str | int, ...]:
    if isinstance(answer, list):
        return tuple(answer) or (NONE,)
    return (answer,)


def test_every_kind_has_somebody_who_answers_it():
    assert list(KINDS) == list(SOLVERS)


@each_kind
def test_it_can_be_answered_from_what_is_shown_and_was_taught(name):
    for seed, question in zip(SEEDS, asked(name), strict=True):
        mine = as_given(SOLVERS[name](question))
        assert question.problem(mine) is None
        assert mine == question.truth, f"{name}(seed={seed})\n{question!r}"


@each_kind
def test_no_answer_is_right_most_of_the_time(name):
    counts = Counter(question.truth for question in asked(name))
    assert len(counts) > 1
    assert max(counts.values()) <= ASKED, counts


@each_kind
def test_a_miss_is_explained_with_numbers_and_the_rule(name):
    for question in asked(name):
        told = "\n".join(question.explain)
        assert SECTION.search(told), f"no section of the paper:\n{told}"
        assert re.search(r"\d", SECTION.sub("", told)), f"no number and no server:\n{told}"


@each_kind
def test_what_is_shown_holds_no_reason(name):
    for question in asked(name):
        assert not any(reason in repr(question) for reason in question.explain)
