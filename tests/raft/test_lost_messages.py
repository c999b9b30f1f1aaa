"""Nothing that is lost, doubled or late stops replication: the next heartbeat repairs it."""

import pytest

from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.options import Options
from raftlab.raft.progress import ProgressState
from tests.raft.world import (
    World,
    accepted,
    accepted_by_all,
    append_of,
    in_flight,
    leader,
    let_time_out,
    propose,
    rejected,
    tell,
    terms_of,
)

PROBE, PIPELINE = ProgressState.PROBE, ProgressState.PIPELINE
WINDOW = Options.figure_2(max_in_flight=3)


def known(node, peer="S2"):
    return node.role_data.tracker.progress[peer]


def led(**about) -> World:
    """Three nodes, S1 leads, everyone agrees and knows it."""
    world = World(3, **about)
    world.elect("S1")
    world.heartbeat("S1")
    assert {world[each].commit_index for each in ("S1", "S2", "S3")} == {1}
    return world


# The window


def test_no_more_messages_are_under_way_than_the_window_allows():
    node = accepted_by_all(leader(options=WINDOW))
    sent = [len(propose(node)) for _ in range(5)]
    assert sent == [2, 2, 2, 0, 0]
    assert in_flight(node, "S2") == 3


def test_an_acknowledgement_opens_the_window_and_what_waited_goes_out_in_one():
    node = accepted_by_all(leader(options=WINDOW))
    for _ in range(6):
        propose(node)
    (said,) = tell(node, accepted("S2", 1, 2))
    assert (said.prev_log_index, [each.index for each in said.entries]) == (4, [5, 6, 7])
    assert in_flight(node, "S2") == 3
    assert in_flight(node, "S3") == 3, "the other follower's window is its own"


def test_an_acknowledgement_of_the_last_message_covers_all_before_it():
    node = accepted_by_all(leader(options=WINDOW))
    for _ in range(3):
        propose(node)
    tell(node, accepted("S2", 1, 4))
    assert in_flight(node, "S2") == 0


def test_a_full_window_is_still_sent_heartbeats():
    node = accepted_by_all(leader(options=WINDOW))
    for _ in range(5):
        propose(node)
    said = let_time_out(node)
    assert said == [append_of("S1", 1, (4, 1), commit=1, to=peer) for peer in ("S2", "S3")]
    assert in_flight(node, "S2") == 3


def test_a_window_whose_acknowledgements_were_all_lost_opens_with_a_heartbeat_s():
    with led(options=WINDOW) as world:
        for _ in range(5):
            world.propose("S1")
        for _ in range(3):
            for peer in ("S2", "S3"):
                world.deliver(AppendEntries, "S1", peer)
                world.lose(AppendEntriesReply, peer, "S1")
        assert world["S1"].commit_index == 1
        world.tick("S1")
        world.settle()
        assert world["S1"].commit_index == 6
        assert terms_of(world["S2"]) == [1] * 6


def test_a_window_whose_messages_were_all_lost_is_repaired_by_a_heartbeat():
    with led(options=WINDOW) as world:
        for _ in range(5):
            world.propose("S1")
        world.lose_all()
        world.tick("S1")
        world.deliver(AppendEntries, "S1", "S2", entries=(), prev_log_index=4)
        world.deliver(
            AppendEntriesReply,
            "S2",
            "S1",
            result=Rejected(non_matching_index=4, last_index=1, hint_index=1, hint_term=1),
        )
        assert known(world["S1"]).state is PROBE
        world.settle()
        assert world["S2"].log == world["S1"].log
        assert world["S1"].commit_index == 6


# What is lost


def test_a_lost_probe_is_sent_again_with_the_next_heartbeat():
    with World(3) as world:
        world.elect("S1", "S1", "S2")
        assert known(world["S1"], "S3").probe_sent
        assert terms_of(world["S3"]) == []
        world.tick("S1")
        world.deliver(AppendEntries, "S1", "S3", prev_log_index=0)
        world.settle()
        assert terms_of(world["S3"]) == [1]
        assert known(world["S1"], "S3").state is PIPELINE


