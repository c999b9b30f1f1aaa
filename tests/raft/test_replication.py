"""AppendEntries from both ends: check, cut, append, acknowledge; hear back, commit, go on."""

import pytest

from raftlab.raft.log import Command, Snapshot
from raftlab.raft.messages import (
    InstallSnapshot,
    InstallSnapshotReply,
    Rejected,
    TimeoutNow,
)
from raftlab.raft.options import Options
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Cause, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import (
    FIGURE_2,
    accepted,
    accepted_by_all,
    after,
    append,
    append_of,
    drain,
    entries,
    entry,
    in_flight,
    known,
    leader,
    let_time_out,
    log,
    machine,
    propose,
    rejected,
    snapshot,
    tell,
    terms_of,
    vote_request,
)

# Followers: the consistency check


def test_entries_that_follow_the_log_are_appended_and_acknowledged():
    node = machine(terms=(1, 1))
    assert tell(node, append("S2", 2, (2, 1), (2, 2))) == [accepted("S1", 2, 4, to="S2")]
    assert node.log == log(1, 1, 2, 2)
    assert node.leader == "S2"


@pytest.mark.parametrize(("prev", "hint"), [((5, 4), (2, 1)), ((3, 2), (2, 1)), ((2, 2), (2, 1))])
def test_entries_that_do_not_fit_are_rejected_with_a_hint_and_change_nothing(prev, hint):
    node = machine(terms=(1, 1), term=4)
    said = tell(node, append("S2", 4, prev, (4, 4), commit=9))
    assert said == [rejected("S1", 4, at=prev[0], last=2, hint=hint, to="S2")]
    assert (node.log, node.commit_index) == (log(1, 1), 0)


def test_an_empty_log_rejects_anything_but_the_first_entry():
    node = machine(term=4)
    said = tell(node, append("S2", 4, (6, 4), (4,)))
    assert said == [rejected("S1", 4, at=6, last=0, hint=(0, 0), to="S2")]
    assert tell(node, append("S2", 4, (0, 0), (4,))) == [accepted("S1", 4, 1, to="S2")]


def test_a_rejected_append_is_heard_as_the_leader_all_the_same():
    node = machine(term=4)
    tell(node, append("S2", 4, (6, 4)), after=100.0)
    assert node.leader == "S2"
    assert node.election_deadline == 100.0 + node._randomized_election_timeout


# Followers: cutting


def test_a_conflicting_tail_is_cut_and_replaced():
    node = machine(terms=(1, 1, 2, 2, 2))
    assert tell(node, append("S2", 3, (2, 1), (3,))) == [accepted("S1", 3, 3, to="S2")]
    assert node.log == log(1, 1, 3)


def test_a_late_shorter_append_cuts_nothing_and_is_acknowledged_as_far_as_it_goes():
    node = machine(terms=(1, 1))
    tell(node, append("S2", 1, (0, 0), (1, 1, 1, 1)))
    assert tell(node, append("S2", 1, (0, 0), (1, 1))) == [accepted("S1", 1, 2, to="S2")]
    assert node.log == log(1, 1, 1, 1)


def test_a_heartbeat_cuts_nothing_and_vouches_only_for_what_it_names():
    node = machine(terms=(1, 1, 1))
    assert tell(node, append("S2", 1, (1, 1), commit=3)) == [
        accepted("S1", 1, 1, commit=1, to="S2")
    ]
    assert node.log == log(1, 1, 1)


def test_the_same_append_twice_is_acknowledged_twice_and_appended_once():
    node = machine(terms=(1,))
    twice = append("S2", 2, (1, 1), (2, 2))
    assert tell(node, twice) == tell(node, twice) == [accepted("S1", 2, 3, to="S2")]
    assert node.log == log(1, 2, 2)


def test_the_conflict_is_cut_and_not_what_agrees_before_it():
    node = machine(terms=(1, 1, 2, 2))
    kept = node.log[2]
    tell(node, append("S2", 3, (0, 0), (1, 1, 2, 3)))
    assert node.log == log(1, 1, 2, 3)
    assert node.log[2] is kept


# Followers: committing


