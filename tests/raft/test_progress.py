"""What a leader knows of a follower: knowledge never goes back, guesses stay above it."""

from math import nextafter

import pytest

from raftlab.raft.progress import FollowerProgress, ProgressState, Tracker
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import names

PROBE, PIPELINE, SNAPSHOT = ProgressState.PROBE, ProgressState.PIPELINE, ProgressState.SNAPSHOT


def progress(match: int = 0, next_index: int = 6, state: ProgressState = PROBE) -> FollowerProgress:
    """The progress of S2."""
    mine = FollowerProgress("S2", next_index, now=0.0)
    mine.match_index = match
    mine.state = state
    return mine


def test_a_new_leader_knows_nothing_and_probes():
    mine = FollowerProgress("S2", 6, now=70.0)
    assert (mine.match_index, mine.next_index, mine.commit_index) == (0, 6, 0)
    assert (mine.state, mine.probe_sent, mine.in_flight) == (PROBE, False, [])
    assert mine.last_reply_at == 70.0


def test_what_is_accepted_is_known_and_next_comes_after_it():
    mine = progress()
    mine.accepted(8)
    assert (mine.match_index, mine.next_index) == (8, 9)


def test_accepting_what_was_guessed_leaves_the_guess():
    mine = progress(next_index=9)
    mine.accepted(5)
    assert (mine.match_index, mine.next_index) == (5, 9)


@pytest.mark.parametrize("late", [0, 3, 8])
def test_a_late_reply_takes_nothing_back(late):
    mine = progress()
    mine.accepted(8)
    mine.accepted(late)
    assert (mine.match_index, mine.next_index) == (8, 9)


def test_an_answer_covers_every_message_up_to_it():
    mine = progress(state=PIPELINE)
    mine.in_flight = [6, 7, 9]
    mine.accepted(7)
    assert list(mine.in_flight) == [9]


def test_a_probe_is_sent_one_at_a_time():
    mine = progress()
    assert mine.can_send(10)
    mine.probe_sent = True
    assert not mine.can_send(10)


