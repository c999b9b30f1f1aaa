"""Exhibits: changes of members and of leaders that never end."""

# ruff: noqa: D102 - the class says what its override gets wrong

from contextlib import suppress

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import (
    CALM,
    ONE_BY_ONE,
    NobodySticks,
    entry,
    if_allowed,
    lead_and_settle,
    machine_of,
    until_sent,
    won_if,
)
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import RequestVote
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId
from raftlab.raft.votes import ElectionResult, Votes
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.actions import Timeout


class NobodyYields(Rules):
    """A living leader is a reason to refuse even the candidate that it sent."""

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        return super().leader_is_alive(replace(request, force=False), options, leads, since_leader)


def leader_is_changed(cluster: Cluster) -> bool:
    """S1 leads, and S2 is to lead at once."""
    lead_and_settle(cluster, "S1")
    cluster.apply(Timeout(cluster.now, "S2", force=True))
    return cluster.run_until(lambda each: each.leader == "S2", 100)


class StaysJoint(Rules):
    """Nobody leaves the joint configuration."""

    def leaves_joint(
        self, configuration: Configuration, configuration_index: Index, commit_index: Index
    ) -> bool:
        return False


class LeadsWithoutAVote(Rules):
    """A leader goes on although the cluster has removed it."""

    def hands_over_when_removed(
        self,
        node: NodeId,
        configuration: Configuration,
        configuration_index: Index,
        commit_index: Index,
    ) -> bool:
        return False


class OnlyVotersStand(Rules):
    """Who is to be removed does not stand for election any more."""

    def campaigns(
        self, node: NodeId, configuration: Configuration, previous: Configuration | None
    ) -> bool:
        return configuration.can_vote(node)


class AnybodyVotes(Rules):
    """A learner becomes a voter whether or not it has caught up."""

    def has_caught_up(self, round_ms: Millis, options: Options) -> bool:
        return True


class LearnersAreHanded(Rules):
    """Leadership is handed to a learner, which cannot take it."""

    def may_be_handed_leadership(self, node: NodeId, configuration: Configuration) -> bool:
        return True


class HandsOverTooEarly(Rules):
    """The successor is told to campaign before it has everything."""

    def may_take_over(self, match_index: Index, last_index: Index) -> bool:
        return True


class TakesCommandsOn(Rules):
    """A leader that hands over takes commands all the same."""

    def takes_commands_while_handing_over(self) -> bool:
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
    return cluster.leader == "S1" and machine_of(cluster, "S1").term == 1


class NewVotersRefuse(RaftStateMachine):
    """A node votes when its own configuration says that it may."""

    __slots__ = ()

    def _reason_to_refuse(self, request: RequestVote) -> str | None:
        if not self.configuration.can_vote(self.node_id):
            return "has_vote_left"
        return super()._reason_to_refuse(request)


class OwnVoteInTheNewOnly(RaftStateMachine):
    """While joint, a candidate's own vote counts if it stays a voter."""

    __slots__ = ()

    def _count_own_vote(self) -> None:
        if self.node_id in self.configuration.voters:
            super()._count_own_vote()


class OldVotersAreSkipped(Rules):
    """While joint, a vote that counts in the new group does not reach the old one."""

    def tally_vote(self, votes: Votes) -> ElectionResult:
        new, *old = votes.trackers
        yes = {voter for voter, granted in votes.answers.items() if granted}
        left = yes.difference(new.voters)
        counts = [(yes, new), *((left, each) for each in old)]
        return won_if(
            all(2 * len(who & set(each.voters)) > len(each.voters) for who, each in counts)
        )


def promoted_and_not_told(cluster: Cluster) -> bool:
    """S3 has become the third voter and does not know it; S1 dies, and S2 needs its vote."""
    lead_and_settle(cluster, "S1")
    cluster.add_learner("S3")
    cluster.run(300)
    cluster.cut("S1", "S3")
    cluster.promote("S3")
    cluster.run(200)
    cluster.crash("S1")
    return cluster.run_until(lambda each: each.leader == "S2", 5000)


def demoted_must_lead(cluster: Cluster) -> bool:
    """S1 hands its only vote to S2, and starts again when S2 does not know of it yet."""
    lead_and_settle(cluster, "S1")
    cluster.add_learner("S2")
    cluster.run(300)
    cluster.isolate("S1")
    cluster.reconfigure("S2", "S1")
    cluster.run(10)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.heal()
    return cluster.run_until(lambda each: each.leader is not None, 5000)


def leader_dies_while_joint(cluster: Cluster) -> bool:
    """S1 is to be replaced by S4, and dies when S2 has heard of it."""
    lead_and_settle(cluster, "S1")
    cluster.add_node("S4")
    joint = cluster.reconfigure("S2 S3 S4")
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == joint, 500)
    cluster.crash("S1")
    return cluster.run_until(lambda each: each.configuration == OTHERS, 5000)


OTHERS = Configuration(("S2", "S3", "S4"))


ALONE = Options(check_quorum=False)
GROWING = {
    **CALM,
    "nodes": 1,
    "options": ALONE,
    "verbs": "crash",
    "afterwards": "silent_one_is_promoted",
}

