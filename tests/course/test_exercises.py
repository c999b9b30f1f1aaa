"""Every exercise passes right answers, catches wrong ones, and survives what learners do."""

import random
import re
import sys
from typing import Any

import pytest

from raftlab.course import exercise
from raftlab.course.exercises.hints import REPAIRS
from raftlab.course.exercises.running import ClusterExercise
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.load import load
from raftlab.sim.resolve import ClassNeeded
from raftlab.view import describe_frame
from tests.course import answers, near_answers
from tests.course.answers import conflict, rules

RIGHT = {
    number: [*usual, *near_answers.RIGHT.get(number, [])] for number, usual in answers.RIGHT.items()
}
WRONG = {
    number: [*usual, *near_answers.WRONG.get(number, [])] for number, usual in answers.WRONG.items()
}
NUMBERS = [each.number for each in exercise]
CASES = [(number, place) for number in NUMBERS for place in range(len(RIGHT[number]))]
MISTAKES = [(number, place) for number in NUMBERS for place in range(len(WRONG[number]))]


@pytest.mark.parametrize(("number", "place"), CASES)
def test_a_right_answer_passes(number, place):
    result = exercise(number).check(RIGHT[number][place])
    assert result.passed is True, result.text
    assert result
    assert result.points == result.of == exercise(number).points
    assert result.text.startswith(f"Exercise {number}: correct (")
    first, *more = result.text.split("\n")
    assert first.endswith(")")
    assert all(line.startswith("  It holds ") for line in more)


@pytest.mark.parametrize(("number", "place"), MISTAKES)
def test_a_wrong_answer_is_caught(number, place):
    result = exercise(number).check(WRONG[number][place])
    assert result.passed is False
    assert not result
    assert result.points == 0
    expected, instead, *rest = (line.strip() for line in result.text.split("\n")[1:])
    assert expected.startswith("expected:")
    assert instead.startswith(("your code:", "for "))
    assert any(line.startswith("read: ") for line in rest)


@pytest.mark.parametrize("number", NUMBERS)
def test_show_draws_what_right_and_wrong_code_does(number):
    for answer in (*RIGHT[number], *WRONG[number]):
        shown = exercise(number).show(answer)
        assert shown.text.startswith(f"Exercise {number}")
        assert all(scene.description and scene.title for scene in shown.scenes)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_check_gives_the_same_result_twice_and_leaves_chance_alone(number):
    random.seed(1)
    before = random.getstate()
    first = repr(exercise(number).check(WRONG[number][0]))
    assert repr(exercise(number).check(WRONG[number][0])) == first
    assert random.getstate() == before


def test_a_case_is_told_with_the_learner_s_own_names():
    class Checked(Rules):
        def accepts_append(self, log, prev_log_index, prev_log_term):
            return prev_log_index <= log.last_index

    def my_majority(size):
        return size // 2

    assert "try it:    Checked().accepts_append(log_of(" in exercise("1.1").check(Checked).text
    assert "Checked().accepts_append(" in exercise("1.1").show(Checked).text
    assert "try it:    my_majority(3)" in exercise("4.1").check(my_majority).text


def test_an_answer_that_stands_on_a_stub_names_the_stub():
    def append_entries(log, prev_log_index, prev_log_term, entries):
        raise NotImplementedError("Exercise 1.1: accepts_append")

    told = exercise("1.3").check(append_entries)
    assert told.passed is None
    assert repr(told) == "Exercise 1.1 is still to be written: accepts_append"


def test_the_paste_able_call_of_a_failing_case_can_be_pasted():
    names = {"MyRules": WRONG["1.2"][0]}
    exec("from raftlab.course.situations import *", names)
    for number in NUMBERS:
        for answer in WRONG[number]:
            result = exercise(number).check(answer)
            line = next((x for x in result.text.split("\n") if "try it:" in x), None)
            if line is None or ".cluster(" in line:
                continue
            names.update(MyRules=answer, random=random)
            names[exercise(number).name] = names[answer.__name__] = answer
            call = line.partition("try it:")[2].strip()
            try:
                eval(call, names)
            except (AttributeError, IndexError, KeyError, TypeError):
                assert "it raises" in result.text, call


# What learners do


def stub(self, *arguments, **named):
    raise NotImplementedError("Exercise 1.2: conflict_index")


def for_ever(self, *arguments, **named):
    while True:
        pass


def for_ever_catching(self, *arguments, **named):
    while True:
        try:
            [1].index(1)
        except Exception:
            continue


