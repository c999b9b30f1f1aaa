"""Answers that took no thought: a table of the cases that all can see, and what the package has."""

import json
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from raftlab.course.exercises import exercise, guard
from raftlab.grading import folder
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.child.values import as_json
from raftlab.grading.folder import write_folder, write_library
from raftlab.grading.judge import Judge
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.seeds import Seeds
from raftlab.raft.rules import Rules
from tests.grading.test_hostile import judged

SEEDS = [Seeds(f"a class of its own: {place}".encode()) for place in range(3)]
NUMBERS = [number for name in ("M1", "M2", "M3") for number in MILESTONES[name].parts]
WHOLE = ("2.2", "2.3")
"""A table is an answer: these ask for all that there is (a dozen arrows; two facts)."""
OTHERWISE = ("5.1", "5.3", "6.3")
"""What has many right answers, and is looked at in another way: below."""
in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")


def of_class(number, seeds):
    """The exercise with the cases of a class."""
    return Judge(None, seeds)._with_seeds(exercise(number))


def key(arguments):
    return json.dumps(list(map(as_json, arguments)))


@pytest.mark.parametrize("seeds", SEEDS, ids=range(len(SEEDS)))
@pytest.mark.parametrize("number", [each for each in NUMBERS if each not in (*WHOLE, *OTHERWISE)])
def test_a_table_of_the_cases_that_all_can_see_is_no_answer(number, seeds):
    """Whatever it says where it knows nothing, of all that it knows."""
    shipped, ours = exercise(number), of_class(number, seeds)
    table = {key(each.fresh()): after(shipped, each) for each in shipped.every_case}
    common = Counter(key([got]) for got, _ in table.values()).most_common(8)
    for otherwise in (got for got, _ in table.values() if key([got]) in dict(common)):
        common = [each for each in common if each[0] != key([otherwise])]

        def answer(*arguments, otherwise=otherwise):
            got, left = table.get(key(arguments), (otherwise, None))
            if left is not None:
                arguments[0].truncate_uncommitted(arguments[0].first_index)
                arguments[0].append_as_follower(left)
            return got

        wrong = [each for each in ours.every_case if ours.failure(answer, each) is not None]
        assert len(wrong) >= 5, otherwise


def after(shipped, case):
    """What the reference answers to a case; where it may change a log, what it leaves of it."""
    given = case.fresh()
    got = guard.call(shipped.reference, *given)
    return got, tuple(given[0]) if shipped.changes else None


@pytest.mark.parametrize("seeds", SEEDS, ids=range(len(SEEDS)))
def test_timeouts_for_three_networks_are_no_answer(seeds):
    known = {15: (150, 300), 100: (1000, 2000), 2: (20, 40)}
    one = of_class("5.3", seeds)
    for otherwise in known.values():
        assert [
            each
            for each in one.every_case
            if one.failure(lambda ms, other=otherwise: known.get(ms, other), each) is not None
        ]


@pytest.mark.parametrize("seeds", SEEDS, ids=range(len(SEEDS)))
def test_a_table_of_the_hints_that_all_can_see_is_slow(seeds):
    shipped, ours = exercise("6.3"), of_class("6.3", seeds)
    table = {}

    class Learning(Rules):
        def next_index_after(self, *arguments):
            return table.setdefault(key(arguments), super().next_index_after(*arguments))

    class Tabled(Rules):
        def next_index_after(self, *arguments):
            return table.get(key(arguments), max(arguments[0].non_matching_index - 1, 1))

    def slow(one, answer):
        return [each for each in one.repairs if one.slow(answer, each) is not None]

    assert slow(ours, Learning) == []
    table.clear()
    assert slow(shipped, Learning) == []
    assert slow(shipped, Tabled) == []
    assert len(slow(ours, Tabled)) == 3  # where one step back is enough, any answer is quick


SKEWED: dict[str, Any] = {
    "near the least": lambda low, high, chance: low + (high - low) * chance**12,
    "rather early": lambda low, high, chance: low + (high - low) * chance**2,
    "rather late": lambda low, high, chance: high - (high - low) * chance**2,
    "in the middle": lambda low, high, chance: (
        (low + high) / 2 + (high - low) * (chance - 0.5) ** 3
    ),
    "at both ends": lambda low, high, chance: (
        low + (high - low) * (0.4 * chance if chance < 0.5 else 1 - 0.4 * (1 - chance))
    ),
}
FAIR: dict[str, Any] = {
    "usual": lambda low, high, chance: low + (high - low) * chance,
    "the other way round": lambda low, high, chance: high - (high - low) * chance,
}


@pytest.mark.parametrize("shape", [*SKEWED, *FAIR])
def test_times_that_are_not_about_as_likely_as_others_are_no_answer(shape):
    def answer(options, rng):
        return {**SKEWED, **FAIR}[shape](*options.election_timeout, rng.random())

    for one in (exercise("5.1"), *(of_class("5.1", seeds) for seeds in SEEDS)):
        assert bool(one.failures(answer)) == (shape in SKEWED)


def test_draws_that_all_can_see_are_no_answer():
    seeds = vars(type(exercise("5.1")))["drawn_from"]
    seen = {random.Random(seed).random() for seed in seeds}

    def answer(options, rng):
        low, high = options.election_timeout
        chance = rng.random()
        return low + (high - low) * (chance if chance in seen else chance**12)

    assert exercise("5.1").failures(answer) == []
    assert all(of_class("5.1", seeds).failures(answer) for seeds in SEEDS)


