"""The runs that a machine must stand that asks for pre-votes and hands leadership over.

Each has something in it that only such a machine can do: to offer it is not enough.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec.structs import replace

from raftlab.check.campaign.faults import (
    Verbs,
    crash,
    cut,
    delay_long,
    heal,
    isolate,
    partition,
    perturb_message,
    restart,
    timeout,
)
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.grading.machines.trials import (
    AT_ONCE,
    PATIENT,
    SOON,
    Setting,
    Trial,
    all_lose_power,
    faults_end,
    has,
    lasts,
)
from raftlab.raft.messages import Message, RequestVote, TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import commit, is_a, settle, until_sent
from raftlab.sim.world.settings import Network

PRE_VOTE = replace(PATIENT, pre_vote=True)
BEHIND: Millis = PATIENT.transfer_timeout
AWAY: Millis = 2000.0
"""Two election timeouts and more."""
BAD = Network(loss=0.1, duplication=0.1, reordering=0.3)


def moves(cluster: Cluster, to: NodeId, within: Millis = AT_ONCE) -> str:
    """Leadership moves to this server, by one election; what does not, if so."""
    if not cluster.run_until(lambda each: each.leader not in (None, to), SOON):
        return f"nobody but {to} leads within {SOON:g} ms"
    term = cluster.hosts[cluster.leader or ""].machine.term
    cluster.transfer(to)
    if not cluster.run_until(lambda each: each.leader == to, within):
        return f"leadership does not move to {to} within {within:g} ms"
    took = cluster.hosts[to].machine.term - term
    return "" if took == 1 else f"leadership moves to {to}, and it takes {took} terms"


def leadership_moves(setting: Setting) -> str:
    """S1 hands over to S2, which has all, then S2 to S3, which is behind; again with pre-vote."""
    for options in (PATIENT, PRE_VOTE):
        cluster = setting.cluster(3, options)
        settle(cluster, "S1", 200)
        commit(cluster, "x=1")
        cluster.run(60)
        if stuck := moves(cluster, "S2"):
            return stuck
        cluster.run(60)
        cluster.isolate("S3")
        commit(cluster, "y=1")
        cluster.heal()
        if stuck := moves(cluster, "S3", BEHIND):
            return stuck
        if stuck := lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1"):
            return stuck
    return ""


def transfer_fails(setting: Setting) -> str:
    """S1 shall hand over to S3, which is down, and gives up; then to S2, which hears it late."""
    cluster = setting.cluster(3, PATIENT)
    settle(cluster, "S1", 200)
    term = cluster.hosts["S1"].machine.term
    cluster.crash("S3")
    cluster.transfer("S3")
    if takes(cluster, "x=1"):
        return "S1 takes a command while it hands over"
    cluster.run(PATIENT.transfer_timeout + 2 * PATIENT.heartbeat_interval)
    if not takes(cluster, "x=2"):
        return "S1 has given up by now, and takes no commands"
    if stuck := lasts(cluster, "y=1"):
        return stuck
    if cluster.hosts["S1"].machine.term != term:
        return "an attempt that ends with nothing costs an election"
    cluster.restart("S3")
    if stuck := lasts(cluster, "y=2"):
        return stuck
    _hears_too_late(cluster)
    if stuck := lasts(cluster, "z=1") or has(cluster, "x", "3"):
        return stuck
    return moves(cluster, "S2" if cluster.leader == "S3" else "S3") or lasts(cluster, "z=2")


def _hears_too_late(cluster: Cluster) -> None:
    """S2 hears that it shall take over when S1 has given up, and has committed without it."""
    cluster.transfer("S2")
    word = until_sent(cluster, "S1", "S2", is_a(TimeoutNow))
    cluster.delay(word, 5000)
    cluster.isolate("S2")
    cluster.run(PATIENT.transfer_timeout + PATIENT.heartbeat_interval)
    commit(cluster, "x=3", to="S1")
    cluster.heal()
    cluster.deliver(word)
    cluster.run(100)


def takes(cluster: Cluster, command: str) -> bool:
    """Whether S1 takes a command now."""
    with suppress(NotNow):
        cluster.propose(command, to="S1")
        return True
    return False


def comes_back(setting: Setting) -> str:
    """S3 hears no leader for long: cut off from all, then from S1 alone. S1 leads on."""
    cluster = setting.cluster(3, PRE_VOTE)
    settle(cluster, "S1", 200)
    term = cluster.hosts["S1"].machine.term
    ways: Sequence[Callable[[], None]] = (
        lambda: cluster.isolate("S3"),
        lambda: cluster.cut("S1", "S3"),
    )
    for goes_away in ways:
        goes_away()
        cluster.run(AWAY)
        cluster.heal()
        cluster.run(AWAY / 2)
        terms = [host.machine.term for host in cluster.hosts.values()]
        if set(terms) != {term} or cluster.leader != "S1":
            return f"S3 comes back, and the term goes from {term} to {max(terms)}"
    cluster.crash("S1")
    return lasts(cluster, "y=1")


def leader_is_gone(setting: Setting) -> str:
    """The leader crashes: the others ask for pre-votes, and elect; so they do when all restart."""
    for nodes in (3, 5):
        cluster = setting.cluster(nodes, PRE_VOTE)
        settle(cluster, "S1", 200)
        commit(cluster, "x=1")
        cluster.crash("S1")
        if not cluster.run_until(_somebody_asks, SOON):
            return f"nobody asks for a pre-vote within {SOON:g} ms"
        if stuck := lasts(cluster, "y=1"):
            return stuck
        cluster.restart("S1")
        all_lose_power(cluster)
        if stuck := lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1"):
            return stuck
    return ""


def _somebody_asks(cluster: Cluster) -> bool:
    return any(_is_prevote(flight.message) for flight in cluster.in_flight())


def _is_prevote(message: Message) -> bool:
    return isinstance(message, RequestVote) and message.is_prevote


def faults_and_transfers(setting: Setting) -> str:
    """Random faults, while leadership is handed over; in peace it moves to one that was away."""
    run = start(
        setting.seed,
        nodes=5,
        machine=setting.machine,
        options=Options.figure_2(pre_vote=True),
        network=BAD,
        change_members=False,
    )
    if stuck := faults_end(setting, run, HANDING_OVER):
        return stuck
    cluster = run.cluster
    away = next(node for node in cluster.nodes if node != cluster.leader)
    cluster.isolate(away)
    cluster.run(AWAY)
    commit(cluster, "x=1")
    cluster.heal()
    return moves(cluster, away, BEHIND) or lasts(cluster, "z=1") or has(cluster, "x", "1")


def hand_over(run: RandomRun) -> None:
    """The leader is asked to hand over to one of all, or to whoever can take it."""
    with suppress(NotNow):
        run.cluster.transfer(run.rng.choice([None, *run.cluster.nodes]))


HANDING_OVER: Verbs = [
    *((hand_over, 6), (isolate, 1), (partition, 1), (timeout, 1), (crash, 1), (cut, 1)),
    *((delay_long, 1), (perturb_message, 1), (heal, 1), (restart, 1)),
]

TRANSFER = "thesis, 3.10"
PREVOTE = "thesis, 9.6"
TRANSFER_TRIALS: Sequence[Trial] = (
    Trial(
        "leadership moves",
        leadership_moves,
        TRANSFER,
        'Say "TimeoutNow" once the successor has the whole log; who hears it stands at once.',
        "a successor takes over without an election",
    ),
    Trial(
        "a transfer that fails",
        transfer_fails,
        TRANSFER,
        "Refuse commands until it is done, and give up after transfer_timeout.",
        "a successor takes over without an election",
    ),
    Trial(
        "a server that comes back",
        comes_back,
        PREVOTE,
        "Ask for pre-votes before the term rises; who has heard a leader lately says no.",
        "a pre-vote counts as a vote",
    ),
    Trial(
        "the leader is gone",
        leader_is_gone,
        PREVOTE,
        "Stand for election once more than half of all voters, yourself among them, say yes.",
        "a pre-vote counts as a vote",
    ),
    Trial(
        "faults and transfers",
        faults_and_transfers,
        TRANSFER,
        "Play the run, and look at the last transfer in it.",
        "",
    ),
)
"""The trials, in their order."""
