"""Questions about a leader that is deposed and does not know it: its entry, and what it commits."""

import random
from collections.abc import Sequence

from raftlab.course.predict.asking import CREDIT
from raftlab.course.predict.votes import could_win
from raftlab.course.question import Question, template
from raftlab.course.situations import FIVE
from raftlab.raft.figure2.elections import REASONS
from raftlab.raft.options import Options
from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Misuse, NodeId, NotNow, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.scenarios.deposed import HELD_UP, depose
from raftlab.view import scene_cluster, scene_logs
from raftlab.view.words import names


@template
def deposed_leader(
    winner: NodeId | None = None, holder: NodeId = "S2", *, seed: int = 0
) -> Question:
    """A leader is cut off with an entry that only `holder` has: what becomes of it?

    `winner` is elected in its place. Raises: Misuse, for a server that is none of S2 to S5.
    """
    if winner is None:
        rng = random.Random(f"raftlab deposed {seed}")
        holder, other = rng.sample(FIVE[1:], 2)
        winner = rng.choice((holder, other))
    for node in (winner, holder):
        if node not in FIVE[1:]:
            raise Misuse(f"name one of {names(FIVE[1:])}, not {shown(node)}")
    cluster = Cluster(5, seed=7, options=Options.figure_2())
    cluster.elect("S1")
    cluster.run(100)
    for other in FIVE[1:]:
        if other != holder:
            cluster.cut("S1", other)
    index = cluster.propose("x=1")
    cluster.run(40)
    before = cluster.frame()
    told = _depose(cluster, winner)
    entry = before["S1"].entry(index)
    copies = [node.node for node in before.nodes if entry in node.log]
    kept = [node for node in cluster.frame().nodes if node.entry(index) == entry]
    committed = [node.node for node in kept if node.commit_index >= index]
    few = f"entry {index} was on {len(copies)} of {len(FIVE)} servers, and {majority(5)} are needed"
    why = (
        f"{winner} holds entry {index}, and commits it with an entry of its own term (5.4.2);"
        f" {names(committed)} have committed it"
        if committed
        else f"{winner} lacks it, and every follower's log becomes the leader's: another entry"
        f" {index} overwrites it (5.3)"
    )
    return Question(
        f"S1 leads term {before.term} and has put x=1 into entry {index}; {names(copies)} hold it."
        f" Then S1 is cut off from everyone, and {winner} is elected in its place. The"
        " network heals. What becomes of x=1?",
        {"committed": "the new leader commits it", "lost": "another entry takes its place"},
        "committed" if committed else "lost",
        [*told, few, why],
        then=(scene_logs(cluster.frame()),),
        credit=CREDIT,
    )


VOTES = frozenset(["become_candidate", "on_request_vote", *REASONS, "become_leader"])
"""What speaks when a node campaigns, grants or refuses a vote, and leads."""


def _depose(cluster: Cluster, winner: NodeId) -> list[str]:
    """Cut S1 off, let `winner` lead, heal; what the election said."""
    cluster.isolate("S1")
    cluster.timeout(winner)
    told = []
    while cluster.leader != winner:
        event = cluster.step()
        if event.involves(VOTES):
            told.append(event.text)
    cluster.run(50)
    cluster.heal()
    cluster.run(400)
    return told


@template
def deposed_leader_commits(
    winner: NodeId | None = None,
    voters: Sequence[NodeId] = ("S4", "S5"),
    late: NodeId = "S3",
    holders: Sequence[NodeId] = ("S2",),
    *,
    seed: int = 0,
) -> Question:
    """A leader is deposed and does not know it: can it still commit its entry, and is that safe?

        predict.deposed_leader_commits("S2", voters=("S4", "S5"), late="S3")

    S1 knows that `holders` have its entry. `winner` was elected by `voters` (and itself), and
    S1's message with the entry is still on its way to `late`.

    Raises: Misuse, if this cannot come about.
    """
    if winner is None:
        winner, voters, late, holders = _random_deposition(seed)
    _check_deposition(winner, voters, late, holders)
    try:
        cluster = depose(winner, voters, late, holders, seed=seed)
    except NotNow:
        raise Misuse(f"{names(list(voters))} do not elect {winner}: name other voters") from None
    before = cluster.frame()
    cluster.run(HELD_UP)
    after = cluster.frame()
    truth, why = _end_of_deposed(before, after, late, _lacking(cluster, after))
    return Question(
        f"S1 leads term 1, and {winner} was elected in term 2 by"
        f" {names(sorted([winner, *voters]))}. S1 has not heard of that. Its message with"
        f" entry 1 is still on its way to {late}, and only {late} can hear S1 and answer. The"
        " message arrives. What comes of it?",
        {
            "harmless": "S1 commits entry 1, and every leader to come holds it",
            "harmful": "S1 commits entry 1, and a leader to come may lack it",
            "refused": f"{late} refuses the message, and S1 commits nothing",
            "too few": f"{late} accepts the message, and S1 commits nothing",
        },
        truth,
        why,
        given=_standing(before, late, holders),
        scenes=(scene_cluster(before),),
        then=(scene_logs(after),),
        credit=CREDIT,
    )


