"""What submissions try to make long, large or told: it ends soon, stays small, tells nothing."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest
from msgspec.structs import replace

import raftlab as rl
from raftlab.course.exercises import clusters, exercise
from raftlab.course.exercises.clusters import LOSSY, options, problem_after_faults
from raftlab.course.exercises.running import ClusterExercise, Trouble, size
from raftlab.grading import box, judge
from raftlab.grading.answers import Wanted, contents_of
from raftlab.grading.asked import TOO_LONG
from raftlab.grading.batch import Batch, grade
from raftlab.grading.batch.marking import Marker, mark_of_machine
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.child.program import name_of
from raftlab.grading.handed_in import MOST_FILES, submissions_in
from raftlab.grading.judge import Judge
from raftlab.grading.looks import InCluster
from raftlab.grading.machines import boxed
from raftlab.grading.machines import judge as machine_judge
from raftlab.grading.machines.judge import MachineJudge
from raftlab.grading.machines.programs import reference
from raftlab.grading.milestones import M1, M4, M7, SNAPSHOTS
from raftlab.grading.results import MOST_TOLD, Check, Marks, MilestoneMark, to_json
from raftlab.grading.seeds import Seeds
from raftlab.grading.waited import MOST_S, Waited
from raftlab.process.faults import CannotStart, MachineFault
from tests.grading.reference import write
from tests.grading.test_hostile import SAME, TELLS_NO_RULE, rule

pytestmark = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")

CLASSES = (Seeds(b"a class, or its seeds"), Seeds(b"another class has others"))
MOST_BYTES = 200_000
"""The marks of one submission, at most."""


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def boxes(request):
    if not box._works(request.param):
        pytest.skip(f"{request.param} does not work here")
    made = Boxes(request.param)
    yield made
    made.close()


def judged(boxes, text, seeds=CLASSES[0], number="2.1", waited=None):
    """What the answer in this text is worth."""
    one = exercise(number)
    has = contents_of(text.encode(), ".py", Wanted([one]), boxes)
    return Judge(boxes, seeds).judge(one, 2, has.answers[number].source, waited)


def told(found):
    """All that is told of an answer."""
    return [msg for each in found.checks for msg in (each.property, each.sentence, each.advice)] + [
        found.safety,
        found.liveness,
        *(each.share for each in found.checks),
    ]


def timeout(body):
    return (
        "import raftlab as rl\nclass MyRules(rl.Rules):\n"
        f"    def election_timeout(self, options, rng):\n        {body}\n"
    )


# Runs without an end


@pytest.mark.parametrize("ms", [1e-300, 1e-9, 0.01])
def test_time_that_hardly_passes_ends_in_a_sentence_for_a_learner(ms, monkeypatch):
    monkeypatch.setattr(clusters, "MOST_ACTIONS", 2_000)
    kind = type("MyRules", (rl.Rules,), {"election_timeout": lambda *_: ms})
    one = exercise("5.1")
    assert isinstance(one, ClusterExercise)
    _, failed = one.in_clusters(kind)
    assert failed is not None
    assert "a run does not come to an end: 2,000 actions in" in failed.text
    assert one.cluster(kind, seed=0).number == 2_000


def test_a_cluster_goes_on_after_a_run_that_was_bounded():
    cluster = rl.Cluster(3, seed=1)
    with clusters.bounded(cluster):
        cluster.run(1000)
    assert cluster.engine.checkpoint == cluster._checkpoints._keep
    cluster.run(1000)


@pytest.mark.parametrize("ms", ["1e-9", "0.01"])
def test_time_that_hardly_passes_ends_in_a_sentence_in_the_grader(ms, boxes, monkeypatch):
    monkeypatch.setattr(clusters, "MOST_ACTIONS", 2_000)
    found = judged(boxes, timeout(f"return {ms}"), number="5.1")
    assert sum(each.points for each in found.checks) == 0
    assert "a run does not come to an end: 2,000 actions" in found.checks[1].sentence


@pytest.mark.parametrize("seed", [690, 858, 1038])
def test_the_right_rules_survive_clusters_in_which_nobody_waits(seed):
    cluster = rl.Cluster(size(seed), seed=seed, network=LOSSY, options=options())
    assert problem_after_faults(cluster, seed) is None


def test_a_run_that_fails_with_the_right_answer_counts_for_nobody(boxes, monkeypatch):
    def fails(look, answer):
        return Trouble(look.exercise.start(answer, 1), 1, "code", "whatever is answered")

    monkeypatch.setattr(InCluster, "trouble", fails)
    found = judged(boxes, rule("return message_term > term"))
    assert [each.points for each in found.checks] == [1.2, 0.8]


# What is told


LEAKS = {
    "the words of an error": rule(
        "if term > 8: raise ValueError(f'hidden {message_term},{term}')\nreturn message_term > term"
    ),
    "the words of a stub": rule(
        "if term > 8: raise NotImplementedError(f'package {term}')\nreturn message_term > term"
    ),
    "an answer": rule("return f'hidden {term}' if term > 8 else message_term > term"),
    "an own error": rule(
        "if term > 8: raise type(f'hidden{term}', (Exception,), {})\nreturn message_term > term"
    ),
    "a case alone": rule("return message_term > term and term < 9"),
    "what was asked before": rule(
        "KNOWN.append(term)\nraise ValueError(f'hidden {max(KNOWN)}')", "KNOWN = []\n"
    ),
    "a process that ends": rule("if term > 8: os._exit(term % 256)\nreturn message_term > term"),
    **TELLS_NO_RULE,
    **SAME,
}


@pytest.mark.parametrize("what", LEAKS)
def test_two_classes_are_told_the_same(what, boxes):
    mine, theirs = (told(judged(boxes, LEAKS[what], each)) for each in CLASSES)
    assert mine == theirs
    assert any(mine)


def test_draws_of_the_class_are_not_told(boxes):
    texts = [
        told(judged(boxes, timeout("return 150 + 150 * rng.random() ** 2"), each, "5.1"))
        for each in CLASSES
    ]
    assert texts[0] == texts[1]
    assert "draws" in texts[0][1]


def test_what_a_program_calls_its_own_errors_is_not_told():
    assert name_of(ValueError("x")) == "ValueError"
    assert name_of(type("SEED_1", (Exception,), {})()) == "an error"
    assert name_of(type("ValueError", (Exception,), {})()) == "an error"


def test_a_digest_that_stands_on_pages_is_no_quick_one(monkeypatch):
    rounds = []
    slow = hashlib.pbkdf2_hmac
    monkeypatch.setattr(
        hashlib, "pbkdf2_hmac", lambda *given: rounds.append(given[3]) or slow(*given)
    )
    first, same, other = (Seeds(text).digest for text in (b"a class", b"a class", b"another"))
    assert first == same != other
    assert min(rounds) >= 100_000


# How much


def test_results_are_small_whatever_is_said():
    long = "x" * 10**6
    check = Check(name=long, exercise=long, points=0, of=1, passed=False, sentence=long, share=long)
    some = Check(name="a", exercise="", points=0, of=1, passed=False, share="y" * 20_000)
    part = MilestoneMark(
        milestone="M4", title=long, points=0, of=1, checks=(check, *[some] * 30), capped=long
    )
    marks = Marks(
        submission=long,
        student=long,
        assignment="M4",
        box="",
        milestones=(part,),
        told=[long] * 10**5,
    )
    assert len(to_json(marks)) < MOST_BYTES
    assert len(marks.told) == MOST_TOLD
    assert marks.told[-1] == f"There are {10**5 - MOST_TOLD + 1:,} more sentences like these."
    shares = [len(each.share) for each in marks.milestones[0].checks]
    assert shares[:2] == [0, 20_000]
    assert shares[-1] == 0


def test_cells_that_are_no_python_are_told_by_the_few(boxes, tmp_path):
    cells = ["# exercise('2.1').check(\n("] * 500
    cells.append("# exercise('2.1').check(\n" + rule("return message_term > term"))
    file = write(tmp_path / "eve.ipynb", cells)
    has = contents_of(file.read_bytes(), ".ipynb", Wanted([exercise("2.1")]), boxes)
    sentences = has.answers["2.1"].told
    assert sentences[0] == "Exercise 2.1: 495 more cells are no Python"
    assert len(sentences) == 6
    assert has.answers["2.1"].source is not None


@pytest.mark.parametrize(
    "words", ["'x' * 400_000", "random.Random(self.now).randbytes(2**17).hex()"]
)
def test_a_program_that_says_much_is_stopped_and_told_so(words, boxes, monkeypatch):
    monkeypatch.setattr(boxed, "MOST_BYTES", 1 << 20)
    text = '"text": text})'
    program = reference("M4")
    assert program.count(text) == 1
    found = MachineJudge(boxes, CLASSES[0]).judge(M4, program.replace(text, f'"text": {words}}})'))
    assert sum(each.points for each in found.checks) == 0
    assert "bytes in a run" in found.checks[0].sentence
    assert "not tried any more" in found.checks[1].sentence
    assert len(to_json(_marks(found))) < MOST_BYTES


def _marks(found):
    part = MilestoneMark(milestone="M4", title="", points=0, of=15, checks=found.checks)
    return Marks(submission="e", student="e", assignment="M4", box="", milestones=(part,))


# How long


def test_the_answers_of_a_milestone_have_one_bound(boxes, monkeypatch):
    waited = Waited()
    assert judged(boxes, rule("return message_term > term"), waited=waited).checks[0].passed
    assert waited.took_s > 0
    waited.took_s = MOST_S + 1
    late = judged(boxes, rule("return message_term > term"), waited=waited)
    assert sum(each.points for each in late.checks) == 0
    assert TOO_LONG in late.checks[0].sentence
    seen = []
    monkeypatch.setattr(Judge, "judge", lambda *given: seen.append(given[-1]) or judge.Judged(()))
    wanted = Wanted([exercise(number) for number in M1.parts])
    Marker(boxes, CLASSES[0], "").mark(M1, contents_of(b"x = 1", ".py", wanted, boxes), "eve")
    assert len(seen) == len(M1.parts)
    assert all(each is seen[0] for each in seen)


def test_processes_that_are_asked_again_share_the_bound_of_a_program(boxes, tmp_path):
    waited = Waited()
    machine = boxed.BoxedProcess(reference("M4"), boxes, tmp_path / "own", waited)
    rl.Cluster(3, seed=1, machine=machine).elect()
    before = waited.took_s
    rl.Cluster(3, seed=1, machine=machine.afresh()).elect()
    assert waited.took_s > before > 0
    machine.end()


def test_a_program_has_one_bound_whatever_it_is_asked(boxes):
    machines, waited = MachineJudge(boxes, CLASSES[0]), Waited()
    machines.offers(reference("M7"), waited)
    before = waited.took_s
    machines.judge(one_trial(SNAPSHOTS), reference("M7"), waited)
    assert waited.took_s > before > 0
    waited.took_s = MOST_S + 1
    late = machines.judge(M4, reference("M4"), waited)
    assert sum(each.points for each in late.checks) == 0
    assert "all in all its answers take too long" in late.checks[0].sentence


@pytest.mark.parametrize(
    ("kind", "text"),
    [("hung", boxed.TOO_LONG), ("storm", boxed.ENDLESS), ("storm", boxed.TOO_MUCH)],
)
def test_a_bound_is_told_the_same_whoever_starts_when_it_is_reached(kind, text):
    faults = MachineFault(kind, text), CannotStart(kind, f"S1 cannot start: {text}")
    said = {machine_judge.what_went_wrong(each) for each in faults}
    assert said == {f"its program was stopped: {text}"}


def test_all_options_of_a_program_share_its_bound(boxes, monkeypatch):
    seen = []

    def made(source, boxes, folder, waited, abilities):
        seen.append(waited)
        return boxed.BoxedProcess(source, boxes, folder, waited, abilities)

    monkeypatch.setattr(machine_judge, "BoxedProcess", made)
    of_m7 = replace(M7, options=tuple(map(one_trial, M7.options)))
    mark_of_machine(MachineJudge(boxes, CLASSES[0]), of_m7, reference("M7"))
    assert len(seen) == 1 + len(M7.options)
    assert all(each is seen[0] for each in seen)


def one_trial(option):
    """An option with its first trial alone."""
    return replace(option, parts=dict([*option.parts.items()][:1]))


def test_who_is_ended_leaves_no_folder(tmp_path):
    (tmp_path / "seeds.txt").write_text("seeds of a class that nobody has")
    (tmp_path / "eve.py").write_text(
        rule("while True: pass").replace("while True", "for _ in iter(int, 1)")
    )
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "raftlab", "grade", str(tmp_path / "eve.py")]
    command += ["--assignment", "M2", "--seeds", str(tmp_path / "seeds.txt")]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--json"],
        env=environment,
        stdout=subprocess.PIPE,
    )
    while not any((tmp_path / "tmp").glob("raftlab-box-*/lib")):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)
    assert json.loads(said)["interrupted"]
    assert not any((tmp_path / "tmp").iterdir())


# What lies in folders


def folder_of_long_names(home):
    """Folders in each other whose path is longer than a system takes."""
    before = os.getcwd()
    home.mkdir()
    os.chdir(home)
    try:
        for _ in range(18):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
    finally:
        os.chdir(before)


def remove_long_names(home):
    subprocess.run(["rm", "-rf", str(home)], check=True)


def marks_of(folder, to):
    batch = Batch("M1", CLASSES[0], kind_for(), to)
    return [each.marks for each in grade(submissions_in([folder]), batch)]


def test_a_folder_that_cannot_be_read_costs_its_student_alone(tmp_path):
    home = tmp_path / "in"
    home.mkdir()
    folder_of_long_names(home / "eve")
    (home / "bob").mkdir()
    (home / "bob" / "a.py").write_text("x = 1")
    try:
        found = marks_of(home, tmp_path / "out")
    finally:
        remove_long_names(home / "eve")
    assert [each.student for each in found] == ["bob", "eve"]
    assert "a folder is not marked" in found[1].told[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_folder_costs_its_student_alone(tmp_path):
    for each in ("bob", "eve"):
        (tmp_path / each).mkdir()
        (tmp_path / each / "a.py").write_text("x = 1")
    (tmp_path / "eve").chmod(0)
    found = submissions_in([tmp_path])
    (tmp_path / "eve").chmod(0o700)
    assert sorted(each.student for each in found) == ["bob", "eve"]


def test_of_many_files_of_one_student_the_first_are_marked(tmp_path):
    for name, count in (("bob", 1), ("eve", MOST_FILES + 30)):
        (tmp_path / name).mkdir()
        for place in range(count):
            (tmp_path / name / f"{place:02}.py").write_text("x = 1")
    found = submissions_in([tmp_path])
    assert [each.student for each in found].count("bob") == 1
    eves = [each.path.name for each in found if each.student == "eve"]
    assert eves == [*(f"{place:02}.py" for place in range(MOST_FILES)), "eve"]
