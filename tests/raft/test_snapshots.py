"""Log compaction: snapshots taken, sent and installed. Paper 7, Figures 12 and 13."""

import pytest

from raftlab.raft.log import Command, LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
)
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Misuse, NotNow
from tests.raft.local import fields_of
from tests.raft.world import (
    COMPLETE,
    FIGURE_2,
    Disk,
    World,
    accepted,
    after,
    append,
    candidate,
    drain,
    entries,
    entry,
    install,
    installed,
    known,
    leader,
    let_time_out,
    machine,
    names,
    rejected,
    snapshot,
    tell,
    terms_of,
    vote,
)

PROBE, PIPELINE, SNAPSHOT = ProgressState.PROBE, ProgressState.PIPELINE, ProgressState.SNAPSHOT
THREE = Configuration(names(3))
JOINT = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4", "S5"))


def keeping(trailing: int) -> Options:
    """Figure 2, and so many entries kept below a snapshot."""
    return Options.figure_2(trailing_entries=trailing)


def follower(committed: int = 3, **about):
    """S1, who follows S2 in term 2 and has applied `committed` of the entries 1 1 1 2 2."""
    node = machine(terms=(1, 1, 1, 2, 2), **about)
    tell(node, append("S2", 2, (5, 2), commit=committed))
    return node


# Taking a snapshot


@pytest.mark.parametrize(
    ("trailing", "left"), [(0, [4, 5]), (2, [2, 3, 4, 5]), (9, [1, 2, 3, 4, 5])]
)
def test_a_snapshot_stands_for_what_is_applied_and_so_many_entries_stay(trailing, left):
    node = follower(options=keeping(trailing))
    node.compact(3, b"state")
    assert node.log.snapshot == Snapshot(3, 1, THREE, b"state")
    assert [each.index for each in node.log] == left
    output = node.poll()
    assert (output.snapshot, output.first_index) == (node.log.snapshot, left[0])
    assert (output.log_entries, output.truncate_from, output.committed) == ((), None, ())
    assert output.must_be_written


@pytest.mark.parametrize(
    ("up_to", "kind"),
    [(each, NotNow) for each in (0, 4, 5, 6)]
    + [(each, Misuse) for each in (-1, 10**30, None, "3", 2.5)],
)
def test_only_what_was_handed_out_as_committed_can_be_compacted(up_to, kind):
    node = follower()
    before = (node.fingerprint(), fields_of(node))
    with pytest.raises(kind, match=r"S1 cannot compact .* committed up to 3, and .* up to 0"):
        node.compact(up_to)
    assert (node.fingerprint(), fields_of(node)) == before


def test_what_is_committed_but_was_not_handed_out_yet_cannot_be_compacted():
    node = machine(terms=(1, 1))
    node.advance(append("S2", 1, (2, 1), commit=2), 0.0)
    with pytest.raises(NotNow):
        node.compact(1)
    node.poll()
    node.compact(1)


def test_what_a_snapshot_stands_for_already_cannot_be_compacted_again():
    node = follower()
    node.compact(2)
    for up_to in (1, 2):
        with pytest.raises(NotNow, match="stands for what is up to 2"):
            node.compact(up_to)
    node.compact(3)
    assert node.poll().snapshot.index == 3


def test_a_snapshot_holds_the_configuration_of_its_place_and_not_a_later_one():
    changed = LogEntry(1, 2, Configuration(("S1", "S2")))
    later = LogEntry(1, 3, Configuration(("S1", "S2", "S4")))
    node = machine(held=RaftLog((entry(1, 1), changed, later)), term=1)
    tell(node, append("S2", 1, (3, 1), commit=3))
    node.compact(1)
    assert node.log.snapshot.configuration == THREE, "the one that the cluster began with"
    node.compact(2)
    assert node.log.snapshot.configuration == changed.payload
    assert node.configuration == later.payload


