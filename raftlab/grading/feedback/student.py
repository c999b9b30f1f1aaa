"""What one student reads: a page of HTML, and the same as text."""

from collections.abc import Iterator, Sequence
from textwrap import fill, indent

import msgspec

from raftlab.grading.feedback.pages import page
from raftlab.grading.feedback.runs import Opener, ShownRun, link_to, shown_run
from raftlab.grading.feedback.words import (
    Line,
    findings,
    lines_of,
    name_of,
    points,
    points_of,
    title_of,
    told_of,
)
from raftlab.grading.results import Check, Marks, MilestoneMark
from raftlab.grading.words import plain, sentence
from raftlab.sim.load import load_shared
from raftlab.view.words import table

WIDTH = 92


class Finding(msgspec.Struct, frozen=True):
    """One check that did not pass, as it is shown. `number` counts the runs of a page, from 1.

    `run` is None where there is none, or where it `is_above`, with the run of that number.
    """

    title: str
    points: str
    lines: Sequence[Line]
    run: ShownRun | None = None
    link: str = ""
    number: int = 0
    is_above: bool = False


class Part(msgspec.Struct, frozen=True):
    """One milestone, as it is shown: its heading, what holds for all of it, and its findings."""

    title: str
    points: str
    notes: Sequence[str]
    findings: Sequence[Finding]
    passed: Sequence[str]


def parts_of(marks: Marks, base: str = "", opened: Opener = load_shared) -> list[Part]:
    """The milestones as they are shown. A run that several findings share is shown once."""
    runs: dict[str, int] = {}
    return [_part(mark, runs, base, opened) for mark in marks.milestones]


def _part(mark: MilestoneMark, runs: dict[str, int], base: str, opened: Opener) -> Part:
    return Part(
        title=f"{plain(mark.milestone)} {name_of(mark.title)}",
        points=f"{mark.reached} of {points(mark.of)}",
        notes=[sentence(each) for each in (mark.capped, mark.liveness) if each],
        findings=[_finding(check, runs, base, opened) for check in findings(mark)],
        passed=[title_of(check) for check in mark.checks if check.passed],
    )


def _finding(check: Check, runs: dict[str, int], base: str, opened: Opener) -> Finding:
    title, points, lines = title_of(check), points_of(check.points, check.of), lines_of(check)
    run = shown_run(check.share, opened)
    if run is None:
        return Finding(title, points, lines)
    if run.share in runs:
        return Finding(title, points, lines, number=runs[run.share], is_above=True)
    runs[run.share] = len(runs) + 1
    return Finding(title, points, lines, run, link_to(run.share, base), runs[run.share])


def student_page(marks: Marks, base: str = "", opened: Opener = load_shared) -> str:
    """The page of HTML. With the address `base` of a lab, each run has a link that opens it there.

    Raises: Misuse, if that is no address.
    """
    return page(
        "student.html",
        marks=marks,
        total=points_of(marks.total, marks.of),
        told=told_of(marks),
        parts=parts_of(marks, base, opened),
        footer=footer(marks),
    )


def student_text(marks: Marks, base: str = "", opened: Opener = load_shared) -> str:
    """The same as text. Raises: Misuse, as `student_page`."""
    parts = parts_of(marks, base, opened)
    rows = [[part.title, part.points] for part in parts]
    rows.append(["total", points_of(marks.total, marks.of)])
    blocks = [
        f"{name_of(marks.assignment)}: {name_of(marks.student)}",
        table(["milestone", "points"], rows, right=(1,)),
        *(fill(each, WIDTH) for each in told_of(marks)),
        *(block for part in parts for block in _blocks(part)),
        fill(footer(marks), WIDTH),
    ]
    return "\n\n".join(blocks) + "\n"


def _blocks(part: Part) -> Iterator[str]:
    yield f"{part.title}: {part.points}\n{'=' * len(f'{part.title}: {part.points}')}"
    yield from (fill(note, WIDTH) for note in part.notes)
    yield from (_told(each) for each in part.findings)
    if part.passed:
        yield fill(f"Passed: {', '.join(part.passed)}.", WIDTH)


def _told(finding: Finding) -> str:
    lines = [f"{finding.title}: {finding.points}"]
    lines += [
        fill(f"{about}: {says}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        for about, says in finding.lines
    ]
    if finding.is_above:
        lines.append(f"  It shows in run {finding.number}, above.")
    if finding.run is not None:
        run = finding.run
        lines += [f"  Run {finding.number}. {run.why_not}".rstrip()]
        lines += [indent(run.text, "    ")] if run.text else []
        lines += [f"  Open it: {run.opens}"]
        lines += [f"  Or here: {finding.link}"] if finding.link else []
    return "\n".join(lines)


def footer(marks: Marks) -> str:
    """How it was marked."""
    parts = [f"Marked by raftlab {plain(marks.raftlab)}", f"box: {plain(marks.box)}"]
    parts += [f"seeds: {plain(marks.seeds_digest)}"] if marks.seeds_digest else []
    return f"{'; '.join(parts)}. The same submission gets the same marks."
