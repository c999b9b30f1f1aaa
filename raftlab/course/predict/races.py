"""Questions about split votes: candidates race for the votes of one term."""

import random
from collections.abc import Sequence

from raftlab.course.question import Question, template
from raftlab.course.situations import FIVE
from raftlab.raft.messages import RequestVote
from raftlab.raft.options import Options
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.view import Scene, scene_cluster
from raftlab.view.words import ms, names


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


def _votes(count: int) -> str:
    return f"{count} vote{'s' * (count != 1)}"
