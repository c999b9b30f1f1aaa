"""The reader's answers joined into one Raft, with what is missing lent and named."""

import inspect
from typing import Any

import pytest

import raftlab as rl
from raftlab.check.campaign import campaign
from raftlab.course import exercise, my_raft, your_raft
from raftlab.course.exercises.joined import joined
from raftlab.course.situations import log_of
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse, NotNow
from tests.course import answers, near_answers
from tests.course.kept import Notebook

PLAIN = rl.Options.figure_2()
FUNCTIONS = {"1.3": "append_entries", "3.3": "answer_vote"}


def every_answer(source=answers.RIGHT, place=0):
    """One right answer to each exercise, as names of a module."""
    names = {}
    for number, given in source.items():
        kind = given[min(place, len(given) - 1)]
        names[FUNCTIONS.get(number) or f"Answer{number.replace('.', '_')}"] = kind
    return names


def run_of(mine, seed=13, options=PLAIN):
    return rl.Cluster(5, seed=seed, options=options, rules=mine.rules, machine=mine.machine)


@pytest.mark.parametrize("options", [PLAIN, rl.Options()], ids=["figure 2", "pre-vote"])
@pytest.mark.parametrize(
    "names", [{}, every_answer(), every_answer(place=1), every_answer(near_answers.RIGHT)]
)
def test_it_elects_commits_survives_a_crash_and_a_campaign(names, options):
    mine = joined(names)
    cluster = run_of(mine, options=options)
    assert cluster.run_until(lambda each: each.leader is not None)
    cluster.propose("x=1")
    cluster.run(100)
    leader = cluster.leader
    cluster.crash(leader)
    assert cluster.run_until(lambda each: each.leader not in (None, leader))
    cluster.propose("x=2")
    cluster.restart(leader)
    cluster.run(400)
    assert {host.machine.commit_index for host in cluster.hosts.values()} == {cluster.commit_index}
    result = campaign(
        12, rules=mine.rules, machine=mine.machine, options=options, disks=rl.Disks(),
        change_members=False,
    )  # fmt: skip
    assert result.counts == {"ok": 12}, str(result)


def test_every_decision_of_an_exercise_has_a_row_and_says_whose_it_is():
    mine = joined(every_answer())
    assert not mine.lent
    assert mine.sentence == "All 17 that the exercises ask for are yours."
    assert "7.3" in repr(mine) and "MyRules" in repr(mine)
    none = joined({})
    assert not none.yours
    assert repr(none).count("lent by the package") == len(none.parts) == 17
    html = none._repr_mimebundle_()["text/html"]
    assert html.count("<tr>") == 18


def test_what_is_lent_in_any_case_is_said():
    mine = joined(every_answer())
    assert "methods of Rules, which are lent, too: is_stale_term, " in repr(mine)
    assert mine.besides in mine._repr_mimebundle_()["text/html"]


def test_a_decision_that_a_whole_answer_takes_over_is_not_asked_and_says_so():
    mine = joined(every_answer())
    lines = [line for line in repr(mine).splitlines() if "not asked" in line]
    assert [(line.split()[0], line.split(": ")[-1].strip()) for line in lines] == [
        ("1.1", "1.3 decides"), ("1.2", "1.3 decides"),
        ("3.1", "3.3 decides"), ("3.2", "3.3 decides"),
    ]  # fmt: skip
    whole = joined({"append_entries": answers.RIGHT["1.3"][0]})
    assert whole.sentence == "1 of 17 decisions are yours, the others are lent or not asked."
    assert {part.number for part in whole.lent}.isdisjoint({"1.1", "1.2", "1.3"})
    assert "not asked" not in repr(joined({}))


def test_what_is_yours_is_asked_and_the_rest_is_lent():
    asked = []

    class Clock(Rules):
        def is_newer_term(self, message_term, term):
            asked.append(term)
            return message_term > term

    mine = joined({"Clock": Clock})
    assert [part.whose for part in mine.yours] == ["Clock"]
    assert mine.sentence.startswith("1 of 17 decisions are yours")
    run_of(mine).run(400)
    assert asked


def test_two_answers_keep_their_own_helpers():
    class One(Rules):
        def accepts_append(self, log, prev_log_index, prev_log_term):
            return self.helper(log, prev_log_index) == prev_log_term

        def helper(self, log, index):
            return log.term_for_index(index)

    class Other(Rules):
        def is_newer_term(self, message_term, term):
            return self.helper(message_term, term)

        def helper(self, one, other):
            return one > other

    cluster = run_of(joined({"One": One, "Other": Other})).run(600)
    assert cluster.leader and cluster.commit_index


