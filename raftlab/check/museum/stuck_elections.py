"""Exhibits: clusters without a leader, or with one after another."""

# ruff: noqa: D102 - the class says what its override gets wrong

import random
from collections.abc import Sequence

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import CALM, NobodySticks, lead_and_settle, machine_of, won_if
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
from raftlab.sim.world.settings import Network


class EqualTimeouts(Rules):
    """Everybody waits equally long."""

    def election_timeout(self, options: Options, rng: random.Random) -> Millis:
        return options.election_timeout[0]


class AnythingResets(Rules):
    """Whatever arrives makes a node wait anew, even a request that it refuses."""

    def resets_election_timer(self, granted_vote: bool, heard_leader: bool) -> bool:
        return True


class NeverStepsDown(Rules):
    """A leader leads until it hears of another one."""

    def keeps_leading(
        self, heard: Sequence[NodeId], configuration: Configuration, options: Options
    ) -> bool:
        return True


class KeepsItsVote(RaftStateMachine):
    """A new term does not give the vote back."""

    __slots__ = ()

    def _set_term(self, term: Term) -> None:
        vote = self.voted_for
        super()._set_term(term)
        self.voted_for = vote


class PromisesInItsOwnTerm(RaftStateMachine):
    """A pre-vote is granted under the voter's own term, not the one that was asked for."""

    __slots__ = ()

    def _send(self, message: Message) -> None:
        if isinstance(message, RequestVoteReply) and message.is_prevote:
            message = replace(message, term=self.term)
        super()._send(message)


class SilentToThePast(RaftStateMachine):
    """A message of a lower term gets no answer."""

    __slots__ = ()

    def advance(self, message: Message, now: Millis) -> None:
        if message.term >= self.term:
            super().advance(message, now)


def somebody_leads(cluster: Cluster) -> bool:
    """Three nodes start together."""
    return cluster.run_until(lambda each: each.leader is not None, 6000)


def only_one_can_win(cluster: Cluster) -> bool:
    """S1 dies; S2 has all entries; S3 has not, and asks again every 100 ms."""
    lead_and_settle(cluster, "S1")
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


def cut_off_leader(cluster: Cluster) -> bool:
    """S1 leads and reaches nobody."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.run(1000)
    return machine_of(cluster, "S1").role is not Role.LEADER


def one_is_deaf(cluster: Cluster) -> bool:
    """S3 does not hear S1, which leads; everybody hears S3."""
    lead_and_settle(cluster, "S1")
    cluster.cut("S1", "S3", both_ways=False)
    cluster.run(3000)
    return cluster.leader == "S1"


def second_leader(cluster: Cluster) -> bool:
    """S1 leads and dies."""
    lead_and_settle(cluster, "S1")
    cluster.crash("S1")
    return somebody_leads(cluster)


def too_high_a_term(cluster: Cluster) -> bool:
    """S3 campaigns alone until its term is high, and comes back."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.run(2000)
    cluster.heal()
    return cluster.run_until(lambda each: machine_of(each, "S3").leader is not None, 2000)


class CampaignsOnce(RaftStateMachine):
    """A candidate that hears nothing waits, and does not ask again."""

    __slots__ = ()

    def _election_timed_out(self, **marks: bool) -> None:
        if self.role is Role.CANDIDATE and not marks:
            self._restart_election_timer()
        else:
            super()._election_timed_out(**marks)


class LeadersGrant(Rules):
    """A leader has nothing against pre-votes."""

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        return super().leader_is_alive(
            request, options, leads and not request.is_prevote, since_leader
        )


class EverybodyMustVote(Rules):
    """A candidate needs all votes."""

    def tally_vote(self, votes: Votes) -> ElectionResult:
        return won_if(sum(votes.answers.values()) == len(votes.voters))


class SpeaksOnlyWithEntries(RaftStateMachine):
    """A message without entries is not sent."""

    __slots__ = ()

    def _send_append(self, progress: FollowerProgress, entries: tuple[LogEntry, ...]) -> bool:
        return super()._send_append(progress, entries) if entries else False


