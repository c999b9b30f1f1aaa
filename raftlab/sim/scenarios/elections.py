"""Elections: won, lost, split, disturbed, and timed. Paper: 5.2, 5.4.1, 9.3."""

import random

from raftlab.raft.messages import RequestVote, RequestVoteReply, TimeoutNow
from raftlab.raft.options import Options
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import (
    PLAIN,
    commit,
    drop_all,
    is_a,
    settle,
    stage,
    until_sent,
    win_election,
)
from raftlab.sim.scenarios.registry import named_situation
from raftlab.sim.world.settings import Network

PRE_VOTE = ("plain", "pre_vote")
CHECK_QUORUM = ("plain", "check_quorum")


@named_situation()
def first_election(*, seed: int = 1) -> Cluster:
    """One of five servers wakes first, votes for itself, and has just asked the others.

    Run on to see it win. Everybody is still in term 0; S1 campaigns for term 1.

    Paper: 5.2, Figure 4.
    """
    cluster = stage(5, seed)
    cluster.timeout("S1")
    return cluster


@named_situation()
def split_vote(*, seed: int = 1) -> Cluster:
    """Two candidates of one term get two votes each, and nobody leads.

    S1 and S4 campaign in term 1; S2 heard S1 first, S3 heard S4 first. Whose timer runs
    out next, by chance, asks in term 2.

    Paper: 5.2.
    """
    cluster = stage(4, seed)
    cluster.timeout("S1")
    cluster.timeout("S4")
    drop_all(cluster, "S1", "S3")
    drop_all(cluster, "S4", "S2")
    return cluster.run(25)


@named_situation()
def same_timeouts(*, seed: int = 1) -> Cluster:
    """With one and the same timeout for all, everybody wakes at once and votes for itself.

    A second has passed, and no term so far had a leader; none ever will.

    Paper: 5.2, 9.3.
    """
    options = Options.figure_2(election_timeout=(150.0, 150.0))
    return stage(3, seed, options=options).run(1000)


@named_situation()
def lost_vote(*, seed: int = 1) -> Cluster:
    """Everybody voted for S1 and the network lost the votes: S1 does not know that it won.

    Nobody else can be elected in term 1 any more. S1 asks again in term 2.

    Paper: 5.2, 5.5.
    """
    cluster = stage(3, seed)
    cluster.timeout("S1")
    for voter in ("S2", "S3"):
        cluster.drop(until_sent(cluster, voter, "S1", is_a(RequestVoteReply)))
    return cluster.run(15)


@named_situation()
def duplicated_votes(*, seed: int = 1) -> Cluster:
    """S1 hears the one vote that it got twice, and counts it once.

    S1 reaches S2 alone and has two of five votes; the other three elect S3 in the same term.

    Paper: 5.2, 5.5.
    """
    cluster = stage(5, seed)
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.timeout("S1")
    cluster.duplicate(until_sent(cluster, "S2", "S1", is_a(RequestVoteReply)))
    win_election(cluster, "S3")
    return cluster.run(15)


