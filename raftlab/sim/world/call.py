"""A call of a cluster's verb, as somebody would type it."""

import json
from typing import NamedTuple

from raftlab.raft.vocabulary import Millis, NodeId


class Call(NamedTuple):
    """A verb of a cluster, and what it is called with."""

    verb: str
    args: tuple[object, ...] = ()
    named: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        named = (f"{name}={python(value)}" for name, value in self.named)
        return f"cluster.{self.verb}({', '.join((*map(python, self.args), *named))})"

    def on(self, cluster: object) -> object:
        """Call it."""
        return getattr(cluster, self.verb)(*self.args, **dict(self.named))


def python(value: object) -> str:
    """A value as Python, with the quotation marks that most people type."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(python, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(python, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{python(key)}: {python(each)}' for key, each in value.items())}}}"
    return repr(value)


def names(nodes: tuple[NodeId, ...]) -> str | list[NodeId]:
    """Nodes as one text, "S1 S2"; as a list, if a name has a space in it."""
    text = " ".join(nodes)
    return text if tuple(text.split()) == nodes else list(nodes)


def brief(value: object) -> object:
    """A whole number without its point, in a tuple, too; anything else as it is."""
    if isinstance(value, tuple):
        return tuple(map(brief, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_round(ms: Millis) -> bool:
    """Whether somebody would have typed it."""
    return len(repr(ms)) <= 6


def exact_difference(start: Millis, end: Millis) -> Millis | None:
    """The shortest number of ms that leads from `start` to exactly `end`, or None."""
    exact = end - start
    for digits in (0, 1, 3, 6, 9):
        short = round(exact, digits)
        if short >= 0 and start + short == end:
            return int(short) if short == int(short) else short
    return exact if exact >= 0 and start + exact == end else None
