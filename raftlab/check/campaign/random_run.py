"""Random runs: one whole number gives the network, the faults, and everything that happens.

First faults, with every property watched after every step; then the faults end, and the
cluster must converge, serve, and hold every write that anybody was shown. So FoundationDB is
tested (Zhou et al., "FoundationDB: A Distributed Unbundled Transactional Key Value Store",
SIGMOD 2021, section 4: deterministic simulation from a seed), and, with real processes and
clocks, everything that Jepsen looks at: faults, then a final heal, then what was acknowledged.
"""

from contextlib import nullcontext, suppress

from raftlab.check.campaign.after_healing import (
    disturbers,
    is_steady,
    leader_and_term,
    members,
    stop_former,
)
from raftlab.check.campaign.faults import (
    MAY_BE_REFUSED,
    MEMBERSHIP_CHANGES,
    NETWORK_CHANGES,
    Verbs,
    chosen_verbs,
    client_tries,
    network_is_changed,
    propose,
    restart_all,
    resume_all,
)
from raftlab.check.campaign.run_state import RandomRun, run_for
from raftlab.check.campaign.timed_faults import PLANS, pass_time
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.world.host import Write

FAULTS_MS = 2500.0
PATIENCE_MS = 30 * 300.0
SOME_PLANS = 3
COUNT_THEMSELVES = frozenset(plan for plan, _ in PLANS)
"""They count by themselves: what they bring about, they bring about later."""
ECHO_MS = 100.0  # the slowest network's answer to the last message of before


def inject_faults(run: RandomRun, ms: Millis = FAULTS_MS, only: Verbs | None = None) -> None:
    """Let random things happen for `ms` of virtual time: `only` these, or some of all.

    Raises: Violation, when a property is broken; and whatever a machine raises.
    """
    cluster, rng = run.cluster, run.rng
    share = rng.choice([0.1, 0.3, 0.6])
    chosen = only or chosen_verbs(rng) + rng.sample(PLANS, SOME_PLANS)
    if run.changes_network and not only:
        chosen = chosen + NETWORK_CHANGES
    if not run.changes_members:
        chosen = [(verb, weight) for verb, weight in chosen if verb not in MEMBERSHIP_CHANGES]
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
            if cluster.number > before and verb not in COUNT_THEMSELVES:
                run.happened[verb.__name__] += 1
        run.note_values()
    run.plans.clear()


def heal_and_converge(run: RandomRun) -> bool:
    """End all faults; whether all members have a new command within 30 election timeouts.

    It is over when nothing that was said before that, and no answer to it, is on its way.
    What then waited for a slow disk counts as said before.

    Raises: Violation, when a property is broken; and whatever a machine raises.
    """
    end_faults(run)
    cluster = run.cluster
    begun = noise = said = cluster.now
    writes = [Write(host, host.disk.writes[-1]) for host in run.living if host.disk.writes]
    asked: tuple[NodeId, int] | None = None
    while cluster.now < begun + PATIENCE_MS:
        stop_former(run)
        leader = leader_and_term(cluster)
        if leader and leader != asked:
            with suppress(NotNow):  # it may be handing over, or have too much to commit
                cluster.propose(f"last={run.seed}", to=leader[0])
                asked = leader_and_term(cluster)
        writes = [write for write in writes if write.is_pending()]
        run_for(cluster, 10)
        if writes:
            said = cluster.now
        if writes or disturbers(run) or any(each.sent_at < said for each in cluster.in_flight()):
            noise = cluster.now
        if has_converged(run) and cluster.now > noise + ECHO_MS:
            run.settled_after = cluster.now - begun
            return True
    return False


def end_faults(run: RandomRun) -> None:
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


def has_converged(run: RandomRun) -> bool:
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
