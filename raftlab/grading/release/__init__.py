"""Assignments as folders: one for students, one for their instructor.

    release("M1", Path("out"), word="autumn")

A notebook is made when it is released, from the exercises themselves, whose statements stand
nowhere else, and from the solutions in `notebooks/full`. Nothing in it was executed: no output
can give an answer away, and there is nothing to trust.
"""

from raftlab.grading.release.folders import release
from raftlab.grading.release.notebooks import assignment

__all__ = ["assignment", "release"]
