"""What a reader may give to a cluster, and what is made of it: names, rules, commands, sides."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isnan
from typing import TypeAlias, TypeVar

from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Millis, Misuse, NodeId, Term

RulesGiven: TypeAlias = Rules | type[Rules] | Mapping[NodeId, Rules | type[Rules]] | None

Setting = TypeVar("Setting")

MOST_NODES = 51


def node_names(nodes: int | Sequence[NodeId]) -> tuple[NodeId, ...]:
    """ "S1", "S2", … for a number; the names themselves for names. Raises: Misuse."""
    if isinstance(nodes, bool) or not isinstance(nodes, int | Sequence) or isinstance(nodes, str):
        raise Misuse(f"a cluster is made of a number of nodes or of their names, not of {nodes!r}")
    count = nodes if isinstance(nodes, int) else len(nodes)
    if not 1 <= count <= MOST_NODES:
        raise Misuse(f"a cluster has 1 to {MOST_NODES} nodes, not {count}")
    names = tuple(f"S{n}" for n in range(1, nodes + 1)) if isinstance(nodes, int) else tuple(nodes)
    if not all(is_text(name) and name == name.strip() for name in names):
        raise Misuse("a node's name is text, not empty, without blanks around it")
    Configuration(names).check()
    return names


def rules_for(names: tuple[NodeId, ...], rules: RulesGiven) -> dict[NodeId, Rules]:
    """Each node's rules: its own if `rules` names it, those for all, or `Rules()`.

    Raises: Misuse, for a node that is not there and for what are no rules.
    """
    if not isinstance(rules, Mapping):
        rules = {} if rules is None else dict.fromkeys(names, rules)
    strangers = [node for node in rules if node not in names]
    if strangers:
        raise Misuse(f"rules are given for {strangers[0]!r}; the nodes are {', '.join(names)}")
    given = {node: rules.get(node, Rules()) for node in names}
    made = {node: each() if isinstance(each, type) else each for node, each in given.items()}
    for node, each in made.items():
        if not isinstance(each, Rules):
            raise Misuse(f"the rules of {node} are no subclass of Rules: {each!r}")
    return made


def logs_for(
    names: tuple[NodeId, ...], logs: Mapping[NodeId, Sequence[Term]] | None
) -> tuple[tuple[NodeId, tuple[Term, ...]], ...]:
    """The past of every node, if any is given: the terms of its entries, first to last.

    Raises: Misuse, for what is no log, and for logs that no run can lead to.
    """
    if not logs:
        return ()
    if not isinstance(logs, Mapping):
        raise Misuse(f'logs are given like {{"S1": [1, 1, 4]}}, not {logs!r}')
    strangers = [node for node in logs if node not in names]
    if strangers:
        raise Misuse(f"there is no node {strangers[0]!r} to give a log to")
    for node, terms in logs.items():
        listed = isinstance(terms, list | tuple) and all(type(term) is int for term in terms)
        if not (listed and all(low <= high for low, high in pairwise((1, *terms)))):
            raise Misuse(
                f"a log is a list of terms from 1, which never fall, and {node}'s is {terms!r}"
            )
    owners: dict[tuple[Term, ...], NodeId] = {}
    ends: dict[tuple[int, Term], tuple[Term, ...]] = {}
    for node, terms in logs.items():
        for index, term in enumerate(terms, start=1):
            prefix = tuple(terms[:index])
            owners.setdefault(prefix, node)
            other = ends.setdefault((index, term), prefix)
            if other != prefix:
                raise Misuse(
                    f"{owners[other]} and {node} both have an entry {index} of term {term}, and"
                    " differ before it: Log Matching does not allow that"
                )
    return tuple((node, tuple(logs.get(node, ()))) for node in names)


def is_text(given: object) -> bool:
    """Whether this is text with something in it that can be written as UTF-8."""
    if not isinstance(given, str) or not given.strip():
        return False
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def moment(given: object, name: str) -> Millis:
    """A time in ms, as a number. Raises: Misuse."""
    if isinstance(given, bool) or not isinstance(given, int | float) or isnan(given):
        raise Misuse(f"{name} is a time in ms, not {given!r}")
    return float(given)


def full_name(thing: object) -> str:
    """The name by which a class can be found again: "module:Class"."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}:{kind.__qualname__}"


def command_data(command: str | bytes) -> bytes:
    """A command as it stands in the log: text as UTF-8, bytes as they are. Raises: Misuse."""
    if isinstance(command, bytes | bytearray | memoryview):
        return bytes(command)
    if not isinstance(command, str):
        raise Misuse(f'a command is text or bytes, like "x=1", not {command!r}')
    try:
        return command.encode()
    except UnicodeEncodeError as error:
        raise Misuse(f"a command must be writable as UTF-8: {error}") from None


def side_named(group: Iterable[NodeId], what: str = "a side") -> tuple[NodeId, ...]:
    """Some nodes, such as a side of a partition: "S1 S2", or one by one. Raises: Misuse."""
    if isinstance(group, str):
        return tuple(group.split())
    if not isinstance(group, Iterable):
        raise Misuse(f'{what} is named by its nodes, like "S1 S2", not by {group!r}')
    return tuple(group)


def setting(name: str, given: Setting | None, kind: type[Setting]) -> Setting:
    """What was given, or the default of its `kind`. Raises: Misuse, for anything else."""
    if given is None:
        return kind()
    if not isinstance(given, kind):
        raise Misuse(f"{name} is made with rl.{kind.__name__}(...), not {given!r}")
    return given
