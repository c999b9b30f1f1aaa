"""Questions are clicked: what is shown and when, what counts, and how another one is made."""

import json
import re
from html import escape, unescape
from typing import Any

import pytest

from raftlab.course import exercise, predict
from raftlab.course.panel import Panel
from raftlab.course.question import Question
from raftlab.course.question_widget import QuestionWidget
from raftlab.course.score import SCORE
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotNow
from raftlab.sim.cluster import Cluster
from raftlab.view import scene_cluster
from tests.lab.clusters import outputs_of

TEMPLATES = [template for kinds in predict.KINDS.values() for template in kinds]
QUICK = [each for each in TEMPLATES if each is not predict.wan_timeouts]

each_template = pytest.mark.parametrize("template", QUICK, ids=lambda each: each.__name__)


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch):
    """Each test begins with a score of its own."""
    monkeypatch.setattr(SCORE, "first", {})
    monkeypatch.setattr(SCORE, "watchers", [])
    monkeypatch.setattr(SCORE, "latest", None)


def by_hand(**more: Any) -> Question:
    return Question("Which <one>?", ["a", "b"], "a", "because", **more)


def picture():
    return scene_cluster(Cluster(3, seed=1).frame())


def click(widget: QuestionWidget, **said: Any) -> None:
    """What the browser sends at a click."""
    widget._handle_custom_msg({"number": widget.asked["number"], **said}, [])


def told(widget: QuestionWidget) -> str:
    """All that the browser knows."""
    return json.dumps({name: getattr(widget, name) for name in ("asked", "outcome", "score")})


# Another of its kind


@each_template
def test_another_question_is_of_the_same_kind_and_was_not_asked_before(template):
    first = template(seed=0)
    second = first.again()
    third = second.again()
    assert len({repr(each) for each in (first, second, third)}) == 3
    for each in (first, second, third):
        assert each.kind is template
        assert each.answer(*each.truth).right is True
    assert repr(template(seed=0).again()) == repr(second)


@pytest.mark.parametrize("hints", [True, False])
def test_another_question_is_asked_under_the_same_conditions(hints):
    logs = "1 3 3 3 3 3", "1 2 2 2 2 2"
    other = predict.messages_to_repair(*logs, hints=hints).again().again()
    assert ("steps back by one" in other.statement) is not hints
    by_seed = predict.next_index_after(*logs, hints=hints).again()
    assert repr(by_seed) == repr(predict.next_index_after(seed=1, hints=hints))
    assert by_seed.explain == predict.next_index_after(seed=1, hints=hints).explain


def test_networks_of_all_kinds_are_asked_about():
    question = predict.wan_timeouts()
    assert "150 to 250 ms" in question.statement
    other = question.again()
    assert "1 to 3 ms" in other.statement
    assert other.truth == ("a", "b", "c")


def test_a_question_about_a_cluster_of_the_reader_s_has_others_that_need_none():
    cluster = Cluster(5, seed=7)
    assert not predict.next_leader(cluster).scenes
    assert predict.next_leader(cluster).again().scenes


def test_when_all_of_a_kind_were_asked_that_is_said():
    question = predict.lost_vote("vote").again().again()
    with pytest.raises(NotNow, match="every question of this kind"):
        question.again()
    with pytest.raises(NotNow, match="written by hand"):
        by_hand().again()


# What is shown, and when


@each_template
def test_nothing_of_the_answer_reaches_the_browser_before_it_is_given(template):
    question = template(seed=1)
    widget = QuestionWidget(question)
    for shown in (told(widget), question.html):
        assert "Right" not in shown
        assert all(json.dumps(reason)[1:-1] not in shown for reason in question.explain)
    assert widget.outcome == {}
    answer = [str(each) for each in question.truth]
    click(widget, answer=[] if answer == ["none"] and question.several else answer)
    assert widget.outcome["right"] is True
    assert widget.outcome["why"] == list(question.explain)
    assert widget.outcome["pictures"].count("<img ") == len(question.then)
    widget.close()


def test_pictures_carry_their_description_and_stand_without_a_kernel():
    question = by_hand(scenes=[picture()], then=[picture()])
    bundle = question._repr_mimebundle_()
    assert outputs_of(question) == [bundle]
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(question)
    assert "Which &lt;one&gt;?" in bundle["text/html"]
    (alt,) = re.findall(r'<img alt="([^"]*)"', bundle["text/html"], re.DOTALL)
    assert unescape(alt) == picture().description


def test_a_verdict_is_a_sentence_a_picture_and_reasons():
    verdict = by_hand(then=lambda: [picture()]).answer("b")
    assert str(verdict) == verdict.text == "Not so. You said b; it is a.\n  because"
    assert repr(verdict) == f"{verdict.text}\n\n{picture().description}"
    html = verdict._repr_mimebundle_()["text/html"]
    assert html.startswith("<p><b>Not so. You said b; it is a.</b></p>\n<p><span style=")
    assert html.count("<img alt=") == 1
    assert html.endswith("<ul><li>because</li></ul>")


def test_what_happens_is_not_drawn_before_the_answer():
    def too_early():
        raise AssertionError("drawn before the answer")

    question = by_hand(then=too_early)
    assert question._repr_mimebundle_()
    with pytest.raises(AssertionError, match="before the answer"):
        question.answer("a")


