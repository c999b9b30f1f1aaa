"""How voters and learners come and go. Paper: 6. Thesis: 4. Numbers like E8: the bug museum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.log import Command, LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.options import Options
from raftlab.raft.roles import Cause, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Misuse, NotLeader, NotNow
from tests.raft import world as worlds
from tests.raft.members import (
    CHANGING,
    NEITHER_OR_BOTH,
    Crowd,
    Members,
    configurations,
    leading,
    members,
)
from tests.raft.test_properties import times
from tests.raft.world import (
    COMPLETE,
    FIGURE_2,
    accepted,
    accepted_by_all,
    append,
    append_of,
    candidate,
    drain,
    entry,
    leader,
    let_time_out,
    machine,
    propose,
    tell,
    vote,
)

CAREFUL = Options.figure_2(catch_up_first=True)
ONE_BY_ONE = Options.figure_2(single_server_changes=True)
CHECKED = Options.figure_2(check_quorum=True)
LOW = FIGURE_2.election_timeout[0]

THREE = members("S1 S2 S3")
FOUR = members("S1 S2 S3 S4")
JOINT = members("S1 S2 S3 S4", old="S1 S2 S3")


def ready(**about):
    """S1 leads, and everything is committed and acknowledged."""
    return accepted_by_all(leader(**about))


def ask(node, voters, learners=""):
    """Ask a leader for these members; everything that it says then."""
    node.add_entry(members(voters, learners=learners))
    return drain(node).messages


def takes(node, target):
    """Whether a leader takes this change now."""
    try:
        node.add_entry(target)
    except NotNow:
        return False
    return True


def log_of(*payloads, term=1):
    """A log of one term with these payloads."""
    return RaftLog(LogEntry(term, index, each) for index, each in enumerate(payloads, 1))


# In force from the moment it is in the log


def test_a_configuration_is_in_force_for_the_leader_that_appends_it():
    node = ready()
    index = node.add_entry(FOUR)
    assert node.configuration == JOINT
    assert (node.log[index].payload, node.commit_index) == (JOINT, index - 1)
    assert [each.receiver for each in drain(node).messages] == ["S2", "S3", "S4"]


def test_a_configuration_is_in_force_for_the_follower_that_receives_it():
    node = machine()
    tell(node, append_of("S2", 1, (0, 0), LogEntry(1, 1, JOINT)))
    assert (node.configuration, node.commit_index) == (JOINT, 0)


def test_a_configuration_that_is_cut_away_gives_back_the_one_before():
    node = machine()
    tell(node, append_of("S2", 1, (0, 0), entry(1, 1), LogEntry(1, 2, JOINT)))
    tell(node, append("S3", 2, (1, 1), (2,)))
    assert node.configuration == THREE


@pytest.mark.parametrize(("cut_at", "stays"), [(4, FOUR), (3, JOINT), (2, THREE)])
def test_a_cut_through_several_configurations_gives_back_the_last_that_stays(cut_at, stays):
    node = machine()
    held = (LogEntry(1, 2, JOINT), LogEntry(1, 3, FOUR), LogEntry(1, 4, Command(b"x")))
    tell(node, append_of("S2", 1, (0, 0), entry(1, 1), *held))
    assert node.configuration == FOUR
    tell(node, append("S3", 2, (cut_at - 1, 1), (2,)))
    assert node.configuration == stays
    assert node.log.configuration_index == {FOUR: 3, JOINT: 2, THREE: 0}[stays]


def test_a_cut_that_brings_another_configuration_puts_that_in_force():
    node = machine()
    tell(node, append_of("S2", 1, (0, 0), LogEntry(1, 1, JOINT)))
    other = members("S1 S2", old="S1 S2 S3")
    tell(node, append_of("S3", 2, (0, 0), LogEntry(2, 1, other)))
    assert node.configuration == other


def test_a_configuration_outlives_a_restart():
    with Members("S1 S2 S3", others="S4") as world:
        world.elect("S1")
        world.change("S1", "S1 S2 S3 S4")
        world.settle("S1", "S2", "S3")
        for node in ("S2", "S3"):
            world.crash(node)
            world.restart(node)
            assert world[node].configuration == FOUR


def test_a_configuration_outlives_the_compaction_of_its_entry():
    node = ready()
    ask(node, "S1 S2 S3 S4")
    accepted_by_all(accepted_by_all(node))
    propose(node)
    accepted_by_all(node)
    node.compact(node.commit_index)
    assert node.configuration == node.log.snapshot.configuration == FOUR
    restarted = machine(held=node.log.copy(), term=1)
    assert restarted.configuration == FOUR


def test_a_snapshot_holds_the_configuration_at_its_end_and_not_a_later_one():
    node = ready()
    ask(node, "S1 S2 S3 S4")
    node.compact(1)
    assert node.log.snapshot.configuration == THREE
    assert node.configuration == JOINT


def test_a_snapshot_that_is_received_brings_its_configuration_with_both_halves():
    """E6: a node that knew only the new half would elect with one majority."""
    node = machine(options=FIGURE_2)
    tell(
        node, InstallSnapshot(term=3, sender="S2", receiver="S1", snapshot=Snapshot(7, 2, CHANGING))
    )
    assert node.configuration == CHANGING
    asked = {each.receiver for each in let_time_out(node)}
    assert asked == {"S2", "S3", "S4", "S5"}
    tell(node, vote("S2", node.term))
    assert node.role is Role.CANDIDATE
    for peer in ("S4", "S5"):
        tell(node, vote(peer, node.term))
    assert node.role is Role.LEADER


# Through a joint configuration


def test_a_change_of_voters_enters_a_joint_configuration_and_leaves_it_by_itself():
    with Members("S1 S2 S3", others="S4 S5") as world:
        world.elect("S1")
        world.change("S1", "S1 S4 S5")
        world.settle()
        world.heartbeat("S1")
        there_and_back = [members("S1 S4 S5", old="S1 S2 S3"), members("S1 S4 S5")]
        for node in ("S1", "S4", "S5"):
            assert configurations(world[node]) == there_and_back
            assert world[node].commit_index == 3


def test_the_joint_configuration_is_left_when_it_is_committed_and_not_when_something_else_is():
    node = ready()
    propose(node)
    ask(node, "S1 S2 S3 S4")
    for peer in ("S2", "S3", "S4"):
        tell(node, accepted(peer, 1, 2))
    assert (node.commit_index, node.configuration) == (2, JOINT)
    for peer in ("S2", "S3", "S4"):
        tell(node, accepted(peer, 1, 3))
    assert (node.commit_index, node.configuration) == (3, FOUR)


def test_what_is_asked_for_while_a_change_is_under_way_does_not_make_it_leave_twice():
    """E7: the joint configuration is left once, wherever it stands in the log."""
    node = ready()
    ask(node, "S1 S2 S3 S4")
    for _ in range(3):
        propose(node)
    for index in range(2, 7):
        for peer in ("S2", "S3", "S4"):
            tell(node, accepted(peer, 1, index))
    assert configurations(node) == [JOINT, FOUR]


@pytest.mark.parametrize("knows", [False, True], ids=["not known", "known to be committed"])
def test_a_leader_that_takes_over_while_joint_leaves_it(knows):
    """E8: whether or not it knows already that the joint configuration is committed."""
    with Members("S1 S2 S3", others="S4") as world:
        world.elect("S1")
        at = world.change("S1", "S1 S2 S3 S4")
        for peer in ("S2", "S3", "S4"):
            world.deliver(AppendEntries, "S1", peer)
        world.crash("S1")
        if knows:
            world.hand(append("S1", 1, (at, 1), commit=at, to="S2"))
        world.lose_all()
        assert (world["S2"].configuration, world["S2"].commit_index >= at) == (JOINT, knows)
        world.elect("S2")
        world.heartbeat("S2")
        for node in ("S2", "S3"):
            assert configurations(world[node]) == [JOINT, FOUR]
        assert world["S2"].commit_index == world["S2"].log.last_index


def test_a_leader_that_takes_over_when_it_was_left_does_not_leave_it_again():
    with Members("S1 S2 S3", others="S4") as world:
        world.elect("S1")
        world.change("S1", "S1 S2 S3 S4")
        world.settle("S1", "S2", "S4")
        assert configurations(world["S2"]) == [JOINT, FOUR]
        world.crash("S1")
        world.elect("S2")
        assert configurations(world["S2"]) == configurations(world["S3"]) == [JOINT, FOUR]


def test_a_joint_configuration_of_an_earlier_term_is_not_left_before_the_own_term_commits():
    node = leading(THREE, held=log_of(Command(b"x"), JOINT), term=1)
    for peer in ("S2", "S3", "S4"):
        tell(node, accepted(peer, 2, 2))
    assert (node.commit_index, configurations(node)) == (0, [JOINT])
    for peer in ("S2", "S3", "S4"):
        tell(node, accepted(peer, 2, 3))
    assert (node.commit_index, configurations(node)) == (3, [JOINT, FOUR])


def test_everyone_may_restart_while_joint():
    with Members("S1 S2 S3", others="S4") as world:
        world.elect("S1")
        world.change("S1", "S1 S2 S4")
        for peer in ("S2", "S3", "S4"):
            world.deliver(AppendEntries, "S1", peer, prev_log_index=1)
        world.lose_all()
        for node in ("S1", "S2", "S3", "S4"):
            world.crash(node)
            world.restart(node)
            assert world[node].configuration.is_joint == (node != "S4")
        world.elect("S1")
        assert world["S1"].configuration == world["S4"].configuration == members("S1 S2 S4")


# Two majorities


@pytest.mark.parametrize(("others", "enough"), NEITHER_OR_BOTH)
def test_while_joint_a_candidate_needs_both_majorities_and_not_one_of_the_union(others, enough):
    node = candidate(configuration=CHANGING)
    for peer in others:
        tell(node, vote(peer, 1))
    assert (node.role is Role.LEADER) is enough


@pytest.mark.parametrize(("others", "enough"), NEITHER_OR_BOTH)
def test_while_joint_an_entry_needs_both_majorities_and_not_one_of_the_union(others, enough):
    node = leading(CHANGING)
    for peer in others:
        tell(node, accepted(peer, 1, 1))
    assert node.commit_index == (1 if enough else 0)


@pytest.mark.parametrize(("others", "enough"), NEITHER_OR_BOTH)
def test_while_joint_a_leader_must_hear_both_majorities_and_not_one_of_the_union(others, enough):
    node = leading(CHANGING, options=CHECKED)
    node.tick(node.now + LOW - 1)
    for peer in others:
        tell(node, accepted(peer, 1, 0))
    node.tick(node.now + 1)
    assert (node.role is Role.LEADER) is enough


def test_a_leader_outside_the_new_set_counts_itself_in_the_old_one_alone():
    node = leading(members("S2 S3", old="S1"))
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 0, "one of the two new voters"
    tell(node, accepted("S3", 1, 1))
    assert node.commit_index == 1


DEMOTED = members("S2", old="S1", learners="S1")


def test_a_voter_on_its_way_to_learner_still_votes_in_the_old_set():
    """E17: otherwise nobody can ever be elected."""
    node = candidate(configuration=DEMOTED)
    tell(node, vote("S2", 1))
    assert node.role is Role.LEADER


def test_its_own_vote_may_also_be_the_last_to_count():
    node = machine(configuration=DEMOTED)
    node.campaign(node.now, force=True)
    node.advance(vote("S2", 1), node.now)
    assert node.role is Role.CANDIDATE, "its own vote is not on disk yet"
    drain(node)
    assert node.role is Role.LEADER


def test_a_voter_on_its_way_to_learner_is_asked_and_counts_in_the_old_set():
    joint = members("S1", old="S1 S2 S3", learners="S2 S3")
    node = machine(configuration=joint)
    assert [each.receiver for each in let_time_out(node)] == ["S2", "S3"]
    assert node.role is Role.CANDIDATE
    tell(node, vote("S3", 1))
    assert node.role is Role.LEADER
    assert node.commit_index == 0
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 2, "and the new set is this leader alone"


def test_leaving_the_joint_configuration_may_commit_more_without_another_answer():
    """A and B hold 5, C 6, D 7, E 8; from A B to A B C D E: 5 while joint, then 6."""
    node = leading(members("S1 S2 S3 S4 S5", old="S2 S3"))
    for _ in range(7):
        propose(node)
    for peer, index in (("S4", 6), ("S5", 7), ("S3", 5)):
        tell(node, accepted(peer, 1, index))
    assert node.commit_index == 0
    node.advance(accepted("S2", 1, 5), node.now)
    assert (node.commit_index, node.log.last_index) == (6, 9)
    assert [note.details for note in node.poll().debug_log if note.text.startswith("com")] == [
        (5,),
        (6,),
    ]


def test_a_configuration_is_committed_by_its_own_majority_also_when_that_is_the_leader_alone():
    with Members("S1 S2") as world:
        world.elect("S1")
        world.change("S1", "S1")
        world.settle()
        assert (world["S1"].configuration, world["S1"].commit_index) == (members("S1"), 3)


# Learners


def test_learners_come_and_go_at_once():
    node = ready()
    ask(node, "S1 S2 S3", learners="S4")
    assert node.configuration == members("S1 S2 S3", learners="S4")
    accepted_by_all(node)
    ask(node, "S1 S2 S3")
    assert node.configuration == THREE
    assert not any(each.is_joint for each in configurations(node))


def test_a_learner_receives_the_log_and_what_is_committed():
    with Members("S1 S2 S3", others="S4") as world:
        world.elect("S1")
        world.propose("S1")
        world.settle()
        world.change("S1", "S1 S2 S3", learners="S4")
        world.settle()
        world.heartbeat("S1")
        assert world.applied["S4"] == world.applied["S1"]
        assert len(world.applied["S4"]) == 3


def test_a_learner_counts_for_nothing():
    learning = members("S1 S2 S3", learners="S4 S5")
    node = leading(learning)
    for peer in ("S4", "S5"):
        tell(node, accepted(peer, 1, 1))
    assert node.commit_index == 0
    asking = candidate(configuration=learning)
    for peer in ("S4", "S5"):
        tell(asking, vote(peer, 1))
    assert asking.role is Role.CANDIDATE


def test_a_learner_does_not_campaign_even_if_told_to():
    node = machine("S4", configuration=members("S1 S2", learners="S4"))
    for _ in range(3):
        assert let_time_out(node) == []
    node.campaign(node.now, force=True)
    assert (node.role, node.term) == (Role.FOLLOWER, 0)


def test_a_promoted_learner_that_does_not_know_it_votes_when_asked():
    """E4: its vote may be the one that is missing."""
    with Members("S1 S2", learners="S3") as world:
        world.elect("S1")
        world.change("S1", "S1 S2 S3")
        world.settle("S1", "S2")
        assert world["S2"].configuration == THREE
        assert world["S3"].configuration == members("S1 S2", learners="S3")
        world.crash("S1")
        world.elect("S2")
        assert world["S3"].configuration == THREE


# Catching up


def test_a_learner_that_has_just_come_is_not_made_a_voter():
    node = ready(options=CAREFUL)
    ask(node, "S1 S2 S3", learners="S4")
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 2))
    before = node.fingerprint()
    with pytest.raises(NotNow, match="S4 has not caught up yet: it lacks 2 entries"):
        node.add_entry(FOUR)
    assert node.fingerprint() == before


def learning(**about):
    """S1 leads S2 and S3, and S4 learns: it has not been heard yet."""
    about = {"options": CAREFUL, **about}
    node = leading(members("S1 S2 S3", learners="S4"), **about)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 1))
    return node


def test_a_learner_whose_round_was_short_is_made_a_voter():
    node = learning()
    tell(node, accepted("S4", 1, 1), after=LOW - 1)
    assert takes(node, FOUR)
    assert node.configuration == JOINT


def test_a_learner_whose_round_was_long_is_not_but_the_next_round_may_be_short():
    node = learning()
    tell(node, accepted("S4", 1, 1), after=LOW)
    with pytest.raises(NotNow, match="S4 has not caught up"):
        node.add_entry(FOUR)
    tell(node, accepted("S4", 1, 1), after=20.0)
    assert takes(node, FOUR)


def test_a_round_brings_what_the_leader_held_when_the_round_began_and_no_less():
    node = learning()
    for _ in range(3):
        propose(node)
    tell(node, accepted("S4", 1, 1))
    assert node.role_data.tracker.progress["S4"].round_end == 4
    tell(node, accepted("S4", 1, 3), after=LOW)
    with pytest.raises(NotNow, match="S4 has not caught up yet: it lacks 1 entry"):
        node.add_entry(FOUR)
    propose(node)
    tell(node, accepted("S4", 1, 4))
    newcomer = node.role_data.tracker.progress["S4"]
    assert not newcomer.caught_up, "that round took an election timeout"
    assert node.role_data.tracker.progress["S4"].round_end == 5
    tell(node, accepted("S4", 1, 5), after=30.0)
    assert takes(node, FOUR)


def test_a_learner_that_caught_up_once_and_fell_silent_is_not_made_a_voter():
    node = learning()
    tell(node, accepted("S4", 1, 1))
    node.tick(node.now + LOW)
    with pytest.raises(NotNow, match="S4 has not caught up yet: it was last heard 150 ms ago"):
        node.add_entry(FOUR)


def test_a_new_leader_sees_for_itself_who_has_caught_up():
    with Members("S1 S2 S3", learners="S4", options=CAREFUL) as world:
        world.elect("S1")
        world.crash("S1")
        world.timeout("S2", force=True)
        world.settle("S2", "S3")
        with pytest.raises(NotNow, match="S4 has not caught up"):
            world.change("S2", "S2 S3 S4")
        world.heartbeat("S2")
        world.heartbeat("S2")
        world.change("S2", "S2 S3 S4")
        world.settle()
        assert world["S4"].configuration == members("S2 S3 S4")


def test_a_stranger_learns_before_it_votes():
    node = ready(options=CAREFUL)
    before = node.fingerprint()
    with pytest.raises(NotNow, match="S4 is no member: add it as a learner first"):
        node.add_entry(FOUR)
    assert node.fingerprint() == before
    plain = ready(options=FIGURE_2)
    plain.add_entry(FOUR)
    assert plain.configuration == JOINT


def test_a_voter_made_a_learner_catches_up_anew():
    node = ready(options=CAREFUL)
    ask(node, "S1 S2", learners="S3")
    accepted_by_all(accepted_by_all(node))
    assert node.configuration == members("S1 S2", learners="S3")
    node.tick(node.now + LOW)
    with pytest.raises(NotNow, match="S3 has not caught up"):
        node.add_entry(THREE)
    for _ in range(2):
        tell(node, accepted("S3", 1, node.log.last_index), after=10.0)
    assert takes(node, THREE)


def test_voters_go_without_anyone_catching_up():
    node = ready(options=CAREFUL)
    ask(node, "S1 S2")
    assert node.configuration == members("S1 S2", old="S1 S2 S3")


# One change at a time


def test_no_change_begins_while_another_is_uncommitted():
    node = ready()
    ask(node, "S1 S2 S3", learners="S4")
    with pytest.raises(NotNow, match="the change at entry 2 "):
        node.add_entry(THREE)
    tell(node, accepted("S2", 1, 2))
    assert takes(node, THREE)


def test_no_change_begins_while_the_cluster_is_joint():
    node = ready()
    ask(node, "S1 S2 S3 S4")
    with pytest.raises(NotNow, match="the change at entry 2"):
        node.add_entry(THREE)
    accepted_by_all(node)
    assert node.configuration == FOUR
    with pytest.raises(NotNow, match="the change at entry 3"):
        node.add_entry(THREE)
    accepted_by_all(node)
    assert takes(node, THREE)


def test_a_new_leader_begins_no_change_before_its_predecessor_s_is_through():
    node = leading(THREE, held=log_of(members("S1 S2 S3", learners="S4")), term=1)
    with pytest.raises(NotNow, match="the change at entry 1"):
        node.add_entry(THREE)
    accepted_by_all(node)
    assert takes(node, THREE)


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (members("S1 S2", old="S1"), "it gets there by itself"),
        (Configuration(()), "at least one voter"),
        (members("", learners="S1"), "at least one voter"),
        (members("S1 S2 S2"), "names a node twice: S1, S2, S2"),
        (members("S1 S2 S3", learners="S4 S4"), "names a node twice: S4, S4"),
        (members("S1 S2 S3", learners="S3"), "S3 cannot be voter and learner at once"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_and_changes_nothing(target, complaint):
    node = ready()
    before = node.fingerprint()
    with pytest.raises(Misuse, match=complaint):
        node.add_entry(target)
    assert node.fingerprint() == before


@pytest.mark.parametrize("names", ["S1 S2 S3", "S3 S1 S2"])
def test_the_configuration_that_is_in_force_is_refused_for_now(names):
    node = ready()
    before = node.fingerprint()
    with pytest.raises(NotNow, match="that is the configuration already: S1 S2 S3"):
        node.add_entry(members(names))
    assert node.fingerprint() == before


@pytest.mark.parametrize("make", [machine, candidate])
def test_only_a_leader_changes_the_configuration(make):
    node = make()
    before = node.fingerprint()
    with pytest.raises(NotLeader):
        node.add_entry(FOUR)
    assert node.fingerprint() == before


def test_a_leader_that_hands_over_changes_nothing():
    node = ready()
    node.transfer_leadership("S2")
    with pytest.raises(NotNow, match="handing leadership over to S2"):
        node.add_entry(FOUR)
    assert node.configuration == THREE


# A leader that removes itself


def test_a_leader_that_removes_itself_leads_until_that_is_committed_and_does_not_count_itself():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        world.change("S1", "S2 S3")
        for _ in range(2):
            world.deliver(AppendEntries, "S1", "S2")
            world.deliver(AppendEntriesReply, "S2", "S1")
            if world["S1"].configuration.is_joint:
                world.deliver(AppendEntries, "S1", "S3")
                world.deliver(AppendEntriesReply, "S3", "S1")
        assert world["S1"].configuration == members("S2 S3")
        assert world["S2"].log.last_index == 3
        assert (world["S1"].role, world["S1"].commit_index) == (Role.LEADER, 2)
        world.deliver(AppendEntries, "S1", "S3")
        world.deliver(AppendEntriesReply, "S3", "S1")
        assert (world["S1"].role, world["S1"].commit_index) == (Role.FOLLOWER, 3)
        world.deliver(TimeoutNow, "S1", "S2")
        world.settle()
        assert world["S2"].role is Role.LEADER
        assert world["S3"].leader == "S2"


def removed_leader(**about):
    """S1 leads S2 and S3, has appended that it is removed, and one command after it."""
    node = leading(members("S1 S2 S3"), **about)
    accepted_by_all(node)
    ask(node, "S2 S3")
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 2))
    propose(node)
    assert (node.configuration, node.log.last_index) == (members("S2 S3"), 4)
    return node


def test_its_step_down_says_why():
    node = removed_leader()
    for peer in ("S2", "S3"):
        node.advance(accepted(peer, 1, 4), node.now)
    output = node.poll()
    assert [each.cause for each in output.role_changes] == [Cause.REMOVED]
    assert output.messages[-1] == TimeoutNow(term=1, sender="S1", receiver="S2")
    assert node.leader is None


def test_a_removed_leader_whom_nobody_equals_yet_leads_on_until_somebody_does():
    node = removed_leader()
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 3))
    assert (node.role, node.commit_index) == (Role.LEADER, 3)
    with pytest.raises(NotNow, match="handing leadership over"):
        node.add_entry(Command(b"y"))
    for _ in range(40):
        said = let_time_out(node)
        assert {each.receiver for each in said if isinstance(each, AppendEntries)} == {"S2", "S3"}
    assert node.role is Role.LEADER, "it never gives up"
    said = tell(node, accepted("S2", 1, 4))
    assert TimeoutNow(term=1, sender="S1", receiver="S2") in said
    assert node.role is Role.FOLLOWER


def test_a_removed_leader_steps_down_by_check_quorum_like_any_other():
    node = removed_leader(options=CHECKED)
    node.tick(node.now + LOW)
    assert node.role is Role.FOLLOWER


def test_if_its_last_word_is_lost_the_others_elect_a_leader_all_the_same():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        world.change("S1", "S2 S3")
        while world["S1"].role is Role.LEADER:
            world.hand(world.flying.pop(0))
        world.lose(TimeoutNow, "S1", world.flying[-1].receiver)
        world.settle()
        assert world["S1"].role is Role.FOLLOWER
        world.tick("S2")
        world.settle()
        assert world["S2"].role is Role.LEADER


def test_a_leader_made_a_learner_hands_over_and_learns():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        world.change("S1", "S2 S3", learners="S1")
        world.settle()
        (now_leads,) = [each for each in ("S2", "S3") if world[each].role is Role.LEADER]
        world.heartbeat(now_leads)
        assert (world["S1"].role, world["S1"].leader) == (Role.FOLLOWER, now_leads)
        world.propose(now_leads)
        world.settle()
        world.heartbeat(now_leads)
        assert world.applied["S1"] == world.applied[now_leads]
        assert let_time_out(world["S1"]) == [], "a learner does not campaign"


def test_a_removed_leader_does_not_hand_over_to_a_learner():
    node = leading(members("S1 S2", learners="S3"))
    accepted_by_all(node)
    ask(node, "S2", learners="S3")
    said = tell(node, accepted("S3", 1, 2)) + tell(node, accepted("S2", 1, 2))
    said += tell(node, accepted("S3", 1, 3)) + tell(node, accepted("S2", 1, 3))
    assert [each.receiver for each in said if isinstance(each, TimeoutNow)] == ["S2"]


# Outside its own configuration


def test_a_removed_server_stands_if_nobody_else_holds_the_entry_that_removes_it():
    """Thesis 4.2.2: S2 cannot win without the vote of S1, whose log is newer."""
    with Members("S1 S2") as world:
        world.elect("S1")
        world.change("S1", "S2")
        world.deliver(AppendEntries, "S1", "S2")
        world.deliver(AppendEntriesReply, "S2", "S1")
        world.lose_all()
        world.crash("S1")
        world.restart("S1")
        assert world["S1"].configuration == members("S2")
        assert world["S2"].configuration.is_joint
        world.timeout("S2")
        world.settle()
        assert world["S2"].role is Role.FOLLOWER, "S1 refuses"
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2")
        world.deliver(RequestVoteReply, "S2", "S1")
        assert world["S1"].role is Role.LEADER
        world.settle()
        assert world["S1"].role is Role.FOLLOWER
        assert world["S2"].role is Role.LEADER
        assert world["S2"].configuration == members("S2")


def test_it_does_not_stand_once_its_removal_is_known_to_be_committed():
    held = log_of(members("S2 S3", old="S1 S2 S3"), members("S2 S3"))
    known = machine(held=held.copy(), term=1, commit_index=2)
    assert let_time_out(known) == []
    assert (known.role, known.term) == (Role.FOLLOWER, 1)
    unknown = machine(held=held, term=1, commit_index=1)
    assert [each.receiver for each in let_time_out(unknown)] == ["S2", "S3"]
    assert unknown.role is Role.CANDIDATE


def test_the_configuration_before_the_first_in_the_log_is_the_one_that_the_cluster_began_with():
    node = machine(held=log_of(members("S2 S3")), term=1, options=ONE_BY_ONE)
    assert [each.receiver for each in let_time_out(node)] == ["S2", "S3"]


def test_a_candidate_outside_its_configuration_has_no_vote_of_its_own_there():
    node = candidate(held=log_of(members("S2 S3", old="S1 S2 S3"), members("S2 S3")), term=1)
    tell(node, vote("S2", 2))
    assert node.role is Role.CANDIDATE
    tell(node, vote("S3", 2))
    assert node.role is Role.LEADER


def test_who_was_no_voter_before_either_does_not_stand():
    learner = machine("S4", held=log_of(members("S1 S2", learners="S4")), term=1)
    assert let_time_out(learner) == []
    stranger = machine("S9", held=log_of(members("S1 S2", old="S1 S2 S3")), term=1)
    assert let_time_out(stranger) == []


@pytest.mark.parametrize(("options", "disrupts"), [(COMPLETE, False), (FIGURE_2, True)])
def test_a_removed_server_disrupts_nobody_where_voters_stick_to_their_leader(options, disrupts):
    """H20: it never learns that it was removed, and times out again and again."""
    with Members("S1 S2 S3 S4", options=options) as world:
        world.elect("S1")
        world.change("S1", "S1 S2 S3")
        world.settle("S1", "S2", "S3")
        for _ in range(5):
            world.heartbeat("S1")
            world.timeout("S4")
            world.settle()
            if world["S1"].role is not Role.LEADER:
                break
        assert (world["S1"].role is not Role.LEADER, world["S1"].term > 1) == (disrupts, disrupts)


def test_what_a_removed_member_still_answers_is_ignored():
    node = ready()
    ask(node, "S1 S2")
    tell(node, accepted("S2", 1, 2))
    assert node.configuration == members("S1 S2")
    before = node.fingerprint()
    assert tell(node, accepted("S3", 1, 3)) == []
    assert node.fingerprint() == before


# One voter at a time, without a joint configuration


def test_a_single_voter_is_added_at_once():
    with Members("S1 S2 S3", others="S4", options=ONE_BY_ONE) as world:
        world.elect("S1")
        world.change("S1", "S1 S2 S3 S4")
        world.settle()
        world.heartbeat("S1")
        for node in ("S1", "S2", "S3", "S4"):
            assert configurations(world[node]) == [FOUR]


def test_a_single_voter_is_removed_at_once():
    node = ready(nodes=4, options=ONE_BY_ONE)
    ask(node, "S1 S2 S3")
    assert configurations(node) == [THREE]
    tell(node, accepted("S2", 1, 2))
    assert node.commit_index == 2, "two of three"


def test_a_single_leader_is_removed_and_hands_over():
    with Members("S1 S2 S3", options=ONE_BY_ONE) as world:
        world.elect("S1")
        world.change("S1", "S2 S3")
        world.settle()
        assert world["S1"].role is Role.FOLLOWER
        assert Role.LEADER in (world["S2"].role, world["S3"].role)


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (members("S1 S2 S3 S4 S5"), "S4, S5"),
        (members("S1"), "S2, S3"),
        (members("S1 S2 S4"), "S3, S4"),
        (members("S1", learners="S2 S3"), "S2, S3"),
    ],
)
def test_more_than_one_voter_at_a_time_is_refused(target, named):
    node = ready(options=ONE_BY_ONE)
    before = node.fingerprint()
    with pytest.raises(NotNow, match=f"one voter at a time: {named} would change"):
        node.add_entry(target)
    assert node.fingerprint() == before


def test_learners_may_change_together_with_one_voter():
    node = ready(options=ONE_BY_ONE)
    target = members("S1 S2 S3 S4", learners="S5 S6")
    node.add_entry(target)
    assert node.configuration == target


def test_single_changes_wait_until_the_leader_has_committed_in_its_own_term():
    node = leader(terms=(1,), options=ONE_BY_ONE)
    tell(node, accepted("S2", 2, 1))
    with pytest.raises(NotNow, match="no entry of its own term 2 yet"):
        node.add_entry(FOUR)
    tell(node, accepted("S2", 2, 2))
    assert takes(node, FOUR)
    assert node.configuration == FOUR


def test_joint_changes_need_not_wait_for_that():
    node = leader(terms=(1,))
    node.add_entry(FOUR)
    assert node.configuration == JOINT


class ChangesAtOnce(Rules):
    """Thesis 4.1 as it was printed, before the correction of 2015."""

    def may_change_in_term(self, log, commit_index, term, options):
        return True


def two_single_changes(rules):
    """H1, up to the change of the second leader: S1 has added S5, S2 leads and S4 knows nothing."""
    world = Members("S1 S2 S3 S4", others="S5", options=ONE_BY_ONE, rules=rules)
    world.elect("S1")
    world.change("S1", "S1 S2 S3 S4 S5")
    world.settle("S1", "S5")
    assert world["S5"].log.last_index == 2
    world.timeout("S2", force=True)
    for peer in ("S3", "S4"):
        world.deliver(RequestVote, "S2", peer)
        world.deliver(RequestVoteReply, peer, "S2")
    assert (world["S2"].role, world["S2"].term) == (Role.LEADER, 2)
    return world


def first_leader_comes_back(world):
    """S1 restarts and campaigns until its term is new to everyone; S4 and S5 can hear it."""
    world.lose_all()
    world.crash("S1")
    world.restart("S1")
    for _ in range(2):
        world.timeout("S1", force=True)
        world.settle("S1", "S4", "S5")


def test_two_single_changes_in_turn_may_lose_what_is_committed_without_the_rule_of_2015():
    """H1: {S2, S3} is a majority of three, and {S1, S4, S5} one of five."""
    world = two_single_changes(ChangesAtOnce())
    world.change("S2", "S2 S3 S4")
    world.settle("S2", "S3")
    assert world["S2"].commit_index == 3
    first_leader_comes_back(world)
    assert world["S1"].role is Role.LEADER
    assert world["S1"].commit_index >= 2
    assert world.applied["S1"][1] != world.applied["S2"][1]


def test_two_single_changes_in_turn_lose_nothing_with_the_rule_of_2015():
    world = two_single_changes(worlds.RULES())
    with pytest.raises(NotNow):
        world.change("S2", "S2 S3 S4")
    world.settle("S2", "S3")
    with pytest.raises(NotNow):
        world.change("S2", "S2 S3 S4")
    world.heartbeat("S2", "S2", "S3", "S4")
    world.change("S2", "S2 S3 S4")
    world.settle("S2", "S3")
    assert world["S2"].commit_index == 3
    first_leader_comes_back(world)
    assert world["S1"].role is not Role.LEADER


# Whatever happens

OPTIONS = [
    FIGURE_2,
    COMPLETE,
    CAREFUL,
    ONE_BY_ONE,
    Options(single_server_changes=True, catch_up_first=False),
    Options.figure_2(async_persistence=True, trailing_entries=2),
]


@times(60)
@given(st.integers(1, 5), st.integers(0, 10**6), st.sampled_from(OPTIONS))
def test_machines_stay_safe_however_members_come_and_go(size, seed, options):
    crowd = Crowd(size, seed, options)
    for _ in range(300):
        crowd.happen()
    crowd.heal()


@pytest.mark.parametrize("options", OPTIONS)
def test_crowds_do_change_and_read(options):
    """What the talks above reach: empty ones would prove nothing."""
    crowds = [Crowd(3, seed, options) for seed in range(16)]
    for crowd in crowds:
        for _ in range(300):
            crowd.happen()
    assert sum(crowd.changed for crowd in crowds) > 15
    assert sum(crowd.answered for crowd in crowds) > 10
    assert sum(len(crowd.leaders) for crowd in crowds) > 40
    assert sum(disk.snapshot is not None for crowd in crowds for disk in crowd.disks.values()) > 20
