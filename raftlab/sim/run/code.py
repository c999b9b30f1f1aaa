"""A run as the few lines of Python that a reader would have typed.

What a line is guessed to be is tried out before it is told: only a call that makes exactly
the coming actions stands in the code.
"""

import builtins
import keyword
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from raftlab.raft.vocabulary import Millis
from raftlab.sim.commands.client_commands import ClientCommands
from raftlab.sim.run.calls import fitting
from raftlab.sim.run.digest import Known
from raftlab.sim.run.play import play
from raftlab.sim.world import actions as acts
from raftlab.sim.world.action import Action
from raftlab.sim.world.arguments import node_names
from raftlab.sim.world.call import exact_difference, is_round, python
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.settings import Setup

USUAL_RULES = "raftlab.raft.rules:Rules"
USUAL_MACHINE = "raftlab.raft.machine:RaftStateMachine"
PATIENCE = 20
"""How many election timeouts `Cluster.elect` waits for a leader."""


def as_code(
    setup: Setup, actions: Sequence[Action], known: Known, start: Callable[[], ClientCommands]
) -> str:
    """Python that makes this run: imports, the cluster, and one verb a line.

    A run that ended in a violation raises it again in the last line; `cluster` then stands
    where the run broke. Raises: Misuse, if the run does not play again as it went.
    """
    telling = _Telling(actions, chosen(start().engine, actions, known), start())
    body = list(telling.lines())
    settings = (("Options", setup.options), ("Network", setup.network), ("Disks", setup.disks))
    named = [name for name, value in settings if value != type(value)()]
    imports = [f"from raftlab import {', '.join(sorted(['Cluster', *named]))}"]
    for module in sorted({kind.__module__ for kind in telling.applied}):
        kinds = sorted(each.__name__ for each in telling.applied if each.__module__ == module)
        imports.append(f"from {module} import {', '.join(kinds)}")
    imports += _class_imports(setup)
    return "\n".join([*imports, "", _cluster_line(setup), *body]) + "\n"


# The cluster


def _cluster_line(setup: Any) -> str:
    usual_names = setup.nodes == node_names(len(setup.nodes))
    given = [str(len(setup.nodes)) if usual_names else python(list(setup.nodes))]
    given += [f"seed={setup.seed}"] if setup.seed else []
    for name in ("options", "network", "disks"):
        value = getattr(setup, name)
        if value != type(value)():
            given.append(f"{name}={_settings(value)}")
    rules = {node: name for node, name in setup.rules if name != USUAL_RULES}
    if rules:
        each = ", ".join(f"{python(node)}: {_short(name)}" for node, name in rules.items())
        same = len(rules) == len(setup.nodes) and len(set(rules.values())) == 1
        given.append(f"rules={_short(setup.rules[0][1])}" if same else f"rules={{{each}}}")
    if setup.machine != USUAL_MACHINE:
        kind, is_process, command = setup.machine.partition(" ")
        made = f"({python(command)})" if is_process else ""
        given.append(f"machine={_short(kind)}{made}")
    if not setup.watched:
        given.append("watched=False")
    if setup.logs:
        given.append(f"logs={python({node: list(terms) for node, terms in setup.logs})}")
    return f"cluster = Cluster({', '.join(given)})"


def _settings(value: msgspec.Struct) -> str:
    usual = type(value)()
    fields = [
        f"{each.name}={python(getattr(value, each.name))}"
        for each in msgspec.structs.fields(value)
        if getattr(value, each.name) != getattr(usual, each.name)
    ]
    return f"{type(value).__name__}({', '.join(fields)})"


def _short(name: str) -> str:
    """The class's own name; for what has none, such as a lambda, a name to be given to it."""
    short = name.rpartition(":")[2].rpartition(".")[2]
    return short if short.isidentifier() and not keyword.iskeyword(short) else "your_own"