EXHIBITS = (
    Exhibit(
        name="refuses-the-successor",
        title="the leader's own candidate is refused",
        source="E19: ScyllaDB sent `force` and never read it; thesis 3.10",
        wrong={"rules": NobodyYields()},
        run=leader_is_changed,
        given={"options": Options()},
        campaign={**CALM, "afterwards": "handed_over"},
        story=(
            "The mark by which a leader lets another server campaign is sent and never read. "
            "The others protect the leader from its own successor, and handing over fails."
        ),
    ),
    Exhibit(
        name="stays-joint",
        title="the joint configuration is never left",
        source="paper 6, Figure 11; after E8: etcd#12136, where only a new leader never leaves it",
        wrong={"rules": StaysJoint()},
        run=joint_is_left,
        story=(
            "Nobody takes the second step of a change of members. The servers that should "
            "have gone are needed for every decision, and no further change is possible."
        ),
    ),
    Exhibit(
        name="removed-leads-on",
        title="a removed leader goes on",
        source="paper 6, second problem; F5: nim-raft",
        wrong={"rules": LeadsWithoutAVote()},
        run=removed_leader_goes,
        story=(
            "A leader goes on leading after the cluster has removed it. Switching it off, as "
            "one does with a removed server, stops the service."
        ),
    ),
    Exhibit(
        name="leaver-never-stands",
        title="who is to be removed never stands",
        source="thesis 4.2.2, the example of two servers",
        wrong={"rules": OnlyVotersStand()},
        run=removed_one_must_lead,
        nodes=2,
        given={"options": ONE_BY_ONE},
        campaign={**CALM, "nodes": 2, "options": ONE_BY_ONE, "afterwards": "leaver_must_lead"},
        story=(
            "A server that is to be removed does not campaign any more, although its removal "
            "is not committed. It may be the only one that can be elected, and then nobody "
            "is."
        ),
    ),
    Exhibit(
        name="promotes-too-soon",
        title="a learner votes before it has caught up",
        source="thesis 4.2.1, Figure 4.4",
        wrong={"rules": AnybodyVotes()},
        run=silent_learner,
        nodes=1,
        given={"options": ALONE},
        campaign={
            **CALM,
            "nodes": 1,
            "options": ALONE,
            "verbs": "crash",
            "afterwards": "silent_one_is_promoted",
        },
        story=(
            "A server becomes a voter although it is far behind. Until it has the whole log, "
            "nothing can be committed where its copy is needed."
        ),
    ),
    Exhibit(
        name="hands-to-learner",
        title="leadership is handed to a learner",
        source="E29: raft-rs 24280e8; thesis 3.10",
        wrong={"rules": LearnersAreHanded()},
        run=learner_is_asked_to_lead,
        campaign={**CALM, "afterwards": "learner_is_asked"},
        story=(
            "A leader hands over to a server that has no vote and cannot lead. It takes no "
            "commands meanwhile, and nobody takes its place."
        ),
    ),
    Exhibit(
        name="hands-over-early",
        title="leadership is handed to one who lacks entries",
        source="E35: openraft#1805; thesis 3.10, second step",
        wrong={"rules": HandsOverTooEarly()},
        run=late_successor,
        campaign={**CALM, "afterwards": "handed_over"},
        story=(
            "A leader tells its successor to campaign before it has the whole log. The others"
            " refuse it their votes, and the cluster is without a leader for a while."
        ),
    ),
    Exhibit(
        name="busy-transfer",
        title="commands are taken while handing over",
        source="E22: hashicorp/raft 62eaa1c; thesis 3.10, first step",
        wrong={"rules": TakesCommandsOn()},
        run=busy_leader,
        campaign={**CALM, "afterwards": "handed_over"},
        story=(
            "A leader that hands over goes on taking commands. Under load its successor never"
            " has everything, and the handing over never ends."
        ),
    ),
    Exhibit(
        name="removed-disrupts",
        title="a removed server disrupts",
        source="H20: thesis 4.2.3; LogCabin#210; CCF#6073",
        wrong={"rules": NobodySticks()},
        run=removed_and_not_told,
        nodes=4,
        given={"options": Options(pre_vote=False)},
        campaign={**CALM, "options": Options(pre_vote=False), "afterwards": "member_is_removed"},
        story=(
            "A server that was removed and does not know it campaigns again and again. Each "
            "time the others give up a healthy leader, and clients see the service stop and "
            "go."
        ),
    ),
    Exhibit(
        name="new-voter-refuses",
        title="a new voter refuses to vote",
        source="E4: etcd#10998; E49: Camunda#57386; thesis 4.2.1",
        wrong={"machine": NewVotersRefuse},
        run=promoted_and_not_told,
        nodes=2,
        story=(
            "A server that became a voter and has not heard of it refuses to vote. When "
            "another one dies, its vote is the one that is missing, and there is no leader."
        ),
    ),
    Exhibit(
        name="own-vote-in-old-group",
        title="a candidate's own vote is not counted in the old group",
        source="E17: ScyllaDB#10618; paper 6",
        wrong={"machine": OwnVoteInTheNewOnly},
        run=demoted_must_lead,
        nodes=1,
        story=(
            "A server that is about to lose its vote does not count it among the old voters "
            "either. If it is the only old voter, nobody can be elected again."
        ),
    ),
    Exhibit(
        name="joint-short-circuit",
        title="a vote reaches only one of two groups",
        source="F1: nim-raft's PR#10 and fork, an `or` that stops at the first; paper 6",
        wrong={"rules": OldVotersAreSkipped()},
        run=leader_dies_while_joint,
        story=(
            "A vote is entered for the new group, and then the old group is not looked at any"
            " more. While a change of members is under way the old group never has enough "
            "votes, and a dead leader has no successor."
        ),
    ),
)
