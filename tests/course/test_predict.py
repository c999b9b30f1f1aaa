"""Predictions: the truth is the simulator's, questions are fair, and nothing is given away."""

import os
import random
import re
import subprocess
import sys
from typing import Any

import pytest

from raftlab.course import predict, situations
from raftlab.course.in_words import terms_of
from raftlab.course.predict.timers import EVENTS
from raftlab.course.question import Question
from raftlab.course.score import Score
from raftlab.course.situations import cluster_of, log_of
from raftlab.raft.messages import AppendEntriesReply
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse, NotNow
from raftlab.sim.cluster import Cluster

TEMPLATES = [template for kinds in predict.KINDS.values() for template in kinds]
SEEDS = range(5)

each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.__name__)


def other_answers(question):
    """Some well-formed answers that are not the right one."""
    right = question.truth
    if not question.choices:
        return [(right[0] + 1,), (-1,)]
    wrong = [(choice,) for choice in question.choices if (choice,) != right]
    return [*wrong, ("none",)] if question.several and right != ("none",) else wrong


@each_template
@pytest.mark.parametrize("seed", SEEDS)
def test_a_generated_question_knows_right_from_wrong_and_says_why(template, seed):
    question = template(seed=seed)
    verdict = question.answer(*question.truth)
    assert verdict.right is True
    assert verdict
    assert verdict.text.startswith("Right: ")
    assert "\n  " in verdict.text
    for wrong in other_answers(question):
        told = question.answer(*wrong)
        assert told.right is False
        assert not told
        assert told.text.startswith("Not so. You said ")


@each_template
def test_a_question_gives_nothing_away_before_it_is_answered(template):
    for seed in SEEDS:
        question = template(seed=seed)
        for verdict in (question.answer(), question.answer(None)):
            assert verdict.right is None
            assert verdict.text.startswith("Your prediction first: question.answer(")
        for reason in question.explain:
            assert reason not in repr(question)


@each_template
def test_questions_vary_with_their_seed_and_repeat_with_it(template):
    told = [repr(template(seed=seed)) for seed in SEEDS]
    assert told == [repr(template(seed=seed)) for seed in SEEDS]
    if template is not predict.wan_timeouts:
        assert len(set(told)) > 1


@each_template
def test_the_right_answer_is_not_always_the_same(template):
    assert len({template(seed=seed).truth for seed in range(20)}) > 1


@each_template
def test_lines_are_short_enough_to_read(template):
    for seed in SEEDS:
        question = template(seed=seed)
        for text in (question.text, question.answer(*question.truth).text):
            assert all(len(line) <= 100 for line in text.split("\n")), text


