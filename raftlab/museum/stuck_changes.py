"""Exhibits: changes of members and of leaders that never end."""

from contextlib import suppress

from msgspec.structs import replace

from raftlab.check.campaign.faults import crash
from raftlab.museum.exhibit import exhibited
from raftlab.museum.post_heal_checks import (
    handed_over,
    learner_is_asked,
    leaver_must_lead,
    member_is_removed,
    silent_one_is_promoted,
)
from raftlab.museum.runs import CALM, ONE_BY_ONE, won_if
from raftlab.museum.stuck_elections import NobodySticks
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import RequestVote
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, NotNow
from raftlab.raft.votes import ElectionResult, Votes
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle, until_sent, with_entry
from raftlab.sim.world.actions import Timeout


def leader_is_changed(cluster: Cluster) -> bool:
    """S1 leads, and S2 is to lead at once."""
    settle(cluster, "S1", 200)
    cluster.apply(Timeout(cluster.now, "S2", force=True))
    return cluster.run_until(lambda each: each.leader == "S2", 100)


@exhibited(
    "refuses-the-successor",
    leader_is_changed,
    options=Options(),
    tuning=replace(CALM, afterwards=handed_over),
)
class NobodyYields(Rules):
    """The leader's own candidate is refused.

    The mark by which a leader lets another server campaign is sent and never read. The others
    protect the leader from its own successor, and handing over fails.

    Source: E19: ScyllaDB sent `force` and never read it; thesis 3.10.
    """

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        """A living leader is a reason to refuse even the candidate that it sent."""
        return super().leader_is_alive(replace(request, force=False), options, leads, since_leader)


def joint_is_left(cluster: Cluster) -> bool:
    """S3 is replaced by S4."""
    settle(cluster, "S1", 200)
    cluster.add_node("S4")
    cluster.reconfigure("S1 S2 S4")
    return cluster.run_until(
        lambda each: each.configuration == Configuration(("S1", "S2", "S4")), 1000
    )


@exhibited("stays-joint", joint_is_left)
class StaysJoint(Rules):
    """The joint configuration is never left.

    Nobody takes the second step of a change of members. The servers that should have gone are
    needed for every decision, and no further change is possible.

    Source: paper 6, Figure 11; after E8: etcd#12136, where only a new leader never leaves it.
    """

    def leaves_joint(
        self, configuration: Configuration, configuration_index: Index, commit_index: Index
    ) -> bool:
        """Nobody leaves the joint configuration."""
        return False


def removed_leader_goes(cluster: Cluster) -> bool:
    """S1 leads, and is removed."""
    settle(cluster, "S1", 200)
    cluster.remove("S1")
    return cluster.run_until(lambda each: each.leader in ("S2", "S3"), 2000)


@exhibited("removed-leads-on", removed_leader_goes)
class LeadsWithoutAVote(Rules):
    """A removed leader goes on.

    A leader goes on leading after the cluster has removed it. Switching it off, as one does with a
    removed server, stops the service.

    Source: paper 6, second problem; F5: nim-raft.
    """

    def hands_over_when_removed(
        self,
        node: NodeId,
        configuration: Configuration,
        configuration_index: Index,
        commit_index: Index,
    ) -> bool:
        """A leader goes on although the cluster has removed it."""
        return False


