"""Mistakes in changing who belongs to the cluster, and who leads it. See `mutants.py`."""

from contextlib import suppress

from raftlab import Cluster, Configuration, Misuse, Options, RaftStateMachine, Rules
from raftlab.raft.quorum import majority, majority_index, quorum_index
from raftlab.sim.invariants import (
    COMMIT_FOLLOWS_QUORUM,
    ELECTION_SAFETY,
    LEADER_COMPLETENESS,
    ONE_CHANGE_AT_A_TIME,
)
from tests.sim.mutants import (
    Mutant,
    NobodySticks,
    entry,
    lead,
    lead_and_settle,
    until_sent,
    won_if,
)

ONE_BY_ONE = Options.figure_2(single_server_changes=True)


def if_allowed(verb, *arguments) -> None:
    """Ask for something that the correct rules may refuse."""
    with suppress(Misuse):
        verb(*arguments)


# Unsafe


class ChangesAtOnce(Rules):
    """A new leader changes the configuration before it has committed anything."""

    def may_change_in_term(self, log, commit_index, term, options):
        return True


class WaitsForTheCommit(Rules):
    """A configuration is used when it is committed, as any command is."""

    def configuration_in_force(self, log, commit_index, first):
        return log.configuration_at(commit_index) or first


class SwitchesAtOnce(Rules):
    """Many voters change at once, without a joint configuration."""

    def next_configuration(self, current, target, options):
        return target


class CountsTheUnion(Rules):
    """While joint, a majority of all voters together wins."""

    def tally_vote(self, votes):
        return won_if(sum(votes.answers.values()) >= majority(len(votes.voters)))


class CommitsWithTheUnion(Rules):
    """While joint, a majority of all voters together commits."""

    def majority_match_index(self, match_indexes, configuration):
        return majority_index(list(match_indexes.values()))


class ChangesTwice(Rules):
    """A change need not wait for the one before."""

    def change_is_pending(self, configuration, configuration_index, commit_index):
        return False


class LeavesTooEarly(Rules):
    """The joint configuration is left with the next commit, whether or not it is its own."""

    def leaves_joint(self, configuration, configuration_index, commit_index):
        return configuration.is_joint


class CountsMore(RaftStateMachine):
    """A leader counts the copies of `counted`."""

    __slots__ = ()

    def counted(self, configuration: Configuration) -> tuple[str, ...]:
        return configuration.voters

    def maybe_commit(self, tracker, reached):
        voters = self.counted(tracker.configuration)
        matches = {node: each.match_index for node, each in tracker.progress.items()}
        matches.setdefault(self.node_id, self.log.stable_index)
        matched = quorum_index(matches, Configuration(voters))
        index = self.rules.leader_commit_index(matched, self.log, self.term, self.commit_index)
        self._advance_commit(index, "leader_commit_index")


class CountsLearners(CountsMore):
    """A learner's copy counts like a voter's."""

    __slots__ = ()

    def counted(self, configuration):
        return configuration.members


class CountsItself(CountsMore):
    """A leader that is being removed still counts itself."""

    __slots__ = ()

    def counted(self, configuration):
        return tuple(dict.fromkeys((*configuration.voters, self.node_id)))


def two_changes_across_terms(cluster: Cluster) -> None:
    """S1 adds S5, S2 removes S1: each a change of one voter, and their majorities do not meet."""
    lead_and_settle(cluster, "S1")
    cluster.add_node("S5")
    cluster.partition("S1 S5", "S2 S3 S4")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    cluster.run(100)
    lead(cluster, "S2")
    cluster.partition("S1 S5", "S2 S3", "S4")
    if_allowed(cluster.reconfigure, "S2 S3 S4")
    cluster.run(100)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.partition("S1 S4 S5", "S2 S3")
    lead(cluster, "S1")


def one_becomes_three(cluster: Cluster) -> None:
    """S1 alone is to become S1, S2 and S3, and reaches neither."""
    lead_and_settle(cluster, "S1")
    cluster.add_node("S2")
    cluster.add_node("S3")
    cluster.isolate("S1")
    cluster.reconfigure("S1 S2 S3")
    cluster.run(100)


def with_learners(cluster: Cluster, leader: str) -> None:
    """`leader` leads S1, S2 and S3; S4 and S5 have the log and no vote."""
    lead_and_settle(cluster, leader)
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


def three_others_elect(cluster: Cluster) -> None:
    """S1, S2 and S3 become S3, S4 and S5: three of five, and one of the first three."""
    old_and_new_elect(cluster, "S3 S4 S5")


