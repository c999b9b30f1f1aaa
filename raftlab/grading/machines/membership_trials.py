"""The runs that a machine must stand that changes its voters, one at a time.

A machine that gets there through a joint configuration stands them as well.
"""

from collections.abc import Sequence
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
    restart,
    timeout,
)
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.grading.machines.trials import (
    PATIENT,
    SOON,
    Setting,
    Trial,
    faults_end,
    has,
    lasts,
)
from raftlab.museum.membership import change_in_two_terms
from raftlab.museum.runs import ONE_BY_ONE
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import commit, drop_all, settle
from raftlab.sim.watch.properties import configuration_of

ONE_AT_A_TIME = replace(PATIENT, single_server_changes=True)
MOST = 6
"""How many servers there are at most while faults happen."""


def changes(cluster: Cluster, voters: str) -> str:
    """A leader is asked for these voters, and soon each of them knows it; what is not so."""
    cluster.reconfigure(voters)
    return soon_known(cluster, voters)


def soon_known(cluster: Cluster, voters: str) -> str:
    """Whether these are the voters soon, and each of them that is up knows it; else what is not."""
    wanted = {*voters.split()}

    def all_know(_: Cluster) -> bool:
        up = [cluster.hosts[node] for node in wanted if cluster.hosts[node].alive]
        return all({*configuration_of(host).all_voters} == wanted for host in up)

    if not cluster.run_until(all_know, SOON):
        return f"within {SOON:g} ms not all of {voters} know that they are the voters"
    return ""


def server_comes(setting: Setting) -> str:
    """S4 becomes a voter: three of four are a majority, two are none. Once it comes to nothing."""
    cluster = setting.cluster(3, ONE_AT_A_TIME)
    settle(cluster, "S1", 200)
    if stuck := lasts(cluster, "x=1"):
        return stuck
    cluster.add_node("S4")
    if stuck := changes(cluster, "S1 S2 S3 S4") or lasts(cluster, "y=1"):
        return stuck
    cluster.crash("S1")
    if stuck := lasts(cluster, "y=3"):  # whoever has a vote stands for election
        return stuck
    cluster.restart("S1")
    settle(cluster, "S1", 200)
    for node in ("S2", "S3"):
        cluster.crash(node)
    cluster.propose("y=2")
    cluster.run(300)  # nothing may be committed, which is watched
    cluster.restart("S2")
    cluster.elect("S4")
    cluster.restart("S3")
    if stuck := lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "2"):
        return stuck
    return _comes_to_nothing(setting.cluster(3, ONE_AT_A_TIME))


def _comes_to_nothing(cluster: Cluster) -> str:
    """S1 alone has heard that S4 is a voter, and is overruled: two of three are a majority."""
    settle(cluster, "S1", 200)
    cluster.add_node("S4")
    cluster.isolate("S1")
    cluster.reconfigure("S1 S2 S3 S4")
    cluster.run(20)
    settle(cluster, "S2", 200)
    cluster.heal()
    if not cluster.run_until(lambda each: each.frame()["S1"].commit_index >= 2, SOON):
        return "S1 comes back, and does not get the log of S2"
    cluster.elect("S1")
    cluster.crash("S4")
    cluster.crash("S3")
    return lasts(cluster, "y=1")


def servers_go(setting: Setting) -> str:
    """Of five servers two go, one after the other: two of the other three go on."""
    cluster = setting.cluster(5, ONE_AT_A_TIME)
    settle(cluster, "S1", 200)
    if stuck := lasts(cluster, "x=1") or changes(cluster, "S1 S2 S3 S4"):
        return stuck
    cluster.crash("S5")
    if stuck := lasts(cluster, "y=1") or changes(cluster, "S1 S2 S3"):
        return stuck
    cluster.crash("S4")
    cluster.run(200)
    cluster.crash("S3")
    if stuck := lasts(cluster, "y=2"):
        return stuck
    for node in ("S1", "S2"):
        cluster.crash(node)
        cluster.restart(node)
    return lasts(cluster, "z=1") or has(cluster, "x", "1") or has(cluster, "y", "2")


def leader_goes(setting: Setting) -> str:
    """S1 leads, and is to go: it leads until that is committed, and no longer."""
    cluster = setting.cluster(3, ONE_AT_A_TIME)
    settle(cluster, "S1", 200)
    if stuck := lasts(cluster, "x=1"):
        return stuck
    cluster.cut("S1", "S3")
    cluster.reconfigure("S2 S3")
    drop_all(cluster, "S1", "S2", "S3")
    cluster.run(150)  # S1 and S2 are no majority of S2 and S3, which is watched
    cluster.heal()
    if stuck := soon_known(cluster, "S2 S3"):
        return stuck
    if not cluster.run_until(lambda each: each.leader in ("S2", "S3"), SOON):
        return f"S1 has gone, and within {SOON:g} ms neither S2 nor S3 leads"
    if cluster.hosts["S1"].machine.role is Role.LEADER:
        return "S1 has gone, and still leads"
    cluster.crash("S1")
    return lasts(cluster, "z=1") or has(cluster, "x", "1")


