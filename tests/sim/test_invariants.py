"""Every property can fail: each is fed the least that breaks it, and what comes close to it."""

from collections.abc import Callable
from typing import Any

import pytest

from raftlab import (
    FIGURE_3,
    PROPERTIES,
    Cluster,
    Command,
    Configuration,
    LogEntry,
    RaftLog,
    Role,
    Violation,
)
from raftlab.museum.membership import WaitsForTheCommit
from raftlab.raft.log import Snapshot
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshotReply,
    Message,
    Rejected,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.roles import Leader
from raftlab.raft.vocabulary import Index, NodeId, NotNow, Term
from raftlab.sim.watch.watcher import Watcher
from raftlab.sim.world.actions import Wait
from raftlab.sim.world.host import Reading
from tests.sim.looking import standing


class Stage:
    """Nodes that never run: tests move them by hand, and the watch looks on.

    S1, S2 and S3 are the voters; S4 and S5 are there, and belong to nothing.
    """

    def __init__(self) -> None:
        cluster = Cluster(3, watched=False)
        cluster.add_node("S4")
        cluster.add_node("S5")
        self.hosts: dict[NodeId, Any] = cluster.hosts
        self.watch: Any = Watcher(self.hosts)

    def move(
        self,
        node: NodeId,
        *,
        term: Term | None = None,
        role: Role | None = None,
        log: tuple[LogEntry, ...] | None = None,
        commit: Index | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        """Let a node take a step after which it looks like this."""
        host = self.hosts[node]
        machine = host.machine
        if configuration is not None:
            host.configuration = machine.configuration = configuration
        if term is not None:
            machine.term = term
        if role is not None:
            machine.role = role
        if log is not None:
            machine.log = RaftLog()
            machine.log.append_as_follower(log)
            newest = machine.log.configuration_at(machine.log.last_index)
            machine.configuration = newest or host.configuration
        if commit is not None:
            machine.commit_index = commit
        self.watch.moved(host)

    def write(
        self,
        *nodes: NodeId,
        term: Term | None = None,
        vote: NodeId | None = None,
        log: tuple[LogEntry, ...] | None = None,
    ) -> None:
        """Put something on disks."""
        for node in nodes:
            disk = self.hosts[node].disk
            disk.term = disk.term if term is None else term
            disk.voted_for = vote
            if log is not None:
                disk.log = list(log)

    def compact(
        self, node: NodeId, index: Index, term: Term, trailing: int = 0, data: bytes = b""
    ) -> None:
        """Let a snapshot stand for a log up to `index`, and be written."""
        snapshot = Snapshot(index, term, FIRST, data)
        self.hosts[node].machine.log.compact(snapshot, trailing)
        self.watch.moved(self.hosts[node])
        self.watch.keeps_snapshot(self.hosts[node], snapshot)

    def install(self, node: NodeId, index: Index, term: Term, **what: Any) -> None:
        """Let a snapshot take the place of a log."""
        snapshot = Snapshot(index, term, **{"configuration": FIRST, **what})
        machine = self.hosts[node].machine
        machine.log.restore(snapshot)
        machine.configuration = snapshot.configuration
        machine.commit_index = max(machine.commit_index, index)
        self.watch.moved(self.hosts[node])
        self.watch.keeps_snapshot(self.hosts[node], snapshot)

    def ask(self, node: NodeId) -> Reading:
        """A client asks a node for a value."""
        reading = Reading(node, "x", 0.0)
        self.watch.asks(reading)
        return reading

    def answer(self, reading: Reading) -> None:
        self.watch.answers(self.hosts[reading.node], reading)

    def say(self, message: Message) -> None:
        self.watch.says(self.hosts[message.sender], (message,))

    def apply(self, node: NodeId, *entries: LogEntry) -> None:
        host = self.hosts[node]
        self.watch.applies(host, entries)
        host.apply(entries)

    def restart(self, node: NodeId, term: Term) -> None:
        host = self.hosts[node]
        host.stop()
        host.disk.term = term
        host.start(0.0)
        self.watch.restarted(host)

    @property
    def broken(self) -> tuple[str, str, tuple[NodeId, ...], Index | None] | None:
        """The name of the broken property, the sentence, the nodes and the index; or None."""
        if self.watch.broken is None:
            return None
        broken_property, broken = self.watch.broken
        return (broken_property.name, broken.text, broken.nodes, broken.index)


def log(*terms: Term, text: str = "x") -> tuple[LogEntry, ...]:
    """A log by the terms of its entries."""
    return tuple(
        LogEntry(term, index, Command(f"{text}={term}".encode()))
        for index, term in enumerate(terms, start=1)
    )


FIRST = Configuration(("S1", "S2", "S3"))
JOINT = Configuration(("S3", "S4", "S5"), ("S1", "S2", "S3"))
NEW = Configuration(("S3", "S4", "S5"))


def log_with(term: Term, *payloads: object) -> tuple[LogEntry, ...]:
    """A log by what is in its entries, all of one term."""
    return tuple(
        LogEntry(term, index, payload if isinstance(payload, Configuration) else Command(payload))
        for index, payload in enumerate(payloads, start=1)
    )


def lead(stage: Stage, node: NodeId, term: Term, *terms: Term, commit: Index = 0) -> None:
    stage.move(node, term=term, role=Role.LEADER, log=log(*terms), commit=commit)


def commit(stage: Stage, term: Term, *terms: Term) -> None:
    """S1 leads `term` and commits all of its log, which S3 has too."""
    stage.write("S1", "S3", term=term, log=log(*terms))
    lead(stage, "S1", term, *terms, commit=len(terms))


# What breaks a property, and what does not


def two_leaders(stage: Stage) -> None:
    lead(stage, "S1", 1)
    lead(stage, "S2", 1)


def two_leaders_of_two_terms(stage: Stage) -> None:
    lead(stage, "S1", 1)
    lead(stage, "S2", 2)
    stage.move("S1", role=Role.FOLLOWER)
    lead(stage, "S1", 3)


def leader_overwrites(stage: Stage) -> None:
    lead(stage, "S1", 2, 1, 2)
    stage.move("S1", log=log(1, 2, text="y"))


def leader_shortens(stage: Stage) -> None:
    lead(stage, "S1", 1, 1, 1, 1)
    lead(stage, "S1", 1, 1, 1)


def follower_shortens_and_leader_appends(stage: Stage) -> None:
    stage.move("S1", term=1, log=log(1, 1, 1))
    stage.move("S1", term=2, log=log(1, 1))
    lead(stage, "S1", 2, 1, 1, 2)
    lead(stage, "S1", 2, 1, 1, 2, 2)
    stage.move("S1", term=3, role=Role.FOLLOWER, log=log(1))
    lead(stage, "S1", 4, 1)


def same_place_other_command(stage: Stage) -> None:
    stage.move("S1", term=1, log=log(1, 1))
    stage.move("S2", term=1, log=(log(1)[0], log(1, 1, text="y")[1]))


def same_place_other_past(stage: Stage) -> None:
    stage.move("S1", term=3, log=log(1, 3))
    stage.move("S2", term=3, log=log(2, 3))


def other_terms(stage: Stage) -> None:
    stage.move("S1", term=3, log=log(1, 1, 1))
    stage.move("S2", term=3, log=log(1, 2, 3))
    stage.move("S3", term=3, log=log(1))


def leader_without_a_committed_entry(stage: Stage) -> None:
    stage.write("S1", "S3", term=1, log=log(1, 1))
    lead(stage, "S1", 1, 1, 1, commit=2)
    lead(stage, "S2", 2, 1, 2)


def commit_behind_a_later_leader(stage: Stage) -> None:
    lead(stage, "S2", 2, 2)
    stage.write("S1", "S3", term=1, log=log(1))
    lead(stage, "S1", 1, 1, commit=1)


def old_leader_without_a_committed_entry(stage: Stage) -> None:
    stage.write("S1", "S3", term=2, log=log(1, 2))
    lead(stage, "S1", 2, 1, 2, commit=2)
    lead(stage, "S2", 1, 1)


def two_entries_committed_at_one_index(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.move("S2", term=2, log=log(2), commit=1)


def committed_what_is_not_there(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=1, log=log(1), commit=2)


def committed_one_after_the_other(stage: Stage) -> None:
    commit(stage, 2, 1, 2)
    stage.move("S2", term=2, log=log(1, 1), commit=1)


def committed_with_one_copy(stage: Stage) -> None:
    stage.write("S1", term=1, log=log(1))
    lead(stage, "S1", 1, 1, commit=1)


def committed_with_copies_of_another_term(stage: Stage) -> None:
    stage.write("S1", "S2", "S3", term=2, log=log(1))
    lead(stage, "S1", 2, 2, commit=1)


def committed_with_two_copies(stage: Stage) -> None:
    stage.write("S2", "S3", term=1, log=log(1))
    lead(stage, "S1", 1, 1, commit=1)


def follower_committed_with_one_copy(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.write("S3", term=1, log=())
    stage.move("S2", term=1, log=log(1), commit=1)


def follower_commits_before_its_leader(stage: Stage) -> None:
    stage.write("S1", "S2", "S3", term=1, log=log(1, 1))
    lead(stage, "S1", 1, 1, 1, commit=1)
    stage.move("S2", term=1, log=log(1, 1), commit=2)


def candidate_commits_before_any_leader(stage: Stage) -> None:
    stage.write("S1", "S2", "S3", term=1, log=log(1))
    stage.move("S2", term=2, role=Role.CANDIDATE, log=log(1), commit=1)


def follower_commits_as_far_as_its_leader(stage: Stage) -> None:
    stage.write("S1", "S2", "S3", term=1, log=log(1, 1))
    lead(stage, "S1", 1, 1, 1, commit=1)
    stage.move("S2", term=1, log=log(1, 1), commit=1)


def follower_commits_when_its_leader_is_down(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.hosts["S1"].stop()
    stage.move("S2", term=1, log=log(1, 1), commit=2)


def leader_steps_down_before_others_commit(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S1", term=2, role=Role.FOLLOWER)
    stage.move("S2", term=2, log=log(1, 1), commit=2)


def commit_goes_back(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=1, log=log(1, 1), commit=2)
    stage.move("S2", commit=1)


def committed_is_cut(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=1, log=log(1, 1, 1), commit=2)
    stage.move("S2", log=log(1))


def committed_is_replaced(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=2, log=log(1, 1, 1), commit=2)
    stage.move("S2", log=log(1, 2, 2))


def uncommitted_is_replaced(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=2, log=log(1, 1, 1), commit=2)
    stage.move("S2", log=log(1, 1, 2, 2))
    stage.move("S2", log=log(1, 1))


def commit_begins_anew_after_a_crash(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.write("S2", term=1, log=log(1, 1))
    stage.move("S2", term=1, log=log(1, 1), commit=2)
    stage.restart("S2", term=1)


def asks(term: Term, candidate: NodeId, voter: NodeId, **what: bool) -> RequestVote:
    return RequestVote(
        term=term, sender=candidate, receiver=voter, last_log_index=0, last_log_term=0, **what
    )


def granted(term: Term, voter: NodeId, candidate: NodeId, **what: bool) -> RequestVoteReply:
    return RequestVoteReply(term=term, sender=voter, receiver=candidate, vote_granted=True, **what)


def term_falls(stage: Stage) -> None:
    stage.move("S1", term=3)
    stage.move("S1", term=2)


def term_falls_behind_what_was_said(stage: Stage) -> None:
    stage.write("S1", term=3)
    stage.move("S1", term=3)
    stage.say(asks(3, "S1", "S2"))
    stage.restart("S1", term=2)


def term_falls_behind_what_was_asked(stage: Stage) -> None:
    stage.write("S1", term=2)
    stage.move("S1", term=2)
    stage.say(asks(3, "S1", "S2", is_prevote=True))
    stage.restart("S1", term=2)


def term_falls_back_unsaid(stage: Stage) -> None:
    stage.move("S1", term=3)
    stage.restart("S1", term=2)


def term_begins_anew_after_it_was_said(stage: Stage) -> None:
    stage.write("S1", term=3)
    stage.move("S1", term=3)
    stage.say(asks(3, "S1", "S2"))
    stage.restart("S1", term=0)


def term_begins_anew_unsaid(stage: Stage) -> None:
    stage.move("S1", term=3)
    stage.say(asks(4, "S1", "S2", is_prevote=True))
    stage.restart("S1", term=0)


def log_terms_fall(stage: Stage) -> None:
    stage.move("S1", term=2, log=log(2, 1))


def log_is_ahead_of_its_node(stage: Stage) -> None:
    stage.move("S1", term=1, log=log(1, 2))


def log_terms_skip(stage: Stage) -> None:
    stage.move("S1", term=9, log=log(1, 4, 4, 9))


def led_with_progress(stage: Stage, match: Index, next_index: Index) -> None:
    """S1 leads with two entries, believes `match` and `next_index` of S2, and hears of S2."""
    stage.hosts["S1"].machine._become_candidate()
    stage.hosts["S1"].machine._become_leader()
    stage.move("S1", term=1, role=Role.LEADER, log=log(1, 1))
    data = stage.hosts["S1"].machine.role_data
    assert isinstance(data, Leader)
    progress = data.tracker.progress["S2"]
    progress.match_index, progress.next_index = match, next_index
    stage.watch.replied(
        stage.hosts["S1"],
        AppendEntriesReply(
            term=1, sender="S2", receiver="S1", commit_index=0, result=Accepted(match)
        ),
    )


def match_without_entry(stage: Stage) -> None:
    stage.write("S2", term=1, log=log(1))
    led_with_progress(stage, 2, 3)


def match_of_another_term(stage: Stage) -> None:
    stage.write("S2", term=1, log=(*log(1), log(0, 0)[1]))
    led_with_progress(stage, 2, 3)


def match_not_below_next(stage: Stage) -> None:
    stage.write("S2", term=1, log=log(1, 1))
    led_with_progress(stage, 2, 2)


def next_beyond_the_end(stage: Stage) -> None:
    stage.write("S2", term=1, log=log(1, 1))
    led_with_progress(stage, 2, 4)


def match_with_entry(stage: Stage) -> None:
    stage.write("S2", term=1, log=log(1, 1))
    led_with_progress(stage, 2, 3)


def match_before_a_later_term(stage: Stage) -> None:
    """S2 has met a later leader since, which may have cut what S1 knows of."""
    stage.write("S2", term=2, log=())
    led_with_progress(stage, 2, 3)


def two_votes(stage: Stage) -> None:
    stage.write("S3", term=1, vote="S1")
    stage.say(granted(1, "S3", "S1"))
    stage.write("S3", term=1, vote="S2")
    stage.say(granted(1, "S3", "S2"))


def vote_for_another_one_than_itself(stage: Stage) -> None:
    stage.write("S3", term=1, vote="S3")
    stage.say(asks(1, "S3", "S1"))
    stage.write("S3", term=1, vote="S2")
    stage.say(granted(1, "S3", "S2"))


def votes_that_are_allowed(stage: Stage) -> None:
    stage.write("S3", term=1, vote="S1")
    stage.say(granted(2, "S3", "S1", is_prevote=True))
    stage.say(granted(2, "S3", "S2", is_prevote=True))
    stage.say(asks(2, "S3", "S1", is_prevote=True))
    stage.say(granted(1, "S3", "S1"))
    stage.say(granted(1, "S3", "S1"))
    stage.say(RequestVoteReply(term=1, sender="S3", receiver="S2", vote_granted=False))
    stage.write("S3", term=2, vote="S2")
    stage.say(granted(2, "S3", "S2"))


def term_said_before_it_was_written(stage: Stage) -> None:
    stage.write("S1", term=1)
    stage.say(
        AppendEntries(
            term=2,
            sender="S1",
            receiver="S2",
            prev_log_index=0,
            prev_log_term=0,
            entries=(),
            leader_commit=0,
        )
    )


def vote_said_before_it_was_written(stage: Stage) -> None:
    stage.write("S1", term=2, vote=None)
    stage.say(granted(2, "S1", "S2"))


def entry_said_before_it_was_written(stage: Stage) -> None:
    stage.write("S2", term=1, log=log(1))
    stage.say(
        AppendEntriesReply(term=1, sender="S2", receiver="S1", commit_index=0, result=Accepted(2))
    )


def entry_said_while_another_one_is_written(stage: Stage) -> None:
    stage.write("S2", term=2, log=log(1, 1, 1))
    stage.move("S2", term=2, log=log(1, 2))
    stage.say(
        AppendEntriesReply(term=2, sender="S2", receiver="S1", commit_index=0, result=Accepted(2))
    )


def entry_said_before_a_later_one_is_written(stage: Stage) -> None:
    stage.write("S2", term=2, log=log(1, 1, 1))
    stage.move("S2", term=2, log=log(1, 2))
    stage.say(
        AppendEntriesReply(term=2, sender="S2", receiver="S1", commit_index=0, result=Accepted(1))
    )
    stage.write("S2", term=2, log=log(1, 2))
    stage.say(
        AppendEntriesReply(term=2, sender="S2", receiver="S1", commit_index=0, result=Accepted(2))
    )


def entry_said_and_replaced_in_a_later_term(stage: Stage) -> None:
    """S2 has met the leader of term 3, whose entry is not yet on its disk."""
    stage.write("S2", term=2, log=log(1, 2))
    stage.move("S2", term=3, log=log(1, 3))
    stage.say(
        AppendEntriesReply(term=2, sender="S2", receiver="S1", commit_index=0, result=Accepted(2))
    )


def said_after_it_was_written(stage: Stage) -> None:
    stage.write("S2", term=2, vote="S1", log=log(1))
    stage.say(granted(2, "S2", "S1"))
    stage.say(
        AppendEntriesReply(term=2, sender="S2", receiver="S1", commit_index=0, result=Accepted(1))
    )
    stage.say(
        AppendEntriesReply(
            term=2,
            sender="S2",
            receiver="S1",
            commit_index=0,
            result=Rejected(non_matching_index=7, last_index=1, hint_index=1, hint_term=1),
        )
    )
    stage.say(asks(3, "S2", "S1", is_prevote=True))


def said_before_a_later_term_and_kept_back(stage: Stage) -> None:
    """S2 voted for S3 in term 1 and for S1 in term 2, while one write was under way."""
    stage.write("S2", term=2, vote="S1", log=())
    stage.say(
        AppendEntriesReply(term=1, sender="S2", receiver="S3", commit_index=0, result=Accepted(2))
    )
    stage.say(granted(1, "S2", "S3"))
    stage.say(granted(2, "S2", "S1"))


def applied_with_a_hole(stage: Stage) -> None:
    commit(stage, 1, 1, 1, 1)
    stage.apply("S1", *log(1))
    stage.apply("S1", log(1, 1, 1)[2])


def applied_twice(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.apply("S1", *log(1))
    stage.apply("S1", *log(1))


def applied_another_one(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=1, log=log(1, 1), commit=2)
    stage.apply("S1", *log(1, 1))
    stage.apply("S2", log(1)[0], log(1, 1, text="y")[1])


def applied_before_it_was_committed(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.move("S1", log=log(1, 1))
    stage.apply("S1", *log(1, 1))


def applied_when_only_another_node_has_committed_it(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.move("S2", term=1, log=log(1))
    stage.apply("S2", *log(1))


def applied_as_far_as_committed(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.move("S1", log=log(1, 1))
    stage.apply("S1", *log(1))


def applied_in_order(stage: Stage) -> None:
    commit(stage, 1, 1, 1, 1)
    stage.move("S2", term=1, log=log(1, 1, 1), commit=3)
    stage.apply("S1", *log(1, 1))
    stage.apply("S2", *log(1))
    stage.apply("S2", *log(1, 1, 1)[1:])
    stage.apply("S1", log(1, 1, 1)[2])


def applied_anew_after_a_crash(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.apply("S1", *log(1, 1))
    stage.restart("S1", term=1)
    stage.move("S1", commit=2)
    stage.apply("S1", *log(1, 1))


# Membership


def two_changes_pending(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.move("S1", log=log_with(1, b"x=1", JOINT, b"y=1", NEW))


def snapshot_is_not_followed(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.hosts["S4"].machine.log.restore(Snapshot(1, 1, NEW))
    stage.move("S4", commit=1)


def cut_change_stays_in_force(stage: Stage) -> None:
    stage.move("S1", term=1, log=log_with(1, b"x=1", JOINT))
    machine = stage.hosts["S1"].machine
    machine.log.truncate_uncommitted(2)
    machine.configuration = JOINT
    stage.watch.moved(stage.hosts["S1"])


def rules_wait_for_the_commit(stage: Stage) -> None:
    stage.hosts["S1"].rules = WaitsForTheCommit()
    cut_change_stays_in_force(stage)


def vote_is_taken_back(stage: Stage) -> None:
    stage.hosts["S1"].machine.voted_for = "S2"
    stage.move("S1", term=1)
    stage.hosts["S1"].machine.voted_for = None
    stage.move("S1")


def vote_is_given_anew(stage: Stage) -> None:
    stage.hosts["S1"].machine.voted_for = "S2"
    stage.move("S1", term=1)
    stage.hosts["S1"].machine.voted_for = "S3"
    stage.move("S1")


def vote_of_another_term(stage: Stage) -> None:
    stage.hosts["S1"].machine.voted_for = "S2"
    stage.move("S1", term=1)
    stage.hosts["S1"].machine.voted_for = None
    stage.move("S1", term=2)
    stage.hosts["S1"].machine.voted_for = "S3"
    stage.move("S1")


def vote_that_never_reached_the_disk(stage: Stage) -> None:
    """It began in term 0, gave a vote in term 1, and crashed before either was written."""
    stage.hosts["S1"].machine.voted_for = "S2"
    stage.move("S1", term=1)
    stage.restart("S1", term=0)


def second_change_after_the_first(stage: Stage) -> None:
    entries = log_with(1, JOINT, b"y=1", NEW)
    stage.write("S1", "S3", "S4", term=1, log=entries)
    stage.move("S1", term=1, role=Role.LEADER, log=entries[:1], configuration=JOINT)
    stage.move("S1", commit=1)
    stage.move("S1", log=entries, configuration=NEW)
    stage.move("S4", term=1, log=entries)  # it does not know yet that the first is committed


def joint(stage: Stage, *holders: NodeId) -> None:
    """S3 leads, and appends a joint configuration, which reaches the disks of `holders`."""
    entries = log_with(1, JOINT)
    stage.write(*holders, term=1, log=entries)
    stage.move("S3", term=1, role=Role.LEADER, log=entries, configuration=JOINT)


def committed_by_the_new_half(stage: Stage) -> None:
    joint(stage, "S3", "S4", "S5")
    stage.move("S3", commit=1)


def committed_by_the_old_half(stage: Stage) -> None:
    joint(stage, "S1", "S2", "S3")
    stage.move("S3", commit=1)


def committed_by_the_new_half_and_left_at_once(stage: Stage) -> None:
    joint(stage, "S3", "S4", "S5")
    stage.move("S3", log=log_with(1, JOINT, NEW), configuration=NEW, commit=1)


def committed_by_both_halves_and_left_at_once(stage: Stage) -> None:
    joint(stage, "S1", "S3", "S4")
    stage.move("S3", log=log_with(1, JOINT, NEW), configuration=NEW, commit=1)


def more_is_committed_once_joint_is_left(stage: Stage) -> None:
    """S3 and S4 hold entry 2, which is enough as soon as S1 and S2 do not count any more."""
    entries = log_with(1, JOINT, b"x=1")
    stage.write("S3", "S4", term=1, log=entries)
    stage.write("S1", term=1, log=entries[:1])
    stage.move("S3", term=1, role=Role.LEADER, log=entries, configuration=JOINT)
    stage.move("S3", log=(*entries, LogEntry(1, 3, NEW)), configuration=NEW, commit=2)


def removed(stage: Stage, *holders: NodeId) -> None:
    """S1 leads without a vote; entry 1, which removes it, is on the disks of `holders`."""
    without = Configuration(("S2", "S3"))
    entries = log_with(1, without)
    stage.write(*holders, term=1, log=entries)
    stage.move("S1", term=1, role=Role.LEADER, log=entries, configuration=without)


def removed_leader_commits_with_its_own_copy(stage: Stage) -> None:
    removed(stage, "S1", "S2")
    stage.move("S1", commit=1)


def removed_leader_goes_with_the_commit_too_early(stage: Stage) -> None:
    removed(stage, "S1", "S2")
    stage.move("S1", commit=1, role=Role.FOLLOWER)


def removed_leader_goes_with_the_commit(stage: Stage) -> None:
    removed(stage, "S2", "S3")
    stage.move("S1", commit=1, role=Role.FOLLOWER)


def learners_hold_it(stage: Stage) -> None:
    with_learners = Configuration(("S1", "S2", "S3"), (), ("S4", "S5"))
    stage.write("S1", "S4", "S5", term=1, log=log(1))
    stage.move("S1", term=1, configuration=with_learners)
    lead(stage, "S1", 1, 1, commit=1)


def new_server_has_nothing(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S4")
    stage.restart("S4", term=0)


# Snapshots


def leader_compacts(stage: Stage) -> None:
    commit(stage, 1, 1, 1, 1)
    stage.compact("S1", 2, 1)
    stage.hosts["S1"].machine.log.append_as_leader(1, Command(b"x=4"))
    stage.move("S1")


def leader_compacts_and_keeps_some(stage: Stage) -> None:
    commit(stage, 1, 1, 1, 1, 1)
    stage.compact("S1", 2, 1, trailing=1)
    stage.compact("S1", 4, 1, trailing=2)


def leader_compacts_and_changes_what_follows(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S1", log=log(1, 1, 1))
    stage.compact("S1", 1, 1)
    stage.hosts["S1"].machine.log.truncate_uncommitted(3)
    stage.move("S1")


def snapshot_of_the_committed(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.install("S2", 2, 1)
    stage.move("S2", term=1)
    stage.compact("S1", 2, 1)


def snapshot_takes_the_place_of_a_stale_log(stage: Stage) -> None:
    commit(stage, 2, 1, 2, 2)
    stage.move("S2", term=2, log=log(1, 1, 1, 1), commit=1)
    stage.install("S2", 3, 2)


def stale_tail_behind_a_snapshot(stage: Stage) -> None:
    commit(stage, 2, 1, 2)
    stage.move("S2", term=2, log=log(1, 1, 1), commit=1)
    stage.compact("S2", 2, 2)


def tail_with_another_past(stage: Stage) -> None:
    commit(stage, 3, 1, 2)
    stage.move("S2", term=3, log=log(1, 1, 3), commit=1)
    stage.compact("S2", 2, 2)


def older_snapshot(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=1, log=log(1, 1), commit=2)
    stage.install("S2", 1, 1)


def snapshot_of_the_uncommitted(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.move("S1", log=log(1, 1))
    stage.compact("S1", 2, 1)


def snapshot_of_another_term(stage: Stage) -> None:
    commit(stage, 2, 1, 2)
    stage.install("S2", 2, 1)


def snapshot_with_other_values(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.compact("S1", 1, 1, data=b"x=1")
    stage.install("S2", 1, 1, data=b"x=2")


def snapshot_with_another_configuration(stage: Stage) -> None:
    joint(stage, "S1", "S3", "S4")
    stage.move("S3", commit=1)
    stage.install("S4", 1, 1, configuration=NEW)


def snapshot_with_its_configuration(stage: Stage) -> None:
    joint(stage, "S1", "S3", "S4")
    stage.move("S3", commit=1)
    stage.install("S4", 1, 1, configuration=JOINT)


def snapshot_said_before_it_was_written(stage: Stage) -> None:
    stage.write("S2", term=1, log=log(1))
    stage.say(InstallSnapshotReply(term=1, sender="S2", receiver="S1", last_index=3, success=True))


def snapshot_said_after_it_was_written(stage: Stage) -> None:
    stage.write("S2", term=1, log=())
    stage.hosts["S2"].disk.snapshot = Snapshot(3, 1, FIRST)
    stage.say(InstallSnapshotReply(term=1, sender="S2", receiver="S1", last_index=3, success=True))
    stage.say(InstallSnapshotReply(term=1, sender="S2", receiver="S1", last_index=9, success=False))
    stage.say(
        AppendEntriesReply(term=1, sender="S2", receiver="S1", commit_index=0, result=Accepted(2))
    )


def leader_without_what_it_has_compacted(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.install("S3", 2, 1)
    stage.move("S3", term=2, role=Role.LEADER)


def entry_in_flight_before_it_is_written(stage: Stage) -> None:
    """A leader may send what it is still writing; its term has been on its disk for long."""
    stage.write("S1", term=1, log=())
    lead(stage, "S1", 1, 1)
    stage.say(
        AppendEntries(
            term=1,
            sender="S1",
            receiver="S2",
            prev_log_index=0,
            prev_log_term=0,
            entries=log(1),
            leader_commit=0,
        )
    )


def leader_speaks_at_once_before_its_term_is_written(stage: Stage) -> None:
    stage.write("S1", term=1, log=())
    lead(stage, "S1", 2, 2)
    stage.say(
        AppendEntries(
            term=2,
            sender="S1",
            receiver="S2",
            prev_log_index=0,
            prev_log_term=0,
            entries=log(2),
            leader_commit=0,
        )
    )


def match_of_what_is_in_snapshots(stage: Stage) -> None:
    stage.write("S1", "S2", "S3", term=1, log=log(1, 1))
    led_with_progress(stage, 2, 3)
    stage.move("S1", commit=2)
    stage.compact("S1", 2, 1)
    stage.write("S2", term=1, log=())
    stage.hosts["S2"].disk.snapshot = Snapshot(2, 1, FIRST)
    stage.watch.replied(
        stage.hosts["S1"],
        AppendEntriesReply(term=1, sender="S2", receiver="S1", commit_index=0, result=Accepted(2)),
    )


# Reads, and disks that are lost


def read_of_the_past(stage: Stage) -> None:
    commit(stage, 1, 1, 1)
    stage.move("S2", term=1, log=log(1, 1), commit=1)
    stage.apply("S2", *log(1))
    stage.answer(stage.ask("S2"))


def read_of_what_was_committed_when_it_was_asked(stage: Stage) -> None:
    commit(stage, 1, 1)
    stage.apply("S1", *log(1))
    reading = stage.ask("S1")
    stage.write("S1", "S3", term=1, log=log(1, 1))
    stage.move("S1", log=log(1, 1), commit=2)
    stage.answer(reading)


def term_begins_anew_with_the_disk(stage: Stage) -> None:
    stage.write("S4", term=3)
    stage.move("S4", term=3)
    stage.say(asks(3, "S4", "S2"))
    stage.watch.wiped(stage.hosts["S4"])
    stage.restart("S4", term=0)


BREAKING: list[tuple[Callable[[Stage], None], str, str, tuple[NodeId, ...], Index | None],] = [
    (two_leaders, "Election Safety", "S1 and S2 both lead term 1", ("S1", "S2"), None),
    (
        leader_overwrites,
        "Leader Append-Only",
        "S1 leads term 2 and changed its own entry 1",
        ("S1",),
        1,
    ),
    (
        leader_shortens,
        "Leader Append-Only",
        "S1 leads term 1 and changed its own entry 3",
        ("S1",),
        3,
    ),
    (
        same_place_other_command,
        "Log Matching",
        "entry 2 of term 1 is not the same everywhere",
        ("S2", "S1"),
        2,
    ),
    (
        same_place_other_past,
        "Log Matching",
        "what lies before entry 2 of term 3 is not the same",
        ("S2", "S1"),
        2,
    ),
    (
        leader_without_a_committed_entry,
        "Leader Completeness",
        "S2 leads term 2 without entry 2 of term 1, which S1 committed in term 1",
        ("S2", "S1"),
        2,
    ),
    (
        commit_behind_a_later_leader,
        "Leader Completeness",
        "S2 leads term 2 without entry 1 of term 1, which S1 committed in term 1",
        ("S2", "S1"),
        1,
    ),
    (
        two_entries_committed_at_one_index,
        "State Machine Safety",
        "S1 committed entry 1 of term 1, and S2 another one of term 2",
        ("S1", "S2"),
        1,
    ),
    (
        committed_what_is_not_there,
        "State Machine Safety",
        "S2 committed up to 2 but its log ends at 1",
        ("S2",),
        2,
    ),
    (
        committed_with_one_copy,
        "Commit Follows Quorum",
        "S1 committed entry 1 of term 1, which is on 1 of 3 disks",
        ("S1", "S1"),
        1,
    ),
    (
        committed_with_copies_of_another_term,
        "Commit Follows Quorum",
        "S1 committed entry 1 of term 2, which is on 0 of 3 disks",
        ("S1",),
        1,
    ),
    (
        follower_commits_before_its_leader,
        "Commit Follows Leader",
        "S2 committed entry 2, which no leader has committed",
        ("S2",),
        2,
    ),
    (
        candidate_commits_before_any_leader,
        "Commit Follows Leader",
        "S2 committed entry 1, which no leader has committed",
        ("S2",),
        1,
    ),
    (
        commit_goes_back,
        "Committed Stays",
        "S2 took its commit index back from 2 to 1",
        ("S2",),
        1,
    ),
    (
        committed_is_cut,
        "Committed Stays",
        "S2 lost entry 2, which it had committed",
        ("S2",),
        2,
    ),
    (
        committed_is_replaced,
        "Committed Stays",
        "S2 lost entry 2, which it had committed",
        ("S2",),
        2,
    ),
    (term_falls, "Terms Rise", "S1 went back from term 3 to 2", ("S1",), None),
    (
        term_falls_behind_what_was_said,
        "Terms Rise",
        "S1 went back from term 3 to 2",
        ("S1",),
        None,
    ),
    (
        term_begins_anew_after_it_was_said,
        "Terms Rise",
        "S1 went back from term 3 to 0",
        ("S1",),
        None,
    ),
    (
        log_terms_fall,
        "Log Terms Rise",
        "S1 holds an entry (2, term 1) at 2, after one of term 2",
        ("S1",),
        2,
    ),
    (
        log_is_ahead_of_its_node,
        "Log Terms Rise",
        "S1 holds an entry of term 2 in term 1",
        ("S1",),
        2,
    ),
    (
        match_without_entry,
        "Match Is True",
        "S1 believes that S2 holds entry 2 of term 1, and it does not",
        ("S1", "S2"),
        2,
    ),
    (
        match_of_another_term,
        "Match Is True",
        "S1 believes that S2 holds entry 2 of term 1, and it does not",
        ("S1", "S2"),
        2,
    ),
    (
        match_not_below_next,
        "Match Is True",
        "S1 has match index 2 and next index 2 for S2, and its log ends at 2",
        ("S1", "S2"),
        2,
    ),
    (
        next_beyond_the_end,
        "Match Is True",
        "S1 has match index 2 and next index 4 for S2, and its log ends at 2",
        ("S1", "S2"),
        2,
    ),
    (
        two_votes,
        "One Vote Per Term",
        "S3 voted for S1 and for S2 in term 1",
        ("S3", "S1", "S2"),
        None,
    ),
    (
        vote_for_another_one_than_itself,
        "One Vote Per Term",
        "S3 voted for S3 and for S2 in term 1",
        ("S3", "S3", "S2"),
        None,
    ),
    (
        term_said_before_it_was_written,
        "Durable Before Said",
        "S1 spoke in term 2 before it was on its disk",
        ("S1",),
        None,
    ),
    (
        vote_said_before_it_was_written,
        "Durable Before Said",
        "S1 granted a vote before it was on its disk",
        ("S1",),
        None,
    ),
    (
        entry_said_before_it_was_written,
        "Durable Before Said",
        "S2 acknowledged entry 2 before it was on its disk",
        ("S2",),
        2,
    ),
    (
        entry_said_while_another_one_is_written,
        "Durable Before Said",
        "S2 acknowledged entry 2 before it was on its disk",
        ("S2",),
        2,
    ),
    (
        applied_with_a_hole,
        "Applied In Order",
        "S1 applied entry 3 where 2 was due",
        ("S1",),
        2,
    ),
    (applied_twice, "Applied In Order", "S1 applied entry 1 where 2 was due", ("S1",), 2),
    (
        applied_another_one,
        "Applied In Order",
        "S2 applied another entry 2 than was committed",
        ("S2",),
        2,
    ),
    (
        applied_before_it_was_committed,
        "Applied In Order",
        "S1 applied entry 2 before it was committed",
        ("S1",),
        2,
    ),
    (
        applied_when_only_another_node_has_committed_it,
        "Applied In Order",
        "S2 applied entry 1 before it was committed",
        ("S2",),
        1,
    ),
    (
        two_changes_pending,
        "One Change At A Time",
        "S1 holds uncommitted configurations at 2 and 4",
        ("S1",),
        4,
    ),
    (
        committed_by_the_new_half,
        "Commit Follows Quorum",
        "S3 committed entry 1 of term 1, which is on 1 of 3 disks",
        ("S3", "S3"),
        1,
    ),
    (
        committed_by_the_old_half,
        "Commit Follows Quorum",
        "S3 committed entry 1 of term 1, which is on 1 of 3 disks",
        ("S3", "S3"),
        1,
    ),
    (
        committed_by_the_new_half_and_left_at_once,
        "Commit Follows Quorum",
        "S3 committed entry 1 of term 1, which is on 1 of 3 disks",
        ("S3", "S3"),
        1,
    ),
    (
        removed_leader_commits_with_its_own_copy,
        "Commit Follows Quorum",
        "S1 committed entry 1 of term 1, which is on 1 of 2 disks",
        ("S1", "S2"),
        1,
    ),
    (
        removed_leader_goes_with_the_commit_too_early,
        "Commit Follows Quorum",
        "S1 committed entry 1 of term 1, which is on 1 of 2 disks",
        ("S1", "S2"),
        1,
    ),
    (
        learners_hold_it,
        "Commit Follows Quorum",
        "S1 committed entry 1 of term 1, which is on 1 of 3 disks",
        ("S1", "S1"),
        1,
    ),
    (
        leader_compacts_and_changes_what_follows,
        "Leader Append-Only",
        "S1 leads term 1 and changed its own entry 3",
        ("S1",),
        3,
    ),
    (
        stale_tail_behind_a_snapshot,
        "Log Terms Rise",
        "S2 holds an entry (3, term 1) at 3, after one of term 2",
        ("S2",),
        3,
    ),
    (
        tail_with_another_past,
        "Log Matching",
        "what lies before entry 3 of term 3 is not the same",
        ("S2",),
        3,
    ),
    (
        older_snapshot,
        "Committed Stays",
        "S2 lost entry 2, which it had committed",
        ("S2",),
        2,
    ),
    (
        snapshot_of_the_uncommitted,
        "Snapshots Are True",
        "S1 has a snapshot up to entry 2, which is not committed",
        ("S1",),
        2,
    ),
    (
        snapshot_of_another_term,
        "Snapshots Are True",
        "S2 has a snapshot that ends with entry 2 of term 1; what was committed there is of term 2",
        ("S2",),
        2,
    ),
    (
        snapshot_with_other_values,
        "Snapshots Are True",
        "S2 has another snapshot up to entry 1 than the others",
        ("S2",),
        1,
    ),
    (
        snapshot_with_another_configuration,
        "Snapshots Are True",
        "S4 has a snapshot up to entry 1 with a configuration that is not the one there",
        ("S4",),
        1,
    ),
    (
        snapshot_said_before_it_was_written,
        "Durable Before Said",
        "S2 acknowledged a snapshot before it was on its disk",
        ("S2",),
        3,
    ),
    (
        leader_speaks_at_once_before_its_term_is_written,
        "Durable Before Said",
        "S1 spoke in term 2 before it was on its disk",
        ("S1",),
        None,
    ),
    (
        cut_change_stays_in_force,
        "Newest Configuration",
        "S1 does not use the configuration that it began with",
        ("S1",),
        0,
    ),
    (
        snapshot_is_not_followed,
        "Newest Configuration",
        "S4 does not use the configuration at 1, the newest in its log",
        ("S4",),
        1,
    ),
    (
        vote_is_taken_back,
        "One Vote Per Term",
        "S1 had voted for S2, and now has for nobody, in term 1",
        ("S1", "S2"),
        None,
    ),
    (
        vote_is_given_anew,
        "One Vote Per Term",
        "S1 had voted for S2, and now has for S3, in term 1",
        ("S1", "S2"),
        None,
    ),
    (
        read_of_the_past,
        "Reads Are Current",
        "S2 answered a read of x from entries 1 to 1, and 2 were committed when it was asked",
        ("S2",),
        2,
    ),
]

HARMLESS = [
    rules_wait_for_the_commit,
    vote_of_another_term,
    vote_that_never_reached_the_disk,
    two_leaders_of_two_terms,
    follower_shortens_and_leader_appends,
    other_terms,
    old_leader_without_a_committed_entry,
    committed_one_after_the_other,
    committed_with_two_copies,
    follower_committed_with_one_copy,
    follower_commits_as_far_as_its_leader,
    follower_commits_when_its_leader_is_down,
    leader_steps_down_before_others_commit,
    uncommitted_is_replaced,
    commit_begins_anew_after_a_crash,
    term_falls_behind_what_was_asked,
    term_falls_back_unsaid,
    term_begins_anew_unsaid,
    log_terms_skip,
    match_with_entry,
    match_before_a_later_term,
    votes_that_are_allowed,
    said_after_it_was_written,
    said_before_a_later_term_and_kept_back,
    entry_said_before_a_later_one_is_written,
    entry_said_and_replaced_in_a_later_term,
    applied_as_far_as_committed,
    applied_in_order,
    applied_anew_after_a_crash,
    second_change_after_the_first,
    committed_by_both_halves_and_left_at_once,
    more_is_committed_once_joint_is_left,
    removed_leader_goes_with_the_commit,
    new_server_has_nothing,
    leader_compacts,
    leader_compacts_and_keeps_some,
    snapshot_of_the_committed,
    snapshot_takes_the_place_of_a_stale_log,
    snapshot_with_its_configuration,
    snapshot_said_after_it_was_written,
    leader_without_what_it_has_compacted,
    entry_in_flight_before_it_is_written,
    match_of_what_is_in_snapshots,
    read_of_what_was_committed_when_it_was_asked,
    term_begins_anew_with_the_disk,
]


@pytest.mark.parametrize(
    ("situation", "name", "text", "nodes", "index"),
    BREAKING,
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_property_is_seen_to_break(situation, name, text, nodes, index):
    stage = Stage()
    situation(stage)
    assert stage.broken == (name, text, nodes, index)


@pytest.mark.parametrize("situation", HARMLESS)
def test_what_comes_close_breaks_nothing(situation):
    stage = Stage()
    situation(stage)
    assert stage.broken is None


def test_every_property_is_seen_to_break():
    odd = {name for _, name, *_ in BREAKING} ^ {each.name for each in PROPERTIES}
    assert not odd, f"BREAKING wants a situation in which it is broken: {odd}"


def test_the_first_property_that_breaks_is_the_one_that_is_named():
    stage = Stage()
    two_leaders(stage)
    term_falls(stage)
    assert stage.broken[0] == "Election Safety"


# Properties as a reader meets them


def test_figure_3_has_five_properties():
    assert [each.name for each in FIGURE_3] == [
        "Election Safety",
        "Leader Append-Only",
        "Log Matching",
        "Leader Completeness",
        "State Machine Safety",
    ]
    assert PROPERTIES[:5] == FIGURE_3


@pytest.mark.parametrize("each", PROPERTIES, ids=lambda each: each.name)
def test_a_property_says_what_it_says_and_where_it_is_stated(each):
    assert each.statement.endswith(".")
    assert "\n" not in each.statement
    assert each.paper


def broken_cluster() -> Cluster:
    """S2 is made a second leader of term 1 by hand, and takes a step."""
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.run(200)
    machine = cluster.machine("S2")
    machine._become_candidate()
    machine.term = 1
    machine._become_leader()
    return cluster


def test_a_violation_stops_the_run_and_says_everything():
    cluster = broken_cluster()
    with pytest.raises(Violation) as caught:
        cluster.run(100)
    broken = caught.value.frame
    assert (broken.name, broken.paper) == ("Election Safety", "5.2, Figure 3")
    assert broken.nodes == ("S1", "S2")
    assert broken.frame == cluster.number
    assert str(caught.value) == (
        f"Election Safety, frame {cluster.number}: S1 and S2 both lead term 1"
        " (paper: 5.2, Figure 3)"
    )
    frame = cluster.frame()
    assert frame.violation == cluster.violation == broken
    assert [name for name, holds in frame.properties.items() if not holds] == ["Election Safety"]


def test_after_a_violation_the_run_stands_still():
    cluster = broken_cluster()
    with pytest.raises(Violation):
        cluster.run(100)
    after, number = standing(cluster), cluster.number
    verbs: list[Callable[[], object]] = [
        cluster.step,
        lambda: cluster.run(10),
        cluster.heal,
        cluster.calm,
        lambda: cluster.crash("S3"),
        lambda: cluster.elect("S3"),
        lambda: cluster.propose("x=1", to="S1"),
        lambda: cluster.apply(Wait(cluster.now + 1)),
    ]
    for verb in verbs:
        with pytest.raises(NotNow) as refused:
            verb()
        assert str(refused.value) == (
            f"The run stopped at frame {number}, where Election Safety was broken."
            f" Look at it, or go back: cluster.at({number - 1})."
        )
        assert standing(cluster) == after


def test_a_run_that_broke_can_be_looked_at_frame_by_frame_and_gone_back_in():
    from raftlab.museum import EXHIBITS

    mutant = EXHIBITS[0]
    cluster = mutant.cluster()
    with pytest.raises(Violation) as caught:
        mutant.run(cluster)
    frames = list(cluster.recording.frames())
    assert len(frames) == cluster.number + 1
    assert frames[-1].violation == caught.value.frame
    assert all(each.violation is None for each in frames[:-1])
    before = cluster.at(cluster.number - 1)
    with pytest.raises(Violation) as again:
        before.step()
    assert again.value.frame == caught.value.frame
    with pytest.raises(Violation):
        cluster.recording.replay()
    assert cluster.trace().end == cluster.now


def test_an_unwatched_cluster_is_not_stopped():
    from raftlab.museum import EXHIBITS

    for mutant in EXHIBITS[:5]:
        given = {**mutant.given, **mutant.wrong}
        cluster = Cluster(mutant.nodes, seed=1, watched=False, **given)
        mutant.run(cluster)
        assert cluster.violation is None
        assert cluster.frame().properties == {}
