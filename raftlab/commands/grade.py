"""`raftlab grade`: submissions of an assignment, each judged in a box; their marks."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raftlab.commands.answers import Answer, Exit
from raftlab.commands.arguments import Parser, add_base, cores

if TYPE_CHECKING:
    from raftlab.grading.batch import Progress
    from raftlab.grading.results import Marks

NAME = "grade"
HELP = "mark submissions of an assignment, each in a box of its own"
ABOUT = """\
Mark submissions: notebooks, my_raft.py, other Python files, or folders of them. Their code runs in
a box (bubblewrap, else Landlock), and never in this process. Marks depend on the submission and on
the file of seeds alone (in M0, on the class's word). In the end, pages for students and for their
instructor are written, too. A batch that was stopped goes on where it was: say it once more."""
FEEDBACK = "feedback"
"""The folder, in that of the marks, in which feedback is."""
WORD = "raftlab"
"""The class's word, where none was chosen."""
NO_WORD = (
    "M0's questions hang on the class's word: say --class WORD, as raftlab release was given it"
    f" (--class {WORD}, if it was given none)"
)
BAR = 24
MOST_NAMED = 5
"""How many folders of folders are named."""
EXAMPLE = """\
  raftlab grade submissions --assignment M1 --seeds seeds.txt --out marks"""


def add_arguments(parser: Parser) -> None:
    """What `raftlab grade` takes."""
    parser.add_argument(
        "submissions", nargs="+", type=Path, metavar="SUBMISSION", help="a file, or a folder"
    )
    parser.add_argument(
        "--assignment", required=True, metavar="NAME", help="which: M0 to M7, or course"
    )
    parser.add_argument(
        "--seeds", required=True, type=Path, metavar="FILE", help="the class's secret"
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="where marks are written"
    )
    parser.add_argument(
        "--class",
        dest="word",
        metavar="WORD",
        help="the class's word, as raftlab release was given it: M0 hangs on it, and needs it",
    )
    add_base(parser)
    who = parser.add_mutually_exclusive_group()
    who.add_argument(
        "--cores", type=cores, default=1, metavar="N", help="how many to use, or all (1)"
    )
    who.add_argument(
        "--scheduler", metavar="ADDRESS", help="on a Dask cluster whose workers see these files"
    )
    parser.add_argument(
        "--unsafe",
        action="store_true",
        help="where there is no box: let submissions do all that you can",
    )


def carry_out(given: argparse.Namespace) -> Answer:
    """Mark the submissions, and write what students and instructors read of it."""
    from raftlab.grading.batch import Batch, grade, interrupted_if_ended
    from raftlab.grading.box import kind_for
    from raftlab.grading.feedback import write_feedback
    from raftlab.grading.feedback.runs import check_base
    from raftlab.grading.feedback.together import together
    from raftlab.grading.handed_in import folders_of_folders, submissions_in
    from raftlab.grading.milestones import M0, milestones_of
    from raftlab.grading.seeds import read_seeds
    from raftlab.raft.vocabulary import Misuse

    word = given.word
    if word is None and M0 in milestones_of(given.assignment):
        raise Misuse(NO_WORD)
    submissions = submissions_in(given.submissions)
    check_base(given.base)
    seeds, kind = read_seeds(given.seeds), kind_for(given.unsafe)
    batch = Batch(given.assignment, seeds, kind, given.out, word or WORD)
    found: list[Marks] = []
    if sections := folders_of_folders(given.submissions):
        print(_asks(sections), file=sys.stderr, flush=True)
    try:
        with interrupted_if_ended():
            for each in grade(submissions, batch, given.cores, given.scheduler):
                found.append(each.marks)
                _tell(each)
    except KeyboardInterrupt:
        text = (
            f"Interrupted. {len(found)} of {len(submissions)} are marked, in {given.out}: the same"
            " command goes on from there."
        )
        return Answer(Exit.INTERRUPTED, text, {"interrupted": True, "marked": len(found)})
    found.sort(key=lambda marks: marks.submission)
    written = write_feedback(found, given.out / FEEDBACK, given.base)
    found = together(found)
    lines = [_line(each) for each in found]
    lines.append(f"Marks are in {given.out}. The code ran in this box: {batch.kind}.")
    lines.append(f"Feedback: {given.out / FEEDBACK / 'class.html'}, and a page for each student.")
    lines += [_asks(sections)] if sections else []
    told = {
        "box": batch.kind,
        "marks": list(map(_document, found)),
        "files": list(map(str, written)),
    }
    return Answer(Exit.FINE, "\n".join(lines), told)


def _asks(sections: Sequence[str]) -> str:
    """What is asked where folders of folders are taken for students."""
    names = ", ".join(sections[:MOST_NAMED]) + (" …" if len(sections) > MOST_NAMED else "")
    return (
        f"Taken for one student each, and files lie in folders below: {names}. If these are"
        " sections or groups, name them in the place of the folder that holds them:"
        " raftlab grade FOLDER/SECTION …"
    )


def _tell(progress: "Progress") -> None:
    """Say how far it is: a line for each submission, and, on a terminal, a bar beneath."""
    text = f"{progress.done} of {progress.of}: {_line(progress.marks)}"
    text += " (marked before)" if progress.was_there else ""
    if not sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)
        return
    full = BAR * progress.done // progress.of
    bar = f"[{'#' * full}{'.' * (BAR - full)}] {progress.done} of {progress.of}"
    end = "\n" if progress.done == progress.of else ""
    print(f"\r\x1b[K{text}\n{bar}", end=end, file=sys.stderr, flush=True)


def _line(marks: "Marks") -> str:
    parts = ", ".join(
        f"{each.milestone} {each.reached} of {each.of:g}" for each in marks.milestones
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