def test_compacting_while_committed_entries_wait_to_be_applied_keeps_their_order():
    node = follower()
    node.advance(append("S2", 2, (5, 2), commit=5), 0.0)
    node.compact(2)
    output = node.poll()
    assert output.snapshot.index == 2
    assert output.committed == entries(2, 2, start=4)


def test_a_leader_compacts_too_and_goes_on():
    with World(3) as world:
        world.elect("S1")
        world.propose("S1")
        world.settle()
        world.compact("S1")
        world.propose("S1")
        world.settle()
        assert [world[node].commit_index for node in names(3)] == [3, 2, 2]
        assert terms_of(world["S1"]) == [1]


# A log that starts anywhere


@pytest.mark.parametrize("trailing", [(), (1, 1, 2)])
def test_a_node_whose_log_starts_at_a_snapshot_votes_by_what_it_stands_for(trailing):
    node = machine(held=after(snapshot(9, 2), trailing=trailing), term=2)
    (asked, _) = let_time_out(node)
    assert (asked.last_log_index, asked.last_log_term) == (9, 2)


def test_entries_that_overlap_a_snapshot_are_taken_from_its_end():
    """Bug museum: Scylla's stalled append inside a snapshot."""
    node = machine(held=after(snapshot(4, 1), 1), term=1)
    said = tell(node, append("S2", 1, (2, 1), (1, 1, 1, 1), commit=6))
    assert said == [accepted("S1", 1, 6, commit=6, to="S2")]
    assert [each.index for each in node.log] == [5, 6]
    assert drain(node).alarms == []


def test_entries_that_end_inside_a_snapshot_are_acknowledged_and_change_nothing():
    node = machine(held=after(snapshot(4, 1), 1), term=1)
    assert tell(node, append("S2", 1, (1, 1), (1, 1))) == [accepted("S1", 1, 3, commit=4, to="S2")]
    assert [each.index for each in node.log] == [5]


def test_a_tail_after_a_snapshot_is_cut_where_it_conflicts():
    node = machine(held=after(snapshot(4, 1), 1, 1, 1), term=1)
    tell(node, append("S2", 3, (5, 1), (3,)))
    assert [(each.index, each.term) for each in node.log] == [(5, 1), (6, 3)]


@pytest.mark.parametrize("trailing", [(), (1, 1)])
def test_what_contradicts_a_snapshot_raises_an_alarm_and_is_not_taken(trailing):
    node = machine(held=after(snapshot(4, 1), 1, trailing=trailing), term=1)
    node.advance(append("S2", 2, (3, 1), (2,)), 0.0)
    output = node.poll()
    assert "contradicts the committed entry 4" in output.alarms[0]
    assert node.log.last_index == 5


@pytest.mark.parametrize("keep", [0, 2, 9])
def test_repair_finds_its_way_into_a_log_that_starts_anywhere(keep):
    """S3 holds uncommitted entries of an old leader above what S1 has compacted."""
    with World(3, logs=[(1, 1, 2), (1, 1, 2), (1, 1, 1, 1)], options=keeping(keep)) as world:
        world.elect("S1", "S1", "S2")
        world.compact("S1", 3)
        world.heartbeat("S1")
        assert terms_of(world["S3"])[-1] == 3
        assert world["S3"].commit_index == world["S1"].commit_index
        assert world.applied["S3"] == world.applied["S1"]


# Installing one


def test_a_snapshot_beyond_the_log_takes_its_place():
    node, held = machine(terms=(1, 1), term=2), snapshot(7, 2)
    node.advance(install("S2", 2, held), 5.0)
    output = node.poll()
    assert output.messages == (installed("S1", 2, 7, to="S2"),)
    assert (output.snapshot, output.first_index, output.committed) == (held, 8, ())
    assert (len(node.log), node.log.last_index, node.log.last_term) == (0, 7, 2)
    assert (node.commit_index, node.leader) == (7, "S2")


