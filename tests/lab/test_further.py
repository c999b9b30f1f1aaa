"""The lab beyond Figure 2: leadership, members, snapshots, reads, clocks and disks."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab import Cluster, Misuse, Options
from raftlab.lab import Lab, parsing
from raftlab.lab.callbacks import choose_node, choose_node_beside
from raftlab.lab.control_table import BEST, BUTTONS, CONTROLS, LEADER
from raftlab.lab.nodes_table import COLUMNS, nodes_table
from raftlab.lab.parsing import CHOSEN
from raftlab.lab.session import Session
from tests.lab.clusters import hasty, working
from tests.lab.test_panels import words

LISTS = ("node", "link_from", "link_to")
ENTERS = {name: each.enter for name, each in CONTROLS.items() if each.enter}


def settled(nodes: int = 3, **more: Any) -> Cluster:
    """A cluster with a leader, and x=2 committed everywhere."""
    cluster = Cluster(nodes, seed=7, **more)
    cluster.elect()
    for number in range(3):
        cluster.propose(f"x={number}")
        cluster.run(60)
    return cluster


def follower_of(cluster: Cluster) -> str:
    return next(node for node in cluster.nodes if node != cluster.leader)


def pressed(lab: Lab, name: str, **fields: Any) -> None:
    """A button is clicked on the page, which reports what its fields hold."""
    content = {"kind": "press", "name": f"{name}_button", "fields": fields}
    lab.stage._handle_custom_msg(content, [])


def let_pass(lab: Lab, ms: float) -> None:
    lab.run_ms.value = ms
    lab.run_button.click()
    assert lab.trouble == ""


def nothing_changed(lab: Lab, number: int, nodes: tuple[str, ...]) -> bool:
    return lab.cluster.number == number and lab.cluster.nodes == nodes


# The panel


def test_the_panel_is_closed_at_first_and_opens_with_its_button_and_key():
    lab = settled().lab()
    assert lab.further.layout.display == "none"
    assert "raftlab-simple" in lab.widget._dom_classes
    lab.further_mode.value = True
    assert lab.further.layout.display is None
    assert "raftlab-simple" not in lab.widget._dom_classes
    lab.stage._handle_custom_msg({"kind": "key", "key": "m"}, [])
    assert lab.further.layout.display == "none"
    assert lab.full_mode.value


def test_enter_presses_a_button_that_there_is():
    lab = settled().lab()
    for field, name in ENTERS.items():
        assert name in BUTTONS
        assert f"raftlab-enter-{name}" in getattr(lab, field)._dom_classes


# Leadership and snapshots


def test_leadership_is_handed_to_the_chosen_node():
    cluster = settled()
    lab, to = cluster.lab(), follower_of(cluster)
    pressed(lab, "transfer", node=to, transfer_to=CHOSEN)
    assert lab.trouble == ""
    assert lab.frame.leader.transfer.to == to
    let_pass(lab, 100)
    assert lab.cluster.leader == to


def test_the_keys_hand_over_and_read():
    cluster = settled()
    lab = cluster.lab()
    lab.node.value = follower_of(cluster)
    for key, told in (("q", "asks"), ("o", "hand its leadership over")):
        lab.stage._handle_custom_msg({"kind": "key", "key": key}, [])
        assert told in lab.frame.event.text
    assert lab.trouble == ""


def test_leadership_is_handed_to_the_best():
    cluster = settled()
    before = cluster.leader
    lab = cluster.lab()
    lab.transfer_to.value = BEST
    lab.transfer_button.click()
    let_pass(lab, 100)
    assert lab.cluster.leader not in (None, before)


def test_a_leader_does_not_hand_over_to_itself():
    cluster = settled()
    lab, number = cluster.lab(), cluster.number
    lab.node.value = cluster.leader
    lab.transfer_button.click()
    assert "leads already" in lab.trouble
    assert cluster.number == number


def test_a_follower_forgets_its_leader():
    cluster = settled()
    lab = cluster.lab()
    lab.node.value = follower_of(cluster)
    lab.forget_button.click()
    assert lab.frame[lab.node.value].leader is None
    lab.node.value = cluster.leader
    lab.forget_button.click()
    assert "follows nobody" in lab.trouble


def test_a_log_is_compacted_once():
    lab = settled().lab()
    lab.compact_button.click()
    assert lab.frame["S1"].snapshot.index == lab.frame["S1"].applied_index
    lab.compact_button.click()
    assert "S1 has applied nothing since its last snapshot" in lab.trouble


# Members


def test_a_learner_is_added_under_the_next_free_name_and_promoted():
    lab = settled().lab()
    assert lab.learner_name.value == "S4"
    lab.learner_button.click()
    assert lab.frame.leader.configuration.learners == ("S4",)
    assert lab.learner_name.value == "S5"
    assert lab.learners.value == "S4"
    let_pass(lab, 300)
    lab.node.value = "S4"
    lab.promote_button.click()
    let_pass(lab, 300)
    assert lab.frame.leader.configuration.voters == ("S1", "S2", "S3", "S4")
    assert (lab.voters.value, lab.learners.value) == ("S1 S2 S3 S4", "")


def test_a_voter_is_removed():
    cluster = settled()
    lab, node = cluster.lab(), follower_of(cluster)
    lab.node.value = node
    lab.remove_button.click()
    let_pass(lab, 300)
    assert node not in lab.frame.leader.configuration.members
    assert node not in lab.voters.value
    lab.remove_button.click()
    assert f"{node} is no member" in lab.trouble


def test_voters_and_learners_are_named_one_by_one():
    lab = settled(5).lab()
    assert lab.voters.value == "S1 S2 S3 S4 S5"
    pressed(lab, "reconfigure", voters="S1, S2,S3", learners=" S4 ")
    assert lab.trouble == ""
    assert lab.frame.leader.configuration.is_joint
    assert (lab.voters.value, lab.learners.value) == ("S1, S2,S3", " S4 ")  # as it was typed
    let_pass(lab, 300)
    now = lab.frame.leader.configuration
    assert (now.voters, now.learners) == (("S1", "S2", "S3"), ("S4",))


def test_what_the_reader_has_typed_stays_until_it_is_true():
    lab = settled(5).lab()
    lab.voters.value = "S1 S2"
    lab.step_button.click()
    assert lab.voters.value == "S1 S2"
    lab.learner_button.click()
    assert (lab.voters.value, lab.learners.value) == ("S1 S2", "S6")
    pressed(lab, "step", voters="S1", learner_name="S1", learners="S1")  # read at their own button
    assert (lab.voters.value, lab.learners.value) == ("S1 S2", "S6")
    lab.learner_name.value = "west"
    lab.step_button.click()
    assert lab.learner_name.value == "west"


def test_a_new_voter_that_has_not_caught_up_is_told():
    lab = settled().lab()
    lab.learner_button.click()
    lab.node.value = "S4"
    number = lab.cluster.number
    lab.promote_button.click()
    assert "not through" in lab.trouble or "not caught up" in lab.trouble
    assert lab.cluster.number == number


def test_a_double_click_adds_one_learner():
    lab = settled().lab()
    pressed(lab, "learner", learner_name="S4")
    pressed(lab, "learner", learner_name="S4")  # the page has not heard of the first one yet
    assert lab.trouble
    assert lab.cluster.nodes == ("S1", "S2", "S3", "S4")
    assert lab.learner_name.value == "S5"


def test_a_learner_that_is_refused_starts_no_server():
    lab = settled().lab()
    pressed(lab, "learner", learner_name="S4")
    pressed(lab, "learner", learner_name="S5")
    assert "not through" in lab.trouble
    assert lab.cluster.nodes == ("S1", "S2", "S3", "S4")


@pytest.mark.parametrize("name", ["", "  ", "S4 S5", "S4,S5", "S1;S2", "a\u202eb", "x" * 500])
def test_what_is_no_name_adds_nobody(name):
    cluster = settled()
    lab, number, nodes = cluster.lab(), cluster.number, cluster.nodes
    pressed(lab, "learner", learner_name=name)
    assert "for instance S4" in lab.trouble
    assert len(lab.trouble) < 250
    assert nothing_changed(lab, number, nodes)
    assert "<details>" not in lab.alarm.value


@pytest.mark.parametrize(
    ("voters", "learners", "told"),
    [
        ("", "", "no voters yet"),
        (" , ", "S1", "no voters yet"),
        ("S1 S1", "", "twice"),
        ("S1 S2", "S2", "S2 cannot be voter and learner"),
        ("S1 S9", "", "no node 'S9'"),
        ("S1;S2", "", "no node 'S1;S2'"),
        ("S1 S2 S3", "", "That is the configuration already"),
        ("<b>", "", "no node '<b>'"),
    ],
)
def test_what_is_no_configuration_changes_nothing(voters, learners, told):
    cluster = settled()
    lab, number, nodes = cluster.lab(), cluster.number, cluster.nodes
    pressed(lab, "reconfigure", voters=voters, learners=learners)
    assert told in lab.trouble
    assert "<b>S" not in lab.alarm.value
    assert nothing_changed(lab, number, nodes)


def test_without_a_leader_nobody_can_be_asked():
    lab = Cluster(3).lab()
    for name in ("transfer", "learner", "promote", "remove", "reconfigure", "read"):
        pressed(lab, name, learner_name="S4", voters="S1", key="x")
        assert "No node leads" in lab.trouble
        assert lab.cluster.number == 0


# The list of nodes


def test_every_list_follows_the_nodes():
    lab = settled().lab()
    lab.details.selected_index = 0  # the table
    before = lab.frame.number
    lab.learner_button.click()
    four = ("S1", "S2", "S3", "S4")
    assert all(getattr(lab, name).options == four for name in LISTS)
    assert lab.propose_to.options == (LEADER, *four)
    assert tuple(lab.controls.sides) == four
    lab.node.value = lab.link_to.value = "S4"
    lab.propose_to.value = "S4"
    lab.go_to(before)
    assert all(getattr(lab, name).options == four[:3] for name in LISTS)
    assert (lab.node.value, lab.link_to.value, lab.propose_to.value) == ("S1", "S3", LEADER)
    assert lab.learner_name.value == "S4"
    assert "S4" not in words(lab.nodes_table.value)
    assert repr(lab).startswith("<Lab of 3 nodes")
    lab.end_button.click()
    assert lab.node.options == four
    assert repr(lab).startswith("<Lab of 4 nodes")


def test_a_node_that_joined_can_be_put_on_a_side_and_crashed():
    lab = settled().lab()
    lab.learner_button.click()
    lab.partition_mode.value = True
    choose_node(lab.controller, "S4")
    assert lab.controls.sides["S4"].description == "S4: B"
    assert lab.controls.sides["S4"] in lab.partition_row.children
    lab.controls.sides["S4"].value = False
    assert lab.controls.sides["S4"].description == "S4: A"
    choose_node(lab.controller, "S4")
    lab.partition_button.click()
    assert lab.frame.groups == (("S4",), ("S1", "S2", "S3"))
    choose_node_beside(lab.controller, -1)
    assert lab.node.value == "S4"
    lab.crash_button.click()
    assert not lab.frame["S4"].alive


def test_a_branch_from_before_a_server_joined_has_other_nodes():
    cluster = settled()
    lab, before = cluster.lab(), cluster.number
    lab.learner_button.click()
    let_pass(lab, 100)
    lab.go_to(before)
    pressed(lab, "learner", learner_name="west")
    assert lab.cluster.nodes == ("S1", "S2", "S3", "west")
    assert lab.branch.value == 2
    lab.branch.value = 1
    assert lab.node.options == ("S1", "S2", "S3", "S4")
    lab.branch.value = 2
    assert lab.node.options == ("S1", "S2", "S3", "west")
    assert lab.trouble == ""


def test_time_travel_goes_step_by_step_over_the_moment_when_a_server_joins():
    cluster = settled()
    session, before = Session(cluster), cluster.number
    session.do(lambda cluster: cluster.add_learner("S4"))
    for number in (before, before + 1, before + 2, before + 1, before):
        session.go_to(number)
        assert len(session.frame.nodes) == (3 if number == before else 4)
        assert session.frame == cluster.at(number).frame()


# Reads


def test_a_read_waits_and_is_answered():
    lab = settled().lab()
    lab.details.selected_index = 0  # the table
    lab.further_mode.value = True
    assert lab.reads.value == ""
    pressed(lab, "read", key=" x ", read_from=LEADER)
    assert lab.trouble == ""
    assert "read of x waits for a majority" in words(lab.reads.value)
    assert "read of x waits for a majority" in words(lab.nodes_table.value)
    let_pass(lab, 100)
    told = f"{lab.cluster.leader} answers the read of x with 2"
    assert told in words(lab.reads.value)
    assert told in words(lab.events.value)
    lab.go_to(lab.frame.number // 2)
    assert "answers" not in lab.reads.value


def test_a_follower_asks_its_leader():
    cluster = settled()
    lab, node = cluster.lab(), follower_of(cluster)
    lab.further_mode.value = True
    pressed(lab, "read", node=node, key="nobody", read_from=CHOSEN)
    assert f"{node}: read of nobody waits for its leader" in words(lab.reads.value)
    let_pass(lab, 100)
    assert f"{node} answers the read of nobody with nothing" in words(lab.reads.value)


@pytest.mark.parametrize("key", ["", "  "])
def test_no_key_is_no_read(key):
    cluster = settled()
    lab, number = cluster.lab(), cluster.number
    pressed(lab, "read", key=key)
    assert "for instance x" in lab.trouble
    assert cluster.number == number


@pytest.mark.parametrize("key", ["<b>x</b>", "k" * 5000, "a b", "\u202e\x00"])
def test_absurd_keys_are_keys(key):
    lab = settled().lab()
    lab.further_mode.value = True
    for _ in range(9):
        pressed(lab, "read", key=key)
    assert "more wait" in lab.reads.value
    let_pass(lab, 100)
    assert "<b>" not in lab.reads.value
    assert len(lab.reads.value) < 1000


def test_a_read_of_a_node_that_crashes_is_given_up():
    cluster = settled()
    lab, node = cluster.lab(), follower_of(cluster)
    lab.further_mode.value = True
    pressed(lab, "read", node=node, key="x", read_from=CHOSEN)
    lab.crash_button.click()
    assert "waits" not in lab.reads.value


# Trouble


def test_a_disk_is_wiped():
    lab = settled().lab()
    lab.wipe_button.click()
    assert not lab.frame["S1"].alive
    assert lab.frame["S1"].disk.log == ()
    lab.restart_button.click()
    assert lab.trouble == ""


@pytest.mark.parametrize("rate", ["0", "-1", "1e9", "", "fast", "nan", "inf", "1 2"])
def test_an_absurd_clock_rate_is_refused(rate):
    cluster = settled()
    lab, number = cluster.lab(), cluster.number
    pressed(lab, "clock", clock_rate=rate)
    assert "clock" in lab.trouble
    assert cluster.number == number


def test_a_clock_runs_as_fast_as_it_is_told():
    lab = settled().lab()
    lab.details.selected_index = 0  # the table
    pressed(lab, "clock", node="S2", clock_rate=" 1,5 ")
    assert lab.frame["S2"].clock_rate == 1.5
    assert "S2: clock ×1.5" in words(lab.nodes_table.value)
    pressed(lab, "clock", node="S2", clock_rate="1")
    assert "clock ×" not in lab.nodes_table.value


@pytest.mark.parametrize("ms", ["-1", "1e9", "", "slow", "nan", "inf"])
def test_an_absurd_write_time_is_refused(ms):
    cluster = settled()
    lab, number = cluster.lab(), cluster.number
    pressed(lab, "disk", write_ms=ms)
    assert "write" in lab.trouble
    assert cluster.number == number


def test_a_disk_takes_as_long_as_it_is_told():
    lab = settled().lab()
    pressed(lab, "disk", node="S3", write_ms="40")
    assert lab.cluster.hosts["S3"].write_ms == 40.0


def test_calm():
    lab = settled().lab()
    lab.calm_button.click()
    assert "from now on" in lab.events.value
    assert lab.trouble == ""


# The past, and violations


@pytest.mark.parametrize(
    "name", ["transfer", "learner", "compact", "read", "wipe", "clock", "calm"]
)
def test_to_act_in_the_past_begins_a_new_run(name):
    cluster = settled()
    lab, actions = cluster.lab(), tuple(cluster.actions)
    pressed(lab, "back")
    pressed(lab, name, node=follower_of(cluster), key="x", clock_rate="2", learner_name="S4")
    assert lab.trouble == ""
    assert lab.branch.value == 2
    assert tuple(cluster.actions) == actions


def test_what_is_refused_in_the_past_begins_none():
    lab = settled().lab()
    lab.go_to(1)
    pressed(lab, "transfer")
    assert "No node leads" in lab.trouble
    assert lab.frame.number == 1
    assert len(lab.branches) == 1


def test_after_a_violation_the_run_stands_still():
    lab = hasty().lab()
    lab.violation_button.click()
    number = lab.cluster.number
    assert "is broken" in lab.banner.value
    for name in sorted(set(BUTTONS) & {f"{each}_button" for each in (
        "transfer", "compact", "learner", "remove", "read", "clock", "disk", "calm", "wipe"
    )}):  # fmt: skip
        getattr(lab, name).click()
        assert lab.trouble
        assert lab.cluster.number == number
        assert "<details>" not in lab.alarm.value
        assert "is broken" in lab.banner.value


def stale_lease(lab: Lab) -> None:
    """By the lab's own controls: a leader with a slow clock, cut off, answers from the past."""
    old = lab.cluster.leader
    pressed(lab, "clock", node=old, clock_rate="0.1")
    pressed(lab, "isolate", node=old)
    lab.election_button.click()
    new = lab.cluster.leader
    assert new != old
    pressed(lab, "propose", command="x=new", propose_to=new)
    lab.commit_button.click()
    pressed(lab, "read", node=old, key="x", read_from=CHOSEN)


