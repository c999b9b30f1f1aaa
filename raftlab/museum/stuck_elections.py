"""Exhibits: clusters without a leader, or with one after another."""

import random
from collections.abc import Sequence

from msgspec.structs import replace

from raftlab.museum.exhibit import exhibited
from raftlab.museum.post_heal_checks import (
    follower_comes_and_goes,
    follower_is_deaf,
    leader_dies,
    leader_is_cut_off,
    one_behind_keeps_asking,
)
from raftlab.museum.runs import CALM, won_if
from raftlab.raft.log import LogEntry
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Message, RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Millis, NodeId, Term
from raftlab.raft.votes import ElectionResult, Votes
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle
from raftlab.sim.world.settings import Network


def somebody_leads(cluster: Cluster) -> bool:
    """Three nodes start together."""
    return cluster.run_until(lambda each: each.leader is not None, 6000)


@exhibited("equal-timeouts", somebody_leads, network=Network(latency=(10.0, 10.0)))
class EqualTimeouts(Rules):
    """Everybody waits equally long.

    All servers wait equally long before they campaign. They ask at the same moment, split the vote,
    and do so again, and the cluster never has a leader.

    Source: H27: hashicorp/raft cda1ee8; S7, F9: nim-raft; paper 9.3.
    """

    def election_timeout(self, options: Options, rng: random.Random) -> Millis:
        """Everybody waits equally long."""
        return options.election_timeout[0]


def only_one_can_win(cluster: Cluster) -> bool:
    """S1 dies; S2 has all entries; S3 has not, and asks again every 100 ms."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S1")
    cluster.heal()
    for _ in range(15):
        cluster.timeout("S3")
        if cluster.run_until(lambda each: each.leader == "S2", 100):
            return True
    return False


@exhibited(
    "anything-resets-timer",
    only_one_can_win,
    tuning=replace(CALM, options=Options.figure_2(), afterwards=one_behind_keeps_asking),
)
class AnythingResets(Rules):
    """Anything resets the timer.

    Any message makes a server wait anew, even a request that it refuses. A server that cannot win
    keeps asking and so keeps from campaigning the only one that can.

    Source: H28: the students' guide to Raft; hashicorp/raft 42d3446; paper, Figure 2, Followers.
    """

    def resets_election_timer(self, granted_vote: bool, heard_leader: bool) -> bool:
        """Whatever arrives makes a node wait anew, even a request that it refuses."""
        return True


def cut_off_leader(cluster: Cluster) -> bool:
    """S1 leads and reaches nobody."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.run(1000)
    return cluster.hosts["S1"].machine.role is not Role.LEADER


@exhibited(
    "leads-alone",
    cut_off_leader,
    options=Options(),
    tuning=replace(CALM, afterwards=leader_is_cut_off),
)
class NeverStepsDown(Rules):
    """A leader that nobody hears goes on.

    A leader does not mind that nobody answers. Clients that are connected to it wait for ever,
    although the rest of the cluster could serve them.

    Source: H21: an outage of etcd at Cloudflare in 2020; M8, F10: nim-raft, 600 s; thesis 6.2.
    """

    def keeps_leading(
        self, heard: Sequence[NodeId], configuration: Configuration, options: Options
    ) -> bool:
        """A leader leads until it hears of another one."""
        return True


def one_is_deaf(cluster: Cluster) -> bool:
    """S3 does not hear S1, which leads; everybody hears S3."""
    settle(cluster, "S1", 200)
    cluster.cut("S1", "S3", both_ways=False)
    cluster.run(3000)
    return cluster.leader == "S1"


@exhibited("nobody-sticks", one_is_deaf, options=Options())
class NobodySticks(Rules):
    """Nobody sticks to the leader.

    A server that hears a leader still helps a candidate to depose it. One server with a broken link
    makes the cluster elect again and again.

    Source: H20: thesis 4.2.3; LogCabin#210; F8: nim-raft.
    """

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        """A living leader is no reason to refuse a candidate."""
        return False


def second_leader(cluster: Cluster) -> bool:
    """S1 leads and dies."""
    settle(cluster, "S1", 200)
    cluster.crash("S1")
    return somebody_leads(cluster)


@exhibited("votes-once", second_leader)
class KeepsItsVote(RaftStateMachine):
    """A vote is never given back.

    A vote is not cleared when a new term begins. Each server votes once in its life, and when that
    leader dies there is no other.

    Source: S41: nim-raft, a node votes once in its life; paper 5.1.
    """

    def _set_term(self, term: Term) -> None:
        """A new term does not give the vote back."""
        vote = self.voted_for
        super()._set_term(term)
        self.voted_for = vote


@exhibited("pre-vote-own-term", somebody_leads, options=Options())
class PromisesInItsOwnTerm(RaftStateMachine):
    """Pre-votes are granted in the voter's term.

    A promise to vote is sent under the voter's own term and not under the one that was asked for.
    The candidate takes it for an old message, and nobody is ever elected.

    Source: E1: etcd#8243; S39: nim-raft; thesis 9.6.
    """

    def _send(self, message: Message) -> None:
        """A pre-vote is granted under the voter's own term, not the one that was asked for."""
        if isinstance(message, RequestVoteReply) and message.is_prevote:
            message = replace(message, term=self.term)
        super()._send(message)


