"""The runs that a machine must stand in M7: one list for each option.

Each has something in it that only a machine that has the option can do: to offer it is not enough.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec.structs import replace

from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import (
    Verb,
    compact,
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
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.grading.machines.trials import NOT_MENDED, SOON, Setting, Trial, has, lasts
from raftlab.museum.runs import left_behind_a_snapshot
from raftlab.museum.snapshots import late_snapshot, stale_tail_meets_snapshot
from raftlab.raft.messages import InstallSnapshot, Message, RequestVote, TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import (
    PLAIN,
    commit,
    drop_all,
    is_a,
    numbers_of,
    settle,
    until_sent,
    with_entry,
)
from raftlab.sim.world.settings import Disks

PATIENT = Options.figure_2(election_timeout=(500.0, 800.0))
"""Nobody's timer runs out while a situation is brought about."""
PRE_VOTE = replace(PATIENT, pre_vote=True)
QUICK_PRE_VOTE = Options.figure_2(pre_vote=True)
OFTEN = Disks(snapshot_every=3)
AT_ONCE: Millis = 140.0
"""Less than any election timeout: what happens within it was asked for."""
BEHIND: Millis = PLAIN.transfer_timeout
AWAY: Millis = 2000.0
"""Two election timeouts and more."""
NOT_SENT = "S1 has compacted what S3 lacks, and does not send its snapshot"


# Snapshots


def log_shrinks(setting: Setting) -> str:
    """Servers compact their logs, a part first and then all; more commands; all restart."""
    cluster = setting.cluster(3, PATIENT)
    if stuck := lasts(cluster, "x=1") or lasts(cluster, "y=1"):
        return stuck
    for node in cluster.nodes:
        for up_to in (cluster.hosts[node].applied_index - 1, None):
            cluster.compact(node, up_to)
            if stuck := _keeps_too_much(cluster, node):
                return stuck
    if stuck := lasts(cluster, "z=1"):
        return stuck
    for node in cluster.nodes:
        cluster.crash(node)
    for node in cluster.nodes:
        cluster.restart(node)
    return lasts(cluster, "z=2") or has(cluster, "x", "1") or has(cluster, "y", "1")


def _keeps_too_much(cluster: Cluster, node: NodeId) -> str:
    log = cluster.hosts[node].machine.log
    if log.snapshot is None:
        return f"{node} was asked to compact its log, and keeps no snapshot"
    if log.first_index <= log.snapshot.index:
        return f"{node} keeps entry {log.first_index}, and its snapshot stands for it"
    return ""


def _stops(run: Callable[[Cluster], object], cluster: Cluster) -> str:
    """Why S1 sends S3 no snapshot in a run, if so. Raises: NotNow, if it never comes to that."""
    try:
        run(cluster)
    except NotNow:
        if cluster.commit_index < 2:  # it was not elected, say
            raise
        return _keeps_too_much(cluster, "S1") or NOT_SENT
    return ""


def far_behind(setting: Setting) -> str:
    """S3 lacks what S1 has compacted, and gets the snapshot; then it restarts, and leads."""
    cluster = setting.cluster(3, PATIENT)
    if stuck := _stops(left_behind_a_snapshot, cluster):
        return stuck
    if stuck := lasts(cluster, "y=1") or has(cluster, "x", "1"):
        return stuck
    cluster.crash("S3")
    cluster.restart("S3")
    cluster.elect("S3")
    return lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1")


def tail_meets_snapshot(setting: Setting) -> str:
    """A snapshot meets a log that goes on: once it does not fit, once it does."""
    cluster = setting.cluster(3, PATIENT)
    stale_tail_meets_snapshot(cluster)
    cluster.timeout("S3")
    if not cluster.run_until(lambda each: each.leader == "S3", AT_ONCE):
        return "S3 has taken the snapshot, and its log is not as up to date as that of the others"
    if stuck := lasts(cluster, "y=1"):
        return stuck
    cluster = setting.cluster(3, PATIENT)
    if stuck := _stops(_tail_that_fits, cluster):
        return stuck
    cluster.run(100)
    if cluster.hosts["S3"].machine.log.last_index < 3:
        return "S3 has thrown away entry 3, which follows the snapshot and fits"
    return lasts(cluster, "y=1") or has(cluster, "x", "2")


def _tail_that_fits(cluster: Cluster) -> None:
    """S3 gets entries 2 and 3, which were slow, just before a snapshot up to entry 2."""
    settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.propose("x=2")
    slow = numbers_of(cluster, "S1", "S3", with_entry(2))
    for number in slow:
        cluster.delay(number, 5000)
    cluster.cut("S1", "S3")
    cluster.run(60)
    cluster.compact("S1", 2)
    cluster.heal()
    snapshot = until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))
    for number in slow:
        cluster.deliver(number)
    if cluster.hosts["S3"].machine.log.last_index < 3:
        cluster.deliver(until_sent(cluster, "S1", "S3", with_entry(3)))
    with suppress(NotNow):  # it may have come by itself
        cluster.deliver(snapshot)
    drop_all(cluster, "S1", "S3")


