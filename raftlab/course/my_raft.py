"""`my_raft.py`: the reader's right answers, one section an exercise, as plain Python.

The file is the reader's. `check` writes the section of its own exercise and nothing else: what
stands outside the sections stays as it is, byte for byte, and so does every other section.

    # Exercise 4.2, tally_vote: three answers
    from raftlab.raft.votes import ElectionResult
    ...
    # End of exercise 4.2 [1c291ca3]

A section that was changed by hand and is then replaced remains in a copy of the file, as
`my_raft.py.bak`: the number on its last line tells that it was changed.

It is written in a notebook only, and neither written nor read where the environment variable
RAFTLAB_MY_RAFT is "off": there notebooks are made, or compared.
"""

import os
import re
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Any
from zlib import crc32

from raftlab.course.own_code import NotWritten, definitions_in, standing_alone
from raftlab.lab.notebook_cells import kernel_running
from raftlab.sim.run.files import write_whole

NAME = "my_raft.py"
SWITCH = "RAFTLAB_MY_RAFT"
HEAD = '''"""My Raft: my answers to the exercises. Notebook 08 joins them into one machine.

This file is mine. `check` writes the section of the exercise that it has found right, and
nothing else: what I write outside the sections stays.
"""
'''
SECTION = re.compile(
    r"(?P<lines>^# Exercise (?P<number>\d+\.\d+)(?!\d)[^\n]*\n(?:(?!# Exercise \d).*\n)*?)"
    r"# End of exercise (?P=number)(?: \[(?P<mark>[0-9a-f]{8})\])?[ \t]*\r?(?:\n|\Z)",
    re.MULTILINE,
)
"""A section, from its first line to its last; one that has lost its last line is none.

The mark on the last line is that of the lines above it as `check` has written them.
"""
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
        new = with_section(text, number, title, code)
        copy = _copied(file, text) if _is_lost(text, new, number) else ""
        write_whole(file.resolve(), new.encode("utf-8"))
    except (NotWritten, OSError, RuntimeError, ValueError) as problem:  # a loop of links, too
        reason = getattr(problem, "strerror", None) or str(problem)
        return f"It could not be kept in {NAME}: {reason}. Copy it there by hand."
    if copy:
        return f"Kept in {NAME}. You had changed its section: the file as it was is {copy}."
    return f"Kept in {NAME}."


def with_section(text: str, number: str, title: str, code: str) -> str:
    """`text` with this section in the place of the last one of that number, or in order of numbers.

    All else stays, byte for byte; new lines end as most lines do. Raises: NotWritten.
    """
    if found := EDGE.search(code):
        raise NotWritten(f'a line of it begins with "{found[0]}", as those around a section do')
    end = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
    lines = [f"# Exercise {number}, {title}", *re.split(r"\r?\n", code.strip("\n"))]
    mark = _mark("\n".join([*lines, ""]))
    section = end.join([*lines, f"# End of exercise {number} [{mark}]", ""])
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
                defined |= definitions_in(each[0])
    return defined


def _is_lost(text: str, new: str, number: str) -> bool:
    """Whether what the reader has changed in the section of this number is gone in `new`."""
    old = [each for each in SECTION.finditer(text) if each["number"] == number]
    return bool(old) and _mark(old[-1]["lines"]) not in (
        old[-1]["mark"],
        *(_mark(each["lines"]) for each in SECTION.finditer(new) if each["number"] == number),
    )


def _mark(lines: str) -> str:
    of_lines = lines.replace("\r\n", "\n").encode()
    return f"{crc32(of_lines):08x}"


def _copied(file: Path, text: str) -> str:
    """Write the file as it was beside it, under the first name that is free; returns the name."""
    names = (f"{NAME}.bak{more}" for more in chain([""], count(2)))
    free = next(name for name in names if not (file.parent / name).exists())
    (file.parent / free).write_bytes(text.encode("utf-8"))
    return free


def in_notebook() -> bool:
    """Whether a kernel runs this, as it does a notebook's cells."""
    return kernel_running() is not None