@pytest.mark.parametrize(("leader_commit", "commit"), [(0, 0), (2, 2), (3, 3), (9, 3)])
def test_a_follower_commits_what_its_leader_has_committed_as_far_as_it_is_verified(
    leader_commit, commit
):
    node = machine(terms=(1,))
    said = tell(node, append("S2", 1, (1, 1), (1, 1), commit=leader_commit))
    assert node.commit_index == commit
    assert said == [accepted("S1", 1, 3, commit=commit, to="S2")]


def test_a_stale_tail_beyond_the_verified_index_is_never_committed():
    node = machine(terms=(1, 1, 1, 1))
    tell(node, append("S2", 2, (1, 1), (), commit=4))
    assert node.commit_index == 1


def test_a_commit_index_never_goes_back():
    node = machine(terms=(1, 1, 1))
    tell(node, append("S2", 1, (3, 1), commit=3))
    tell(node, append("S2", 1, (3, 1), commit=1))
    assert node.commit_index == 3


def test_committed_entries_are_handed_out_once_and_in_order():
    node = machine(terms=(1, 1))
    node.advance(append("S2", 1, (2, 1), (1,), commit=1), 0.0)
    first = drain(node)
    node.advance(append("S2", 1, (3, 1), (), commit=3), 0.0)
    second = drain(node)
    assert first.committed == [entry(1, 1)]
    assert second.committed == [entry(2, 1), entry(3, 1)]
    assert drain(node).committed == []


# Followers: what should be impossible


def test_a_second_leader_of_the_same_term_raises_an_alarm_and_is_followed():
    node = machine(term=3)
    tell(node, append("S2", 3))
    node.advance(append("S3", 3), 1.0)
    output = node.poll()
    assert len(output.alarms) == 1
    assert "S3 claims to lead the same term as S2" in output.alarms[0]
    assert node.leader == "S3"


def test_a_leader_that_hears_another_of_its_term_raises_an_alarm_and_leads_on():
    node = leader(term=3)
    node.advance(append("S2", 4, (0, 0), (4,)), node.now)
    output = node.poll()
    assert output.messages == ()
    assert "S2 claims to lead the same term" in output.alarms[0]
    assert (node.role, terms_of(node)) == (Role.LEADER, [4])


def test_a_committed_entry_is_never_cut_whatever_the_leader_says():
    node = machine(terms=(1, 1, 1), commit_index=2)
    drain(node)
    node.advance(append("S2", 2, (1, 1), (2, 2), commit=3), 0.0)
    output = node.poll()
    assert output.messages == ()
    assert "contradicts the committed entry 2" in output.alarms[0]
    assert (node.log, node.commit_index) == (log(1, 1, 1), 2)


@pytest.mark.parametrize(
    "held",
    [
        entries(2, start=5),
        entries(2, 2, start=3)[::-1],
        (entry(3, 2), entry(3, 2)),
        entries(2, 1, start=3),
        entries(9, start=3),
        (entry(2, 2),),
    ],
    ids=["hole", "backwards", "twice", "falling terms", "a term to come", "not after prev"],
)
def test_entries_that_no_leader_can_have_raise_an_alarm_and_are_left_alone(held):
    node = machine(terms=(1, 1), term=2)
    node.advance(
        append_of("S2", 2, (2, 1), *held),
        0.0,
    )
    output = node.poll()
    assert output.messages == ()
    assert "entries that no leader can have" in output.alarms[0]
    assert node.log == log(1, 1)


def test_nobody_ever_led_term_0_and_so_no_entry_is_of_it():
    node = machine()
    node.advance(
        append_of("S2", 0, (0, 0), entry(1, 0)),
        0.0,
    )
    assert node.poll().alarms
    assert len(node.log) == 0


def test_terms_that_fall_from_prev_to_the_entries_are_not_taken():
    node = machine(terms=(1, 2), term=2)
    node.advance(
        append_of("S2", 2, (2, 2), entry(3, 1)),
        0.0,
    )
    assert node.poll().alarms
    assert node.log == log(1, 2)


@pytest.mark.parametrize("prev", [(-1, 0), (-3, 2), (10**9, 2), (1, -4), (0, 7)])
def test_an_absurd_place_is_rejected(prev):
    node = machine(terms=(1, 1), term=2)
    (said,) = tell(
        node,
        append_of("S2", 2, prev),
    )
    assert isinstance(said.result, Rejected)
    assert node.log == log(1, 1)


# Followers: stale leaders