def snapshot_is_old(setting: Setting) -> str:
    """A copy of a snapshot comes late, when S3 has more than what it stands for."""
    cluster = setting.cluster(3, PATIENT)
    if stuck := _stops(late_snapshot, cluster):
        return stuck
    return lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1")


def faults_and_snapshots(setting: Setting) -> str:
    """Random faults, where every third command makes a snapshot; then peace."""
    run = start(
        setting.seed,
        nodes=3,
        machine=setting.machine,
        options=PLAIN,
        disks=OFTEN,
        change_members=False,
    )
    if stuck := _faults_end(setting, run, FORGETTING):
        return stuck
    without = [each.node for each in run.living if each.machine.log.snapshot is None]
    return f"{without[0]} keeps no snapshot" if without else ""


FORGETTING: Sequence[Verb] = (
    *(isolate, isolate, partition, timeout, crash, cut, heal, restart, restart),
    *(delay_long, perturb_message, compact),
)


def _faults_end(setting: Setting, run: RandomRun, verbs: Sequence[Verb]) -> str:
    """What peace does not mend after these faults, and what is wrong then."""
    setting.last = run.cluster
    inject_faults(run, only=[(verb, 1) for verb in verbs])
    if not heal_and_converge(run):
        return NOT_MENDED
    wrong = complaint(run, operator=False)
    return wrong.text if wrong else ""


# Pre-vote and the transfer of leadership


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
    cluster.run(PLAIN.transfer_timeout + 2 * PLAIN.heartbeat_interval)
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
    cluster.run(PLAIN.transfer_timeout + PLAIN.heartbeat_interval)
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
        for node in cluster.nodes:
            cluster.crash(node)
        for node in cluster.nodes:
            cluster.restart(node)
        if stuck := lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "1"):
            return stuck
    return ""


def _somebody_asks(cluster: Cluster) -> bool:
    return any(_is_prevote(flight.message) for flight in cluster.in_flight())


def _is_prevote(message: Message) -> bool:
    return isinstance(message, RequestVote) and message.is_prevote


def faults_and_transfers(setting: Setting) -> str:
    """Random faults among five with pre-vote, while leadership is handed over; then peace."""
    run = start(
        setting.seed, nodes=5, machine=setting.machine, options=QUICK_PRE_VOTE, change_members=False
    )
    if stuck := _faults_end(setting, run, HANDING_OVER):
        return stuck
    others = [node for node in run.cluster.nodes if node != run.cluster.leader]
    return moves(run.cluster, others[0], BEHIND)


def hand_over(run: RandomRun) -> None:
    """The leader is asked to hand over to one of all, or to whoever can take it."""
    with suppress(NotNow):
        run.cluster.transfer(run.rng.choice([None, *run.cluster.nodes]))


HANDING_OVER: Sequence[Verb] = (
    *(hand_over,) * 6,
    *(isolate, partition, timeout, crash, cut, delay_long, perturb_message, heal, restart),
)

COMPACT = "7; Figure 13"
TRANSFER = "thesis, 3.10"
PREVOTE = "thesis, 9.6"
OPTION_TRIALS: Mapping[str, Sequence[Trial]] = {
    "snapshots": (
        Trial(
            "the log shrinks",
            log_shrinks,
            "7, Figure 12",
            'Say "snapshot" and "first_index", and start from the snapshot and what follows it.',
            "what a snapshot stands for is lost, or what it does not stand for",
        ),
        Trial(
            "a follower far behind",
            far_behind,
            COMPACT,
            "Send the snapshot to whoever needs what it stands for; what follows comes after it.",
            "a snapshot is acknowledged and not kept, or what follows it is not sent",
        ),
        Trial(
            "a tail",
            tail_meets_snapshot,
            "Figure 13, rules 6 and 7",
            "Keep what follows if the log has the entry that the snapshot ends with; else nothing.",
            "a snapshot is not kept, or with a tail that does not fit",
        ),
        Trial(
            "an old snapshot",
            snapshot_is_old,
            "7, last part",
            "Compare the end of the snapshot with what is known to be committed here.",
            "an older snapshot is taken, or none",
        ),
        Trial(
            "faults and snapshots",
            faults_and_snapshots,
            COMPACT,
            "Play the run, and look at who takes the last snapshot in it.",
            "",
        ),
    ),
    "pre-vote and transfer": (
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
    ),
}
"""The trials of an option."""
