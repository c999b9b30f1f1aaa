"""Majorities, beside a naive count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftlab.raft.quorum import is_quorum, majority, majority_index, quorum_index
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import names


def naive_majority_index(reached: list[int]) -> int:
    """The largest candidate that more than half have reached, found by trying them all."""
    return max(
        index for index in reached if sum(each >= index for each in reached) * 2 > len(reached)
    )


@pytest.mark.parametrize(
    ("size", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (51, 26)]
)
def test_a_majority_is_more_than_half(size, needed):
    assert majority(size) == needed


@given(st.integers(1, 60))
def test_two_majorities_always_meet_and_no_smaller_number_would_do(size):
    assert 2 * majority(size) > size
    assert 2 * (majority(size) - 1) <= size


@pytest.mark.parametrize(
    ("reached", "index"),
    [
        ([7], 7),
        ([7, 5], 5),
        ([7, 5, 6], 6),
        ([4, 4, 9, 9], 4),
        ([1, 2, 3, 4], 2),
        ([9, 9, 3, 0, 0], 3),
    ],
)
def test_the_majority_index_is_what_more_than_half_have_reached(reached, index):
    assert majority_index(reached) == index


@given(st.lists(st.integers(0, 8), min_size=1, max_size=9))
def test_the_majority_index_is_the_one_found_by_counting(reached):
    assert majority_index(reached) == naive_majority_index(reached)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_the_majority_index_does_not_depend_on_the_order(reached, random):
    shuffled = random.sample(reached, len(reached))
    assert majority_index(shuffled) == majority_index(reached)


def test_a_node_not_heard_of_has_reached_nothing():
    assert quorum_index({"S1": 9, "S2": 9}, Configuration(names(5))) == 0
    assert quorum_index({"S1": 9, "S2": 9, "S3": 4}, Configuration(names(5))) == 4


def test_a_node_without_a_vote_does_not_count():
    assert quorum_index({"S1": 1, "S2": 9, "S9": 9}, Configuration(names(2), learners=("S9",))) == 1


def test_while_joint_both_sets_must_have_reached_an_index():
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S3", "S4", "S5"))
    assert quorum_index({"S1": 8, "S2": 8, "S3": 5, "S4": 0, "S5": 0}, joint) == 0
    assert quorum_index({"S1": 8, "S2": 8, "S3": 5, "S4": 3, "S5": 0}, joint) == 3
    assert quorum_index({"S1": 1, "S2": 0, "S3": 5, "S4": 9, "S5": 9}, joint) == 1


@given(st.dictionaries(st.sampled_from(names(5)), st.integers(0, 6)), st.data())
def test_the_joint_index_is_the_lower_of_the_two(reached, data):
    group = st.lists(st.sampled_from(names(5)), min_size=1, unique=True).map(tuple)
    new, old = data.draw(group), data.draw(group)
    each = [naive_majority_index([reached.get(node, 0) for node in side]) for side in (new, old)]
    assert quorum_index(reached, Configuration(new, old_voters=old)) == min(each)


@pytest.mark.parametrize(
    ("nodes", "holds"),
    [
        ((), False),
        (("S1",), False),
        (("S1", "S3"), True),
        (("S1", "S9", "S8"), False),
        (names(3), True),
    ],
)
def test_a_quorum_is_a_majority_of_voters(nodes, holds):
    assert is_quorum(nodes, Configuration(names(3))) is holds


def test_while_joint_a_quorum_is_one_of_each_set():
    joint = Configuration(("S1", "S2", "S3"), old_voters=("S4",))
    assert not is_quorum(("S1", "S2", "S3"), joint)
    assert not is_quorum(("S1", "S4"), joint)
    assert is_quorum(("S1", "S2", "S4"), joint)