def three_others_commit(cluster: Cluster) -> None:
    """S1, S2 and S3 become S3, S4 and S5; S1 and S2 are cut off."""
    with_learners(cluster, "S3")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.reconfigure("S3 S4 S5")
    cluster.run(100)


def two_learners_in_a_row(cluster: Cluster) -> None:
    """S4 is added, and at once S5 too."""
    lead_and_settle(cluster, "S1")
    cluster.add_learner("S4")
    if_allowed(cluster.add_learner, "S5")
    cluster.run(200)


def change_behind_a_command(cluster: Cluster) -> None:
    """Entry 2 is committed while entry 3, which is joint, is still on its way."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.run(2)
    cluster.reconfigure("S1 S2")
    for node in ("S2", "S3"):
        cluster.delay(until_sent(cluster, "S1", node, entry(3)), 30)
    cluster.run(200)


def one_voter_and_learners(cluster: Cluster) -> None:
    """Of five members, S1 reaches the two learners."""
    with_learners(cluster, "S1")
    cluster.partition("S1 S4 S5", "S2 S3")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


def leader_removes_itself(cluster: Cluster) -> None:
    """S1 is to go, and reaches one of the two that are to stay."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.remove("S1")
    cluster.run(100)


UNSAFE_MEMBERSHIP = (
    Mutant(
        "a new leader changes the configuration at once",
        "H1: Ongaro on raft-dev, 2015-07-10, found by H. Zhang and B. Amos",
        {"rules": ChangesAtOnce()},
        two_changes_across_terms,
        LEADER_COMPLETENESS,
        nodes=4,
        given={"options": ONE_BY_ONE},
    ),
    Mutant(
        "a configuration waits for its commit",
        'E9: etcd#7280; paper 6, "the latest configuration in its log"',
        {"rules": WaitsForTheCommit()},
        one_becomes_three,
        COMMIT_FOLLOWS_QUORUM,
        nodes=1,
    ),
    Mutant(
        "many voters change without a joint configuration",
        "paper 6, Figure 10",
        {"rules": SwitchesAtOnce()},
        figure_10,
        ELECTION_SAFETY,
    ),
    Mutant(
        "all voters together elect",
        "E44: CCF#3948, votes of a joint configuration",
        {"rules": CountsTheUnion()},
        three_others_elect,
        ELECTION_SAFETY,
    ),
    Mutant(
        "all voters together commit",
        "E44: CCF#3837, commitment in a joint configuration",
        {"rules": CommitsWithTheUnion()},
        three_others_commit,
        COMMIT_FOLLOWS_QUORUM,
    ),
    Mutant(
        "a second change does not wait",
        "paper 6 and thesis 4.1, one change at a time",
        {"rules": ChangesTwice()},
        two_learners_in_a_row,
        ONE_CHANGE_AT_A_TIME,
    ),
    Mutant(
        "the joint configuration is left too early",
        "paper 6, Figure 11",
        {"rules": LeavesTooEarly()},
        change_behind_a_command,
        ONE_CHANGE_AT_A_TIME,
    ),
    Mutant(
        "learners are counted",
        "thesis 4.2.1; F20: nim-raft mixes up its groups of voters",
        {"machine": CountsLearners},
        one_voter_and_learners,
        COMMIT_FOLLOWS_QUORUM,
    ),
    Mutant(
        "a removed leader counts itself",
        "paper 6 and thesis 4.2.2",
        {"machine": CountsItself},
        leader_removes_itself,
        COMMIT_FOLLOWS_QUORUM,
        given={"options": ONE_BY_ONE},
    ),
)


# Stuck


class StaysJoint(Rules):
    """Nobody leaves the joint configuration."""

    def leaves_joint(self, configuration, configuration_index, commit_index):
        return False


class LeadsWithoutAVote(Rules):
    """A leader goes on although the cluster has removed it."""

    def hands_over_when_removed(self, node, configuration, configuration_index, commit_index):
        return False


class OnlyVotersStand(Rules):
    """Who is to be removed does not stand for election any more."""

    def campaigns(self, node, configuration, previous):
        return configuration.can_vote(node)


class AnybodyVotes(Rules):
    """A learner becomes a voter whether or not it has caught up."""

    def has_caught_up(self, round_ms, options):
        return True


class LearnersAreHanded(Rules):
    """Leadership is handed to a learner, which cannot take it."""

    def may_be_handed_leadership(self, node, configuration):
        return True


class HandsOverTooEarly(Rules):
    """The successor is told to campaign before it has everything."""

    def may_take_over(self, match_index, last_index):
        return True


class TakesCommandsOn(Rules):
    """A leader that hands over takes commands all the same."""

    def takes_commands_while_handing_over(self):
        return True


