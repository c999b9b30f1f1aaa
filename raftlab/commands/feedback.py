"""`raftlab feedback`: pages and files of marks that `raftlab grade` has written."""

import argparse
from pathlib import Path

from raftlab.commands.answers import Answer, Exit
from raftlab.commands.arguments import Parser, add_base
from raftlab.raft.vocabulary import Misuse, shown

NAME = "feedback"
HELP = "write what students and instructors read of marks"
ABOUT = """\
From the marks that `raftlab grade` has written into DIR/marks, write a page for each student and
one for the class, as HTML and as text, and the marks for Gradescope (results.json), Canvas and
Moodle (CSV). The same marks give the same files."""
EXAMPLE = """\
  raftlab feedback marked --to feedback --base https://example.org/lab/"""


def add_arguments(parser: Parser) -> None:
    """What `raftlab feedback` takes."""
    parser.add_argument("folder", metavar="DIR", help="what raftlab grade --out has written")
    parser.add_argument("--to", metavar="DIR", help="where to write it (feedback, in that folder)")
    add_base(parser)


def carry_out(given: argparse.Namespace) -> Answer:
    """Write the pages and files. Raises: Misuse, if there are no marks; OSError."""
    from msgspec import DecodeError

    from raftlab.grading.feedback import write_feedback
    from raftlab.grading.results import MARKS, from_json

    folder, marks = Path(given.folder), []
    for file in sorted((folder / MARKS).glob("*.json")):
        try:
            marks.append(from_json(file.read_bytes()))
        except DecodeError as problem:
            raise Misuse(f"{shown(str(file))} holds no marks: {problem}") from None
    if not marks:
        raise Misuse(f"there are no marks in {shown(str(folder / MARKS))}: run raftlab grade first")
    to = Path(given.to) if given.to else folder / "feedback"
    files = [str(path) for path in write_feedback(marks, to, given.base)]
    text = f"{len(marks)} submissions: {to / 'class.html'}"
    return Answer(Exit.FINE, text, {"files": files})