def test_a_leader_of_an_earlier_term_is_told_the_term_and_nothing_changes():
    node = machine(terms=(1, 1), term=5)
    before, deadline = node.fingerprint(), node.election_deadline
    said = tell(node, append("S2", 4, (2, 1), (4, 4), commit=4), after=50.0)
    assert said == [rejected("S1", 5, at=2, last=2, hint=(2, 1), to="S2")]
    assert (node.fingerprint(), node.election_deadline) == (before, deadline)


# Leaders: what they know


def test_an_acknowledgement_is_what_the_leader_knows_of_a_follower():
    node = leader(terms=(1, 1, 1), nodes=5)
    tell(node, accepted("S2", 2, 3, commit=2))
    known = node.role_data.tracker.progress["S2"]
    assert (known.match_index, known.commit_index) == (3, 2)


def test_acknowledgements_that_overtake_each_other_take_nothing_back():
    node = leader(terms=(1, 1, 1))
    tell(node, accepted("S2", 2, 4))
    for late in (1, 3, 0):
        tell(node, accepted("S2", 2, late))
    known = node.role_data.tracker.progress["S2"]
    assert (known.match_index, known.next_index) == (4, 5)
    assert node.commit_index == 4


def test_an_acknowledgement_beyond_the_log_proves_no_more_than_the_log():
    node = leader(terms=(1, 1))
    tell(node, accepted("S2", 2, 99))
    known = node.role_data.tracker.progress["S2"]
    assert (known.match_index, known.next_index) == (3, 4)


def test_the_commit_index_of_a_follower_is_remembered_and_never_goes_back():
    node = leader(terms=(1, 1))
    tell(node, accepted("S2", 2, 3, commit=2))
    tell(node, rejected("S2", 2, at=0, last=3, commit=1))
    assert node.role_data.tracker.progress["S2"].commit_index == 2


def test_an_acknowledgement_of_an_earlier_term_says_nothing():
    node = leader(terms=(1, 1), term=4)
    before = node.fingerprint()
    assert tell(node, accepted("S2", 4, 3)) == []
    assert node.fingerprint() == before


def test_an_answer_of_a_stranger_says_nothing():
    node = leader(terms=(1, 1))
    before = node.fingerprint()
    assert tell(node, accepted("S9", 2, 3)) == []
    assert tell(node, rejected("S9", 2, at=2, last=0)) == []
    assert node.fingerprint() == before


@pytest.mark.parametrize("reply", [accepted("S2", 9, 3), rejected("S2", 9, at=2, last=0)])
def test_an_answer_of_a_later_term_deposes_the_leader(reply):
    node = leader(terms=(1, 1))
    assert tell(node, reply) == []
    assert (node.role, node.term, node.voted_for, node.leader) == (Role.FOLLOWER, 9, None, None)


def test_a_deposed_leader_starts_to_wait():
    node = leader(term=3)
    tell(node, vote_request("S2", 9, (0, 0)), after=30.0)
    assert (
        node.next_deadline == node.election_deadline == node.now + node._randomized_election_timeout
    )


# Leaders: committing


def test_a_leader_commits_with_the_acknowledgement_that_makes_a_majority():
    node = leader(nodes=5, terms=(1,))
    tell(node, accepted("S2", 2, 2))
    assert node.commit_index == 0
    node.advance(accepted("S4", 2, 2), node.now)
    assert node.commit_index == 2
    assert [each.index for each in drain(node).committed] == [1, 2]


def test_a_copy_that_is_acknowledged_twice_counts_once():
    node = leader(nodes=5)
    tell(node, accepted("S2", 1, 1))
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 0


def test_an_old_entry_on_a_majority_is_not_committed():
    node = leader(nodes=5, terms=(1, 1))
    for peer in ("S2", "S3", "S4", "S5"):
        tell(node, accepted(peer, 2, 2))
    assert node.commit_index == 0
    tell(node, accepted("S2", 2, 3))
    assert node.commit_index == 0
    tell(node, accepted("S3", 2, 3))
    assert node.commit_index == 3, "with its own entry, all before it"


def test_an_even_cluster_commits_with_more_than_half():
    node = leader(nodes=4)
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 0
    tell(node, accepted("S3", 1, 1))
    assert node.commit_index == 1


