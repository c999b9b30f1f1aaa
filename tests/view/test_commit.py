import random

import pytest

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import Frame
from raftlab.view.decisions.commit import describe_commit, scene_commit, scene_commit_decision
from raftlab.view.decisions.commit_decision import decide
from raftlab.view.logs.columns import frame_of_log
from tests.view.builders import FIVE, make_frame, make_log, node, nodes_named, progress
from tests.view.sound import check_scene, check_text, mark, of_role, words

FIVE_VOTERS = Configuration(FIVE)
JOINT = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4", "S5"))


def terms(*held: int) -> RaftLog:
    """A log whose entries have these terms."""
    return RaftLog(make_log(*(f"{term}:x={term}" for term in held)))


def matches(*indexes: int) -> dict[str, int]:
    """S1 has the first of these match indexes, and so on."""
    return dict(zip(nodes_named(len(indexes)), indexes, strict=True))


FIGURE_8 = (matches(3, 2, 2, 1, 1), terms(1, 2, 4), 4, 1, FIVE_VOTERS)
OWN_TERM = (matches(3, 3, 3, 1, 1), terms(1, 2, 4), 4, 1, FIVE_VOTERS)


def leading(commit: int, *indexes: int, held=("1:", "2:x=1", "4:y=2")) -> Frame:
    """S1 leads term 4 with these match indexes."""
    known = [progress(name, match, match + 1) for name, match in matches(*indexes).items()]
    log = make_log(*held)
    return make_frame(
        S1=node("S1", role="leader", term=4, log=log, commit=commit, progress=known),
        S4=node("S4", alive=False),
    )


def test_figure_8_is_not_committed_by_counting():
    """Paper: 5.4.2 and Figure 8 (c): entry 2 is on a majority, and may yet be overwritten."""
    text = scene_commit_decision(*FIGURE_8).description
    assert text.startswith("A majority holds entry 2; commit index stays 1.")
    said = "Entry 2 is of term 2, the leader is in term 4: not committed by counting."
    assert said in text.split("\n")
    scene = scene_commit_decision(*FIGURE_8)
    assert said in words(scene)
    assert mark(scene, "commit").data["index"] == 1
    check_scene(scene)


def test_an_entry_of_the_leaders_own_term_brings_the_earlier_ones_with_it():
    """Paper: 5.4.2 and Figure 8 (e)."""
    text = scene_commit_decision(*OWN_TERM).description
    assert text.startswith("A majority holds entry 3; commit index 1 → 3.")
    assert "Entry 3 is of term 4, the leader's own: committed, with all before it." in text
    scene = scene_commit_decision(*OWN_TERM)
    assert mark(scene, "commit").data["index"] == 3
    assert mark(scene, "commit-moves").head == "filled"
    check_scene(scene)


def test_match_indexes_are_sorted_and_the_majoritys_is_in_their_middle():
    scene = scene_commit_decision(*FIGURE_8)
    bars = of_role(scene, "match")
    held = [bar.data["match"] for bar in bars if bar.data]
    assert held == sorted(held) == [1, 1, 2, 2, 3]
    assert [each.text for each in scene.marks if each.id.endswith("-index")] != []
    assert mark(scene, "match-S2-index").bold
    assert not mark(scene, "match-S3-index").bold
    assert [bar.role for bar in bars] == ["match behind"] * 2 + ["match counts"] * 3


def test_the_line_at_the_majoritys_index_leads_up_to_the_entry():
    scene = scene_commit_decision(*FIGURE_8)
    (x, top), _ = mark(scene, "majority").points
    entry = mark(scene, "entry-log-2")
    assert x == pytest.approx(entry.x + entry.w, abs=3)
    assert top == pytest.approx(entry.y + entry.h, abs=3)


def test_the_text_shows_ranks_as_bars():
    assert scene_commit_decision(*FIGURE_8).description.split("\n\n")[1].split("\n") == [
        "voter         match",
        "S4     >          1",
        "S5     >          1",
        "S2     xx>        2  majority",
        "S3     xx>        2",
        "S1     xxxx>      3",
        "3 of 5 voters have reached 2; 3 needed.",
    ]


@pytest.mark.parametrize(
    ("indexes", "log", "commit", "verdict"),
    [
        ((0, 0, 0, 0, 0), terms(), 0, "There is nothing to commit."),
        ((2, 0, 0, 0, 0), terms(4, 4), 0, "There is nothing to commit."),
        ((3, 3, 3, 0, 0), terms(1, 2, 4), 3, "Entry 3 is committed already: nothing new."),
        ((9, 9, 9, 0, 0), terms(1, 2, 4), 3, "Entry 9 is not in the leader's log"),
    ],
)
def test_each_other_case_has_its_verdict(indexes, log, commit, verdict):
    scene = scene_commit_decision(matches(*indexes), log, 4, commit, FIVE_VOTERS)
    assert verdict in scene.description
    assert f"commit index stays {commit}." in scene.description.partition("\n")[0]
    check_scene(scene)


