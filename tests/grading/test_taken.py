"""An answer is what Python would see, in the styles that students write in."""

import json
import random
import sys
from types import ModuleType
from typing import NamedTuple

import pytest

from raftlab.course.exercises import guard
from raftlab.course.my_raft import SECTION
from raftlab.grading.child import running, serve, values
from raftlab.grading.child.answers import Wanted, cells_of, find
from raftlab.grading.fresh import MANY, MOST_SERVERS, fresh_cases
from raftlab.sim.world.arguments import MOST_NODES

MAJORITY = Wanted("4.1", "majority", False)
NEWER = Wanted("2.1", "is_newer_term", True)
BOX = 'exercise("4.1").check(majority)'

TAKEN = {
    "a helper": ["def more(n):\n    return n // 2 + 1", "def majority(n):\n    return more(n)"],
    "a table filled by a loop": [
        "TABLE = {}\nfor n in range(9):\n    TABLE[n] = n // 2 + 1",
        "def majority(n):\n    return TABLE[n]",
    ],
    "a table filled by update": [
        "TABLE = {}",
        "TABLE.update({n: n // 2 + 1 for n in range(9)})",
        "def majority(n):\n    return TABLE[n]",
    ],
    "a list filled by append": [
        "HALVES = []",
        "for n in range(9):\n    HALVES.append(n // 2)",
        "def majority(n):\n    return HALVES[n] + 1",
    ],
    "a table filled by setdefault": [
        "TABLE = {}\nTABLE.setdefault(5, []).append(3)",
        "def majority(n):\n    return TABLE[n][0]",
    ],
    "a table filled under another name": [
        "TABLE = {}\nalias = TABLE\nalias[5] = 3",
        "def majority(n):\n    return TABLE[n]",
    ],
    "a table filled by a function": [
        "TABLE = {}\ndef fill():\n    for n in range(9):\n        TABLE[n] = n // 2 + 1\nfill()",
        "def majority(n):\n    return TABLE[n]",
    ],
    "a decorator that registers": [
        "RULES = []\ndef rule(function):\n    RULES.append(function)\n    return function",
        "@rule\ndef odd(n):\n    return n // 2 + 1",
        "def majority(n):\n    return RULES[0](n)",
    ],
    "singledispatch": [
        "from functools import singledispatch\n@singledispatch\ndef more(n):\n    raise TypeError",
        "@more.register\ndef _(n: int):\n    return n // 2 + 1",
        "def majority(n):\n    return more(n)",
    ],
    "a with statement": [
        "from contextlib import contextmanager\nTABLE = {}\n@contextmanager\ndef filled():\n"
        "    yield TABLE",
        "with filled() as table:\n    table[5] = 3",
        "def majority(n):\n    return TABLE[n]",
    ],
    "globals()": [
        "globals()['more'] = lambda n: n // 2 + 1",
        "def majority(n):\n    return more(n)",
    ],
    "functions found by their names": [
        "def step_half(n):\n    return n // 2\ndef step_more(n):\n    return n + 1",
        "steps = [f for name, f in list(globals().items()) if name.startswith('step_')]",
        "def majority(n):\n    for step in steps:\n        n = step(n)\n    return n",
    ],
    "the program's own block": [
        "TABLE = {}\nif __name__ == '__main__':\n    TABLE[5] = 3",
        "def majority(n):\n    return TABLE[n]",
    ],
    "import *": ["from math import *", "def majority(n):\n    return floor(n / 2) + 1"],
    "import * in vain": ["from no_such_module import *", "def majority(n):\n    return n // 2 + 1"],
    "annotations from the future": [
        "from __future__ import annotations",
        "def majority(n: Number) -> Number:\n    return n // 2 + 1",
    ],
    "no such future": ["from __future__ import braces", "def majority(n):\n    return n // 2 + 1"],
    "a helper mended below": [
        "def more(n):\n    return n // 2",
        "def majority(n):\n    return more(n)",
        "def more(n):\n    return n // 2 + 1",
    ],
    "a helper mended below, checked once more": [
        "def more(n):\n    return n // 2",
        f"def majority(n):\n    return more(n)\n{BOX}",
        "def more(n):\n    return n // 2 + 1",
        BOX,
    ],
    "a helper of that name for something else, below its check": [
        "def more(n):\n    return n // 2 + 1",
        f"def majority(n):\n    return more(n)\n{BOX}",
        "def more(a, b):\n    return a > b",
    ],
    "a helper below its check, and nowhere else": [
        f"def majority(n):\n    return more(n)\n{BOX}",
        "def more(n):\n    return n // 2 + 1",
    ],
    "a default of its time": [
        "one = 1",
        "def majority(n, one=one):\n    return n // 2 + one",
        "one = 2",
    ],
    "a decorator of its time": [
        "def traced(function):\n    return function",
        "@traced\ndef majority(n):\n    return n // 2 + 1",
        "def traced(function):\n    return None",
    ],
    "a cache": ["from functools import cache", "@cache\ndef majority(n):\n    return n // 2 + 1"],
    "a cache put around it": [
        "from functools import lru_cache",
        "def majority(n):\n    return n // 2 + 1\nmajority = lru_cache(maxsize=None)(majority)",
    ],
    "a partial": [
        "from functools import partial",
        "majority = partial(lambda more, n: n // 2 + more, 1)",
    ],
    "global state": [
        "calls = 0",
        "def majority(n):\n    global calls\n    calls += 1\n    return n // 2 + 1",
    ],
    "it calls itself": ["def majority(n):\n    return 1 if n < 2 else 1 + majority(n - 2)"],
    "it calls itself deep": ["def majority(n):\n    return n and n % 2 + majority(n - 1)"],
    "a walrus": ["if (more := 1):\n    pass", "def majority(n):\n    return n // 2 + more"],
    "match": [
        "def majority(n):\n    match n % 2:\n        case 1:\n            return n // 2 + 1\n"
        "        case _:\n            return n // 2 + 1"
    ],
    "a module that is patched": [
        "import math\nmath.more = lambda n: n // 2 + 1",
        "def majority(n):\n    return math.more(n)",
    ],
    "a module that is loaded again": [
        "import importlib, math\nmath = importlib.reload(math)",
        "def majority(n):\n    return math.floor(n / 2) + 1",
    ],
    "a dataclass": [
        "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\n"
        "class Size:\n    n: int\n    def more(self):\n        return self.n // 2 + 1",
        "def majority(n):\n    return Size(n).more()",
    ],
    "generics": [
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass Box(Generic[T]):\n"
        "    def __init__(self, held: T) -> None:\n        self.held = held",
        "def majority(n: int) -> int:\n    return Box[int](n // 2 + 1).held",
    ],
    "an enumeration": [
        "import enum\nclass More(enum.IntEnum):\n    ONE = 1",
        "def majority(n):\n    return n // 2 + int(More.ONE)",
    ],
    "a class whose object is called": [
        "class Majority:\n    def __call__(self, n):\n        return n // 2 + 1",
        "majority = Majority()",
    ],
    "a coroutine that is run": [
        "async def more(n):\n    return n // 2 + 1",
        "def majority(n):\n    try:\n        more(n).send(None)\n"
        "    except StopIteration as done:\n        return done.value",
    ],
    "pickle": [
        "import pickle\nclass Held:\n    pass",
        "def majority(n):\n    held = Held()\n    held.n = n\n"
        "    return pickle.loads(pickle.dumps(held)).n // 2 + 1",
    ],
    "pathlib, logging, typing": [
        "import logging\nfrom pathlib import Path\nfrom typing import Final\nMORE: Final[int] = 1\n"
        "logging.basicConfig(level=logging.ERROR)",
        "def majority(n):\n    logging.debug('%s', Path('a') / str(n))\n    return n // 2 + MORE",
    ],
    "a name that is a variable of a try": [
        "try:\n    import no_such_module as fast\nexcept ImportError:\n    fast = None",
        "def majority(n):\n    return fast.more(n) if fast else n // 2 + 1",
    ],
    "what is shown": [
        "from IPython.display import display\nimport matplotlib.pyplot as plt",
        "def majority(n):\n    display(n)\n    return n // 2 + 1",
        "display(majority(5))\nplt.plot([1, 2])",
    ],
    "what only a notebook knows": [
        "%matplotlib inline\n!pip install numpy\nmajority?",
        "%%time\ndef majority(n):\n    return n // 2 + 1",
        "await something()",
    ],
    "what a magic gives": [
        "files = !ls\nbest = %timeit -o 1 + 1\none, two = %who_ls, 2\n"
        "%time more = 1\ndef majority(n):\n    return n // 2 + more",
    ],
    "another name that is checked": [
        "def majority(n):\n    return n",
        "def half(n):\n    return n // 2 + 1\nexercise('4.1').check(half)",
    ],
    "a name of one's own that we have as well": [
        f"def majority(n):\n    return n // 2 + 1\n{BOX}",
        f"_answer = 5\n{BOX}",
    ],
    "a name that no statement shows": [
        "exec('def majority(n): return n // 2 + 1')\nexercise('4.1').check(majority)",
    ],
    "a name that is set by a loop over what is checked": [
        "def half(n):\n    return n // 2 + 1\nfor each in [half]:\n    exercise('4.1').check(each)",
    ],
    "tries that fail": [
        "import raftlab as rl\ncluster = rl.Cluster(5)\ncluster.lab()",
        "cluster.run(100)\n1 / 0",
        f"def majority(n):\n    return n // 2 + 1\n{BOX}.require()",
        "majority('five')\nraise SystemExit",
    ],
    "a try that never ends": ["while True:\n    pass", "def majority(n):\n    return n // 2 + 1"],
    "another answer below of its name": [
        f"def majority(n):\n    return n // 2 + 1\n{BOX}",
        "def majority(votes, of):\n    return votes > of // 2",
    ],
}
"""Cells that define `majority`; in Python, run from top to bottom, majority(5) is 3."""

