"""`raftlab grade`: submissions of an assignment, each judged in a box; their marks."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raftlab.commands.answers import Answer, Exit
from raftlab.commands.arguments import Parser

if TYPE_CHECKING:
    from raftlab.grading.results import Marks

NAME = "grade"
HELP = "mark submissions of an assignment, each in a box of its own"
ABOUT = """\
Mark submissions: notebooks, my_raft.py, other Python files, or folders of them. Their code runs in
a box (bubblewrap, else Landlock), and never in this process. Marks depend on the submission and on
the file of seeds alone. A batch that was stopped goes on where it was, with the same command."""
EXAMPLE = """\
  raftlab grade submissions --assignment M1 --seeds seeds.txt --out marks"""


def add_arguments(parser: Parser) -> None:
    """What `raftlab grade` takes."""
    parser.add_argument(
        "submissions", nargs="+", type=Path, metavar="SUBMISSION", help="a file, or a folder"
    )
    parser.add_argument(
        "--assignment", required=True, metavar="NAME", help="which: M1, M2, M3, or course"
    )
    parser.add_argument(
        "--seeds", required=True, type=Path, metavar="FILE", help="the class's secret"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="where marks are written"
    )
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="where there is no box: let submissions do all that you can",
    )


def carry_out(given: argparse.Namespace) -> Answer:
    """Mark the submissions; what came of them."""
    from raftlab.grading.batch import grade
    from raftlab.grading.box import kind_for
    from raftlab.grading.handed_in import submissions_in
    from raftlab.grading.seeds import read_seeds

    submissions = submissions_in(given.submissions)
    seeds = read_seeds(given.seeds)
    kind = kind_for(given.unsafe)
    found: list[Marks] = []
    try:
        for each in grade(submissions, given.assignment, seeds, kind, given.out):
            found.append(each.marks)
            _tell(f"{each.done} of {each.of}: {_line(each.marks)}", each.was_there)
    except KeyboardInterrupt:
        text = (
            f"Interrupted. {len(found)} of {len(submissions)} are marked, in {given.out}: the same"
            " command goes on from there."
        )
        return Answer(Exit.INTERRUPTED, text, {"interrupted": True, "marked": len(found)})
    lines = [_line(each) for each in found]
    lines.append(f"Marks are in {given.out}. The code ran in this box: {kind}.")
    return Answer(Exit.FINE, "\n".join(lines), {"box": kind, "marks": list(map(_document, found))})


def _tell(text: str, was_there: bool) -> None:
    print(f"{text} (marked before)" if was_there else text, file=sys.stderr, flush=True)


def _line(marks: "Marks") -> str:
    parts = ", ".join(
        f"{each.milestone} {each.points:g} of {each.of:g}" for each in marks.milestones
    )
    return f"{marks.submission}: {parts}"


def _document(marks: "Marks") -> dict[str, Any]:
    return {
        "submission": marks.submission,
        "student": marks.student,
        "points": marks.total,
        "of": marks.of,
        "told": list(marks.told),
    }
