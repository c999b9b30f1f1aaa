"""M4 and M5: whole machines in boxes; what is right has all points, what is wrong is told."""

import random

import nbformat
import pytest

import raftlab as rl
from raftlab.course.my_raft import SECTION
from raftlab.grading.batch.marking import mark_of
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.child.answers import cells_of
from raftlab.grading.child.programs import program_in
from raftlab.grading.feedback.runs import shown_run
from raftlab.grading.machines import boxed
from raftlab.grading.machines.judge import EVERY, FORGETS, UNSEEN, MachineJudge
from raftlab.grading.machines.programs import given, reference
from raftlab.grading.milestones import M4, M5, MILESTONES, PROGRAMS
from raftlab.grading.open_runs import OPEN_SEEDS
from raftlab.grading.release.notebooks import assignment
from raftlab.grading.seeds import Seeds
from raftlab.grading.words import sentence
from raftlab.process.samples import starter
from tests.grading.reference import write

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")
SEEDS = Seeds(b"seeds of a class that is not there")


@pytest.fixture(scope="module")
def judge():
    boxes = Boxes(kind_for())
    yield MachineJudge(boxes, SEEDS)
    boxes.close()


def wrong(milestone, written, instead):
    right = reference(milestone)
    assert right.count(written) == 1
    return right.replace(written, instead)


def failed(judged):
    return {each.name: each for each in judged.checks if not each.passed}


@pytest.mark.parametrize("milestone", [M4, M5], ids=lambda each: each.name)
def test_every_trial_has_points_and_says_what_is_done(milestone):
    trials = EVERY[milestone.name]
    assert [each.name for each in trials] == [*milestone.parts]
    assert all(each.run.__doc__ for each in trials)


@in_a_box
@pytest.mark.parametrize("milestone", [M4, M5], ids=lambda each: each.name)
def test_the_reference_has_all_points(milestone, judge):
    judged = judge.judge(milestone, reference(milestone.name))
    assert not failed(judged)
    mark = mark_of(milestone, {milestone.name: judged})
    assert (mark.points, mark.capped, mark.liveness) == (milestone.points, "", "")


@in_a_box
@pytest.mark.parametrize(
    ("milestone", "program"),
    [
        (M4, given("M4")),
        (M5, given("M5")),
        (M4, starter("python").read_text(encoding="utf-8")),
        (M5, starter("python").read_text(encoding="utf-8")),
        (M4, "nothing at all ="),
        (M4, None),
    ],
)
def test_what_students_begin_with_has_none(milestone, program, judge):
    judged = judge.judge(milestone, program)
    assert len(failed(judged)) == len(milestone.parts)
    assert sum(each.points for each in judged.checks) == 0
    assert all(each.sentence for each in judged.checks)


MISTAKES = [
    ("M4", "a voter restarts", "One Vote Per Term", 'line["voted_for"]\n', "None\n"),
    (
        "M4",
        "a cluster works",
        "Durable Before Said",
        '"term": term, "voted_for": voted_for}',
        '"term": term, "voted_for": None}',
    ),
    (
        "M4",
        "alone, with a slow disk",
        "Commit Follows Quorum",
        "        self.log.append(entry)\n",
        "        self.log.append(entry)\n"
        "        if len(self.voters) == 1:\n"
        "            self.commit_index = len(self.log) - 1\n",
    ),
    (
        "M4",
        "a voter restarts",
        "One Vote Per Term",
        "            and self.voted_for in (None, candidate)\n",
        "",
    ),
    ("M5", "a leader that was deposed", "Reads Are Current", "if asked <= answered:", "if True:"),
    (
        "M5",
        "a leader that is new",
        "Reads Are Current",
        ' or self.log[self.commit_index]["term"] != self.term:',
        ":",
    ),
    (
        "M5",
        "an old answer",
        "Reads Are Current",
        'max(self.rounds[peer], answer.get("read_round", 0))',
        "self.round",
    ),
]


