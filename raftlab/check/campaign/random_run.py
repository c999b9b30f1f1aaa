"""Random runs: one whole number gives the weather, the troubles, and everything that happens.

First trouble, with every property watched after every step; then the troubles end, and the
cluster must converge, serve, and hold every write that anybody was shown. So FoundationDB is
tested (Zhou et al., "FoundationDB: A Distributed Unbundled Transactional Key Value Store",
SIGMOD 2021, section 4: deterministic simulation from a seed), and, with real processes and
clocks, everything that Jepsen looks at: faults, then a final heal, then what was acknowledged.
"""

import random
from contextlib import nullcontext, suppress
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from raftlab.check.campaign.after_healing import (
    differ,
    disturbed,
    disturbers,
    is_steady,
    led_by,
    members,
    stop_former,
    unserved,
)
from raftlab.check.campaign.faults import (
    CHANGES,
    MAY_BE_REFUSED,
    NETWORK_CHANGES,
    Verbs,
    client_tries,
    network_is_changed,
    propose,
    restart_all,
    resume_all,
    some_verbs,
)
from raftlab.check.campaign.run_state import RandomRun, let_pass
from raftlab.check.campaign.timed_faults import PLANS, pass_time
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import configuration_of
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.host import Host, MachineFactory, Write
from raftlab.sim.world.settings import Disks, Network

TROUBLE_MS = 2500.0
PATIENCE_MS = 30 * 300.0
SOME_PLANS = 3
KNOW_THEIR_MOMENT = frozenset(plan for plan, _ in PLANS)
"""They count by themselves: what they bring about, they bring about later."""
ECHO_MS = 100.0  # the slowest network's answer to the last message of before


def start(
    seed: int,
    nodes: int | tuple[NodeId, ...] | None = None,
    change_network: bool = False,
    **given: Any,
) -> RandomRun:
    """A cluster whose weather `seed` decides, before anything has happened.

    With `change_network`, the weather changes while the run goes on, too.
    `given` are arguments of `Cluster` (`rules`, `machine`, `options`, `network`, `disks`) that
    take the place of what the seed would have chosen; all else stays as it is. A machine that
    lacks a method is spared what needs it: a learner's own may have the four of the contract.

    Raises: whatever the machine raises when it is made; Misuse, for what cannot be given.
    """
    rng = random.Random(f"random run {seed}")
    count = rng.choice([3, 3, 3, 4, 5, 5, 7])
    chosen = count if nodes is None else nodes
    derived = {"network": network(rng), "disks": disks(rng), "options": options(rng)}
    able = abilities(given.get("machine"), chosen)
    if "persisted" not in able:
        derived["options"] = replace(derived["options"], async_persistence=False)
    if "compact" not in able:
        derived["disks"] = replace(derived["disks"], snapshot_every=0)
    cluster = Cluster(chosen, seed=seed, **{**derived, **given})
    return RandomRun(
        seed,
        cluster,
        rng,
        changes_members="reconfigure" in able,
        changes_network=change_network,
    )


ABILITIES = frozenset(["persisted", "compact", "reconfigure"])
"""What a machine may lack, and a run then does without."""


@lru_cache(maxsize=256)
def abilities(machine: MachineFactory | None, nodes: int | tuple[NodeId, ...]) -> frozenset[str]:
    """Which of `ABILITIES` the machines of all nodes have, found out by trying."""
    if machine is None or is_shipped(machine):
        return ABILITIES
    cluster = Cluster(nodes, machine=machine, watched=False)
    methods = {
        name
        for name in ("persisted", "compact")
        if all(hasattr(host.machine, name) for host in cluster.hosts.values())
    }
    return frozenset(methods | ({"reconfigure"} if takes_members(cluster) else set()))


def is_shipped(machine: object) -> bool:
    """Whether it is the machine of this package, or one derived from it."""
    return isinstance(machine, type) and issubclass(machine, RaftStateMachine)


def takes_members(cluster: Cluster) -> bool:
    """Whether every node of a new cluster learns of a member that is added."""
    newcomer = f"S{len(cluster.nodes) + 1}"
    try:
        cluster.elect()
        cluster.add_learner(newcomer)
        cluster.run(PATIENCE_MS / 10)
    except Exception:  # whatever is wrong with it: the runs will say
        return False
    hosts = cluster.hosts.values()
    return all(newcomer in configuration_of(host).members for host in hosts)