def test_a_snapshot_is_heard_as_the_leader():
    node = candidate(term=1)
    tell(node, install("S2", 2, snapshot(7, 2)), after=20.0)
    assert (node.role, node.leader) == (Role.FOLLOWER, "S2")
    assert node.election_deadline == node.now + node.randomized_election_timeout


@pytest.mark.parametrize(("trailing", "left"), [(0, [5]), (2, [3, 4, 5])])
def test_a_tail_that_agrees_with_a_snapshot_is_kept(trailing, left):
    """Figure 13, rule 6."""
    node = follower(committed=1, options=keeping(trailing))
    node.advance(install("S2", 2, snapshot(4, 2)), 0.0)
    output = node.poll()
    assert [each.index for each in node.log] == left
    assert (output.truncate_from, output.first_index) == (None, left[0])
    assert (node.commit_index, node.log.last_index) == (4, 5)
    assert output.committed == (), "the snapshot says all that"


@pytest.mark.parametrize("trailing", [0, 9])
def test_a_tail_that_disagrees_with_a_snapshot_is_discarded(trailing):
    """Figure 13, rule 7: at index 4 this log holds term 2, and the snapshot term 3."""
    node = follower(committed=1, options=keeping(trailing))
    node.advance(install("S2", 3, snapshot(4, 3)), 0.0)
    output = node.poll()
    assert list(node.log) == []
    assert (output.truncate_from, output.first_index) == (5, 5)
    assert (node.commit_index, node.log.last_index, node.log.last_term) == (4, 4, 3)


def test_a_kept_tail_is_not_committed_by_the_snapshot():
    node = follower(committed=1)
    tell(node, install("S2", 2, snapshot(3, 1)))
    assert (node.commit_index, node.log.last_index) == (3, 5)


@pytest.mark.parametrize("index", [1, 2, 3])
def test_an_older_snapshot_rolls_nothing_back_and_is_answered_with_success(index):
    node = follower(committed=3)
    node.advance(install("S2", 2, Snapshot(index, 1, THREE, b"old")), 0.0)
    output = node.poll()
    assert output.messages == (installed("S1", 2, index, to="S2"),)
    assert (output.snapshot, output.first_index, output.truncate_from) == (None, None, None)
    assert (node.commit_index, node.log.last_index, node.log.snapshot) == (3, 5, None)


def test_a_snapshot_that_arrives_twice_is_taken_once():
    node = machine(term=2)
    assert tell(node, install("S2", 2, snapshot(7, 2))) == [installed("S1", 2, 7, to="S2")]
    tell(node, append("S2", 2, (7, 2), (2, 2), commit=8))
    node.advance(install("S2", 2, snapshot(7, 2)), 0.0)
    output = node.poll()
    assert output.messages == (installed("S1", 2, 7, to="S2"),)
    assert output.snapshot is None
    assert node.log.last_index == 9


def test_a_snapshot_overtaken_by_a_newer_one_changes_nothing():
    node = machine(term=2)
    tell(node, install("S2", 2, snapshot(9, 2)))
    tell(node, install("S2", 2, snapshot(7, 2)))
    assert (node.log.snapshot.index, node.commit_index) == (9, 9)


@pytest.mark.parametrize("there", [Configuration(("S1", "S2"), learners=("S3",)), JOINT])
def test_the_configuration_of_a_snapshot_is_in_force(there):
    node = machine(terms=(1, 1), term=2)
    tell(node, install("S2", 2, snapshot(7, 2, there)))
    assert node.configuration == there
    restarted = machine(held=RaftLog((), node.log.snapshot), term=2)
    assert restarted.configuration == there


def test_a_configuration_in_the_tail_counts_if_the_tail_is_kept_and_not_if_it_is_lost():
    tail = LogEntry(1, 3, Configuration(("S1", "S2")))
    for term, expected in ((1, tail.payload), (2, THREE)):
        node = machine(held=RaftLog((*entries(1, 1), tail)), term=2)
        assert node.configuration == tail.payload
        tell(node, install("S2", 2, snapshot(2, term)))
        assert node.configuration == expected


