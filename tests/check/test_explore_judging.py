"""What a search judges: all that is watched, by the same functions, with the same words."""

import pytest

from raftlab import Cluster, Options, RaftStateMachine, Role, Rules, Violation
from raftlab.check.explore import Scope, explore
from raftlab.museum import exhibit
from raftlab.museum.searched import searched
from raftlab.raft.messages import AppendEntriesReply
from raftlab.sim.watch.properties import PROPERTIES
from raftlab.sim.world.actions import Compact, Deliver, Drop, Reconfigure
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.settings import Disks
from tests.check.test_explore import plain
from tests.sim.toy_machine import ToyMachine

SMALL = Scope(terms=1, entries=1, in_flight=4)


def test_all_that_is_watched_is_judged():
    found = explore(3, Scope(terms=1, entries=0, in_flight=2))
    assert found.judged == tuple(each.name for each in PROPERTIES)
    assert str(found).startswith("nothing was found of what was judged, and all of the scope")


class VotesTwice(Rules):
    def has_vote_left(self, request, term, voted_for, leader):
        return True


class OldVotesToo(Rules):
    """A vote is given in a term that is over, as if it had not been given."""

    def is_stale_term(self, message_term, term):
        return False

    def has_vote_left(self, request, term, voted_for, leader):
        return request.term < term or super().has_vote_left(request, term, voted_for, leader)


class CommitsItsLast(Rules):
    def follower_commit_index(self, leader_commit, verified, log, commit_index):
        return log.last_index


class HearsOfNothing(RaftStateMachine):
    """A follower commits what nobody has committed."""

    def _on_append_entries(self, request):
        super()._on_append_entries(request)
        self.commit_index = self.log.last_index


class GoesBack(RaftStateMachine):
    """A follower that hears a heartbeat forgets what is committed."""

    def _on_append_entries(self, request):
        super()._on_append_entries(request)
        if not request.entries:
            self.commit_index = 0


class TakesItsVoteBack(RaftStateMachine):
    """A follower that hears its leader forgets for whom it voted, on its disk too."""

    def _on_append_entries(self, request):
        super()._on_append_entries(request)
        self.voted_for, self._hard_state_changed = None, True


class PastTheEnd(RaftStateMachine):
    """A leader's commit index is one too far."""

    def _maybe_commit(self, tracker, index):
        super()._maybe_commit(tracker, index)
        if self.commit_index:
            self.commit_index = self.log.last_index + 1


class ChangesAtOnce(Rules):
    def change_is_pending(self, configuration, configuration_index, commit_index):
        return False

    def leaves_joint(self, configuration, configuration_index, commit_index):
        return False


class OtherSnapshots(RaftStateMachine):
    """S2's snapshots are of nothing at all."""

    def compact(self, up_to, data=b""):
        super().compact(up_to, KeyValue().encode() if self.node_id == "S2" else data)


class AppliesTwice(RaftStateMachine):
    """What is committed is handed out again and again."""

    def _take_committed(self):
        committed = self.log.entries(1, self.commit_index + 1)
        self._committed_out = self.commit_index
        return committed


