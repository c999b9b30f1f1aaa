"""Exhibits: who belongs to the cluster. Paper: 6. Thesis: 4."""

from collections.abc import Mapping
from contextlib import suppress

from raftlab.check.campaign.faults import force_election, remove, timeout
from raftlab.museum.exhibit import Tuning, exhibited
from raftlab.museum.runs import ONE_BY_ONE, entry_3_is_late, won_if
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.progress import Tracker
from raftlab.raft.quorum import majority, majority_index, quorum_index
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId, NotNow, Term
from raftlab.raft.votes import ElectionResult, Votes
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle
from raftlab.sim.watch.properties import (
    COMMIT_FOLLOWS_QUORUM,
    ELECTION_SAFETY,
    LEADER_COMPLETENESS,
    NEWEST_CONFIGURATION,
    ONE_CHANGE_AT_A_TIME,
)
from raftlab.sim.world.settings import Network


def two_changes_across_terms(cluster: Cluster) -> None:
    """S1 adds S5, S2 removes S1: each a change of one voter, and their majorities do not meet."""
    settle(cluster, "S1", 200)
    change_in_two_terms(cluster)
    cluster.elect("S1")


def change_in_two_terms(cluster: Cluster) -> None:
    """S1, which leads, adds S5; S2, which has heard nothing of it, is asked to remove S1."""
    cluster.add_node("S5")
    cluster.partition("S1 S5", "S2 S3 S4")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    cluster.run(100)
    cluster.elect("S2")
    cluster.partition("S1 S5", "S2 S3", "S4")
    with suppress(NotNow):
        cluster.reconfigure("S2 S3 S4")
    cluster.run(100)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.partition("S1 S4 S5", "S2 S3")


@exhibited(
    "change-across-terms",
    two_changes_across_terms,
    breaks=LEADER_COMPLETENESS,
    nodes=4,
    options=ONE_BY_ONE,
    tuning=Tuning(
        nodes=4,
        options=ONE_BY_ONE,
        network=Network(latency=(10.0, 50.0), loss=0.4),
        verbs=(remove, force_election, timeout),
    ),
)
class ChangesAtOnce(Rules):
    """A new leader changes the configuration at once.

    A new leader adds or removes a server before any entry of its own term is committed. Two such
    changes by two leaders have majorities that do not meet, and committed entries are overwritten.

    Source: H1: Ongaro on raft-dev, 2015-07-10, found by H. Zhang and B. Amos; thesis 4.1.
    """

    def may_change_in_term(
        self, log: RaftLog, commit_index: Index, term: Term, options: Options
    ) -> bool:
        """A new leader changes the configuration before it has committed anything."""
        return True


def one_becomes_three(cluster: Cluster) -> None:
    """S1 alone is to become S1, S2 and S3, and reaches neither."""
    settle(cluster, "S1", 200)
    cluster.add_node("S2")
    cluster.add_node("S3")
    cluster.isolate("S1")
    cluster.reconfigure("S1 S2 S3")
    cluster.run(100)


@exhibited("configuration-on-commit", one_becomes_three, breaks=COMMIT_FOLLOWS_QUORUM, nodes=1)
class WaitsForTheCommit(Rules):
    """A configuration waits for its commit.

    A server goes on with the old members until the new configuration is committed. It then decides
    with too few, and one server alone can commit what the three new members should agree on.

    Source: E9: etcd#7280; paper 6, "the latest configuration in its log".
    """

    def configuration_in_force(
        self, log: RaftLog, commit_index: Index, first: Configuration
    ) -> Configuration:
        """A configuration is used when it is committed, as any command is."""
        return log.configuration_at(commit_index) or first