@pytest.mark.parametrize(("under_way", "sends"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_pipeline_sends_until_its_window_is_full(under_way, sends):
    mine = progress(state=PIPELINE)
    mine.in_flight = [6] * under_way
    assert mine.can_send(2) is sends


def test_a_pipeline_does_not_wait_for_its_probe():
    mine = progress(state=PIPELINE)
    mine.probe_sent = True
    assert mine.can_send(1)


def test_while_a_snapshot_is_due_no_entries_are_sent():
    assert not progress(state=SNAPSHOT).can_send(10)


def test_probing_again_forgets_what_was_under_way_and_no_knowledge():
    mine = progress(match=4, next_index=9, state=PIPELINE)
    mine.in_flight, mine.probe_sent = [7, 8], True
    mine.become_probe()
    assert (mine.state, mine.probe_sent, list(mine.in_flight)) == (PROBE, False, [])
    assert (mine.match_index, mine.next_index) == (4, 9)


def test_a_pipeline_starts_with_nothing_under_way():
    mine = progress(match=5)
    mine.become_pipeline()
    assert (mine.state, list(mine.in_flight), mine.next_index) == (PIPELINE, [], 6)


def test_a_snapshot_under_way_stops_entries_and_the_next_one_comes_after_it():
    mine = progress(match=2, next_index=4, state=PIPELINE)
    mine.in_flight, mine.probe_sent = [3], True
    mine.become_snapshot(7, retry_at=500.0)
    assert (mine.state, mine.next_index, mine.match_index) == (SNAPSHOT, 8, 2)
    assert (mine.in_flight, mine.probe_sent, mine.retry_at) == ([], False, 500.0)


def test_a_copy_goes_its_own_way():
    mine = progress(match=4, next_index=9, state=PIPELINE)
    mine.in_flight, mine.commit_index, mine.acked_round = [7, 8], 3, 2
    mine.retry_at, mine.round_end, mine.round_since, mine.caught_up = 80.0, 9, 60.0, True
    twin = mine.copy()
    for name in FollowerProgress.__slots__:
        assert getattr(twin, name) == getattr(mine, name), name
    twin.accepted(8)
    assert (mine.match_index, list(mine.in_flight)) == (4, [7, 8])


@pytest.mark.parametrize(
    "change",
    ["next_index", "match_index", "commit_index", "acked_round", "round_end", "caught_up"],
)
def test_a_fingerprint_shows_every_number(change):
    mine, other = progress(), progress()
    setattr(other, change, 99)
    assert mine.fingerprint() != other.fingerprint()


def test_a_fingerprint_shows_the_state_the_probe_and_the_window():
    prints = {progress().fingerprint(), progress(state=PIPELINE).fingerprint()}
    waiting, busy = progress(), progress()
    waiting.probe_sent = True
    busy.in_flight = [6]
    assert len(prints | {waiting.fingerprint(), busy.fingerprint()}) == 4


# Everyone together


JOINT = Configuration(("S1", "S2"), old_voters=("S2", "S3"), learners=("S4",))


def test_every_member_is_tracked_learners_too():
    tracker = Tracker(JOINT, 6, 0.0)
    assert tuple(tracker.progress) == ("S1", "S2", "S3", "S4")
    assert {each.next_index for each in tracker.progress.values()} == {6}


def test_a_member_that_stays_is_known_as_before_and_a_newcomer_is_not():
    tracker = Tracker(Configuration(("S1", "S2", "S3")), 6, 0.0)
    tracker.progress["S2"].accepted(5)
    tracker.set_configuration(Configuration(("S2", "S4"), learners=("S1",)), 9, 70.0)
    assert tuple(tracker.progress) == ("S2", "S4", "S1")
    assert tracker.voters == ("S2", "S4")
    assert tracker.progress["S2"].match_index == 5
    newcomer = tracker.progress["S4"]
    assert (newcomer.match_index, newcomer.next_index, newcomer.last_reply_at) == (0, 9, 70.0)


def test_who_left_and_comes_again_is_a_newcomer():
    tracker = Tracker(Configuration(("S1", "S2")), 6, 0.0)
    tracker.progress["S2"].accepted(5)
    tracker.set_configuration(Configuration(("S1",)), 7, 0.0)
    tracker.set_configuration(Configuration(("S1", "S2")), 8, 0.0)
    assert tracker.progress["S2"].match_index == 0


def test_the_rounds_of_voters_count_and_those_of_learners_do_not():
    tracker = Tracker(JOINT, 6, 0.0)
    for node, each in zip(("S1", "S2", "S3", "S4"), (4, 3, 2, 9), strict=True):
        tracker.progress[node].acked_round = each
    assert tracker.acked_rounds() == {"S1": 4, "S2": 3, "S3": 2}


def test_only_voters_count_for_commitment():
    tracker = Tracker(JOINT, 6, 0.0)
    tracker.progress["S3"].accepted(5)
    tracker.progress["S4"].accepted(5)
    assert tracker.match_indexes() == {"S1": 0, "S2": 0, "S3": 5}


@pytest.mark.parametrize("answered_at", [50.0, 200.1, 200.3])
def test_who_answered_less_than_the_span_ago_was_heard_within_it(answered_at):
    tracker = Tracker(Configuration(names(3)), 6, 0.0)
    tracker.progress["S2"].last_reply_at = answered_at
    tracker.progress["S3"].last_reply_at = answered_at - 0.1
    too_late = answered_at + 150.0
    assert tracker.heard_within(150.0, too_late) == []
    assert tracker.heard_within(150.0, nextafter(too_late, 0.0)) == ["S2"]
    assert tracker.heard_within(150.0, too_late - 0.2) == ["S2", "S3"]
    assert tracker.heard_within(too_late, answered_at) == ["S1", "S2", "S3"]


@pytest.mark.parametrize(
    ("configuration", "answered_at", "heard_at"),
    [
        (Configuration(names(1)), (7.5,), 7.5),
        (Configuration(names(4)), (90.0, 37.3, 20.1, 60.0), 37.3),
        (Configuration(names(5)), (90.0, 0.0, 37.3, 0.0, 60.1), 37.3),
        (JOINT, (90.0, 50.5, 30.3, 0.0), 30.3),
        (JOINT, (20.2, 50.5, 90.0, 99.0), 20.2),
    ],
)
def test_a_quorum_was_heard_until_the_last_moment_when_each_set_had_a_majority(
    configuration, answered_at, heard_at
):
    tracker = Tracker(configuration, 6, 0.0)
    for progress, moment in zip(tracker.progress.values(), answered_at, strict=True):
        progress.last_reply_at = moment
    assert tracker.quorum_heard_at() == heard_at


def test_a_copied_tracker_goes_its_own_way():
    tracker = Tracker(JOINT, 6, 0.0)
    twin = tracker.copy()
    twin.progress["S1"].accepted(9)
    assert tracker.match_indexes()["S1"] == 0
    assert twin.match_indexes()["S1"] == 9
    assert twin.configuration is tracker.configuration
