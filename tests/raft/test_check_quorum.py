"""Check-quorum, on and off. Thesis 6.2."""

from math import nextafter

import pytest

from raftlab import Cluster
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


def leads_until(node) -> float:
    """When a leader that hears nobody any more steps down (ms); it is woken at each last moment."""
    for _ in range(100):
        deadline = max(node.now, node.next_deadline)
        node.tick(nextafter(deadline, node.now))
        assert node.role is Role.LEADER, "it stepped down before its deadline"
        node.tick(deadline)
        drain(node)
        if node.role is not Role.LEADER:
            return node.now
    raise AssertionError("it never steps down")


@pytest.mark.parametrize("elected_at", [0.0, 20.0, 200.1, 200.3, 1_000_000.7])
def test_a_leader_that_hears_nobody_steps_down_one_shortest_timeout_after_its_election(elected_at):
    node = leader(options=CHECKED, now=elected_at)
    assert leads_until(node) == elected_at + LOW
    assert (node.role, node.leader, node.term, node.voted_for) == (Role.FOLLOWER, None, 1, "S1")


@pytest.mark.parametrize("elected_at", [0.0, 200.1, 200.3])
def test_it_leads_one_shortest_timeout_longer_than_a_majority_answered(elected_at):
    node = leader(nodes=5, options=CHECKED, now=elected_at)
    tell(node, accepted("S2", 1, 1), after=30.1)
    majority_was_heard_at = elected_at + 30.1
    tell(node, accepted("S3", 1, 1), after=10.3)
    tell(node, accepted("S3", 1, 1), after=50.0)
    assert leads_until(node) == majority_was_heard_at + LOW


def test_each_answer_of_a_majority_lets_it_lead_longer_whenever_it_was_elected():
    node = leader(options=CHECKED)
    for after in (149.9, 140.3, 0.1, 149.7):
        moment = node.now + after
        while node.next_deadline < moment:
            let_time_out(node)
        tell(node, accepted("S2", 1, 1), after=moment - node.now)
    heard_at = node.now
    assert leads_until(node) == heard_at + LOW


def test_its_step_down_is_reported():
    node = leader(options=CHECKED)
    node.tick(node.now + LOW)
    output = node.poll()
    change, (note,) = output.role_change, output.debug_log
    assert (change.before, change.cause) == (Role.LEADER, Cause.QUORUM_LOST)
    assert (note.rule, str(note)) == (
        "keeps_leading",
        "has heard no majority for too long and steps down",
    )


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


def left_alone(hears: str, heard_by: str, **options: bool) -> Cluster:
    """Four seconds after S1, which leads five, hears and is heard only by some."""
    cluster = Cluster(5, seed=1, options=Options.figure_2(**options))
    cluster.elect("S1")
    cluster.run(200)
    for node in cluster.nodes[1:]:
        if node not in hears:
            cluster.cut(node, "S1", both_ways=False)
        if node not in heard_by:
            cluster.cut("S1", node, both_ways=False)
    cluster.propose("x=1")
    cluster.run(4000)
    return cluster


PLAIN, PRE_VOTE, STICKY = {}, {"pre_vote": True}, {"leader_stickiness": True}
CAREFUL = PRE_VOTE | STICKY


@pytest.mark.parametrize("hears", ["", "S2"], ids=["nobody", "a minority"])
@pytest.mark.parametrize(
    ("options", "heard_by", "is_stuck"),
    [
        (PLAIN, "S2 S3 S4 S5", True), (PRE_VOTE, "S2 S3 S4 S5", True),
        (STICKY, "S2 S3 S4 S5", True), (PLAIN, "S2 S3", False), (PRE_VOTE, "S2 S3", True),
        (STICKY, "S2 S3", True), (CAREFUL, "S2 S3", True), (CAREFUL, "S2", False),
    ],
)  # fmt: skip
def test_without_it_a_leader_that_hears_no_majority_is_stuck_while_enough_hear_it(
    hears, options, heard_by, is_stuck
):
    """All of them; a majority, its own voice counted, if they then vote for nobody else."""
    cluster = left_alone(hears, heard_by, **options)
    assert (cluster.leader == "S1", cluster.commit_index < 2) == (is_stuck, is_stuck)
    assert left_alone(hears, heard_by, check_quorum=True, **options).leader != "S1"


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


def test_while_joint_it_leads_one_shortest_timeout_longer_than_both_majorities_answered():
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4"), learners=("S5",))
    node = leader(configuration=joint, options=CHECKED)
    for peer in ("S4", "S2", "S3", "S5"):
        tell(node, accepted(peer, 1, 0), after=20.1)
    assert node.configuration == joint, "nothing is committed, so it stays joint"
    assert leads_until(node) == 20.1 + LOW


def test_a_majority_heard_at_the_last_moment_is_heard():
    node = leader(options=CHECKED)
    tell(node, accepted("S2", 1, 1), after=LOW)
    node.tick(node.now)
    assert node.role is Role.LEADER
    node.tick(node.now + LOW)
    assert node.role is Role.FOLLOWER, "what was heard a whole timeout ago is too old"


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