def change_is_overwritten(cluster: Cluster) -> None:
    """S1 is cut off and removes S3; S2 leads the others, and S1 hears of it."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.remove("S3")
    cluster.elect("S2")
    cluster.heal()
    cluster.run(200)


@exhibited("cut-change-stays", change_is_overwritten, breaks=NEWEST_CONFIGURATION)
class CutsOnlyTheLog(RaftStateMachine):
    """A change that is cut from the log stays in force.

    A server takes a new configuration from its log and does not give it back when that entry is
    overwritten. It goes on with members that nobody else knows, and asks and counts the wrong ones.

    Source: E49: Camunda#57387, an uncommitted configuration and a restart; Camunda#57393.
    """

    def _truncate(self, index: Index) -> None:
        """A configuration that is cut from the log stays in force."""
        mine = self.configuration
        super()._truncate(index)
        self.configuration = mine


def with_learners(cluster: Cluster, leader: str) -> None:
    """`leader` leads S1, S2 and S3; S4 and S5 have the log and no vote."""
    settle(cluster, leader, 200)
    cluster.add_learner("S4")
    cluster.run(200)
    cluster.add_learner("S5")
    cluster.run(200)


def reaches_only_the_new(cluster: Cluster, voters: str) -> None:
    """S3 asks for `voters`; S4 and S5 hear of it, and S3 does not hear that they do."""
    with_learners(cluster, "S3")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.cut("S4", "S3", both_ways=False)
    cluster.cut("S5", "S3", both_ways=False)
    cluster.reconfigure(voters)
    cluster.run(50)


def old_and_new_elect(cluster: Cluster, voters: str) -> None:
    """S1 and S2 do not know yet that S3, S4 and S5 have new voters; S1 and S3 campaign."""
    reaches_only_the_new(cluster, voters)
    cluster.crash("S3")
    cluster.restart("S3")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.run(100)


def figure_10(cluster: Cluster) -> None:
    """Three voters become five; the old majority does not know yet, the new one does."""
    old_and_new_elect(cluster, "S1 S2 S3 S4 S5")


@exhibited("no-joint", figure_10, breaks=ELECTION_SAFETY)
class SwitchesAtOnce(Rules):
    """Many voters change without a joint configuration.

    Several voters are exchanged in one step. For a moment some servers count a majority of the old
    group and others one of the new, and both elect a leader.

    Source: paper 6, Figure 10.
    """

    def next_configuration(
        self, current: Configuration, target: Configuration, options: Options
    ) -> Configuration:
        """Many voters change at once, without a joint configuration."""
        return target


def three_others_elect(cluster: Cluster) -> None:
    """S1, S2 and S3 become S3, S4 and S5: three of five, and one of the first three."""
    old_and_new_elect(cluster, "S3 S4 S5")


@exhibited("union-elects", three_others_elect, breaks=ELECTION_SAFETY)
class CountsTheUnion(Rules):
    """All voters together elect.

    In the middle of a change a candidate needs most of all voters together, and not most of each
    group. The old group can elect somebody else at the same time.

    Source: E44: CCF#3948, votes of a joint configuration; paper 6.
    """

    def tally_vote(self, votes: Votes) -> ElectionResult:
        """While joint, a majority of all voters together wins."""
        return won_if(sum(votes.answers.values()) >= majority(len(votes.voters)))


def three_others_commit(cluster: Cluster) -> None:
    """S1, S2 and S3 become S3, S4 and S5; S1 and S2 are cut off."""
    with_learners(cluster, "S3")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.reconfigure("S3 S4 S5")
    cluster.run(100)


@exhibited("union-commits", three_others_commit, breaks=COMMIT_FOLLOWS_QUORUM)
class CommitsWithTheUnion(Rules):
    """All voters together commit.

    In the middle of a change an entry counts as committed when most of all voters together have it.
    The old group may have it on one server only, and elect a leader without it.

    Source: E44: CCF#3837, commitment in a joint configuration; paper 6.
    """

    def majority_match_index(
        self, match_indexes: Mapping[NodeId, Index], configuration: Configuration
    ) -> Index:
        """While joint, a majority of all voters together commits."""
        return majority_index(list(match_indexes.values()))


def two_learners_in_a_row(cluster: Cluster) -> None:
    """S4 is added, and at once S5 too."""
    settle(cluster, "S1", 200)
    cluster.add_learner("S4")
    with suppress(NotNow):
        cluster.add_learner("S5")
    cluster.run(200)


@exhibited("two-changes", two_learners_in_a_row, breaks=ONE_CHANGE_AT_A_TIME)
class ChangesTwice(Rules):
    """A second change does not wait.

    A leader begins the next change of members before the last one is committed. Servers then know
    of different members, more than one step apart, and their majorities need not meet.

    Source: paper 6; thesis 4.1.
    """

    def change_is_pending(
        self, configuration: Configuration, configuration_index: Index, commit_index: Index
    ) -> bool:
        """A change need not wait for the one before."""
        return False


def change_behind_a_command(cluster: Cluster) -> None:
    """Entry 2 is committed while entry 3, which is joint, is still on its way."""
    entry_3_is_late(cluster, lambda: cluster.reconfigure("S1 S2"))


@exhibited("leaves-joint-early", change_behind_a_command, breaks=ONE_CHANGE_AT_A_TIME)
class LeavesTooEarly(Rules):
    """The joint configuration is left too early.

    The leader leaves the joint configuration with the next commit, although the joint one is not
    committed itself. Old and new voters can then decide without each other.

    Source: paper 6, Figure 11.
    """

    def leaves_joint(
        self, configuration: Configuration, configuration_index: Index, commit_index: Index
    ) -> bool:
        """The joint configuration is left with the next commit, whether or not it is its own."""
        return configuration.is_joint


def one_voter_and_learners(cluster: Cluster) -> None:
    """Of five members, S1 reaches the two learners."""
    with_learners(cluster, "S1")
    cluster.partition("S1 S4 S5", "S2 S3")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


class CountsMore(RaftStateMachine):
    """A leader counts the copies of `counted`."""

    def counted(self, configuration: Configuration) -> tuple[NodeId, ...]:
        """Whose copies count."""
        return configuration.voters

    def _maybe_commit(self, tracker: Tracker, reached: Index) -> None:
        """Commit what a majority of those have."""
        voters = self.counted(tracker.configuration)
        matches = {node: each.match_index for node, each in tracker.progress.items()}
        matches.setdefault(self.node_id, self.log.stable_index)
        matched = quorum_index(matches, Configuration(voters))
        index = self._rules.leader_commit_index(matched, self.log, self.term, self.commit_index)
        self._advance_commit(index, "leader_commit_index")


@exhibited("learners-counted", one_voter_and_learners, breaks=COMMIT_FOLLOWS_QUORUM)
class CountsLearners(CountsMore):
    """Learners are counted.

    A server that only receives the log is counted as if it had a vote. Commands are acknowledged
    that most voters have never seen, and an election can lose them.

    Source: thesis 4.2.1; F20: nim-raft mixes up its groups of voters.
    """

    def counted(self, configuration: Configuration) -> tuple[NodeId, ...]:
        """A learner's copy counts like a voter's."""
        return configuration.members


def leader_removes_itself(cluster: Cluster) -> None:
    """S1 is to go, and reaches one of the two that are to stay."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    cluster.remove("S1")
    cluster.run(100)


@exhibited(
    "removed-counts-itself", leader_removes_itself, breaks=COMMIT_FOLLOWS_QUORUM, options=ONE_BY_ONE
)
class CountsItself(CountsMore):
    """A removed leader counts itself.

    A leader that the cluster is about to lose still counts its own copy. It takes too few copies
    for a majority of those who stay.

    Source: paper 6, second problem; thesis 4.2.2.
    """

    def counted(self, configuration: Configuration) -> tuple[NodeId, ...]:
        """A leader that is being removed still counts itself."""
        return tuple(dict.fromkeys((*configuration.voters, self.node_id)))
