"""What stands in a log that a run begins with."""

from raftlab.raft.log import Command, LogEntry
from raftlab.raft.vocabulary import Index, Term


def past_entry(index: Index, term: Term) -> LogEntry:
    """An entry as it stands in a log that a run begins with: `a=1` for (1, 1), `b=4` for (2, 4)."""
    letter = "abcdefghijklmnopqrstuvwxyz"[(index - 1) % 26]
    round_number = (index - 1) // 26
    key = f"{letter}{round_number}" if round_number else letter
    return LogEntry(term, index, Command(f"{key}={term}".encode()))
