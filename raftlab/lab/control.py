"""What a control is: its words, its key, the verb it calls, and how what it holds is read."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, NamedTuple, TypeAlias

import msgspec

from raftlab.raft.vocabulary import Millis, NodeId


class Kind(Enum):
    """What a control looks like; of a key nothing is seen."""

    BUTTON = auto()
    TOGGLE = auto()
    CHECKBOX = auto()
    CHOICE = auto()
    LIST = auto()
    SLIDER = auto()
    NUMBER = auto()
    TEXT = auto()
    HTML = auto()
    KEY = auto()


class Key(NamedTuple):
    """A key as browsers call it, what it does in words, and its sign, where that is another."""

    key: str
    words: str
    sign: str = ""


class Nodes(NamedTuple):
    """The nodes of the moment looked at, and the chosen one: what typed words may be about."""

    names: tuple[NodeId, ...]
    chosen: NodeId


Reader: TypeAlias = Callable[[Any, Nodes], object]
"""Makes an argument of what a control holds. Raises: Misuse, saying what to type."""


class Control(msgspec.Struct, frozen=True):
    """One control of the lab.

    * `verb` is what it calls, when it is pressed or its value changes: "cluster.crash" is
      a method of the cluster looked at, "session.step" of the session, and "lab.redraw" a
      function in `callbacks`. `key`, if it has one, calls it too.
    * `arguments` are handed to the verb: the name of another control stands for what that one
      holds, anything else for itself. A control whose value changes hands over the new value.
    * `then` names a function in `callbacks`, to be called once the verb has done its work;
      `takes_ms`, how long the picture takes to get there, where that does not depend on the speed.
    * `reads` makes an argument of what the control holds; the page reports what such a
      control holds with every click. `enter` is the button that Enter presses in it. What the
      lab itself fills in anew, `refilled`, counts only at a click of that button: at any
      other the page may hold what is outdated.
    * `options` can be chosen from, followed by every node if `of_nodes`; `start` is the place of
      the one chosen at first. `lines` of a list are in sight.
    """

    kind: Kind
    name: str
    label: str = ""
    tip: str = ""
    verb: str = ""
    arguments: tuple[object, ...] = ()
    icon: str = ""
    key: Key | None = None
    then: str = ""
    takes_ms: Millis | None = None
    reads: Reader | None = None
    enter: str = ""
    refilled: bool = False
    options: tuple[Any, ...] = ()
    of_nodes: bool = False
    start: int = 0
    lines: int = 1
    value: Any = None
    example: str = ""
    width: str = "auto"
    css: str = ""

    def options_of(self, nodes: tuple[NodeId, ...]) -> tuple[Any, ...]:
        """What can be chosen when these are the nodes."""
        return (*self.options, *nodes) if self.of_nodes else self.options


Item: TypeAlias = "Control | str | tuple[Item, ...]"
"""What stands in a row: a control, a label, a gap (""), or items that a row does not part."""


def controls_in(item: Item) -> Mapping[str, Control]:
    """Every control in it by name, first to last."""
    match item:
        case Control():
            return {item.name or f"key {item.key}": item}
        case str():
            return {}
        case _:
            return {name: each for part in item for name, each in controls_in(part).items()}