def test_a_learner_does_not_count_for_commitment_but_receives_the_log():
    node = leader(configuration=Configuration(("S1", "S2", "S3"), learners=("S4",)))
    tell(node, accepted("S4", 1, 1))
    assert node.commit_index == 0
    assert [each.receiver for each in propose(node)] == ["S4"], "the others are being probed"


def test_while_joint_a_leader_commits_with_both_majorities():
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4", "S5"))
    node = leader(configuration=joint)
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 0
    tell(node, accepted("S5", 1, 1))
    assert node.commit_index == 1


def test_the_next_message_tells_followers_what_is_committed():
    node = leader()
    tell(node, accepted("S2", 1, 1))
    (to_s2,) = propose(node)
    assert (to_s2.receiver, to_s2.leader_commit) == ("S2", 1)
    assert {each.leader_commit for each in let_time_out(node)} == {1}


# Leaders: sending


def test_a_proposal_goes_to_every_follower_that_is_known_to_agree_in_one_message_each():
    node = accepted_by_all(leader(nodes=5))
    assert propose(node) == [
        append_of("S1", 1, (1, 1), node.log[2], commit=1, to=peer)
        for peer in ("S2", "S3", "S4", "S5")
    ]


def test_proposals_between_two_polls_travel_together():
    node = accepted_by_all(leader())
    for text in (b"a", b"b", b"c"):
        node.add_entry(Command(text))
    said = drain(node)
    assert [len(each.entries) for each in said.messages] == [3, 3]
    assert [each.index for each in said.log_entries] == [2, 3, 4]


def test_a_message_holds_no_more_than_the_option_says():
    options = Options.figure_2(max_entries_per_append=2)
    node = accepted_by_all(leader(options=options))
    for _ in range(5):
        node.add_entry(Command(b"x"))
    sizes = [len(each.entries) for each in drain(node).messages if each.receiver == "S2"]
    assert sizes == [2, 2, 1]


def test_a_probe_holds_one_entry_and_waits_for_its_answer():
    node = leader(terms=(1, 1))
    tell(node, rejected("S2", 2, at=2, last=0))
    assert propose(node) == [], "one probe is under way"
    assert node.role_data.tracker.progress["S2"].state is ProgressState.PROBE
    said = tell(node, accepted("S2", 2, 1))
    assert [len(each.entries) for each in said] == [3]
    assert node.role_data.tracker.progress["S2"].state is ProgressState.PIPELINE


def test_a_pipeline_does_not_wait():
    node = accepted_by_all(leader())
    first, second = propose(node, "a"), propose(node, "b")
    assert [each.prev_log_index for each in first] == [1, 1]
    assert [each.prev_log_index for each in second] == [2, 2]
    assert in_flight(node, "S2") == 2


def test_a_leader_of_one_speaks_to_nobody():
    node = machine(nodes=1)
    let_time_out(node)
    assert node.role is Role.LEADER
    assert let_time_out(node) == []


def test_a_heartbeat_carries_what_is_due_and_nothing_where_nothing_is():
    node = leader(nodes=3)
    tell(node, accepted("S2", 1, 1))
    to_s2, to_s3 = let_time_out(node)
    assert to_s2 == append_of("S1", 1, (1, 1), commit=1, to="S2")
    assert to_s3 == append_of("S1", 1, (0, 0), node.log[1], commit=1, to="S3")


def test_heartbeats_come_at_their_interval_and_not_before():
    node = accepted_by_all(leader(options=FIGURE_2))
    due = node.role_data.heartbeat_deadline
    node.tick(due - 0.001)
    assert drain(node).messages == []
    node.tick(due)
    assert len(drain(node).messages) == 2
    assert node.role_data.heartbeat_deadline == due + FIGURE_2.heartbeat_interval


# Leaders: a guess that cannot be


def steady(**about):
    """S1 leads three with five entries, which all hold."""
    return accepted_by_all(leader(terms=(1, 1, 1, 1), **about))


IMPOSSIBLE = [-(10**9), -1, 0, 7, 8, 100, 10**30]
"""A next index for a log that ends at 5: none of these stands in it, or just after it."""