@pytest.fixture
def notebook():
    return Notebook()


def test_a_wrong_answer_is_asked_like_a_right_one():
    mine = joined({"Any": answers.rules("tally_vote", near_answers.tally_of_two)})
    result = campaign(6, rules=mine.rules, machine=mine.machine, options=PLAIN,
                      disks=rl.Disks(), change_members=False)  # fmt: skip
    assert result.counts == {"stuck": 6}


def test_the_file_is_read_as_it_is_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(my_raft.SWITCH, raising=False)
    assert not your_raft().yours
    file = tmp_path / my_raft.NAME
    source = (
        "import raftlab as rl\nclass Clock(rl.Rules):\n"
        " def is_newer_term(self, message_term, term):\n  return message_term > term\n"
    )
    file.write_text(source)
    assert [part.number for part in your_raft().yours] == ["2.1"]
    file.write_text(source.replace("Clock", "Other"))
    assert [part.whose for part in your_raft().yours] == ["Other"]
    monkeypatch.setenv(my_raft.SWITCH, "off")
    assert not your_raft().yours


ACCEPTS = (
    "class MyRules(rl.Rules):\n"
    "    def accepts_append(self, log, prev_log_index, prev_log_term):\n"
    "        return holds(log.term_for_index(prev_log_index), prev_log_term)\n"
)
CLOCK = (
    "class MyRules(rl.Rules):\n"
    "    def is_newer_term(self, message_term, term):\n"
    "        return holds(message_term, term)\n"
)


def test_two_classes_of_one_name_are_both_joined_and_keep_their_helpers(folder, notebook):
    notebook.run(f"def holds(one, other):\n    return one == other\n\n{ACCEPTS}")
    exercise("1.1").check(notebook["MyRules"])
    notebook.run(f"def holds(one, other):\n    return one > other\n\n{CLOCK}")
    exercise("2.1").check(notebook["MyRules"])
    mine = your_raft()
    assert [part.number for part in mine.yours] == ["1.1", "2.1"]
    assert mine.rules().is_newer_term(2, 1) and not mine.rules().is_newer_term(1, 1)
    assert mine.rules().accepts_append(log_of("1 1"), 2, 1)
    assert run_of(mine).run(600).commit_index


def test_a_helper_with_the_name_of_a_builtin_is_that_of_its_own_section_alone(folder, notebook):
    own = "def max(one, other):\n    return one == other\n"
    notebook.run(f"{own}\n{ACCEPTS.replace('holds(', 'max(')}")
    exercise("1.1").check(notebook["MyRules"])
    notebook.run("del max")
    later = CLOCK.replace(
        "holds(message_term, term)", "message_term == max(message_term, term + 1)"
    )
    notebook.run(later)
    exercise("2.1").check(notebook["MyRules"])
    notebook.run("def min(one, other):\n    return other\n")
    notebook.run(
        "class MyRules(rl.Rules):\n"
        "    def is_about_the_present(self, reply_term, asked_term):\n"
        "        return reply_term == min(reply_term, asked_term)\n"
    )
    exercise("4.3").check(notebook["MyRules"])
    mine = your_raft()
    assert [part.number for part in mine.yours] == ["1.1", "2.1", "4.3"]
    assert mine.rules().accepts_append(log_of("1 1"), 2, 1)
    assert not mine.rules().accepts_append(log_of("1 1"), 2, 2)
    assert mine.rules().is_newer_term(2, 1) and not mine.rules().is_newer_term(1, 1)
    assert not mine.rules().is_about_the_present(1, 2)
    assert run_of(mine).run(600).commit_index


def test_what_is_defined_below_a_section_is_found_when_it_is_called(folder, notebook):
    notebook.run(f"def holds(one, other):\n    return one > other\n\n{CLOCK}")
    exercise("2.1").check(notebook["MyRules"])
    text = my_raft.path().read_text()
    helper = "def holds(one, other):\n    return one > other\n"
    assert helper in text
    my_raft.path().write_text(text.replace(helper, "") + f"\n\n{helper}")
    assert your_raft().rules().is_newer_term(2, 1)


QUOTES = '"' * 3


