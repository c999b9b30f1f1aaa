"""Reads under a lease: a leader that was heard of late asks nobody. Thesis: 6.4.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.messages import AppendEntries, AppendEntriesReply, ReadIndex, ReadIndexReply
from raftlab.raft.options import Options
from raftlab.raft.output import ReadReady
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from tests.raft import world as worlds
from tests.raft.members import Crowd, Members, leading, members, questions, told
from tests.raft.test_properties import times
from tests.raft.world import (
    accepted,
    accepted_by_all,
    append,
    drain,
    leader,
    let_time_out,
    machine,
    tell,
    vote,
    vote_request,
)

LEASES = Options.figure_2(leader_stickiness=True, lease_reads=True, clock_drift_bound=1.5)
LOW, BEAT = LEASES.election_timeout[0], LEASES.heartbeat_interval
LASTS = LOW / 1.5
"""How long a lease lasts (ms): 100, while followers listen to nobody else for 150."""


def ready(**about):
    """S1 leads by leases, everything is committed, and no round has been answered."""
    return accepted_by_all(leader(**{"options": LEASES, **about}))


def at(node, moment):
    """Let time pass for a leader until `moment`, heartbeat by heartbeat."""
    while node.next_deadline <= moment:
        let_time_out(node)
    node.tick(moment)
    drain(node)


def read(node):
    """Ask for a read: (what was answered at once, whom the leader asks first)."""
    node.read(node.now)
    outputs = drain(node)
    return [each.index for out in outputs.outputs for each in out.reads], questions(
        outputs.messages
    )


def answered_at_once(node):
    """Whether a read is answered without a message."""
    indexes, asked = read(node)
    assert bool(indexes) != bool(asked)
    return bool(indexes)


# While it holds


def test_a_leader_with_a_lease_answers_and_asks_nobody():
    node = ready()
    tell(node, told("S2", 1, 1, 1))
    assert [read(node) for _ in range(3)] == [([1], [])] * 3


def test_being_elected_is_no_lease():
    assert read(ready()) == ([], [("S2", 2), ("S3", 2)])


def test_every_heartbeat_asks_and_so_renews_the_lease():
    node = ready()
    rounds = [questions(let_time_out(node))[0][1] for _ in range(3)]
    assert rounds == [2, 3, 4]
    tell(node, told("S3", 1, 1, 4))
    at(node, 3 * BEAT + LASTS - 1)
    assert answered_at_once(node)


@pytest.mark.parametrize(("after", "holds"), [(LASTS - 1, True), (LASTS, False)])
def test_a_lease_counts_from_when_the_question_was_sent_and_not_from_the_answer(after, holds):
    node = ready()
    let_time_out(node)
    sent = node.now
    tell(node, told("S2", 1, 1, 2), after=40.0)
    at(node, sent + after)
    assert answered_at_once(node) is holds


@pytest.mark.parametrize("bound", [1.0, 1.25, 2.0])
def test_a_lease_is_shorter_the_more_clocks_may_differ(bound):
    options = Options.figure_2(
        leader_stickiness=True, lease_reads=True, clock_drift_bound=bound, heartbeat_interval=1e6
    )
    for early, holds in ((1.0, True), (0.0, False)):
        node = ready(options=options)
        tell(node, told("S2", 1, 1, 1))
        at(node, LOW / bound - early)
        assert answered_at_once(node) is holds


def test_without_a_lease_it_asks_and_the_answer_is_the_next_lease():
    node = ready()
    at(node, LASTS)
    indexes, asked = read(node)
    assert indexes == []
    (latest,) = {each for _, each in asked}
    node.advance(told("S3", 1, 1, latest), node.now)
    assert [each.index for each in node.poll().reads] == [1]
    assert answered_at_once(node)


def test_an_answer_to_an_old_question_makes_no_new_lease():
    node = ready()
    late = told("S2", 1, 1, 1)
    at(node, LASTS)
    tell(node, late)
    assert not answered_at_once(node)


def test_an_old_answer_does_not_take_back_a_newer_lease():
    node = ready()
    let_time_out(node)
    tell(node, told("S2", 1, 1, 2))
    tell(node, told("S3", 1, 1, 1))
    at(node, BEAT + LASTS - 1)
    assert answered_at_once(node)


def test_a_rejection_renews_it_too():
    node = ready()
    tell(node, told("S2", 1, 1, 1, agrees=False))
    assert answered_at_once(node)


def test_a_lease_needs_a_majority():
    node = ready(nodes=5)
    tell(node, told("S2", 1, 1, 1))
    assert not answered_at_once(node)
    tell(node, told("S4", 1, 1, 1))
    assert answered_at_once(node)


def test_learners_make_no_lease():
    node = leading(members("S1 S2 S3", learners="S4 S5"), options=LEASES)
    accepted_by_all(node)
    for peer in ("S4", "S5"):
        tell(node, told(peer, 1, 1, 1))
    assert not answered_at_once(node)


def test_while_joint_a_lease_needs_both_majorities():
    node = ready()
    node.add_entry(members("S3 S4 S5"))
    let_time_out(node)
    tell(node, told("S2", 1, 1, 2))
    assert not answered_at_once(node)
    tell(node, told("S4", 1, 1, 2))
    tell(node, told("S3", 1, 1, 2))
    assert answered_at_once(node)


def test_no_lease_answers_before_an_entry_of_the_own_term_is_committed():
    node = leader(terms=(1,), options=LEASES)
    tell(node, told("S2", 2, 1, 1))
    assert read(node) == ([], [])
    node.advance(accepted("S2", 2, 2), node.now)
    assert [each.index for each in node.poll().reads] == [2]


def test_the_only_voter_needs_no_lease():
    node = machine(nodes=1, options=LEASES)
    let_time_out(node)
    assert read(node) == ([1], [])


def test_a_follower_s_question_is_answered_at_once_under_a_lease():
    node = ready()
    tell(node, told("S2", 1, 1, 1))
    said = tell(node, ReadIndex(term=1, sender="S3", receiver="S1", read_id=9, asked_at=1.0))
    assert (
        ReadIndexReply(term=1, sender="S1", receiver="S3", read_id=9, asked_at=1.0, index=1) in said
    )


def test_without_the_option_every_read_asks():
    node = ready(options=Options.figure_2(leader_stickiness=True))
    read(node)
    tell(node, told("S2", 1, 1, 1))
    assert read(node) == ([], [("S2", 2), ("S3", 2)])


def test_questions_that_nobody_answers_are_not_kept_for_ever():
    node = ready()
    at(node, 1000 * BEAT)
    assert len(node._reads.asked_at) <= LOW / BEAT + 1
    newest = questions(let_time_out(node))[0][1]
    tell(node, told("S2", 1, 1, newest))
    assert answered_at_once(node)


def test_a_lease_is_judged_by_the_time_that_the_host_has_told():
    node = ready()
    tell(node, told("S2", 1, 1, 1))
    assert answered_at_once(node), "whatever the time is by now"
    node.tick(LASTS)
    drain(node)
    assert not answered_at_once(node)


# When it ends


def test_a_lease_ends_when_leadership_is_handed_over_and_never_comes_back_in_that_term():
    """H17: the successor need not wait until the others have not heard a leader."""
    node = ready()
    tell(node, told("S2", 1, 1, 1))
    node.transfer_leadership("S3")
    drain(node)
    assert not answered_at_once(node)
    given_up = node.now + LEASES.transfer_timeout
    at(node, given_up)
    assert node._transfer is None
    newest = questions(let_time_out(node))[0][1]
    tell(node, told("S2", 1, 1, newest))
    assert not answered_at_once(node), "a TimeoutNow may still be under way"


def test_a_lease_comes_back_in_a_later_term():
    node = ready()
    node.transfer_leadership("S3")
    drain(node)
    tell(node, append("S3", 2, (1, 1)))
    node.campaign(node.now, force=True)
    tell(node, vote("S2", 3))
    accepted_by_all(node)
    tell(node, told("S2", 3, 2, 1))
    assert answered_at_once(node)


def test_a_leader_that_hands_over_before_its_successor_has_everything_has_no_lease_either():
    node = ready()
    tell(node, told("S2", 1, 1, 1))
    worlds.propose(node)
    node.transfer_leadership("S3")
    assert drain(node).messages == [], "S3 lacks the command"
    assert not answered_at_once(node)


def test_a_leader_that_is_cut_off_loses_its_lease_before_anyone_listens_to_another():
    """H14, by the clock: each moment is either the old leader's or nobody's."""
    with Members("S1 S2 S3", options=LEASES) as world:
        world.elect("S1")
        world.heartbeat("S1")
        begun = world.now
        for ms in range(0, 200, 10):
            world.now = begun + ms
            world["S1"].tick(world.now)
            before = len(world.reads["S1"])
            world.read("S1")
            reads_by_lease = len(world.reads["S1"]) > before
            world.flying.clear()
            tried = world["S3"].copy()
            tried.advance(vote_request("S2", 9, (9, 8), to="S3"), world.now)
            listens = any(getattr(each, "vote_granted", False) for each in tried.poll().messages)
            assert reads_by_lease is (ms < LASTS)
            assert listens is (ms >= LOW)


class ForgetsAtOnce(Rules):
    """A node that votes as soon as it is back, as if no lease counted on it."""

    def waits_after_start(self, options):
        return False


def restarted_voter(rules):
    """S1 leads and S2 has just renewed its lease; S2 restarts, and S3 asks it for its vote."""
    world = Members("S1 S2 S3", options=LEASES, rules=rules)
    world.elect("S1")
    world.wait(LOW)
    world["S1"].tick(world.now)
    world.pump("S1")
    world.lose(AppendEntries, "S1", "S3")
    world.deliver(AppendEntries, "S1", "S2")
    world.deliver(AppendEntriesReply, "S2", "S1")
    world.crash("S2")
    world.restart("S2")
    world.timeout("S3")
    world.settle("S2", "S3")
    return world


def test_a_voter_that_has_restarted_listens_to_no_candidate_for_a_minimum_timeout():
    world = restarted_voter(worlds.RULES())
    assert world["S3"].role is Role.CANDIDATE
    node = machine(options=LEASES, now=1000.0)
    before = node.term
    assert tell(node, vote_request("S2", 9, (9, 8)), after=LOW - 1) == []
    assert (node.term, node.voted_for) == (before, None)
    (refused,) = tell(node, vote_request("S2", 9, (9, 8), is_prevote=True))
    assert not refused.vote_granted
    assert tell(node, vote_request("S2", 9, (9, 8)), after=1.0) == [vote("S1", 9, to="S2")]


def test_a_voter_that_forgot_at_once_would_let_an_old_leader_read_the_past():
    world = restarted_voter(ForgetsAtOnce())
    assert world["S3"].role is Role.LEADER
    world.propose("S3", "x=2")
    world.settle("S2", "S3")
    assert world["S3"].commit_index == 3
    read_id = world.read("S1")
    assert world.reads["S1"] == [ReadReady(read_id, 1)], "S1 knows nothing of x=2"


def test_a_voter_that_has_restarted_listens_to_one_whom_the_leader_sent():
    node = machine(options=LEASES)
    assert tell(node, vote_request("S2", 9, (9, 8), force=True)) == [vote("S1", 9, to="S2")]


def test_without_leases_a_voter_that_has_restarted_listens_at_once():
    node = machine(options=Options.figure_2(leader_stickiness=True))
    assert tell(node, vote_request("S2", 9, (9, 8))) == [vote("S1", 9, to="S2")]


def test_nobody_forgets_a_leader_that_counts_on_its_lease():
    node = machine(options=LEASES)
    tell(node, append("S2", 1))
    before = node.fingerprint()
    with pytest.raises(Misuse, match="S1 may not forget its leader: lease_reads counts on it"):
        node.forget_leader()
    assert node.fingerprint() == before


def test_leases_need_voters_that_stick_to_their_leader():
    with pytest.raises(Misuse, match="lease_reads needs leader_stickiness"):
        Options(lease_reads=True, leader_stickiness=False)


@pytest.mark.parametrize("bound", [0.9, 0, -1.1, float("nan"), float("inf"), "1.1", None])
def test_a_clock_is_never_taken_to_be_faster_than_the_fastest(bound):
    with pytest.raises(Misuse, match="clock_drift_bound must be 1 or more"):
        Options(clock_drift_bound=bound)


# Whatever happens

PLAIN = Options.figure_2(leader_stickiness=True, lease_reads=True, clock_drift_bound=1.0)

OPTIONS = [
    PLAIN,
    Options(lease_reads=True, clock_drift_bound=1.0),
    Options(lease_reads=True, single_server_changes=True, catch_up_first=False),
    Options(lease_reads=True, async_persistence=True, catch_up_first=False),
]

READERS = {"a_leader_is_cut_off": 2, "hands_over": 2, "changes": 1}
"""What happens in these crowds more often, or less, than in others."""


@times(40)
@given(st.integers(1, 5), st.integers(0, 10**6), st.sampled_from(OPTIONS))
def test_no_lease_shows_the_past_while_all_clocks_go_alike(size, seed, options):
    crowd = Crowd(size, seed, options, clocks=True, **READERS)
    for _ in range(300):
        crowd.happen()
    crowd.heal()


# A promise is kept in any term

LATER = Options(lease_reads=True)
"""All protections, and leases."""


class ForgetsItsPromise(Rules):
    """A node that enters a later term by any message but a vote request is free to vote."""

    def keeps_promise(self, voted_for, options):
        return False


def heard_of_a_later_term(rules=None):
    """S1 has just heard its leader S2, and then of term 2, in the refusal of a pre-vote."""
    node = machine(options=LATER, rules=rules)
    tell(node, append("S2", 1), after=LOW)
    tell(node, vote("S3", 2, to="S1", granted=False, is_prevote=True), after=6)
    assert (node.term, node.voted_for, node.leader) == (2, None, None)
    return node


def test_a_voter_keeps_its_promise_in_a_term_that_it_heard_of_by_the_way():
    node = heard_of_a_later_term()
    assert tell(node, vote_request("S3", 2, (9, 1))) == [vote("S1", 2, to="S3", granted=False)]
    assert node.voted_for is None
    assert tell(node, vote_request("S3", 2, (9, 1)), after=LOW - 6) == [vote("S1", 2, to="S3")]


def test_a_candidate_that_its_leader_has_sent_is_no_breach_of_the_promise():
    node = heard_of_a_later_term()
    sent = vote_request("S3", 2, (9, 1), force=True)
    assert tell(node, sent) == [vote("S1", 2, to="S3")]


def test_if_the_promise_were_forgotten_two_could_lead_while_a_lease_holds():
    node = heard_of_a_later_term(ForgetsItsPromise())
    assert tell(node, vote_request("S3", 2, (9, 1))) == [vote("S1", 2, to="S3")]


def test_without_leases_nobody_has_promised_anything():
    node = machine(options=worlds.COMPLETE)
    tell(node, append("S2", 1), after=LOW)
    tell(node, vote("S3", 2, to="S1", granted=False, is_prevote=True), after=6)
    assert tell(node, vote_request("S3", 2, (9, 1))) == [vote("S1", 2, to="S3")]


def test_a_lease_is_not_judged_without_the_time():
    node = machine(options=Options(lease_reads=True))
    with pytest.raises(Misuse, match=r"lease_reads needs read\(now\)"):
        node.read()
