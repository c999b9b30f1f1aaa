"""Logs that differ, come together, and are committed. Paper: 5.3, 5.4, Figures 7 and 8."""

from contextlib import suppress

from raftlab.raft.messages import AppendEntriesReply
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import (
    commit,
    drop_all,
    is_a,
    numbers_of,
    settle,
    stage,
    until_sent,
    win_election,
    with_entry,
)
from raftlab.sim.scenarios.mistakes import AppendsNothingItself, CountsCopies, CutsAlways
from raftlab.sim.scenarios.registry import BEFORE_AFTER, named_situation
from raftlab.sim.world.violation import Violation

LEADER_OF_FIGURE_7: tuple[Term, ...] = (1, 1, 1, 4, 4, 5, 5, 6, 6, 6)
FOLLOWERS_OF_FIGURE_7: dict[str, tuple[Term, ...]] = {
    "a": (1, 1, 1, 4, 4, 5, 5, 6, 6),
    "b": (1, 1, 1, 4),
    "c": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    "d": (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    "e": (1, 1, 1, 4, 4, 4, 4),
    "f": (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
}
FIGURE_7 = ("all", *FOLLOWERS_OF_FIGURE_7)


@named_situation(FIGURE_7)
def figure_7(panel: str = "all", *, seed: int = 1) -> Cluster:
    """A new leader finds its followers' logs too short, too long, or both.

    S1 has just been elected in term 8. "all": S2 to S7 are the followers (a) to (f).
    "a" to "f": S2 is that follower, and S3, which voted, has what S1 has. As in the figure
    the leader appends nothing of its own: propose a command, and every log becomes S1's.

    Paper: 5.3, Figure 7.
    """
    logs: list[tuple[Term, ...]] = [LEADER_OF_FIGURE_7]
    if panel == "all":
        logs += FOLLOWERS_OF_FIGURE_7.values()
    else:
        logs += [FOLLOWERS_OF_FIGURE_7[panel], LEADER_OF_FIGURE_7]
    past = {f"S{number}": log for number, log in enumerate(logs, 1)}
    cluster = stage(len(logs), seed, logs=past, rules=AppendsNothingItself)
    while cluster.frame()["S1"].term < 7:
        cluster.timeout("S1")
        drop_all(cluster, "S1", "S2", "S3")
    win_election(cluster, "S1")
    return cluster


FIGURE_8 = ("a", "b", "c", "d", "e")


@named_situation(FIGURE_8)
def figure_8(panel: str = "c", *, seed: int = 1) -> Cluster:
    """An entry of an old term lies on a majority, is not committed, and may yet be overwritten.

    "a": S1 leads term 2, and has copied entry 2 to S2 alone. "b": S1 is down; S5 leads
    term 3, with another entry 2. "c": S5 is down; S1 leads term 4, has copied its old entry
    to S3 as well, and has taken one of term 4. Then either "d": S1 crashed, S5 was elected
    in term 5, and overwrote entry 2 everywhere; or "e": S1 copied its entry of term 4 to
    S2 and S3, which commits both, and S5 cannot win any more.

    Paper: 5.4.2, Figure 8.
    """
    return _figure_8(panel, seed, AppendsNothingItself)


@named_situation(BEFORE_AFTER, breaks={"after": "Leader Completeness"})
def figure_8_by_counting(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A leader that counts copies of old entries calls one committed that the next one lacks.

    "before": Figure 8 (c), where S1 takes entry 2 for committed, and a client may have been
    told so. "after": S5 is elected without it, as in (d), and the run stops.

    Paper: 5.4.2, Figure 8.
    """
    if panel == "before":
        return _figure_8("c", seed, CountsCopies)
    return _figure_8("d", seed, CountsCopies)


def _figure_8(panel: str, seed: int, rules: type[Rules]) -> Cluster:
    logs = {f"S{number}": (1,) for number in range(1, 6)}
    cluster = stage(5, seed, rules=rules, logs=logs)
    cluster.elect("S1")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.propose("b=S1")
    cluster.run(20)
    if panel == "a":
        return cluster
    cluster.crash("S1")
    win_election(cluster, "S5")
    cluster.isolate("S5")
    cluster.propose("b=S5")
    if panel == "b":
        return cluster
    _figure_8c(cluster)
    if panel == "d":
        _figure_8d(cluster)
    if panel == "e":
        cluster.run(30)
    return cluster


def _figure_8c(cluster: Cluster) -> None:
    """S1 is back, leads term 4 and goes on copying; nobody else has its newest entry yet."""
    cluster.crash("S5")
    cluster.restart("S1")
    cluster.partition("S1 S2 S3", "S4 S5")
    win_election(cluster, "S1")
    cluster.run(40)
    cluster.propose("c=S1")


def _figure_8d(cluster: Cluster) -> None:
    """S5 leads term 5; its entry 2 takes the place of S1's on every server."""
    cluster.crash("S1")
    drop_all(cluster, "S1", "S2", "S3")
    cluster.restart("S5")
    cluster.heal()
    with suppress(Violation):
        win_election(cluster, "S5")
        cluster.restart("S1")
        cluster.run(120)


@named_situation()
def late_append(*, seed: int = 1) -> Cluster:
    """A copy of an old AppendEntries reaches a follower that has gone further: nothing is cut.

    S1 and S2 hold entries 1 to 3, and S1 has just committed 3, which was lost on its way to
    S3. A copy of the message that brought entry 2 alone is on its way to S2.

    Paper: 5.3, Figure 2, AppendEntries, rule 3.
    """
    return _late_append(seed, Rules)


@named_situation(BEFORE_AFTER, breaks={"after": "Leader Completeness"})
def late_append_cuts(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A follower that cuts its log behind whatever it is sent loses what is committed.

    "before": as `late_append`. "after": the late copy came, S2 threw entry 3 away, S1
    crashed, and S2 elected S3, which never had it.

    Paper: Figure 2, AppendEntries, rule 3.
    """
    cluster = _late_append(seed, CutsAlways)
    if panel == "after":
        cluster.deliver(numbers_of(cluster, "S1", "S2", with_entry(2))[0])
        cluster.crash("S1")
        with suppress(Violation):
            win_election(cluster, "S3")
    return cluster


def _late_append(seed: int, rules: type[Rules]) -> Cluster:
    cluster = settle(stage(3, seed, rules=rules), "S1")
    cluster.propose("a=1")
    cluster.duplicate(until_sent(cluster, "S1", "S2", with_entry(2)))
    cluster.delay(numbers_of(cluster, "S1", "S2", with_entry(2))[-1], 1000)
    cluster.propose("b=2")
    cluster.drop(until_sent(cluster, "S1", "S3", with_entry(3)))
    cluster.run_until(lambda each: each.commit_index == 3)
    return cluster


@named_situation()
def minority_partition(*, seed: int = 1) -> Cluster:
    """The network splits; two leaders take commands, and only the majority's are committed.

    S1 leads term 1 with S2 and commits nothing; S3 leads term 2 with S4 and S5. Heal the
    network: S1 follows, and what it took is overwritten.

    Paper: 5.2, 5.3, 5.4.
    """
    cluster = settle(stage(5, seed), "S1")
    commit(cluster, "x=1")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.propose("x=lost", to="S1")
    cluster.propose("y=lost", to="S1")
    cluster.run(30)
    win_election(cluster, "S3")
    commit(cluster, "x=3")
    return cluster.run(60)


UNANSWERED = ("kept", "lost")


@named_situation(UNANSWERED)
def unanswered_command(panel: str = "kept", *, seed: int = 1) -> Cluster:
    """A leader died before it answered: the command may be executed yet, or never.

    x=1 is on S2 and not committed. "kept": S2 leads next, and commits it. "lost": S3 leads
    next, with S4 and S5, and x=1 will be overwritten. The client cannot know which.

    Paper: 5.4.2, 8.
    """
    cluster = settle(stage(5, seed), "S1")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.propose("x=1")
    cluster.run(20)
    cluster.crash("S1")
    if panel == "kept":
        cluster.heal()
    win_election(cluster, "S2" if panel == "kept" else "S3")
    return cluster.run(60)


@named_situation()
def lagging_follower(*, seed: int = 1) -> Cluster:
    """A follower missed three commands; the leader's next message does not fit, and it says so.

    S2 leads by now. S3 is back, and its rejection is on its way, with a hint where the two
    logs may agree.

    Paper: 5.3.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.isolate("S3")
    for command in ("x=1", "x=2", "x=3"):
        commit(cluster, command)
    win_election(cluster, "S2")
    cluster.run(20)
    cluster.heal()
    until_sent(cluster, "S3", "S2", is_a(AppendEntriesReply))
    return cluster