@in_a_box
@pytest.mark.parametrize(("name", "trial", "broken", "written", "instead"), MISTAKES)
def test_a_mistake_is_told_by_what_it_breaks_and_shown(
    name, trial, broken, written, instead, judge
):
    judged = judge.judge(MILESTONES[name], wrong(name, written, instead))
    check = failed(judged)[trial]
    assert check.property.startswith(f"{broken}: S")
    assert check.section and check.mistake and check.advice
    mark = mark_of(MILESTONES[name], {name: judged})
    assert mark.points <= mark.of / 2
    assert mark.capped.startswith("safety is broken")
    run = rl.load(check.share)
    assert run.setup.seed in OPEN_SEEDS
    assert run.attempt().violation.name == broken
    assert run.setup.machine.endswith(f"Process {boxed.TEXT}")
    assert len(run.actions) < 80
    assert broken in shown_run(check.share).text or shown_run(check.share).pictures


OF_EARLIER_MILESTONES = [
    ("Leader Completeness", ' and self.log[index]["term"] != entry["term"]:', ":"),
    ("Leader Completeness", ' and self.log[index]["term"] == self.term:', ":"),
    (
        "State Machine Safety",
        'min(request["leader_commit"], last_new)',
        'min(request["leader_commit"], self.last_index)',
    ),
    (
        "",
        'elif result["last_new_index"] > self.match_index[peer]:',
        'elif result["last_new_index"] != self.match_index[peer]:',
    ),
]


@in_a_box
@pytest.mark.parametrize(("broken", "written", "instead"), OF_EARLIER_MILESTONES)
def test_what_earlier_milestones_asked_for_must_hold_in_a_program_of_ones_own(
    broken, written, instead, judge
):
    judged = judge.judge(M4, wrong("M4", written, instead))
    check = failed(judged)["faults among three"]
    assert check.property.startswith(broken)
    assert broken or "match_index went back" in check.sentence
    mark = mark_of(M4, {"M4": judged})
    assert mark.points <= (mark.of / 2 if broken else mark.of - check.of)


@in_a_box
def test_a_read_of_a_leader_that_steps_down_must_fail(judge):
    wrote = '            self.reply["failed_reads"] = list(self.reads)\n        self.reads = {}\n'
    judged = judge.judge(M5, wrong("M5", wrote, "            pass\n"))
    check = failed(judged)["a leader that was deposed"]
    assert "a client that asked it still waits" in check.sentence


@in_a_box
def test_what_tells_its_disk_wrong_is_told_though_no_property_falls(judge):
    judged = judge.judge(M4, wrong("M4", '        self.reply["truncate_from"] = index\n', ""))
    check = failed(judged)["a tail is replaced"]
    assert "it writes entry 2 where entry 4 belongs (before it is entry 3)" in check.sentence
    assert rl.load(check.share).attempt().stopped


@in_a_box
def test_what_a_program_keeps_in_its_memory_is_gone_after_a_restart(judge):
    counts = wrong("M4", "class Raft:", "STARTS = []\n\n\nclass Raft:").replace(
        "        # In memory\n",
        "        # In memory\n        STARTS.append(self.node)\n"
        '        self.note("start", f"start {len(STARTS)} of this process")\n',
    )
    check = failed(judge.judge(M4, counts))["a voter restarts"]
    assert FORGETS[1:] in check.sentence
    assert (check.property, check.mistake) == ("", "")


@in_a_box
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("while True: pass", "it answers nothing for 1 s"),
        ('print("x" * 5000000)', "more than a megabyte in one line"),
        ("import os; os._exit(0)", "its program ended"),
        ("1 / 0", "its program ended: ZeroDivisionError in line"),
        (
            "import threading; threading.Thread(target=print).start()",
            "its program ended: RuntimeError (a box refuses threads) in line",
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor as Pool; Pool().submit(print)",
            "its program ended: RuntimeError (a box refuses threads) in line",
        ),
        (
            "import os; os.fork()",
            "its program ended: PermissionError (a box refuses this) in line",
        ),
        (
            "import signal; signal.setitimer(signal.ITIMER_REAL, 1)",
            "its program ended: an error (a box refuses this) in line",
        ),
        (
            "raise type(f'SEED_{self.term}', (Exception,), {})",
            "its program ended: an error in line",
        ),
    ],
)
def test_a_program_that_hangs_floods_or_ends_has_a_sentence(line, said, judge, monkeypatch):
    monkeypatch.setattr(boxed, "PATIENCE_S", 1.0)
    monkeypatch.setattr("raftlab.grading.machines.judge.PATIENCE_S", 1.0)
    at = "        if self.wake_at is None or self.now < self.wake_at:\n"
    judged = judge.judge(M5, wrong("M5", at, f"        {line}\n{at}"))
    assert len(failed(judged)) == len(M5.parts)
    assert said in judged.checks[0].sentence.replace("Its", "its")


