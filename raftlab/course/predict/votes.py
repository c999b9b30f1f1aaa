"""Questions about votes: who grants, who can win, who wins a race, what a lost vote breaks."""

import random
from collections.abc import Sequence

from raftlab.course.predict.asking import (
    CREDIT,
    campaign,
    copies_of,
    hand_over,
    out_of_reach,
    vote_of,
)
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_labelled_rows, scene_rows
from raftlab.course.situations import FIVE, cluster_of, random_logs, words_of
from raftlab.raft.figure2.elections import REASONS
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import RequestVote
from raftlab.raft.options import Options
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Misuse, NodeId, NotNow, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.violation import Violation
from raftlab.view import Scene, scene_cluster, scene_tally
from raftlab.view.words import ms, names


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


@template
def splits(
    cluster: Cluster | None = None, candidates: Sequence[NodeId] = (), *, seed: int = 0
) -> Question:
    """Two or more candidates stand at once: who wins this term, or nobody?

    The requests are on their way; the question says when each arrives.
    """
    scenes: tuple[Scene, ...] = ()
    if cluster is None:
        cluster = Cluster(5, seed=seed, options=Options.figure_2())
        rng = random.Random(f"raftlab split {seed}")
        candidates = candidates or sorted(rng.sample(FIVE, rng.choice([2, 2, 3])))
        for node in candidates:
            cluster.timeout(node)
        cluster.run(cluster.setup.disks.write_ms)
        scenes = (scene_cluster(cluster.frame()),)
    now = cluster.frame()
    standing = [node.node for node in now.nodes if node.role is Role.CANDIDATE]
    if len(standing) < 2:
        raise NotNow("let two nodes time out first: cluster.timeout(node)")
    winner, counts, end = _race(cluster)
    who = f"{winner} gets its majority first" if winner else "nobody gets a majority: a split vote"
    said = [
        f"{node} had counted {_votes(counts.get(node, 1))}" for node in standing if node != winner
    ]
    needed = (
        f"{majority(len(now.nodes))} of {len(now.nodes)} are needed; each voter has one vote in a"
        " term, for whoever asks first (5.2)"
    )
    return Question(
        f"{names(standing)} stand for election in term {now.term}, and their requests are on their"
        " way. Who wins this term?",
        [*standing, "nobody"],
        winner or "nobody",
        [who, *said, needed],
        given=_arrivals(now),
        scenes=scenes,
        then=(scene_cluster(end),),
    )


def _arrivals(frame: Frame) -> list[str]:
    """Who is asked by whom, and when: one line a voter, the first request first."""
    asked: dict[NodeId, list[tuple[float, NodeId]]] = {}
    for flight in frame.in_flight:
        if isinstance(flight.message, RequestVote):
            time = flight.arrives_at - frame.at
            asked.setdefault(flight.message.receiver, []).append((time, flight.message.sender))
    return [
        f"{voter} hears " + ", ".join(f"{who} after {ms(time)}" for time, who in sorted(times))
        for voter, times in sorted(asked.items())
    ]


def _race(cluster: Cluster) -> tuple[NodeId | None, dict[NodeId, int], Frame]:
    """Run a copy until somebody leads or the votes are in: who leads, everyone's votes, the end."""
    copy = cluster.recording.replay()
    end = copy.now + copy.setup.options.election_timeout[0] * 0.9
    counts: dict[NodeId, int] = {}
    while copy.now < end and copy.leader is None:
        copy.run(1.0)
        for node in copy.frame().nodes:
            if node.votes:
                counts[node.node] = sum(node.votes.answers.values())
    return copy.leader, counts, copy.frame()


LOST = {
    "nothing": "with all that was on its disk",
    "vote": "without the vote it gave",
    "log": "with an empty log",
}
KEPT = {
    "nothing": "term, vote and log are on the disk before a server answers: none is lost (5.1)",
    "vote": "S2 has voted twice in term 1: a vote must be on the disk before it is told (5.1, 5.2)",
    "log": "S1 counted S2's copy, and 2 of 3 was a majority: what is acknowledged must stay (5.3)",
}


@template
def lost_vote(lost: str | None = None, *, seed: int = 0) -> Question:
    """A voter crashes and comes back without its vote ("vote") or log ("log"): what breaks?

    Three servers; S1 and S3 cannot hear each other. S2 restarts, and S3 stands for election.
    """
    if lost is None:
        lost = random.Random(f"raftlab lost {seed}").choice(sorted(LOST))
    if lost not in tuple(LOST):
        raise Misuse(f"lost is one of {', '.join(LOST)}, not {shown(lost)}")
    broken, why, end = _play_lost(lost)
    when = (
        "S2 has voted for S1 in term 1, and has no entry yet"
        if lost == "vote"
        else "S1 leads term 1, and entries 1 and 2 are on the disks of S1 and S2 and committed"
    )
    return Question(
        f"Three servers; S1 and S3 cannot hear each other. {when}. S1 and S2 crash, and S2 comes"
        f" back {LOST[lost]}. S3 stands for election, and again if it is refused. Which"
        " property breaks?",
        ("One Vote Per Term", "Leader Completeness", "Leader Append-Only", "none"),
        broken,
        (why, KEPT[lost]),
        then=(scene_cluster(end),),
        credit=CREDIT,
    )


def _play_lost(lost: str) -> tuple[str, str, Frame]:
    """Let S2 lose a part of its disk in a crash; which property broke, how, and the end."""
    cluster = Cluster(3, seed=0, options=Options.figure_2())
    cluster.cut("S1", "S3")
    cluster.timeout("S1")
    cluster.run_until(lambda each: each.leader == "S1", 100)
    if lost != "vote":
        cluster.propose("x=1")
        cluster.run(40)
    cluster.crash("S1")
    cluster.crash("S2")
    disk = cluster.hosts["S2"].disk
    if lost == "vote":
        disk.voted_for = None
    if lost == "log":
        disk.log = []
    try:
        cluster.restart("S2")
        for _ in range(3):
            cluster.timeout("S3")
            cluster.run(100)
    except Violation as violation:
        return violation.frame.name, violation.frame.text, cluster.frame()
    told = [event.text for event in cluster.events(40) if event.involves(REASONS)]
    return "none", f"{told[-1]} Its log is newer, and S2 still has it.", cluster.frame()


def _votes(count: int) -> str:
    return f"{count} vote{'s' * (count != 1)}"
