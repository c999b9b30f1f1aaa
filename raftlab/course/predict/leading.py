"""A leader made by real messages, with the log and the followers that a question asks for."""

from collections.abc import Sequence

from raftlab.course.in_words import terms_of
from raftlab.course.predict.asking import campaign, hand_over, vote_reply
from raftlab.course.situations import log_of
from raftlab.raft.log import Command, LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term

MOST_MESSAGES = 500


class WithoutNoOp(Rules):
    """A new leader appends nothing by itself, so that its log is the one in the question."""

    def appends_at_term_start(self) -> bool:
        """No."""
        return False


class OneStepBack(WithoutNoOp):
    """After a rejection the leader tries the entry before, as the paper's Figure 2 has it."""

    def next_index_after(
        self, rejected: Rejected, log: RaftLog, progress: FollowerProgress
    ) -> Index:
        """One less than last time."""
        return max(rejected.non_matching_index, progress.match_index + 1, 1)


class SendsAll(WithoutNoOp):
    """A message carries all entries from next_index on, as in the paper's Figure 2: no probes."""

    def entries_for_one_message(
        self, log: RaftLog, next_index: Index, probing: bool, options: Options
    ) -> tuple[LogEntry, ...]:
        """All that follow."""
        return log.entries(next_index, log.last_index + 1)


class OneStepBackSendsAll(OneStepBack, SendsAll):
    """The paper's Figure 2 to the letter."""


def leader_with(
    words: str, term: Term, nodes: Sequence[NodeId], rules: Rules | None = None
) -> RaftStateMachine:
    """The first of `nodes` as leader of `term`, with the log that `words` says."""
    terms = terms_of(words)
    earlier = [each for each in terms if each < term]
    machine = RaftStateMachine(
        nodes[0],
        configuration=Configuration(tuple(nodes)),
        term=term - 1,
        log=log_of(" ".join(map(str, earlier))),
        options=Options.figure_2(max_entries_per_append=64),
        rules=rules or WithoutNoOp(),
    )
    campaign(machine)
    machine.poll()
    for node in nodes[1:]:
        hand_over(machine, vote_reply(node, nodes[0], term))
    for place in range(len(terms) - len(earlier)):
        machine.add_entry(Command(f"new={place + 1}".encode()))
    return machine


def repair(
    leader: RaftStateMachine, follower: RaftStateMachine
) -> list[tuple[AppendEntries, AppendEntriesReply]]:
    """Let leader and follower talk until the follower holds the leader's log: every exchange."""
    said: list[tuple[AppendEntries, AppendEntriesReply]] = []
    waiting = list(_appends(leader.poll().messages, follower.node_id))
    if not waiting:
        leader._broadcast_heartbeat()
        waiting = list(_appends(leader.poll().messages, follower.node_id))
    while waiting and len(said) < MOST_MESSAGES:
        request = waiting.pop(0)
        for reply in hand_over(follower, request).messages:
            if isinstance(reply, AppendEntriesReply):
                said.append((request, reply))
                waiting += _appends(hand_over(leader, reply).messages, follower.node_id)
                waiting += _appends(leader.poll().messages, follower.node_id)
    return said


def _appends(messages: Sequence[object], receiver: NodeId) -> list[AppendEntries]:
    return [m for m in messages if isinstance(m, AppendEntries) and m.receiver == receiver]
