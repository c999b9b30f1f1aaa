"""What a lab sends: how many messages and bytes a click, a step and a moment of playing cost.

A comm that only remembers stands for the connection; nothing here is timed.
"""

import json
from collections.abc import Callable
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from raftlab.lab import Lab
from raftlab.lab.panels import MOST_MESSAGES as MOST_LISTED
from raftlab.lab.panels import by_arrival
from tests.lab.clusters import working

MOST_MESSAGES = 4
"""The picture's own, and three beside it."""

MOST_BYTES = 6000
"""Beside the two scenes."""


class Wire(list[dict[str, Any]]):
    """The states that were sent, first to last."""

    def of(self, what: Callable[[], object]) -> "Wire":
        """What is sent while it is called."""
        self.clear()
        what()
        return self

    @property
    def scenes(self) -> int:
        """How many of them hold a picture."""
        return sum("cluster" in state or "logs" in state for state in self)

    @property
    def beside(self) -> int:
        """How many bytes they are without the pictures."""
        rest = [{k: v for k, v in each.items() if k not in ("cluster", "logs")} for each in self]
        return sum(len(json.dumps(each, separators=(",", ":"))) for each in rest)


@pytest.fixture
def wire(monkeypatch) -> Wire:
    """What every widget sends that is made from now on."""
    sent = Wire()

    class Remembering(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            if msg_type == "comm_msg" and data.get("method") == "update":
                sent.append(data["state"])

    monkeypatch.setattr(comm, "create_comm", lambda **given: Remembering(**given))
    return sent


def play_on(lab: Lab) -> None:
    lab.stage._handle_custom_msg({"kind": "next", "seq": lab.stage.seq}, [])


@pytest.mark.parametrize("full", [False, True], ids=["simple", "full"])
@pytest.mark.parametrize("nodes", [5, 9, 51])
def test_a_step_is_one_message_for_the_picture_and_three_beside_it_at_most(wire, nodes, full):
    lab = working(nodes=nodes).lab(full=full)
    for _ in range(30):
        sent = wire.of(lab.step_button.click)
        assert sent.scenes == 1
        assert len(sent) <= MOST_MESSAGES
        assert sent.beside <= (MOST_BYTES if full else 2000)


@pytest.mark.parametrize("full", [False, True], ids=["simple", "full"])
def test_a_moment_of_playing_costs_no_more_and_between_two_nothing_is_sent(wire, full):
    lab = working().lab(full=full, play=True)
    for _ in range(30):
        sent = wire.of(lambda: play_on(lab))
        assert sent.scenes == 1
        assert len(sent) <= MOST_MESSAGES
        assert sent.beside <= MOST_BYTES
    seq = lab.stage.seq
    lab.stage._handle_custom_msg({"kind": "next", "seq": seq - 1}, [])  # another view, too late
    assert lab.stage.seq == seq


@pytest.mark.parametrize(("nodes", "most"), [(5, 1000), (51, 2000)])
def test_a_simple_lab_sends_little_however_many_nodes_there_are(wire, nodes, most):
    lab = working(nodes=nodes).lab()
    for _ in range(30):
        assert wire.of(lab.step_button.click).beside <= most


def test_what_nobody_sees_is_not_sent(wire):
    lab = working().lab()
    for state in wire.of(lab.step_button.click):
        assert "events" not in state.get("words", {})
    lab.full_mode.value = True
    sent = wire.of(lab.step_button.click)
    assert any("events" in state.get("words", {}) for state in sent)
    assert lab.nodes_table.value == lab.text.value == ""


def test_a_panel_is_filled_when_it_is_opened_and_sent_when_it_changes(wire):
    lab = working().lab(full=True)
    lab.details.selected_index = 0
    assert "<table" in lab.nodes_table.value
    sent = wire.of(lab.step_button.click)
    assert sum("<table" in str(state.get("value", "")) for state in sent) <= 1
    assert wire.of(lambda: lab.controller.redraw()).beside < 200


def test_a_choice_sends_no_more_than_what_it_changes(wire):
    lab = working().lab()
    lab.stage._handle_custom_msg({"kind": "click", "id": "node-S2"}, [])
    sent = wire.of(lambda: lab.stage._handle_custom_msg({"kind": "click", "id": "node-S3"}, []))
    assert len(sent) <= 3
    assert all("logs" not in state for state in sent)


def test_a_message_is_clicked_in_the_simple_lab_and_dropped():
    lab = working().lab()
    number = lab.frame.in_flight[0].number
    lab.stage._handle_custom_msg({"kind": "click", "id": f"msg-{number}"}, [])
    assert lab.message == number
    lab.stage._handle_custom_msg({"kind": "key", "key": "d"}, [])
    assert lab.trouble == ""
    assert number not in [flight.number for flight in lab.frame.in_flight]
    lab.stage._handle_custom_msg({"kind": "key", "key": "]"}, [])
    assert lab.message in [flight.number for flight in lab.frame.in_flight]


def test_however_many_messages_are_on_their_way_the_next_are_listed_and_each_can_be_chosen(wire):
    cluster = working(nodes=51)
    for number in range(8):
        cluster.propose(f"y={number}")
        cluster.run(1.5)
    lab = cluster.lab(full=True)
    flying = [each.number for each in by_arrival(lab.frame)]
    assert len(flying) > 200
    assert wire.of(lab.step_button.click).beside <= MOST_BYTES
    lab.back_button.click()
    assert [number for _, number in lab.messages.options] == flying[:MOST_LISTED]
    assert lab.messages.description.endswith(f"(the next {MOST_LISTED} of {len(flying)})")
    for key, number in (("[", flying[-1]), ("]", flying[0]), ("[", flying[-1]), ("[", flying[-2])):
        lab.stage._handle_custom_msg({"kind": "key", "key": key}, [])
        assert lab.message == number
    assert lab.messages.options[-1][1] == flying[-2]
    lab.drop_button.click()
    assert lab.trouble == ""
    assert flying[-2] not in [flight.number for flight in lab.frame.in_flight]
    lab.stage._handle_custom_msg({"kind": "click", "id": f"msg-{flying[100]}"}, [])
    assert lab.message == flying[100]