def test_who_starts_with_a_joint_snapshot_needs_both_majorities_and_then_leaves_it():
    node = machine(held=RaftLog((), snapshot(7, 2, JOINT)), term=2)
    asked = let_time_out(node)
    assert {each.receiver for each in asked} == {"S2", "S3", "S4", "S5"}
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 3))
    assert node.role is Role.CANDIDATE
    tell(node, vote("S4", 3))
    assert node.role is Role.LEADER
    for peer in ("S2", "S4"):
        tell(node, accepted(peer, 3, 8))
    assert node.configuration == Configuration(("S1", "S2", "S3"))
    assert node.log[9].payload == node.configuration


@pytest.mark.parametrize(
    "broken",
    [
        Snapshot(0, 1, THREE),
        Snapshot(-3, 1, THREE),
        Snapshot(7, 0, THREE),
        Snapshot(7, -1, THREE),
        Snapshot(7, 3, THREE),
        Snapshot(7, 2, Configuration(())),
        Snapshot(7, 2, Configuration((), old_voters=("S1",))),
        Snapshot(7, 2, Configuration(("S1", "S1"))),
        Snapshot(7, 2, Configuration(("S1",), learners=("S1",))),
    ],
    ids=repr,
)
def test_a_snapshot_that_no_leader_can_have_raises_an_alarm_and_changes_nothing(broken):
    node = follower(committed=1)
    before = node.fingerprint()
    node.advance(install("S2", 2, broken), 5.0)
    output = node.poll()
    assert "sent a snapshot that no leader can have" in output.alarms[0]
    refused = InstallSnapshotReply(2, "S1", "S2", broken.index, False)
    assert (output.messages, output.snapshot) == ((refused,), None)
    assert node.fingerprint() == before


def test_a_leader_that_is_sent_a_snapshot_of_its_own_term_raises_an_alarm_and_leads_on():
    node = leader(term=1)
    before = node.fingerprint()
    node.advance(install("S2", 2, snapshot(7, 2)), node.now)
    output = node.poll()
    assert "claims to lead the same term" in output.alarms[0]
    assert output.messages == ()
    assert (node.role, node.fingerprint()) == (Role.LEADER, before)


def test_a_snapshot_of_an_old_leader_is_refused_with_the_term_that_deposes_it():
    with lagging() as world:
        until_a_snapshot_leaves(world)
        world["S3"].advance(append("S2", 5, to="S3"), world.now)
        world.deliver(InstallSnapshot, "S1", "S3")
        reply = world.deliver(InstallSnapshotReply, "S3", "S1")
        assert (reply.term, reply.success) == (5, False)
        assert world["S1"].role is Role.FOLLOWER
        assert world["S3"].log.snapshot is None
        world.lose_all()


# Sending one


def sending(last: int = 9, *terms: int, **about):
    """S1 leads three; its log starts at a snapshot, and S2 needs that: it is on its way."""
    node = leader(held=after(snapshot(last, 1), *terms), term=1, **about)
    (sent,) = tell(node, rejected("S2", 2, at=last + len(terms), last=0))
    assert sent == InstallSnapshot(2, "S1", "S2", snapshot(last, 1))
    assert known(node, "S2").state is SNAPSHOT
    return node


def to(peer, said):
    """Of some messages, those for `peer`."""
    return [each for each in said if each.receiver == peer]


def snapshots_to(peer, said):
    """Of some messages, the snapshots for `peer`."""
    return [each for each in to(peer, said) if isinstance(each, InstallSnapshot)]


def test_a_follower_that_needs_what_was_compacted_is_sent_the_snapshot():
    node = sending()
    assert known(node, "S2").next_index == 10
    assert known(node, "S3").state is PROBE


