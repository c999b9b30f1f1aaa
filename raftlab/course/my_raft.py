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
    r"^# Exercise (?P<number>\d+\.\d+), [^\n]*\n(?:(?!# Exercise \d).*\n)*?"
    r"# End of exercise (?P=number)[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
"""A section, from its first line to its last; one that has lost its last line is none."""


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
    except (NotWritten, UnicodeDecodeError, OSError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        return f"It could not be kept in {NAME}: {reason}. Copy it there by hand."
    return f"Kept in {NAME}."


def with_section(text: str, number: str, title: str, code: str) -> str:
    """`text` with this section in the place of the one of that number, or in order of numbers."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = [f"# Exercise {number}, {title}", *code.strip("\n").split("\n")]
    section = end.join([*lines, f"# End of exercise {number}", ""])
    plain = text.replace("\r\n", "\n") if end == "\r\n" else text
    sections = list(SECTION.finditer(plain))
    own = [each for each in sections if each["number"] == number]
    later = [each for each in sections if _order(each["number"]) > _order(number)]
    if own:
        start, stop, between = own[0].start(), own[0].end(), ""
    elif later:
        start = stop = later[0].start()
        between = "\n\n"
    else:
        start = stop = sections[-1].end() if sections else len(plain)
        section = f"\n\n{section}"
        between = ""
    before, after = plain[:start], plain[stop:]
    if before and not before.endswith("\n"):
        before += "\n"
    whole = before + section.replace("\r\n", "\n") + between + after
    return whole.replace("\n", end) if end == "\r\n" else whole


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
    for each in SECTION.finditer(text.replace("\r\n", "\n")):
        if _order(each["number"]) < _order(number):
            with suppress(SyntaxError):  # edited by hand, and left so
                defined |= told(each[0])
    return defined


def _replace(file: Path, text: str) -> None:
    """Write the whole file beside the old one, and put it in its place at once."""
    file = file.resolve()
    with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{NAME}-", delete=False) as new:
        new.write(text.encode("utf-8"))
    try:
        if file.exists():
            os.chmod(new.name, file.stat().st_mode)
        else:
            os.chmod(new.name, 0o644)
        os.replace(new.name, file)
    except OSError:
        os.unlink(new.name)
        raise


def in_notebook() -> bool:
    """Whether this runs in IPython, as a notebook's cells do."""
    module = sys.modules.get("IPython")
    return bool(module and module.get_ipython())
