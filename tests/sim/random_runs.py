"""Random runs: one whole number gives the weather, the troubles, and everything that happens.

`python -m tests.sim.random_runs 2000` tries the seeds 0 to 1999 and prints those that fail;
with two numbers, the seeds from the first up to the second.
"""

import random
import sys
from contextlib import suppress

from raftlab import Cluster, Disks, Misuse, Network, Options
from raftlab.sim.host import Host
from raftlab.sim.key_value import KeyValue
from tests.sim.random_verbs import (
    RandomRun,
    Verbs,
    client_tries,
    current,
    former,
    propose,
    restart_all,
    resume_all,
    some_verbs,
)

TROUBLE_MS = 3000.0
PATIENCE_MS = 30 * 300.0
QUIET_MS = 2 * 300.0
ECHO_MS = 100.0  # the slowest network's answer to the last message of before


def start(seed: int, nodes: int | None = None, **wrong: object) -> RandomRun:
    """A cluster whose weather `seed` decides, before anything has happened."""
    rng = random.Random(f"random run {seed}")
    count = rng.choice([3, 3, 4, 5, 5, 6, 7])
    given = {"network": network(rng), "disks": disks(rng), "options": options(rng), **wrong}
    return RandomRun(seed, Cluster(nodes or count, seed=seed, **given), rng)


def network(rng: random.Random) -> Network:
    lossy = rng.random() < 0.7
    return Network(
        latency=rng.choice([(1.0, 3.0), (5.0, 15.0), (5.0, 50.0), (10.0, 10.0)]),
        loss=rng.choice([0.0, 0.02, 0.1, 0.25]) if lossy else 0.0,
        duplication=rng.choice([0.0, 0.02, 0.1, 0.3]) if lossy else 0.0,
        reordering=rng.choice([0.0, 0.05, 0.3, 0.7]) if lossy else 0.0,
    )


def disks(rng: random.Random) -> Disks:
    return Disks(
        write_ms=rng.choice([0.0, 1.0, 8.0]),
        torn=rng.random() < 0.5,
        snapshot_every=rng.choice([0, 0, 0, 1, 5, 20]),
    )