def one_at_a_time(setting: Setting) -> str:
    """Voters change one at a time, though two leaders ask, one asks twice, and one for three."""
    cluster = setting.cluster(4, ONE_AT_A_TIME)
    settle(cluster, "S1", 200)
    _two_changes_across_terms(cluster)
    cluster.heal()
    if stuck := lasts(cluster, "x=1"):
        return stuck
    cluster.run(200)
    gone = _two_changes_at_once(cluster)
    cluster.heal()
    if not gone:
        return f"{cluster.leader} leads, has committed something, and takes no change"
    for node in gone:
        cluster.crash(node)
    if stuck := lasts(cluster, "y=1") or has(cluster, "x", "1"):
        return stuck
    cluster = setting.cluster(4, ONE_AT_A_TIME)
    _all_others_go(cluster)
    return lasts(cluster, "y=1")


def _all_others_go(cluster: Cluster) -> None:
    """S1 reaches nobody, and is to be the only voter: two servers would lead, and commit."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    with suppress(NotNow):
        cluster.reconfigure("S1")
    with suppress(NotNow):
        cluster.propose("x=1", to="S1")
    cluster.run(20)
    settle(cluster, "S2", 200)
    cluster.heal()
    cluster.run(200)


def _two_changes_across_terms(cluster: Cluster) -> None:
    """Two leaders change the voters, and S1 is to lead once more. The bug of 2015."""
    change_in_two_terms(cluster)
    for _ in range(3):
        if cluster.leader != "S1":
            cluster.timeout("S1")
            cluster.run(100)


def _two_changes_at_once(cluster: Cluster) -> list[NodeId]:
    """The leader reaches nobody, and is asked to let one voter go, and then another; who goes."""
    leader = cluster.leader or ""
    cluster.isolate(leader)
    taken: list[NodeId] = []
    for _ in range(2):
        now = configuration_of(cluster.hosts[leader])
        others = [node for node in now.voters if node != leader]
        with suppress(NotNow):
            cluster.reconfigure([leader, *others[1:]])
            taken += others[:1]
        cluster.run(20)
    return taken


def faults_and_changes(setting: Setting) -> str:
    """Random faults, while voters come and go; then peace, in which one comes and another goes."""
    run = start(
        setting.seed,
        nodes=3,
        machine=setting.machine,
        options=ONE_BY_ONE,
        change_members=False,
    )
    if stuck := faults_end(setting, run, CHANGING):
        return stuck
    cluster, newcomer = run.cluster, _newcomer(run)
    cluster.add_node(newcomer)
    if stuck := changes(cluster, " ".join((*cluster.configuration.voters, newcomer))):
        return stuck
    commit(cluster, "y=1")
    voters = cluster.configuration.voters
    goes = next(node for node in voters if node != cluster.leader)
    return changes(cluster, " ".join(node for node in voters if node != goes))


def _newcomer(run: RandomRun) -> NodeId:
    return f"S{len(run.cluster.nodes) + 1}"


def change_one(run: RandomRun) -> None:
    """One voter comes, new or of before, or one goes."""
    cluster = run.cluster
    voters = cluster.configuration.voters
    former = [node for node in cluster.nodes if node not in voters]
    comes = run.rng.random() < 0.6
    if comes and not former and len(cluster.nodes) < MOST:
        former.append(_newcomer(run))
        cluster.add_node(former[0])
    goes = run.rng.choice(voters)
    with suppress(NotNow):
        if comes and former:
            cluster.reconfigure((*voters, run.rng.choice(former)))
        elif len(voters) > 1:
            cluster.reconfigure([node for node in voters if node != goes])


CHANGING: Verbs = [
    *((change_one, 5), (isolate, 1), (partition, 1), (timeout, 1), (crash, 1), (cut, 1)),
    *((delay_long, 1), (heal, 1), (restart, 2)),
]

ONE = "thesis, 4.1"
MEMBERSHIP_TRIALS: Sequence[Trial] = (
    Trial(
        "a server comes",
        server_comes,
        "thesis, 4.1, 4.2.1",
        "Use the newest configuration in the log, and send to whoever is new in it.",
        "a majority is counted of other voters than those in the log",
    ),
    Trial(
        "servers go",
        servers_go,
        ONE,
        "Use the newest configuration in the log as soon as it is there, also after a restart.",
        "a majority is counted of other voters than those in the log",
    ),
    Trial(
        "the leader goes",
        leader_goes,
        "thesis, 4.2.2",
        "Who leads without a vote does not count itself, and leads until that is committed.",
        "a majority is counted of other voters than those in the log",
    ),
    Trial(
        "one change at a time",
        one_at_a_time,
        ONE,
        "Refuse a change until the one before and an entry of the own term are committed.",
        "a change begins before the one before is committed, or anything of the own term",
    ),
    Trial(
        "faults and changes",
        faults_and_changes,
        ONE,
        "Play the run, and look at the last change in it.",
        "",
    ),
)
"""The trials, in their order."""