def test_a_lease_and_a_slow_clock_break_a_property():
    lab = settled(options=Options(lease_reads=True)).lab()
    stale_lease(lab)
    assert "Reads Are Current is broken" in words(lab.banner.value)
    assert "✕" in lab.lights.value
    assert lab.trouble == ""


# The table


def test_the_table_of_a_plain_cluster_says_nothing_more():
    cluster = working()
    table = nodes_table(cluster.frame(), None)
    assert re.findall(r"<th scope=col>(\w+)</th>", table) == list(COLUMNS)
    assert "<p>" not in table
    assert not re.search("voter|learner|clock|read|snapshot", table)


def test_the_table_tells_who_learns_and_who_is_in_which_group():
    cluster = settled()
    cluster.add_learner("S4")
    assert "S4 follower, learner" in words(nodes_table(cluster.frame(), None))
    cluster.run(300)
    cluster.reconfigure("S1 S2 S4")
    told = words(nodes_table(cluster.frame(), None))
    assert "new group" in told
    assert "joint: S1 S2 S3 (old) and S1 S2 S4 (new)" in told
    cluster.run(300)
    assert "not a member" in words(nodes_table(cluster.frame(), None))


def test_the_table_tells_snapshots_and_transfers():
    cluster = settled()
    leader = cluster.leader
    cluster.compact(leader)
    cluster.propose("y=1")
    told = words(nodes_table(cluster.frame(), None))
    assert re.search(r"\d+, last 1:y=1, snapshot to \d+", told)
    other = follower_of(cluster)
    cluster.pause(other)
    cluster.transfer(other)
    assert f"{leader}: hands over to {other}" in words(nodes_table(cluster.frame(), None))