def network(rng: random.Random) -> Network:
    """How fast and how bad the network is."""
    lossy = rng.random() < 0.7
    return Network(
        latency=rng.choice([(1.0, 3.0), (5.0, 15.0), (5.0, 50.0), (10.0, 10.0)]),
        loss=rng.choice([0.0, 0.02, 0.1, 0.25]) if lossy else 0.0,
        duplication=rng.choice([0.0, 0.02, 0.1, 0.3]) if lossy else 0.0,
        reordering=rng.choice([0.0, 0.05, 0.3, 0.7]) if lossy else 0.0,
    )


def disks(rng: random.Random) -> Disks:
    """How slow the disks are, and how often logs are compacted."""
    return Disks(
        write_ms=rng.choice([0.0, 1.0, 8.0]),
        torn=rng.random() < 0.5,
        snapshot_every=rng.choice([0, 0, 0, 1, 5, 20]),
    )


def options(rng: random.Random) -> Options:
    """Which of the later features are on, and how much is sent at once."""
    most_entries, most_in_flight = rng.choice([(64, 10), (64, 10), (4, 3), (1, 10), (64, 1)])
    lease_reads = rng.random() < 0.25
    later: dict[str, Any] = {
        "max_entries_per_append": most_entries,
        "max_in_flight": most_in_flight,
        "max_uncommitted_bytes": rng.choice([1_048_576, 1_048_576, 40]),
        "trailing_entries": rng.choice([0, 0, 1, 5, 100]),
        "single_server_changes": rng.random() < 0.4,
        "async_persistence": rng.random() < 0.4,
    }
    if rng.random() < 0.15:
        return Options.figure_2(**later)
    return Options(
        pre_vote=rng.random() < 0.8,
        check_quorum=rng.random() < 0.8,
        leader_stickiness=lease_reads or rng.random() < 0.8,
        lease_reads=lease_reads,
        clock_drift_bound=rng.choice([1.1, 2.0]),
        catch_up_first=rng.random() < 0.5,
        **later,
    )


def trouble(run: RandomRun, ms: Millis = TROUBLE_MS, only: Verbs | None = None) -> None:
    """Let random things happen for `ms` of virtual time: `only` these, or some of all.

    Raises: Violation, when a property is broken; and whatever a machine raises.
    """
    cluster, rng = run.cluster, run.rng
    share = rng.choice([0.1, 0.3, 0.6])
    chosen = only or some_verbs(rng) + rng.sample(PLANS, SOME_PLANS)
    if run.changes_network and not only:
        chosen = chosen + NETWORK_CHANGES
    if not run.changes_members:
        chosen = [(verb, weight) for verb, weight in chosen if verb not in CHANGES]
    verbs, weights = zip(*chosen, strict=True)
    while cluster.now < ms:
        pass_time(run, rng.choice([0.0, rng.uniform(0, 10), rng.uniform(10, 60)]))
        verb = rng.choice([propose, propose, client_tries])
        if rng.random() < share:
            verb = rng.choices(verbs, weights)[0]
        before = cluster.number
        try:
            with suppress(NotNow) if verb in MAY_BE_REFUSED else nullcontext():
                verb(run)
        finally:
            if cluster.number > before and verb not in KNOW_THEIR_MOMENT:
                run.happened[verb.__name__] += 1
        run.note_shown()
    run.plans.clear()


def settle(run: RandomRun) -> bool:
    """End all troubles; whether all members have a new command within 30 election timeouts.

    It is over when nothing that was said before the peace, and no answer to it, is on its way.
    What then waited for a slow disk counts as said before.

    Raises: Violation, when a property is broken; and whatever a machine raises.
    """
    make_peace(run)
    cluster = run.cluster
    begun = noise = said = cluster.now
    writes = [Write(host, host.disk.writes[-1]) for host in run.living if host.disk.writes]
    asked: tuple[NodeId, int] | None = None
    while cluster.now < begun + PATIENCE_MS:
        stop_former(run)
        leader = led_by(cluster)
        if leader and leader != asked:
            with suppress(NotNow):  # it may be handing over, or have too much to commit
                cluster.propose(f"last={run.seed}", to=leader[0])
                asked = led_by(cluster)
        writes = [write for write in writes if write.is_pending()]
        let_pass(cluster, 10)
        if writes:
            said = cluster.now
        if writes or disturbers(run) or any(each.sent_at < said for each in cluster.in_flight()):
            noise = cluster.now
        if all_is_well(run) and cluster.now > noise + ECHO_MS:
            run.settled_after = cluster.now - begun
            return True
    return False