@pytest.mark.parametrize("state", ["probe", "pipeline"])
@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_an_impossible_next_index_silences_nobody_and_is_mended(wrong, state):
    """Paper: 5.3. The consistency check finds the truth from any guess."""
    node = steady()
    known(node, "S2").next_index = wrong
    if state == "probe":
        known(node, "S2").become_probe()
    node.tick(node.next_deadline)
    said = drain(node)
    ((beat,), (other,)) = ([x for x in said.messages if x.receiver == to] for to in ("S2", "S3"))
    assert (beat.prev_log_index, beat.entries) == (5, ()), "what matches is known up to 5"
    assert other.prev_log_index == 5
    assert said.alarms == [f"S1, leader in term 2: next index {wrong} for S2 is outside its log"]
    assert tell(node, accepted("S2", 2, beat.prev_log_index)) == []
    (sent,) = [each for each in propose(node) if each.receiver == "S2"]
    assert [each.index for each in sent.entries] == [6]
    assert drain(node).alarms == []


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_a_follower_that_lacks_entries_gets_them_whatever_next_index_was(wrong):
    node = leader(terms=(1, 1, 1, 1))
    known(node, "S2").next_index = wrong
    node.tick(node.next_deadline)
    (beat,) = [each for each in drain(node).messages if each.receiver == "S2"]
    asked = beat.prev_log_index
    assert asked == (5 if wrong > 0 else 0), "past the end, and nothing is known to match"
    answer = rejected("S2", 2, asked, 2, (2, 1)) if asked else accepted("S2", 2, 0)
    said = tell(node, answer)
    while said:
        said = tell(node, accepted("S2", 2, said[0].prev_log_index + len(said[0].entries)))
    assert known(node, "S2").match_index == 5


ODD = [-(10**9), -1, 0, 1, 5, 6, 10**30]


@pytest.mark.parametrize("last", ODD)
@pytest.mark.parametrize("asked", ODD)
def test_an_absurd_rejection_leads_to_no_next_index_outside_the_log(asked, last):
    for hint in ODD:
        for hint_term in ODD:
            node = leader(terms=(1, 1, 1, 1))
            known(node, "S2").become_pipeline()
            tell(node, rejected("S2", 2, at=asked, last=last, hint=(hint, hint_term)))
            assert 1 <= known(node, "S2").next_index <= node.log.last_index + 1
            assert drain(node).alarms == []


@pytest.mark.parametrize("wrong", IMPOSSIBLE)
def test_rules_that_guess_what_cannot_be_silence_nobody(wrong):
    class Astray(Rules):
        def next_index_after(self, rejected, log, progress):
            return wrong

    node = leader(terms=(1, 1), rules=Astray())
    for beat in range(1, 5):
        tell(node, rejected("S2", 2, at=known(node, "S2").next_index - 1, last=0))
        node.tick(node.next_deadline)
        spoken_to = [each.receiver for each in drain(node).messages]
        assert sorted({*spoken_to}) == ["S2", "S3"], beat


def test_where_a_snapshot_stands_a_next_index_before_it_is_mended_by_the_snapshot():
    held = after(snapshot(3, 1), 1)
    node = leader(held=held, term=1)
    known(node, "S2").next_index = -7
    node.tick(node.next_deadline)
    (sent,) = [each for each in drain(node).messages if each.receiver == "S2"]
    assert isinstance(sent, InstallSnapshot)
    assert known(node, "S2").next_index == 4


# What is over


def test_a_stale_snapshot_is_refused_with_the_own_term():
    node = machine(terms=(1, 1), term=5)
    carried = Snapshot(9, 3, Configuration(("S1", "S2", "S3")))
    assert tell(node, InstallSnapshot(term=4, sender="S2", receiver="S1", snapshot=carried)) == [
        InstallSnapshotReply(term=5, sender="S1", receiver="S2", last_index=9, success=False)
    ]


@pytest.mark.parametrize(
    "message",
    [
        InstallSnapshotReply(term=4, sender="S2", receiver="S1", last_index=3, success=True),
        TimeoutNow(term=4, sender="S2", receiver="S1"),
    ],
)
def test_other_stale_messages_are_not_answered(message):
    node = machine(term=5)
    assert tell(node, message) == []
    assert node.term == 5


def test_every_step_down_is_reported_with_its_cause():
    node = leader(term=3)
    node.advance(append("S2", 9), node.now)
    change = node.poll().role_change
    assert (change.before, change.cause, change.after, change.term) == (
        Role.LEADER,
        Cause.HIGHER_TERM,
        Role.FOLLOWER,
        9,
    )
