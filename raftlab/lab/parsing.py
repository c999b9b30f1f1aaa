"""What the controls hold, as arguments of a verb; and what to say where it is none."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from raftlab.lab.session import MOST_MS
from raftlab.raft.vocabulary import Millis, Misuse, NodeId, shown

LONGEST_NAME = 20

CHOSEN = "the chosen node"


class Nodes(NamedTuple):
    """The nodes of the moment looked at, and the chosen one: what typed words may be about."""

    names: tuple[NodeId, ...]
    chosen: NodeId


Reader: TypeAlias = Callable[[Any, Nodes], object]
"""Makes an argument of what a control holds. Raises: Misuse, saying what to type."""


def as_it_is(value: Any, _: Nodes) -> object:
    """What the control holds."""
    return value


def float_of(value: Any, _: Nodes) -> float:
    """A number that the field has checked."""
    return float(value)


def chosen_or_nobody(value: Any, nodes: Nodes) -> NodeId | None:
    """The chosen node, if the list says so; None leaves it to the cluster."""
    return nodes.chosen if value == CHOSEN else None


def needed(refusal: str, stripped: bool = False) -> Reader:
    """Reads words, without the blanks around them if `stripped`; where there are none, refuses."""

    def read(words: Any, _: Nodes) -> object:
        if not words.strip():
            raise Misuse(refusal)
        return words.strip() if stripped else words

    return read


def message_chosen(number: Any, _: Nodes) -> object:
    """The number of the chosen message. Raises: Misuse, if none is."""
    if number is None:
        raise Misuse("Choose a message first: click it in the picture or in the list.")
    return number


def next_name(nodes: Sequence[NodeId]) -> NodeId:
    """The name for one more server: "S6" after "S5"."""
    numbers = [int(found[1]) for node in nodes if (found := re.fullmatch(r"S([0-9]{1,9})", node))]
    return f"S{max(numbers, default=0) + 1}"


def one_name(words: str, nodes: Sequence[NodeId]) -> NodeId:
    """The name of one server, which may be new. Raises: Misuse, for what is no name, or several."""
    name = words.strip()
    if name in nodes:
        return name
    if not name:
        raise Misuse(f"There is no name yet: type one, for instance {next_name(nodes)}.")
    if re.search(r"[\s,;]", name) or not name.isprintable() or len(name) > LONGEST_NAME:
        raise Misuse(
            f"One server at a time, with a name of at most {LONGEST_NAME} letters and no blank or"
            f" comma in it, for instance {next_name(nodes)}; not {shown(name)}."
        )
    return name


def names_in(words: str, nodes: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """The names in a list, "S1 S2" or "S1, S2"; those of `nodes` may have blanks in them."""
    parts = [part.strip() for part in words.split(",")]
    found = [[part] if part in nodes else part.split() for part in parts]
    return tuple(name for each in found for name in each)


def voters_in(words: str, nodes: Sequence[NodeId]) -> tuple[NodeId, ...]:
    """The names in a list of voters. Raises: Misuse, if there are none."""
    names = names_in(words, nodes)
    if not names:
        raise Misuse("There are no voters yet: type their names, for instance S1 S2 S3.")
    return names


def listed(nodes: Sequence[NodeId]) -> str:
    """Names as `names_in` reads them."""
    return (", " if any(" " in node for node in nodes) else " ").join(nodes)


def number_in(words: str, what: str, example: str) -> float:
    """A number as it was typed. Raises: Misuse, with what it is for, if it is none."""
    try:
        return float(words.strip().replace(",", "."))
    except ValueError:
        raise Misuse(f"{what} is a number, for instance {example}, not {shown(words)}.") from None


def write_time(words: str) -> Millis:
    """How long a disk takes for a write. Raises: Misuse, for what no write can take."""
    ms = number_in(words, "The time of a write", "20")
    if not 0 <= ms <= MOST_MS:
        raise Misuse(f"A write takes 0 to {MOST_MS:,.0f} ms, not {ms:g}.")
    return ms
