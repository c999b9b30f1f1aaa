"""Modules beside what was handed in: `import mycode` finds `mycode.py` in its student's folder.

Nothing is run or parsed to see which they are: a line that imports says a name.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from raftlab.course.my_raft import SECTION

Texts: TypeAlias = Mapping[Path, str]
"""The files of one folder, and what is in them."""

MOST_MODULES = 200_000
"""How many characters the modules beside a submission have in all: what is more, is not there."""
ANSWERS = re.compile(r"""exercise(?:\(\s*\\?["']\d+\.\d+|:(?:\d+\.\d+|M\d))""")
IMPORTS = re.compile(r"\b(?:import|from)\b([^\n\\]{0,200})")
NAME = re.compile(r"\b\w+\b(?!\.py)")


def modules_of(file: Path, texts: Texts) -> list[Path]:
    """The modules that a file imports, and that those import, in the order of their names."""
    modules = {each.stem: each for each in texts if each != file and each.suffix == ".py"}
    found, todo = set[Path](), [file]
    while todo:
        names = imported(texts[todo.pop()])
        new = {modules[name] for name in names & modules.keys()} - found
        found |= new
        todo += new
    return sorted(found)


def has_answers(file: Path, text: str) -> bool:
    """Whether a file is a submission by itself: a notebook, or Python that names its exercises."""
    return file.suffix != ".py" or bool(ANSWERS.search(text) or SECTION.search(text))


def only_modules(texts: Texts) -> set[Path]:
    """Files that others import, and that have no answers of their own."""
    own = [each for each, text in texts.items() if has_answers(each, text)]
    return {module for each in own for module in modules_of(each, texts)} - {*own}


def taken_along(texts: Texts) -> Iterator[tuple[str, str]]:
    """The modules that are taken along, as parts of source."""
    left = MOST_MODULES
    for file, text in texts.items():
        left -= len(text)
        if left >= 0:
            yield file.name, text


def imported(text: str) -> set[str]:
    """The names in what stands behind `import` and `from`, in a notebook too."""
    return {name for each in IMPORTS.findall(text) for name in NAME.findall(each)}
