"""Tests that find all thirty mistakes: what an instructor compares a student's with.

It stands on what a student has as well: words, frames, and the verbs of a cluster. So the stories
of the museum are told here once more: those drive a whole `Cluster`, of which a test has a part.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import combinations
from typing import Any, TypeAlias

from raftlab.raft.log import LogEntry
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    Message,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Index, Millis, NodeId, NotNow, Term
from raftlab.sim.frames.frame import Frame, NodeFrame

Start: TypeAlias = Callable[..., Any]
Scenario: TypeAlias = Callable[[Start], None]
TestedCluster: TypeAlias = Any
"""What `start(3)` gives: a cluster with the machine under test."""


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


# What is done to a cluster


def settle(cluster: TestedCluster, leader: NodeId, ms: Millis) -> None:
    """Elect a leader, and let `ms` pass."""
    cluster.elect(leader)
    cluster.run(ms)


def with_entry(index: Index) -> Callable[[Message], bool]:
    """Whether a message brings the entry at `index`."""
    return lambda message: (
        isinstance(message, AppendEntries)
        and any(entry.index == index for entry in message.entries)
    )


def stale_tail(cluster: TestedCluster) -> None:
    """S3 led, and has two entries that nobody else has; S1 leads now, and S3 is cut off."""
    settle(cluster, "S3", 60)
    cluster.isolate("S3")
    cluster.propose("stale=1", to="S3")
    cluster.propose("stale=2", to="S3")
    cluster.run(20)
    settle(cluster, "S1", 60)


def late_copy(cluster: TestedCluster) -> Any:
    """S2 has entries 1 to 3, S3 only 1 and 2, S1 commits 3; a copy of 2 is on its way to S2."""
    settle(cluster, "S1", 60)
    cluster.propose("x=1")
    cluster.duplicate(cluster.until_sent("S1", "S2", with_entry(2)))
    copy = cluster.until_sent("S1", "S2", with_entry(2))
    cluster.delay(copy, 1000)
    cluster.propose("y=1")
    cluster.drop(cluster.until_sent("S1", "S3", with_entry(3)))
    cluster.run_until(lambda each: each.commit_index == 3, 100)
    return copy


def somebody_leads(cluster: TestedCluster) -> Any:
    """Three nodes start together."""
    return cluster.run_until(lambda each: each.leader is not None, 2000)


def entry_3_is_late(cluster: TestedCluster, ask: Callable[[], object]) -> None:
    """Entry 2 is acknowledged while entry 3, which S1 is asked for, is still on its way."""
    settle(cluster, "S1", 60)
    cluster.propose("x=1")
    cluster.run(2)
    ask()
    for node in ("S2", "S3"):
        cluster.delay(cluster.until_sent("S1", node, with_entry(3)), 30)
    cluster.run(100)


def two_candidates(cluster: TestedCluster) -> None:
    """S1 and S2 campaign at the same moment."""
    cluster.timeout("S1")
    cluster.timeout("S2")
    cluster.run(100)


def two_pairs(cluster: TestedCluster) -> None:
    """Of four nodes, two can reach each other, and so can the other two."""
    cluster.partition("S1 S2", "S3 S4")
    cluster.timeout("S1")
    cluster.timeout("S4")
    cluster.run(100)


def late_vote(cluster: TestedCluster) -> None:
    """S2 voted for S1 in term 1 and for S3 in term 2; the first vote comes last."""
    cluster.isolate("S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    late = cluster.until_sent("S2", "S1")
    cluster.delay(late, 1000)
    cluster.partition("S1", "S2 S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.run(50)
    cluster.deliver(late)


def doubled_vote(cluster: TestedCluster) -> None:
    """S1 has one vote beside its own, which the network doubles; S3 has the other three."""
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.duplicate(cluster.until_sent("S2", "S1"))
    cluster.run(100)


def left_behind(cluster: TestedCluster) -> None:
    """S3 misses a command that S1 and S2 commit, and asks S2 for its vote."""
    settle(cluster, "S1", 60)
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.partition("S1", "S2 S3")
    cluster.elect("S3")


def long_and_old(cluster: TestedCluster) -> None:
    """S3 has the longer log, S2 the later one, and S3 asks S2 for its vote."""
    stale_tail(cluster)
    cluster.partition("S1", "S2 S3")
    cluster.elect("S3")


def deposed_leader_speaks(cluster: TestedCluster) -> None:
    """S1 led and was cut off; S2 leads; a message of S1 is late, and S3 follows S2."""
    settle(cluster, "S1", 60)
    cluster.propose("stale=1")
    late = cluster.until_sent("S1", "S3", with_entry(2))
    cluster.delay(late, 1000)
    cluster.isolate("S1")
    cluster.elect("S2")
    cluster.run_until(lambda each: each.commit_index == 2, 500)
    cluster.deliver(late)
    cluster.run(100)


def late_copy_and_crash(cluster: TestedCluster) -> None:
    """The copy of entry 2 reaches S2 as soon as S1 has committed 3; S1 dies, and S3 campaigns."""
    copy = late_copy(cluster)
    cluster.crash("S1")
    cluster.deliver(copy)
    cluster.elect("S3")


def stale_tail_meets_next_leader(cluster: TestedCluster) -> None:
    """S3 comes back when the leader after next begins with entry 3; the stale ones are 2 and 3."""
    stale_tail(cluster)
    cluster.elect("S2")
    cluster.heal()
    cluster.run(150)


def second_command_is_late(cluster: TestedCluster) -> None:
    """Entry 2 is acknowledged while entry 3 is still on its way."""
    entry_3_is_late(cluster, lambda: cluster.propose("y=1"))


def short_log_meets_new_leader(cluster: TestedCluster) -> None:
    """S3 missed two entries, and so must reject what S2 sends it first."""
    settle(cluster, "S1", 60)
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.propose("y=1")
    cluster.run(100)
    cluster.elect("S2")
    cluster.heal()
    cluster.run(150)


def two_are_asked(cluster: TestedCluster) -> None:
    """Clients hand a command to S2, which follows, and another one to S1, which leads."""
    settle(cluster, "S1", 60)
    with suppress(NotNow):
        cluster.propose("y=1", to="S2")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


def figure_8(cluster: TestedCluster) -> None:
    """S1 copies its entry of term 1 to S3 in term 3; S2, with one of term 2, leads term 4."""
    cluster.elect("S1")
    cluster.isolate("S1")
    cluster.elect("S2")
    cluster.partition("S2", "S1 S3")
    cluster.elect("S1")
    cluster.run_until(lambda each: bool(each.frame()["S3"].disk.log), 500)
    late = cluster.until_sent("S3", "S1")
    cluster.cut("S1", "S3", both_ways=False)
    cluster.deliver(late)
    cluster.partition("S1", "S2 S3")
    cluster.elect("S2")


def half_of_four(cluster: TestedCluster) -> None:
    """The leader of four nodes reaches one of them."""
    settle(cluster, "S1", 60)
    cluster.partition("S1 S2", "S3 S4")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


def one_of_three(cluster: TestedCluster) -> None:
    """The leader of three nodes reaches none of them."""
    settle(cluster, "S1", 60)
    cluster.isolate("S1")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


def late_copy_of_committed(cluster: TestedCluster) -> None:
    """The copy of entry 2 reaches S2 when S2 knows that 3 is committed."""
    copy = late_copy(cluster)
    cluster.run(100)
    cluster.deliver(copy)


def second_leader(cluster: TestedCluster) -> Any:
    """S1 leads and dies."""
    settle(cluster, "S1", 60)
    cluster.crash("S1")
    return somebody_leads(cluster)


def quiet_leader(cluster: TestedCluster) -> Any:
    """S1 leads, and nobody asks it for anything."""
    settle(cluster, "S1", 60)
    term = cluster.frame()["S1"].term
    cluster.run(1000)
    return cluster.leader == "S1" and cluster.frame()["S1"].term == term


def stale_tail_is_mended(cluster: TestedCluster) -> Any:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    cluster.elect("S2")
    cluster.heal()
    return cluster.run_until(lambda each: each.frame()["S3"].log == each.frame()["S2"].log, 300)


def first_election(cluster: TestedCluster) -> None:
    """S1 asks for votes."""
    settle(cluster, "S1", 60)


def one_command(cluster: TestedCluster) -> None:
    """One election, one command."""
    settle(cluster, "S1", 60)
    cluster.propose("x=1")
    cluster.run(100)


def stale_tail_meets_leader(cluster: TestedCluster) -> None:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    cluster.propose("x=1", to="S1")
    cluster.run(100)
    cluster.heal()
    cluster.run(150)


RUNS: Mapping[str, tuple[Callable[[TestedCluster], object], int]] = {
    "refusals-elect": (two_candidates, 3),
    "half-elects": (two_pairs, 4),
    "old-votes": (late_vote, 3),
    "doubled-vote": (doubled_vote, 5),
    "votes-again": (two_candidates, 3),
    "any-log-elects": (left_behind, 3),
    "longest-log-elects": (long_and_old, 3),
    "last-term-elects": (left_behind, 3),
    "term-never-rises": (first_election, 3),
    "term-falls": (deposed_leader_speaks, 3),
    "vote-not-saved": (first_election, 3),
    "term-not-saved": (first_election, 3),
    "log-not-saved": (one_command, 3),
    "truncate-always": (late_copy_and_crash, 3),
    "never-truncates": (stale_tail_meets_leader, 3),
    "any-entry-fits": (stale_tail_meets_next_leader, 3),
    "sent-is-received": (second_command_is_late, 3),
    "no-means-yes": (short_log_meets_new_leader, 3),
    "leader-truncates": (short_log_meets_new_leader, 3),
    "followers-append": (two_are_asked, 3),
    "figure-8": (figure_8, 3),
    "half-commits": (half_of_four, 4),
    "best-copy-commits": (one_of_three, 3),
    "commit-goes-back": (late_copy_of_committed, 3),
    "commit-before-check": (stale_tail_meets_leader, 3),
    "commit-jumps": (second_command_is_late, 3),
    "votes-once": (second_leader, 3),
    "needs-all-votes": (second_leader, 3),
    "no-heartbeats": (quiet_leader, 3),
    "next-never-goes-back": (stale_tail_is_mended, 3),
}
"""By the mistake that it shows: what is done, and to how many servers."""


def runs_of(*names: str) -> Scenario:
    """A scenario: the runs that show these mistakes, each of which must come to its end."""

    def scenario(start: Start) -> None:
        for name in names:
            run, nodes = RUNS[name]
            assert run(start(nodes)) is not False

    return scenario


STUCK = ("votes-once", "no-heartbeats", "next-never-goes-back")
"""Mistakes that break nothing, and get nowhere: with `needs-all-votes`, whose run is the first."""
ONCE = {run: name for name, (run, _) in reversed([*RUNS.items()])}
"""Each run once, by the first mistake that it shows."""
BROKEN = [name for name in RUNS if name in ONCE.values() and name not in STUCK]
SCENARIOS: tuple[Scenario, ...] = (
    *(runs_of(*BROKEN[place::6]) for place in range(6)),
    *(runs_of(name) for name in STUCK),
)
"""Those that break a property share a scenario; those that get nowhere have one each."""