def joint_is_left(cluster: Cluster) -> bool:
    """S3 is replaced by S4."""
    lead_and_settle(cluster, "S1")
    cluster.add_node("S4")
    cluster.reconfigure("S1 S2 S4")
    return cluster.run_until(lambda each: each.configuration == CHANGED, 1000)


CHANGED = Configuration(("S1", "S2", "S4"))


def removed_leader_goes(cluster: Cluster) -> bool:
    """S1 leads, and is removed."""
    lead_and_settle(cluster, "S1")
    cluster.remove("S1")
    return cluster.run_until(lambda each: each.leader in ("S2", "S3"), 2000)


def removed_one_must_lead(cluster: Cluster) -> bool:
    """Of two, S1 removes itself, and starts again when S2 does not know of it yet."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.remove("S1")
    cluster.run(10)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.heal()
    return cluster.run_until(lambda each: each.leader == "S2", 5000)


def silent_learner(cluster: Cluster) -> bool:
    """S2 has been cut off for long when it is to become the second voter."""
    lead_and_settle(cluster, "S1")
    cluster.add_learner("S2")
    cluster.run(300)
    cluster.isolate("S2")
    cluster.run(300)
    if_allowed(cluster.promote, "S2")
    index = cluster.propose("x=1")
    return cluster.run_until(lambda each: each.commit_index >= index, 1000)


def learner_is_asked_to_lead(cluster: Cluster) -> bool:
    """S1 leads, and is to hand over to S4, a learner; a client has a command."""
    lead_and_settle(cluster, "S1")
    cluster.add_learner("S4")
    cluster.run(200)
    if_allowed(cluster.transfer, "S4")
    cluster.run(50)
    with suppress(Misuse):
        cluster.propose("x=1")
        return True
    return False


def late_successor(cluster: Cluster) -> bool:
    """S1 is to hand over to S3, which lacks an entry that is under way."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.drop(until_sent(cluster, "S1", "S3", entry(2)))
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == 2, 100)
    cluster.transfer("S3")
    return cluster.run_until(lambda each: each.leader == "S3", 250)


def busy_leader(cluster: Cluster) -> bool:
    """S1 is to hand over to S2, and clients ask it for more and more."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x+=1")
    cluster.transfer("S2")
    for _ in range(150):
        if cluster.leader == "S2":
            return True
        if_allowed(cluster.propose, "x+=1")
        cluster.run(2)
    return False


def removed_and_not_told(cluster: Cluster) -> bool:
    """S4 is removed while it is cut off, and comes back."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S4")
    cluster.remove("S4")
    cluster.run(1000)
    cluster.heal()
    cluster.run(2000)
    return cluster.leader == "S1" and cluster.machine("S1").term == 1


STUCK_MEMBERSHIP = (
    Mutant(
        "the joint configuration is never left",
        "E8: etcd#12136; E7: etcd bd3c759",
        {"rules": StaysJoint()},
        joint_is_left,
    ),
    Mutant(
        "a removed leader goes on",
        "paper 6, second problem; F5: nim-raft",
        {"rules": LeadsWithoutAVote()},
        removed_leader_goes,
    ),
    Mutant(
        "who is to be removed never stands",
        "thesis 4.2.2, the example of two servers; E49: Camunda#57386",
        {"rules": OnlyVotersStand()},
        removed_one_must_lead,
        nodes=2,
        given={"options": ONE_BY_ONE},
    ),
    Mutant(
        "a learner votes before it has caught up",
        "thesis 4.2.1, Figure 4.4",
        {"rules": AnybodyVotes()},
        silent_learner,
        nodes=1,
        given={"options": Options(check_quorum=False)},
    ),
    Mutant(
        "leadership is handed to a learner",
        "E5: etcd db54973; E29: raft-rs 24280e8",
        {"rules": LearnersAreHanded()},
        learner_is_asked_to_lead,
    ),
    Mutant(
        "leadership is handed to one who lacks entries",
        "E35: openraft#1805; thesis 3.10, second step",
        {"rules": HandsOverTooEarly()},
        late_successor,
    ),
    Mutant(
        "commands are taken while handing over",
        "E22: hashicorp/raft 62eaa1c; thesis 3.10, first step",
        {"rules": TakesCommandsOn()},
        busy_leader,
    ),
    Mutant(
        "a removed server disrupts",
        "H20: thesis 4.2.3; LogCabin#210; CCF#6073",
        {"rules": NobodySticks()},
        removed_and_not_told,
        nodes=4,
        given={"options": Options(pre_vote=False)},
    ),
)
