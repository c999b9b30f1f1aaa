"""Configurations, and the errors of the host."""

import copy
import pickle

import pytest

from raftlab.raft.vocabulary import (
    MOST_SHOWN,
    REFUSALS,
    Configuration,
    Misuse,
    NotLeader,
    NotNow,
    how_many,
    listed,
    named,
    shown,
)
from tests.raft.world import names

JOINT = Configuration(("S1", "S2", "S3"), old_voters=("S3", "S4"), learners=("S5",))


def test_a_configuration_is_joint_only_with_old_voters():
    assert not Configuration(("S1",)).is_joint
    assert JOINT.is_joint


def test_each_voter_set_needs_a_majority_of_its_own():
    assert Configuration(("S1", "S2")).voter_sets == (("S1", "S2"),)
    assert JOINT.voter_sets == (("S1", "S2", "S3"), ("S3", "S4"))


def test_a_node_in_both_sets_is_named_once():
    assert JOINT.all_voters == ("S1", "S2", "S3", "S4")
    assert JOINT.members == ("S1", "S2", "S3", "S4", "S5")


def test_the_order_of_names_is_the_order_given():
    assert Configuration(("S3", "S1", "S2")).members == ("S3", "S1", "S2")


@pytest.mark.parametrize(
    ("node", "votes"), [("S1", True), ("S3", True), ("S4", True), ("S5", False), ("S9", False)]
)
def test_whoever_votes_in_either_set_can_vote(node, votes):
    assert JOINT.can_vote(node) is votes


@pytest.mark.parametrize(
    ("configuration", "complaint"),
    [
        (Configuration(()), "at least one voter"),
        (Configuration((), learners=("S1",)), "at least one voter"),
        (Configuration(("S1", "S1")), "twice"),
        (Configuration(("S1",), old_voters=("S2", "S2")), "twice"),
        (Configuration(("S1",), learners=("S2", "S2")), "twice"),
        (Configuration(("S1", "S2"), learners=("S2",)), "S2 cannot be voter and learner"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(configuration, complaint):
    with pytest.raises(Misuse, match=complaint):
        configuration.check()


def test_a_node_cannot_be_voter_and_learner_even_if_it_was_a_voter():
    with pytest.raises(Misuse, match="voter and learner"):
        Configuration(("S1", "S2"), old_voters=("S1", "S2"), learners=("S2",)).check()


def test_a_voter_may_be_on_its_way_to_becoming_a_learner():
    Configuration(("S1",), old_voters=("S1", "S2"), learners=("S2",)).check()


def test_joint_with_keeps_the_old_voters_beside_the_new_and_takes_the_new_learners():
    current = Configuration(("S1", "S2"), learners=("S4",))
    joint = current.joint_with(Configuration(("S2", "S3"), learners=("S5",)))
    assert joint == Configuration(("S2", "S3"), old_voters=("S1", "S2"), learners=("S5",))
    assert joint.without_old() == Configuration(("S2", "S3"), learners=("S5",))


def test_what_is_not_possible_now_is_no_misuse_and_not_to_lead_is_one_way_of_it():
    assert not issubclass(NotNow, Misuse) and not issubclass(Misuse, NotNow)
    assert issubclass(NotLeader, NotNow)
    assert (Misuse, NotNow) == REFUSALS


@pytest.mark.parametrize(
    ("leader", "said"),
    [
        ("S1", "S2 is a follower in term 4 and cannot vote for lunch; its leader is S1."),
        (None, "S2 is a follower in term 4 and cannot vote for lunch; it knows no leader."),
    ],
)
def test_a_refusal_says_who_refuses_what_and_who_would_not(leader, said):
    error = NotLeader.of("S2", "follower", 4, leader, "vote for lunch")
    assert (str(error), error.leader) == (said, leader)


def test_not_leader_is_not_now_and_names_the_leader():
    error = NotLeader("S2 is a follower", "S1")
    assert isinstance(error, NotNow)
    assert not isinstance(error, Misuse)
    assert (str(error), error.leader) == ("S2 is a follower", "S1")


@pytest.mark.parametrize("carry", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_not_leader_can_cross_from_one_process_to_another(carry):
    error = carry(NotLeader("S2 is a follower", "S1"))
    assert (str(error), error.leader) == ("S2 is a follower", "S1")


@pytest.mark.parametrize(
    "wrong", [{"voters": "S1"}, {"voters": ("S1", "")}, {"voters": ("S1", 2)}, {"voters": ["S1"]}]
)
def test_a_configuration_is_made_of_tuples_of_names(wrong):
    with pytest.raises(Misuse, match="a configuration is made of tuples of names, not of"):
        Configuration(**wrong).check()


# How messages repeat what was given


class HasNoRepr:
    """Of a reader's own, and broken."""

    def __repr__(self):
        raise RuntimeError("no words")


def test_what_was_given_is_shown_shortly_and_never_fails():
    assert shown("S1") == "'S1'"
    assert shown(10**5_000) == "<int>", "a number of too many digits has no repr"
    assert shown(HasNoRepr()).startswith("<HasNoRepr")
    assert " at 0x" not in shown(object())
    assert len(shown("x" * 1_000)) <= MOST_SHOWN


def test_a_name_is_shown_without_quotes_and_anything_else_with_its_repr():
    assert (named("S1"), named(7)) == ("S1", "7")
    assert "…" in named("x" * 1_000)


def test_of_many_names_the_first_are_listed_and_all_are_counted():
    assert listed(names(3)) == "S1, S2, S3"
    assert listed(names(200)).endswith(", … (200)")
    assert listed(["x" * 1_000]).endswith(", … (1)")


def test_how_many_there_are_agrees_with_what_they_are():
    assert [how_many(each, "node") for each in (0, 1, 3)] == ["0 nodes", "1 node", "3 nodes"]
    assert how_many(1_200, "more key") == "1,200 more keys"