def test_a_section_that_the_reader_has_made_a_string_is_no_answer(folder, notebook):
    notebook.run(f"def holds(one, other):\n    return one > other\n\n{CLOCK}")
    exercise("2.1").check(notebook["MyRules"])
    text = my_raft.path().read_text()
    my_raft.path().write_text(text.replace("# Exercise", QUOTES + "\n# Exercise") + QUOTES)
    assert not your_raft().yours


def test_a_function_of_another_name_is_joined_too(folder, notebook):
    source = inspect.getsource(answers.RIGHT["3.3"][0])
    notebook.run(source.replace("def answer_vote(", "def mine("))
    exercise("3.3").check(notebook["mine"])
    assert [(part.number, part.whose) for part in your_raft().yours] == [("3.3", "mine")]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = (\n", r"my_raft\.py, line 1, cannot be read: '\(' was never closed"),
        ("import raftlab\nraise ValueError('odd')\n", "line 2, cannot be run: ValueError: odd"),
        ("\n\ndef f():\n  int('x')\nf()\n", r"my_raft\.py, line 4, cannot be run: ValueError"),
        ("import sys\nsys.exit(3)\n", r"my_raft\.py, line 2, cannot be run: SystemExit: 3"),
        (b"x = '\xff'\n", r"my_raft\.py cannot be read: 'utf-8' codec"),
        (None, r"my_raft\.py cannot be read: Is a directory"),
        ("", r"my_raft\.py cannot be read: Too many levels of symbolic links"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path, monkeypatch, source, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(my_raft.SWITCH, raising=False)
    file = tmp_path / my_raft.NAME
    if source is None:
        file.mkdir()
    elif not source:
        file.symlink_to(file)
    else:
        file.write_bytes(source if isinstance(source, bytes) else source.encode())
    with pytest.raises(Misuse, match=said):
        your_raft()


def test_a_mark_of_the_encoding_at_the_start_is_passed_over(folder, notebook):
    notebook.run(f"def holds(one, other):\n    return one > other\n\n{CLOCK}")
    exercise("2.1").check(notebook["MyRules"])
    file = my_raft.path()
    file.write_text(file.read_text(), encoding="utf-8-sig")
    assert [part.number for part in your_raft().yours] == ["2.1"]


def test_a_run_of_it_can_be_shared_and_opened_with_its_classes():
    mine = joined(every_answer())
    cluster = run_of(mine).run(300)
    again = rl.load(cluster.recording.share(), rules=mine.rules, machine=mine.machine)
    assert again.attempt().frame() == cluster.frame()


def test_its_machine_keeps_the_whole_log():
    cluster = run_of(joined({})).run(600)
    with pytest.raises(NotNow, match="snapshots come in notebook 14"):
        cluster.machine("S1").compact(1)


def test_every_rule_that_is_asked_for_is_joined():
    numbers = [part.number for part in joined({}).parts]
    assert numbers == [
        each.number for each in exercise
        if hasattr(Rules, each.name) or each.number in FUNCTIONS
    ]  # fmt: skip


class EqualTermsAreEnough(Rules):
    """The mistake that notebook 08 plants."""

    def candidate_is_up_to_date(self, request, log):
        return request.last_log_term >= log.last_term


@pytest.mark.parametrize("names", [{}, every_answer()], ids=["all lent", "all mine"])
def test_a_mistake_is_planted_in_the_readers_own_raft_and_a_campaign_finds_it(names):
    mine = joined(names)
    planted = mine.but(EqualTermsAreEnough)
    assert issubclass(planted.rules, mine.rules)
    said = {part.number: part.asked for part in planted.parts}
    assert said["3.1"] == "EqualTermsAreEnough"
    assert said["3.3"] == "lent by the package"
    others = {"3.1", "3.2", "3.3"}
    assert [part for part in planted.parts if part.number not in others] == [
        part for part in mine.parts if part.number not in others
    ]
    failed = campaign(
        8, rules=planted.rules, machine=planted.machine, options=PLAIN, change_members=False,
        nodes=3, network=rl.Network(), disks=rl.Disks(write_ms=0),
    )  # fmt: skip
    assert failed.failures


def test_a_mistake_leaves_whole_answers_that_it_does_not_touch():
    class Commits(Rules):
        def leader_commit_index(self, matched, log, term, commit_index):
            return max(matched, commit_index)

    mine = joined(every_answer())
    planted = mine.but(Commits)
    both: list[Any] = [planted.machine, mine.machine]
    assert both[0].answer_vote is both[1].answer_vote
    assert [part.whose for part in planted.parts].count("Commits") == 1
    assert [part.instead for part in planted.parts] == [part.instead for part in mine.parts]