def test_with_enough_trailing_entries_no_snapshot_is_needed():
    held = after(snapshot(9, 1), trailing=(1, 1, 1, 1))
    node = leader(held=held, term=1)
    (sent,) = tell(node, rejected("S2", 2, at=9, last=7, hint=(7, 1)))
    assert (type(sent), sent.prev_log_index) == (AppendEntries, 7)


def test_an_entry_is_of_no_use_without_the_term_of_the_one_before():
    """Entry 6 is kept, and entry 5, whose term must go with it, is not."""
    node = leader(held=after(snapshot(9, 1), trailing=(1, 1, 1, 1)), term=1)
    (sent,) = tell(node, rejected("S2", 2, at=9, last=5, hint=(5, 1)))
    assert isinstance(sent, InstallSnapshot)


def test_while_a_snapshot_is_under_way_no_entries_are_sent():
    node = sending()
    node.add_entry(Command(b"x"))
    assert to("S2", drain(node).messages) == []


def test_after_the_snapshot_entries_follow_at_once():
    node = sending(9, 1, 1)
    (sent,) = tell(node, installed("S2", 2, 9))
    assert (sent.prev_log_index, sent.prev_log_term) == (9, 1)
    assert [each.index for each in sent.entries] == [10, 11, 12]
    assert (known(node, "S2").state, known(node, "S2").match_index) == (PIPELINE, 9)


def test_a_snapshot_that_was_taken_counts_for_commitment():
    node = leader(held=after(snapshot(9, 1), 1), term=1)
    tell(node, installed("S2", 2, 9))
    assert node.commit_index == 9
    tell(node, accepted("S2", 2, 11))
    assert node.commit_index == 11


def test_a_follower_that_waits_for_a_snapshot_still_gets_heartbeats_that_it_accepts():
    node, waiting = sending(options=FIGURE_2), machine("S2", term=2)
    for _ in range(4):
        (beat,) = to("S2", let_time_out(node))
        assert (type(beat), beat.entries) == (AppendEntries, ())
        assert beat.leader_commit <= 9
        deadline = waiting.election_deadline
        tell(waiting, beat, after=node.now - waiting.now)
        assert (waiting.leader, waiting.commit_index) == ("S1", 0)
        assert waiting.election_deadline > deadline
    assert known(node, "S2").state is SNAPSHOT


def test_answers_to_heartbeats_do_not_end_the_wait_for_a_snapshot():
    node = sending(9, 1, 1)
    assert tell(node, rejected("S2", 2, at=9, last=0)) == []
    assert tell(node, accepted("S2", 2, 0)) == []
    assert known(node, "S2").state is SNAPSHOT


def test_a_leader_all_of_whose_followers_wait_for_snapshots_is_not_deposed():
    """Check-quorum counts every answer; nobody campaigns against a leader that speaks."""
    patient = Options(snapshot_timeout=10_000.0)
    node = leader(held=after(snapshot(9, 1)), term=1, options=patient)
    peers = {peer: machine(peer, term=2, options=patient) for peer in ("S2", "S3")}
    for _ in range(20):
        for message in let_time_out(node):
            peer = peers[message.receiver]
            assert node.now < peer.election_deadline
            if not isinstance(message, InstallSnapshot):
                (reply,) = tell(peer, message, after=node.now - peer.now)
                tell(node, reply)
    assert {known(node, peer).state for peer in peers} == {SNAPSHOT}
    assert (node.role, node.term) == (Role.LEADER, 2)
    assert node.now > 2 * COMPLETE.election_timeout[1]


def lagging(**about) -> World:
    """S1 leads, S2 has everything, S3 has nothing, and the log of S1 starts at 3."""
    world = World(3, **about)
    world.elect("S1", "S1", "S2")
    world.propose("S1")
    world.settle("S1", "S2")
    world.compact("S1")
    return world