def too_high_a_term(cluster: Cluster) -> bool:
    """S3 campaigns alone until its term is high, and comes back."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    cluster.run(2000)
    cluster.heal()
    return cluster.run_until(lambda each: each.frame()["S3"].leader is not None, 2000)


@exhibited("silent-to-the-past", too_high_a_term, options=Options(pre_vote=False))
class SilentToThePast(RaftStateMachine):
    """Lower terms get no answer.

    A server that has reached a high term ignores messages of lower ones and says nothing. The
    leader never learns of that term, and this server stays outside for ever.

    Source: E3: etcd#8334; paper 5.1.
    """

    def advance(self, message: Message, now: Millis) -> None:
        """A message of a lower term gets no answer."""
        if message.term >= self.term:
            super().advance(message, now)


def some_links_are_down(cluster: Cluster) -> bool:
    """S1 leads and reaches S2 and S3; S4 reaches only S2, and S5 only S3."""
    settle(cluster, "S1", 200)
    for one, other in (("S1", "S4"), ("S1", "S5"), ("S2", "S5"), ("S3", "S4"), ("S4", "S5")):
        cluster.cut(one, other)
    cluster.run(3000)
    return cluster.leader == "S1" and cluster.hosts["S1"].machine.term == 1


@exhibited(
    "partial-partition",
    some_links_are_down,
    nodes=5,
    options=Options(),
    tuning=replace(CALM, afterwards=follower_is_deaf),
)
class PartialPartition:
    """A partial partition deposes leaders.

    Neither a pre-vote nor a living leader keeps anybody from calling an election. Where some links
    are down and a majority is still connected, those who do not hear the leader depose it again and
    again.

    Source: H21: Howard and Abraham, Raft does not guarantee liveness in the face of network faults,
    2020; thesis 9.6.
    """

    options = Options(pre_vote=False, leader_stickiness=False)


def nobody_answers_at_first(cluster: Cluster) -> bool:
    """No two nodes reach each other for a while."""
    cluster.partition("S1", "S2", "S3")
    cluster.run(700)
    cluster.heal()
    return somebody_leads(cluster)


@exhibited("candidate-gives-up", nobody_answers_at_first, options=Options())
class CampaignsOnce(RaftStateMachine):
    """A candidate asks once.

    A candidate whose requests are lost does not ask again. When the network is mended everybody
    waits for answers to old questions, and nobody ever leads.

    Source: E36: canonical/raft#142; M6: nim-raft master, still term 1 after 100 s; paper 5.2.
    """

    def _election_timed_out(self, **marks: bool) -> None:
        """A candidate that hears nothing waits, and does not ask again."""
        if self.role is Role.CANDIDATE and not marks:
            self._restart_election_timer()
        else:
            super()._election_timed_out(**marks)


def one_comes_and_goes(cluster: Cluster) -> bool:
    """S1 leads; S3 is cut off for a while and asks for votes when it is back, three times."""
    settle(cluster, "S1", 200)
    for _ in range(3):
        cluster.isolate("S3")
        cluster.run(200)
        cluster.heal()
        if cluster.hosts["S3"].machine.role is not Role.LEADER:
            cluster.timeout("S3")
        cluster.run(300)
    return cluster.leader == "S1" and cluster.hosts["S1"].machine.term == 1


@exhibited(
    "leader-grants-pre-votes",
    one_comes_and_goes,
    options=Options(leader_stickiness=False),
    tuning=replace(
        CALM, options=Options(leader_stickiness=False), afterwards=follower_comes_and_goes
    ),
)
class LeadersGrant(Rules):
    """The leader grants pre-votes.

    A leader promises its vote to a server that wants to replace it. One server whose link comes and
    goes collects such promises, and deposes a healthy leader each time.

    Source: E40: braft#365; DaosRaft#70; thesis 9.6.
    """

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        """A leader has nothing against pre-votes."""
        return super().leader_is_alive(
            request, options, leads and not request.is_prevote, since_leader
        )


@exhibited("needs-all-votes", second_leader, tuning=replace(CALM, afterwards=leader_dies))
class EverybodyMustVote(Rules):
    """An election needs every vote.

    A comparison that is off by one asks for one vote more than a majority. Three servers then need
    all three, and one that is down is enough to have no leader.

    Source: S2: nim-raft's tallyVote; paper 5.2.
    """

    def tally_vote(self, votes: Votes) -> ElectionResult:
        """A candidate needs all votes."""
        return won_if(sum(votes.answers.values()) == len(votes.voters))


def quiet_leader(cluster: Cluster) -> bool:
    """S1 leads, and nobody asks it for anything."""
    settle(cluster, "S1", 200)
    term = cluster.hosts["S1"].machine.term
    cluster.run(2000)
    return cluster.leader == "S1" and cluster.hosts["S1"].machine.term == term


@exhibited("no-heartbeats", quiet_leader)
class SpeaksOnlyWithEntries(RaftStateMachine):
    """No heartbeats.

    A leader that has nothing new says nothing. Whenever clients are quiet the others take it for
    dead, and elect somebody else.

    Source: S37: nim-raft's append request has exactly one entry; paper 5.2.
    """

    def _send_append(self, progress: FollowerProgress, entries: tuple[LogEntry, ...]) -> bool:
        """A message without entries is not sent."""
        return super()._send_append(progress, entries) if entries else False


@exhibited("deaf-timer", quiet_leader)
class HearsNoLeader(Rules):
    """The leader does not reset the timer.

    A server hears its leader and campaigns all the same when its time is over. The cluster holds
    elections against living leaders, and most of what clients send is refused.

    Source: S42: nim-raft, leader contact never resets the timer; paper, Figure 2, Followers.
    """

    def resets_election_timer(self, granted_vote: bool, heard_leader: bool) -> bool:
        """A node that hears its leader waits no longer for that."""
        return granted_vote
