"""Logs and counts from a few words: the situations that need no cluster.

They are there where answers are graded, too, as a part of `raftlab.course.situations`. A log is
written as the terms of its entries, first to last: "1 1 4". Two entries with the same index and
term hold the same command, as Log Matching asks.
"""

from collections.abc import Mapping, Sequence

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import Rejected, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration, Index, Misuse, NodeId, Term, shown
from raftlab.raft.votes import Votes
from raftlab.sim.world.past import past_entry

__all__ = [
    "FIGURE_7",
    "Cause",
    "Configuration",
    "Options",
    "Rejected",
    "RequestVote",
    "Role",
    "entries_of",
    "log_of",
    "progress_of",
    "votes_of",
    "words_of",
]

FIGURE_7 = {
    "leader": "1 1 1 4 4 5 5 6 6 6",
    "a": "1 1 1 4 4 5 5 6 6",
    "b": "1 1 1 4",
    "c": "1 1 1 4 4 5 5 6 6 6 6",
    "d": "1 1 1 4 4 5 5 6 6 6 7 7",
    "e": "1 1 1 4 4 4 4",
    "f": "1 1 1 2 2 2 3 3 3 3 3",
}
"""The seven logs of the paper's Figure 7: a leader of term 8 and six followers."""


def terms_of(words: str) -> list[Term]:
    """The terms that "1 1 4" lists. Raises: Misuse, for anything that is not a term."""
    for word in words.split():
        if not word.isdigit():
            raise Misuse(f'{shown(word)} is not a term: write a log as its terms, like "1 1 4"')
    return [int(word) for word in words.split()]


def entries_of(words: str, first: Index = 1) -> tuple[LogEntry, ...]:
    """The entries that "4 4" stands for, from index `first` on."""
    return tuple(past_entry(index, term) for index, term in enumerate(terms_of(words), first))


def log_of(words: str) -> RaftLog:
    """The log that "1 1 4" stands for. Raises: Misuse, for a log that cannot be."""
    return RaftLog(entries_of(words))


def words_of(log: RaftLog) -> str:
    """The terms of a log's entries, first to last: "1 1 4"; "" if there are none."""
    return " ".join(str(entry.term) for entry in log)


def votes_of(answers: Mapping[NodeId, bool], of: Sequence[NodeId]) -> Votes:
    """The count of one campaign among the voters `of`, with these answers so far."""
    votes = Votes(Configuration(tuple(of)))
    for voter, granted in answers.items():
        votes.register_vote(voter, granted)
    return votes


def progress_of(match_index: Index, next_index: Index, state: str = "probe") -> FollowerProgress:
    """What a leader knows of a follower "S2". `state`: "probe", "pipeline" or "snapshot"."""
    progress = FollowerProgress("S2", next_index, 0.0)
    progress.match_index = match_index
    progress.state = ProgressState(state)
    return progress
