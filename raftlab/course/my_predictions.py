"""`my_predictions.jsonl`: the reader's first answers, one line each, so that a restart loses none.

    {"right":true,"asked":"How many of 5 servers make a majority?","key":"1f0c…"}

It stands beside `my_raft.py`, and like that file it is written in a notebook only, and neither
written nor read where notebooks are made or compared. Lines are added and never changed, so that
two notebooks can write at once; a line that is none of ours is passed over, and stays.
"""

from pathlib import Path

import msgspec

from raftlab.course import my_raft

NAME = "my_predictions.jsonl"


class FirstAnswer(msgspec.Struct, frozen=True):
    """What came of the first answer to a question: whether it was right, and what was asked.

    `key` tells one question from another.
    """

    right: bool
    asked: str
    key: str


def is_kept() -> bool:
    """Whether answers are kept here."""
    return my_raft.is_on() and my_raft.in_notebook()


def path() -> Path:
    """Where the file is: in the folder in which the notebook runs."""
    return Path.cwd() / NAME


def read() -> list[FirstAnswer]:
    """The answers that were kept, the oldest first. Raises: OSError, if it cannot be read."""
    file = path()
    lines = file.read_bytes().splitlines() if file.exists() else []
    return [answer for line in lines if (answer := _told_by(line)) is not None]


def add(answer: FirstAnswer) -> None:
    """Keep one more. Raises: OSError, if it cannot be written."""
    with path().open("ab+") as file:
        torn = b""
        if file.tell():
            file.seek(-1, 2)
            torn = b"" if file.read(1) == b"\n" else b"\n"
        file.write(torn + msgspec.json.encode(answer) + b"\n")


def _told_by(line: bytes) -> FirstAnswer | None:
    try:
        return msgspec.json.decode(line, type=FirstAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
