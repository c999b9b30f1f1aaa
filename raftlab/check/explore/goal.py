"""A goal of a search, and a state as it sees it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from raftlab.check.explore.states import State, States
from raftlab.raft.log import LogEntry
from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import NodeId


class View(Mapping[NodeId, Any]):
    """A state of a search as a goal sees it: node -> machine (for reading)."""

    __slots__ = ("_state", "_world")

    def __init__(self, world: States, state: State) -> None:
        self._world = world
        self._state = state

    def __getitem__(self, node: NodeId) -> Any:
        """The machine of a node; nobody may change it. Raises: KeyError."""
        return self._world.locals[self._state[0][self._world.places[node]]].host.machine

    def __iter__(self) -> Iterator[NodeId]:
        return iter(self._world.names)

    def __len__(self) -> int:
        return len(self._world.names)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is on its way, lost or not.

        Without a bound on their number, those that would change nothing stay there for ever.
        """
        return tuple(self._world.messages[each] for each in self._state[1])

    @property
    def committed(self) -> tuple[LogEntry, ...]:
        """Every entry that any node has called committed, by index."""
        return tuple(entry for entry, _ in self._world.pasts[self._state[2]].committed)


Goal = Callable[[View], bool]
