import pytest

from raftlab.raft.log import LogEntry
from raftlab.raft.vocabulary import Configuration
from raftlab.view.configurations import (
    configuration_code,
    configuration_labels,
    configuration_text,
    runs,
)
from raftlab.view.members import configuration_lines, standing_word, standings
from raftlab.view.words import payload_text
from tests.view.builders import make_frame, node, nodes_named
from tests.view.changing import (
    AFTER,
    CHANGED,
    JOINT,
    THREE,
    following,
    joint,
    leading,
    learning,
    removed,
)
from tests.view.samples import SAMPLES


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (("S1", "S2", "S3"), "S1-3"),
        (("S1", "S2"), "S1,2"),
        (("S1", "S3", "S4", "S5"), "S1,3-5"),
        (("S3", "S2", "S1"), "S3,2,1"),
        (("S1", "west", "west1", "west2"), "S1,west,west1,2"),
        (("S01", "7", "S10"), "S01,7,S10"),
        (nodes_named(51), "S1-51"),
        ((), ""),
    ],
)
def test_names_that_follow_each_other_are_drawn_together_and_none_is_lost(nodes, said):
    assert runs(nodes) == said


def test_a_configuration_is_said_in_full_and_in_few_letters():
    assert configuration_text(THREE) == "voters S1 S2 S3"
    assert configuration_text(Configuration(("S1",))) == "voter S1"
    assert configuration_text(JOINT) == ("joint: S1 S2 S3 (old) and S3 S4 S5 (new), learner S6")
    assert configuration_text(AFTER) == "voters S3 S4 S5, learner S6"
    assert configuration_labels(JOINT) == (
        "joint S1-3→S3-5 (S6)", "S1-3→S3-5 (S6)", "joint",
    )  # fmt: skip
    assert configuration_labels(AFTER)[::2] == ("cfg S3-5 (S6)", "cfg")
    assert configuration_code(Configuration(("S1",), learners=("S2", "S3"))) == "S1 (S2,3)"
    assert payload_text(LogEntry(1, 1, JOINT).payload) == "joint S1-3→S3-5 (S6)"


def test_great_groups_are_drawn_together_in_all_of_a_configuration():
    names = nodes_named(9)
    text = configuration_text(Configuration(names[:3], old_voters=names, learners=("X",)))
    assert text == "joint: S1-9 (old) and S1-3 (new), learner X"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("S1", "old group"),
        ("S3", "both groups"),
        ("S4", "new group"),
        ("S6", "learner"),
        ("S7", "not a member"),
    ],
)
def test_what_a_node_is_while_the_cluster_is_joint(name, word):
    assert standing_word(name, JOINT) == word


def test_a_voter_that_gives_up_its_vote_is_in_the_old_group_and_learns():
    leaving = Configuration(("S1",), old_voters=("S1", "S2"), learners=("S2",))
    assert standing_word("S2", leaving) == "old, learner"


def test_nodes_go_by_the_leaders_configuration_and_their_own_log_is_told_where_it_differs():
    found = standings(removed())
    assert (found["S1"].word, found["S1"].own) == ("not a member", "")
    assert (found["S2"].word, found["S2"].own) == ("not a member", "voter")
    assert found["S2"].own_label == "its log: voter"
    assert found["S4"].word == "voter"
    assert found["S4"].label == ""
    assert (found["S6"].word, found["S6"].own) == ("learner", "")
    assert not found["S6"].votes
    assert standings(joint())["S4"].own_label == "its log: not in"


def test_where_nobody_leads_the_longest_log_of_a_member_says_who_belongs():
    nodes = {
        "S1": following("S1", CHANGED),
        "S2": following("S2", CHANGED[:4]),
        "S3": following("S3", CHANGED[:5]),
        "S4": node("S4", term=2, log=CHANGED),
    }
    assert standings(make_frame(4, **nodes))["S2"].word == "not a member"
    del nodes["S4"]
    nodes["S1"] = node("S1", term=2, log=CHANGED[:5], alive=False)
    assert standings(make_frame(3, **nodes))["S2"].word == "old group"


def test_the_lines_say_what_is_in_force_where_and_whether_it_is_committed():
    assert configuration_lines(joint()) == [
        "joint: S1 S2 S3 (old) and S3 S4 S5 (new), learner S6; entry 5, not committed; "
        "in force at S1-3",
        "voters S1 S2 S3; from the start; in force at S4,6",
    ]
    assert configuration_lines(learning()) == ["voters S1 S2 S3, learner S4; entry 5, committed"]


def test_a_newcomer_with_an_empty_log_has_no_line_of_its_own():
    frame = make_frame(
        4,
        S1=leading(voters=THREE.voters),
        **{name: following(name, ()) for name in ("S2", "S3", "S4")},
    )
    assert configuration_lines(frame) == ["voters S1 S2 S3; from the start"]
    assert standings(frame)["S4"].word == "not a member"


@pytest.mark.parametrize("name", SAMPLES)
def test_an_ordinary_cluster_says_nothing_of_its_members(name):
    assert configuration_lines(SAMPLES[name]) == []
    assert {each.word for each in standings(SAMPLES[name]).values()} == {""}