def deeper(self, *arguments, **named):
    return deeper(self, *arguments)


def crash(self, *arguments, **named):
    return undefined_name  # type: ignore[name-defined]  # noqa: F821


class EqualsAll:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


def mutate(self, log, prev_log_index, entries):
    found = conflict(log, prev_log_index, entries)
    if found:
        log.truncate_uncommitted(found)
    return found


def my_rules(method):
    return type("MyRules", (Rules,), {"conflict_index": method})


def test_a_stub_is_named_and_nothing_is_raised():
    result = exercise("1.2").check(my_rules(stub))
    assert result.passed is None
    assert not result
    assert repr(exercise.report("01")).split("\n")[-1].strip() == "0 of 10"
    assert result.points == 0
    assert repr(result) == "Exercise 1.2 is still to be written: conflict_index"
    assert repr(exercise("1.2").show(my_rules(stub))) == repr(result)


@pytest.mark.parametrize("loop", [for_ever, for_ever_catching])
def test_a_loop_without_end_is_stopped(loop):
    result = exercise("1.2").check(my_rules(loop))
    assert "it was stopped after 200,000 steps: is there a loop that never ends?" in result.text
    assert "never ends" in exercise("1.2").show(my_rules(loop)).text


def test_a_loop_that_only_a_cluster_reaches_is_stopped_too():
    calls = []

    def at_first(self, log, prev_log_index, entries):
        calls.append(1)
        return conflict(log, prev_log_index, entries) if len(calls) < 600 else for_ever(self)

    result = exercise("1.2").check(my_rules(at_first))
    assert "not in a cluster" in result.text
    assert "your code fails: it was stopped" in result.text


def test_a_function_that_calls_itself_without_end_is_stopped():
    told = exercise("1.2").check(my_rules(deeper)).text
    assert f"more than {sys.getrecursionlimit():,} times deep, where Python stops" in told


def test_an_error_is_told_with_the_learner_s_own_line():
    text = exercise("1.2").check(my_rules(crash)).text
    assert "it raises NameError: name 'undefined_name' is not defined" in text
    assert "in the line: return undefined_name" in text
    assert "Traceback" not in text


def test_an_object_that_equals_everything_is_not_taken_for_the_answer():
    for number in NUMBERS:
        answer = RIGHT[number][0]
        trick = (
            rules(exercise(number).name, lambda *_, **__: EqualsAll())
            if isinstance(answer, type)
            else lambda *_: EqualsAll()
        )
        assert exercise(number).check(trick).passed is False


def test_a_rule_that_changes_what_it_is_given_is_caught():
    assert "it changes what it was given" in exercise("1.2").check(my_rules(mutate)).text


@pytest.mark.parametrize("wrong", [None, 5, "MyRules", Rules, Rules(), int, len])
def test_what_is_no_answer_is_refused_with_a_sentence(wrong):
    for number in ("1.2", "1.3"):
        result = exercise(number).check(wrong)
        assert result.passed is False
        assert exercise(number).show(wrong).text


def test_a_class_that_cannot_be_made_is_told():
    class Needy(Rules):
        def __init__(self, more):
            pass

        conflict_index = for_ever

    assert "it raises TypeError" in exercise("1.2").check(Needy).text


def test_a_rule_may_be_given_as_an_instance_and_may_use_helpers():
    class MyRules(Rules):
        def conflict_index(self, log, prev_log_index, entries):
            return self.search(log, entries)

        def search(self, log, entries):
            return conflict(log, 0, entries)

    assert exercise("1.2").check(MyRules()).passed
    assert exercise("1.2").check(MyRules).passed


def test_of_an_instance_the_class_is_judged_since_that_is_what_is_kept():
    class Holding(Rules):
        def __init__(self, right=False):
            self.right = right

        def is_newer_term(self, message_term, term):
            return self.right and message_term > term

    assert exercise("2.1").check(Holding(right=True)).passed is False


def test_checking_leaves_the_tracing_of_others_alone():
    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        exercise("1.2").check(RIGHT["1.2"][0])
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


class Unshown:
    def __repr__(self):
        raise ValueError


class Untold(Exception):
    def __str__(self):
        raise ValueError


def raising(problem):
    def method(*arguments):
        raise problem

    return method


