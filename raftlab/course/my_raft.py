"""`my_raft.py`: the reader's right answers, one section an exercise, as plain Python.

The file is the reader's. `check` writes the section of its own exercise and nothing else: what
stands outside the sections stays as it is, byte for byte, and so does every other section.

    # Exercise 4.2, tally_vote: three answers
    from raftlab.raft.votes import ElectionResult
    ...
    # End of exercise 4.2

It is written in a notebook only, and neither written nor read where the environment variable
RAFTLAB_MY_RAFT is "off": there notebooks are made, or compared.
"""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from raftlab.course.own_code import NotWritten, standing_alone, told

NAME = "my_raft.py"
SWITCH = "RAFTLAB_MY_RAFT"
HEAD = '''"""My Raft: my answers to the exercises. Notebook 08 joins them into one machine.

This file is mine. `check` writes the section of the exercise that it has found right, and
nothing else: what I write outside the sections stays.
"""
'''
SECTION = re.compile(
    r"^# Exercise (?P<number>\d+\.\d+)(?!\d)[^\n]*\n(?:(?!# Exercise \d).*\n)*?"
    r"# End of exercise (?P=number)[ \t]*\r?(?:\n|\Z)",
    re.MULTILINE,
)
"""A section, from its first line to its last; one that has lost its last line is none."""
EDGE = re.compile(r"^# (Exercise \d|End of exercise)", re.MULTILINE)
"""What only the first and the last line of a section may begin with."""


def is_on() -> bool:
    """Whether the file is written and read here."""
    return os.environ.get(SWITCH) != "off"


def path() -> Path:
    """Where the file is: in the folder in which the notebook runs."""
    return Path.cwd() / NAME


def keep(number: str, title: str, answer: Any) -> str:
    """Write an answer into its section; says so in a sentence, or says nothing where it is off."""
    if not (is_on() and in_notebook()):
        return ""
    file = path()
    try:
        text = file.read_bytes().decode("utf-8") if file.exists() else HEAD
        code = standing_alone(answer, _above(text, number))
        _replace(file, with_section(text, number, title, code))
    except (NotWritten, OSError, RuntimeError, ValueError) as problem:  # a loop of links, too
        reason = getattr(problem, "strerror", None) or str(problem)
        return f"It could not be kept in {NAME}: {reason}. Copy it there by hand."
    return f"Kept in {NAME}."


def with_section(text: str, number: str, title: str, code: str) -> str:
    """`text` with this section in the place of the last one of that number, or in order of numbers.

    All else stays, byte for byte; new lines end as most lines do. Raises: NotWritten.
    """
    if found := EDGE.search(code):
        raise NotWritten(f'a line of it begins with "{found[0]}", as those around a section do')
    end = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
    lines = [f"# Exercise {number}, {title}", *re.split(r"\r?\n", code.strip("\n"))]
    section = end.join([*lines, f"# End of exercise {number}", ""])
    sections = list(SECTION.finditer(text))
    own = [each for each in sections if each["number"] == number]
    later = [each for each in sections if _order(each["number"]) > _order(number)]
    if own:
        start, stop = own[-1].span()
    elif later:
        start = stop = later[0].start()
        section += end * 2
    else:
        start = stop = sections[-1].end() if sections else len(text)
        section = end * 2 + section
    before, after = text[:start], text[stop:]
    if before and not before.endswith("\n"):
        before += end
    return before + section + after


def numbers_by_line(text: str) -> dict[int, str]:
    """Of each line that stands in a section (from 1 on), the number of the exercise."""
    numbers = {}
    for each in SECTION.finditer(text):
        first = text.count("\n", 0, each.start()) + 1
        for line in range(first, first + each[0].count("\n") + 1):
            numbers[line] = each["number"]
    return numbers


def _order(number: str) -> tuple[int, ...]:
    return tuple(map(int, number.split(".")))


def _above(text: str, number: str) -> dict[str, str]:
    """What the sections above the one of this number define, as `told` has it."""
    defined: dict[str, str] = {}
    for each in SECTION.finditer(text):
        if _order(each["number"]) < _order(number):
            with suppress(SyntaxError):  # edited by hand, and left so
                defined |= told(each[0])
    return defined


def _replace(file: Path, text: str) -> None:
    """Write the whole file beside the old one, and put it in its place at once."""
    file = file.resolve()
    new = NamedTemporaryFile("wb", dir=file.parent, prefix=f".{NAME}-", delete=False)
    try:
        with new:
            new.write(text.encode("utf-8"))
        os.chmod(new.name, file.stat().st_mode if file.exists() else 0o644)
        os.replace(new.name, file)
    except OSError:
        os.unlink(new.name)
        raise


def in_notebook() -> bool:
    """Whether this runs in IPython, as a notebook's cells do."""
    module = sys.modules.get("IPython")
    return bool(module and module.get_ipython())
