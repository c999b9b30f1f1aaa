"""A machine from scratch, as a learner writes one: Figure 2, and nothing that came later.

It shares the words of the shipped machine (messages, the log, what a host must do) and none
of its code: no rules, no progress states, no pre-vote. It resends whatever is unacknowledged
at every heartbeat.
"""

import random
from typing import Any

from msgspec.structs import replace

from raftlab import Command, Configuration, Empty, LogEntry, NotLeader, Options, RaftLog, Role
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    Message,
    Rejected,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.output import NOTHING, Output

Payload = Command | Empty | Configuration


class ToyMachine:
    """One node, as simply as it can be done."""

    def __init__(
        self,
        node_id: str,
        *,
        configuration: Configuration,
        term: int = 0,
        voted_for: str | None = None,
        log: RaftLog | None = None,
        commit_index: int = 0,
        now: float = 0.0,
        rng: random.Random,
        options: Options,
        **unused: Any,
    ) -> None:
        self.node_id = node_id
        self.peers = [node for node in configuration.voters if node != node_id]
        self.majority = len(configuration.voters) // 2 + 1
        self.term, self.voted_for = term, voted_for
        self.log = log or RaftLog()
        self.commit_index = commit_index
        self.now, self.rng, self.options = now, rng, options
        self.role, self.leader = Role.FOLLOWER, None
        self.votes: set[str] = set()
        self.match: dict[str, int] = {}
        self.next: dict[str, int] = {}
        self.messages: list[Message] = []
        self.written = (term, voted_for, self.log.last_index)
        self.cut_at: int | None = None
        self.handed_out = commit_index
        self.wait_anew()

    # What the host calls

    @property
    def next_deadline(self) -> float:
        return self.deadline

    def advance(self, message: Message, now: float) -> None:
        self.now = now
        if message.term > self.term:
            self.term, self.voted_for = message.term, None
            self.follow(None)
        match message:
            case RequestVote():
                self.on_request(message)
            case RequestVoteReply():
                self.on_vote(message)
            case AppendEntries():
                self.on_append(message)
            case AppendEntriesReply():
                self.on_reply(message)

    def tick(self, now: float) -> None:
        self.now = now
        if self.role is Role.LEADER:
            self.speak()
        else:
            self.campaign(now)

    def campaign(self, now: float, force: bool = False) -> None:
        self.now = now
        self.role, self.leader = Role.CANDIDATE, None
        self.term, self.voted_for, self.votes = self.term + 1, self.node_id, {self.node_id}
        self.wait_anew()
        last = (self.log.last_index, self.log.last_term)
        for peer in self.peers:
            self.messages.append(
                RequestVote(
                    term=self.term,
                    sender=self.node_id,
                    receiver=peer,
                    last_log_index=last[0],
                    last_log_term=last[1],
                )
            )
        self.count()

    def add_entry(self, payload: Payload) -> int:
        if self.role is not Role.LEADER:
            raise NotLeader(f"{self.node_id} does not lead", self.leader)
        index = self.log.append_as_leader(self.term, payload).index
        self.speak()
        return index

    def poll(self) -> Output:
        term, vote, last = self.written
        self.commit()
        entries = self.log.entries(last + 1, self.log.last_index + 1)
        changed = (self.term, self.voted_for) != (term, vote)
        committed = self.log.entries(self.handed_out + 1, self.commit_index + 1)
        if not (changed or entries or self.cut_at or self.messages or committed):
            return NOTHING
        output = Output(
            term=self.term if changed else None,
            voted_for=self.voted_for if changed else None,
            truncate_from=self.cut_at,
            log_entries=entries,
            messages=tuple(self.messages),
            committed=committed,
        )
        self.messages, self.cut_at = [], None
        self.written = (self.term, self.voted_for, self.log.last_index)
        self.handed_out = self.commit_index
        return output

    # Elections

    def wait_anew(self) -> None:
        low, high = self.options.election_timeout
        self.deadline = self.now + low + (high - low) * self.rng.random()

    def follow(self, leader: str | None) -> None:
        if self.role is Role.LEADER or leader:
            self.wait_anew()
        self.role, self.leader = Role.FOLLOWER, leader

    def on_request(self, request: RequestVote) -> None:
        granted = (
            request.term == self.term
            and self.voted_for in (None, request.sender)
            and self.log.is_up_to_date(request.last_log_index, request.last_log_term)
        )
        if granted:
            self.voted_for = request.sender
            self.wait_anew()
        self.messages.append(
            RequestVoteReply(
                term=self.term, sender=self.node_id, receiver=request.sender, vote_granted=granted
            )
        )

    def on_vote(self, reply: RequestVoteReply) -> None:
        if reply.vote_granted and reply.term == self.term and self.role is Role.CANDIDATE:
            self.votes.add(reply.sender)
            self.count()

    def count(self) -> None:
        if len(self.votes) < self.majority:
            return
        self.role, self.leader = Role.LEADER, self.node_id
        self.match = dict.fromkeys(self.peers, 0)
        self.next = dict.fromkeys(self.peers, self.log.last_index + 1)
        self.add_entry(Empty())

    # Replication

    def speak(self) -> None:
        self.deadline = self.now + self.options.heartbeat_interval
        for peer in self.peers:
            self.send_to(peer)

    def send_to(self, peer: str) -> None:
        prev = self.next[peer] - 1
        term = self.log.term_for_index(prev) or 0
        entries = self.log.entries(prev + 1, self.log.last_index + 1)
        self.messages.append(
            AppendEntries(
                term=self.term,
                sender=self.node_id,
                receiver=peer,
                prev_log_index=prev,
                prev_log_term=term,
                entries=entries,
                leader_commit=self.commit_index,
            )
        )

    def on_append(self, request: AppendEntries) -> None:
        result: Accepted | Rejected = Rejected(
            non_matching_index=request.prev_log_index,
            last_index=self.log.last_index,
            hint_index=0,
            hint_term=0,
        )
        if request.term == self.term:
            self.follow(request.sender)
            if self.log.match_term(request.prev_log_index, request.prev_log_term):
                result = Accepted(self.take(request.entries, request.prev_log_index))
                known = min(request.leader_commit, result.last_new_index)
                self.commit_index = max(self.commit_index, known)
        reply = AppendEntriesReply(
            term=self.term,
            sender=self.node_id,
            receiver=request.sender,
            commit_index=self.commit_index,
            result=result,
        )
        self.messages.append(reply)

    def take(self, entries: tuple[LogEntry, ...], prev: int) -> int:
        for entry in entries:
            held = self.log.term_for_index(entry.index)
            if held is not None and held != entry.term:
                self.cut_at = min(self.cut_at or entry.index, entry.index)
                self.log.truncate_uncommitted(entry.index)
                term, vote, last = self.written
                self.written = (term, vote, min(last, entry.index - 1))
        self.log.append_as_follower(entries)
        return prev + len(entries)

    def on_reply(self, reply: AppendEntriesReply) -> None:
        if self.role is not Role.LEADER or reply.term != self.term:
            return
        peer = reply.sender
        if isinstance(reply.result, Accepted):
            self.match[peer] = max(self.match[peer], reply.result.last_new_index)
            self.next[peer] = self.match[peer] + 1
        elif reply.result.non_matching_index == self.next[peer] - 1:
            self.next[peer] = max(min(reply.result.last_index + 1, self.next[peer] - 1), 1)
            self.send_to(peer)

    def commit(self) -> None:
        """A poll says that the previous output is written: now the own copy counts, too."""
        if self.role is not Role.LEADER:
            return
        reached = sorted([*self.match.values(), self.written[2]], reverse=True)
        index = reached[self.majority - 1]
        if index > self.commit_index and self.log.term_for_index(index) == self.term:
            self.commit_index = index


class VotesForAll(ToyMachine):
    """A learner's first try: it forgets to look whether it has voted."""

    def on_request(self, request):
        self.voted_for = None
        super().on_request(request)


class ForgetsToWrite(ToyMachine):
    """A learner's first try: entries stay in memory."""

    def poll(self):
        return replace(super().poll(), log_entries=())


class CommitsAtOnce(ToyMachine):
    """A learner's first try: what a leader appends is committed."""

    def commit(self):
        if self.role is Role.LEADER:
            self.commit_index = self.written[2]