def removed_one_must_lead(cluster: Cluster) -> bool:
    """Of two, S1 removes itself, and starts again when S2 does not know of it yet."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.remove("S1")
    cluster.run(10)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.heal()
    return cluster.run_until(lambda each: each.leader == "S2", 5000)


@exhibited(
    "leaver-never-stands",
    removed_one_must_lead,
    nodes=2,
    options=ONE_BY_ONE,
    tuning=replace(CALM, nodes=2, options=ONE_BY_ONE, afterwards=leaver_must_lead),
)
class OnlyVotersStand(Rules):
    """Who is to be removed never stands.

    A server that is to be removed does not campaign any more, although its removal is not
    committed. It may be the only one that can be elected, and then nobody is.

    Source: thesis 4.2.2, the example of two servers.
    """

    def campaigns(
        self, node: NodeId, configuration: Configuration, previous: Configuration | None
    ) -> bool:
        """Who is to be removed does not stand for election any more."""
        return configuration.can_vote(node)


def silent_learner(cluster: Cluster) -> bool:
    """S2 has been cut off for long when it is to become the second voter."""
    settle(cluster, "S1", 200)
    cluster.add_learner("S2")
    cluster.run(300)
    cluster.isolate("S2")
    cluster.run(300)
    with suppress(NotNow):
        cluster.promote("S2")
    index = cluster.propose("x=1")
    return cluster.run_until(lambda each: each.commit_index >= index, 1000)


@exhibited(
    "promotes-too-soon",
    silent_learner,
    nodes=1,
    options=Options(check_quorum=False),
    tuning=replace(
        CALM,
        nodes=1,
        options=Options(check_quorum=False),
        verbs=(crash,),
        afterwards=silent_one_is_promoted,
    ),
)
class AnybodyVotes(Rules):
    """A learner votes before it has caught up.

    A server becomes a voter although it is far behind. Until it has the whole log, nothing can be
    committed where its copy is needed.

    Source: thesis 4.2.1, Figure 4.4.
    """

    def has_caught_up(self, round_ms: Millis, options: Options) -> bool:
        """A learner becomes a voter whether or not it has caught up."""
        return True


def learner_is_asked_to_lead(cluster: Cluster) -> bool:
    """S1 leads, and is to hand over to S4, a learner; a client has a command."""
    settle(cluster, "S1", 200)
    cluster.add_learner("S4")
    cluster.run(200)
    with suppress(NotNow):
        cluster.transfer("S4")
    cluster.run(50)
    with suppress(NotNow):
        cluster.propose("x=1")
        return True
    return False


@exhibited(
    "hands-to-learner", learner_is_asked_to_lead, tuning=replace(CALM, afterwards=learner_is_asked)
)
class LearnersAreHanded(Rules):
    """Leadership is handed to a learner.

    A leader hands over to a server that has no vote and cannot lead. It takes no commands
    meanwhile, and nobody takes its place.

    Source: E29: raft-rs 24280e8; thesis 3.10.
    """

    def may_be_handed_leadership(self, node: NodeId, configuration: Configuration) -> bool:
        """Leadership is handed to a learner, which cannot take it."""
        return True


def late_successor(cluster: Cluster) -> bool:
    """S1 is to hand over to S3, which lacks an entry that is under way."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    cluster.drop(until_sent(cluster, "S1", "S3", with_entry(2)))
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == 2, 100)
    cluster.transfer("S3")
    return cluster.run_until(lambda each: each.leader == "S3", 250)


@exhibited("hands-over-early", late_successor, tuning=replace(CALM, afterwards=handed_over))
class HandsOverTooEarly(Rules):
    """Leadership is handed to one who lacks entries.

    A leader tells its successor to campaign before it has the whole log. The others refuse it their
    votes, and the cluster is without a leader for a while.

    Source: E35: openraft#1805; thesis 3.10, second step.
    """

    def may_take_over(self, match_index: Index, last_index: Index) -> bool:
        """The successor is told to campaign before it has everything."""
        return True


def busy_leader(cluster: Cluster) -> bool:
    """S1 is to hand over to S2, and clients ask it for more and more."""
    settle(cluster, "S1", 200)
    cluster.propose("x+=1")
    cluster.transfer("S2")
    for _ in range(150):
        if cluster.leader == "S2":
            return True
        with suppress(NotNow):
            cluster.propose("x+=1")
        cluster.run(2)
    return False


@exhibited("busy-transfer", busy_leader, tuning=replace(CALM, afterwards=handed_over))
class TakesCommandsOn(Rules):
    """Commands are taken while handing over.

    A leader that hands over goes on taking commands. Under load its successor never has everything,
    and the handing over never ends.

    Source: E22: hashicorp/raft 62eaa1c; thesis 3.10, first step.
    """

    def takes_commands_while_handing_over(self) -> bool:
        """A leader that hands over takes commands all the same."""
        return True


