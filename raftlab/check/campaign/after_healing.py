"""What goes on when all is quiet: nobody is disturbed, and whoever asks for something is served.

The network is calm, nothing is down. Then clients read everywhere, and an operator adds and
promotes a server, removes one, hands leadership over, or switches the leader off: each must
be done within `PATIENCE_MS`.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from raftlab.check.campaign.faults import MOST_SERVERS, stand_for_election_if_possible
from raftlab.check.campaign.run_state import RandomRun, run_for
from raftlab.check.members import current, former, is_blank
from raftlab.raft.thesis.membership import describe
from raftlab.raft.vocabulary import Millis, NodeId, NotLeader, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import configuration_of
from raftlab.sim.world.host import Host, Reading

QUIET_MS: Millis = 2 * 300.0
PATIENCE_MS: Millis = 10 * 300.0
LOOK_MS: Millis = 20.0
ASK_AGAIN_MS: Millis = 50.0
SOME_TASKS = 2
ABILITY = "transfer_leadership"  # a learner's machine may lack it


def disturbance(run: RandomRun) -> str | None:
    """What goes wrong in a while of quiet with one read at every member, or None."""
    cluster = run.cluster
    stop_former(run, settled=True)
    led = leader_and_term(cluster)
    able = [host.node for host in members(cluster) if hasattr(host.machine, "read")]
    try:
        readings = readings_at(cluster, able)
        run_for(cluster, QUIET_MS)
        if any(each.has_failed for each in readings):  # whose node has lost its leader: ask again
            readings = readings_at(cluster, able)
            run_for(cluster, QUIET_MS)
    except NotNow as refusal:
        return f"{refusal} (in all quiet)"
    for reading in readings:
        if not reading.is_done or reading.value != str(run.seed):
            return f"{reading!r} in all quiet"
    for reading in run.readings:
        if reading.node in able and not (reading.is_done or reading.has_failed):
            return f"{reading!r} since {reading.since:.0f} ms, in all quiet"
    if led is not None and leader_and_term(cluster) != led:
        return f"{led[0]} led term {led[1]} in all quiet, and does not any more"
    return None


def readings_at(cluster: Cluster, nodes: list[NodeId]) -> list[Reading]:
    """A read at each of the nodes; who names the leader in place of an answer need give none.

    Raises: NotNow, if one refuses for any other reason.
    """
    readings = []
    for node in nodes:
        try:
            readings.append(cluster.read("last", node))
        except NotLeader as refusal:
            if refusal.leader is None or refusal.leader != cluster.leader:
                raise
    return readings


def failed_task(run: RandomRun) -> str | None:
    """Which of a few tasks an operator cannot get done in the quiet, or None.

    The seed alone chooses them, so that a shortened run has the same.
    """
    rng = random.Random(f"operator {run.seed}")
    tasks = TASKS if run.changes_members else (outlives_leader,)
    for task in rng.sample(tasks, min(SOME_TASKS, len(tasks))):
        said = task(run, rng)
        if said is not None:
            return f"{said}, in all quiet"
    if serves(run):
        return None
    return f"no new command on every member{disagreement(run)}, in all quiet"


# The tasks of an operator

Task: TypeAlias = Callable[[RandomRun, random.Random], str | None]
"""It says what could not be done, or None."""


def grows(run: RandomRun, rng: random.Random) -> str | None:
    """A new server is added, catches up, and gets a vote."""
    cluster, newcomer = run.cluster, f"S{len(run.cluster.nodes) + 1}"
    if len(cluster.nodes) >= MOST_SERVERS:
        return None
    if not succeeds(run, lambda: cluster.add_learner(newcomer), lambda: is_member(run, newcomer)):
        return f"{newcomer} was not added{disagreement(run)}"
    if not succeeds(run, lambda: cluster.promote(newcomer), lambda: is_voter(run, newcomer)):
        return f"{newcomer} was not promoted{disagreement(run)}"
    return None


def shrinks(run: RandomRun, rng: random.Random) -> str | None:
    """A voter is let go, perhaps the leader."""
    cluster, voters = run.cluster, run.cluster.configuration.voters
    leaver = rng.choice(voters)
    if len(voters) < 2:
        return None
    if not succeeds(run, lambda: cluster.remove(leaver), lambda: is_no_member(run, leaver)):
        return f"{leaver} was not removed{disagreement(run)}"
    return None


def hands_over(run: RandomRun, rng: random.Random) -> str | None:
    """The leader is told to hand over to another voter."""
    cluster, leader = run.cluster, run.cluster.leader
    heirs = [node for node in cluster.configuration.voters if node != leader]
    if leader is None or not heirs or not hasattr(cluster.hosts[leader].machine, ABILITY):
        return None
    heir, timeout = rng.choice(heirs), cluster.setup.options.transfer_timeout
    if not succeeds(run, lambda: cluster.transfer(heir), lambda: cluster.leader == heir, timeout):
        return f"{leader} did not hand over to {heir}"
    return None


def outlives_leader(run: RandomRun, rng: random.Random) -> str | None:
    """The leader is switched off for a while; the others serve.

    One of them may be behind the others, and stand for election first.
    """
    cluster, leader = run.cluster, run.cluster.leader
    rest = [node for node in cluster.configuration.voters if node != leader]
    if leader is None or len(rest) < 2:
        return None
    behind = rng.choice([None, *rest])
    if behind is not None:
        cluster.isolate(behind)
        with suppress(NotNow):
            cluster.propose("behind=1")
        run_for(cluster, ASK_AGAIN_MS)
        cluster.heal()
    cluster.crash(leader)
    if behind is not None:
        stand_for_election_if_possible(run, behind)
    if not succeeds(run, only_wait, lambda: cluster.leader is not None):
        return f"nobody led after {leader} was switched off"
    index = cluster.commit_index
    if not succeeds(run, lambda: cluster.propose("off=1"), lambda: cluster.commit_index > index):
        return f"no new command after {leader} was switched off"
    cluster.restart(leader)
    return None


TASKS: tuple[Task, ...] = (grows, shrinks, hands_over, outlives_leader)
"""What an operator may ask for in the quiet."""


def only_wait() -> None:
    """Only wait."""


def succeeds(
    run: RandomRun,
    ask: Callable[[], object],
    is_done: Callable[[], bool],
    again_ms: Millis = ASK_AGAIN_MS,
) -> bool:
    """Ask, and ask again after a while, until it is done; False if patience ends first."""
    cluster = run.cluster
    end, asked = cluster.now + PATIENCE_MS, cluster.now - again_ms
    while not is_done():
        if cluster.now >= end:
            return False
        if cluster.now >= asked + again_ms:
            asked = cluster.now
            with suppress(NotNow):  # not yet, or nobody leads
                ask()
        stop_former(run)
        run_for(cluster, LOOK_MS)
    return True


def serves(run: RandomRun) -> bool:
    """Whether every member has applied a new command before patience ends."""
    cluster = run.cluster
    return succeeds(
        run,
        lambda: cluster.propose(f"after={run.seed}"),
        lambda: (
            is_steady(cluster)
            and all(host.application.get("after") == str(run.seed) for host in members(cluster))
        ),
        PATIENCE_MS / 3,
    )


def is_member(run: RandomRun, node: NodeId) -> bool:
    """Whether a node is a member, and no change is pending."""
    return node in run.cluster.configuration.members and is_steady(run.cluster)


def is_no_member(run: RandomRun, node: NodeId) -> bool:
    """Whether a node is no member, and no change is pending."""
    return node not in run.cluster.configuration.members and is_steady(run.cluster)


def is_voter(run: RandomRun, node: NodeId) -> bool:
    """Whether a node is a voter, and no change is pending."""
    return node in run.cluster.configuration.voters and is_steady(run.cluster)


# Who leads, and who belongs to the cluster


def leader_and_term(cluster: Cluster) -> tuple[NodeId, int] | None:
    """The leader and its term, or None."""
    leader = cluster.leader
    return (leader, cluster.hosts[leader].machine.term) if leader else None


def members(cluster: Cluster) -> list[Host]:
    """The voters and learners."""
    return [cluster.hosts[node] for node in cluster.configuration.members]


def is_steady(cluster: Cluster) -> bool:
    """Whether a voter leads and no change of members is pending."""
    leader, configuration = cluster.leader, cluster.configuration
    if leader is None or leader not in configuration.voters or configuration.is_joint:
        return False
    return current(cluster) == configuration


def stop_former(run: RandomRun, settled: bool = False) -> None:
    """Switch removed servers off, where nothing keeps them from disrupting. Thesis: 4.2.3."""
    for node in disturbers(run, settled):
        if run.cluster.hosts[node].alive:
            run.cluster.crash(node)


def disturbers(run: RandomRun, settled: bool = False) -> list[NodeId]:
    """Removed servers that may call elections: those that are up, or have just said something.

    What a server may need that is up and in the midst of a change is not removed yet. Where all
    is `settled`, no member is, and a change that only another server holds counts for nothing.
    A server that was never told of anything was not removed: it may be about to be added.
    """
    cluster, options = run.cluster, run.cluster.setup.options
    if options.pre_vote or options.leader_stickiness:
        return []
    living, members = run.living, cluster.configuration.members
    active = {host.node for host in living}
    active |= {each.message.sender for each in cluster.in_flight()}
    others = [node for node in cluster.nodes if node not in members]
    gone = others if settled else former(cluster, living)
    return [node for node in gone if node in active and not is_blank(cluster.hosts[node])]


def disagreement(run: RandomRun) -> str:
    """How members disagree about who belongs to the cluster, as a part of a sentence; or ""."""
    said: dict[str, list[NodeId]] = {}
    for host in run.living:
        if host.node in run.cluster.configuration.members:
            said.setdefault(describe(configuration_of(host)), []).append(host.node)
    if len(said) < 2:
        return ""
    views = "; ".join(f"for {' '.join(nodes)} they are {what}" for what, nodes in said.items())
    return f", and members differ: {views}"
