"""Putting a message to a copy of a node's machine, and saying in words what it did and why."""

from collections.abc import Mapping, Sequence

from raftlab.raft.log import LogEntry
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, Message, RequestVote, RequestVoteReply
from raftlab.raft.output import Output
from raftlab.raft.vocabulary import Configuration, Index, Misuse, NodeId, Term
from raftlab.sim.cluster import Cluster

THREE = Configuration(("S1", "S2", "S3"))
CREDIT = "after Ongaro's user study, dissertation, appendix A, CC BY"


def copies_of(cluster: Cluster) -> dict[NodeId, RaftStateMachine]:
    """An independent copy of every living, running node's machine."""
    copies = {}
    for node, host in cluster.hosts.items():
        if not host.alive or host.paused:
            continue
        if not isinstance(host.machine, RaftStateMachine):
            raise Misuse(
                f"{node} runs a machine of its own; ask about one with the shipped machine"
            )
        copies[node] = host.machine.copy()
        copies[node].poll()
    return copies


def out_of_reach(cluster: Cluster, candidate: NodeId) -> dict[NodeId, str]:
    """The nodes that will not hear `candidate`, each with the reason."""
    cuts = set(cluster.frame().cuts)
    reasons = {}
    for node, host in cluster.hosts.items():
        if node == candidate:
            continue
        if not host.alive:
            reasons[node] = f"{node} is down and answers nothing"
        elif host.paused:
            reasons[node] = f"{node} stands still and answers nothing"
        elif (candidate, node) in cuts:
            reasons[node] = f"{node} cannot be reached from {candidate}"
    return reasons


def campaign(machine: RaftStateMachine, force: bool = False) -> tuple[RequestVote, ...]:
    """Let the election timer of `machine` run out; returns what it asks of whom."""
    machine.campaign(machine.now, force)
    output = machine.poll()
    return tuple(each for each in output.messages if isinstance(each, RequestVote))


def hand_over(machine: RaftStateMachine, message: Message) -> Output:
    """Let a message arrive; returns what the machine then wants done."""
    machine.advance(message, machine.now)
    return machine.poll()


def vote_of(machine: RaftStateMachine, request: RequestVote) -> tuple[bool, str]:
    """Whether `machine` grants the vote, and its reason in words."""
    before = machine.copy()
    output = hand_over(machine, request)
    replies = [each for each in output.messages if isinstance(each, RequestVoteReply)]
    rule = output.debug_log[-1].rule if output.debug_log else ""
    granted = bool(replies) and replies[0].vote_granted
    return granted, f"{machine.node_id} {_vote_words(granted, rule, before, machine, request)}"


def _vote_words(
    granted: bool,
    rule: str,
    before: RaftStateMachine,
    after: RaftStateMachine,
    request: RequestVote,
) -> str:
    candidate = request.sender
    kind = "pre-vote" if request.is_prevote else "vote"
    own = _end(before.log.last_index, before.log.last_term)
    its = _end(request.last_log_index, request.last_log_term)
    if granted:
        return f"grants its {kind}: {candidate}'s log {its}, its own {own}"
    reasons: Mapping[str, str] = {
        "is_stale_term": f"it is in term {before.term} already, and is asked for {request.term}",
        "leader_is_alive": f"it heard its leader {_since(before)}",
        "has_vote_left": _spent(before, request),
        "candidate_is_up_to_date": f"its own log is newer: it {own}, {candidate}'s {its}",
    }
    reason = reasons.get(rule, rule)
    if rule == "candidate_is_up_to_date" and after.term > before.term:
        reason += f" (it moves to term {after.term} all the same)"
    return f"refuses: {reason}"


def _spent(voter: RaftStateMachine, request: RequestVote) -> str:
    if voter.voted_for is not None and voter.term == request.term:
        return f"it has voted for {voter.voted_for} in term {voter.term}"
    if voter.leader is not None:
        return f"it follows {voter.leader}, the leader of term {voter.term}"
    return f"it has no vote left in term {voter.term}"


def _since(voter: RaftStateMachine) -> str:
    if voter.leader == voter.node_id:
        return "just now: it leads"
    return f"{voter.now - voter._last_leader_contact:.0f} ms ago"


def _end(index: int, term: int) -> str:
    return f"ends with entry {index} of term {term}" if index else "is empty"


def vote_reply(voter: NodeId, candidate: NodeId, term: Term) -> RequestVoteReply:
    """A granted vote."""
    return RequestVoteReply(term=term, sender=voter, receiver=candidate, vote_granted=True)


def append_message(
    sender: NodeId,
    receiver: NodeId,
    term: Term,
    prev: tuple[Index, Term] = (0, 0),
    entries: Sequence[LogEntry] = (),
) -> AppendEntries:
    """An AppendEntries with these entries, by default a heartbeat; nothing is committed yet."""
    return AppendEntries(
        term=term,
        sender=sender,
        receiver=receiver,
        prev_log_index=prev[0],
        prev_log_term=prev[1],
        entries=tuple(entries),
        leader_commit=0,
    )
