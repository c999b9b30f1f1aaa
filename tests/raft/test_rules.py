"""The decisions, one by one, with nothing around them."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.election import ElectionResult, Votes
from raftlab.raft.log import RaftLog
from raftlab.raft.messages import Rejected
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from tests.raft import world
from tests.raft.world import COMPLETE, entries, log, names, vote_request

PROBE, PIPELINE, SNAPSHOT = ProgressState.PROBE, ProgressState.PIPELINE, ProgressState.SNAPSHOT
JOINT = Configuration(("S1", "S2"), old_voters=("S3",), learners=("S4",))

log_terms = st.lists(st.integers(1, 6), max_size=12).map(sorted)


def rules() -> Rules:
    """The rules under test."""
    return world.RULES()


# Terms


@pytest.mark.parametrize(
    ("message", "own", "newer", "stale"),
    [(5, 4, True, False), (4, 4, False, False), (3, 4, False, True)],
)
def test_a_term_is_newer_or_stale_or_neither(message, own, newer, stale):
    assert rules().is_newer_term(message, own) is newer
    assert rules().is_stale_term(message, own) is stale


def test_an_answer_is_about_the_present_only_in_the_term_that_was_asked():
    assert [rules().is_about_the_present(term, 4) for term in (3, 4, 5)] == [False, True, False]


# Time


@given(st.integers(0, 2**32))
def test_an_election_timeout_lies_between_its_bounds(seed):
    drawn = rules().election_timeout(Options(election_timeout=(150, 300)), random.Random(seed))
    assert 150 <= drawn <= 300


def test_election_timeouts_are_spread_over_the_whole_interval():
    rng = random.Random(7)
    drawn = [rules().election_timeout(COMPLETE, rng) for _ in range(3_000)]
    tenths = Counter(int((each - 150) // 15) for each in drawn)
    assert sorted(tenths) == list(range(10))
    assert min(tenths.values()) > 200


def test_bounds_that_are_equal_leave_nothing_to_chance():
    options = Options(election_timeout=(200.0, 200.0))
    assert rules().election_timeout(options, random.Random(1)) == 200


@pytest.mark.parametrize(
    ("granted", "heard", "resets"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
def test_only_the_leader_or_a_granted_vote_resets_the_timer(granted, heard, resets):
    assert rules().resets_election_timer(granted_vote=granted, heard_leader=heard) is resets


@pytest.mark.parametrize(
    ("node", "may"), [("S1", True), ("S3", True), ("S4", False), ("S9", False)]
)
def test_voters_campaign_and_learners_and_strangers_do_not(node, may):
    assert rules().campaigns(node, JOINT) is may


# Votes


@pytest.mark.parametrize(
    ("leads", "since", "force", "sticky", "alive"),
    [
        (True, 9999.0, False, True, True),
        (False, 149.0, False, True, True),
        (False, 150.0, False, True, False),
        (False, float("inf"), False, True, False),
        (True, 0.0, True, True, False),
        (False, 0.0, True, True, False),
        (True, 0.0, False, False, False),
        (False, 0.0, False, False, False),
    ],
)
def test_a_leader_is_alive_if_it_was_heard_within_the_shortest_timeout(
    leads, since, force, sticky, alive
):
    options = Options(leader_stickiness=sticky)
    request = vote_request("S2", 5, force=force)
    assert rules().leader_is_alive(request, options, leads, since) is alive


@pytest.mark.parametrize("sticky", [True, False])
@pytest.mark.parametrize(
    ("leads", "since", "alive"), [(True, 9999.0, True), (False, 149.0, True), (False, 150.0, False)]
)
def test_a_leader_alive_refuses_a_pre_vote_whether_the_voter_is_sticky_or_not(
    leads, since, alive, sticky
):
    request = vote_request("S2", 5, is_prevote=True)
    options = Options(leader_stickiness=sticky)
    assert rules().leader_is_alive(request, options, leads, since) is alive


@pytest.mark.parametrize(
    ("voted_for", "leader", "left"),
    [
        (None, None, True),
        ("S2", None, True),
        ("S3", None, False),
        (None, "S3", False),
        ("S2", "S3", True),
    ],
)
def test_a_vote_is_given_once_and_not_against_a_known_leader(voted_for, leader, left):
    assert rules().has_vote_left(vote_request("S2", 5), 5, voted_for, leader) is left


def test_a_pre_vote_for_a_later_term_costs_nothing():
    asked = vote_request("S2", 6, is_prevote=True)
    assert rules().has_vote_left(asked, 5, "S3", "S3")
    assert not rules().has_vote_left(asked, 6, "S3", "S3"), "in its own term the vote is gone"


@pytest.mark.parametrize(
    ("last", "granted"), [((3, 4), True), ((2, 4), False), ((9, 1), False), ((1, 5), True)]
)
def test_a_candidate_must_be_as_up_to_date_as_the_voter(last, granted):
    request = vote_request("S2", 9, last)
    assert rules().candidate_is_up_to_date(request, log(1, 1, 4)) is granted


def test_the_tally_is_that_of_the_votes():
    votes = Votes(Configuration(names(3)))
    assert rules().tally_vote(votes) is ElectionResult.UNKNOWN
    votes.register_vote("S1", True)
    votes.register_vote("S2", True)
    assert rules().tally_vote(votes) is ElectionResult.WON


# Receiving entries


@pytest.mark.parametrize(
    ("prev", "fits"),
    [((0, 0), True), ((2, 1), True), ((3, 4), True), ((3, 1), False), ((4, 4), False)],
)
def test_entries_fit_only_after_the_same_entry(prev, fits):
    assert rules().accepts_append(log(1, 1, 4), *prev) is fits


@pytest.mark.parametrize(
    ("held", "prev", "sent", "conflict"),
    [
        ((1, 1, 4), 1, (1, 4), None),
        ((1, 1, 4), 1, (1,), None),
        ((1, 1, 4), 1, (), None),
        ((1, 1, 4), 3, (4, 4), None),
        ((1, 1, 4), 1, (2,), 2),
        ((1, 1, 4), 1, (1, 5, 5), 3),
        ((1, 1, 2, 2), 2, (3,), 3),
    ],
)
def test_only_another_term_at_the_same_index_is_a_conflict(held, prev, sent, conflict):
    sent_entries = entries(*sent, start=prev + 1)
    assert rules().conflict_index(log(*held), prev, sent_entries) == conflict


@given(log_terms, log_terms)
def test_the_conflict_is_where_two_logs_first_differ(held, sent):
    pairs = enumerate(zip(held, sent, strict=False), 1)
    expected = next((index for index, (mine, its) in pairs if mine != its), None)
    assert rules().conflict_index(log(*held), 0, entries(*sent)) == expected


def test_what_is_verified_is_what_the_message_carried():
    assert rules().verified_index(log(1, 1, 1, 1, 1), 2, 1) == 3
    assert rules().verified_index(log(1, 1, 1, 1, 1), 2, 0) == 2


@pytest.mark.parametrize(
    ("leader_commit", "verified", "held", "after"),
    [(4, 9, 2, 4), (9, 4, 2, 4), (1, 4, 2, 2), (9, 1, 2, 2), (0, 0, 0, 0)],
)
def test_a_follower_commits_what_is_committed_and_verified_and_never_less(
    leader_commit, verified, held, after
):
    assert rules().follower_commit_index(leader_commit, verified, log(*[1] * 9), held) == after


# Repair


@pytest.mark.parametrize(
    ("held", "prev", "hint"),
    [
        ((), (7, 3), (0, 0)),
        ((1, 1), (7, 3), (2, 1)),
        ((1, 1, 4, 4), (4, 3), (2, 1)),
        ((4, 4), (2, 3), (0, 0)),
        ((1, 2, 2, 2), (3, 5), (3, 2)),
    ],
)
def test_a_rejection_names_the_last_entry_that_may_still_agree(held, prev, hint):
    assert rules().rejection(log(*held), *prev) == Rejected(prev[0], len(held), *hint)


@given(log_terms, log_terms)
def test_hints_never_skip_the_place_where_two_logs_agree(mine, its):
    """Whatever the leader tries next, it is not below the last common entry, and it is lower."""
    leader_log, follower_log = log(*mine), log(*its)
    common = sum(1 for _ in common_prefix(mine, its))
    progress = FollowerProgress("S2", leader_log.last_index + 1, 0.0)
    while not follower_log.match_term(
        prev := progress.next_index - 1, mine[prev - 1] if prev else 0
    ):
        said = rules().rejection(follower_log, prev, mine[prev - 1])
        assert not rules().is_stray_rejection(said, progress)
        after = rules().next_index_after(said, leader_log, progress)
        assert common < after < progress.next_index
        progress.next_index = after


def common_prefix(mine, its):
    for one, other in zip(mine, its, strict=False):
        if one != other:
            return
        yield one


def test_after_a_rejection_the_leader_never_goes_below_what_it_knows():
    progress = FollowerProgress("S2", 9, 0.0)
    progress.match_index = 5
    assert rules().next_index_after(Rejected(8, 7, 1, 1), log(*[1] * 9), progress) == 6


def test_after_a_rejection_the_leader_uses_its_own_terms_too():
    progress = FollowerProgress("S2", 6, 0.0)
    leader_log = log(1, 1, 4, 4, 4)
    assert rules().next_index_after(Rejected(5, 5, 5, 3), leader_log, progress) == 3


@pytest.mark.parametrize(
    ("state", "at", "last", "stray"),
    [
        (PROBE, 7, 9, False),
        (PROBE, 6, 9, True),
        (PROBE, 8, 9, True),
        (PROBE, 4, 9, True),
        (PIPELINE, 6, 9, False),
        (PIPELINE, 5, 5, False),
        (PIPELINE, 4, 9, True),
        (PIPELINE, 3, 9, True),
        (PIPELINE, 6, 3, True),
        (SNAPSHOT, 7, 9, True),
    ],
)
def test_a_rejection_of_what_is_known_by_now_is_stray(state, at, last, stray):
    progress = FollowerProgress("S2", 8, 0.0)
    progress.match_index, progress.state = 4, state
    assert rules().is_stray_rejection(Rejected(at, last, 0, 0), progress) is stray


def test_an_answer_proves_what_it_says_and_no_more_than_the_log_holds():
    assert rules().match_index_after(log(1, 1, 1), 2, 9) == 2
    assert rules().match_index_after(log(1, 1, 1), 99, 4) == 3


# The start of a term


def test_a_new_leader_guesses_that_everyone_holds_its_log():
    assert rules().next_index_at_term_start(6) == 7
    assert rules().next_index_at_term_start(0) == 1


def test_a_new_leader_appends_an_empty_entry():
    assert rules().appends_at_term_start() is True


# Commitment


def test_the_majority_match_index_is_the_median_from_below():
    three = Configuration(names(3))
    assert rules().majority_match_index({"S1": 7, "S2": 5, "S3": 3}, three) == 5
    assert (
        rules().majority_match_index({"S1": 7, "S2": 5, "S3": 3, "S4": 2}, Configuration(names(4)))
        == 3
    )


@pytest.mark.parametrize(
    ("matched", "commit", "after"),
    [(3, 0, 3), (5, 0, 5), (2, 0, 0), (1, 1, 1), (4, 5, 5), (0, 0, 0), (6, 2, 2)],
)
def test_only_an_entry_of_the_own_term_is_committed_by_counting(matched, commit, after):
    held: RaftLog = log(1, 2, 4, 4, 4)
    assert rules().leader_commit_index(matched, held, 4, commit) == after


def test_a_leader_goes_on_while_a_majority_answers():
    three = Configuration(names(3))
    assert rules().keeps_leading(["S1", "S2"], three, COMPLETE)
    assert not rules().keeps_leading(["S1"], three, COMPLETE)
    assert not rules().keeps_leading(["S1", "S9"], three, COMPLETE)
    assert rules().keeps_leading([], three, Options(check_quorum=False))


def test_while_joint_a_leader_needs_a_majority_of_both_sets():
    assert not rules().keeps_leading(["S1", "S2"], JOINT, COMPLETE)
    assert rules().keeps_leading(["S1", "S2", "S3"], JOINT, COMPLETE)


def test_the_decisions_change_nothing():
    assert not hasattr(Rules(), "__dict__")
    assert Rules.__slots__ == ()
