"""Meaning travels as data: reword every note and every sentence, and nothing changes but words."""

import re
import string
import sys

import pytest

from raftlab import Cluster, Options
from raftlab.course import predict
from raftlab.course.exercises import exercise
from raftlab.course.exercises.running import RulesExercise, Trouble
from raftlab.grading.looks import InMuseum, looks
from raftlab.lab.session import Session
from raftlab.museum import exhibit
from raftlab.raft.figure2.elections import REASONS
from raftlab.raft.messages import AppendEntriesReply
from raftlab.raft.output import Note
from raftlab.sim.frames import capture, trace
from raftlab.sim.frames.frame import Event, TraceMark
from raftlab.view import scene_timeline

LETTERS = string.ascii_lowercase
OTHER = str.maketrans(LETTERS, LETTERS[7:] + LETTERS[:7])


def reworded(text):
    """Another word for each word, of the same length; names, numbers and signs stay."""
    return text.translate(OTHER)


@pytest.fixture
def reword(monkeypatch):
    """From its call on, everything that happens is told in other words."""

    def note(rule, text, details=()):
        return Note(rule, reworded(text), details)

    def mark(at, node, kind, text, detail=None):
        return TraceMark(at, node, kind, reworded(text), detail)

    def event(**fields):
        return Event(**{**fields, "text": reworded(fields["text"])})

    def from_now_on():
        for name, module in list(sys.modules.items()):
            if name.startswith("raftlab.") and getattr(module, "Note", None) is Note:
                monkeypatch.setattr(module, "Note", note)
        monkeypatch.setattr(capture, "Event", event)
        monkeypatch.setattr(trace, "TraceMark", mark)

    return from_now_on


def without_words(text):
    return re.sub("[a-z]", "a", text)


def told(cluster):
    return [event.text for event in cluster.events(1000)]


def a_story():
    """Elections that are won and lost, refused votes, commits, a partition, a cut, a crash."""
    cluster = Cluster(5, seed=3, options=Options.figure_2())
    cluster.timeout("S1")
    cluster.timeout("S2")
    cluster.run(400)
    cluster.elect("S1")
    cluster.propose("goes to S2 and hands over")
    cluster.run(60)
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.propose("x=1")
    cluster.run(700)
    cluster.heal()
    cluster.cut("S1", "S3")
    cluster.crash("S2")
    cluster.run(500)
    return cluster


def test_the_words_are_really_others(reword):
    before = told(a_story())
    reword()
    after = told(a_story())
    assert [without_words(each) for each in after] == [without_words(each) for each in before]
    assert not any("campaigns" in each or "receives" in each for each in after)
    assert set(before).isdisjoint(after)


TEMPLATES = [
    template
    for kinds in predict.KINDS.values()
    for template in kinds
    if template is not predict.acks_commit
]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.__name__)
def test_predictions_keep_their_answers_and_their_reasons(template, reword):
    before = [template(seed=seed) for seed in range(4)]
    reword()
    after = [template(seed=seed) for seed in range(4)]
    for one, other in zip(before, after, strict=True):
        assert (one.statement, one.choices, one.truth) == (
            other.statement,
            other.choices,
            other.truth,
        )
        assert [*map(without_words, one.explain)] == [*map(without_words, other.explain)]


@pytest.mark.parametrize("what", ["nothing", "vote", "log"])
def test_a_lost_vote_is_explained(what, reword):
    before = predict.lost_vote(what)
    reword()
    after = predict.lost_vote(what)
    assert before.truth == after.truth
    assert [*map(without_words, before.explain)] == [*map(without_words, after.explain)]


def acknowledged(cluster):
    return any(isinstance(each.message, AppendEntriesReply) for each in cluster.in_flight())


def test_acknowledgements_are_explained(reword):
    def asked():
        cluster = Cluster(3, seed=1)
        cluster.elect("S1")
        cluster.run(100)
        cluster.propose("x=1")
        cluster.run_until(acknowledged, 50)
        return predict.acks_commit(cluster)

    before = asked()
    reword()
    after = asked()
    assert before.truth == after.truth
    assert [*map(without_words, before.explain)] == [*map(without_words, after.explain)]


def test_pictures_keep_their_marks(reword):
    def drawn():
        scene = scene_timeline(a_story().recording.trace())
        return [
            (each.id, getattr(each, "x", None), getattr(each, "text", None)) for each in scene.marks
        ]

    before = drawn()
    said = {text for _, _, text in before}
    assert {"goes to S2 …", "S1 S2 | S3 S4 S5"} <= said
    reword()
    after = drawn()
    assert [each[0] for each in after] == [each[0] for each in before]
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert all(without_words(one[2]) == without_words(other[2]) for one, other in changed)
    assert len(changed) <= 1, "a cut has no word of its own"


@pytest.mark.parametrize("goal", ["election", "commit", "violation"])
def test_the_lab_finds_what_it_jumps_to(goal, reword):
    def jumped():
        session = Session(a_story())
        session.go_to(0)
        return [(session.jump(goal), session.position) for _ in range(3)]

    before = jumped()
    reword()
    assert jumped() == before


def test_an_event_names_the_rules_that_spoke_and_their_nodes():
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    assert cluster.timeout("S1") is None
    (event,) = cluster.events(1)
    assert event.rules == (("S1", "become_candidate"),)
    assert event.involves({"become_candidate"})
    assert not event.involves(REASONS)
    cluster.run_until(lambda each: each.leader == "S1", 100)
    spoken = [rule for each in cluster.events() for rule in each.rules]
    assert ("S2", "on_request_vote") in spoken
    assert ("S1", "become_leader") in spoken


def test_with_pre_vote_asking_is_not_campaigning():
    cluster = Cluster(3, seed=1)
    cluster.timeout("S1")
    (event,) = cluster.events(1)
    assert event.rules == (("S1", "election_timeout"),)


KNOWN = [
    look
    for one in exercise
    if isinstance(one, RulesExercise)
    for look in looks(one)
    if isinstance(look, InMuseum) and exhibit(look.what).breaks
]


@pytest.mark.parametrize("look", KNOWN, ids=lambda each: f"{each.exercise.number} {each.what}")
def test_the_run_of_a_mistake_is_shown_for_what_it_breaks(look):
    broken = exhibit(look.what).breaks.name
    cluster = Cluster(3)
    for text in ("one word", reworded(f"{broken} is broken: one word")):
        assert look.advice(None, Trouble(cluster, 1, "safety", text, broken))
        assert not look.advice(None, Trouble(cluster, 1, "safety", text, f"Not {broken}"))
