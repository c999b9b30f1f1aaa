"""From the names in a setup back to classes: what a run from elsewhere needs to be played.

Only raftlab's own classes are looked up by name. Any other class must be handed over by the
reader: nothing that a text or a file names is imported.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse, NodeId, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.tape import Memory, Said, is_process_of
from raftlab.sim.world.action import Action
from raftlab.sim.world.arguments import RulesGiven, can_be_machine, full_name, rules_for
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Setup

PACKAGE_NAME = "raftlab"

MOVED: Mapping[str, str] = {
    "raftlab.check.museum.staging:NobodySticks": "raftlab.museum.stuck_elections:NobodySticks",
    "raftlab.check.museum.staging:ProbesWithoutEntries": (
        "raftlab.museum.replication:ProbesWithoutEntries"
    ),
    "raftlab.check.museum.": "raftlab.museum.",
}
"""How names begin in runs made before a class moved, and how they begin now; the first counts."""


class ClassNeeded(Misuse):
    """A run was made with `name`, "module:Class", and is not given that class as `argument`=.

    `what` says so, and not what to do; `where` is what was being opened, or nothing.
    """

    def __init__(self, name: str, argument: str, where: str = "") -> None:
        module, _, path = name.partition(":")
        self.name, self.argument, self.where = name, argument, where
        self.what = (
            f"this run was made with {shown(path or name)} of {shown(module)}, which is not"
            " raftlab's own"
        )
        super().__init__(f"{where}{self.what}: hand the class over, as {argument}=")

    def at(self, where: str) -> "ClassNeeded":
        """The same refusal, of what was being opened."""
        return ClassNeeded(self.name, self.argument, where)


def recording_of(
    setup: Setup,
    actions: tuple[Action, ...],
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    said: Said | None = None,
) -> Recording:
    """A recording with the classes that its setup names, or with those that are given.

    Where its machines are processes, `said` is what they said; none is started for that.

    Raises: Misuse, where a class is neither raftlab's own nor given.
    """
    factory = _machines(setup.machine, machine, said)
    if rules is None:
        rules = _rules_named(setup)
    rules_for(setup.nodes, rules)
    recording = Recording(setup, actions, rules, factory, Cluster)
    return Recording(recording.start().setup, actions, rules, factory, Cluster)


def _machines(name: str, machine: MachineFactory | None, said: Said | None) -> MachineFactory:
    """The class of that name; for processes, what stands for them by what they said."""
    kind, is_process, command = name.partition(" ")
    if not is_process:
        shipped: MachineFactory = machine or shipped_class(name, "machine")
        return shipped
    if machine is not None and not (said and is_process_of(machine)):
        return machine
    if not said:
        raise Misuse(
            f"this run was made with the process {shown(command)}, and what it said is not in it:"
            " hand the process over, as machine=rl.Process(…)"
        )
    made: MachineFactory = shipped_class(kind, "process").that_said(command, said, machine)
    return made


def machines_that_remember(name: str, memory: Memory) -> MachineFactory:
    """What stands for the processes of a setup by all that they said; none is started.

    Raises: Misuse, where the name is that of no process, or the memory is torn.
    """
    kind, _, command = name.partition(" ")
    made: MachineFactory = shipped_class(kind, "process").that_remembers(command, memory)
    return made


def _rules_named(setup: Setup) -> Mapping[NodeId, type[Rules]] | type[Rules]:
    named = {node: shipped_class(name, "rules") for node, name in setup.rules}
    kinds = set(named.values())
    return kinds.pop() if len(kinds) == 1 and len(named) == len(setup.nodes) else named


def shipped_class(name: str, argument: str) -> Any:
    """The class of raftlab that is called "module:Class". Raises: Misuse, for any other."""
    name = present_name(name)
    module, _, path = name.partition(":")
    if module.partition(".")[0] != PACKAGE_NAME or "<" in path:
        raise ClassNeeded(name, argument)
    try:
        thing: Any = import_module(module)
        for part in path.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError, ValueError):
        raise Misuse(f"this raftlab has no {shown(path)} in {shown(module)}") from None
    if not (isinstance(thing, type) and full_name(thing) == name and can_serve_as(thing, argument)):
        raise Misuse(f"{shown(path)} of {module} cannot be the {argument} of a cluster")
    return thing


def present_name(name: str) -> str:
    """The name that a class has today; `name` may be older."""
    for before, now in MOVED.items():
        if name.startswith(before):
            return now + name.removeprefix(before)
    return name


def can_serve_as(thing: type, argument: str) -> bool:
    """Whether a class has what is asked of it: a machine the four methods of its contract."""
    if argument == "rules":
        return issubclass(thing, Rules)
    if argument == "process":
        return hasattr(thing, "that_said")
    return can_be_machine(thing)
