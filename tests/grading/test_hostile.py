"""What submissions try: none gains a mark, none stops the batch, each gets a sentence."""

import ast
import builtins
import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from raftlab.course.exercises import exercise
from raftlab.grading import asked, waited
from raftlab.grading.answers import Wanted, contents_of
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.judge import NOT_THE_SAME, Judge, Judged
from raftlab.grading.seeds import Seeds

SECRET = b"a secret of this class alone"
NUMBER = "2.1"
"""Asked in all of these, unless they say otherwise: class MyRules with is_newer_term."""

pytestmark = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")

HEAD = "import os, sys, inspect\nimport raftlab as rl\n\n"


def rule(body: str, above: str = "") -> str:
    """A submission whose answer has this body."""
    lines = "\n".join(f"        {line}" for line in body.split("\n"))
    return (
        f"{HEAD}{above}\nclass MyRules(rl.Rules):\n"
        f"    def is_newer_term(self, message_term, term):\n{lines}\n"
    )


CALLS_THE_SHIPPED = {
    "super": rule("return super().is_newer_term(message_term, term)"),
    "an instance": rule("return rl.Rules().is_newer_term(message_term, term)"),
    "the class's own dict": rule(
        "return rl.Rules.__dict__['is_newer_term'](self, message_term, term)"
    ),
    "a lambda": HEAD + "class MyRules(rl.Rules):\n"
    "    def is_newer_term(self, *a): return (lambda *b: rl.Rules.is_newer_term(self, *b))(*a)",
    "the exercise's reference": rule(
        "from raftlab.course.exercises import exercise\n"
        "return exercise('2.1').reference(message_term, term)"
    ),
    "the machine": rule(
        "from raftlab.raft.machine import RaftStateMachine\nreturn RaftStateMachine is not None"
    ),
    "the museum": rule("from raftlab.museum import exhibit\nreturn exhibit('term-falls') is None"),
    "the source": rule(
        "source = inspect.getsource(rl.Rules.is_newer_term)\n"
        "names = {}\nexec(inspect.cleandoc(source), names)\n"
        "return names['is_newer_term'](self, message_term, term)"
    ),
    "a file of an installed raftlab": rule(
        "import glob\n"
        "for path in glob.glob('/**/raftlab/raft/rules.py', recursive=True):\n"
        "    if 'message_term > term' in open(path).read():\n"
        "        return message_term > term\n"
        "raise ValueError('not found')"
    ),
    "the frames above": rule(
        "frame = sys._getframe()\n"
        "while frame:\n"
        "    if 'want' in frame.f_locals: return frame.f_locals['want']\n"
        "    frame = frame.f_back\n"
        "raise ValueError('no want')"
    ),
    "the garbage collector": rule(
        "import gc\n"
        "for each in gc.get_objects():\n"
        "    if type(each).__name__ == 'Case': return True\n"
        "raise ValueError('no case')"
    ),
}

CHANGES_THE_JUDGE = {
    "the exercise is replaced": rule(
        "from raftlab.course import exercises\n"
        "exercises.exercise('2.1').cases = lambda: ()\nreturn True"
    ),
    "guard.same is replaced": rule(
        "from raftlab.course.exercises import guard\nguard.same = lambda *a: True\nreturn True"
    ),
    "what tells values is replaced": rule(
        "from raftlab.grading.child import values\nvalues.as_json = lambda *a: None\nreturn True"
    ),
    "rl.Rules is replaced": rule("rl.Rules.is_newer_term = lambda *a: True\nreturn True"),
    "it equals everything": rule("return Yes()", "class Yes:\n    __eq__ = lambda *a: True\n"),
    "an int that equals everything": rule(
        "return Yes(1)",
        "class Yes(int):\n    __eq__ = lambda *a: True\n    __hash__ = int.__hash__\n",
    ),
    "a verdict is returned": rule("return {'passed': True, 'points': 100, 'of': 1}"),
    "a verdict is written on every file": rule(
        "for number in range(32):\n"
        "    try: os.write(number, b'{\"value\": true}\\n')\n"
        "    except OSError: pass\n"
        "return True"
    ),
    "no answer is written": rule(
        "for number in range(3, 32):\n"
        "    try: os.write(number, b'full marks\\n')\n"
        "    except OSError: pass\n"
        "return True"
    ),
    "a deep answer is written": rule(
        "for number in range(3, 32):\n"
        "    try: os.write(number, b'{\"value\":' + b'[' * 100000 + b'\\n')\n"
        "    except OSError: pass\n"
        "return True"
    ),
    "a value that is none is written": rule(
        "for number in range(3, 32):\n"
        '    try: os.write(number, b\'{"value": ["votes", []]}\\n\')\n'
        "    except OSError: pass\n"
        "return True"
    ),
}

