"""What a reader may give to a cluster, and what is made of it: names, rules, commands, sides."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, pairwise
from math import isnan
from typing import Any, TypeAlias, TypeVar

from raftlab.raft.options import MOST, is_number, is_whole
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Millis, Misuse, NodeId, Term, listed, shown

RulesGiven: TypeAlias = Rules | type[Rules] | Mapping[NodeId, Rules | type[Rules]] | None

Setting = TypeVar("Setting")

Logs: TypeAlias = tuple[tuple[NodeId, tuple[Term, ...]], ...]

MOST_NODES = 51

LONGEST_NAME = 64
"""How many characters a node's name has at most: it stands in every message of a run."""

MOST_ENTRIES = 250_000
"""How many entries all logs of the past have together, at most."""

LONGEST_RUN: Millis = 10_000_000.0
"""How much time passes at once, at most: some hours, and half a gigabyte of recording."""


def node_names(nodes: int | Sequence[NodeId]) -> tuple[NodeId, ...]:
    """ "S1", "S2", … for a number; the names themselves for names. Raises: Misuse."""
    if isinstance(nodes, bool) or not isinstance(nodes, int | Sequence) or isinstance(nodes, str):
        raise Misuse(
            f"a cluster is made of a number of nodes or of their names, not of {shown(nodes)}"
        )
    count = nodes if isinstance(nodes, int) else len(nodes)
    if not 1 <= count <= MOST_NODES:
        raise Misuse(f"a cluster has 1 to {MOST_NODES} nodes, not {shown(count)}")
    if isinstance(nodes, int):
        return tuple([f"S{n}" for n in range(1, nodes + 1)])
    names = tuple(nodes)
    if not all(is_text(name) and name == name.strip() for name in names):
        raise Misuse("a node's name is text, not empty, without blanks around it")
    for name in names:
        if len(name) > LONGEST_NAME:
            raise Misuse(
                f"a node's name has at most {LONGEST_NAME} characters, and {shown(name)} has"
                f" {len(name):,}"
            )
    Configuration(names).check()
    return tuple(str.__str__(name) for name in names)


MOST_SEEDS = 10_000_000
"""How many seeds a campaign takes at once."""


def seed_of(seed: Any) -> int:
    """A seed: a whole number of at most 64 bits, as files and texts hold it. Raises: Misuse."""
    if not is_whole(seed):
        raise Misuse(f"a seed is a whole number, not {shown(seed)}")
    if not -(1 << 63) <= seed < 1 << 64:
        raise Misuse(f"a seed has at most 64 bits, and {shown(seed)} has {seed.bit_length():,}")
    return int(seed)


def rules_for(names: tuple[NodeId, ...], rules: RulesGiven) -> dict[NodeId, Rules]:
    """Each node's rules: its own if `rules` names it, those for all, or `Rules()`.

    Raises: Misuse, for a node that is not there and for what are no rules.
    """
    if not isinstance(rules, Mapping):
        rules = {} if rules is None else dict.fromkeys(names, rules)
    strangers = [node for node in rules if node not in names]
    if strangers:
        raise Misuse(f"rules are given for {shown(strangers[0])}; the nodes are {listed(names)}")
    given = {node: rules.get(node, Rules()) for node in names}
    for node, each in given.items():
        if not (issubclass(each, Rules) if isinstance(each, type) else isinstance(each, Rules)):
            raise Misuse(f"the rules of {node} are no subclass of Rules: {shown(each)}")
    return {node: each() if isinstance(each, type) else each for node, each in given.items()}


def machine_of(machine: Any) -> Callable[..., Any]:
    """What makes a node's machine: a class with the contract's methods, or what calls one.

    Raises: Misuse, for anything else.
    """
    if isinstance(machine, str):
        raise Misuse(
            f"a machine in a process is rl.Process({shown(machine)}), and not its command alone"
        )
    if not (can_be_machine(machine) if isinstance(machine, type) else callable(machine)):
        raise Misuse(f"a machine is a class like RaftStateMachine, not {shown(machine)}")
    made: Callable[..., Any] = machine
    return made


def can_be_machine(kind: type) -> bool:
    """Whether a class has the four methods of a machine's contract."""
    return all(hasattr(kind, name) for name in ("advance", "tick", "poll", "add_entry"))


