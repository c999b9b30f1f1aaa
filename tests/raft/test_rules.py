"""The decisions, one by one, with nothing around them."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.log import Command, LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import Rejected
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import ElectionResult, Votes
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
    assert rules().campaigns(node, JOINT, None) is may


@pytest.mark.parametrize(
    ("node", "may"), [("S1", True), ("S3", True), ("S4", False), ("S9", False)]
)
def test_voters_of_the_configuration_before_campaign_while_the_next_may_be_uncommitted(node, may):
    without_s3 = Configuration(("S1", "S2"), learners=("S4",))
    assert rules().campaigns(node, without_s3, JOINT) is may
    assert rules().campaigns("S3", without_s3, None) is False


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
    assert rules().rejection(log(*held), *prev) == Rejected(
        non_matching_index=prev[0], last_index=len(held), hint_index=hint[0], hint_term=hint[1]
    )


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
    assert (
        rules().next_index_after(
            Rejected(non_matching_index=8, last_index=7, hint_index=1, hint_term=1),
            log(*[1] * 9),
            progress,
        )
        == 6
    )


def test_after_a_rejection_the_leader_uses_its_own_terms_too():
    progress = FollowerProgress("S2", 6, 0.0)
    leader_log = log(1, 1, 4, 4, 4)
    assert (
        rules().next_index_after(
            Rejected(non_matching_index=5, last_index=5, hint_index=5, hint_term=3),
            leader_log,
            progress,
        )
        == 3
    )


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
    assert (
        rules().is_stray_rejection(
            Rejected(non_matching_index=at, last_index=last, hint_index=0, hint_term=0), progress
        )
        is stray
    )


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


# Flow control


@pytest.mark.parametrize(
    ("probing", "most", "room", "sent"),
    [
        (True, 64, 1000, [2]),
        (False, 64, 1000, [2, 3, 4, 5]),
        (False, 3, 1000, [2, 3, 4]),
        (False, 64, 6, [2, 3]),
        (False, 64, 8, [2, 3]),
        (False, 64, 1, [2]),
    ],
)
def test_one_message_carries_a_probe_or_what_is_allowed_and_never_less_than_one_entry(
    probing, most, room, sent
):
    options = Options(max_entries_per_append=most, max_bytes_per_append=room)
    carried = rules().entries_for_one_message(log(1, 1, 1, 1, 1), 2, probing, options)
    assert [each.index for each in carried] == sent, "each of these entries is three bytes long"


@pytest.mark.parametrize(
    ("size", "waiting", "takes"),
    [(3, 7, True), (4, 7, False), (99, 0, True), (0, 11, False), (0, 10, True)],
)
def test_a_command_is_taken_if_it_is_alone_or_if_there_is_room(size, waiting, takes):
    assert rules().takes_command(size, waiting, Options(max_uncommitted_bytes=10)) is takes


# Writing late


@pytest.mark.parametrize(
    ("index", "term", "there"), [(3, 4, True), (3, 1, False), (4, 4, False), (1, 1, True)]
)
def test_an_entry_written_late_counts_if_no_other_took_its_place(index, term, there):
    written = LogEntry(term, index, Command(b""))
    assert rules().is_still_there(written, log(1, 1, 4)) is there


# Handing over


@pytest.mark.parametrize(
    ("node", "may"), [("S1", True), ("S3", False), ("S4", False), ("S9", False)]
)
def test_only_voters_that_stay_are_handed_the_lead(node, may):
    assert rules().may_be_handed_leadership(node, JOINT) is may


@pytest.mark.parametrize(("match", "may"), [(9, True), (8, False), (0, False)])
def test_only_who_has_everything_takes_over(match, may):
    assert rules().may_take_over(match, 9) is may


def test_no_commands_are_taken_while_handing_over():
    assert rules().takes_commands_while_handing_over() is False


# Snapshots


@pytest.mark.parametrize(("index", "takes"), [(6, True), (5, False), (4, False)])
def test_only_a_snapshot_beyond_what_is_committed_is_taken(index, takes):
    assert rules().takes_snapshot(Snapshot(index, 1, JOINT), commit_index=5) is takes


@pytest.mark.parametrize(
    ("index", "term", "keeps"), [(3, 4, True), (3, 5, False), (2, 1, True), (9, 4, False)]
)
def test_what_follows_a_snapshot_stays_only_if_the_log_agrees_with_it(index, term, keeps):
    assert rules().keeps_tail(log(1, 1, 4, 4), Snapshot(index, term, JOINT)) is keeps


# Membership

FIRST, SECOND, THIRD = (Configuration(names(size)) for size in (1, 2, 3))


def changing(*payloads: Configuration | None, snapshot: Snapshot | None = None) -> RaftLog:
    """A log of term 1 with these configurations, and commands in between."""
    base = snapshot.index if snapshot else 0
    held = (
        LogEntry(1, index, payload or Command(b"x"))
        for index, payload in enumerate(payloads, base + 1)
    )
    return RaftLog(held, snapshot)


@pytest.mark.parametrize(
    ("held", "in_force"),
    [
        (changing(), FIRST),
        (changing(None, None), FIRST),
        (changing(None, SECOND, None), SECOND),
        (changing(SECOND, THIRD), THIRD),
        (changing(snapshot=Snapshot(7, 1, SECOND)), SECOND),
        (changing(None, THIRD, snapshot=Snapshot(7, 1, SECOND)), THIRD),
    ],
    ids=["empty", "commands", "entry", "newest", "snapshot", "entry after a snapshot"],
)
@pytest.mark.parametrize("commit_index", [0, 1, 9])
def test_the_newest_configuration_is_in_force_committed_or_not(held, in_force, commit_index):
    assert rules().configuration_in_force(held, commit_index, FIRST) == in_force


@pytest.mark.parametrize(
    ("configuration", "at", "pending"),
    [(SECOND, 6, True), (SECOND, 5, False), (SECOND, 0, False), (JOINT, 5, True), (JOINT, 6, True)],
)
def test_a_change_is_pending_until_it_is_committed_and_not_joint(configuration, at, pending):
    assert rules().change_is_pending(configuration, at, commit_index=5) is pending


@pytest.mark.parametrize(
    ("commit", "one_by_one", "may"),
    [(2, True, False), (3, True, True), (0, True, False), (2, False, True), (3, False, True)],
)
def test_single_server_changes_wait_for_a_committed_entry_of_the_own_term(commit, one_by_one, may):
    options = Options(single_server_changes=one_by_one)
    assert rules().may_change_in_term(log(1, 1, 4), commit, 4, options) is may


@pytest.mark.parametrize(
    ("target", "one_by_one", "appended"),
    [
        (THIRD, False, Configuration(names(3), old_voters=names(2))),
        (THIRD, True, THIRD),
        (Configuration(names(2), learners=("S3",)), False, None),
        (Configuration(("S2", "S1"), learners=("S3",)), False, None),
        (
            Configuration(("S1",), learners=("S2",)),
            False,
            Configuration(("S1",), old_voters=names(2), learners=("S2",)),
        ),
    ],
    ids=["voter", "voter alone", "learner", "any order", "demotion"],
)
def test_voters_change_through_a_joint_configuration_and_learners_at_once(
    target, one_by_one, appended
):
    options = Options(single_server_changes=one_by_one)
    assert rules().next_configuration(SECOND, target, options) == (appended or target)


@pytest.mark.parametrize(
    ("configuration", "at", "leaves"), [(JOINT, 5, True), (JOINT, 6, False), (SECOND, 5, False)]
)
def test_the_joint_configuration_is_left_once_it_is_committed(configuration, at, leaves):
    assert rules().leaves_joint(configuration, at, commit_index=5) is leaves


@pytest.mark.parametrize(
    ("node", "at", "goes"),
    [("S9", 5, True), ("S9", 6, False), ("S1", 5, False), ("S3", 5, False), ("S4", 5, True)],
)
def test_a_leader_goes_once_a_configuration_in_which_it_has_no_vote_is_committed(node, at, goes):
    assert rules().hands_over_when_removed(node, JOINT, at, 5) is goes


@pytest.mark.parametrize(("took", "caught_up"), [(149.0, True), (150.0, False), (0.0, True)])
def test_a_learner_has_caught_up_if_its_round_took_less_than_an_election_timeout(took, caught_up):
    assert rules().has_caught_up(took, COMPLETE) is caught_up


# Reads


@pytest.mark.parametrize(("commit", "may"), [(0, False), (2, False), (3, True)])
def test_a_leader_reads_once_it_has_committed_an_entry_of_its_own_term(commit, may):
    assert rules().may_read(log(1, 1, 4), commit, 4) is may


@pytest.mark.parametrize(
    ("acked", "reached"),
    [
        ({"S1": 3, "S2": 3, "S3": 3}, 3),
        ({"S1": 3, "S2": 3, "S3": 1}, 1),
        ({"S1": 3, "S2": 1, "S3": 3}, 1),
        ({"S1": 3, "S2": 3}, 0),
        ({"S1": 3, "S2": 3, "S4": 3}, 0),
    ],
)
def test_the_round_that_counts_is_the_latest_that_a_majority_of_each_set_has_answered(
    acked, reached
):
    assert rules().still_led_at(acked, JOINT) == reached


@pytest.mark.parametrize(
    ("since", "handed_over", "drift", "holds"),
    [
        (99.0, False, 1.5, True),
        (100.0, False, 1.5, False),
        (149.0, False, 1.0, True),
        (150.0, False, 1.0, False),
        (0.0, True, 1.0, False),
    ],
)
def test_a_lease_holds_for_a_minimum_timeout_of_the_fastest_clock_and_not_after_a_hand_over(
    since, handed_over, drift, holds
):
    options = Options(clock_drift_bound=drift, lease_reads=True)
    assert rules().lease_holds(1000.0, 1000.0 + since, handed_over, options) is holds


@pytest.mark.parametrize(
    ("voted_for", "leases", "keeps"),
    [(None, True, True), ("S2", True, False), (None, False, False), ("S2", False, False)],
)
def test_only_where_leases_count_on_it_is_a_promise_kept_in_a_later_term(voted_for, leases, keeps):
    assert rules().keeps_promise(voted_for, Options(lease_reads=leases)) is keeps


def test_only_where_leases_count_on_it_does_a_node_wait_after_its_start():
    assert rules().waits_after_start(Options(lease_reads=True)) is True
    assert rules().waits_after_start(COMPLETE) is False


@pytest.mark.parametrize(("index", "serves"), [(4, True), (5, True), (6, False)])
def test_a_read_is_served_once_its_index_is_committed_here(index, serves):
    assert rules().may_serve_read(index, commit_index=5) is serves


def test_every_decision_has_a_test_here():
    """Each method is asked by its name in this file."""
    decisions = {name for name in vars(Rules) if not name.startswith("_")}
    asked = set(re.findall(r"rules\(\)\.(\w+)\(", Path(__file__).read_text(encoding="utf-8")))
    odd = sorted(asked ^ decisions)
    assert not odd, f"each method of Rules wants a test here that asks rules() for it: {odd}"


def test_the_decisions_change_nothing():
    assert not hasattr(Rules(), "__dict__")
    assert Rules.__slots__ == ()
