"""What an instructor reads of a class: marks, common mistakes, survivors, wrong predictions."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from textwrap import fill
from typing import TypeAlias

import msgspec

from raftlab.grading.feedback.pages import page
from raftlab.grading.feedback.runs import Opener, ShownRun, link_to, shown_run
from raftlab.grading.feedback.student import WIDTH
from raftlab.grading.feedback.words import (
    findings,
    name_of,
    points,
    points_of,
    told_of,
)
from raftlab.grading.results import Check, Marks, of_students
from raftlab.grading.words import plain, sentence
from raftlab.sim.load import load_shared
from raftlab.view.words import table

PREDICTIONS, OWN_TESTS = "M0", "M6"
SIMILAR = (
    "Similar: how much of the answers is in the published solutions, whatever its names and remarks"
    " are; no mark depends on it. Short answers to one question are alike by themselves."
)
REPEATED = (
    "More than one file was handed in by {}: the best of each milestone counts. What is a group and"
    " no student is to be named itself: raftlab grade FOLDER."
)
NO_ANSWER = "no answer that runs"
NO_NAME = "a mistake that has no name"


class Row(msgspec.Struct, frozen=True):
    """One file, or all of a student's: whose, its page, its points by milestone, in all, and notes.

    All of several files have no `page`: "". `similar` is how similar it is to the published
    solutions, in words.
    """

    student: str
    page: str
    points: Sequence[str]
    total: str
    notes: Sequence[str]
    similar: str


class Counted(msgspec.Struct, frozen=True):
    """What went wrong: its name, where, in how many submissions, and a run that shows it.

    `number` is the run's on this page; 0 if there is none.
    """

    name: str
    where: str
    count: int
    run: ShownRun | None = None
    link: str = ""
    number: int = 0


class ClassReport(msgspec.Struct, frozen=True):
    """All that the page of a class says."""

    assignment: str
    milestones: Sequence[str]
    submissions: int
    rows: Sequence[Row]
    mean: str
    repeated: str
    mistakes: Sequence[Counted]
    missing: Sequence[Counted]
    survived: Sequence[Counted]
    predictions: Sequence[Counted]
    boxes: Sequence[str]


def in_order(every: Iterable[Marks]) -> list[Marks]:
    """Submissions by their students, so that a class has one order."""
    return sorted(every, key=lambda marks: (marks.student, marks.submission))


def report_of(
    every: Sequence[Marks],
    pages: Sequence[str],
    base: str = "",
    opened: Opener = load_shared,
) -> ClassReport:
    """What is to be said of submissions that are `in_order`; `pages` are the files of each.

    Raises: Misuse, if `base` is no address.
    """
    names = sorted({part.milestone for each in every for part in each.milestones})
    students = Counter(each.student for each in every)
    best = of_students(every)
    totals = [each.total for each in best.values()]
    numbers: dict[str, int] = {}

    def shown(failed: Failed) -> list[Counted]:
        rows = sorted(
            failed.items(), key=lambda item: (item[0][0] == NO_NAME, -item[1].count, item[0])
        )
        return [_shown(*key, found, numbers, base, opened) for key, found in rows]

    return ClassReport(
        assignment=", ".join(sorted({name_of(each.assignment) for each in every})),
        milestones=[plain(name) for name in names],
        submissions=len(every),
        rows=[*_rows(every, pages, names, best, students)],
        mean=points(sum(totals) / max(1, len(totals))),
        repeated=_repeated([name_of(name) for name in sorted(students) if students[name] > 1]),
        mistakes=shown(_failed(every, _by_mistake)),
        missing=shown(_failed(every, _missing)),
        survived=shown(_failed(every, _in(OWN_TESTS))),
        predictions=shown(_failed(every, _in(PREDICTIONS))),
        boxes=sorted({plain(each.box) for each in every}),
    )


def _repeated(students: Sequence[str]) -> str:
    return REPEATED.format(", ".join(students)) if students else ""


def _rows(
    every: Sequence[Marks],
    pages: Sequence[str],
    names: Sequence[str],
    best: Mapping[str, Marks],
    files: Mapping[str, int],
) -> Iterator[Row]:
    """A row for each student; where there are several files, one for each of them after it."""
    seen = set()
    for marks, address in zip(every, pages, strict=True):
        student = name_of(marks.student)
        if files[marks.student] == 1:
            yield _row(marks, names, address, student)
            continue
        if marks.student not in seen:
            seen.add(marks.student)
            whole = msgspec.structs.replace(best[marks.student], told=(), similarity=None)
            yield _row(whole, names, "", student)
        yield _row(marks, names, address, f"{student} ({name_of(marks.submission)})")


def _row(marks: Marks, names: Sequence[str], page: str, student: str) -> Row:
    by_name = {each.milestone: each for each in marks.milestones}
    found = [by_name.get(name) for name in names]
    return Row(
        student=student,
        page=page,
        points=[each.reached if each else "–" for each in found],
        total=points_of(marks.total, marks.of),
        notes=[
            *told_of(marks),
            *(sentence(each.capped) for each in marks.milestones if each.capped and page),
        ],
        similar="–" if marks.similarity is None else f"{marks.similarity} %",
    )


# What failed, and how often


class Found(msgspec.Struct):
    """In how many submissions something failed, and the first shared run that shows it."""

    count: int = 0
    share: str = ""


Key: TypeAlias = tuple[str, str]
"""What it is called, and where it was."""
Failed: TypeAlias = dict[Key, Found]
Naming: TypeAlias = Callable[[str, Check], Key | None]
"""What the failure of a check in a milestone counts as, if as anything."""


def _by_mistake(milestone: str, check: Check) -> Key | None:
    if milestone in (OWN_TESTS, PREDICTIONS) or not check.ran:
        return None
    return check.mistake or NO_NAME, check.exercise or milestone


def _missing(milestone: str, check: Check) -> Key | None:
    return None if check.ran else (NO_ANSWER, check.exercise or milestone)


def _in(wanted: str) -> Naming:
    return lambda milestone, check: (check.name, milestone) if milestone == wanted else None


def _failed(every: Sequence[Marks], naming: Naming) -> Failed:
    """What failed, counted once in each submission."""
    failed: Failed = {}
    for marks in every:
        keys: dict[Key, str] = {}
        for mark in marks.milestones:
            for check in findings(mark):
                if key := naming(mark.milestone, check):
                    keys[key] = keys.get(key) or check.share
        named = {where for name, where in keys if name != NO_NAME}
        for key, share in keys.items():
            if key[0] == NO_NAME and key[1] in named:
                continue
            found = failed.setdefault(key, Found())
            found.count += 1
            found.share = found.share or share
    return failed


def _shown(
    name: str, where: str, found: Found, numbers: dict[str, int], base: str, opened: Opener
) -> Counted:
    run = shown_run(found.share, opened)
    if run is None:
        return Counted(plain(name), plain(where), found.count)
    is_new = run.share not in numbers
    number = numbers.setdefault(run.share, len(numbers) + 1)
    link = link_to(run.share, base)
    return Counted(plain(name), plain(where), found.count, run if is_new else None, link, number)


# The page and the text


def class_page(report: ClassReport) -> str:
    """The page of HTML."""
    return page("class.html", report=report, sections=sections(report), similar=SIMILAR)


def class_text(report: ClassReport) -> str:
    """The same as text, without the runs."""
    rows = [[each.student, *each.points, each.total, each.similar] for each in report.rows]
    heads = ["student", *report.milestones, "total", "similar"]
    places = tuple(range(1, len(heads)))
    blocks = [
        f"{report.assignment}: {report.submissions} submissions, on average {report.mean} points",
        table(heads, rows, right=places),
        fill(SIMILAR, WIDTH),
        *(
            fill(f"{each.student}: {' '.join(each.notes)}", WIDTH)
            for each in report.rows
            if each.notes
        ),
        *([fill(report.repeated, WIDTH)] if report.repeated else []),
    ]
    for title, counted in sections(report):
        rows = [[each.name, each.where, str(each.count)] for each in counted]
        blocks.append(f"{title}\n\n{table(['what', 'where', 'submissions'], rows, right=(2,))}")
    blocks.append(fill(f"Box: {'; '.join(report.boxes)}.", WIDTH))
    return "\n\n".join(blocks) + "\n"


def sections(report: ClassReport) -> list[tuple[str, Sequence[Counted]]]:
    """What went wrong in several submissions, each kind under its title; no empty one."""
    titles = {
        "Common mistakes": report.mistakes,
        "Answers that are missing, or do not run": report.missing,
        "Mistakes that the tests of students let live": report.survived,
        "Predictions that went wrong": report.predictions,
    }
    return [(title, counted) for title, counted in titles.items() if counted]
