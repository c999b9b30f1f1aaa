"""Questions about votes: who grants a vote, and who can win."""

import random
from collections.abc import Sequence

from raftlab.course.predict.asking import (
    campaign,
    copies_of,
    hand_over,
    out_of_reach,
    vote_of,
)
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_labelled_rows, scene_rows
from raftlab.course.situations import FIVE, cluster_of, random_logs, words_of
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Misuse, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.view import Scene, scene_tally
from raftlab.view.words import names


def fresh_cluster(seed: int) -> tuple[Cluster, tuple[Scene, ...]]:
    """Five nodes with logs of their own under the plain rules of Figure 2, and their picture."""
    logs = random_logs(random.Random(f"raftlab question {seed}"), FIVE)
    cluster = cluster_of(logs, seed=seed, options=Options.figure_2())
    return cluster, (scene_rows(logs, f"Five logs; every server is in term {cluster.setup.term}"),)


@template
def who_grants(
    cluster: Cluster | None = None,
    candidate: NodeId | None = None,
    *,
    force: bool = False,
    seed: int = 0,
) -> Question:
    """Which servers grant `candidate` their vote, if its election timer runs out now?

    With pre-vote on it is the pre-vote that is asked for; `force` as in `Cluster.elect`.
    """
    scenes: tuple[Scene, ...] = ()
    if cluster is None:
        cluster, scenes = fresh_cluster(seed)
        candidate = candidate or random.Random(f"raftlab candidate {seed}").choice(FIVE)
    if candidate is None:
        raise Misuse('say who asks: who_grants(cluster, candidate="S3")')
    copies = copies_of(cluster)
    if candidate not in copies or copies[candidate].role is Role.LEADER:
        refusal = NotNow if candidate in cluster.nodes else Misuse
        raise refusal(f"{candidate} is down, paused or leads, and cannot campaign; name another")
    away = out_of_reach(cluster, candidate)
    requests = campaign(copies[candidate], force)
    granted, reasons = [], []
    for request in requests:
        voter = request.receiver
        yes, why = (False, away[voter]) if voter in away else vote_of(copies[voter], request)
        reasons.append(why)
        if yes:
            granted.append(voter)
    kind = "pre-vote" if requests and requests[0].is_prevote else "vote"
    term = requests[0].term if requests else copies[candidate].term
    return Question(
        f"The election timer of {candidate} runs out now, and it asks for a {kind} in term {term}."
        f" Which servers grant it?",
        [node for node in cluster.nodes if node != candidate],
        granted,
        [*reasons, _votes_counted(kind, candidate, granted, len(cluster.nodes))],
        several=True,
        scenes=scenes,
        then=(_tally(cluster, candidate, granted, [each.receiver for each in requests]),),
    )


def _votes_counted(kind: str, candidate: NodeId, granted: Sequence[NodeId], of: int) -> str:
    """The count, and the rule."""
    return (
        f"{candidate} has {len(granted) + 1} of {of} {kind}s, its own among them, and"
        f" {majority(of)} are needed: a {kind} goes to a log at least as up to date, by the term of"
        " its last entry, then by its length (5.4.1)"
    )


def _tally(
    cluster: Cluster, candidate: NodeId, granted: Sequence[NodeId], asked: Sequence[NodeId]
) -> Scene:
    away = out_of_reach(cluster, candidate)
    answers = {node: node in granted for node in asked if node not in away}
    return scene_tally(
        {candidate: True, **answers}, Configuration((candidate, *asked)), candidate=candidate
    )


@template
def who_can_win(cluster: Cluster | None = None, *, seed: int = 0) -> Question:
    """Which nodes could be elected now, if they alone stood, and stood again when refused?"""
    scenes: tuple[Scene, ...] = ()
    if cluster is None:
        cluster, scenes = fresh_cluster(seed)
    copies = copies_of(cluster)
    found = {node: could_win(cluster, node) for node in copies}
    logs = {node: words_of(machine.log) for node, machine in copies.items()}
    told = {node: "can win" for node, (won, _) in found.items() if won}
    return Question(
        "Suppose that only one of these servers stands for election, again and again if need be."
        " Which of them can win?",
        list(found),
        [node for node, (won, _) in found.items() if won],
        [*(why for _, why in found.values()), "nobody votes for a log older than its own (5.4.1)"],
        several=True,
        scenes=scenes,
        then=(scene_labelled_rows(logs, told, "Who can win"),),
    )


def could_win(cluster: Cluster, candidate: NodeId) -> tuple[bool, str]:
    """Whether `candidate` can be elected from here, found by letting copies vote; and why."""
    copies = copies_of(cluster)
    away = out_of_reach(cluster, candidate)
    runner = copies[candidate]
    if leads(runner):
        return True, f"{candidate} leads term {runner.term}"
    voters: list[NodeId] = []
    for _ in range(3):
        voters = _campaign_once(runner, copies, away)
        if leads(runner):
            break
    needed = majority(len(cluster.nodes))
    who = names([candidate, *voters])
    if leads(runner):
        return True, f"{candidate} can win: {who} vote for it, and {needed} are needed"
    said = f"only {who} would vote for it" if voters else "nobody else votes for it"
    return False, f"{candidate} cannot win: {said}, and {needed} are needed"


def leads(machine: RaftStateMachine) -> bool:
    """Whether a machine is a leader now."""
    return machine.role is Role.LEADER


def _campaign_once(
    runner: RaftStateMachine, copies: dict[NodeId, RaftStateMachine], away: dict[NodeId, str]
) -> list[NodeId]:
    """One campaign of `runner` among the copies, to the last answer; returns who voted for it."""
    voters = []
    replies = []
    for request in campaign(runner, force=True):
        if request.receiver in away:
            continue
        for reply in hand_over(copies[request.receiver], request).messages:
            if reply.receiver == runner.node_id:
                replies.append(reply)
                if getattr(reply, "vote_granted", False):
                    voters.append(request.receiver)
    for reply in replies:
        hand_over(runner, reply)
    return voters