def test_while_joint_the_smaller_of_both_majorities_decides():
    given = (matches(6, 6, 3, 4, 4), terms(1, 2, 4, 4, 4, 4), 4, 3, JOINT)
    scene = scene_commit_decision(*given)
    assert len(of_role(scene, "majority")) == 2
    assert "Majorities of both groups hold entry 4; commit index 3 → 4." in scene.description
    assert "2 of 3 new voters have reached 6; 2 needed." in words(scene)
    assert "3 of 3 old voters have reached 4; 2 needed." in words(scene)
    check_scene(scene)


def test_the_decision_drawn_is_the_decision_of_the_rules():
    rng, rules = random.Random(7), Rules()
    for _ in range(300):
        held = sorted(rng.randint(1, 4) for _ in range(rng.randint(0, 8)))
        log, term = terms(*held), rng.randint(max([1, *held]), 5)
        voters = nodes_named(rng.randint(1, 7))
        configuration = Configuration(voters, tuple(voters[: rng.randint(0, 3)]))
        known = {voter: rng.randint(0, len(held)) for voter in voters if rng.random() < 0.9}
        commit = rng.randint(0, len(held))
        decision = decide(known, frame_of_log(log), term, commit, configuration)
        matched = rules.majority_match_index(known, configuration)
        assert decision.matched == matched
        assert decision.new == rules.leader_commit_index(matched, log, term, commit)


def test_the_term_of_the_last_compacted_entry_is_known():
    log = RaftLog((), Snapshot(5, 4, FIVE_VOTERS))
    text = scene_commit_decision(matches(5, 5, 5, 0, 0), log, 4, 3, FIVE_VOTERS).description
    assert "commit index 3 → 5." in text


def test_a_long_log_is_shown_around_the_majoritys_index():
    log = terms(*[1] * 40, *[3] * 60)
    scene = scene_commit_decision(matches(100, 90, 60, 20, 20), log, 3, 50, FIVE_VOTERS)
    shown = [each.data["index"] for each in of_role(scene, "entry")]
    assert 60 in shown and len(shown) == 14
    assert "‹ 20" in words(scene) and "100 ›" in words(scene)
    check_scene(scene)


@pytest.mark.parametrize("size", [1, 2, 3, 9, 13, 14, 51])
def test_every_size_of_cluster_finds_room(size):
    known = {name: place % 5 for place, name in enumerate(nodes_named(size))}
    scene = scene_commit_decision(known, terms(1, 1, 2, 2), 2, 0, Configuration(nodes_named(size)))
    assert len(of_role(scene, "match-dot")) == size
    check_scene(scene)


# From a frame


def test_the_leader_of_a_frame_is_shown_with_the_roles_of_its_voters():
    scene = scene_commit(leading(1, 3, 2, 2, 1, 1))
    assert words(scene)[0] == (
        "100.0 ms: S1 leads term 4; a majority holds entry 2; commit index stays 1."
    )
    assert mark(scene, "who-S1").ink != mark(scene, "who-S2").ink
    assert mark(scene, "who-S4").ink.dash
    check_scene(scene)


def test_the_old_commit_index_is_that_of_the_previous_frame():
    before, after = leading(1, 3, 3, 1, 1, 1), leading(3, 3, 3, 3, 1, 1)
    assert "commit index 1 → 3." in describe_commit(after, previous=before)
    assert "commit index stays 3." in describe_commit(after)


def test_a_leader_that_counts_old_terms_is_told_apart_from_the_rule():
    before, after = leading(1, 3, 2, 1, 1, 1), leading(2, 3, 2, 2, 1, 1)
    scene = scene_commit(after, previous=before)
    assert "not committed by counting" in scene.description
    assert "S1 has committed up to 2 all the same." in words(scene)
    check_scene(scene)


def test_where_nobody_leads_the_picture_says_so():
    expected = "100.0 ms: nobody leads, so nothing is being committed."
    assert describe_commit(make_frame()) == expected
    assert words(scene_commit(make_frame())) == [expected]
    said = "S2 is a follower in term 1; only a leader counts copies."
    assert describe_commit(make_frame(), "S2").endswith(said)
    assert describe_commit(leading(1, 1, 1, 1, 1, 1), "S4").startswith("100.0 ms: S4 is down")
    check_text(describe_commit(make_frame()))


def test_a_log_that_breaks_the_rules_can_still_be_looked_at():
    known = [progress(name, 2, 3) for name in FIVE]
    log = make_log("4:x=1")[0], LogEntry(1, 2, make_log("1:")[0].payload)
    frame = make_frame(S1=node("S1", role="leader", term=4, log=log, progress=known))
    check_scene(scene_commit(frame))


def test_the_same_data_gives_the_same_picture():
    assert scene_commit_decision(*FIGURE_8).svg == scene_commit_decision(*FIGURE_8).svg
    assert scene_commit_decision(*FIGURE_8).svg != scene_commit_decision(*OWN_TERM).svg


def test_matplotlib_paints_it_into_the_axes_it_is_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert scene_commit(leading(1, 3, 2, 2, 1, 1)).plot(ax) is ax
    assert ax.get_xlim() == (0, scene_commit(leading(1, 3, 2, 2, 1, 1)).width)
    assert len(ax.get_children()) > 10