def _check_deposition(
    winner: NodeId, voters: Sequence[NodeId], late: NodeId, holders: Sequence[NodeId]
) -> None:
    others = FIVE[1:]
    named = (winner, late, *voters, *holders)
    if any(node not in others for node in named) or winner in voters or late in holders:
        raise Misuse(
            f"name {names(list(others))} only; the winner is none of the voters, and the late one"
            " holds nothing"
        )


def _standing(before: Frame, late: NodeId, holders: Sequence[NodeId]) -> list[str]:
    """What must be known of each server: its term, its log, and what S1 knows."""
    lines = [
        f"{node.node}: {node.role.value} in term {node.term}, and its log"
        f" {'holds entry 1 of term 1' if node.log else 'is empty'}"
        for node in before.nodes
    ]
    known = f"the copy at {names(list(holders))}" if holders else "no copy but its own"
    return [*lines, f"S1 knows of {known}; its message to {late} is of term 1"]


def _lacking(cluster: Cluster, after: Frame) -> list[NodeId]:
    """Who could lead from now on and lacks entry 1, once all can be reached again."""
    copy = cluster.recording.replay()
    copy.heal()
    winners = [node for node in copy.nodes if could_win(copy, node)[0]]
    return [node for node in winners if not after[node].log]


def _end_of_deposed(
    before: Frame, after: Frame, late: NodeId, lacking: Sequence[NodeId]
) -> tuple[str, list[str]]:
    """What came of the late message, and why, with the numbers."""
    term, voters = before[late].term, [node.node for node in before.nodes if node.term == 2]
    if after["S1"].term > 1:
        return "refused", [
            f"{late} is in term {term}, and the message is of term 1: it refuses it (5.1)",
            f"its answer is of term {term}: S1 adopts that term and steps down",
            f"so has everyone who voted in term 2: {names(voters)} acknowledge nothing of term 1",
        ]
    copies = [node.node for node in before.nodes if node.log or node.node == late]
    said = f"{late} is in term {term}, as the message is: it accepts entry 1"
    count = f"S1 knows of {len(copies)} copies of 5, at {names(copies)}; {majority(5)} are needed"
    if not after["S1"].commit_index:
        return "too few", [said, f"{count} (5.3)"]
    why = [said, f"{count}, and entry 1 is of its own term: S1 commits it"]
    if lacking:
        return "harmful", [*why, f"{names(lacking)} could lead without it"]
    both = names([node for node in copies if node in voters])
    return "harmless", [
        *why,
        f"the votes of term 2 came from {names(voters)}, and two majorities share a server: {both}",
        f"{both} held entry 1 when it voted, and votes for no older log: so the leader of term 2"
        " holds it, and so will every later one (5.4.3)",
    ]


def _random_deposition(seed: int) -> tuple[NodeId, tuple[NodeId, ...], NodeId, tuple[NodeId, ...]]:
    """One of the three ends, with the servers in any order."""
    rng = random.Random(f"raftlab deposed commits {seed}")
    one, two, three, four = rng.sample(FIVE[1:], 4)
    cases: tuple[tuple[NodeId, tuple[NodeId, ...], NodeId, tuple[NodeId, ...]], ...] = (
        (one, (two, three), four, (one,)),  # it has not heard of term 2, and two hold the entry
        (one, (two, three), three, (one,)),  # it has voted in term 2
        (two, (three, four), three, (one,)),  # so it has, and the new leader lacks the entry
        (one, (two, three), four, ()),  # one copy more, and one too few
    )
    winner, voters, late, holders = cases[(0, 0, 1, 2, 3)[rng.randrange(5)]]
    return winner, tuple(sorted(voters)), late, holders
