"""Counting votes: each voter once, won and lost only when nothing can change it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import ElectionResult, ElectionTracker, Votes
from tests.raft.world import names

UNKNOWN, WON, LOST = ElectionResult.UNKNOWN, ElectionResult.WON, ElectionResult.LOST
JOINT = Configuration(("S1", "S2", "S3"), old_voters=("S3", "S4", "S5"))


def counted(voters: tuple[str, ...], yes: str = "", no: str = "") -> ElectionTracker:
    """A tracker that has heard yes from these and no from those."""
    tracker = ElectionTracker(voters)
    for voter in yes.split():
        tracker.register_vote(voter, True)
    for voter in no.split():
        tracker.register_vote(voter, False)
    return tracker


def counted_jointly(yes: str = "", no: str = "") -> Votes:
    """The same for the joint configuration."""
    votes = Votes(JOINT)
    for voter in yes.split():
        assert votes.register_vote(voter, True)
    for voter in no.split():
        assert votes.register_vote(voter, False)
    return votes


@pytest.mark.parametrize(
    ("size", "yes", "no", "result"),
    [
        (1, "", "", UNKNOWN),
        (1, "S1", "", WON),
        (1, "", "S1", LOST),
        (2, "S1", "", UNKNOWN),
        (2, "S1 S2", "", WON),
        (2, "S1", "S2", LOST),
        (3, "S1", "S2", UNKNOWN),
        (3, "S1 S3", "S2", WON),
        (3, "S1", "S2 S3", LOST),
        (4, "S1 S2", "S3", UNKNOWN),
        (4, "S1 S2", "S3 S4", LOST),
        (5, "S1 S2", "S3 S4", UNKNOWN),
        (5, "S1 S2 S5", "", WON),
        (5, "S1", "S2 S3 S4", LOST),
    ],
)
def test_an_election_is_decided_once_the_silent_cannot_change_it(size, yes, no, result):
    assert counted(names(size), yes, no).tally_vote() is result


def test_a_refusal_is_no_grant():
    tracker = counted(names(3), "S1", "S2")
    assert (tracker.granted, tracker.refused, tracker.silent) == (1, 1, 1)


def test_an_answer_that_comes_twice_counts_once():
    tracker = counted(names(5), "S1 S2 S2 S2")
    assert (tracker.granted, tracker.tally_vote()) == (2, UNKNOWN)


def test_the_first_answer_counts_and_no_other():
    tracker = counted(names(3), "S2", "S2")
    assert tracker.answers == {"S2": True}
    assert counted(names(3), "", "S2").register_vote("S2", True)


def test_a_stranger_has_no_vote():
    tracker = counted(names(3), "S1")
    assert not tracker.register_vote("S9", True)
    assert (tracker.granted, tracker.silent) == (1, 2)


def test_votes_count_in_each_set_that_the_voter_belongs_to():
    votes = counted_jointly("S3")
    assert [each.answers for each in votes.trackers] == [{"S3": True}, {"S3": True}]


def test_votes_reach_the_second_set_even_if_the_first_took_them():
    votes = Votes(Configuration(("S1",), old_voters=("S1",)))
    assert votes.register_vote("S1", True)
    assert votes.tally_vote() is WON


@pytest.mark.parametrize(
    ("yes", "no", "result"),
    [
        ("S1 S2", "", UNKNOWN),
        ("S4 S5", "", UNKNOWN),
        ("S1 S2 S4", "", UNKNOWN),
        ("S1 S2 S4 S5", "", WON),
        ("S1 S3 S4", "", WON),
        ("S1 S2 S3", "S4 S5", LOST),
        ("S3 S4 S5", "S1 S2", LOST),
    ],
)
def test_while_joint_both_majorities_are_needed_and_either_can_refuse(yes, no, result):
    assert counted_jointly(yes, no).tally_vote() is result


def test_while_joint_a_stranger_to_both_sets_has_no_vote():
    assert not Votes(JOINT).register_vote("S9", True)


def test_a_voter_of_both_sets_is_asked_once():
    assert Votes(JOINT).voters == ("S1", "S2", "S3", "S4", "S5")


def test_answers_of_both_sets_are_shown_together():
    assert counted_jointly("S3 S5", "S1").answers == {"S3": True, "S5": True, "S1": False}


def test_a_copied_count_goes_its_own_way():
    votes = counted_jointly("S1")
    twin = votes.copy()
    twin.register_vote("S2", True)
    assert votes.answers == {"S1": True}
    assert twin.answers == {"S1": True, "S2": True}
    assert twin.voters == votes.voters


@given(
    st.integers(1, 7),
    st.lists(st.tuples(st.sampled_from(names(9)), st.booleans()), max_size=15),
)
def test_the_tally_is_what_a_plain_count_of_first_answers_says(size, answers):
    tracker, first = ElectionTracker(names(size)), {}
    for voter, granted in answers:
        assert tracker.register_vote(voter, granted) is (voter in names(size))
        if voter in names(size):
            first.setdefault(voter, granted)
    yes = sum(first.values())
    if 2 * yes > size:
        expected = WON
    elif 2 * (yes + size - len(first)) > size:
        expected = UNKNOWN
    else:
        expected = LOST
    assert tracker.tally_vote() is expected


@given(st.permutations(names(5)), st.lists(st.booleans(), min_size=5, max_size=5))
def test_the_order_of_answers_does_not_matter(order, answers):
    given_by = dict(zip(names(5), answers, strict=True))
    tracker = ElectionTracker(names(5))
    for voter in order:
        tracker.register_vote(voter, given_by[voter])
    assert tracker.tally_vote() is (WON if sum(answers) >= 3 else LOST)
