"""Servers that come and go. Paper: 6, Figures 10 and 11. Thesis: 3.10, 4."""

from contextlib import suppress

from raftlab.raft.messages import RequestVote
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import commit, is_a, settle, stage, until_sent, win_election
from raftlab.sim.scenarios.mistakes import ChangesInAnyTerm, SwitchesAtOnce
from raftlab.sim.scenarios.registry import BEFORE_AFTER, named_situation
from raftlab.sim.world.violation import Violation


@named_situation(BEFORE_AFTER, breaks={"after": "Leader Completeness"})
def figure_10(panel: str = "after", *, seed: int = 1) -> Cluster:
    """Straight from three voters to five: for a while there are two majorities that do not meet.

    The joint configuration is left out. "before": S3, S4 and S5 use the new voters and have
    committed that; S1 and S2 still use the old ones. "after": S1 is elected by S2, two of
    three, without what the others have committed, and the run stops.

    Paper: 6, Figure 10.
    """
    cluster = _three_become_five(seed, SwitchesAtOnce)
    if panel == "after":
        with suppress(Violation):
            win_election(cluster, "S1")
    return cluster


@named_situation()
def figure_10_with_joint(*, seed: int = 1) -> Cluster:
    """The change of Figure 10 as Raft does it: the new voters alone can decide nothing.

    S3, S4 and S5 have the joint configuration, and it is not committed, for want of a
    majority of S1, S2 and S3. S1 may be elected by S2 without any harm.

    Paper: 6, Figures 10 and 11.
    """
    return _three_become_five(seed, Rules)


def _three_become_five(seed: int, rules: type[Rules]) -> Cluster:
    cluster = settle(stage(3, seed, rules=rules), "S3")
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    return cluster.run(60)


FIGURE_11 = ("joint", "leaving", "new")


@named_situation(FIGURE_11)
def figure_11(panel: str = "joint", *, seed: int = 1) -> Cluster:
    """From S1 S2 S3 to S3 S4 S5 in two steps, with a time between in which both must agree.

    "joint": the joint configuration is in the log and not committed; S4 and S5 have not
    heard of it. "leaving": it is committed, and the new one stands in S1's log. "new": that
    is committed too; S1 and S2 do not belong to the cluster any more, and S3 leads.

    Paper: 6, Figure 11. Thesis: 4.3.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.partition("S1 S2 S3", "S4 S5")
    joint = cluster.reconfigure("S3 S4 S5")
    cluster.run(40)
    if panel == "joint":
        return cluster
    cluster.heal()
    cluster.run_until(lambda each: each.commit_index >= joint)
    if panel == "new":
        cluster.run_until(lambda each: each.leader == "S3")
        cluster.run(60)
    return cluster


@named_situation()
def crash_while_joint(*, seed: int = 1) -> Cluster:
    """A leader dies in the middle of a change: what is in the logs still holds.

    S1 is down. S2, S4 and S5 hold the joint configuration, S3 does not. Whoever leads next
    ends the change, or undoes it; both are safe.

    Paper: 6. Thesis: 4.3.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.isolate("S3")
    cluster.reconfigure("S1 S4 S5")
    cluster.run_until(lambda each: each.frame()["S4"].last_index >= 2)
    cluster.crash("S1")
    cluster.heal()
    return cluster.run(15)


@named_situation(BEFORE_AFTER, breaks={"after": "Leader Completeness"})
def single_server_bug(panel: str = "after", *, seed: int = 1) -> Cluster:
    """Two leaders in turn change the cluster by one server each, and their majorities do not meet.

    The rule that was missing until 2015 is left out here. S1 added S5, which alone heard of
    it; S2 removed S1 and has committed that with S3. "before": S1 is back. "after": S4 and
    S5 elect it, three of its five voters, without what S2 and S3 have committed.

    Ongaro on raft-dev: bug in single-server membership changes, 10 July 2015. Thesis: 4.1.
    """
    cluster = _first_of_two_changes(seed, ChangesInAnyTerm)
    cluster.partition("S1 S4 S5", "S2 S3")
    cluster.remove("S1")
    cluster.run(60)
    cluster.crash("S1")
    cluster.restart("S1")
    if panel == "after":
        with suppress(Violation):
            win_election(cluster, "S1")
    return cluster