def test_what_follows_a_question_is_revealed_by_its_answer_alone():
    question, scene = by_hand(), picture()
    for _ in range(2):
        told = question.reveal(scene)
        assert told.right is None
        assert told.text.startswith("Your prediction first: question.answer(")
        question.answer("z")
    question.answer("b")
    assert question.reveal(scene) is scene


def test_what_follows_a_question_that_was_clicked_is_revealed():
    question, scene = by_hand(), picture()
    widget = QuestionWidget(question)
    click(widget, answer=["b"])
    assert question.reveal(scene) is scene
    widget.close()


# What counts


def test_a_question_counts_once_however_often_it_is_made_and_answered():
    first, same = by_hand(), by_hand()
    assert first.answer("b").right is False
    for again in (first.answer("a"), same.answer("a")):
        assert again.right is True
        assert again.text.endswith("(Only your first answer to this question counts.)")
    assert repr(predict.score()) == (
        "Predictions: 0 of 1 right at the first try.\n  missed: Which <one>?"
    )


def test_an_answer_in_the_wrong_form_does_not_count():
    question = by_hand()
    assert question.answer("z").right is None
    assert question.verdict is None
    assert repr(predict.score()) == "No prediction yet."


def test_asked_without_an_answer_a_question_repeats_its_first_verdict():
    question = by_hand()
    assert question.answer().right is None
    question.answer("b")
    question.answer("a")
    assert question.answer().text == "Not so. You said b; it is a.\n  because"


# Clicks


def test_a_second_click_and_a_late_one_change_nothing():
    widget = QuestionWidget(predict.lost_vote("vote"))
    click(widget, answer=["none"])
    click(widget, answer=["One Vote Per Term"])
    assert widget.outcome["said"] == ["none"]
    click(widget, again=True)
    assert widget.asked["number"] == 2
    widget._handle_custom_msg({"number": 1, "answer": ["none"]}, [])
    widget._handle_custom_msg({"number": 1, "again": True}, [])
    assert (widget.asked["number"], widget.outcome) == (2, {})
    assert widget.score == "Predictions: 0 of 1 right at the first try."
    widget.close()


def test_what_is_typed_is_seen_by_those_who_click():
    question, other = by_hand(), predict.majority_size(5)
    widget, beside = QuestionWidget(question), QuestionWidget(other)
    question.answer("a")
    click(widget, answer=["b"])
    assert widget.outcome["sentence"] == "Right: a."
    assert widget.score == beside.score == "Predictions: 1 of 1 right at the first try."
    assert beside.outcome == {}
    for each in (widget, beside):
        each.close()
    other.answer(3)
    assert beside.outcome == {}


NONSENSE = [
    *[None, 7, [], {}, {"number": 1}, {"answer": ["a"]}, {"number": None, "again": True}],
    *[{"number": 1, "answer": said} for said in ("a", [["a"]], ["a", "b"], [], [None], {})],
    {"number": 1, "again": "yes"},
]


@pytest.mark.parametrize("heard", NONSENSE, ids=repr)
def test_nonsense_from_a_browser_is_no_answer(heard):
    widget = QuestionWidget(by_hand())
    widget._handle_custom_msg(heard, [])
    assert (widget.outcome, widget.score) == ({}, "No prediction yet.")
    widget.close()


@pytest.mark.parametrize("typed", ["", "x", "2.5", "9" * 5000, "٣", "1_0", "--1"], ids=range(7))
def test_what_is_no_number_is_asked_for_again(typed):
    widget = QuestionWidget(predict.majority_size(5))
    said = []
    widget.send = lambda message: said.append(message)
    click(widget, answer=[typed])
    assert said == [{"trouble": "Type a whole number."}]
    assert widget.outcome == {}
    click(widget, answer=[" 3 "])
    assert widget.outcome["right"] is True
    widget.close()


def test_when_none_is_left_the_widget_says_so():
    widget = QuestionWidget(predict.lost_vote("vote").again().again())
    said = []
    widget.send = lambda message: said.append(message)
    click(widget, again=True)
    assert said == [{"trouble": "You have been asked every question of this kind."}]
    widget.close()


# Exercises


def test_a_result_is_a_sentence_and_a_picture_and_the_rest_is_folded():
    class Always(Rules):
        def accepts_append(self, log, prev_log_index, prev_log_term):
            return True

    result = exercise("1.1").check(Always)
    assert result.sentence == (
        "Exercise 1.1: not yet. Expected False, but it answers True. The mistake: this accepts"
        ' everything. See it happen: exercise("1.1").result.lab()'
    )
    bundle = result._repr_mimebundle_()
    assert bundle["text/plain"] == repr(result)
    open_part, _, folded = bundle["text/html"].partition("<details>")
    assert open_part.startswith(f"<p>{escape(result.sentence)}</p>\n<p><span style=")
    assert open_part.count("<img alt=") == 1
    assert "try it:" not in open_part
    assert "try it:" in folded


def test_one_line_is_not_folded():
    assert "<details>" not in Panel("All is well.", (), "All is well.").html
    assert Panel("a\n  b < c").html == "<pre>a\n  b &lt; c</pre>"


def test_several_answers_are_given_one_by_one_or_as_a_list():
    question = predict.which_committed(seed=3)
    for given in (question.truth, list(question.truth)):
        asked = predict.which_committed(seed=3)
        assert (asked.answer(given) if isinstance(given, list) else asked.answer(*given)).right
    assert predict.which_committed(seed=3).answer(["9"]).right is None
    assert predict.next_leader(seed=2).answer(["S3"]).right is None