LOOK = """
import importlib, inspect, itertools, json, sys
from raftlab.grading.child.values import as_json, from_json

data = json.load(sys.stdin)
found = {}
for word in data["words"]:
    module = importlib.import_module(f"raftlab.raft.{word}")
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value):
            found[name] = value
        for inner, part in list(vars(value).items()) if inspect.isclass(value) else ():
            if inspect.isfunction(part):
                found[f"{name}.{inner}"] = getattr(value(), inner) if name == "Rules" else part
            elif isinstance(part, property):
                found[f"{name}.{inner}"] = part.fget
            elif isinstance(part, classmethod | staticmethod):
                found[f"{name}.{inner}"] = getattr(value, inner)
FORMS = {"": lambda got: got, "not ": lambda got: not got}

def fits(function, places, form):
    for arguments, want in data["cases"]:
        given = list(map(from_json, arguments))
        try:
            got = as_json(form(function(*(given[place] for place in places))))
        except BaseException:
            return False
        if got != want:
            return False
    return True

few, data["cases"] = data["cases"], data["cases"][::7]
likely = [
    (name, places, form)
    for name in found
    for count in range(5)
    for places in itertools.permutations(range(data["arguments"]), count)
    for form in FORMS
    if fits(found[name], places, FORMS[form])
]
data["cases"] = few
print(json.dumps([f"{f}{n}" for n, p, f in likely if fits(found[n], p, FORMS[f])]))
print(len(found))
"""
NO_RULE = ["not is_count", "_plain", "Rules.configuration_in_force"]
"""What compares two numbers, or hands back what it is given (in 6.1, an argument is the answer)."""


@pytest.mark.parametrize("number", [each for each in NUMBERS if each not in ("5.1", "5.3")])
def test_nothing_in_the_box_is_an_answer(number, tmp_path):
    """Every function, method and property, with the arguments in any order, and denied."""
    one = of_class(number, SEEDS[0])
    cases = [
        [list(map(as_json, each.fresh())), as_json(after(one, each)[0])] for each in one.every_case
    ]
    write_folder(one, tmp_path / "own")
    (tmp_path / "lib").mkdir()
    write_library(tmp_path / "lib")
    asks = {
        "words": [each for each in folder.WORDS if each != "__init__"],
        "cases": cases,
        "arguments": len(one.every_case[0].arguments),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", LOOK],
        input=json.dumps(asks),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{tmp_path}/own:{tmp_path}/lib"},
        check=True,
    )
    ready, count = map(json.loads, done.stdout.splitlines())
    assert count > 140
    assert [each for each in ready if each not in NO_RULE] == []


ADAPTED = {
    "majority by what a majority has reached": (
        "4.1",
        "from raftlab.raft.quorum import majority_index\n"
        "def majority(size):\n    return size - majority_index(range(size))\n",
    ),
    "majority by trying": (
        "4.1",
        "from raftlab.raft.quorum import is_quorum\nimport raftlab as rl\n"
        "def majority(size):\n"
        "    names = [str(n) for n in range(size)]\n"
        "    voters = rl.Configuration(tuple(names))\n"
        "    return next(n for n in range(size + 1) if is_quorum(names[:n], voters))\n",
    ),
    "majority by an election": (
        "4.1",
        "import raftlab as rl\n"
        "def majority(size):\n"
        "    votes = rl.Votes(rl.Configuration(tuple(str(n) for n in range(size))))\n"
        "    for n in range(size):\n"
        "        votes.register_vote(str(n), True)\n"
        "        if rl.Rules().tally_vote(votes) is rl.ElectionResult.WON: return n + 1\n",
    ),
    "a tally by quorums": (
        "4.2",
        "import raftlab as rl\nfrom raftlab.raft.quorum import is_quorum\n"
        "class B(rl.Rules):\n"
        "    def tally_vote(self, v):\n"
        "        won = [n for n, y in v.answers.items() if y]\n"
        "        lost = [n for n, y in v.answers.items() if not y]\n"
        "        c = rl.Configuration(v.trackers[0].voters)\n"
        "        if is_quorum(won, c): return rl.ElectionResult.WON\n"
        "        left = set(c.voters) - set(lost)\n"
        "        return rl.ElectionResult.UNKNOWN if is_quorum(left, c)"
        " else rl.ElectionResult.LOST\n",
    ),
    "a match by quorums": (
        "7.1",
        "import raftlab as rl\nfrom raftlab.raft.quorum import is_quorum\n"
        "class B(rl.Rules):\n"
        "    def majority_match_index(self, m, c):\n"
        "        return max(i for i in {0, *m.values()}"
        " if is_quorum([n for n in m if m[n] >= i], c))\n",
    ),
    "a match by elections": (
        "7.1",
        "import raftlab as rl\n"
        "class B(rl.Rules):\n"
        "    def majority_match_index(self, m, c):\n"
        "        def won(i):\n"
        "            v = rl.Votes(c)\n"
        "            for n in m: m[n] >= i and v.register_vote(n, True)\n"
        "            return v.tally_vote() is rl.ElectionResult.WON\n"
        "        return max(i for i in {0, *m.values()} if won(i))\n",
    ),
    "the check by what is still there": (
        "1.1",
        "import raftlab as rl\n"
        "class B(rl.Rules):\n"
        "    def accepts_append(self, log, i, t):\n"
        "        return self.is_still_there(rl.LogEntry(i, t, rl.Empty()), log)\n",
    ),
}


@in_a_box
@pytest.mark.parametrize("what", ADAPTED)
def test_what_is_adapted_is_no_answer(what, tmp_path):
    number, source = ADAPTED[what]
    boxes = Boxes(kind_for())
    try:
        found = judged(Judge(boxes, SEEDS[0]), source, tmp_path, number)
    finally:
        boxes.close()
    assert sum(each.points for each in found.checks) == 0
    assert "package" in found.checks[0].sentence
