"""Exercises of notebook 00: reading a frame, and carrying out a log."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.course.situations import frame_of
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import Frame
from raftlab.view import Scene, scene_cluster


class FrameCase(Case):
    """A case whose only argument is a frame, made from a few numbers."""

    __slots__ = ("made_by",)

    def __init__(self, made_by: str, frame: Frame) -> None:
        super().__init__(frame)
        self.made_by = made_by

    @property
    def code(self) -> str:
        """How the frame is made."""
        return self.made_by


def frame_cases() -> list[Case]:
    """Clusters before their first election, with a leader, without, and with two."""
    made = [(seed, ms) for ms in (0.0, 100.0, 400.0, 700.0) for seed in (1, 2, 3)]
    cases: list[Case] = [FrameCase(f"frame_of({s}, {ms:g})", frame_of(s, ms)) for s, ms in made]
    for seed in (1, 2, 3, 4):
        leader = frame_of(seed, 400).leader
        if leader is None:
            continue
        cut = f"frame_of({seed}, 700, cut={leader.node!r})"
        cases.append(FrameCase(cut, frame_of(seed, 700, cut=leader.node)))
    for cut in ("S1", "S3"):  # somebody is in a later term than the leader
        cases.append(FrameCase(f"frame_of(1, 700, cut={cut!r})", frame_of(1, 700, cut=cut)))
    return cases


def leader_of(frame: Frame) -> NodeId | None:
    """The name of the leader of the highest term, or None."""
    return frame.leader.node if frame.leader else None


def state_after(commands: Sequence[str]) -> dict[str, int]:
    """What is stored under each name once these commands have been carried out in this order."""
    state: dict[str, int] = {}
    for command in commands:
        name, _, value = command.partition("=")
        state[name] = int(value)
    return state


def command_cases() -> list[Case]:
    """Every list of up to three of five commands: the same name again, and other orders."""
    those = ("x=1", "x=2", "y=1", "y=3", "long_name=12")
    return [Case([*each]) for length in range(4) for each in product(those, repeat=length)]


def draw(case: Case, _: Any) -> Sequence[Scene]:
    """The cluster in the frame."""
    return (scene_cluster(case.arguments[0]),)


def draw_commands(case: Case, got: Any) -> Sequence[Scene]:
    """The commands in the order of the log, and the state after them."""
    (commands,) = case.arguments
    facts = {f"entry {place}": command for place, command in enumerate(commands, 1)}
    return (scene_facts(facts | {"state": said(got)}, "A log, and the state after it", "state"),)


def first_found(frame: Frame) -> NodeId | None:
    """The first leader in the list, whatever its term."""
    return next((each.node for each in frame.nodes if each.role is Role.LEADER), None)


def first_value_stays(commands: Sequence[str]) -> dict[str, int]:
    """The state if a name keeps its first value."""
    return state_after([*reversed(commands)])


EXERCISES = (
    Exercise(
        "0.1",
        "Who leads?",
        1,
        "leader_of",
        Statement(
            "Write leader_of(frame): which server leads in this frame? A frame is one moment of a"
            " cluster. Two servers may lead at once, if one was cut off and has not heard of the"
            " other: then the one in the higher term is meant.",
            {
                "frame": "Frame: frame.nodes are the servers; each has node (its name, as 'S1'),"
                " alive (True or False), role (rl.Role.LEADER or another) and term (a number)."
                " frame_of(seed, ms) makes one",
            },
            "str or None: the name of the leader; None, if nobody leads.",
            "every picture and every check of these notebooks is made from frames.",
            (
                "Go through frame.nodes, and keep those whose role is rl.Role.LEADER.",
                "Of several leaders take max(leaders, key=lambda each: each.term). An empty list"
                " has no max: think of the frame without a leader.",
            ),
        ),
        paper="5.1; Figure 4",
        reference=leader_of,
        cases=frame_cases,
        example=FrameCase("frame_of(1, 400)", frame_of(1, 400)),
        telling=FrameCase("frame_of(1, 700, cut='S2')", frame_of(1, 700, cut="S2")),
        picture=draw,
        mistakes=(
            Mistake("this takes the first leader that it finds", answers=first_found),
            Mistake(
                "this takes the highest term, whoever is in it: a candidate, too",
                answers=lambda frame: max(frame.nodes, key=lambda each: each.term).node,
            ),
        ),
    ),
    Exercise(
        "0.2",
        "The same state",
        1,
        "state_after",
        Statement(
            "Write state_after(commands): carry out the commands of a log, one after the other. A"
            ' command "x=1" stores 1 under the name x, and replaces what was there. At first'
            " nothing is stored.",
            {"commands": 'list of str: the commands in the order of the log, each as "x=1"'},
            'dict: from each name to its value, an int, as {"x": 1}.',
            "servers that carry out equal logs in order have equal states: so all that Raft has to"
            " keep equal is the log.",
            (
                "Begin with an empty dict, and go through the commands in order.",
                'command.split("=") gives the name and the value; int("1") is 1.',
            ),
        ),
        paper="2",
        reference=state_after,
        cases=command_cases,
        example=Case(["x=1", "y=3"]),
        telling=Case(["x=1", "y=3", "x=2"]),
        picture=draw_commands,
        mistakes=(
            Mistake("this lets the first command for a name win", answers=first_value_stays),
            Mistake(
                "this carries out the last command only",
                answers=lambda commands: state_after(commands[-1:]),
            ),
        ),
    ),
)