def _class_imports(setup: Any) -> Iterator[str]:
    for name in sorted({each for _, each in setup.rules} | {setup.machine.partition(" ")[0]}):
        module, _, path = name.partition(":")
        if name in (USUAL_RULES, USUAL_MACHINE):
            continue
        if module == "__main__" or not path.isidentifier() or hasattr(builtins, path):
            yield f"# {_short(name)} is of your own making: define it before"
        else:
            yield f"from {module} import {path}"


# The run


class _Telling:
    """Plays a run and says, line by line, how a reader would have typed it.

    `places` are those of the actions that somebody chose, and `cluster` stands at the start.
    `applied` are the kinds of the actions for which there is no verb.
    """

    def __init__(
        self, actions: Sequence[Action], places: Iterable[int], cluster: ClientCommands
    ) -> None:
        self.applied: set[type[Action]] = set()
        self._actions = actions
        self._chosen = [*places, len(actions)]
        self._cluster = cluster

    def lines(self) -> Iterator[str]:
        cluster, last = self._cluster, len(self._actions)
        for place, after in pairwise((*self._chosen, last)):
            if place < cluster.number:
                continue  # a line before has made it
            yield from self._pass(place)
            if cluster.number == place < last:
                yield self._verb(after)
        if cluster.stopped is not None:
            yield f"# Here the run stops: {' '.join(cluster.stopped.split())}."

    def _play(self) -> None:
        self._cluster.engine.apply_quietly(self._actions[self._cluster.number])

    def _verb(self, after: int) -> str:
        """The line for the coming action, which somebody chose; and it happens."""
        action = self._actions[self._cluster.number]
        call, made = fitting(self._cluster, self._actions, after) or (None, 1)
        if call is None:
            self.applied.add(type(action))
        for _ in range(made):
            self._play()
        return f"cluster.apply({action!r})" if call is None else str(call)

    # Time

    def _pass(self, place: int) -> Iterator[str]:
        """The lines for what was due before `place`; and it happens, with a wait at its end."""
        cluster, actions = self._cluster, self._actions
        start, elected, leads = (cluster.now, cluster.number), None, cluster.leader is not None
        limit = cluster.now + PATIENCE * cluster.setup.options.election_timeout[1]
        while cluster.number < place:
            self._play()
            if not leads and cluster.leader is not None:
                leads = True
                elected = (cluster.now, cluster.number) if cluster.now <= limit else None
        action = actions[place] if place < len(actions) else None
        until = action.at if isinstance(action, acts.Wait) else None
        waits = until is not None and self._run(*start, until) is not None
        whole = self._run(*start, until if waits else None)
        if elected is not None and not (whole is not None and is_round(whole)):
            yield "cluster.elect()"
            start = elected
            whole = self._run(*start, until if waits else None)
            waits = waits and whole is not None
        if whole is not None and (waits or is_round(whole)):
            yield f"cluster.run({whole!r})"
        else:
            yield from _stepping(cluster.number - start[1])
        if waits:
            self._play()

    def _run(self, start: Millis, number: int, until: Millis | None) -> Millis | None:
        """The ms of a `run` from `start` to now, or to a wait `until`; None, if there is none."""
        cluster = self._cluster
        if until is None and cluster.number < number + 2:
            return None  # as much as a step or two
        if cluster.stopped is not None:
            return math.floor(cluster.now - start) + 1
        end = cluster.now if until is None else until
        following = cluster.engine.scheduled()
        if end <= start or (following is not None and following.at <= end):
            return None
        return exact_difference(start, end)


def _stepping(count: int) -> tuple[str, ...]:
    if count > 2:
        return (f"for _ in range({count}):", "    cluster.step()")
    return ("cluster.step()",) * count


def chosen(cluster: Engine, actions: Sequence[Action], known: Known) -> Iterator[int]:
    """The places of the actions that were not the next scheduled ones."""
    played = play(cluster, actions, known)
    for place, action in enumerate(actions):
        if cluster.scheduled() != action:
            yield place
        next(played)