class HearsNoLeader(Rules):
    """A node that hears its leader waits no longer for that."""

    def resets_election_timer(self, granted_vote: bool, heard_leader: bool) -> bool:
        return granted_vote


def some_links_are_down(cluster: Cluster) -> bool:
    """S1 leads and reaches S2 and S3; S4 reaches only S2, and S5 only S3."""
    lead_and_settle(cluster, "S1")
    for one, other in (("S1", "S4"), ("S1", "S5"), ("S2", "S5"), ("S3", "S4"), ("S4", "S5")):
        cluster.cut(one, other)
    cluster.run(3000)
    return cluster.leader == "S1" and machine_of(cluster, "S1").term == 1


def one_comes_and_goes(cluster: Cluster) -> bool:
    """S1 leads; S3 is cut off for a while and asks for votes when it is back, three times."""
    lead_and_settle(cluster, "S1")
    for _ in range(3):
        cluster.isolate("S3")
        cluster.run(200)
        cluster.heal()
        if machine_of(cluster, "S3").role is not Role.LEADER:
            cluster.timeout("S3")
        cluster.run(300)
    return cluster.leader == "S1" and machine_of(cluster, "S1").term == 1


def nobody_answers_at_first(cluster: Cluster) -> bool:
    """No two nodes reach each other for a while."""
    cluster.partition("S1", "S2", "S3")
    cluster.run(700)
    cluster.heal()
    return somebody_leads(cluster)


def quiet_leader(cluster: Cluster) -> bool:
    """S1 leads, and nobody asks it for anything."""
    lead_and_settle(cluster, "S1")
    term = machine_of(cluster, "S1").term
    cluster.run(2000)
    return cluster.leader == "S1" and machine_of(cluster, "S1").term == term


NOBODY_STICKS = Options(leader_stickiness=False)