def until_a_snapshot_leaves(world) -> None:
    """Let S1 speak, and S3 answer, until a snapshot for S3 is on its way."""
    for _ in range(20):
        world.tick("S1")
        while world.flying:
            if isinstance(world.flying[0], InstallSnapshot):
                return
            world.hand(world.flying.pop(0))
    raise AssertionError("no snapshot in twenty heartbeats")


def caught_up(world) -> bool:
    """Whether S3 holds what S1 holds, and has applied it."""
    same = world["S3"].log.last_index == world["S1"].log.last_index
    return same and world.applied["S3"] == world.applied["S1"]


def test_a_snapshot_that_is_lost_is_sent_again():
    with lagging() as world:
        until_a_snapshot_leaves(world)
        sent_at = world.now
        world.lose(InstallSnapshot, "S1", "S3")
        world.settle()
        until_a_snapshot_leaves(world)
        assert world.now >= sent_at + FIGURE_2.snapshot_timeout
        world.settle()
        world.heartbeat("S1")
        assert caught_up(world)


def test_a_snapshot_is_not_sent_again_before_its_time():
    with lagging(options=Options.figure_2(snapshot_timeout=120.0)) as world:
        until_a_snapshot_leaves(world)
        sent_at = world.now
        world.lose(InstallSnapshot, "S1", "S3")
        while world.now < sent_at + 100.0:
            world.heartbeat("S1")
            assert known(world["S1"], "S3").state is SNAPSHOT
        world.heartbeat("S1")
        assert caught_up(world)


def test_a_reply_that_is_lost_is_made_up_for_by_an_answer_to_a_heartbeat():
    with lagging() as world:
        until_a_snapshot_leaves(world)
        world.deliver(InstallSnapshot, "S1", "S3")
        world.lose(InstallSnapshotReply, "S3", "S1")
        world.tick("S1")
        assert world.deliver(AppendEntries, "S1", "S3").prev_log_index == 2
        world.deliver(AppendEntriesReply, "S3", "S1")
        assert known(world["S1"], "S3").state is PIPELINE
        world.settle()
        assert caught_up(world)


@pytest.mark.parametrize("again", [False, True], ids=["once", "and the next one too"])
def test_a_log_that_was_compacted_further_meanwhile_costs_one_more_snapshot(again):
    """The reply is lost as well, so that heartbeats have nothing to ask about."""
    with lagging() as world:
        until_a_snapshot_leaves(world)
        world.deliver(InstallSnapshot, "S1", "S3")
        world.lose(InstallSnapshotReply, "S3", "S1")
        for _ in range(2 if again else 1):
            world.propose("S1")
            world.settle("S1", "S2")
            world.compact("S1")
        for _ in range(15):
            world.heartbeat("S1")
        assert caught_up(world)
        assert world["S3"].log.snapshot == world["S1"].log.snapshot


def test_until_it_is_given_up_a_snapshot_is_not_followed_by_a_newer_one():
    """The log was compacted further, so that heartbeats have nothing left to ask about."""
    node = sending(9, 1)
    tell(node, accepted("S3", 2, 11))
    node.compact(11)
    while (now := node.next_deadline) < FIGURE_2.snapshot_timeout:
        (beat,) = to("S2", let_time_out(node))
        assert (type(beat), beat.prev_log_index, beat.prev_log_term) == (AppendEntries, 0, 0)
        assert (node.now, beat.entries) == (now, ())
        assert tell(node, accepted("S2", 2, 0)) == []
    (probe,) = to("S2", let_time_out(node))
    assert isinstance(probe, InstallSnapshot)
    assert probe.snapshot.index == 11


def test_a_late_success_for_an_earlier_snapshot_does_not_end_the_wait_for_the_newer():
    node = sending(9)
    tell(node, installed("S2", 2, 4))
    assert (known(node, "S2").state, known(node, "S2").match_index) == (SNAPSHOT, 4)
    tell(node, installed("S2", 2, 9))
    assert known(node, "S2").state is PIPELINE


