"""Check-quorum, on and off. Thesis 6.2."""

import pytest

from raftlab.raft.messages import AppendEntries
from raftlab.raft.options import Options
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import (
    accepted,
    append,
    drain,
    leader,
    let_time_out,
    machine,
    rejected,
    tell,
)

CHECKED = Options.figure_2(check_quorum=True)
LOW, HIGH = CHECKED.election_timeout


def let_pass(node, ms: float, heard=()) -> None:
    """Let time pass for a leader; `heard` answer every heartbeat."""
    end = node.now + ms
    while node.role is Role.LEADER and node.next_deadline <= end:
        node.tick(node.next_deadline)
        for message in drain(node).messages:
            if message.receiver in heard and isinstance(message, AppendEntries):
                index = message.prev_log_index + len(message.entries)
                tell(node, accepted(message.receiver, node.term, index))


def test_a_leader_that_hears_nobody_steps_down_within_two_shortest_timeouts():
    node = leader(options=CHECKED)
    let_pass(node, LOW)
    assert node.role is Role.LEADER, "it has only just been elected"
    let_pass(node, LOW)
    assert (node.role, node.leader, node.term, node.voted_for) == (Role.FOLLOWER, None, 1, "S1")
    assert node.now <= 2 * LOW


def test_its_step_down_is_reported():
    node = leader(options=CHECKED)
    let_pass(node, LOW)
    node.tick(node.now + LOW)
    change = node.poll().role_change
    assert (change.before, change.cause) == (Role.LEADER, Cause.QUORUM_LOST)


def test_after_stepping_down_it_waits_a_timeout_and_campaigns():
    node = leader(options=CHECKED)
    let_pass(node, 3 * LOW)
    assert LOW <= node.next_deadline - node.now <= HIGH
    let_time_out(node)
    assert (node.role, node.term) == (Role.CANDIDATE, 2)


def test_without_it_a_leader_that_hears_nobody_leads_for_ever():
    node = leader()
    let_pass(node, 100 * LOW)
    assert node.role is Role.LEADER
    assert node.now >= 99 * LOW


def test_a_leader_that_hears_a_majority_goes_on():
    node = leader(nodes=5, options=CHECKED)
    let_pass(node, 20 * LOW, heard=("S2", "S3"))
    assert node.role is Role.LEADER


def test_a_leader_that_hears_less_than_a_majority_does_not():
    node = leader(nodes=5, options=CHECKED)
    let_pass(node, 20 * LOW, heard=("S2",))
    assert node.role is Role.FOLLOWER


def test_of_four_two_are_no_majority():
    node = leader(nodes=4, options=CHECKED)
    let_pass(node, 20 * LOW, heard=("S2",))
    assert node.role is Role.FOLLOWER


@pytest.mark.parametrize(
    "answer",
    [accepted("S2", 2, 1), accepted("S2", 2, 0), rejected("S2", 2, at=1, last=0)],
    ids=["accepted", "late", "rejected"],
)
def test_every_answer_of_the_term_counts_as_a_sign_of_life(answer):
    node = leader(options=CHECKED, terms=(1,))
    for _ in range(20):
        node.tick(node.now + LOW / 2)
        tell(node, answer)
        tell(node, answer)
    assert node.role is Role.LEADER


@pytest.mark.parametrize(
    "answer", [accepted("S2", 1, 1), accepted("S9", 2, 1)], ids=["an earlier term", "a stranger"]
)
def test_answers_that_say_nothing_are_no_sign_of_life(answer):
    node = leader(options=CHECKED, terms=(1,))
    for _ in range(20):
        if node.role is Role.LEADER:
            node.tick(node.now + LOW / 2)
            tell(node, answer)
    assert node.role is Role.FOLLOWER


def test_a_leader_of_one_hears_itself():
    node = machine(nodes=1, options=CHECKED)
    let_time_out(node)
    let_pass(node, 20 * LOW)
    assert node.role is Role.LEADER


def test_learners_do_not_count():
    learning = Configuration(("S1", "S2", "S3"), learners=("S4", "S5"))
    node = leader(configuration=learning, options=CHECKED)
    let_pass(node, 20 * LOW, heard=("S4", "S5"))
    assert node.role is Role.FOLLOWER


@pytest.mark.parametrize(
    ("heard", "leads"), [(("S2", "S3"), False), (("S4",), False), (("S2", "S4"), True)]
)
def test_while_joint_a_majority_of_each_set_must_be_heard(heard, leads):
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4"))
    node = leader(configuration=joint, options=CHECKED)
    let_pass(node, 20 * LOW, heard=heard)
    assert (node.role is Role.LEADER) is leads


def test_a_leader_that_stood_still_too_long_steps_down_when_it_wakes():
    node = leader(options=CHECKED)
    let_pass(node, LOW, heard=("S2", "S3"))
    node.tick(node.now + 10 * LOW)
    assert node.role is Role.FOLLOWER


def test_a_majority_heard_at_the_last_moment_is_heard():
    node = leader(options=CHECKED)
    first = node.role_data.quorum_deadline
    node.tick(first)
    tell(node, accepted("S2", 1, 1))
    assert node.tracker.progress["S2"].last_reply_at == first
    node.tick(first + LOW)
    assert node.role is Role.LEADER, "one timeout ago is within one timeout"


def test_a_deposed_leader_keeps_its_log_and_its_commit_index():
    node = leader(options=CHECKED, terms=(1, 1))
    tell(node, accepted("S2", 2, 3))
    let_pass(node, 3 * LOW)
    assert (node.role, node.commit_index, node.log.last_index) == (Role.FOLLOWER, 3, 3)


def test_it_still_follows_the_next_leader():
    node = leader(options=CHECKED)
    let_pass(node, 3 * LOW)
    tell(node, append("S2", 2))
    assert (node.role, node.leader, node.term) == (Role.FOLLOWER, "S2", 2)