# What is typed


def test_names_are_read_with_blanks_or_commas():
    assert parsing.names_in(" S1  S2 ", ()) == ("S1", "S2")
    assert parsing.names_in("S1, S2,,S3 S4", ()) == ("S1", "S2", "S3", "S4")
    assert parsing.names_in("the west, S1", ("the west",)) == ("the west", "S1")
    for nodes in (("S1", "S2"), ("the west", "S1"), ("the west",), ()):
        assert parsing.names_in(parsing.listed(nodes), nodes) == nodes


def test_the_next_name_is_free():
    assert parsing.next_name(("S1", "S2", "S10")) == "S11"
    assert parsing.next_name(("west", "east")) == "S1"
    assert parsing.one_name(" the west ", ("the west",)) == "the west"


def test_a_number_is_a_number():
    assert parsing.number_in(" 1,5", "A rate", "2") == 1.5
    with pytest.raises(Misuse, match="A rate is a number, for instance 2, not 'x'"):
        parsing.number_in("x", "A rate", "2")


# Whatever is clicked

FURTHER = sorted(set(BUTTONS) - {"violation_button"})
WORDS = st.sampled_from(["", "S1", "S4", "S1 S2", "S1,S2 S4", "0", "2", "-1", "1e9", "x"])
PRESSES = st.tuples(st.sampled_from(FURTHER), st.sampled_from(["S1", "S2", "S3", "S4"]), WORDS)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(PRESSES, st.integers(-1, 150)), max_size=25))
def test_whatever_is_clicked_nothing_breaks(clicks):
    lab = settled().lab()
    lab.further_mode.value = True
    for click in clicks:
        if isinstance(click, int):
            lab.go_to(click)
        else:
            name, node, typed_words = click
            fields = dict.fromkeys(ENTERS, typed_words)
            pressed(lab, name.removesuffix("_button"), node=node, **fields)
        assert "<details>" not in lab.alarm.value
        assert lab.frame.number == lab.time_slider.value
        assert lab.node.options == tuple(node.node for node in lab.frame.nodes)
        assert lab.frame == lab.cluster.at(lab.frame.number).frame()
    lab.close()