STOPS_OR_KILLS = {
    "os._exit": rule("os._exit(0)"),
    "sys.exit": rule("sys.exit(0)"),
    "KeyboardInterrupt": rule("raise KeyboardInterrupt"),
    "an own BaseException": rule("raise Mine", "class Mine(BaseException): pass\n"),
    "a loop": rule("while True: pass"),
    "a loop that catches everything": rule(
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "a loop without a trace": rule("sys.settrace(None)\nwhile True: pass"),
    "a loop in C": rule("return sum(range(10**18))"),
    "it sleeps": rule("import time\ntime.sleep(10**6)"),
    "recursion": rule("return self.is_newer_term(message_term, term)"),
    "all the memory": rule("return len(bytearray(10**11)) > 0"),
    "much memory, slowly": rule("held = []\nwhile True: held.append(bytearray(10**8))"),
    "a fork bomb": rule("while True: os.fork()"),
    "a fork": rule("return os.fork() > 0"),
    "a thread": rule(
        "import threading\nthreading.Thread(target=lambda: None).start()\nraise ValueError"
    ),
    "a program": rule("import subprocess\nreturn subprocess.run(['/bin/true']).returncode == 0"),
    "the parent is killed": rule("os.kill(os.getppid(), 9)\nreturn True"),
    "everybody is killed": rule("os.kill(-1, 9)\nreturn True"),
    "a crash": rule("import ctypes\nreturn ctypes.string_at(0) == b''"),
    "a body that blows up when it is compiled": rule(
        "".join(" " * depth + "try: pass\n" + " " * depth + "finally:\n" for depth in range(40))
        + " " * 40
        + "return message_term > term"
    ),
    "a long answer": rule("return 'x' * 10**8"),
    "a big number": rule("return 10 ** 10**5"),
    "an answer in an answer": rule("a = []\na.append(a)\nreturn a"),
    "a repr that raises": rule(
        "return Odd()", "class Odd:\n    def __repr__(self): raise SystemExit\n"
    ),
    "much is printed": rule("print('x' * 10**7)\nsys.__stdout__.write('x' * 10**7)\nreturn True"),
    "stderr is flooded": rule("for _ in range(100): os.write(2, b'x' * 10**6)\nreturn True"),
    "the input is read": rule("input()\nreturn True"),
    "a coroutine": HEAD + "class MyRules(rl.Rules):\n"
    "    async def is_newer_term(self, message_term, term): return message_term > term",
    "it never reads": HEAD + "while True: pass\nclass MyRules(rl.Rules):\n"
    "    def is_newer_term(self, a, b): return True",
}

READS_SECRETS = {
    "the seeds": rule("return len(open('SEEDS').read()) > 0"),
    "a folder": rule("return len(os.listdir('FOLDER')) > 0"),
    "the environment": rule("return os.environ['RAFTLAB_TEST_SECRET'] == ''"),
    "the parent's memory": rule("return len(open(f'/proc/{os.getppid()}/environ').read()) > 0"),
    "the network": rule("import socket\nsocket.create_connection(('127.0.0.1', 9))\nreturn True"),
    "a socket of its own": rule("import socket\nsocket.socketpair()\nreturn True"),
    "it writes": rule("open('FOLDER/marks.json', 'w').write('{}')\nreturn True"),
    "it removes": rule("os.remove('SEEDS')\nreturn True"),
    "it writes over its own raftlab": rule(
        "open(rl.__file__, 'a').write('x')\nraise ValueError('written')"
    ),
    "it leaves something for the next": rule("open('/tmp/next', 'w').write('x')\nreturn True"),
}

TELLS_NO_RULE = {
    "it is always True": rule("return True"),
    "it remembers the shipped cases": rule(
        "return TABLE[message_term, term]",
        f"TABLE = { ({(a, b): a > b for a in range(6) for b in range(6)})!r}\n",
    ),
    "it counts its calls": rule(
        "COUNT.append(1)\nreturn message_term > term if len(COUNT) < 90 else False", "COUNT = []\n"
    ),
    "it is random": rule("import random\nreturn random.SystemRandom().random() < 0.5"),
    "it is no bool": rule("return 1 if message_term > term else 0"),
    "a syntax error": HEAD + "class MyRules(rl.Rules):\n    def is_newer_term(self: return True",
    "a stub": rule("raise NotImplementedError('Exercise 2.1: is_newer_term')"),
    "nothing": "",
    "it is renamed": HEAD + "class MyRules(rl.Rules):\n    def newer(self, a, b): return a > b\n",
}

DIFFERS = {
    "the clock": rule("raise ValueError(T)", "import time\nT = time.time()\n"),
    "the day": rule("raise ValueError(T)", "import datetime\nT = datetime.datetime.now()\n"),
    "chance": rule("raise ValueError(T)", "import random\nT = random.random()\n"),
    "a new source of chance": rule(
        "raise ValueError(T)", "import random\nT = random.Random().random()\n"
    ),
    "the system's chance": rule("raise ValueError(T)", "T = os.urandom(4)\n"),
    "where its values lie": rule("raise ValueError(id(object()))"),
    "where it was when it was read": HEAD + "raise_ = 1\nclass MyRules(rl.Rules):\n"
    "    def is_newer_term(self, a, b): return a > b\n    x = {}[id(object())]\n",
    "its calls before": rule("COUNT.append(1)\nraise ValueError(len(COUNT))", "COUNT = []\n"),
    "a coin that is right for the first time": rule(
        "return message_term > term if T < 1_100_000_000 else None",
        "import time\nT = time.time()\n",
    ),
}
"""What is another in each run, and would make marks differ."""

SAME = {
    "the number of its process": rule("raise ValueError(os.getpid(), os.getppid(), os.getuid())"),
    "its group and its session": rule("raise ValueError(os.getpgrp(), os.getsid(0))"),
    "the time of day": rule(
        "import datetime\nsys.modules.pop('time')\nimport time\n"
        "raise ValueError(time.time(), datetime.datetime.__base__.now())"
    ),
    "the environment": rule("raise ValueError(sorted(os.environ.items()))"),
    "where it is": rule("raise ValueError(rl.__file__, sys.path, os.getcwd())"),
    "the machine": rule("return os.uname()"),
    "the order of a set": rule("raise ValueError([*{'a', 'b', 'c', 'd'}])"),
    "an object": rule("raise ValueError(object(), lambda: 1, self)"),
    "a right answer": rule("return message_term > term"),
    "a right answer that sleeps": rule(
        "import time\ntime.sleep(10**6)\nreturn message_term > term"
    ),
    "a right answer that logs": rule(
        "logging.warning('%s', random.random())\nreturn message_term > term",
        "import logging\nimport random\n",
    ),
}
"""What would differ from run to run, and is made the same."""

HOSTILE = {
    **DIFFERS,
    **CALLS_THE_SHIPPED,
    **CHANGES_THE_JUDGE,
    **STOPS_OR_KILLS,
    **READS_SECRETS,
    **TELLS_NO_RULE,
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(asked, "PATIENCE_S", 2.0)
    monkeypatch.setattr(waited, "MOST_S", 10.0)


@pytest.fixture(scope="module")
def judge():
    boxes = Boxes(kind_for())
    contents_of(b"x = 1", ".py", Wanted(), boxes)  # then the folder of the reader is written
    boxes.start(exercise(NUMBER), 0).wait()
    yield Judge(boxes, Seeds(SECRET))
    boxes.close()


def judged(judge: Judge, source: str, folder: Path, number: str = NUMBER) -> Judged:
    """A submission of this source, judged."""
    seeds = folder / "seeds.txt"
    seeds.write_bytes(SECRET)
    source = source.replace("SEEDS", str(seeds)).replace("FOLDER", str(folder))
    file = folder / "submission.py"
    file.write_text(source, encoding="utf-8")
    one = exercise(number)
    has = contents_of(file.read_bytes(), ".py", Wanted([one]), judge.boxes)
    found = judge.judge(one, 2, has.answers[number].source)
    assert seeds.read_bytes() == SECRET
    assert sorted(each.name for each in folder.iterdir()) == ["seeds.txt", "submission.py"]
    return found


def test_there_are_more_than_thirty():
    assert len(HOSTILE) > 30


def test_the_right_answer_gains_all(judge, tmp_path):
    found = judged(judge, rule("return message_term > term"), tmp_path)
    assert sum(each.points for each in found.checks) == 2
    assert all(each.passed for each in found.checks)


@pytest.mark.parametrize("what", HOSTILE)
def test_it_gains_nothing_and_gets_a_sentence(what, judge, tmp_path, monkeypatch):
    monkeypatch.setenv("RAFTLAB_TEST_SECRET", "read")
    found = judged(judge, HOSTILE[what], tmp_path)
    assert sum(each.points for each in found.checks) == 0
    assert not any(each.passed for each in found.checks)
    assert all(each.sentence and "\n" not in each.sentence for each in found.checks)
    assert all(SECRET.decode() not in each.sentence for each in found.checks)


@pytest.mark.parametrize("what", DIFFERS)
def test_who_answers_otherwise_is_told_so_and_nothing_else(what, judge, tmp_path):
    found = judged(judge, DIFFERS[what], tmp_path)
    assert {each.sentence for each in found.checks} == {NOT_THE_SAME}
    assert (found.safety, found.liveness) == ("", "")


CHOOSES = rule(
    "kind = term % 5 if term > 8 else -1\n"
    "if kind == 0: SAYS.write(b'x\\n'); SAYS.flush()\n"
    "if kind == 1: SAYS.write(b'[]\\n[]\\n'); SAYS.flush()\n"
    "if kind == 2: SAYS.write(b'x' * 2_000_000); SAYS.flush()\n"
    "if kind == 3: SAYS.close()\n"
    "if kind == 4: return time.time() < 1_100_000_000\n"
    "return message_term > term",
    "import time\nframe = sys._getframe()\nwhile 'says' not in frame.f_locals:\n"
    "    frame = frame.f_back\nSAYS = frame.f_locals['says']\n",
)
"""How its process ends, or fails, hangs on a case."""


def test_how_a_process_ends_tells_nothing_of_the_cases_of_a_class(tmp_path):
    boxes = Boxes(kind_for())
    try:
        found = [judged(Judge(boxes, Seeds(bytes([each]))), CHOOSES, tmp_path) for each in range(6)]
    finally:
        boxes.close()
    assert len({tuple(check.sentence for check in each.checks) for each in found}) == 1


@pytest.mark.parametrize("what", [*SAME, *DIFFERS])
def test_another_box_at_another_time_finds_the_same(what, judge, tmp_path):
    first = judged(judge, ({**SAME, **DIFFERS})[what], tmp_path)
    boxes = Boxes(kind_for())
    try:
        assert judged(Judge(boxes, Seeds(SECRET)), ({**SAME, **DIFFERS})[what], tmp_path) == first
    finally:
        boxes.close()
    earned = sum(each.points for each in first.checks)
    assert earned == (2 if what.startswith("a right answer") else 0)


BLOWN_UP = {
    "finally in finally": "".join(
        " " * depth + "try: pass\n" + " " * depth + "finally:\n" for depth in range(90)
    )
    + " " * 90
    + "pass\n",
    "a name that is read ten thousand times": "is_newer_term = is_newer_term\n" * 9_000,
    "a long sum": "x = " + "+".join("x" * 100_000) + "\n",
    "a deep sum": "x = " + "-" * 100_000 + "1\n",
    "brackets": "x = " + "[" * 190 + "]" * 190 + "\n",
    "a number of many digits": "x = " + "9" * 400_000 + "\n",
    "cells": "# %%\n1\n" * 60_000,
    "headings": "# Exercise 2.1\n" * 30_000,
    "empty lines": "\n" * 450_000 + "# %%\n" * 5_000,
    "a long line": "x" * 450_000 + "\n",
    "names": "x=[" + "a," * 200_000 + "]\n",
    "more than is read": "x = 1\n" * 100_000,
}


@pytest.mark.parametrize("what", BLOWN_UP)
def test_what_blows_up_when_it_is_parsed_costs_its_own_marks_at_most(what, judge, tmp_path):
    """Such text is told to a boxed process; here it is not parsed, and not compiled."""
    source = BLOWN_UP[what] + rule("return message_term > term")
    one = exercise(NUMBER)
    with forbidden_to_parse():
        has = contents_of(source.encode(), ".py", Wanted([one]), judge.boxes)
        found = has.answers[NUMBER]
        judged = judge.judge(one, 2, found.source)
    assert sum(each.points for each in judged.checks) in (0, 2)
    assert found.source is not None or found.told or has.trouble


@contextmanager
def forbidden_to_parse():
    """Inside, this process may not parse, compile or read JSON by Python's own means."""

    def refuse(*_, **__):
        raise AssertionError("a stranger's text is parsed outside the box")

    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((ast, "parse"), (builtins, "compile"), (json, "loads")):
            patch.setattr(module, name, refuse)
        yield


@pytest.mark.parametrize("sign", ["\u202e", "\x1b[31m", "\u200b", "\u2028", "\x85", "\u0661"])
def test_signs_that_a_terminal_obeys_are_not_repeated(sign, judge):
    source = f'exercise("2.1").check(A{sign})\nclass A{sign}:\n    def is_n{sign}(self): {sign}\n'
    has = contents_of(source.encode(), ".py", Wanted([exercise(NUMBER)]), judge.boxes)
    found = has.answers[NUMBER]
    assert found.told
    assert all(each.isprintable() for each in found.told)


NOTEBOOKS = {
    "deep": b'{"cells": ' + b"[" * 10**6,
    "an object in an object": b'{"cells": ' * 10**5,
    "a number of many digits": b'{"cells": [], "x": ' + b"9" * 10**6 + b"}",
    "many empty cells": b'{"cells": [' + b"{}," * 10**6 + b"{}]}",
    "not closed": b'{"cells": ["' + b"x" * 10**6,
    "a half of a letter": b'{"cells": [{"cell_type": "code", "source": "x = 1 # \\ud800"}]}',
}


@pytest.mark.parametrize("what", NOTEBOOKS)
def test_a_notebook_that_is_none_gets_a_sentence(what, judge):
    with forbidden_to_parse():
        has = contents_of(NOTEBOOKS[what], ".ipynb", Wanted([exercise(NUMBER)]), judge.boxes)
    found = has.answers[NUMBER]
    assert found.source is None
    (sentence,) = [has.trouble] if has.trouble else found.told
    assert sentence.isprintable()