@named_situation()
def single_server_rule(*, seed: int = 1) -> Cluster:
    """The correction of 2015: a new leader changes nothing before it has committed something.

    Everything is as in `single_server_bug` when S2 has been elected; ask it to remove S1,
    and it refuses, until an entry of its own term is committed.

    Ongaro on raft-dev, 10 July 2015. Thesis: 4.1.
    """
    return _first_of_two_changes(seed, Rules)


def _first_of_two_changes(seed: int, rules: type[Rules]) -> Cluster:
    options = Options.figure_2(single_server_changes=True)
    cluster = settle(stage(4, seed, options=options, rules=rules), "S1")
    cluster.add_node("S5")
    cluster.partition("S1 S5", "S2 S3 S4")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    cluster.run(60)
    win_election(cluster, "S2")
    return cluster


STICKINESS = ("plain", "stickiness")


@named_situation(STICKINESS)
def removed_server(panel: str = "plain", *, seed: int = 1) -> Cluster:
    """A server was removed, does not know it, hears nobody, and asks for votes in a new term.

    S1 leads S2 and S3; the request of S4 is on its way. "plain": they follow it into its
    term, and S1 is unseated, again and again. "stickiness": who has just heard a leader
    does not listen.

    Paper: 6, last part. Thesis: 4.2.3.
    """
    protected = panel == "stickiness"
    options = Options.figure_2(leader_stickiness=protected, check_quorum=protected)
    cluster = settle(stage(4, seed, options=options), "S1")
    cluster.remove("S4")
    until_sent(cluster, "S4", "S1", is_a(RequestVote))
    return cluster


@named_situation()
def removed_leader(*, seed: int = 1) -> Cluster:
    """A leader manages a cluster that it does not belong to, until its own removal is committed.

    S1 leads, holds the configuration S2 S3, and does not count itself any more.

    Paper: 6. Thesis: 4.2.2.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.remove("S1")
    cluster.run_until(lambda each: not each.configuration.can_vote("S1"))
    return cluster


CATCH_UP = ("voter", "learner")


@named_situation(CATCH_UP)
def catch_up(panel: str = "voter", *, seed: int = 1) -> Cluster:
    """A new server has an empty log: until it has caught up, it must not be needed for a majority.

    S3 is down, and S4 has just been added. "voter": it has a vote from the first, S1 needs it
    for three of four, and x=1 waits until S4 has the whole log. "learner": it has no vote yet,
    S1 and S2 commit x=1 without it, and it gets the log meanwhile.

    Thesis: 4.2.1, Figure 4.4.
    """
    logs: dict[NodeId, tuple[Term, ...]] = dict.fromkeys(("S1", "S2", "S3"), (1,) * 20)
    options = Options.figure_2(catch_up_first=panel == "learner", max_entries_per_append=4)
    cluster = settle(stage(3, seed, options=options, logs=logs), "S1")
    if panel == "learner":
        cluster.add_learner("S4")
    else:
        _add_without_asking(cluster)
    cluster.crash("S3")
    cluster.propose("x=1")
    return cluster.run(25)


def _add_without_asking(cluster: Cluster) -> None:
    """Let S4 be a voter at once, and be it through S1, S2 and S3 together."""
    cluster.add_node("S4")
    cluster.cut("S1", "S4")
    cluster.reconfigure("S1 S2 S3 S4")
    cluster.run_until(lambda each: not each.configuration.is_joint)
    cluster.run(30)
    cluster.heal()


@named_situation()
def learner_caught_up(*, seed: int = 1) -> Cluster:
    """A learner has all that the leader has, and may be given a vote: promote S4.

    Thesis: 4.2.1.
    """
    cluster = settle(stage(3, seed, options=Options()), "S1")
    for command in ("x=1", "x=2", "x=3"):
        commit(cluster, command)
    cluster.add_learner("S4")
    return cluster.run(200)
