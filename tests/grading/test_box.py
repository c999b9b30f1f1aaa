"""Each box that works here: what a process in it reaches, and what the package lacks in it."""

import json

import pytest

from raftlab.course.exercises import exercise
from raftlab.grading import box
from raftlab.grading.answers import Source
from raftlab.grading.asked import Asked
from raftlab.grading.box import Boxes
from raftlab.grading.folder import stripped

KINDS = [each for each in ("bubblewrap", "landlock") if box.best_kind() and box._works(each)]

TRIES = {
    "signals of a file": "__import__('fcntl').fcntl(0, 8, os.getppid())",
    "limits of another": "__import__('resource').prlimit(os.getppid(), 7, (4, 4))",
    "times of a file": "os.utime(0, (0, 0))",
    "a fork": "os.fork()",
    "a program": "os.execv('/bin/true', ['true'])",
    "a signal": "os.kill(os.getppid(), 0)",
    "the users": "open('/etc/passwd').read()",
    "other processes": "open(f'/proc/{os.getppid()}/cmdline').read()",
    "a socket": "socket.socket()",
    "a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "writing": "open('/tmp/x', 'w')",
    "writing at home": "open(__import__('raftlab').__file__, 'a')",
    "other modes": "os.chmod('/tmp', 0o700)",
    "installed packages": "__import__('numpy'), __import__('pytest')",
    "the course": "__import__('raftlab.course.exercises.append')",
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_outside_is_reached(kind):
    boxes = Boxes(kind)
    source = "import os, socket\ndef majority(size):\n    tries = " + repr(list(TRIES.values()))
    source += (
        "\n    try:\n        eval(tries[size])\n    except (OSError, ImportError) as e:"
        "\n        return type(e).__name__\n    return 'reached'"
    )
    asked = Asked(exercise("4.1"), Source((("it", source),), "majority"), boxes)
    try:
        answer = asked.answer()
        found = {what: answer(place) for place, what in enumerate(TRIES)}
    finally:
        asked.close()
        boxes.close()
    assert "reached" not in found.values(), json.dumps(found)


def test_what_is_asked_for_is_not_in_the_folder():
    source = (
        "class Rules:\n    def a(self):\n        return 1\n\n    def b(self):\n        return 2\n"
    )
    left = stripped(source, ["Rules.a"])
    assert "return 1" not in left
    assert "return 2" in left
    assert "raise NotImplementedError" in left
