"""An interrupt of the kernel at any moment leaves a lab whole, and it goes on when asked."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from raftlab.lab import Lab
from raftlab.lab.beginnings import SITUATIONS
from raftlab.lab.controls import Controls
from raftlab.lab.session import Session
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.actions import Deliver
from raftlab.sim.world.handlers import HANDLERS
from tests.lab.clusters import working


def press(lab: Lab, name: str, **fields: str) -> None:
    lab.stage._handle_custom_msg({"kind": "press", "name": name, "fields": fields}, [])


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def in_the_past() -> Session:
    """A session with two runs, which looks at the second, in its past."""
    session = Session(working())
    session.go_to(9)
    session.do(lambda cluster: cluster.crash("S3"))
    session.step()
    session.go_to(7)
    return session


MOVES: dict[str, Callable[[Session], Any]] = {
    "a new run": lambda session: session.go_on_from_here(),
    "something done in the past": lambda session: session.do(lambda each: each.crash("S1")),
    "another run": lambda session: session.choose(1),
    "a new cluster": lambda session: session.begin_new(3, 1, *[True] * 4),
    "a situation": lambda session: session.begin_situation(SITUATIONS[0][1]),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_what_is_interrupted_before_it_can_be_looked_at_has_not_happened(move, monkeypatch):
    session = in_the_past()
    cluster, frame, runs = session.cluster, session.frame, session.branches
    with monkeypatch.context() as patched:
        patched.setattr(Cluster, "frame", interrupt)
        with pytest.raises(KeyboardInterrupt):
            move(session)
    assert session.cluster is cluster
    assert (session.frame, session.branches) == (frame, runs)
    session.step()
    assert session.position == frame.number + 1
    move(session)
    assert session.frame != frame


def test_an_interrupted_undo_can_be_done_again(monkeypatch):
    session = Session(working())
    start = session.position
    session.go_to(5)
    session.do(lambda cluster: cluster.crash("S3"))
    with monkeypatch.context() as patched:
        patched.setattr(Cluster, "at", interrupt)
        patched.setattr(Cluster, "frame", interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.undo()
    session.undo()
    assert (session.branch.number, session.position) == (1, 5)
    session.undo()
    assert session.position == start


def test_an_interrupt_in_a_step_that_is_played_again_spoils_no_later_look(monkeypatch):
    session = Session(working())
    session.go_to(5)
    with monkeypatch.context() as patched:
        patched.setitem(HANDLERS, Deliver, interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.go_to(session.number - 1)
    session.go_to(session.number - 1)
    assert session.position == session.number - 1


def test_an_interrupt_waits_until_the_picture_is_whole(monkeypatch):
    lab = working().lab(full=True)
    show_sides = Controls._show_sides

    def interrupted(controls: Controls) -> None:
        monkeypatch.setattr(Controls, "_show_sides", show_sides)
        signal.raise_signal(signal.SIGINT)
        show_sides(controls)

    monkeypatch.setattr(Controls, "_show_sides", interrupted)
    with pytest.raises(KeyboardInterrupt):
        press(lab, "learner_button", learner_name="S9")
    assert lab.trouble.startswith("The kernel was interrupted")
    assert [*lab.controls.sides][-1] == lab.node.options[-1] == "S9"
    assert len(lab.controls.partition_row.children) == len(lab.frame.nodes) + 2
    press(lab, "step_button")
    assert lab.trouble == ""
