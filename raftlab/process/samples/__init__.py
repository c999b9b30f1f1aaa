"""Samples of machines in processes of their own, and what one begins with: files to copy.

`raft.py` and `raft.js` are a small Raft each, `starter.py` and `starter.js` its loop without the
Raft. They import nothing of raftlab.
"""

from pathlib import Path
from typing import Literal, TypeAlias

FOLDER = Path(__file__).parent
Language: TypeAlias = Literal["python", "javascript"]
ENDS: dict[Language, str] = {"python": "py", "javascript": "js"}


def sample(language: Language) -> Path:
    """The file with a small Raft."""
    return FOLDER / f"raft.{ENDS[language]}"


def starter(language: Language) -> Path:
    """The file with the loop and no Raft."""
    return FOLDER / f"starter.{ENDS[language]}"