@named_situation()
def late_vote(*, seed: int = 1) -> Cluster:
    """S2's vote for S1 in term 1 is still on its way when S2 has voted for S3 in term 2.

    S1 campaigns in term 2 as well. Let the old vote arrive: it is about term 1, and
    counts for nothing.

    Paper: 5.1, 5.2.
    """
    cluster = stage(3, seed)
    cluster.isolate("S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.delay(until_sent(cluster, "S2", "S1", is_a(RequestVoteReply)), 1000)
    cluster.partition("S1", "S2 S3")
    cluster.timeout("S1")
    win_election(cluster, "S3")
    return cluster


@named_situation()
def dueling_candidates(*, seed: int = 1) -> Cluster:
    """S1 and S3 campaign at once and cannot hear each other; S2 can vote for one of them only.

    S1 leads term 1. S3 is still a candidate, and its next term, which S2 will hear of,
    unseats S1. So it can go on between the two while the link is cut, until S2, whom both
    hear, happens to lead.

    Paper: 5.2. etcd: TestDuelingCandidates.
    """
    cluster = stage(3, seed)
    cluster.cut("S1", "S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    return cluster.run(25)


@named_situation()
def outdated_candidate(*, seed: int = 1) -> Cluster:
    """S3 missed a committed command, and asks for votes that nobody may give it.

    The leader is down, S2 has the command, and S3's request is on its way.

    Paper: 5.4.1.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.isolate("S3")
    commit(cluster, "x=1")
    cluster.run(60)
    cluster.crash("S1")
    cluster.heal()
    cluster.timeout("S3")
    return cluster


@named_situation(PRE_VOTE)
def rejoining_node(panel: str = "plain", *, seed: int = 1) -> Cluster:
    """A server comes back from 1.5 seconds alone, with a term that nobody has asked for.

    "plain": it has raised its term again and again, and will unseat a healthy leader.
    "pre_vote": it has asked for a chance first, got none, and comes back in the old term.
    Heal the network to see it.

    Thesis: 9.6.
    """
    cluster = stage(3, seed, options=Options.figure_2(pre_vote=panel == "pre_vote"))
    settle(cluster, "S1")
    cluster.isolate("S3")
    return cluster.run(1500)


@named_situation(CHECK_QUORUM)
def isolated_leader(panel: str = "plain", *, seed: int = 1) -> Cluster:
    """A leader is cut off and the others elect another, and nobody can tell the first.

    "plain": it leads on, and has taken a command that it can never commit. "check_quorum":
    it has noticed that no majority answers, and has stepped down.

    Thesis: 6.2.
    """
    cluster = stage(5, seed, options=Options.figure_2(check_quorum=panel == "check_quorum"))
    settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.propose("x=lost", to="S1")
    win_election(cluster, "S2")
    commit(cluster, "x=2")
    return cluster.run(350)


@named_situation(CHECK_QUORUM)
def deaf_leader(panel: str = "plain", *, seed: int = 1) -> Cluster:
    """A leader that all can hear and that hears nobody keeps the others from electing another.

    "plain": it leads for ever and commits nothing; a command has been waiting for a second.
    "check_quorum", with the other protections: it has stepped down, and another leads.

    Thesis: 6.2. Jensen, Howard, Mortier: Examining Raft's behaviour during partial
    network failures, 2021.
    """
    cluster = stage(3, seed, options=PLAIN if panel == "plain" else Options())
    settle(cluster, "S1")
    for node in ("S2", "S3"):
        cluster.cut(node, "S1", both_ways=False)
    cluster.propose("x=1")
    return cluster.run(1000)


@named_situation(PRE_VOTE)
def partial_partition(panel: str = "plain", *, seed: int = 1) -> Cluster:
    """One broken link between two of three servers, and they unseat each other in turn.

    S1 led; S1 and S2 cannot reach each other, S3 reaches both. "plain": S2, which heard no
    leader, has just been elected by S3 in term 2. Now S1 will hear no leader, campaign, and
    so on, until S3 happens to lead. "pre_vote": a second has passed; S3 hears its leader
    and gives S2 no chance, and S1 leads on.

    Cloudflare: A Byzantine failure in the real world, 2020. Thesis: 9.6.
    """
    cluster = stage(3, seed, options=Options.figure_2(pre_vote=panel == "pre_vote"))
    settle(cluster, "S1")
    cluster.cut("S1", "S2")
    cluster.run_until(lambda each: each.leader == "S2", 1000)
    return cluster


@named_situation()
def paused_leader(*, seed: int = 1) -> Cluster:
    """A leader's machine hung; meanwhile another was elected, and it has not noticed.

    S1 is paused and believes that it leads term 1, S2 leads term 2 and has committed x=2.
    Resume S1: what waited for it tells it at once.

    Paper: 5.1, 5.2. Thesis: 6.4.
    """
    cluster = settle(stage(3, seed), "S1")
    commit(cluster, "x=1")
    cluster.pause("S1")
    cluster.run(100)
    win_election(cluster, "S2")
    commit(cluster, "x=2")
    return cluster


@named_situation()
def slow_disk(*, seed: int = 1) -> Cluster:
    """A leader whose disk takes longer than an election timeout says nothing while it writes.

    S1 has x=1 in memory only. The others, which heard nothing, have just elected another.

    Thesis: 10.2.1. Huang and others: Gray failure, 2017.
    """
    cluster = settle(stage(3, seed, options=Options()), "S1")
    cluster.slow_disk("S1", 2000)
    cluster.propose("x=1")
    cluster.run_until(lambda each: each.leader in ("S2", "S3"))
    return cluster


@named_situation()
def leadership_transfer(*, seed: int = 1) -> Cluster:
    """A leader hands over: its successor has everything, and is just being told to campaign.

    S1 leads and takes no more commands; TimeoutNow is on its way to S3.

    Thesis: 3.10.
    """
    cluster = settle(stage(3, seed, options=Options()), "S1")
    commit(cluster, "x=1")
    cluster.transfer("S3")
    until_sent(cluster, "S1", "S3", is_a(TimeoutNow))
    return cluster


TIMEOUTS = (
    "150-150 150-151 150-155 150-175 150-200 150-300"  # Figure 16, above
    " 12-24 25-50 50-100 100-200"  # and below
)
FIGURE_16 = tuple(TIMEOUTS.split())


@named_situation(FIGURE_16)
def figure_16(panel: str = "150-300", *, seed: int = 1) -> Cluster:
    """A leader of five crashes; the range of the timeouts decides how soon the next one leads.

    The panel is the range of the election timeouts (ms). As in the paper a question and
    its answer take about 15 ms, heartbeats set out to all at once and come at half the
    smallest timeout, the crash comes at a random moment between two of them, and the logs
    differ in length, so that S4 and S5 cannot win. Each `seed` is one trial: run until the
    next leader, and see how long it took.

    Paper: 9.3, Figure 16.
    """
    low, high = (float(end) for end in panel.split("-"))
    options = Options.figure_2(election_timeout=(low, high), heartbeat_interval=low / 2)
    logs = {"S1": [1] * 3, "S2": [1] * 3, "S3": [1] * 3, "S4": [1] * 2, "S5": [1]}
    cluster = stage(5, seed, options=options, network=Network(latency=(2.5, 12.5)), logs=logs)
    for node in ("S4", "S5"):
        cluster.cut(node, "S1", both_ways=False)
    _elect_at_once(cluster)
    cluster.run(random.Random(seed).uniform(0, low / 2))
    cluster.crash("S1")
    cluster.heal()
    return cluster


def _elect_at_once(cluster: Cluster) -> None:
    """Let S1 be elected in no time by S2 and S3, before the first heartbeat sets out to all."""
    cluster.timeout("S1")
    for node in ("S2", "S3", "S4", "S5"):
        cluster.deliver(until_sent(cluster, "S1", node, is_a(RequestVote)))
    for node in ("S2", "S3"):
        cluster.deliver(until_sent(cluster, node, "S1", is_a(RequestVoteReply)))
