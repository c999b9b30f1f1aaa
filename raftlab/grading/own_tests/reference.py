"""Tests that find all thirty mistakes: what an instructor compares a student's with."""

from collections.abc import Callable
from itertools import combinations

from raftlab.grading.own_tests.judge import Scenario
from raftlab.grading.own_tests.machines import MISTAKES, Start
from raftlab.museum import exhibit
from raftlab.raft.log import LogEntry
from raftlab.raft.messages import Accepted, AppendEntriesReply, RequestVote, RequestVoteReply
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Index, NodeId, Term
from raftlab.sim.frames.frame import Frame, NodeFrame


def invariant(frames: list[Frame]) -> bool:
    """Figure 3, and what Figure 2 says of terms, votes, the commit index and the disk."""
    history = History()
    for frame in frames:
        for node in frame.nodes:
            if node.alive:
                history.look_at(node, frame)
        logs_match(frame)
        said_is_on_disk(frame)
    return True


class History:
    """What has been seen so far, which nothing later may contradict."""

    def __init__(self) -> None:
        self.leaders: dict[Term, NodeId] = {}
        self.votes: dict[tuple[NodeId, Term], NodeId] = {}
        self.terms: dict[NodeId, Term] = {}
        self.committed: dict[Index, tuple[LogEntry, Term]] = {}
        self.commits: dict[Term, Index] = {}

    def look_at(self, node: NodeFrame, frame: Frame) -> None:
        """Compare a node with what was seen before. Raises: AssertionError."""
        assert self.terms.get(node.node, 0) <= node.term, "a term falls"
        self.terms[node.node] = node.term
        if node.voted_for is not None:
            voted = self.votes.setdefault((node.node, node.term), node.voted_for)
            assert voted == node.voted_for, "a second vote in a term"
        terms = [entry.term for entry in node.log]
        assert terms == sorted(terms), "terms fall along a log"
        self.look_at_commit(node)
        if node.role is Role.LEADER:
            self.look_at_leader(node, frame)

    def look_at_commit(self, node: NodeFrame) -> None:
        """What is committed stays. Raises: AssertionError."""
        log = entries(node)
        assert node.applied_index <= node.commit_index, "the commit index goes back"
        for index in range(1, node.commit_index + 1):
            assert index in log, "more is committed than the log holds"
            first, _ = self.committed.setdefault(index, (log[index], node.term))
            assert first == log[index], "a committed entry has changed"

    def look_at_leader(self, node: NodeFrame, frame: Frame) -> None:
        """One leader in a term, who has all, and knows what is true. Raises: AssertionError."""
        assert self.leaders.setdefault(node.term, node.node) == node.node, "two leaders"
        log = entries(node)
        for index, (entry, term) in self.committed.items():
            assert term >= node.term or log.get(index) == entry, "a leader lacks a committed entry"
        for each in node.progress:
            other = frame[each.node]
            if other.alive and other.term == node.term:
                held = [entry for entry in other.log if entry.index <= each.match_index]
                mine = [entry for entry in node.log if entry.index <= each.match_index]
                assert held == mine, "a match index is not true"
        before = self.commits.setdefault(node.term, node.commit_index)
        if node.commit_index > before:
            self.commits[node.term] = node.commit_index
            last = log[node.commit_index]
            assert last.term == node.term, "an entry of an earlier term is committed alone"
            holders = [each for each in frame.nodes if last in each.disk.log]
            assert 2 * len(holders) > len(frame.nodes), "committed, and not on a majority"


def entries(node: NodeFrame) -> dict[Index, LogEntry]:
    """A log by index."""
    return {entry.index: entry for entry in node.log}


def logs_match(frame: Frame) -> None:
    """Log Matching. Raises: AssertionError."""
    for one, other in combinations([node for node in frame.nodes if node.alive], 2):
        mine = entries(one)
        both = [(mine[each.index], each) for each in other.log if each.index in mine]
        same = [place for place, (a, b) in enumerate(both) if a.term == b.term]
        for a, b in both[: same[-1] + 1 if same else 0]:
            assert a == b, "logs differ before an entry that they share"


def said_is_on_disk(frame: Frame) -> None:
    """What is on its way was on the sender's disk first. Raises: AssertionError."""
    for each in frame.in_flight:
        message = each.message
        if isinstance(message, RequestVote | RequestVoteReply) and message.is_prevote:
            continue
        disk = frame[message.sender].disk
        assert disk.term >= message.term, "a term is said before it is on disk"
        if disk.term > message.term:
            continue
        if isinstance(message, RequestVoteReply) and message.vote_granted:
            assert disk.voted_for == message.receiver, "a vote is not on disk"
        if isinstance(message, AppendEntriesReply) and isinstance(message.result, Accepted):
            ends = max((entry.index for entry in disk.log), default=0)
            assert message.result.last_new_index <= ends, "an entry is not on disk"


def runs_of(*names: str) -> Callable[[Start], None]:
    """A scenario: these runs of the museum, each of which must come to its end."""

    def scenario(start: Start) -> None:
        for name in names:
            which = exhibit(name)
            assert which.run(start(which.nodes)) is not False

    return scenario


_BROKEN = [name for name in MISTAKES if exhibit(name).breaks]
_STUCK = [name for name in MISTAKES if not exhibit(name).breaks]
SCENARIOS: tuple[Scenario, ...] = (
    *(runs_of(*_BROKEN[place::6]) for place in range(6)),
    *(runs_of(name) for name in _STUCK),
)
"""Those that break a property share a scenario; those that get nowhere have one each."""