def test_a_lost_answer_to_a_probe_is_given_again():
    with World(3) as world:
        world.timeout("S1", force=True)
        world.settle("S1", "S2")
        world.tick("S1")
        world.deliver(AppendEntries, "S1", "S3")
        world.lose(AppendEntriesReply, "S3", "S1")
        world.settle()
        assert known(world["S1"], "S3").state is PROBE
        world.heartbeat("S1")
        assert known(world["S1"], "S3").state is PIPELINE


def test_a_lost_append_is_noticed_by_the_next_heartbeat_and_sent_again():
    with led() as world:
        world.propose("S1")
        world.lose(AppendEntries, "S1", "S2")
        world.settle()
        world.tick("S1")
        world.deliver(AppendEntries, "S1", "S2", entries=(), prev_log_index=2)
        world.deliver(AppendEntriesReply, "S2", "S1")
        again = world.deliver(AppendEntries, "S1", "S2")
        assert [each.index for each in again.entries] == [2]
        world.settle()
        assert world["S2"].log == world["S1"].log


def test_a_lost_append_is_noticed_by_the_next_append():
    with led() as world:
        world.propose("S1", "a")
        world.lose(AppendEntries, "S1", "S2")
        world.propose("S1", "b")
        world.deliver(AppendEntries, "S1", "S2", prev_log_index=2)
        world.deliver(
            AppendEntriesReply,
            "S2",
            "S1",
            result=Rejected(non_matching_index=2, last_index=1, hint_index=1, hint_term=1),
        )
        world.settle()
        assert world["S2"].log == world["S1"].log


def test_a_lost_acknowledgement_is_made_up_for_by_the_next_heartbeat():
    with led() as world:
        world.propose("S1")
        for peer in ("S2", "S3"):
            world.deliver(AppendEntries, "S1", peer)
            world.lose(AppendEntriesReply, peer, "S1")
        assert world["S1"].commit_index == 1
        world.tick("S1")
        world.deliver(AppendEntries, "S1", "S2", entries=())
        world.deliver(AppendEntriesReply, "S2", "S1", result=Accepted(2))
        assert world["S1"].commit_index == 2
        world.settle()


def test_a_lost_news_of_commitment_comes_with_the_next_heartbeat():
    with led() as world:
        world.propose("S1")
        world.settle()
        assert (world["S1"].commit_index, world["S2"].commit_index) == (2, 1)
        world.tick("S1")
        world.lose(AppendEntries, "S1", "S2")
        world.settle()
        assert (world["S2"].commit_index, world["S3"].commit_index) == (1, 2)
        world.heartbeat("S1")
        assert world["S2"].commit_index == 2


def test_a_follower_that_hears_nothing_for_long_catches_up_when_it_does():
    with led() as world:
        for _ in range(40):
            world.propose("S1")
            world.settle("S1", "S2")
        for _ in range(3):
            world.tick("S1")
            world.settle("S1", "S2")
        world.heartbeat("S1")
        assert terms_of(world["S3"]) == [1] * 41
        world.heartbeat("S1")
        assert world["S3"].commit_index == 41


# What comes twice, late, or in another order


def test_an_append_that_comes_twice_changes_nothing():
    with led() as world:
        world.propose("S1")
        sent = world.deliver(AppendEntries, "S1", "S2")
        log = world["S2"].log.copy()
        world.hand(sent)
        assert world["S2"].log == log
        world.settle()
        assert world["S1"].commit_index == 2


def test_appends_that_overtake_each_other_are_put_right():
    with led() as world:
        world.propose("S1", "a")
        world.propose("S1", "b")
        late = world.take(AppendEntries, "S1", "S2", prev_log_index=1)
        world.deliver(AppendEntries, "S1", "S2", prev_log_index=2)
        world.hand(late)
        world.settle()
        assert world["S2"].log == world["S1"].log
        assert world["S1"].commit_index == 3


