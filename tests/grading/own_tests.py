"""Tests as a good student of M6 writes them: an invariant, and scenarios."""

from functools import partial
from itertools import combinations

from raftlab.museum import exhibit
from raftlab.raft.messages import AppendEntriesReply, RequestVoteReply
from raftlab.raft.roles import Role


def invariant(frames):
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

    def __init__(self):
        self.leaders, self.votes, self.terms = {}, {}, {}
        self.entries, self.commits = {}, {}

    def look_at(self, node, frame):
        assert self.terms.get(node.node, 0) <= node.term, "a term falls"
        self.terms[node.node] = node.term
        if node.voted_for is not None:
            voted = self.votes.setdefault((node.node, node.term), node.voted_for)
            assert voted == node.voted_for, "a second vote in a term"
        terms = [entry.term for entry in node.log]
        assert terms == sorted(terms), "terms fall along a log"
        if node.snapshot is None:
            self.look_at_commit(node)
        if node.role is Role.LEADER:
            self.look_at_leader(node, frame)

    def look_at_commit(self, node):
        log = {entry.index: entry for entry in node.log}
        assert node.applied_index <= node.commit_index
        for index in range(1, node.commit_index + 1):
            assert index in log, "more is committed than the log holds"
            first = self.entries.setdefault(index, (log[index], node.term))
            assert first[0] == log[index], "a committed entry has changed"

    def look_at_leader(self, node, frame):
        assert self.leaders.setdefault(node.term, node.node) == node.node, "two leaders"
        log = {entry.index: entry for entry in node.log}
        for index, (entry, term) in self.entries.items():
            if term < node.term and node.snapshot is None:
                assert log.get(index) == entry, "a leader lacks what was committed"
        for each in node.progress:
            other = frame[each.node]
            if other.alive and other.term == node.term and other.snapshot is None:
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


def logs_match(frame):
    for one, other in combinations([node for node in frame.nodes if node.alive], 2):
        mine = {entry.index: entry for entry in one.log}
        both = [(mine[each.index], each) for each in other.log if each.index in mine]
        same = [place for place, (a, b) in enumerate(both) if a.term == b.term]
        for a, b in both[: same[-1] + 1 if same else 0]:
            assert a == b, "logs differ before an entry that they share"


def said_is_on_disk(frame):
    for each in frame.in_flight:
        message = each.message
        disk = frame[message.sender].disk
        if getattr(message, "is_prevote", False):
            continue
        assert disk.term >= message.term, "a term is said before it is on disk"
        if disk.term > message.term:
            continue
        if isinstance(message, RequestVoteReply) and message.vote_granted:
            assert disk.voted_for == message.receiver, "a vote is not on disk"
        if isinstance(message, AppendEntriesReply):
            ends = max((entry.index for entry in disk.log), default=0)
            match = getattr(message.result, "last_new_index", 0)
            assert match <= ends, "an entry is acknowledged that is not on disk"


def as_in_the_museum(name, start):
    """The run of an exhibit, which must come to its end."""
    which = exhibit(name)
    assert which.run(start(which.nodes)) is not False


def scenario_of(name):
    return partial(as_in_the_museum, name)
