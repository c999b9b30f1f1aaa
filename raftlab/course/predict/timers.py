"""Questions about election timers: what resets one, whose runs out first, and how long it is."""

import random
from collections.abc import Sequence
from functools import lru_cache

from raftlab.course.predict.asking import CREDIT, THREE, append_message
from raftlab.course.question import Question, template
from raftlab.course.situations import log_of
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Message, RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import NodeFrame
from raftlab.sim.world.settings import Network
from raftlab.view import Scene, scene_cluster
from raftlab.view.words import ms

EVENTS: dict[str, tuple[str, Message]] = {
    "a": (
        "a heartbeat of the leader of its term",
        append_message("S1", "S2", 4),
    ),
    "b": (
        "AppendEntries of the leader of its term, which it has to reject",
        append_message("S1", "S2", 4, prev=(9, 4)),
    ),
    "c": (
        "a heartbeat of a leader of an earlier term",
        append_message("S3", "S2", 3),
    ),
    "d": (
        "a vote request that it grants",
        RequestVote(term=5, sender="S3", receiver="S2", last_log_index=3, last_log_term=4),
    ),
    "e": (
        "a vote request of a later term that it refuses: the log is old",
        RequestVote(term=5, sender="S3", receiver="S2", last_log_index=1, last_log_term=1),
    ),
    "f": (
        "a vote request of an earlier term",
        RequestVote(term=3, sender="S3", receiver="S2", last_log_index=3, last_log_term=3),
    ),
    "g": (
        "the answer to a vote it once asked for",
        RequestVoteReply(term=4, sender="S3", receiver="S2", vote_granted=True),
    ),
}


@template
def timer_reset(events: Sequence[str] | None = None, *, seed: int | None = None) -> Question:
    """Which events reset a follower's election timer?

    `events` are letters of `EVENTS`; by default all, with a seed some.
    """
    if events is None:
        events = sorted(EVENTS)
        if seed is not None:
            events = sorted(random.Random(f"raftlab timer {seed}").sample(events, 4))
    if not isinstance(events, Sequence) or any(each not in tuple(EVENTS) for each in events):
        raise Misuse(f"events are some of the letters {', '.join(EVENTS)}")
    resetting, why, choices = [], [], {}
    for letter, event in zip(sorted(EVENTS), events, strict=False):
        text, message = EVENTS[event]
        choices[letter] = text
        machine = RaftStateMachine(
            "S2", configuration=THREE, term=4, log=log_of("1 1 4"), options=Options.figure_2()
        )
        before = machine.election_deadline
        machine.advance(message, 100.0)
        resets = machine.election_deadline != before
        if resets:
            resetting.append(letter)
        why.append(f"{letter}: {'reset' if resets else 'no reset'} ({text})")
    return Question(
        "S2 is a follower in term 4, and its log ends with entry 3 of term 4. Which of these events"
        " reset its election timer?",
        choices,
        resetting,
        [*why, "only the leader of its own term, 4, and a granted vote reset it (5.2, Figure 2)"],
        several=True,
    )


GUESS = " (The first two timers lie so close together that you can only guess.)"


@template
def next_leader(cluster: Cluster | None = None, *, seed: int = 0) -> Question:
    """Which node leads next, if nothing but what is under way happens?"""
    scenes: tuple[Scene, ...] = ()
    if cluster is None:
        cluster = _one_timer_first(seed)
        scenes = (scene_cluster(cluster.frame()),)
    if cluster.leader is not None:
        raise NotNow(f"{cluster.leader} leads and goes on leading: crash or isolate it first")
    copy = cluster.recording.replay()
    patience = 20 * copy.setup.options.election_timeout[1]
    told = _elections(copy, patience)
    now = cluster.frame()
    living = [node for node in now.nodes if node.alive and not node.paused]
    close = not _is_heard_in_time(living, cluster)
    return Question(
        "Nobody does anything but wait. Which node leads next?" + (GUESS if close else ""),
        [*(node.node for node in living), "nobody"],
        copy.leader or "nobody",
        [
            *(told or [f"nobody leads within {patience:g} ms"]),
            _whose_is_first(living, now.at, close),
        ],
        given=[_timer(node, now.at) for node in living],
        scenes=scenes,
        then=(scene_cluster(copy.frame()),),
    )


def _is_heard_in_time(nodes: Sequence[NodeFrame], cluster: Cluster) -> bool:
    """Whether whoever stands first has asked all others before the next timer runs out."""
    timers = sorted(node.election_deadline or cluster.now for node in nodes)
    _, longest = cluster.setup.network.latency
    heard = longest + 2 * cluster.setup.disks.write_ms
    return len(timers) < 2 or timers[1] > timers[0] + heard