RIGHT = "class Mine:\n    def is_newer_term(self, a, b):\n        return a > b\n"
WRONG = "class Old:\n    def is_newer_term(self, a, b):\n        return a < b\n"

RULES = {
    "a class": ["class Mine:\n    def is_newer_term(self, a, b):\n        return a > b"],
    "one class for all": [
        "class Mine:\n    def is_newer_term(self, a, b):\n        return a > b",
        "class Mine(Mine):\n    def other(self):\n        return 1",
    ],
    "a class of that name for another exercise": [
        "class Mine:\n    def is_newer_term(self, a, b):\n        return Mine.more(a, b)\n"
        "    @staticmethod\n    def more(a, b):\n        return a > b",
        "class Mine:\n    def other(self):\n        return 1",
    ],
    "a mixin": [
        "class Terms:\n    def is_newer_term(self, a, b):\n        return self.more(a, b)",
        "class Mine(Terms):\n    def more(self, a, b):\n        return a > b",
    ],
    "a method put in later": [
        "class Mine:\n    pass",
        "def newer(self, a, b):\n    return a > b",
        "Mine.is_newer_term = newer",
    ],
    "a method put in by setattr": [
        "class Mine:\n    pass",
        "setattr(Mine, 'is_newer_term', lambda self, a, b: a > b)",
    ],
    "an operator": ["import operator\nclass Mine:\n    is_newer_term = staticmethod(operator.gt)"],
    "a decorated method": [
        "from functools import wraps\ndef traced(f):\n    @wraps(f)\n    def inner(*given):\n"
        "        traced.calls += 1\n        return f(*given)\n    return inner\ntraced.calls = 0",
        "class Mine:\n    @traced\n    def is_newer_term(self, a, b):\n        return a > b",
    ],
    "a decorated class": [
        "KINDS = {}\ndef kept(kind):\n    KINDS[kind.__name__] = kind\n    return kind",
        "@kept\nclass Mine:\n    def is_newer_term(self, a, b):\n        return a > b",
    ],
    "zero-argument super": [
        "class Base:\n    def newer(self, a, b):\n        return a > b",
        "class Mine(Base):\n    def is_newer_term(self, a, b):\n        return super().newer(a, b)",
    ],
    "an older try below what is checked": [
        f"{RIGHT}exercise('2.1').check(Mine)\n{WRONG}",
    ],
    "an older try below, checked in another cell": [RIGHT, WRONG, "exercise('2.1').check(Mine)"],
    "an older try that was checked before": [
        f"{WRONG}exercise('2.1').check(Old)",
        f"{RIGHT}exercise('2.1').check(\n    Mine\n).require()",
        "# exercise('2.1').check(Old)",
    ],
    "an older try from which it is made": [
        f"{RIGHT}class Made(Mine):\n    pass\n{WRONG}exercise('2.1').check(Made)"
    ],
    "a class in a statement": [
        "if True:\n    " + RIGHT.replace("\n", "\n    "),
        f"{WRONG}exercise('2.1').check(Mine)",
    ],
    "a class that type makes": [
        "newer = lambda self, a, b: a > b",
        "Mine = type('Mine', (), {'is_newer_term': newer})\nexercise('2.1').check(Mine)",
    ],
    "another name of a class": [
        f"{RIGHT}Other = Mine\n{WRONG}exercise('2.1').check(Other)",
    ],
    "a class that a function makes": [
        "def made():\n    class Inner:\n        def is_newer_term(self, a, b):\n"
        "            return a > b\n    return Inner",
        "Mine = made()\nexercise('2.1').check(Mine)",
    ],
    "a class whose base a function makes": [
        "def made():\n    class Inner:\n        is_newer_term = lambda self, a, b: a > b\n"
        "    return Inner",
        "class Mine(made()):\n    pass\nexercise('2.1').check(Mine)",
    ],
    "a class that its decorator completes": [
        "def full(kind):\n    kind.is_newer_term = lambda self, a, b: a > b\n    return kind",
        "@full\nclass Mine:\n    pass\nexercise('2.1').check(Mine)",
    ],
}
"""Cells that define a class; in Python, is_newer_term(6, 5) of it is True."""