@pytest.mark.parametrize("value", [10**5000, Unshown(), "x" * 10**6], ids=["a", "b", "c"])
@pytest.mark.parametrize("number", ["4.1", "5.1", "6.3", "7.1", "3.3", "1.3"])
def test_any_answer_is_told_in_few_words(number, value):
    right = RIGHT[number][0]
    name = exercise(number).name
    answer = rules(name, lambda *_: value) if isinstance(right, type) else lambda *_: value
    assert exercise(number).check(answer).passed is False
    assert len(exercise(number).result.text) < 1000
    assert len(exercise(number).show(answer).text) < 1000


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (SystemExit(3), "your code calls exit()"),
        (GeneratorExit(), "it raises GeneratorExit"),
        (Untold(), "it raises Untold: something of type Untold"),
        (ValueError("y" * 10**6), "it raises ValueError: yyy"),
    ],
    ids=["exit", "generator", "untold", "long"],
)
def test_any_exception_is_told_in_few_words(problem, said):
    text = exercise("4.1").check(raising(problem)).text
    assert said in text
    assert len(text) < 1000


def test_of_what_is_printed_only_the_first_lines_are_shown(capsys):
    def majority(size):
        print("size", size)
        return size // 2 + 1

    exercise("4.1").check(majority)
    exercise("4.1").check(lambda size: max(majority(size) for _ in range(90)))
    assert capsys.readouterr().out.count("\n") <= 22


def test_no_line_of_raftlab_is_shown_as_the_learner_s():
    answer = type("MyRules", (Rules,), {"majority_match_index": lambda self: 0})
    text = exercise("7.1").check(answer).text
    assert "it raises TypeError" in text
    assert "in the line" not in text


def test_arguments_may_be_called_what_the_learner_likes():
    class MyRules(Rules):
        def resets_election_timer(self, a, b):
            return a or b

    assert exercise("2.3").check(MyRules).passed


def test_the_leader_need_not_be_in_the_highest_term_of_all():
    def leader_of(frame):
        term = max(each.term for each in frame.nodes)
        found = [x.node for x in frame.nodes if x.role.value == "leader" and x.term == term]
        return found[0] if found else None

    assert exercise("0.1").check(leader_of).passed is False


def test_a_hint_changes_nothing_and_never_goes_below_what_matches():
    def changes(rejected, log, progress):
        progress.next_index = 1
        return max(min(rejected.hint_index, 4), progress.match_index) + 1

    def forgets(rejected, log, progress):
        hint = log.last_index_of_term_at_most(rejected.hint_index, rejected.hint_term)
        return min(hint, rejected.non_matching_index - 1) + 1

    changed = exercise("6.3").check(rules("next_index_after", changes))
    assert "it changes what it was given" in changed.text
    assert exercise("6.3").check(rules("next_index_after", forgets)).passed is False