EXHIBITS = (
    Exhibit(
        name="equal-timeouts",
        title="everybody waits equally long",
        source="H27: hashicorp/raft cda1ee8; S7, F9: nim-raft; paper 9.3",
        wrong={"rules": EqualTimeouts()},
        run=somebody_leads,
        given={"network": Network(latency=(10.0, 10.0))},
        story=(
            "All servers wait equally long before they campaign. They ask at the same moment,"
            " split the vote, and do so again, and the cluster never has a leader."
        ),
    ),
    Exhibit(
        name="anything-resets-timer",
        title="anything resets the timer",
        source=(
            "H28: the students' guide to Raft; hashicorp/raft 42d3446; paper, Figure 2, Followers"
        ),
        wrong={"rules": AnythingResets()},
        run=only_one_can_win,
        campaign={**CALM, "options": Options.figure_2(), "afterwards": "one_behind_keeps_asking"},
        story=(
            "Any message makes a server wait anew, even a request that it refuses. A server "
            "that cannot win keeps asking and so keeps from campaigning the only one that "
            "can."
        ),
    ),
    Exhibit(
        name="leads-alone",
        title="a leader that nobody hears goes on",
        source=(
            "H21: an outage of etcd at Cloudflare in 2020; M8, F10: nim-raft, 600 s; thesis 6.2"
        ),
        wrong={"rules": NeverStepsDown()},
        run=cut_off_leader,
        given={"options": Options()},
        campaign={**CALM, "afterwards": "leader_is_cut_off"},
        story=(
            "A leader does not mind that nobody answers. Clients that are connected to it "
            "wait for ever, although the rest of the cluster could serve them."
        ),
    ),
    Exhibit(
        name="nobody-sticks",
        title="nobody sticks to the leader",
        source="H20: thesis 4.2.3; LogCabin#210; F8: nim-raft",
        wrong={"rules": NobodySticks()},
        run=one_is_deaf,
        given={"options": Options()},
        story=(
            "A server that hears a leader still helps a candidate to depose it. One server "
            "with a broken link makes the cluster elect again and again."
        ),
    ),
    Exhibit(
        name="votes-once",
        title="a vote is never given back",
        source="S41: nim-raft, a node votes once in its life; paper 5.1",
        wrong={"machine": KeepsItsVote},
        run=second_leader,
        story=(
            "A vote is not cleared when a new term begins. Each server votes once in its "
            "life, and when that leader dies there is no other."
        ),
    ),
    Exhibit(
        name="pre-vote-own-term",
        title="pre-votes are granted in the voter's term",
        source="E1: etcd#8243; S39: nim-raft; thesis 9.6",
        wrong={"machine": PromisesInItsOwnTerm},
        run=somebody_leads,
        given={"options": Options()},
        story=(
            "A promise to vote is sent under the voter's own term and not under the one that "
            "was asked for. The candidate takes it for an old message, and nobody is ever "
            "elected."
        ),
    ),
    Exhibit(
        name="silent-to-the-past",
        title="lower terms get no answer",
        source="E3: etcd#8334; paper 5.1",
        wrong={"machine": SilentToThePast},
        run=too_high_a_term,
        given={"options": Options(pre_vote=False)},
        story=(
            "A server that has reached a high term ignores messages of lower ones and says "
            "nothing. The leader never learns of that term, and this server stays outside for"
            " ever."
        ),
    ),
    Exhibit(
        name="partial-partition",
        title="a partial partition deposes leaders",
        source=(
            "H21: Howard and Abraham, Raft does not guarantee liveness in the face of network"
            " faults, 2020; thesis 9.6"
        ),
        wrong={"options": Options(pre_vote=False, leader_stickiness=False)},
        run=some_links_are_down,
        nodes=5,
        given={"options": Options()},
        campaign={**CALM, "afterwards": "follower_is_deaf"},
        story=(
            "Neither a pre-vote nor a living leader keeps anybody from calling an election. "
            "Where some links are down and a majority is still connected, those who do not "
            "hear the leader depose it again and again."
        ),
    ),
    Exhibit(
        name="candidate-gives-up",
        title="a candidate asks once",
        source=(
            "E36: canonical/raft#142; M6: nim-raft master, still term 1 after 100 s; paper 5.2"
        ),
        wrong={"machine": CampaignsOnce},
        run=nobody_answers_at_first,
        given={"options": Options()},
        story=(
            "A candidate whose requests are lost does not ask again. When the network is "
            "mended everybody waits for answers to old questions, and nobody ever leads."
        ),
    ),
    Exhibit(
        name="leader-grants-pre-votes",
        title="the leader grants pre-votes",
        source="E40: braft#365; DaosRaft#70; thesis 9.6",
        wrong={"rules": LeadersGrant()},
        run=one_comes_and_goes,
        given={"options": NOBODY_STICKS},
        campaign={**CALM, "options": NOBODY_STICKS, "afterwards": "follower_comes_and_goes"},
        story=(
            "A leader promises its vote to a server that wants to replace it. "
            "One server whose link comes and goes collects such promises, and deposes a "
            "healthy leader each time."
        ),
    ),
    Exhibit(
        name="needs-all-votes",
        title="an election needs every vote",
        source="S2: nim-raft's tallyVote; paper 5.2",
        wrong={"rules": EverybodyMustVote()},
        run=second_leader,
        campaign={**CALM, "afterwards": "leader_dies"},
        story=(
            "A comparison that is off by one asks for one vote more than a majority. Three "
            "servers then need all three, and one that is down is enough to have no leader."
        ),
    ),
    Exhibit(
        name="no-heartbeats",
        title="no heartbeats",
        source="S37: nim-raft's append request has exactly one entry; paper 5.2",
        wrong={"machine": SpeaksOnlyWithEntries},
        run=quiet_leader,
        story=(
            "A leader that has nothing new says nothing. Whenever clients are quiet the "
            "others take it for dead, and elect somebody else."
        ),
    ),
    Exhibit(
        name="deaf-timer",
        title="the leader does not reset the timer",
        source="S42: nim-raft, leader contact never resets the timer; paper, Figure 2, Followers",
        wrong={"rules": HearsNoLeader()},
        run=quiet_leader,
        story=(
            "A server hears its leader and campaigns all the same when its time is over. The "
            "cluster holds elections against living leaders, and most of what clients send is"
            " refused."
        ),
    ),
)