@pytest.fixture(autouse=True)
def own_main(monkeypatch):
    """An answer becomes the program itself: here it does so for the time of a test."""
    monkeypatch.setitem(sys.modules, running.MODULE, ModuleType(running.MODULE))


def as_notebook(cells):
    told = [{"cell_type": "code", "source": each, "metadata": {}} for each in cells]
    return cells_of(json.dumps({"cells": told}), True, SECTION)


def as_file(cells):
    return cells_of("".join(f"# %%\n{each}\n" for each in cells), False, SECTION)


def taken(wanted, cells):
    found = find(wanted, cells)
    asked = {"parts": found.parts, "name": wanted.name, "holder": found.holder}
    return running.loaded(asked)


@pytest.mark.parametrize("form", [as_notebook, as_file])
@pytest.mark.parametrize("style", TAKEN)
def test_a_function_is_what_python_would_see(style, form):
    majority, said = taken(MAJORITY, form(TAKEN[style]))
    assert said == {}
    assert serve.answered(majority, [5]) == {"value": 3}


@pytest.mark.parametrize("form", [as_notebook, as_file])
@pytest.mark.parametrize("style", RULES)
def test_a_method_is_what_python_would_see(style, form):
    method, said = taken(NEWER, form(RULES[style]))
    assert said == {}
    assert serve.answered(method, [6, 5]) == {"value": True}


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["import no_such_module as fast", "def majority(n):\n    return fast.more(n)"], "no_such"),
        (["more = 1 / 0", "def majority(n):\n    return n + more"], "division by zero"),
        (["def majority(n):\n    return n + more"], "name 'more' is not defined"),
    ],
)
def test_a_name_that_an_answer_lacks_is_told_by_why_there_is_none(cells, told):
    majority, _ = taken(MAJORITY, as_notebook(cells))
    assert told in serve.answered(majority, [5])["raised"]


