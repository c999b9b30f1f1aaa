"""Runs as a tree, runs as texts, and runs that are opened from a text."""

import json
import re
from html import escape, unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import raftlab
from raftlab import Cluster, Misuse, Rules
from raftlab.lab import Lab, Session
from raftlab.lab.branch import Branch
from raftlab.lab.controls import RUNS_PANEL
from raftlab.lab.pasted_text import LONGEST_TEXT
from raftlab.lab.tree import DEEPEST, tree
from raftlab.sim.world.actions import Restart
from tests.lab.clusters import Failing, Hasty, hasty, working


class Careful(Rules):
    """Another class of rules than the one that a text needs."""


def broken() -> raftlab.Recording:
    """A run that ends in a violation."""
    session = Session(hasty())
    assert session.jump("violation")
    return session.cluster.recording


def opened(cluster: Cluster) -> Lab:
    """A lab whose panel of runs is open."""
    lab = cluster.lab()
    lab.details.selected_index = RUNS_PANEL
    return lab


def text_in(lab: Lab) -> str:
    """The text of the run that the lab shows."""
    found = re.search(r"<textarea[^>]*>([^<]*)</textarea>", lab.shared.value)
    return unescape(found[1]) if found else ""


def paste(lab: Lab, text: str) -> None:
    """Paste a text into the field, and press the button, as the page reports it."""
    content = {"kind": "press", "name": "open_button", "fields": {"run_text": text}}
    lab.stage._handle_custom_msg(content, [])


def lines(lab: Lab) -> list[str]:
    return [line for line, _ in lab.runs.options]


# The tree


def test_a_run_stands_below_the_one_it_left_and_the_one_looked_at_has_an_arrowhead():
    session = Session(working())
    for run, frame in ((1, 30), (2, 20), (1, 12)):
        session.choose(run)
        session.go_to(frame)
        session.go_on_from_here()
    assert [line for line, _ in tree(session.branches, 3)] == [
        "  run 1: the first, to frame 41 at 212.1 ms",
        "  ├─ run 2: from frame 30 of run 1, to frame 30 at 198.9 ms",
        "▶ │  └─ run 3: from frame 20 of run 2, to frame 20 at 191.1 ms",
        "  └─ run 4: from frame 12 of run 1, to frame 12 at 179.1 ms",
    ]


def test_the_tree_tells_what_stopped_a_run_and_a_run_that_rests_keeps_its_end():
    session = Session(hasty())
    session.jump("violation")
    end = session.branch.end
    session.go_to(4)
    session.go_on_from_here()
    session.do(lambda cluster: cluster.crash("S1"))
    alive = session.branch.end
    session.choose(1)
    told = [line for line, _ in tree(session.branches, 1)]
    assert told[0].endswith("✕ Commit Follows Quorum")
    assert "✕" not in told[1]
    assert end.trouble == "Commit Follows Quorum"
    assert session.branches[1].end == alive
    assert alive.number == 5


def test_the_tree_tells_of_a_machine_that_failed():
    session = Session(Cluster(3, seed=1, rules=Failing()))
    with pytest.raises(ZeroDivisionError):
        session.run(1000)
    assert tree(session.branches, 1)[0][0].endswith("✕ a machine failed")


def test_a_thousand_runs_of_runs_are_a_thousand_lines_of_bounded_width():
    cluster = Cluster(1)
    branches = [Branch(1, cluster, None, 0)]
    branches += [Branch(number, cluster, number - 1, 0) for number in range(2, 1001)]
    told = tree(branches, 1000)
    assert [number for _, number in told] == list(range(1, 1001))
    assert max(line.index("run") for line, _ in told) == 2 + 3 * DEEPEST
    assert told[-1][0].startswith("▶")


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=30))
def test_every_run_has_one_line_below_the_run_it_left(parents):
    cluster = Cluster(1)
    branches = [Branch(1, cluster, None, 0)]
    for number, drawn in enumerate(parents, start=2):
        parent = None if drawn is None else drawn % (number - 1) + 1
        branches.append(Branch(number, cluster, parent, 0))
    order = [number for _, number in tree(branches, 1)]
    assert sorted(order) == list(range(1, len(branches) + 1))
    for branch in branches[1:]:
        assert branch.parent is None or order.index(branch.parent) < order.index(branch.number)


def test_a_run_is_gone_to_by_choosing_its_line():
    cluster = working()
    lab = opened(cluster)
    lab.go_to(20)
    lab.crash_button.click()
    assert lab.runs.value == lab.branch.value == 2
    lab.runs.value = 1
    assert lab.cluster is cluster
    assert lab.branch.value == 1
    assert [line[0] for line in lines(lab)] == ["▶", " "]
    lab.branch.value = 2
    assert lab.runs.value == 2
    assert lab.frame.number == 21


# The text of the run looked at