def logs_for(names: tuple[NodeId, ...], logs: Mapping[NodeId, Sequence[Term]] | None) -> Logs:
    """The past of every node, if any is given: the terms of its entries, first to last.

    Raises: Misuse, for what is no log, and for logs that no run can lead to.
    """
    if not logs:
        return ()
    if not isinstance(logs, Mapping):
        raise Misuse(f'logs are given like {{"S1": [1, 1, 4]}}, not {shown(logs)}')
    strangers = [node for node in logs if node not in names]
    if strangers:
        raise Misuse(f"there is no node {shown(strangers[0])} to give a log to")
    for node, terms in logs.items():
        count = isinstance(terms, list | tuple) and all(map(is_whole, terms))
        if not (count and all(low <= high for low, high in pairwise((1, *terms, MOST)))):
            raise Misuse(
                f"a log is a list of terms from 1, which never fall, and {node}'s is {shown(terms)}"
            )
    if (total := sum(map(len, logs.values()))) > MOST_ENTRIES:
        raise Misuse(f"all logs together have at most {MOST_ENTRIES:,} entries, and not {total:,}")
    _check_log_matching(logs)
    return tuple((node, tuple(map(int, logs.get(node, ())))) for node in names)


def _check_log_matching(logs: Mapping[NodeId, Sequence[Term]]) -> None:
    """Entries of equal index and term follow equal logs. Paper: 5.3, Log Matching.

    That is so if those just before them have equal terms, all along. Raises: Misuse.
    """
    before: dict[tuple[int, Term], tuple[Term, NodeId]] = {}
    for node, terms in logs.items():
        for index, (term_before, term) in enumerate(pairwise((0, *terms)), start=1):
            known, owner = before.setdefault((index, term), (term_before, node))
            if known != term_before:
                raise Misuse(
                    f"{owner} and {node} both have an entry {index} of term {term}, and"
                    " differ before it: Log Matching does not allow that"
                )


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
    """A time in ms, as a number; it may be endless. Raises: Misuse."""
    if not (is_number(given) or (isinstance(given, float) and not isnan(given))):
        raise Misuse(f"{name} is a time in ms, not {shown(given)}")
    return float(given)  # type: ignore[arg-type]


def span(given: Any, what: str) -> Millis:
    """A stretch of time that can pass at once, in ms; `what` begins the refusal. Raises: Misuse."""
    if not ((is_number(given) or is_whole(given)) and given >= 0):
        raise Misuse(f"{what}: {shown(given)} ms cannot pass")
    if given > LONGEST_RUN:
        raise Misuse(f"at most {LONGEST_RUN:,.0f} ms pass at once, and not {shown(given)}")
    return float(given)


def full_name(thing: object) -> str:
    """The name by which a class can be found again: "module:Class"."""
    kind: Any = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}:{kind.__qualname__}"


def command_data(command: str | bytes) -> bytes:
    """A command as it stands in the log: text as UTF-8, bytes as they are. Raises: Misuse."""
    if isinstance(command, bytes | bytearray | memoryview):
        return bytes(command)
    if not isinstance(command, str):
        raise Misuse(f'a command is text or bytes, like "x=1", not {shown(command)}')
    try:
        return command.encode()
    except UnicodeEncodeError as error:
        raise Misuse(f"a command must be writable as UTF-8: {error}") from None


def side_named(group: Iterable[NodeId], what: str = "a side") -> tuple[NodeId, ...]:
    """Some nodes, such as a side of a partition: "S1 S2", or one by one. Raises: Misuse."""
    if isinstance(group, str):
        return tuple(group.split())
    if not isinstance(group, Iterable):
        raise Misuse(f'{what} is named by its nodes, like "S1 S2", not by {shown(group)}')
    return tuple(islice(group, MOST_NODES + 1))


def setting(name: str, given: Setting | None, kind: type[Setting]) -> Setting:
    """What was given, or the default of its `kind`. Raises: Misuse, for anything else."""
    if given is None:
        return _default(kind)
    if not isinstance(given, kind):
        raise Misuse(f"{name} is made with rl.{kind.__name__}(...), not {shown(given)}")
    return given


def _default(kind: type[Setting]) -> Setting:
    """What nobody has changed, made and checked once: settings are frozen."""
    if kind not in _DEFAULTS:
        _DEFAULTS[kind] = kind()
    default: Setting = _DEFAULTS[kind]
    return default


_DEFAULTS: dict[type, Any] = {}