def test_an_old_append_that_comes_last_cuts_nothing():
    with led() as world:
        world.propose("S1", "a")
        old = world.deliver(AppendEntries, "S1", "S2")
        world.propose("S1", "b")
        world.settle()
        held = world["S2"].log.copy()
        world.hand(old)
        world.deliver(AppendEntriesReply, "S2", "S1", result=Accepted(2))
        assert world["S2"].log == held
        assert known(world["S1"]).match_index == 3


@pytest.mark.parametrize("late", [0, 1, 2])
def test_an_acknowledgement_that_comes_late_does_not_reopen_what_is_settled(late):
    node = accepted_by_all(leader())
    propose(node)
    tell(node, accepted("S2", 1, 2))
    before = node.fingerprint()
    assert tell(node, accepted("S2", 1, late)) == []
    assert node.fingerprint() == before


@pytest.mark.parametrize(
    "stray",
    [
        rejected("S2", 1, at=1, last=9, hint=(0, 0)),
        rejected("S2", 1, at=2, last=9, hint=(0, 0)),
        rejected("S2", 1, at=9, last=1, hint=(1, 1)),
    ],
    ids=["below what matched", "at what matched", "its log was shorter then"],
)
def test_a_rejection_of_what_has_matched_since_is_stray(stray):
    node = accepted_by_all(leader())
    propose(node)
    tell(node, accepted("S2", 1, 2))
    before = node.fingerprint()
    assert tell(node, stray) == []
    assert node.fingerprint() == before


@pytest.mark.parametrize("at", [1, 2, 4, 99])
def test_a_rejection_of_another_place_than_the_probe_s_is_stray(at):
    node = leader(terms=(1, 1, 1))
    assert known(node).next_index == 4
    before = node.fingerprint()
    assert tell(node, rejected("S2", 2, at=at, last=0)) == []
    assert node.fingerprint() == before


def test_a_late_acknowledgement_does_not_end_a_probe_that_is_under_way():
    node = accepted_by_all(leader(terms=(1, 1)))
    for text in "abc":
        propose(node, text)
    tell(node, rejected("S2", 2, at=5, last=4, hint=(4, 2)))
    assert (known(node).state, known(node).next_index) == (PROBE, 5)
    tell(node, accepted("S2", 2, 3))
    assert known(node).state is PROBE
    tell(node, accepted("S2", 2, 4))
    assert known(node).state is PIPELINE


def test_a_heartbeat_s_acknowledgement_does_not_turn_an_unrepaired_probe_into_a_pipeline():
    node = leader(terms=(1, 1, 1))
    tell(node, accepted("S2", 2, 1))
    assert known(node).state is PROBE
    assert (known(node).match_index, known(node).next_index) == (1, 4)


def test_a_refusal_in_the_pipeline_is_answered_with_one_probe():
    node = accepted_by_all(leader(terms=(1, 1)))
    for text in "abc":
        propose(node, text)
    (probe,) = tell(node, rejected("S2", 2, at=4, last=3, hint=(3, 2)))
    assert (probe.prev_log_index, [each.index for each in probe.entries]) == (3, [4])
    assert (in_flight(node, "S2"), known(node).state) == (0, PROBE)


def test_even_if_half_of_everything_is_lost_all_logs_agree_in_the_end():
    for every in (2, 3):
        with led() as world:
            for number in range(60):
                if number % 2 == 0:
                    world.propose("S1")
                else:
                    world.tick("S1")
                world.flying = world.flying[number % every :: every]
                world.settle()
            world.heartbeat("S1")
            world.heartbeat("S1")
            assert [each.commit_index for each in world.machines.values()] == [31] * 3
            assert world["S2"].log == world["S3"].log == world["S1"].log
