"""The submissions of a class, seen together: what one of them alone does not tell.

The files of a student are one submission: a milestone that another file has is not missing in this
one. Whose notebooks of M0 have one name is told to both.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from raftlab.grading.milestones import milestone_of
from raftlab.grading.names import plain_name
from raftlab.grading.results import Marks
from raftlab.raft.vocabulary import shown

ABOUT = re.compile(r"(?:Exercise (?P<exercise>\d+\.\d+)|(?P<milestone>M\d)): ")
"""How a sentence begins that is about one milestone."""


def together(every: Sequence[Marks]) -> list[Marks]:
    """The same marks, where each file of a student has the milestones of which it has something.

    A milestone that no file has stays in the first of them; a file that then has none is left out,
    and what was told of it as a whole is told of the first that is left.
    """
    of_student: dict[str, list[Marks]] = defaultdict(list)
    for each in every:
        of_student[each.student].append(each)
    found = [each for files in of_student.values() for each in _one_submission(files)]
    kept = {each.submission: each for each in _with_one_name(found)}
    return [kept[each.submission] for each in every if each.submission in kept]


def _one_submission(files: Sequence[Marks]) -> list[Marks]:
    having: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for mark in file.milestones:
            if mark.handed_in:
                having[mark.milestone].append(file.submission)
    twice = [_counts(name, whose) for name, whose in having.items() if len(whose) > 1]
    found, left_out = [], []
    for file in files:
        kept = [
            each
            for each in file.milestones
            if each.handed_in or (file is files[0] and not having[each.milestone])
        ]
        elsewhere = {each.milestone for each in file.milestones if each not in kept}
        told = [each for each in file.told if _about(each) not in elsewhere]
        if kept or not elsewhere:
            found.append(msgspec.structs.replace(file, milestones=tuple(kept), told=tuple(told)))
        else:
            left_out += [f"{file.submission}: {each}" for each in told]
    return [_telling(found[0], [*twice, *left_out]), *found[1:]]


def _counts(milestone: str, files: Sequence[str]) -> str:
    return f"{milestone} is in {' and '.join(files)}: the best one counts"


def _about(sentence: str) -> str:
    """The milestone that a sentence is about, or ""."""
    about = ABOUT.match(sentence)
    if about is None:
        return ""
    milestone = milestone_of(about["exercise"]) if about["exercise"] else None
    return milestone.name if milestone else about["milestone"] or ""


def _with_one_name(every: Sequence[Marks]) -> Iterator[Marks]:
    """The same, where it is told whose notebooks have the same name."""
    students: dict[str, set[str]] = defaultdict(set)
    for marks in every:
        for name in _names(marks):
            students[plain_name(name)].add(marks.student)
    for marks in every:
        yield _telling(
            marks,
            [
                f"M0: {' and '.join(sorted(whose))} have notebooks of one name,"
                f" {shown(name)}: whose answers are they?"
                for name in _names(marks)
                if len(whose := students[plain_name(name)]) > 1
            ],
        )


def _names(marks: Marks) -> Iterator[str]:
    return (each.asked_as for each in marks.milestones if each.asked_as)


def _telling(marks: Marks, more: Iterable[str]) -> Marks:
    told = tuple(dict.fromkeys([*marks.told, *more]))
    return marks if told == marks.told else msgspec.structs.replace(marks, told=told)