def _whose_is_first(living: Sequence[NodeFrame], at: float, close: bool) -> str:
    """Whose timer runs out first, and how much later the next one's does."""
    timers = sorted((node.election_deadline or at, node.node) for node in living)
    if len(timers) < 2:
        return "a majority must be up for a leader (5.2)"
    (first, who), (second, other), *_ = timers
    if close:
        return (
            f"{who}'s timer runs out first, and {other}'s {ms(second - first)} later: so soon that"
            f" {other} may stand for election before it is asked (5.2)"
        )
    return (
        f"{who}'s timer runs out first, {ms(second - first)} before {other}'s: whoever asks first"
        " has the votes first, if its log is up to date and a majority hears it (5.2)"
    )


def _one_timer_first(seed: int) -> Cluster:
    """Five nodes of which one will ask all others before the next timer runs out.

    Otherwise the winner would hang on how long messages take, which nobody is shown.
    """
    rng = random.Random(f"raftlab next leader {seed}")
    while True:
        cluster = Cluster(5, seed=rng.randrange(10**6), options=Options.figure_2())
        if _is_heard_in_time(cluster.frame().nodes, cluster):
            return cluster


def _timer(node: NodeFrame, at: float) -> str:
    left = (node.election_deadline or at) - at
    return f"{node.node}: its election timer runs out in {ms(left)}"


ELECTIONS = frozenset(["become_candidate", "become_leader", "tally_vote"])
"""What speaks at a campaign, a victory and a defeat."""


def _elections(cluster: Cluster, limit_ms: float) -> list[str]:
    """Run until somebody leads; every campaign, victory and defeat on the way, in words."""
    told = []
    end = cluster.now + limit_ms
    while cluster.leader is None and cluster.now < end:
        event = cluster.step()
        if event.involves(ELECTIONS):
            told.append(f"{event.at:.1f} ms: {event.text}")
    return told


WAN_TIMEOUTS: dict[str, tuple[float, float]] = {
    "a": (50.0, 100.0),
    "b": (150.0, 300.0),
    "c": (1500.0, 3000.0),
    "d": (60000.0, 120000.0),
}
FAR = (150.0, 250.0)
LATENCIES = (FAR, (1.0, 3.0), (200.0, 300.0), (2.0, 6.0))
"""Networks for which it is clear which timeouts suit; c is among them."""


@template
def wan_timeouts(
    latency: tuple[float, float] | None = None, *, seed: int | None = None
) -> Question:
    """Which election timeouts suit a network whose messages take so long (ms, one way)?

    Each choice is run: it suits if a leader stays for 30 s, and if another leads within
    10 s after a crash. Without arguments messages take 150 to 250 ms.
    """
    if latency is None:
        latency = LATENCIES[(seed or 0) % len(LATENCIES)]
    good, why = _suiting(latency)
    choices = {letter: f"{low:g} to {high:g} ms" for letter, (low, high) in WAN_TIMEOUTS.items()}
    return Question(
        f"Between five servers a message takes {latency[0]:g} to {latency[1]:g} ms one way. With"
        " which election timeouts does one leader stay while nothing fails, and does another lead"
        " within 10 s when it crashes?",
        choices,
        good,
        [*why, _broadcast_words(latency)],
        several=True,
        credit=CREDIT,
    )


def _broadcast_words(latency: tuple[float, float]) -> str:
    return (
        f"there and back takes up to {2 * latency[1]:g} ms: the timeout must be far above that, and"
        " far below the time that a cluster may be without a leader (5.6)"
    )


@lru_cache(maxsize=16)
def _suiting(latency: tuple[float, float]) -> tuple[list[str], list[str]]:
    """The letters of the timeouts that suit such a network, and why."""
    good, why = [], []
    for letter, timeout in WAN_TIMEOUTS.items():
        suits, said = _try_timeouts(timeout, latency)
        why.append(f"{letter}: {said}")
        if suits:
            good.append(letter)
    return good, why


def _try_timeouts(timeout: tuple[float, float], latency: tuple[float, float]) -> tuple[bool, str]:
    options = Options.figure_2(election_timeout=timeout, heartbeat_interval=timeout[0] / 3)
    network = Network(latency=latency)
    cluster = Cluster(5, seed=0, options=options, network=network, watched=False)
    if not cluster.run_until(lambda each: each.leader is not None, 2 * timeout[1] + 10_000):
        return False, "nobody is ever elected"
    term = cluster.frame().term
    cluster.run(30_000)
    elections = cluster.frame().term - term
    if elections:
        return False, f"{elections} elections in 30 s though nothing fails"
    leader: NodeId = cluster.leader or ""
    cluster.crash(leader)
    began = cluster.now
    if cluster.run_until(lambda each: each.leader is not None, 10_000):
        return True, f"one leader for 30 s, and another {cluster.now - began:.0f} ms after a crash"
    return False, "one leader for 30 s, but nobody leads within 10 s after a crash"