def options(rng: random.Random) -> Options:
    most_entries, most_in_flight = rng.choice([(64, 10), (64, 10), (4, 3), (1, 10), (64, 1)])
    lease_reads = rng.random() < 0.25
    later = {
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


def trouble(run: RandomRun, ms: float = TROUBLE_MS, only: Verbs | None = None) -> None:
    """Let random things happen for `ms` of virtual time: `only` these, or some of all."""
    cluster, rng = run.cluster, run.rng
    share = rng.choice([0.1, 0.3, 0.6])
    verbs, weights = zip(*(only or some_verbs(rng)), strict=True)
    while cluster.now < ms:
        cluster.run(rng.choice([0.0, rng.uniform(0, 10), rng.uniform(10, 60)]))
        verb = rng.choice([propose, propose, client_tries])
        if rng.random() < share:
            verb = rng.choices(verbs, weights)[0]
        with suppress(Misuse):  # test_refusals.py looks at the sentences
            verb(run)
        run.note_shown()


def settle(run: RandomRun) -> bool:
    """End all troubles; whether all members have a new command within 30 election timeouts.

    It is over when nothing that was said before the peace, and no answer to it, is on its way.
    """
    make_peace(run)
    cluster = run.cluster
    start, noise, asked = cluster.now, cluster.now, None
    while cluster.now < start + PATIENCE_MS:
        stop_former(run)
        leader = cluster.leader
        if leader and (leader, cluster.machine(leader).term) != asked:
            with suppress(Misuse):  # it may be handing over, or have too much to commit
                cluster.propose(f"last={run.seed}", to=leader)
                asked = (leader, cluster.machine(leader).term)
        cluster.run(10)
        if disturbers(run) or any(each.sent_at < start for each in cluster.in_flight()):
            noise = cluster.now
        if all_is_well(run) and cluster.now > noise + ECHO_MS:
            run.settled_after = cluster.now - start
            return True
    return False


def make_peace(run: RandomRun) -> None:
    """Heal the network, the clocks, the disks and the nodes; what was held up arrives."""
    cluster = run.cluster
    cluster.calm()
    cluster.heal()
    for node in cluster.nodes:
        cluster.set_clock_rate(node, 1.0)
        cluster.slow_disk(node, cluster.setup.disks.write_ms)
    resume_all(run)
    restart_all(run)
    for flight in cluster.in_flight():
        if flight.arrives_at > cluster.now + ECHO_MS and flight.message.receiver not in run.wiped:
            cluster.deliver(flight.number)


def stop_former(run: RandomRun) -> None:
    """Switch removed servers off, where nothing keeps them from disrupting. Thesis: 4.2.3."""
    for node in disturbers(run):
        if run.cluster.hosts[node].alive:
            run.cluster.crash(node)


def disturbers(run: RandomRun) -> list[str]:
    """Removed servers that may call elections: those that are up, or have just said something."""
    cluster, options = run.cluster, run.cluster.setup.options
    if options.pre_vote or options.leader_stickiness:
        return []
    speaking = {each.message.sender for each in cluster.in_flight()}
    up = {host.node for host in run.living}
    return [node for node in former(cluster) if node in up | speaking]


def members(cluster: Cluster) -> list[Host]:
    return [cluster.hosts[node] for node in cluster.configuration.members]


def all_is_well(run: RandomRun) -> bool:
    """Whether one voter leads, no change is pending, and all members hold and applied the same."""
    cluster = run.cluster
    leader, configuration = cluster.leader, cluster.configuration
    if leader not in configuration.voters or configuration.is_joint:
        return False
    machine = cluster.machine(leader)
    handing_over = cluster.frame()[leader].transfer
    if handing_over or current(cluster) != configuration:
        return False
    last = (machine.log.last_index, machine.log.last_term)
    return all(
        (host.machine.log.last_index, host.machine.log.last_term) == last
        and host.applied_index == last[0]
        and host.application.get("last") == str(run.seed)
        for host in members(cluster)
    )


def complaint(run: RandomRun) -> str | None:
    """What is wrong with a run that should have settled, or None."""
    cluster = run.cluster
    if run.settled_after is None:
        return f"no new command on every member within {PATIENCE_MS:g} ms of peace"
    should = KeyValue()
    for entry in run.committed:
        should.apply(entry)
    for host in members(cluster):
        if host.application.encode() != should.encode():
            return f"{host.node} holds other values than were committed"
        if logs_differ(members(cluster)[0], host):
            return f"{host.node} has another log"
    for key, value in run.shown.items():
        if key.startswith("k") and should.get(key) != value:
            return f"{key}={value} was shown to somebody, and is gone"
    for client, serial in should.sessions.items():
        if int(should.get(client) or 0) != serial:
            return f"{client} sent {serial} commands, and {should.get(client)} were executed"
    if cluster.alarms:
        return f"alarms: {cluster.alarms}"
    return wrong_read(run) or disturbed(run)


def logs_differ(one: Host, other: Host) -> bool:
    """Whether two logs differ where both still hold entries."""
    log, first = one.machine.log, other.machine.log.first_index
    return any(entry != other.machine.log[entry.index] for entry in log if entry.index >= first)


def wrong_read(run: RandomRun) -> str | None:
    """A read that did not show what the entries up to its index say, or None."""
    done = sorted((each.index, each.key, each.value) for each in run.readings if each.is_done)
    application, entries = KeyValue(), iter(run.committed)
    applied = 0
    for index, key, value in done:
        while applied < index:
            application.apply(next(entries))
            applied += 1
        if application.get(key) != value:
            return f"a read of {key} at {index} gave {value} and not {application.get(key)}"
    return None


def disturbed(run: RandomRun) -> str | None:
    """What goes wrong in a while of quiet with one read at every member, or None."""
    cluster = run.cluster
    leader, term = cluster.leader, cluster.machine(cluster.leader).term
    able = [host.node for host in members(cluster) if hasattr(host.machine, "read")]
    readings = [cluster.read("last", node) for node in able]
    cluster.run(QUIET_MS)
    for reading in readings:
        if not reading.is_done or reading.value != str(run.seed):
            return f"{reading!r} in all quiet"
    if (cluster.leader, cluster.machine(leader).term) != (leader, term):
        return f"{leader} led term {term} in all quiet, and does not any more"
    return None


def random_run(seed: int) -> RandomRun:
    """Trouble, then peace. Raises: AssertionError, with the seed and the last events."""
    run = start(seed)
    try:
        trouble(run)
        settle(run)
        wrong = complaint(run)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{run}") from error
    assert wrong is None, f"{wrong}\n{run}"
    return run


def main(first: int, last: int) -> None:
    failed, slowest = [], 0.0
    for seed in range(first, last):
        try:
            slowest = max(slowest, random_run(seed).settled_after or 0.0)
        except AssertionError as error:
            failed.append(seed)
            print(error, "\n", flush=True)
    print(f"{last - first} runs, failed: {failed}; the slowest peace took {slowest:.0f} ms")


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    main(*(numbers if len(numbers) == 2 else (0, *numbers)))
