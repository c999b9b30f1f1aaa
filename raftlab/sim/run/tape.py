"""What machines said that are no classes of Python: it travels with a run, and stands for them.

A machine that works elsewhere, in a process say, need not be there where a run is played again:
its run holds what it said. Nothing here knows how such a machine is asked.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeGuard

from raftlab.sim.world.action import Action
from raftlab.sim.world.arguments import full_name
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.host import Machine, MachineFactory

Fault: TypeAlias = tuple[str, str]
"""Of which kind, and in words: what came instead of a line."""

Said: TypeAlias = list[list[str | Fault]]
"""What each machine of a run said, line by line: one list for every start, in their order."""

Memory: TypeAlias = list[tuple[int, bytes, bytes, str | None]]
"""A whole tape, of a run and of all that left it, place by place after the first, 0, from which
machines are started: the place before, what was told there, what was said, and which kind of fault
came instead, if one did: then what was said is its text."""

Happen: TypeAlias = Callable[[Action], Any]
"""What lets an action happen."""


class TapedMachines(Protocol):
    """A factory of machines that keeps what they say."""

    @property
    def machine_name(self) -> str:
        """What a setup calls them: "module:Class", a blank, and what the class is made with."""

    def __call__(self, node_id: str, **given: Any) -> Machine:
        """A machine, started from what its disk holds."""

    def noting(self) -> "TapedMachines":
        """Another one with the same memory, whose machines' words are noted for `said`."""

    @property
    def said(self) -> Said:
        """What its machines said since it is `noting`."""

    def memory(self) -> Memory:
        """All that its machines said, in this run and in those that left it."""

    def remembers_as(self, other: object) -> bool:
        """Whether another one has the same memory: what one keeps stands for both."""

    def read_out(self) -> None:
        """What was told to it at first was said once: nothing but memory is left of that."""

    def from_memory(self, happen: Happen) -> Happen:
        """The same as `happen`, of a run that is played: what failed in it fails again."""

    def ask_again(self, recording: Any, machine: Any) -> Any:
        """Ask the machines anew all that they were asked in a run."""


def is_taped(factory: object) -> TypeGuard[TapedMachines]:
    """Whether a factory keeps what its machines say."""
    return hasattr(factory, "machine_name")


def is_process_of(factory: object) -> bool:
    """Whether this makes machines that keep what they say, of a run or of none yet."""
    return hasattr(factory, "for_a_run")


def of_a_run(factory: MachineFactory) -> MachineFactory:
    """What makes the machines of one run: of those that keep a tape, with a tape of its own."""
    begin: Callable[[], MachineFactory] | None = getattr(factory, "for_a_run", None)
    return factory if begin is None else begin()


def machine_name(factory: MachineFactory) -> str:
    """The name of a machine in a setup."""
    return factory.machine_name if is_taped(factory) else full_name(factory)


def noting(factory: MachineFactory) -> MachineFactory:
    """A factory that makes the same machines; of those that keep a tape, what they say is noted."""
    return factory.noting() if is_taped(factory) else factory


def said_by(factory: MachineFactory) -> Said:
    """What the machines of a factory that is `noting` said; nothing, if they keep no tape."""
    return factory.said if is_taped(factory) else []


def from_memory(engine: Engine, happen: Happen) -> Happen:
    """What lets an action of a run that is played happen again."""
    factory = engine.world.factory
    return factory.from_memory(happen) if is_taped(factory) else happen


def read_out(engine: Engine) -> None:
    """A run that was opened has been played once: what its machines said then, they remember."""
    if is_taped(engine.world.factory):
        engine.world.factory.read_out()
