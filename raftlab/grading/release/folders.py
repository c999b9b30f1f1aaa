"""The two folders of a release, and what stands in them."""

from collections.abc import Sequence
from pathlib import Path

from raftlab.course.notebooks import written
from raftlab.grading.milestones import WHOLE_COURSE, Milestone, milestones_of
from raftlab.grading.release.nbgrader import for_nbgrader
from raftlab.grading.release.notebooks import assignment
from raftlab.raft.vocabulary import Misuse

STUDENTS, INSTRUCTOR, NBGRADER = "students", "instructor", "nbgrader"

STUDENTS_README = """\
# {title}

{table}

1. `pip install "raftlab[lab]"`, in the version that your instructor names.
2. `jupyter lab` in this folder, and open {first}.
3. Write where the notebook says so; run a cell and it is checked. The last cell shows your points
   so far.
4. Restart the kernel and run all cells: the grader runs them from top to bottom, too.
5. Save, and hand in the notebook under your own name. A module of yours that it imports
   (`mycode.py`) is handed in with it, in one folder under your name.

Points are the grader's: it asks the same questions with other seeds. An answer that is wrong, or
does not even run, costs its own points, and those of the answers that use it.
An answer that only calls raftlab's own rule earns nothing.

Where answers are graded, there are Python's own library and the words of raftlab, and nothing
else: no numpy, no files of yours, and what you write into files goes nowhere.
"""

INSTRUCTOR_README = """\
# {title}: for instructors

These notebooks hold the solutions: keep this folder to yourself, and give out `{students}` only.

{table}

The class's word is `{word}`: the questions of M0 hang on it and on each student's name.
`docs/instructors.md` in the repository says how to mark what comes back.
"""


def release(name: str, to: Path, word: str, nbgrader: bool = False) -> list[Path]:
    """Write the students' and the instructor's folder of an assignment ("M1", "course") into `to`.

    With `nbgrader`, a third folder is a course of nbgrader's, with its sources.

    Returns: what was written. Raises: Misuse, for an unknown assignment, where the full notebooks
    are not, or if there is something in one of the folders already; OSError.
    """
    milestones = milestones_of(name)
    for folder in (to / STUDENTS, to / INSTRUCTOR, to / NBGRADER):
        if folder.is_dir() and any(folder.iterdir()):
            raise Misuse(f"{folder} is not empty: name another folder with --to, or clear it")
    texts = dict(_texts(name, milestones, word))
    for each in milestones if nbgrader else ():
        source = Path(NBGRADER, "source", each.name, file_name(each))
        texts[source] = written(for_nbgrader(assignment(each, word, solved=True), each))
    for path, text in texts.items():
        (to / path).parent.mkdir(parents=True, exist_ok=True)
        (to / path).write_text(text, encoding="utf-8")
    return [to / path for path in texts]


def _texts(name: str, milestones: Sequence[Milestone], word: str) -> list[tuple[Path, str]]:
    title = "The assignments" if name == WHOLE_COURSE else f"{name} {milestones[0].title}"
    given = {
        "title": title,
        "table": _table(milestones),
        "first": file_name(milestones[0]),
        "word": word,
        "students": STUDENTS,
    }
    texts = [
        (Path(STUDENTS, "README.md"), STUDENTS_README.format(**given)),
        (Path(INSTRUCTOR, "README.md"), INSTRUCTOR_README.format(**given)),
    ]
    for milestone in milestones:
        for folder, solved in ((STUDENTS, False), (INSTRUCTOR, True)):
            notebook = written(assignment(milestone, word, solved))
            texts.append((Path(folder, file_name(milestone)), notebook))
    return texts


def file_name(milestone: Milestone) -> str:
    """What the notebook of a milestone is called."""
    return f"{milestone.name}_{milestone.title.lower().replace(' ', '_')}.ipynb"


def _table(milestones: Sequence[Milestone]) -> str:
    rows = [f"| {file_name(each)} | {each.points} | {each.minutes} |" for each in milestones]
    return "\n".join(["| notebook | points | minutes |", "|---|---|---|", *rows])