def test_a_name_that_is_defined_below_is_told_with_its_cell():
    cells = [RIGHT.replace("Mine:", "Mine(MyBase):"), "class MyBase:\n    pass"]
    _, said = taken(NEWER, as_notebook(cells))
    assert "name 'MyBase' is not defined" in said["raised"]
    assert said["raised"].endswith("MyBase is defined below, in cell 2: run all cells anew")


MODULES = {
    "a function": ("def majority(n):\n    return n // 2 + 1", "from mycode import majority"),
    "all names": ("def more(n):\n    return n // 2 + 1", "from mycode import *\nmajority = more"),
    "the module": (
        "ONE = 1\ndef more(n):\n    return n // 2 + ONE",
        "import mycode\ndef majority(n):\n    return mycode.more(n)",
    ),
    "where it is needed": (
        "def more(n):\n    return n // 2 + 1",
        "def majority(n):\n    from mycode import more\n    return more(n)",
    ),
    "another module": ("from other import majority", "from mycode import majority"),
}


@pytest.fixture
def own_modules(monkeypatch):
    """What can be imported is as before, in the end."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    yield
    for name in ("mycode", "other"):
        sys.modules.pop(name, None)


def with_modules(cells, *modules):
    found = find(MAJORITY, as_notebook(cells))
    asked = {"parts": [*modules, *found.parts], "name": "majority", "holder": ""}
    return running.loaded({**asked, "packed": running.packed(asked["parts"])})


@pytest.mark.parametrize("style", MODULES)
def test_a_module_beside_a_notebook_is_imported_as_python_does(style, own_modules):
    module, cell = MODULES[style]
    other = "def majority(n):\n    return n // 2 + 1"
    majority, said = with_modules([cell], ("mycode.py", module), ("other.py", other))
    assert said == {}
    assert serve.answered(majority, [5]) == {"value": 3}


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("while True:\n    pass", "is there a loop that never ends"),
        ("def (", "invalid syntax"),
        ("1 / 0", "division by zero"),
        ("", "cannot import name 'majority'"),
    ],
)
def test_what_is_wrong_with_a_module_is_told(module, told, own_modules):
    _, said = with_modules(["from mycode import majority"], ("mycode.py", module))
    assert told in said["raised"]


def test_names_that_were_to_be_imported_from_nowhere_are_told():
    cells = ["from mycode import *", "def majority(n):\n    return more(n)"]
    majority, _ = taken(MAJORITY, as_notebook(cells))
    assert "No module named 'mycode'" in serve.answered(majority, [5])["raised"]


def test_an_answer_that_raises_where_it_is_defined_is_told_so():
    _, said = taken(MAJORITY, as_notebook(["@missing\ndef majority(n):\n    return n // 2 + 1"]))
    assert "name 'missing' is not defined, in the line: @missing" in said["raised"]


DEEP = [
    "def majority(n):\n    return 1 if n < 2 else 1 + majority(n - 2)",
    "from functools import cache",
    "@cache\ndef majority(n):\n    return 1 if n < 2 else majority(n - 1) + (n % 2 == 0)",
]


@pytest.mark.parametrize("cells", [DEEP[:1], DEEP[1:]])
def test_an_honest_recursion_is_right_for_every_size_that_is_drawn(cells):
    sizes = [case.arguments[0] for case in fresh_cases("4.1", random.Random(1))]
    assert min(sizes) > MOST_NODES and MANY < max(sizes) <= MOST_SERVERS
    majority, _ = taken(MAJORITY, as_notebook(cells))
    for size in (MOST_SERVERS, *sizes):
        assert serve.answered(majority, [size]) == {"value": size // 2 + 1}


class Saved(NamedTuple):
    """An answer with names."""

    granted: bool
    term: int


@pytest.mark.parametrize(
    "value",
    [
        Saved(True, 3),
        type("Pair", (tuple,), {"__iter__": lambda self: iter("no")})((True, 3)),
    ],
)
def test_a_tuple_with_names_is_a_tuple_and_nothing_else(value):
    assert values.heard(values.told(value)) == (True, 3)
    assert guard.same((True, 3), value)
    assert not guard.same((True, 4), value)
    assert not guard.same((1, 3), value)
    assert not guard.same([True, 3], value)