def test_a_refused_snapshot_is_tried_again_at_the_next_heartbeat_and_not_at_once():
    node = sending(9, 1)
    assert tell(node, installed("S2", 2, 0, success=False)) == []
    assert known(node, "S2").state is PROBE
    (probe,) = to("S2", let_time_out(node))
    assert (probe.prev_log_index, len(probe.entries)) == (9, 1)
    (again,) = tell(node, rejected("S2", 2, at=9, last=0))
    assert isinstance(again, InstallSnapshot)


def test_a_refusal_of_no_snapshot_that_is_under_way_says_nothing():
    node = leader(terms=(1, 1))
    tell(node, accepted("S2", 2, 3))
    before = node.fingerprint()
    assert tell(node, installed("S2", 2, 1, success=False)) == []
    assert node.fingerprint() == before


def test_a_reply_of_a_stranger_or_an_earlier_term_says_nothing():
    node = sending()
    before = node.fingerprint()
    for reply in (installed("S9", 2, 9), installed("S2", 1, 9)):
        assert tell(node, reply) == []
    assert node.fingerprint() == before


def test_a_reply_beyond_the_log_proves_no_more_than_the_log():
    node = sending()
    tell(node, installed("S2", 2, 10**30))
    assert known(node, "S2").match_index == node.log.last_index


@pytest.mark.parametrize("success", [True, False])
def test_every_reply_to_a_snapshot_is_a_sign_of_life(success):
    node = sending(options=Options.figure_2(check_quorum=True))
    tell(node, installed("S2", 2, 9, success=success), after=100.0)
    assert known(node, "S2").last_reply_at == 100.0
    node.tick(200.0)
    assert node.role is Role.LEADER


def test_a_snapshot_that_covers_the_whole_log_is_retried_although_no_entry_is_due():
    node = leader(held=after(snapshot(9, 1)), term=1)
    tell(node, accepted("S3", 2, 10))
    node.compact(10)
    for _ in range(40):
        said = let_time_out(node)
        for beat in to("S2", said):
            if isinstance(beat, AppendEntries) and beat.prev_log_index:
                said += tell(node, rejected("S2", 2, at=beat.prev_log_index, last=0))
        if snapshots_to("S2", said):
            return
    raise AssertionError("S2 never gets its snapshot")


def test_a_learner_is_brought_up_by_a_snapshot():
    learning = Configuration(("S1",), learners=("S2",))
    node = machine(held=RaftLog((), snapshot(9, 1, learning)), term=1)
    let_time_out(node)
    assert node.role is Role.LEADER
    (sent,) = tell(node, rejected("S2", 2, at=9, last=0))
    assert sent.snapshot.configuration == learning
    (more,) = tell(node, installed("S2", 2, 9))
    assert [each.index for each in more.entries] == [10]


# Restart


@pytest.mark.parametrize("keep", [0, 1, 9])
def test_a_node_restarts_from_its_snapshot_and_what_follows(keep):
    with World(3, options=keeping(keep)) as world:
        world.elect("S1")
        for text in ("a", "b", "c"):
            world.propose("S1", text)
        world.settle()
        world.heartbeat("S1")
        world.compact("S2", 2)
        before = world["S2"].log.copy()
        world.crash("S2")
        world.restart("S2")
        assert world["S2"].log == before
        assert world["S2"].commit_index == 2
        world.heartbeat("S1")
        assert world.applied["S2"] == world.applied["S1"]


def test_a_node_that_was_brought_up_by_a_snapshot_restarts_from_it():
    with lagging() as world:
        for _ in range(3):
            world.heartbeat("S1")
        world.propose("S1", "later")
        world.heartbeat("S1")
        world.crash("S3")
        world.restart("S3")
        assert (world["S3"].log.first_index, world["S3"].log.last_index) == (3, 3)
        world.heartbeat("S1")
        assert caught_up(world)