def test_questions_do_not_depend_on_the_hash_seed():
    program = (
        "from raftlab.course import predict\n"
        "for kinds in predict.KINDS.values():\n"
        "    for template in kinds:\n"
        "        question = template(seed=5)\n"
        "        print(question, question.answer(*question.truth))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    ]
    assert told[0] == told[1] == told[2]
    assert len(told[0]) > 1000


# The form of answers


def test_a_verdict_on_no_answer_is_neither_true_nor_false():
    question = Question("Which?", ["a", "b"], "a", "because")
    for verdict in (question.answer(), question.answer("z")):
        with pytest.raises(TypeError, match="neither right nor wrong"):
            bool(verdict)


def test_a_malformed_answer_is_told_how_to_be_given():
    several = Question("Which?", ["S1", "S2"], ["S1"], "because", several=True)
    assert "'S9' is not one of the choices" in several.answer("S9").text
    assert "1 is not one of the choices" in several.answer(1).text
    assert '"none" goes with nothing else' in several.answer("none", "S1").text
    one = Question("Which?", ["a", "b"], "a", "because")
    assert "Only one of them is right" in one.answer("a", "b").text
    number = Question("How many?", (), 3, "because")
    for wrong in (("3",), (3.0,), (True,), (1, 2)):
        assert "The answer is one whole number" in number.answer(*wrong).text
    for question, wrong in ((several, "S9"), (one, "z"), (number, "x")):
        assert question.answer(wrong).right is None


@pytest.mark.parametrize("given", ["x" * 10**6, 10**5000, object()], ids=["long", "big", "odd"])
def test_whatever_is_answered_is_told_in_few_words(given):
    for question in (
        Question("Which?", ["a", "b"], "a", "because"),
        Question("Which?", ["a", "b"], ["a"], "because", several=True),
        Question("How many?", (), 3, "because"),
    ):
        assert len(question.answer(given).text) < 300


def test_order_and_repetition_of_an_answer_do_not_matter():
    question = Question("Which?", ["S1", "S2", "S3"], ["S1", "S3"], "because", several=True)
    assert question.answer("S3", "S1", "S3").right
    assert question.answer("S3", "S1").text.startswith("Right: S1 and S3.")


def test_an_object_that_equals_everything_is_no_answer():
    class EqualsAll(str):
        __slots__ = ()

        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    question = Question("Which?", ["a", "b"], "a", "because")
    assert question.answer(EqualsAll("b")).right is None


def test_only_the_first_answer_to_a_question_counts():
    score = Score()
    good, bad = (Question(f"{n}?", ["a", "b"], "a", "because") for n in range(2))
    score.note(good, True)
    score.note(bad, False)
    score.note(bad, True)
    assert repr(score) == "Predictions: 1 of 2 right at the first try.\n  missed: 1?"
    assert repr(Score()) == "No prediction yet."


# The truth, checked in other ways


def majority_votes(logs, candidate):
    """Who would vote for `candidate`, by the rule of 5.4.1 written out anew."""
    ends = {node: (terms_of(words)[-1:], len(words.split())) for node, words in logs.items()}
    return [node for node in logs if node != candidate and ends[candidate] >= ends[node]]


@pytest.mark.parametrize("seed", range(25))
def test_votes_agree_with_the_rule_written_out(seed):
    cluster = predict.votes.fresh_cluster(seed)[0]
    logs = {node.node: " ".join(str(e.term) for e in node.log) for node in cluster.frame().nodes}
    for candidate in cluster.nodes:
        wanted = tuple(majority_votes(logs, candidate)) or ("none",)
        assert predict.who_grants(cluster, candidate).truth == wanted
    winners = tuple(node for node in logs if len(majority_votes(logs, node)) >= 2)
    assert predict.who_can_win(cluster).truth == winners


@pytest.mark.parametrize("seed", range(25))
def test_who_can_win_agrees_with_running_the_cluster(seed):
    cluster = predict.votes.fresh_cluster(seed)[0]
    possible = predict.who_can_win(cluster).truth
    for node in cluster.nodes:
        copy = cluster.recording.replay()
        for _ in range(3):
            if copy.leader is None:
                copy.timeout(node)
                copy.run(60)
        assert (copy.leader == node) is (node in possible)


def test_what_is_safe_in_figure_8():
    c = {"S1": "1 2 4", "S2": "1 2", "S3": "1 2", "S4": "1", "S5": "1 3"}
    e = {"S1": "1 2 4", "S2": "1 2 4", "S3": "1 2 4", "S4": "1", "S5": "1 3"}
    assert predict.which_committed(c).truth == ("1",)
    assert predict.which_committed(e).truth == ("1", "2", "3")


@pytest.mark.parametrize("seed", range(30))
def test_an_entry_called_safe_is_never_lost_whatever_follows(seed):
    question = predict.which_committed(seed=seed)
    logs = situations.random_logs(random.Random(f"raftlab committed {seed}"), situations.FIVE)
    safe = [int(index) for index in question.truth if index != "none"]
    holders: Any = predict.who_can_win(cluster_of(logs, options=Options.figure_2())).truth
    wanted = [log_of(logs[holders[0]])[index] for index in safe]
    for node in logs:
        cluster = cluster_of(logs, seed=seed, options=Options.figure_2())
        for other in (node, *logs):
            if cluster.leader != other:
                cluster.timeout(other)
            cluster.run(150)
        leader = cluster.frame().leader
        assert leader is None or all(leader.entry(each.index) == each for each in wanted)


@pytest.mark.parametrize("seed", range(30))
def test_what_match_indexes_commit_agrees_with_the_paper_s_sentence(seed):
    match, words, term = predict.commit._random_match(seed)
    terms = terms_of(words)
    held = [len(terms), *match.values()]
    wanted = 0
    for index in range(1, len(terms) + 1):
        if 2 * sum(each >= index for each in held) > len(held) and terms[index - 1] == term:
            wanted = index
    assert predict.commit_after(match, words, term).truth == (wanted,)


def test_append_results_that_the_paper_decides():
    late = predict.append_result(log="1 1 2 2 2", prev=(2, 1), entries="2")
    assert late.choices[str(late.truth[0])] == "1 1 2 2 2"
    conflict = predict.append_result(log="1 1 2 2", prev=(2, 1), entries="3")
    assert conflict.choices[str(conflict.truth[0])] == "1 1 3"
    gap = predict.append_result(log="1", prev=(2, 1), entries="3")
    assert gap.choices[str(gap.truth[0])] == "1"
    assert len(set(conflict.choices.values())) == len(conflict.choices) >= 3


def test_figure_7_as_the_paper_has_it():
    assert predict.possible_followers().truth == ("c", "d")
    assert predict.legal_log({"a": "1 1 2", "b": "2 1", "c": "1 _ 2"}).truth == ("a",)


def test_only_the_leader_and_a_granted_vote_reset_the_timer():
    assert predict.timer_reset().truth == ("a", "b", "d")
    assert set(EVENTS) == set("abcdefg")


@pytest.mark.parametrize(
    ("role", "term", "message", "message_term", "wanted"),
    [
        ("leader", 4, "heartbeat", 5, "follower 5"),
        ("leader", 4, "acknowledgement", 4, "leader 4"),
        ("leader", 4, "refused vote", 6, "follower 6"),
        ("candidate", 4, "heartbeat", 4, "follower 4"),
        ("candidate", 4, "heartbeat", 3, "candidate 4"),
        ("follower", 4, "vote request", 3, "follower 4"),
    ],
)
def test_terms_and_roles(role, term, message, message_term, wanted):
    assert predict.term_after(role, term, message, message_term).truth == (wanted,)


def test_what_arrives_is_what_can_have_been_sent():
    """Who leads no term is sent no answer of it; and one refusal of many decides nothing."""
    seen = set()
    for seed in range(200):
        said = predict.term_after(seed=seed).statement
        role, term, alone, message, its = re.findall(
            r"S2 is a (\w+) in term (\d+)(.*?)\. (.+) arrives from S3, with term (\d+)", said
        )[0]
        now = "its own" if its == term else "another"
        seen.add((message, now))
        if message == "An acknowledgement":
            assert (role, now) == ("leader", "its own")
        if (message, now) == ("The refusal of an AppendEntries", "its own"):
            assert role == "leader"
        if (message, now) == ("A heartbeat", "its own"):
            assert role != "leader"
        counts = (role, message, now) == ("candidate", "The refusal of a vote", "its own")
        assert ("nobody has answered yet" in alone) is counts
    assert len(seen) == 9


def test_a_question_counts_in_words_that_fit():
    nothing = [
        question
        for question in (predict.commit_after(seed=seed) for seed in range(200))
        if "holds no entry" in question.answer(99).text
    ]
    assert nothing
    assert not any("entry 0" in question.answer(99).text for question in nothing)
    short = [predict.append_result(seed=seed).statement for seed in range(200)]
    assert any("log has one entry, of term 1." in said for said in short)
    assert not any(re.search(r"log has entries of terms \d+\.", said) for said in short)


def test_what_is_lost_with_a_vote_and_with_a_log():
    assert predict.lost_vote("vote").truth == ("One Vote Per Term",)
    assert predict.lost_vote("log").truth == ("Leader Completeness",)
    assert predict.lost_vote("nothing").truth == ("none",)
    with pytest.raises(Misuse, match="lost is one of"):
        predict.lost_vote("mind")


def test_a_deposed_leader_s_entry_may_be_committed_by_the_next():
    assert predict.deposed_leader("S2").truth == ("committed",)
    assert predict.deposed_leader("S3").truth == ("lost",)


def test_a_deposed_leader_commits_what_every_later_leader_holds():
    """Ongaro's question 7: it can complete the commitment, and nothing is harmed."""
    question = predict.deposed_leader_commits("S2", voters=("S4", "S5"), late="S3")
    assert question.truth == ("harmless",)
    told = question.answer("refused").text
    assert "S1 knows of 3 copies of 5, at S1, S2 and S3; 3 are needed" in told
    assert "from S2, S4 and S5, and two majorities share a server: S2" in told
    assert predict.deposed_leader_commits("S2", ("S3", "S4"), "S3").truth == ("refused",)
    assert predict.deposed_leader_commits("S4", ("S3", "S5"), "S3").truth == ("refused",)
    assert predict.deposed_leader_commits("S2", ("S4", "S5"), "S3", ()).truth == ("too few",)


@pytest.mark.parametrize("seed", range(200))
def test_what_a_deposed_leader_commits_can_be_counted(seed):
    """By the terms and the logs that are shown: who takes the message, and how many hold it."""
    question = predict.deposed_leader_commits(seed=seed)
    *servers, known = question.given
    late = re.findall(r"its message to (S\d)", known)[0]
    (term,) = [re.findall(r"in term (\d)", line)[0] for line in servers if late in line]
    copies = {"S1", late, *re.findall(r"S\d", known.partition("knows of")[2].partition(";")[0])}
    wanted = "refused" if term == "2" else "harmless" if len(copies) >= 3 else "too few"
    assert question.truth == (wanted,)


@pytest.mark.parametrize(
    "named",
    [
        ("S1",),
        ("S2", ("S2", "S4")),
        ("S2", ("S4", "S5"), "S2"),
        ("S2", ("S4",)),
        ("S3", ("S2", "S4")),
        ("S9",),
    ],
    ids=repr,
)
def test_a_deposition_that_cannot_come_about_is_refused(named):
    with pytest.raises(Misuse, match=r"name (S2, S3, S4 and S5 only|other voters)"):
        predict.deposed_leader_commits(*named)


@pytest.mark.parametrize("wrong", [*range(1, 11), 50, 100])
def test_a_corrupt_next_index_is_never_unsafe_and_never_leaves_anybody_behind(wrong):
    """Too small, and entries are sent again; too large, and they are refused and looked for."""
    question = predict.corrupt_next_index(wrong)
    assert question.truth == ("again" if wrong < 5 else "refused" if wrong > 5 else "nothing",)
    told = " ".join(question.explain)
    if wrong < 5:
        held = [f"entry {wrong}", f"entries {wrong} to 4"][wrong < 4]
        assert f"S2 holds {held} already" in told
    if wrong > 5:
        assert "S2 has no entry 5" in told
        assert "S1 tries S2 from 5" in told
    assert "every property holds" in told


@pytest.mark.parametrize("wrong", [0, -1, 101, 10**5000, 1.0, True, "7"], ids=range(7))
def test_what_no_next_index_can_be_is_refused(wrong):
    with pytest.raises(Misuse, match="a next_index to ask about is a whole number from 1 to 100"):
        predict.corrupt_next_index(wrong)


def test_a_corrupt_next_index_is_asked_about_on_both_sides_of_the_right_one():
    told = [predict.corrupt_next_index(seed=seed) for seed in range(200)]
    sides = set()
    for question in told:
        held, wrong = map(int, re.findall(r"(?<= to )\d+", question.statement))
        sides.add((held, wrong > held + 1))
        assert question.truth == ("refused" if wrong > held + 1 else "again",)
    assert sides == {(held, large) for held in (3, 4, 5, 6) for large in (False, True)}


def test_hints_save_messages():
    far = ("1 1 " + "4 " * 30, "1 1 " + "2 " * 30)
    with_hints = int(predict.messages_to_repair(*far).truth[0])
    without = int(predict.messages_to_repair(*far, hints=False).truth[0])
    assert with_hints <= 4
    assert without > 30
    assert predict.next_index_after(*far, hints=False).truth == (32,)
    assert predict.next_index_after(*far).truth == (3,)


def test_where_a_leader_tries_next_is_told_by_places_since_a_real_one_carries_its_no_op():
    question = predict.next_index_after("1 1 6", "1 1 2 2")
    assert question.explain[:2] == (
        "message 1 asks about entry 3 of term 6: rejected, hint: entry 3 of term 2",
        "message 2 asks about entry 2 of term 1: accepted",
    )
    first = predict.next_index_after("2", "1").explain[1]
    assert first == "message 2 begins with entry 1: accepted"


def test_messages_are_counted_as_figure_2_sends_them():
    """All that follows next_index in each: five refusals, and one message with five entries."""
    question = predict.messages_to_repair("1 3 3 3 3 3", "1 2 2 2 2 2", hints=False)
    assert question.truth == (6,)
    assert (
        question.explain[-2]
        == "message 6: 5 entries after entry 1 of term 1: accepted up to entry 6"
    )
    assert question.explain[-1].startswith(
        "6 messages: each refusal is one step, until the logs agree"
    )
    assert "carries all entries from next_index on" in " ".join(question.text.split())
    assert predict.messages_to_repair("1 3 3 3 3 3", "1 2 2 2 2 2").truth == (2,)


def test_timeouts_must_fit_the_network():
    assert predict.wan_timeouts().truth == ("c",)
    assert "b" in predict.wan_timeouts((5.0, 15.0)).truth


# Questions about a live cluster


def test_asking_changes_nothing_in_the_cluster():
    cluster = Cluster(5, seed=7, options=Options.figure_2())
    cluster.elect()
    cluster.propose("x=1")
    cluster.run_until(acks, 100)
    before = (cluster.recording, cluster.frame())
    predict.acks_commit(cluster)
    assert (cluster.recording, cluster.frame()) == before
    predict.who_can_win(cluster)
    followers = [node for node in cluster.nodes if node != cluster.leader]
    predict.who_grants(cluster, followers[0])
    cluster.crash(cluster.leader)
    before = (cluster.recording, cluster.frame())
    predict.next_leader(cluster)
    assert (cluster.recording, cluster.frame()) == before


def test_who_cannot_be_reached_does_not_vote():
    cluster = Cluster(5, seed=7, options=Options.figure_2())
    cluster.run(50)
    cluster.crash("S1")
    cluster.pause("S2")
    cluster.cut("S3", "S4")
    question = predict.who_grants(cluster, "S3")
    assert question.truth == ("S5",)
    text = question.answer("none").text
    assert "S1 is down" in text
    assert "S2 stands still" in text
    assert "S4 cannot be reached" in text


def test_a_living_leader_keeps_its_followers_from_voting():
    cluster = Cluster(5, seed=7)
    leader = cluster.elect()
    cluster.run(200)
    candidate = next(node for node in cluster.nodes if node != leader)
    question = predict.who_grants(cluster, candidate)
    assert question.truth == ("none",)
    assert "pre-vote" in question.text
    assert "it heard its leader" in question.answer("none").text


def test_a_question_about_the_next_leader_is_answered_by_what_then_happens():
    for seed in range(10):
        cluster = Cluster(5, seed=seed)
        cluster.elect()
        cluster.run(100)
        cluster.crash(cluster.leader)
        question = predict.next_leader(cluster)
        assert question.truth == (cluster.elect(),)


def test_it_says_so_if_the_first_two_timers_lie_too_close_to_tell():
    guessed = []
    for seed in range(20):
        cluster = Cluster(5, seed=seed)
        first, second, *_ = sorted(each.election_deadline for each in cluster.frame().nodes)
        question = predict.next_leader(cluster)
        close = second - first <= 17
        guessed.append(close)
        assert ("you can only guess" in question.statement) is close
        told = "\n".join(question.explain)
        assert ("may stand for election before it is asked" in told) is close
        assert ("whoever asks first has the votes first" in told) is not close
    assert set(guessed) == {True, False}


def test_acknowledgements_in_flight_commit():
    cluster = Cluster(5, seed=7)
    cluster.elect("S1")
    cluster.run(200)
    index = cluster.propose("x=1")
    cluster.run_until(lambda each: len(acks(each, index)) >= 3, 100)
    senders = [flight.message.sender for flight in acks(cluster, index)]
    before = cluster.commit_index
    assert predict.acks_commit(cluster, senders[:1]).truth == (before,)
    assert predict.acks_commit(cluster, senders[:2]).truth == (index,)
    assert predict.acks_commit(cluster).truth == (index,)


def acks(cluster, index=0):
    """The acknowledgements in flight that speak of `index` or more."""
    return [
        flight
        for flight in cluster.in_flight()
        if isinstance(flight.message, AppendEntriesReply)
        and flight.message.result.last_new_index >= index
    ]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda cluster: predict.who_grants(cluster), "say who asks"),
        (lambda cluster: predict.who_grants(cluster, "S9"), "S9 is down, paused or leads"),
        (lambda cluster: predict.tally(4, 2, of=5), "too many for 5 voters"),
        (lambda cluster: situations.log_of("1 x"), "is not a term"),
        (lambda cluster: predict.majority_size(0), "a whole number, at least 1"),
        (lambda cluster: predict.majority_size(True), "a whole number, at least 1"),
        (lambda cluster: predict.majority_size("5"), "a whole number, at least 1"),
        (lambda cluster: predict.tally(1.5), "are whole numbers"),
        (lambda cluster: predict.term_after("boss"), "role is one of follower, candidate"),
        (lambda cluster: predict.term_after("leader", -1), "and term at least 1"),
        (lambda cluster: predict.term_after("leader", 4, "heartbeat", "5"), "at least 1"),
        (lambda cluster: predict.timer_reset("xy"), "some of the letters a, b, c"),
        (lambda cluster: predict.timer_reset([["a"]]), "some of the letters a, b, c"),
        (lambda cluster: predict.timer_reset(5), "some of the letters a, b, c"),
        (lambda cluster: predict.term_after("leader", message=[]), "message is one of"),
        (lambda cluster: predict.lost_vote([]), "lost is one of"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(ask, words):
    with pytest.raises(Misuse, match=words):
        ask(quiet())


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda cluster: predict.who_grants(cluster, cluster.leader), "cannot campaign"),
        (lambda cluster: predict.next_leader(cluster), "leads and goes on leading"),
        (lambda cluster: predict.splits(cluster), "let two nodes time out first"),
        (lambda cluster: predict.acks_commit(cluster), "no acknowledgement is on its way"),
        (lambda cluster: predict.acks_commit(Cluster(3)), "nobody leads"),
    ],
)
def test_a_question_that_cannot_be_asked_now_says_why(ask, words):
    with pytest.raises(NotNow, match=words):
        ask(quiet())


def quiet() -> Cluster:
    """Somebody leads, and no acknowledgement is on its way."""
    cluster = Cluster(5, seed=7)
    cluster.elect()
    cluster.run(130)
    while acks(cluster):
        cluster.step()
    return cluster


def test_a_verdict_on_a_term_draws_its_row_of_the_table_of_roles_and_no_other():
    """The whole table is exercise 2.2."""
    (drawn,) = predict.term_after("candidate", 4, "heartbeat", 4).then
    assert "candidate  hears the leader of its term  follower" in drawn.description
    assert "election timeout" not in drawn.description
    assert predict.term_after("candidate", 4, "heartbeat", 3).then == ()