@pytest.mark.parametrize(
    ("answer", "took", "mistake"),
    [
        (answers.one_back, "205 messages", "after rejected.hint_index nothing can agree"),
        (near_answers.hinted_by_term, "205 messages", "after rejected.hint_index nothing can"),
        (near_answers.ten_back, "24 messages", "after rejected.hint_index nothing can agree"),
        (answers.hinted_by_index, "43 messages", "only what has rejected.hint_term or an earlier"),
        (near_answers.from_the_follower_s_end, "43 messages", "only what has rejected.hint_term"),
        (near_answers.after_what_matches, "500 entries sent", "it sends again what is there"),
        (near_answers.half_way, "250 entries sent", "it sends again what is there"),
        (near_answers.beyond_the_hint, "103 messages", "beyond rejected.hint_index"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_slow_repair_is_told_by_what_it_overlooks(answer, took, mistake):
    text = exercise("6.3").check(rules("next_index_after", answer)).text
    assert text.startswith("Exercise 6.3: not yet. Safe, but slow")
    assert f"your code: {took}" in text
    assert mistake in text.partition("mistake:")[2]


def test_the_repairs_of_the_shipped_rule_are_well_within_what_is_allowed():
    """Others that the paper allows may take a few messages more."""
    shipped = rules("next_index_after", Rules().next_index_after)
    repairing: Any = exercise("6.3")
    took = [repairing._repaired(shipped, each) for each in REPAIRS]
    assert took == [(True, 6, 200), (True, 3, 41), (True, 2, 1), (True, 5, 101)]
    for (_, messages, entries), each in zip(took, REPAIRS, strict=True):
        assert 2 * messages <= each.messages
        assert entries < each.entries


# Clusters


@pytest.mark.parametrize("odd", [None, "x", 10**9])
def test_a_wrong_type_in_a_cluster_is_told_and_takes_the_mark(odd):
    def late(match, configuration):
        right = sorted(match.values())[(len(match) - 1) // 2]
        return right if max(match.values()) < 4 else odd

    exercise("7.1").check(RIGHT["7.1"][0])
    result = exercise("7.1").check(rules("majority_match_index", late))
    assert "not in a cluster" in result.text
    assert exercise("7.1").result.passed is False


def test_a_rule_that_is_wrong_only_in_a_cluster_shows_the_cluster():
    counted = []

    def late(log, prev_log_index, entries):
        counted.append(1)
        return 1 if len(counted) > 510 and log.last_index > 1 else conflict(log, 0, entries)

    result = exercise("1.2").check(rules("conflict_index", late))
    assert "not yet. Alone it answers well, but not in a cluster" in result.text
    assert "your code: frame " in result.text
    assert 'exercise("1.2").cluster(MyRules, seed=' in result.text


def test_the_cluster_of_a_seed_can_be_looked_at():
    commits: Any = exercise("7.3")
    good = commits.cluster(RIGHT["7.3"][0], seed=3)
    assert good.violation is None
    bad = rules("tally_vote", lambda votes: next(iter([*votes.tally_vote().__class__][1:2])))
    tallies: Any = exercise("4.2")
    assert tallies.cluster(bad, seed=1).violation.name == "Election Safety"


# Marks


def test_grade_checks_afresh_and_adds_up():
    answers = {number: RIGHT[number][0] for number in ("1.1", "1.2")} | {"1.3": WRONG["1.3"][0]}
    report = exercise.grade(answers, notebook="01")
    assert (report.points, report.of) == (5, 10)
    assert repr(report).split("\n")[-1].strip() == "5 of 10"
    assert re.search(r"1.2 +★★ +Cut only what conflicts +correct +3 of 3\n", repr(report))
    assert repr(exercise.report()) == repr(report)
    assert exercise.grade({}).of == 0


def test_a_notebook_is_begun_with_its_first_check_whatever_that_found():
    exercise.grade({"1.1": WRONG["1.1"][0], "3.1": RIGHT["3.1"][0]})
    assert [each.number for each in exercise.report().exercises] == [
        "1.1", "1.2", "1.3", "3.1", "3.2", "3.3",
    ]  # fmt: skip
    assert exercise.report().points == 2


def test_an_unknown_exercise_is_refused_with_those_there_are():
    with pytest.raises(Misuse, match=r"There is no exercise '9.9'; there are 0.1, 0.2, 1.1"):
        exercise("9.9")


STARS = {
    "0": [1, 1], "1": [1, 2, 3], "2": [1, 2, 1], "3": [1, 1, 3], "4": [1, 2, 1],
    "5": [1, 2, 3], "6": [1, 2, 3], "7": [2, 1, 2],
}  # fmt: skip


@pytest.mark.parametrize("notebook", STARS)
def test_stars_go_by_effort_and_every_notebook_has_two_or_three_exercises(notebook):
    mine = [each for each in exercise if each.number.split(".")[0] == notebook]
    assert [each.number for each in mine] == [f"{notebook}.{n}" for n in range(1, len(mine) + 1)]
    assert [each.stars for each in mine] == STARS[notebook]


def test_an_exercise_says_what_to_do():
    for each in exercise:
        assert f"Exercise {each.number}" in repr(each)
        assert each.number in repr(exercise)


def test_a_wrong_result_is_not_true_and_require_raises_with_its_text():
    wrong = exercise("4.1").judge(lambda size: size // 2)
    assert not wrong
    with pytest.raises(AssertionError, match=r"Exercise 4\.1: not yet"):
        wrong.require()
    right = exercise("4.1").judge(lambda size: size // 2 + 1)
    assert right
    right.require()


def test_a_run_of_ones_own_rule_is_opened_with_the_class_that_has_it():
    class MyRules(Rules):
        def candidate_is_up_to_date(self, *_: Any, **__: Any) -> bool:
            return True

    one = exercise("3.1")
    assert isinstance(one, ClusterExercise)
    trouble = next(filter(None, (one.trouble(MyRules, seed) for seed in range(1, 60))))
    shared = trouble.cluster.recording.share()
    with pytest.raises(ClassNeeded) as needed:
        load(shared)
    assert needed.value.argument == "rules"
    again = load(shared, rules=MyRules).attempt()
    assert again.number == trouble.cluster.number > 0
    assert describe_frame(again.frame()) == describe_frame(trouble.cluster.frame())
