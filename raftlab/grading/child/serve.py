"""The boxed process: it forks, and a fork is told an answer's source once, then calls, by lines.

    {"parts": [["cell 3", "class MyRules…"]], "name": "accepts_append", "holder": "MyRules"}
    {"calls": [[arguments], …]}

It knows no right answer. What it says is data: whoever asked compares it with what is right.
"""

import gc
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

from raftlab.course.exercises import guard
from raftlab.grading.child import harmless, known, lock, sameness, unseen, values
from raftlab.grading.child.running import loaded, told_of

ORDER, ANSWER = "=cq", "=q"
"""An order: s, and which round a new fork is of; or e, and which fork to end. What is answered:
the number of the fork, or how it has ended."""
LEAVE = os._exit
"""How a fork ends; an answer that asks for it does not end so (`sameness`)."""

OFTEN = ("raftlab.course.situations", "raftlab.view", "statistics")
"""What the course's own notebooks import, where it is there: no fork need load it again. None of
it keeps a clock or a source of chance, which are replaced in each fork."""

Talk = Callable[[BinaryIO, BinaryIO], None]
"""What a fork does with what it is told by one file, and says by the other."""


def main(box: str, paths: Sequence[str], talk: Talk) -> None:
    """Fork until the standard input, a socket, ends; each fork talks with whoever asked for it.

    `paths` are what may be read, where no mount says so.
    """
    orders = socket.socket(fileno=os.dup(0))
    lock.open_nowhere()
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    if box != "no box":
        known.load_libraries(known.find_only(known.seen(sys.path)))
        unseen.find()
    for name in OFTEN:
        with suppress(ImportError):
            import_module(name)
    if box == "landlock":
        lock.read_only(paths)
    if box != "no box":
        lock.stop_clocks()
    forks: set[int] = set()
    gc.freeze()  # what was imported stays: no fork needs to look through it, or to copy it
    while True:
        order, files, _, _ = socket.recv_fds(orders, struct.calcsize(ORDER), 2)
        if not order:
            break
        what, number = struct.unpack(ORDER, order)
        said = started(orders, files, box, number, talk) if what == b"s" else ended(number)
        (forks.add if what == b"s" else forks.discard)(said if what == b"s" else number)
        orders.send(struct.pack(ANSWER, said))
    for each in forks:
        ended(each)


def started(orders: socket.socket, files: Sequence[int], box: str, round: int, talk: Talk) -> int:
    """A fork that talks by these two files: its number."""
    number = os.fork()
    if number == 0:
        orders.close()
        try:
            serve(files, box, round, talk)
        finally:
            LEAVE(1)
    for each in files:
        os.close(each)
    return number


def ended(number: int) -> int:
    """End a fork; how it has ended."""
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
    return os.waitpid(number, 0)[1]


def serve(files: Sequence[int], box: str, round: int, talk: Talk) -> None:
    """Talk, once all limits hold and this process is the same everywhere."""
    lock.open_nowhere()  # what is open in two processes carries flags from one to the other
    if box != "no box":
        lock.limit()
        lock.limit_loading()
        harmless.write_nowhere()
        lock.refuse_calls()
        lock.unload()
    kept = sameness.begin(round)
    talk(os.fdopen(files[0], "rb"), os.fdopen(files[1], "wb"))
    del kept


def answer_lines(told_to: BinaryIO, says: BinaryIO) -> None:
    """Answer lines until they end."""
    function: Callable[..., Any] | None = None
    for line in told_to:
        asked = json.loads(line)
        if "parts" in asked:
            function, reply = loaded(asked, saying(says))
        else:
            reply = answered_all(function, asked["calls"], asked["most"])
        says.write(json.dumps(reply).encode() + b"\n")
        says.flush()


def saying(says: BinaryIO) -> Callable[[bytes], object]:
    """What says some bytes at once."""

    def say(some: bytes) -> None:
        says.write(some)
        says.flush()

    return say


def answered_all(function: Any, calls: Sequence[Any], most: int) -> list[Any]:
    """Several calls; after `most` of them that raise, if it is not 0, no more are made."""
    found: list[Any] = []
    for each in calls:
        found.append(answered(function, each))
        if most and sum("value" not in said for said in found) >= most:
            break
    return found


def answered(function: Any, arguments: Any) -> Any:
    """One call: what it returns, and those arguments that it has changed."""
    try:
        return values.reply_of(function, [values.from_json(each) for each in arguments])
    except (guard.Unwritten, guard.LearnerError) as problem:
        return told_of(problem)
    except BaseException as problem:  # whatever an answer raises is its own
        return {"raised": guard.where(problem)[:300]}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:], answer_lines)