def removed_and_not_told(cluster: Cluster) -> bool:
    """S4 is removed while it is cut off, and comes back."""
    settle(cluster, "S1", 200)
    cluster.isolate("S4")
    cluster.remove("S4")
    cluster.run(1000)
    cluster.heal()
    cluster.run(2000)
    return cluster.leader == "S1" and cluster.hosts["S1"].machine.term == 1


@exhibited(
    "removed-disrupts",
    removed_and_not_told,
    nodes=4,
    options=Options(pre_vote=False),
    tuning=replace(CALM, options=Options(pre_vote=False), afterwards=member_is_removed),
)
class RemovedDisrupts(NobodySticks):
    """A removed server disrupts.

    A server that was removed and does not know it campaigns again and again. Each time the others
    give up a healthy leader, and clients see the service stop and go.

    Source: H20: thesis 4.2.3; LogCabin#210; CCF#6073.
    """


def promoted_and_not_told(cluster: Cluster) -> bool:
    """S3 has become the third voter and does not know it; S1 dies, and S2 needs its vote."""
    settle(cluster, "S1", 200)
    cluster.add_learner("S3")
    cluster.run(300)
    cluster.cut("S1", "S3")
    cluster.promote("S3")
    cluster.run(200)
    cluster.crash("S1")
    return cluster.run_until(lambda each: each.leader == "S2", 5000)


@exhibited("new-voter-refuses", promoted_and_not_told, nodes=2)
class NewVotersRefuse(RaftStateMachine):
    """A new voter refuses to vote.

    A server that became a voter and has not heard of it refuses to vote. When another one dies, its
    vote is the one that is missing, and there is no leader.

    Source: E4: etcd#10998; E49: Camunda#57386; thesis 4.2.1.
    """

    def _reason_to_refuse(self, request: RequestVote) -> str | None:
        """A node votes when its own configuration says that it may."""
        if not self.configuration.can_vote(self.node_id):
            return "has_vote_left"
        return super()._reason_to_refuse(request)


def demoted_must_lead(cluster: Cluster) -> bool:
    """S1 hands its only vote to S2, and starts again when S2 does not know of it yet."""
    settle(cluster, "S1", 200)
    cluster.add_learner("S2")
    cluster.run(300)
    cluster.isolate("S1")
    cluster.reconfigure("S2", "S1")
    cluster.run(10)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.heal()
    return cluster.run_until(lambda each: each.leader is not None, 5000)


@exhibited("own-vote-in-old-group", demoted_must_lead, nodes=1)
class OwnVoteInTheNewOnly(RaftStateMachine):
    """A candidate's own vote is not counted in the old group.

    A server that is about to lose its vote does not count it among the old voters either. If it is
    the only old voter, nobody can be elected again.

    Source: E17: ScyllaDB#10618; paper 6.
    """

    def _count_own_vote(self) -> None:
        """While joint, a candidate's own vote counts if it stays a voter."""
        if self.node_id in self.configuration.voters:
            super()._count_own_vote()


def leader_dies_while_joint(cluster: Cluster) -> bool:
    """S1 is to be replaced by S4, and dies when S2 has heard of it."""
    settle(cluster, "S1", 200)
    cluster.add_node("S4")
    joint = cluster.reconfigure("S2 S3 S4")
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == joint, 500)
    cluster.crash("S1")
    return cluster.run_until(
        lambda each: each.configuration == Configuration(("S2", "S3", "S4")), 5000
    )


@exhibited("joint-short-circuit", leader_dies_while_joint)
class OldVotersAreSkipped(Rules):
    """A vote reaches only one of two groups.

    A vote is entered for the new group, and then the old group is not looked at any more. While a
    change of members is under way the old group never has enough votes, and a dead leader has no
    successor.

    Source: F1: nim-raft's PR#10 and fork, an `or` that stops at the first; paper 6.
    """

    def tally_vote(self, votes: Votes) -> ElectionResult:
        """While joint, a vote that counts in the new group does not reach the old one."""
        new, *old = votes.trackers
        yes = {voter for voter, granted in votes.answers.items() if granted}
        left = yes.difference(new.voters)
        counts = [(yes, new), *((left, each) for each in old)]
        return won_if(
            all(2 * len(who & set(each.voters)) > len(each.voters) for who, each in counts)
        )