def test_what_a_snapshot_stands_for_is_not_applied_again_after_a_restart():
    node = machine(held=after(snapshot(4, 1), 1, 1), term=1, commit_index=5)
    assert node.poll().committed == (entry(5, 1),)
    assert machine(held=after(snapshot(4, 1), 1, 1), term=1, commit_index=2).poll() is NOTHING


# The disk


def disk_after(node, *messages: object):
    """What a disk holds that does as each output says; polled after every message."""
    disk = Disk(node)
    for message in messages:
        node.advance(message, node.now)
        while (output := node.poll()) is not NOTHING:
            disk.write(output)
    return RaftLog(disk.log, disk.snapshot)


TALK = [
    append("S2", 2, (0, 0), (1, 1, 2, 2), commit=1),
    install("S2", 2, snapshot(3, 2)),
    append("S2", 2, (4, 2), (2, 2)),
    append("S3", 3, (4, 2), (3,)),
    install("S3", 4, snapshot(5, 4)),
    append("S3", 4, (5, 4), (4, 4)),
    install("S2", 5, snapshot(12, 5)),
    append("S2", 5, (12, 5), (5,), commit=13),
]


@pytest.mark.parametrize("keep", [0, 1, 9])
def test_what_is_written_is_the_log_wherever_it_starts(keep):
    for length in range(1, len(TALK) + 1):
        node = machine(term=1, options=keeping(keep))
        assert disk_after(node, *TALK[:length]) == node.log


@pytest.mark.parametrize("keep", [0, 1, 9])
def test_what_is_written_is_the_log_whenever_it_is_polled(keep):
    """Several cuts and snapshots in one output come to the same."""
    for polls in range(1 << len(TALK)):
        node = machine(term=1, options=keeping(keep))
        disk = Disk(node)
        for number, message in enumerate(TALK):
            node.advance(message, node.now)
            if polls & 1 << number or message is TALK[-1]:
                disk.write(node.poll())
                assert RaftLog(disk.log, disk.snapshot) == node.log


def test_entries_that_were_never_written_and_that_a_snapshot_covers_are_not_written():
    node = machine(term=1)
    node.advance(append("S2", 2, (0, 0), (2, 2, 2)), 0.0)
    node.advance(install("S2", 2, snapshot(2, 2)), 0.0)
    output = node.poll()
    assert (output.log_entries, output.first_index) == ((entry(3, 2),), 3)


def test_of_two_snapshots_between_two_polls_the_newer_is_written():
    node = follower(committed=3)
    node.compact(2)
    node.advance(install("S2", 2, snapshot(5, 2)), 0.0)
    output = node.poll()
    assert (output.snapshot.index, output.first_index) == (5, 6)
    assert node.poll() is NOTHING


# What a host that carries snapshots itself can say


def test_a_host_that_knows_that_a_snapshot_failed_need_not_wait_for_the_timeout():
    node = sending()
    assert known(node, "S2").state is ProgressState.SNAPSHOT
    node.snapshot_failed("S2")
    assert known(node, "S2").state is ProgressState.PROBE
    told = [each for each in let_time_out(node) if each.receiver == "S2"]
    assert [type(each) for each in told] == [AppendEntries]
    assert told[0].prev_log_index == node.log.snapshot.index


@pytest.mark.parametrize("whom", ["S1", "S3", "S9"])
def test_of_others_nothing_is_taken_for_lost(whom):
    node = sending()
    before = node.fingerprint()
    node.snapshot_failed(whom)
    assert node.fingerprint() == before


def test_a_follower_has_sent_no_snapshot_that_could_fail():
    node = machine(terms=(1, 1))
    before = node.fingerprint()
    node.snapshot_failed("S2")
    assert node.fingerprint() == before