def make_peace(run: RandomRun) -> None:
    """Heal the network, the clocks, the disks and the nodes; what was held up arrives."""
    cluster = run.cluster
    was_changed = network_is_changed(cluster)
    cluster.calm()
    if was_changed:
        cluster.set_network(latency=cluster.setup.network.latency)
    cluster.heal()
    for node in cluster.nodes:
        cluster.set_clock_rate(node, 1.0)
        cluster.slow_disk(node, cluster.setup.disks.write_ms)
    resume_all(run)
    restart_all(run)
    for flight in cluster.in_flight():
        if flight.arrives_at > cluster.now + ECHO_MS:
            gone = flight.message.receiver in run.wiped
            (cluster.drop if gone else cluster.deliver)(flight.number)


def all_is_well(run: RandomRun) -> bool:
    """Whether one voter leads, no change is pending, and all members hold and applied the same."""
    cluster, leader = run.cluster, run.cluster.leader
    if leader is None or not is_steady(cluster):
        return False
    machine = cluster.hosts[leader].machine
    if cluster.frame()[leader].transfer:
        return False
    last = (machine.log.last_index, machine.log.last_term)
    return all(
        (host.machine.log.last_index, host.machine.log.last_term) == last
        and host.applied_index == last[0]
        and host.application.get("last") == str(run.seed)
        for host in members(cluster)
    )


ComplaintKind: TypeAlias = Literal["healing", "answers", "alarms"]


class Complaint(msgspec.Struct, frozen=True):
    """What is wrong at the end of a run, and of which kind that is.

    * `healing`: it did not go on when the troubles were over;
    * `answers`: what was shown, read or executed is not what was committed;
    * `alarms`: a machine reported something that cannot be.
    """

    kind: ComplaintKind
    text: str


def complaint(run: RandomRun, operator: bool = True) -> Complaint | None:
    """What is wrong with a run that should have settled, or None.

    At the end an `operator` asks for a few things, which must be done.
    """
    if run.settled_after is None:
        patience = f"within {PATIENCE_MS:g} ms of peace"
        return Complaint("healing", f"no new command on every member {patience}{differ(run)}")
    if said := wrong_answer(run) or wrong_read(run):
        return Complaint("answers", said)
    if said := disturbed(run) or (unserved(run) if operator else None):
        return Complaint("healing", said)
    alarms = run.cluster.engine.world.alarms
    return Complaint("alarms", f"alarms: {alarms}") if alarms else None


def wrong_answer(run: RandomRun) -> str | None:
    """A value that is not what was committed, or not what a client was shown, or None."""
    should = KeyValue()
    for entry in run.committed:
        should.apply(entry)
    for host in members(run.cluster):
        if host.application.encode() != should.encode():
            return f"{host.node} holds other values than were committed"
        if logs_differ(members(run.cluster)[0], host):
            return f"{host.node} has another log"
    for key, value in run.shown.items():
        if key.startswith("k") and should.get(key) != value:
            return f"{key}={value} was shown to somebody, and is gone"
    for client, serial in should.sessions.items():
        if int(should.get(client) or 0) != serial:
            return f"{client} sent {serial} commands, and {should.get(client)} were executed"
    return None


def logs_differ(one: Host, other: Host) -> bool:
    """Whether two logs differ where both still hold entries."""
    log, first = one.machine.log, other.machine.log.first_index
    return any(entry != other.machine.log[entry.index] for entry in log if entry.index >= first)


def wrong_read(run: RandomRun) -> str | None:
    """A read that did not show what the entries up to its index say, or None."""
    done = sorted((each.index or 0, each.key, each.value) for each in run.readings if each.is_done)
    application, entries = KeyValue(), iter(run.committed)
    applied = 0
    for index, key, value in done:
        while applied < index:
            application.apply(next(entries))
            applied += 1
        if application.get(key) != value:
            return f"a read of {key} at {index} gave {value} and not {application.get(key)}"
    return None


def random_run(seed: int, **given: Any) -> RandomRun:
    """Trouble, then peace, as `seed` has it; `given` as in `start`.

    Raises: AssertionError, with the seed and the last events, if anything is wrong.
    """
    run = start(seed, **given)
    try:
        trouble(run)
        settle(run)
        wrong = complaint(run)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{run}") from error
    if wrong is not None:
        raise AssertionError(f"{wrong.text}\n{run}")
    return run