def test_the_text_is_that_of_the_run_up_to_the_moment_looked_at():
    cluster = working()
    lab = opened(cluster)
    assert text_in(lab) == cluster.recording.share()
    lab.go_to(17)
    assert text_in(lab) == cluster.recording.upto(17).share()
    assert raftlab.load(text_in(lab)) == lab.session.so_far
    lab.crash_button.click()
    assert raftlab.load(text_in(lab)) == lab.recording
    assert lab.recording != cluster.recording


def test_the_run_as_python_is_written_when_it_is_asked_for():
    cluster = working()
    lab = opened(cluster)
    assert lab.code.value == ""
    assert lab.code.layout.display == "none"
    lab.code_mode.value = True
    assert lab.code.layout.display is None
    assert unescape(lab.code.value).count(cluster.recording.as_code().strip()) == 1


def test_the_text_is_made_only_while_the_panel_is_open_and_nothing_plays(monkeypatch):
    made = []
    share = raftlab.Recording.share
    monkeypatch.setattr(raftlab.Recording, "share", lambda run: made.append(run) or share(run))
    lab = working().lab()
    lab.step_button.click()
    assert made == []
    lab.details.selected_index = RUNS_PANEL
    assert len(made) == 1
    lab.node.value = "S3"
    assert len(made) == 1  # the same moment of the same run
    lab.play_button.click()
    for _ in range(3):
        lab.stage._handle_custom_msg({"kind": "next", "seq": lab.stage.seq}, [])
    assert len(made) == 1
    lab.play_button.click()
    assert len(made) == 2
    assert made[-1] == lab.recording


def test_a_text_that_needs_a_class_says_which():
    lab = opened(hasty())
    assert "raftlab.load(text, rules=Hasty).lab()" in lab.shared.value
    assert "raftlab.load(text).lab()" in opened(working()).shared.value


def test_a_run_that_cannot_be_shared_says_why():
    lab = opened(working())
    lab.cluster.actions.append(Restart(0.0, "S1"))  # time does not go back
    lab.stage._handle_custom_msg({"kind": "key", "key": "r"}, [])
    lab.code_mode.value = True
    assert "This run cannot be shared: " in lab.shared.value
    assert "This run cannot be written: " in lab.code.value
    assert text_in(lab) == ""
    assert lab.trouble == ""


def test_a_name_of_a_class_is_told_as_text():
    kind = type("<b>Bold</b>", (Rules,), {})
    assert "<b>Bold" not in opened(Cluster(3, rules=kind)).shared.value


# Opening


def test_a_run_opens_as_a_run_of_its_own_at_its_end():
    theirs = working(commands=5, nodes=3, seed=4)
    lab = opened(working())
    before = lab.recording
    paste(lab, theirs.recording.share())
    assert lab.trouble == ""
    assert lab.recording == theirs.recording
    assert lab.session.is_live
    assert lab.frame == theirs.frame()
    assert lab.branches == (before, theirs.recording)
    assert [line[:6] for line in lines(lab)] == ["  run ", "▶ run "]
    assert "run 2: opened" in lines(lab)[1]
    assert lab.run_text.value == ""
    assert "this is run 2" in lab.note.value
    assert lab.node.options == ("S1", "S2", "S3")
    lab.go_to(9)
    lab.crash_button.click()
    assert lab.session.branch.parent == 2
    lab.runs.value = 1
    assert lab.recording == before


def test_an_opened_run_rests_and_is_played_again():
    theirs = working(nodes=3, seed=4)
    session = Session(working())
    session.open(theirs.recording.share())
    frame = session.frame
    session.choose(1)
    session.choose(2)
    assert session.frame == frame


@pytest.mark.parametrize("around", ["{}", "  {}\n", '"{}"', "`{}`", "\t'{}' "])
def test_blanks_and_quotes_around_a_text_do_no_harm(around):
    text = working().recording.share()
    session = Session(Cluster(1))
    session.open(around.format(text))
    assert session.cluster.recording == working().recording


def test_a_text_that_a_mail_has_broken_into_lines_opens():
    text = working().recording.share()
    session = Session(Cluster(1))
    session.open("\r\n".join(text[start : start + 11] for start in range(0, len(text), 11)))
    assert session.cluster.recording == working().recording


def test_a_text_of_rules_that_this_lab_follows_opens_at_its_violation():
    recording = broken()
    lab = opened(Cluster(3, rules=Hasty))
    paste(lab, recording.share())
    assert lab.trouble == ""
    assert lab.recording == recording
    assert "Commit Follows Quorum is broken" in lab.banner.value
    assert lines(lab)[1].endswith("✕ Commit Follows Quorum")
    assert "It follows the Hasty of this lab." in lab.note.value


@pytest.mark.parametrize("rules", [None, Careful, {"S1": Hasty}])
def test_a_text_of_rules_that_this_lab_does_not_know_says_what_to_do(rules):
    lab = opened(Cluster(3, rules=rules))
    paste(lab, broken().share())
    assert lab.trouble == (
        "This run was made with 'Hasty' of 'tests.lab.clusters', which is not raftlab's own:"
        " define the class in a cell, and use raftlab.load(text, rules=…).lab()."
    )
    assert len(lab.branches) == 1