CHANGES = (Reconfigure(0, "S1", ("S1", "S2")), Reconfigure(0, "S1", ("S1", "S3")))
WRONG = {
    "One Vote Per Term": ({"rules": VotesTwice}, Scope(terms=1, entries=0, in_flight=4)),
    "Commit Follows Leader": ({"machine": HearsOfNothing}, SMALL),
    "Committed Stays": ({"machine": GoesBack}, Scope(1, 2, 3, heartbeats=1)),
    "State Machine Safety": ({"machine": PastTheEnd}, SMALL),
    "One Change At A Time": ({"rules": ChangesAtOnce}, Scope(1, 3, 4, actions=CHANGES)),
    "Snapshots Are True": (
        {"machine": OtherSnapshots},
        Scope(1, 2, 3, heartbeats=1, actions=(Compact(0, "S1", 2), Compact(0, "S2", 2))),
    ),
    "Applied In Order": ({"machine": AppliesTwice}, Scope(1, 2, 4)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_search_finds_what_the_watch_sees_and_calls_it_the_same(name):
    given, scope = WRONG[name]
    found = explore(plain(**given), scope)
    assert found.violation is not None and found.violation[0] == name
    with pytest.raises(Violation, match=name):
        found.recording.replay()
    assert name in str(found) and "falls first" not in str(found)


QUICK = (
    "term-falls",
    "index-for-term",
    "sent-is-received",
    "term-not-saved",
    "log-not-saved",
    "compacts-uncommitted",
    "votes-again",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_search_meets_in_a_mistake_of_the_museum_what_it_is_there_for(name):
    shown = exhibit(name)
    found = searched(shown)
    assert found.violation is not None and found.violation[0] == shown.breaks.name
    assert found.run.violation.name == shown.breaks.name


def test_a_machine_that_votes_twice_is_found_though_nobody_is_elected_twice():
    found = explore(plain(rules=VotesTwice), Scope(terms=1, entries=0, in_flight=4))
    leaders = [each for each in found.run.frame().nodes if each.role is Role.LEADER]
    assert len(leaders) < 2 and found.violation[0] == "One Vote Per Term"


def test_a_vote_that_is_taken_back_is_found_though_nobody_votes_again():
    found = explore(plain(machine=TakesItsVoteBack), SMALL)
    assert found.violation == (
        "One Vote Per Term",
        "S2 had voted for S1, and now has for nobody, in term 1",
    )
    assert found.run.violation.text == found.violation[1]


def test_a_vote_in_a_term_that_is_over_is_remembered_for_a_machine_that_gives_one():
    found = explore(plain(rules=OldVotesToo), Scope(terms=2, entries=0, in_flight=4))
    assert found.violation is not None and found.violation[0] == "One Vote Per Term"
    with pytest.raises(Violation, match="One Vote Per Term"):
        found.recording.replay()
    scope = Scope(terms=2, entries=0, in_flight=4, depth=found.events)
    graph = explore(plain(rules=OldVotesToo), scope, states=1).graph(limit=50_000)
    assert "One Vote Per Term" in {broken for _, broken in graph.nodes(data="broken")}


def test_what_nobody_remembers_tells_no_states_apart():
    """A vote is on a disk, and so is a term; the past needs no more than leaders and commits."""
    found = explore(3, Scope(terms=2, entries=1, in_flight=3))
    assert not any(past.is_odd for past in found._world.pasts)
    toy = explore(plain(machine=ToyMachine), Scope(terms=2, entries=1, in_flight=3))
    assert not any(past.is_odd for past in toy._world.pasts)


class CountsOldAnswers(RaftStateMachine):
    """A leader counts acknowledgements that were for an earlier reign of its own."""

    __slots__ = ()

    def _answer_stale_term(self, message):
        if isinstance(message, AppendEntriesReply):
            self._handle(message)
        else:
            super()._answer_stale_term(message)


def hand_over(cluster: Cluster, sender: str, receiver: str, place: int = -1) -> None:
    """A message on this link arrives: the one that was sent last, if no other is named."""
    keys = [each.key for each in cluster.in_flight() if each.key[:2] == (sender, receiver)]
    cluster.apply(Deliver(cluster.now, *keys[place]))


def reigned(machine: type[RaftStateMachine]) -> Cluster:
    """S2's acknowledgement of S1's entry 1 is late; it holds another one since, of S3."""
    given = {"options": Options.figure_2(), "disks": Disks(write_ms=0.0), "machine": machine}
    cluster = Cluster(5, **given)
    for leader, voters in (("S1", ("S2", "S3")), ("S3", ("S4", "S5"))):
        cluster.timeout(leader)
        for voter in voters:
            hand_over(cluster, leader, voter)
            hand_over(cluster, voter, leader)
        if leader == "S1":
            hand_over(cluster, "S1", "S2")
    late = next(each for each in cluster.in_flight() if each.key[:2] == ("S2", "S1"))
    hand_over(cluster, "S3", "S2")
    hand_over(cluster, "S3", "S1", 0)  # a RequestVote, of which S1 learns the term
    for flight in cluster.in_flight():
        if flight is not late:
            cluster.apply(Drop(cluster.now, *flight.key))
    return cluster


def test_an_acknowledgement_of_an_earlier_reign_counted_in_a_later_one_is_found():
    scope = Scope(terms=3, entries=0, in_flight=7, depth=6)
    found = explore(reigned(CountsOldAnswers), scope)
    assert found.violation is not None and found.violation[0] == "Match Is True"
    assert found.events == 6
    with pytest.raises(Violation, match="Match Is True"):
        found.recording.replay()
    right = explore(reigned(RaftStateMachine), scope)
    assert (right.violation, right.is_complete) == (None, True)
