"""However an answer is written, it is kept so that it stands alone, or told why it is not."""

import runpy

import pytest

from raftlab.course import exercise, my_raft, your_raft
from tests.course.kept import Notebook

KEPT = "Kept in my_raft.py."
NO_NAME = (
    "It could not be kept in my_raft.py: it has no name of its own: write it with def or class."
)
NO_SOURCE = (
    "It could not be kept in my_raft.py: the source of C is not known. Copy it there by hand."
)
NO_FUNCTION = "pass a function that is written with def, majority itself, not "

FUNCTIONS = {
    "def": ("def majority(size):\n    return size // 2 + 1", "majority", KEPT),
    "lambda with a name": ("majority = lambda size: size // 2 + 1", "majority", KEPT),
    "lambda": ("", "lambda size: size // 2 + 1", NO_NAME),
    "nested": (
        "def make():\n    def majority(size):\n        return size // 2 + 1\n    return majority",
        "make()", KEPT,
    ),
    "closure": (
        "def make(half):\n    def majority(size):\n        return size // half + 1\n"
        "    return majority",
        "make(2)", KEPT,
    ),
    "default": ("def majority(size, one=1):\n    return size // 2 + one", "majority", KEPT),
    "global as default": (
        "ONE = 1\ndef majority(size, one=ONE):\n    return size // 2 + one", "majority", KEPT,
    ),
    "keyword only": ("def majority(size, *, one=1):\n    return size // 2 + one", "majority", KEPT),
    "static method": (
        "class M:\n    @staticmethod\n    def majority(size):\n        return size // 2 + 1",
        "M.majority", KEPT,
    ),
    "decorated": (
        "from functools import wraps\ndef told(function):\n    @wraps(function)\n"
        "    def inner(*given):\n        return function(*given)\n    return inner\n"
        "@told\ndef majority(size):\n    return size // 2 + 1",
        "majority", KEPT,
    ),
    "method": (
        "class M:\n    def majority(self, size):\n        return size // 2 + 1",
        "M().majority", NO_FUNCTION,
    ),
    "object": (
        "class M:\n    def __call__(self, size):\n        return size // 2 + 1", "M()", NO_FUNCTION,
    ),
    "partial": (
        "from functools import partial\ndef adds(one, size):\n    return size // 2 + one",
        "partial(adds, 1)", NO_FUNCTION,
    ),
    "cached": (
        "from functools import cache\n@cache\ndef majority(size):\n    return size // 2 + 1",
        "majority", NO_FUNCTION,
    ),
}  # fmt: skip

METHOD = "    def is_newer_term(self, message_term, term):\n        return message_term > term"
CLASSES = {
    "class": (f"class C(rl.Rules):\n{METHOD}", "C", KEPT),
    "instance": (f"class C(rl.Rules):\n{METHOD}", "C()", KEPT),
    "nested": (
        "def make():\n    class C(rl.Rules):\n"
        "        def is_newer_term(self, message_term, term):\n"
        "            return message_term > term\n    return C",
        "make()", KEPT,
    ),
    "default": (
        "class C(rl.Rules):\n    def is_newer_term(self, message_term, term, more=0):\n"
        "        return message_term > term + more",
        "C", KEPT,
    ),
    "lambda": ("class C(rl.Rules):\n    is_newer_term = lambda self, m, term: m > term", "C", KEPT),
    "static method": (
        "class C(rl.Rules):\n    @staticmethod\n    def is_newer_term(message_term, term):\n"
        "        return message_term > term",
        "C", KEPT,
    ),
    "partial method": (
        "from functools import partialmethod\nclass C(rl.Rules):\n"
        "    def newer(self, more, message_term, term):\n"
        "        return message_term > term + more\n    is_newer_term = partialmethod(newer, 0)",
        "C", KEPT,
    ),
    "own __init__": (
        "class C(rl.Rules):\n    def __init__(self, more=0):\n        self.more = more\n"
        "    def is_newer_term(self, message_term, term):\n"
        "        return message_term > term + self.more",
        "C", KEPT,
    ),
    "object": (
        "class N:\n    def __call__(self, message_term, term):\n"
        "        return message_term > term\n"
        "class C(rl.Rules):\n    is_newer_term = N()",
        "C", NO_SOURCE,
    ),
    "method put in later": (
        "class C(rl.Rules):\n    pass\ndef newer(self, message_term, term):\n"
        "    return message_term > term\nC.is_newer_term = newer",
        "C", NO_SOURCE,
    ),
    "type()": (
        "C = type('C', (rl.Rules,), {'is_newer_term': lambda self, m, term: m > term})",
        "C", NO_SOURCE,
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def kept_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(my_raft.SWITCH, raising=False)
    monkeypatch.setattr(my_raft, "in_notebook", lambda: True)


def told(number, source, answer):
    notebook = Notebook()
    notebook.names["exercise"] = exercise
    notebook.run(f"{source}\nresult = exercise({number!r}).check({answer})")
    return notebook["result"].text


@pytest.mark.parametrize(("source", "answer", "said"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_is_kept_or_told_why_not(source, answer, said):
    assert said in told("4.1", source, answer)
    assert my_raft.path().exists() == (said is KEPT)
    if said is KEPT:
        mine = runpy.run_path(str(my_raft.path()))["majority"]
        assert [mine(size) for size in range(1, 6)] == [1, 2, 2, 3, 3]


@pytest.mark.parametrize(("source", "answer", "said"), CLASSES.values(), ids=CLASSES)
def test_a_class_is_kept_or_told_why_not(source, answer, said):
    assert said in told("2.1", source, answer)
    assert my_raft.path().exists() == (said is KEPT)
    (part,) = [each for each in your_raft().parts if each.number == "2.1"]
    assert part.whose == ("C" if said is KEPT else "")
    newer = your_raft().rules().is_newer_term
    assert [newer(term, 2) for term in (1, 2, 3)] == [False, False, True]
