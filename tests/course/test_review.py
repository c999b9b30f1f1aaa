"""Two questions from earlier notebooks, and another of the kind that was asked last."""

import re

import pytest

from raftlab.course import predict
from raftlab.course.question import Question
from raftlab.course.question_widget import QuestionWidget
from raftlab.course.score import SCORE
from raftlab.raft.vocabulary import Misuse, NotNow
from tests.lab.clusters import outputs_of

NOTEBOOKS = [f"{number:02}" for number in range(2, 20)]


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch):
    """Each test begins with a score of its own."""
    monkeypatch.setattr(SCORE, "first", {})
    monkeypatch.setattr(SCORE, "latest", None)


def test_every_kind_is_listed_once_by_the_notebook_that_teaches_it():
    listed = [template.__name__ for kinds in predict.KINDS.values() for template in kinds]
    assert len(listed) == len(set(listed))
    others = {"again", "review", "score"}
    assert {name for name in predict.__all__ if name[0].islower()} == {*listed, *others}
    told: dict[str, list[str]] = {}
    number = ""
    for line in (predict.__doc__ or "").splitlines():
        begin = re.match(r"(\d\d|  )  (\w+)\(", line)
        if begin:
            number = begin[1].strip() or number
            told.setdefault(number, []).append(begin[2])
    assert told == {n: [each.__name__ for each in kinds] for n, kinds in predict.KINDS.items()}


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_review_asks_two_kinds_of_what_was_taught_before(notebook):
    before = [number for number in predict.KINDS if number < notebook]
    for seed in range(12):
        review = predict.review(notebook, seed=seed)
        assert review.first.kind in predict.KINDS[before[-1]]
        earlier = before[:-1] or before
        assert any(review.second.kind in predict.KINDS[number] for number in earlier)
        assert review.first.kind is not review.second.kind


def test_a_review_repeats_with_its_seed_and_varies_with_it():
    assert repr(predict.review("05")) == repr(predict.review("05", seed=0))
    assert len({repr(predict.review("05", seed=seed)) for seed in range(9)}) > 6


def test_a_review_is_answered_question_by_question():
    review = predict.review("04", seed=3)
    asked = repr(review)
    assert "review.answer(first, second), where first is" in " ".join(asked.split())
    assert "review.answer(first, second), where second is" in " ".join(asked.split())
    for nothing in (review.answer(), review.answer(None, None)):
        assert [each.right for each in nothing] == [None, None]
        assert repr(nothing).count("Your prediction first: review.answer(first, second)") == 2
    truths = [
        each.truth if each.several else each.truth[0] for each in (review.first, review.second)
    ]
    told = review.answer(*truths)
    assert [each.right for each in told] == [True, True]
    data = told._repr_mimebundle_()
    assert data["text/plain"] == repr(told)
    assert data["text/html"].count("<b>Right: ") == 2


def test_one_answer_alone_is_judged_alone():
    review = predict.review("03")
    (first,) = review.first.truth[:1]
    told = review.answer(list(review.first.truth) if review.first.several else first)
    assert [each.right for each in told] == [True, None]
    assert repr(predict.score()) == "Predictions: 1 of 1 right at the first try."


def test_a_review_shows_both_questions():
    review = predict.review("06")
    shown = [output["text/plain"] for output in outputs_of(review)]
    assert shown == [repr(review.first), repr(review.second)]
    assert review._repr_mimebundle_()["text/plain"] == repr(review)


@pytest.mark.parametrize("wrong", ["01", "00", "20", "3", 3, None, ["03"]], ids=repr)
def test_a_review_before_anything_was_taught_is_refused(wrong):
    with pytest.raises(Misuse, match='name a notebook from "02" to "19"'):
        predict.review(wrong)


def test_in_a_review_a_question_is_the_same_as_anywhere():
    alone, reviewed = predict.lost_vote("vote"), predict.lost_vote("vote")
    reviewed.place = "first"
    assert repr(alone) != repr(reviewed)
    alone.answer("none")
    reviewed.answer("One Vote Per Term")
    assert repr(predict.score()).startswith("Predictions: 0 of 1 right")
    others = [reviewed.again(), reviewed.again().again()]
    assert all("comes back without the vote" not in each.statement for each in others)


# Another of the last kind


def test_another_is_of_the_kind_that_was_answered_last():
    with pytest.raises(NotNow, match="nothing was asked yet"):
        predict.again()
    tally, size = predict.tally(seed=1), predict.majority_size(5)
    size.answer()
    assert predict.again().kind is predict.majority_size
    tally.answer("won")
    assert predict.again().kind is predict.tally
    assert repr(predict.again()) == repr(tally.again())


def test_another_is_of_the_kind_that_was_shown_last():
    size = predict.majority_size(5)
    size.answer(3)
    outputs_of(predict.tally(seed=1))
    assert predict.again().kind is predict.tally
    outputs_of(size)
    assert predict.again().kind is predict.majority_size
    outputs_of(predict.again())
    assert predict.again().before == (*size.again().before, size.again()._asked())


def test_what_was_asked_by_a_click_is_the_last():
    widget = QuestionWidget(predict.majority_size(5))
    for said in ({"answer": ["3"]}, {"again": True}):
        widget._handle_custom_msg({"number": widget.asked["number"], **said}, [])
    assert SCORE.latest is widget.question
    widget.close()


def test_a_question_written_by_hand_has_no_other():
    Question("Which?", ["a", "b"], "a", "because").answer("b")
    with pytest.raises(NotNow, match="written by hand"):
        predict.again()
