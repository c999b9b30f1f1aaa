"""The same schedule under two sets of rules: where do the runs part?"""

import msgspec

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.run.digest import Comparison
from raftlab.sim.run.play import play
from raftlab.sim.run.recording import Recording, recording_of_run
from raftlab.sim.world.action import Action
from raftlab.sim.world.arguments import RulesGiven


class Twin:
    """Two runs of one schedule: `one` under the first rules, `other` under the second.

    `parts_at` is the number of the frame at which they first differ, None if they never do;
    `action` is the step that led there, `nodes` are those that stand differently then, and
    `before` and `frames` the last common frame and the first two that differ. If they differ
    from the beginning, there is neither `action` nor `before`. `one` and `other` stand at the
    end of the schedule, or where a property broke.
    """

    def __init__(self, one: Cluster, other: Cluster) -> None:
        self.one = one
        self.other = other
        self.parts_at: int | None = None
        self.action: Action | None = None
        self.before: Frame | None = None
        self.frames: tuple[Frame, Frame] | None = None

    def __bool__(self) -> bool:
        raise TypeError("two runs are neither true nor false: ask .parts_at for where they part")

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The nodes that differ where the runs part; none, if only messages do."""
        if self.frames is None:
            return ()
        pairs = zip(self.frames[0].nodes, self.frames[1].nodes, strict=True)
        return tuple(mine.node for mine, theirs in pairs if mine != theirs)

    def __repr__(self) -> str:
        return f"<Twin: {self}>"

    def __str__(self) -> str:
        if self.parts_at is None or self.frames is None:
            return f"the runs never part, in {self.one.number} steps"
        if self.before is None:
            return f"the runs part before the first step: {_difference(*self.frames)}"
        told = [_told(self.before, each) for each in self.frames]
        at = f"the runs part at frame {self.parts_at}, {self.frames[0].at:.1f} ms"
        if told[0] == told[1]:
            return f"{at}: {told[0]}; then {_difference(*self.frames)}"
        return f"{at}. One: {told[0]}. Other: {told[1]}."


def twin(run: Recording | Cluster, rules_a: RulesGiven, rules_b: RulesGiven) -> Twin:
    """Play a run under two sets of rules, side by side, and mark the first step that differs.

    It is a recording, or what has happened in a cluster so far. What can no longer happen in
    one of the two is left out there. None stands for the rules that the run was made with.
    Raises: Misuse, for what is no run, for what are no rules, and where the run with its own
    rules plays otherwise than it went.
    """
    recording = recording_of_run(run)
    runs = Twin(recording.start(rules_a), recording.start(rules_b))
    frames = (runs.one.frame(), runs.other.frame())
    if _state(frames[0]) != _state(frames[1]):
        runs.parts_at, runs.frames = 0, frames
    for number, action in enumerate(recording.actions, start=1):
        before = runs.one.frame() if runs.parts_at is None else None
        if runs.one.stopped is not None and runs.other.stopped is not None:
            break
        for cluster in (runs.one, runs.other):
            list(play(cluster.engine, (action,), on_refusal="skip"))
        if before is not None:
            frames = (runs.one.frame(), runs.other.frame())
            if _state(frames[0]) != _state(frames[1]):
                runs.parts_at, runs.action = number, action
                runs.before, runs.frames = before, frames
    for rules, cluster in ((rules_a, runs.one), (rules_b, runs.other)):
        if rules is None:
            Comparison(recording.known).ended(cluster.engine)
    return runs


def _told(before: Frame, after: Frame) -> str:
    if after.number == before.number or after.event is None:
        return "it is refused"
    return after.event.text.rstrip(".")


def _state(frame: Frame) -> tuple[object, ...]:
    """What counts when two runs are compared: the nodes, what is in flight, what is broken."""
    return (frame.nodes, frame.in_flight, frame.violation)


def _difference(one: Frame, other: Frame) -> str:
    """The first thing in which two frames differ, in words."""
    for mine, theirs in zip(one.nodes, other.nodes, strict=True):
        for field in msgspec.structs.fields(mine):
            values = (getattr(mine, field.name), getattr(theirs, field.name))
            if values[0] != values[1]:
                name = field.name.replace("_", " ")
                return f"{mine.node} differs in its {name}: {values[0]} and {values[1]}"
    if one.violation != other.violation:
        return "a property falls in one of them"
    return "other messages are on their way"