@in_a_box
def test_what_a_program_says_of_the_seeds_of_the_class_is_not_told(judge):
    """It ends as the seed says that it is first started with, unless that is one of an open run."""
    at = '        self.node: str = line["node"]\n'
    opens = {
        random.Random(f"raftlab {seed} node S{node}").getrandbits(53)
        for seed in OPEN_SEEDS
        for node in range(1, 8)
    }
    ends = ("print('seed', line['seed'])", "1 / 0", "raise SystemExit", "print('x' * 5_000_000)")
    says = f"        if line['seed'] not in {opens}:\n            exec({ends}[line['seed'] % 4])\n"
    boxes = Boxes(kind_for())
    others = MachineJudge(boxes, Seeds(b"seeds of another class"))
    try:
        mine, theirs = (each.judge(M4, wrong("M4", at, says + at)) for each in (judge, others))
    finally:
        boxes.close()
    assert len(failed(mine)) == len(M4.parts)
    assert mine.checks[0].sentence.endswith(f". {sentence(UNSEEN)}")
    assert [each.sentence for each in mine.checks] == [each.sentence for each in theirs.checks]


@in_a_box
def test_time_that_stands_still_ends_in_a_sentence(judge):
    at = '        timeout = self.random.uniform(*self.options["election_timeout"])\n'
    judged = judge.judge(M5, wrong("M5", at, "        timeout = 1e-6\n"))
    assert "times within" in judged.checks[0].sentence


def test_a_program_is_the_cell_that_is_tagged_or_has_the_class(tmp_path):
    notebook = write(tmp_path / "ann.ipynb", ["x = 1", "%%writefile m.py\nclass Raft:\n    pass"])
    cells = cells_of(notebook.read_text(), True, SECTION)
    found = program_in(cells, "M4")
    assert (found.source, found.told) == ("class Raft:\n    pass", ())
    assert program_in(cells_of("print(1)\n", False, SECTION), "M5").source == "print(1)\n"
    two = "# %% exercise:M4\nclass Raft:\n    a = 4\n# %% exercise:M5\nclass Raft:\n    a = 5\n"
    cells = cells_of(two, False, SECTION)
    assert ["a = 4" in (program_in(cells, each).source or "") for each in ("M4", "M5")] == [
        True,
        False,
    ]
    assert program_in([], "M4").told == ("M4: no cell has a program: it is missing",)


def test_a_file_in_cells_is_a_program_as_a_whole_and_so_is_a_cell_that_is_written(tmp_path):
    text = "# %% it needs\nimport json\n# %% the machine\nclass Raft:\n    pass\n# %%\nRaft()\n"
    assert program_in(cells_of(text, False, SECTION), "M4", text) == (text, ())
    exercise = f"# %% exercise:3.1\nx = 1\n{text}"
    whole = program_in(cells_of(exercise, False, SECTION), "M4", exercise).source
    assert whole is not None and "exercise" not in whole
    notebook = write(tmp_path / "ann.ipynb", ["x = 1", "%%writefile m.py\nclass Server:\n    pass"])
    found = program_in(cells_of(notebook.read_text(), True, SECTION), "M4")
    assert found.source == "class Server:\n    pass"


@pytest.mark.parametrize("solved", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_notebook_gives_to_begin_with_is_no_answer_to_another_milestone(name, solved):
    text = nbformat.writes(assignment(MILESTONES[name], "autumn", solved))
    cells = cells_of(text, True, SECTION)
    has = [each for each in PROGRAMS if program_in(cells, each).source is not None]
    assert has == [name]
