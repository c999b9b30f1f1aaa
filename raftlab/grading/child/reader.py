"""The boxed reader of a submission: told its text and what is wanted, it says what is there."""

import json
import re
import sys
from typing import Any, BinaryIO

from raftlab.grading.child import serve
from raftlab.grading.child.answers import Unreadable, Wanted, cells_of, defined, find
from raftlab.grading.child.programs import program_in
from raftlab.grading.child.sheets import SHEET, word_in
from raftlab.grading.child.written import value


def read_lines(told_to: BinaryIO, says: BinaryIO) -> None:
    """Answer lines until they end."""
    for line in told_to:
        says.write(json.dumps(found_in(json.loads(line))).encode() + b"\n")
        says.flush()


def found_in(asked: Any) -> Any:
    """What a submission has, of what is asked for in `raftlab.grading.answers`."""
    try:
        cells = cells_of(asked["text"], asked["notebook"], re.compile(asked["section"], re.M))
    except Unreadable as problem:
        return {"trouble": str(problem)}
    file = "" if asked["notebook"] else asked["text"]
    return {
        "answers": {each[0]: find(Wanted(*each), cells)._asdict() for each in asked["answers"]},
        "programs": {name: program_in(cells, name, file)._asdict() for name in asked["programs"]},
        "definitions": {name: defined(name, cells) for name in asked["definitions"]},
        "values": {
            name: word_in(cells) if name == SHEET else value(name, cells)
            for name in asked["values"]
        },
    }


if __name__ == "__main__":
    serve.main(sys.argv[1], sys.argv[2:], read_lines)
