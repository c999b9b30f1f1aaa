"""A run is a value: a setup and the actions that happened. The same value, the same run."""

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim import coding, saving, sharing, tracing
from raftlab.sim.actions import Action
from raftlab.sim.frame import Frame, Trace
from raftlab.sim.given import RulesGiven, moment
from raftlab.sim.host import MachineFactory
from raftlab.sim.settings import Setup

if TYPE_CHECKING:
    from raftlab.sim.cluster import Cluster


class Recording:
    """What a run started from (`setup`) and everything that happened (`actions`).

    Time travel, figures and twin runs are all made by playing a recording again. The
    rules and the machine travel along as the classes they are; `setup` has their names.
    `build` makes the cluster that plays it, with the arguments of `Cluster`.
    """

    __slots__ = ("_build", "_factory", "_rules", "actions", "setup")

    def __init__(
        self,
        setup: Setup,
        actions: tuple[Action, ...],
        rules: RulesGiven,
        factory: MachineFactory,
        build: Callable[..., "Cluster"],
    ) -> None:
        self.setup = setup
        self.actions = actions
        self._rules = rules
        self._factory = factory
        self._build = build

    def __len__(self) -> int:
        """How many actions; the run has one frame more."""
        return len(self.actions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recording):
            return NotImplemented
        return self.setup == other.setup and self.actions == other.actions

    def __hash__(self) -> int:
        return hash((self.setup, self.actions))

    def __repr__(self) -> str:
        end = self.actions[-1].at if self.actions else 0.0
        setup = self.setup
        what = f"{len(setup.nodes)} nodes, seed {setup.seed}"
        return f"<Recording of {what}: {len(self)} actions, {end:.1f} ms>"

    # Other runs made of this one

    def upto(self, number: int) -> "Recording":
        """The first `number` actions. Raises: Misuse, if there are not so many."""
        if not (type(number) is int and 0 <= number <= len(self.actions)):
            raise Misuse(f"this run has frames 0 to {len(self.actions)}, and no frame {number!r}")
        return self.of(self.actions[:number])

    def of(self, actions: Iterable[Action]) -> "Recording":
        """The same beginning with other `actions`, which nobody has tried yet: see `attempt`."""
        return Recording(self.setup, tuple(actions), self._rules, self._factory, self._build)

    def without(self, *numbers: int) -> "Recording":
        """The run without some of its actions, numbered from 0, and without what hung on them."""
        gone = {self._place(number) for number in numbers}
        return self.attempt(
            [each for place, each in enumerate(self.actions) if place not in gone]
        ).recording

    def insert(self, number: int, action: Action) -> "Recording":
        """The run with one more action, before the one at `number`; its time is made to fit.

        Raises: Misuse, if there is no such place, or if it is no action.
        """
        if not isinstance(action, Action):
            raise Misuse(f"what is inserted is an action of raftlab.sim.actions, not {action!r}")
        self.upto(number)
        at = self.actions[number - 1].at if number else 0.0
        if number < len(self.actions):
            action = msgspec.structs.replace(action, at=min(action.at, self.actions[number].at))
        action = msgspec.structs.replace(action, at=max(action.at, at))
        return self.attempt([*self.actions[:number], action, *self.actions[number:]]).recording

    def move(self, number: int, to: int) -> "Recording":
        """The run with one action at another place; its time is made to fit."""
        actions = list(self.actions)
        action = actions.pop(self._place(number))
        return self.of(actions).insert(self._place(to), action)

    def _place(self, number: int) -> int:
        if not (type(number) is int and 0 <= number < len(self.actions)):
            raise Misuse(
                f"this run has the actions 0 to {len(self.actions) - 1}, and no action {number!r}"
            )
        return number

    # Playing

    def start(self, rules: RulesGiven = None, machine: MachineFactory | None = None) -> "Cluster":
        """A cluster as the run began; under other `rules`, or with another `machine`, if given."""
        if machine is not None and not callable(machine):
            raise Misuse(f"a machine is a class like RaftStateMachine, not {machine!r}")
        setup = self.setup
        return self._build(
            setup.nodes,
            seed=setup.seed,
            options=setup.options,
            network=setup.network,
            disks=setup.disks,
            rules=self._rules if rules is None else rules,
            machine=self._factory if machine is None else machine,
            watched=setup.watched,
            logs=dict(setup.logs),
        )

    def replay(self, rules: RulesGiven = None, machine: MachineFactory | None = None) -> "Cluster":
        """Play the run again; the cluster can go on from there as the first one could.

        Under other `rules`, or with another `machine`, it is an `attempt`: other things may
        happen, and a broken property is shown and not raised.
        Raises: Violation, if the run ends in one; to look at such an end, see `attempt`.
        """
        if rules is not None or machine is not None:
            return self.attempt(rules=rules, machine=machine)
        cluster = self.start()
        for action in self.actions:
            cluster.apply(action)
        return cluster

    def branch(self, number: int) -> "Cluster":
        """A cluster as it was at frame `number`, to go on from there in another way.

        Raises: Misuse, if there was no such frame.
        """
        cluster = self.start()
        for action in self.upto(number).actions:
            cluster.apply_quietly(action)
        return cluster

    def attempt(
        self,
        actions: Iterable[Action] | None = None,
        rules: RulesGiven = None,
        machine: MachineFactory | None = None,
    ) -> "Cluster":
        """Play those of `actions` (this run's, if none are given) that can happen, in order.

        What cannot happen is left out, and what would happen in the past happens now. It ends
        where a property breaks (`cluster.violation`) or a machine fails (`cluster.stopped`).
        `cluster.recording` is what really happened. Raises: Misuse, for what are no actions.
        """
        wanted = self.actions if actions is None else _checked(actions)
        cluster = self.start(rules, machine)
        for action in wanted:
            if action.at < cluster.now:
                action = msgspec.structs.replace(action, at=cluster.now)
            try:
                cluster.apply(action)
            except Exception as error:
                if cluster.stopped is not None:
                    break
                if not isinstance(error, Misuse):
                    raise
        return cluster

    def frames(self) -> Iterator[Frame]:
        """Every frame of the run, from before the first action."""
        cluster = self.start()
        yield cluster.frame()
        for action in self.actions:
            cluster.apply_quietly(action)
            yield cluster.frame()

    def trace(self, start: Millis = 0.0, end: Millis | None = None) -> Trace:
        """The run from `start` to `end` (ms; its last moment if None) as life lines and arrows."""
        start, end = moment(start, "start"), None if end is None else moment(end, "end")
        return tracing.trace_of(self.start(), self.actions, start, end)

    def encode(self) -> bytes:
        """The setup and the actions as JSON; equal runs give equal bytes."""
        return msgspec.json.encode({"setup": self.setup, "actions": self.actions})

    # Keeping and passing on

    def share(self) -> str:
        """The run as a short text, which `raftlab.load` opens: for a chat, a forum, a report.

        Raises: Misuse, if the run does not play again as it went.
        """
        return sharing.shared(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the run to a file of JSON lines, which `raftlab.load` opens.

        The file is replaced at once or not at all. Raises: OSError.
        """
        saving.save(self, Path(path))

    def as_code(self) -> str:
        """The run as the few lines of Python that a reader would have typed.

        Raises: Misuse, if the run does not play again as it went.
        """
        return coding.as_code(self)


def _checked(actions: Iterable[Action]) -> tuple[Action, ...]:
    if not isinstance(actions, Iterable):
        raise Misuse(f"what is played are actions of raftlab.sim.actions, not {actions!r}")
    listed = tuple(actions)
    for action in listed:
        if not isinstance(action, Action):
            raise Misuse(f"what is played are actions of raftlab.sim.actions, not {action!r}")
    return listed


def recording_of_run(run: "Recording | Cluster") -> Recording:
    """The run itself, or that of a cluster so far. Raises: Misuse, for anything else."""
    recording = run if isinstance(run, Recording) else getattr(run, "recording", None)
    if not isinstance(recording, Recording):
        raise Misuse(f"a run is a recording, or a cluster in which it happened, not {run!r}")
    return recording