def test_rules_of_the_same_name_that_do_something_else_are_found_out():
    class Slow(Rules):
        """Nobody stands for election in time."""

        def election_timeout(self, options, rng):
            return 5000.0

    changed = type("Hasty", (Slow,), {"__module__": Hasty.__module__, "__qualname__": "Hasty"})
    session = Session(Cluster(3, rules=changed))
    with pytest.raises(Misuse, match=r"^This run .*\.$"):
        session.open(broken().share())
    assert len(session.branches) == 1


SHARED = working().recording.share()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is no text yet"),
        (" \n ", "There is no text yet"),
        ("x=1", "That is no shared run: one begins with"),
        ("/etc/passwd", "That is no shared run: one begins with"),
        ("pyproject.toml", "That is no shared run: one begins with"),
        ("raftlab.1.", "Nothing comes after 'raftlab.1.': paste the whole text"),
        ("raftlab.99.AAAA", "of version 99"),
        (SHARED[:-5], "cut short"),
        (SHARED[:30] + "é" + SHARED[31:], "'é' in it"),
        (SHARED[:30] + ("A" if SHARED[30] != "A" else "B") + SHARED[31:], "altered"),
        ("raftlab.1." + "A" * LONGEST_TEXT, "at most 200,000 letters"),
        ("🦀" * 10_000_000, "at most 200,000 letters"),
        ("\x00" * 40, "That is no shared run"),
    ],
    ids=range(13),
)
def test_what_cannot_be_opened_is_refused_and_changes_nothing(text, said):
    lab = opened(working())
    lab.go_to(12)
    before = lab.frame, lab.branches, lines(lab), text_in(lab)
    paste(lab, text)
    assert said in lab.trouble
    assert 'role="alert"' in lab.alarm.value
    assert escape(lab.trouble) in lab.alarm.value
    assert "<details>" not in lab.alarm.value
    assert (lab.frame, lab.branches, lines(lab), text_in(lab)) == before
    assert len(lab.alarm.value) < 500


def test_a_text_that_is_refused_can_be_mended_but_a_huge_one_is_thrown_away():
    lab = opened(working())
    paste(lab, SHARED[:-5])
    assert lab.run_text.value == SHARED[:-5]
    paste(lab, "x" * (LONGEST_TEXT + 1))
    assert lab.run_text.value == ""


@settings(max_examples=60)
@given(st.text(), st.integers(0, len(SHARED)), st.integers(0, len(SHARED)))
def test_no_text_is_an_error_and_none_opens_but_the_true_one(noise, start, end):
    session = Session(Cluster(1))
    text = SHARED[:start] + noise + SHARED[end:]
    try:
        session.open(text)
    except Misuse as refusal:
        assert str(refusal).endswith(".")
        assert len(session.branches) == 1
    else:
        assert session.cluster.recording == working().recording


# A recording's own lab


def test_a_recording_has_a_lab_at_its_end():
    recording = working().recording
    for lab in (recording.lab(speed=10), Lab(recording, speed=10)):
        assert lab.recording == recording
        assert lab.session.is_live
        assert lab.frame == working().frame()
        assert lab.speed.value == 10


def test_a_recording_of_a_violation_opens_with_its_banner_and_can_be_taken_elsewhere():
    recording = broken()
    lab = recording.lab()
    assert lab.frame.number == len(recording)
    assert "Commit Follows Quorum is broken" in lab.banner.value
    lab.before_button.click()
    assert lab.banner.value == ""
    lab.isolate_button.click()
    assert lab.trouble == ""
    assert lab.branch.value == 2
    assert lab.branches[0] == recording


def test_a_lab_may_begin_at_another_frame():
    recording = working().recording
    lab = recording.lab(frame=12)
    assert lab.frame.number == 12
    assert lab.cluster.number == len(recording)
    assert "in the past" in repr(lab)
    assert working().lab(frame=0).frame.number == 0


@pytest.mark.parametrize("frame", [-1, 10**9, 1.0, "3", True])
def test_a_lab_cannot_begin_at_a_frame_that_is_none(frame):
    with pytest.raises(Misuse, match="frame"):
        working().recording.lab(frame=frame)


def test_a_recording_of_a_machine_that_failed_opens_where_it_failed():
    cluster = Cluster(3, seed=1, rules=Failing())
    with pytest.raises(ZeroDivisionError):
        cluster.run(1000)
    lab = cluster.recording.lab()
    assert lab.frame == cluster.frame()
    lab.step_button.click()
    assert "ZeroDivisionError" in lab.trouble


def test_what_the_panel_sends_is_small():
    lab = opened(working(commands=200))
    assert len(json.dumps([lab.shared.value, lab.runs.options])) < 20_000
