"""A run is a value: a setup and the actions that happened. The same value, the same run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse, shown
from raftlab.sim.frames.frame import Frame, Trace
from raftlab.sim.frames.trace import trace_of
from raftlab.sim.run import code, files, share
from raftlab.sim.run.digest import WHOLE, Comparison, Known
from raftlab.sim.run.play import check_frame, play
from raftlab.sim.run.tape import Said, is_taped, noting, said_by
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import checked
from raftlab.sim.world.arguments import RulesGiven, moment
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Setup

if TYPE_CHECKING:
    from raftlab.lab import Lab
    from raftlab.sim.cluster import Cluster


NO_DIGEST = (
    "It has no digest: whether its machines do here what they did where it was made, nobody knows."
)


class Recording:
    """What a run started from (`setup`) and everything that happened (`actions`).

    Time travel, figures and twin runs are all made by playing a recording again. The
    rules and the machine travel along as the classes they are; `setup` has their names.
    `build` makes the cluster that plays it, with the arguments of `Cluster`.

    `known` are checksums of what its machines did, by frame (`raftlab.sim.run.digest`): of the run
    that a cluster made, or that came from elsewhere with them. Where they are known, no other
    run is ever played in its place: that is a `Misuse`, which says from which frame on.
    """

    __slots__ = ("_build", "_factory", "_rules", "actions", "known", "setup")

    def __init__(
        self,
        setup: Setup,
        actions: tuple[Action, ...],
        rules: RulesGiven,
        factory: MachineFactory,
        build: Callable[..., "Cluster"],
        known: Known | None = None,
    ) -> None:
        self.setup = setup
        self.actions = actions
        self._rules = rules
        self._factory = factory
        self._build = build
        self.known: Known = known or {}

    @property
    def machine(self) -> MachineFactory:
        """What makes its machines: a class, or what a process said."""
        return self._factory

    @property
    def digest(self) -> str | None:
        """What its machines did, as eight letters; None, if nobody knows.

        Nobody knows that of actions that were put together and not tried, of a part of a run,
        and of what was shared or saved before texts and files had it.
        """
        known = self.known.get(len(self.actions), b"")
        return known.hex() if len(known) == WHOLE else None

    def __len__(self) -> int:
        """How many actions; the run has one frame more."""
        return len(self.actions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recording):
            return NotImplemented
        if self.setup != other.setup or self.actions != other.actions:
            return False
        taped = is_taped(self._factory) and self._factory is not other._factory
        return not taped or self._said() == other._said()

    def _said(self) -> Said:
        """What machines that keep a tape said in this run."""
        factory = noting(self._factory)
        with suppress(Exception):  # the run's own end
            cluster = self.start(machine=factory)
            for _ in self.steps(cluster):
                pass
        return said_by(factory)

    def __hash__(self) -> int:
        return hash((self.setup, self.actions))

    def __repr__(self) -> str:
        end = self.actions[-1].at if self.actions else 0.0
        setup = self.setup
        what = f"{len(setup.nodes)} nodes, seed {setup.seed}"
        digest = "" if self.digest else ", no digest"
        return f"<Recording of {what}: {len(self)} actions, {end:.1f} ms{digest}>"

    def lab(self, **options: Any) -> "Lab":
        """A lab on this run, at its end or at `frame=`. `options`: see `raftlab.lab.Lab`."""
        from raftlab.lab import Lab

        return Lab(self, **options)

    # Other runs made of this one

    def upto(self, number: int) -> "Recording":
        """The first `number` actions. Raises: Misuse, if there are not so many."""
        check_frame(number, len(self.actions))
        known = {each: crc for each, crc in self.known.items() if each <= number}
        return self._with(self.actions[:number], known)

    def of(self, actions: Iterable[Action]) -> "Recording":
        """The same beginning with other `actions`, which nobody has tried yet: see `attempt`."""
        return self._with(actions if isinstance(actions, tuple) else _checked(actions), {})

    def _with(self, actions: tuple[Action, ...], known: Known) -> "Recording":
        return Recording(self.setup, actions, self._rules, self._factory, self._build, known)

    def knowing(self, known: Mapping[int, bytes]) -> "Recording":
        """The same run with these checksums of its frames."""
        return self._with(self.actions, known)

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
        action = checked(action)
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
                f"this run has the actions 0 to {len(self.actions) - 1}, and no action"
                f" {shown(number)}"
            )
        return number

    # Playing

    def start(self, rules: RulesGiven = None, machine: MachineFactory | None = None) -> "Cluster":
        """A cluster as the run began; under other `rules`, or with another `machine`, if given."""
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
        Misuse, if it plays otherwise than it went, as far as that is known (`digest`).
        """
        if rules is not None or machine is not None:
            return self.attempt(rules=rules, machine=machine)
        cluster = self.start()
        for _ in self.steps(cluster, quietly=False):
            pass
        return cluster

    def branch(self, number: int | None = None) -> "Cluster":
        """A cluster as it was at frame `number`, or at the end, to go on from there in another way.

        A run that ends in a violation is not refused: the cluster shows it.

        Raises: Misuse, if there was no such frame, or if it plays otherwise than it went.
        """
        if number is not None:
            check_frame(number, len(self.actions))
        cluster = self.start()
        for _ in self.steps(cluster, number):
            pass
        return cluster

    def steps(
        self, cluster: "Cluster", number: int | None = None, quietly: bool = True
    ) -> Iterator[Action]:
        """Play the run on a cluster that stands at its start, up to frame `number`, or its end.

        Each action is given out after it has happened. What stops the run is raised, or,
        `quietly`, kept. Raises: Misuse, if the run plays otherwise than it went.
        """
        return play(cluster.engine, self.actions[:number], self.known, quietly=quietly)

    def ask_again(self, machine: MachineFactory | None = None) -> Any:
        """Ask machines in processes anew all that they were asked in this run, one by one.

        What comes back says whether they said the same, and, if not, at which frame, which node,
        what it was told, and what it said then and says now. With `machine`, that one is asked.

        Raises: Misuse, for machines in Python, which are asked at every replay.
        """
        if not is_taped(self._factory):
            raise Misuse("the machines of this run are classes in Python: replay asks them again")
        return self._factory.ask_again(self, machine)

    def attempt(
        self,
        actions: Iterable[Action] | None = None,
        rules: RulesGiven = None,
        machine: MachineFactory | None = None,
    ) -> "Cluster":
        """Play those of `actions` (this run's, if none are given) that can happen, in order.

        What cannot happen is left out, and what would happen in the past happens now. Left out is
        also what never can: an edited run may name a server whose beginning is not in it. It ends
        where a property breaks (`cluster.violation`) or a machine fails (`cluster.stopped`).
        `cluster.recording` is what really happened: nothing is compared with how the run went.
        Raises: Misuse, for what are no actions.
        """
        wanted = self.actions if actions is None else _checked(actions)
        cluster = self.start(rules, machine)
        for _ in play(cluster.engine, wanted, on_refusal="skip"):
            pass
        return cluster

    def frames(self) -> Iterator[Frame]:
        """Every frame of the run, from before the first action."""
        cluster = self.start()
        yield cluster.frame()
        for _ in self.steps(cluster):
            yield cluster.frame()

    def trace(self, start: Millis = 0.0, end: Millis | None = None) -> Trace:
        """The run from `start` to `end` (ms; its last moment if None) as life lines and arrows."""
        start, end = moment(start, "start"), None if end is None else moment(end, "end")
        cluster = self.start()
        trace = trace_of(cluster.engine, self.actions, start, end)
        Comparison(self.known).look(cluster.engine)
        return trace

    def encode(self) -> bytes:
        """The setup and the actions as JSON; equal runs give equal bytes."""
        setup = msgspec.json.decode(msgspec.json.encode(self.setup), type=Setup)  # 1 becomes 1.0
        return msgspec.json.encode({"setup": setup, "actions": self.actions})

    # Keeping and passing on

    def share(self) -> str:
        """The run as a short text, which `raftlab.load` opens: for a chat, a forum, a report.

        Raises: Misuse, if the run does not play again as it went.
        """
        factory = noting(self._factory)
        start = self.start(machine=factory).engine
        return share.encoded(self.setup, self.actions, self.known, start, lambda: said_by(factory))

    def link(self, base: str | None = None) -> str:
        """The address that opens this run in the lab that is a page: at `base`, or as published.

            recording.link("https://…/")

        Raises: Misuse, if that is no address, or if the run does not play again as it went.
        """
        return share.linked(share.PUBLISHED if base is None else base, self.share())

    def save(self, path: str | PathLike[str]) -> None:
        """Write the run to a file of JSON lines, which `raftlab.load` opens.

        The file is replaced at once or not at all. Raises: OSError.
        """
        factory = noting(self._factory)
        files.save(
            self.setup,
            self.actions,
            self.known,
            lambda: self.start(machine=factory).engine,
            Path(path),
            lambda: said_by(factory),
        )

    def as_code(self) -> str:
        """The run as the few lines of Python that a reader would have typed.

        Raises: Misuse, if the run does not play again as it went.
        """
        return code.as_code(self.setup, self.actions, self.known, self.start)


def _checked(actions: Iterable[Action]) -> tuple[Action, ...]:
    if not isinstance(actions, Iterable):
        raise Misuse(f"what is played are actions of raftlab.sim.world, not {shown(actions)}")
    return tuple(checked(action) for action in actions)


def recording_of_run(run: "Recording | Cluster") -> Recording:
    """The run itself, or that of a cluster so far. Raises: Misuse, for anything else."""
    recording = run if isinstance(run, Recording) else getattr(run, "recording", None)
    if not isinstance(recording, Recording):
        raise Misuse(f"a run is a recording, or a cluster in which it happened, not {shown(run)}")
    return recording
