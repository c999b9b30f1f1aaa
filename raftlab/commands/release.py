"""`raftlab release`: an assignment as a folder for students and one for their instructor."""

import argparse
from pathlib import Path

from raftlab.commands.answers import Answer, Exit
from raftlab.commands.arguments import Parser

NAME = "release"
HELP = "write an assignment: a folder for students, and one with the solutions"
ABOUT = """\
Write the notebooks of an assignment, M0 to M7, or course, which is all of them, into two folders:
one to give to students, and one for their instructor. It is done in a clone of the repository,
which has the solutions."""
EXAMPLE = """\
  raftlab release M1 --to autumn-M1 --class autumn"""


def add_arguments(parser: Parser) -> None:
    """What `raftlab release` takes."""
    parser.add_argument("name", metavar="NAME", help="the assignment, such as M1 or course")
    parser.add_argument(
        "--to", metavar="DIR", required=True, help="where the folders are written; made if need be"
    )
    parser.add_argument(
        "--class",
        dest="word",
        metavar="WORD",
        default="raftlab",
        help="a word for the class: another one makes other questions in M0 (raftlab)",
    )
    parser.add_argument(
        "--nbgrader",
        action="store_true",
        help="write the sources of a course of nbgrader, too (M1, M2, M3)",
    )


def carry_out(given: argparse.Namespace) -> Answer:
    """Write the folders."""
    from raftlab.grading.release import release

    written = release(given.name, Path(given.to), given.word, given.nbgrader)
    files = [str(path) for path in written]
    return Answer(Exit.FINE, "\n".join(files), {"files": files})
