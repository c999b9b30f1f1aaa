"""Which call of a verb makes the coming actions of a run: guessed, and then tried out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from raftlab.raft.vocabulary import REFUSALS, Millis, NodeId
from raftlab.sim.run.checkpoints import can_be_copied, copied
from raftlab.sim.run.delta_encoding import exact_difference
from raftlab.sim.world import actions as acts
from raftlab.sim.world.actions import Action
from raftlab.sim.world.host import NEVER
from raftlab.sim.world.network import Flight

if TYPE_CHECKING:
    from raftlab.sim.cluster import Cluster


class Call(NamedTuple):
    """A verb of a cluster, and what it is called with."""

    verb: str
    args: tuple[object, ...] = ()
    named: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        named = (f"{name}={python(value)}" for name, value in self.named)
        return f"cluster.{self.verb}({', '.join((*map(python, self.args), *named))})"

    def on(self, cluster: "Cluster") -> object:
        """Call it."""
        return getattr(cluster, self.verb)(*self.args, **dict(self.named))


class _PartedError(Exception):
    """A call did something else than what is coming."""


def fitting(cluster: "Cluster", actions: Sequence[Action], after: int) -> tuple[Call, int] | None:
    """A call that makes exactly the coming actions, and how many; None, if there is none.

    `after` is the place of the next action, behind the coming one, that somebody chose.
    """
    coming = actions[cluster.number]
    if coming.at != cluster.now:
        return None
    for call in _lasting(cluster, actions, after):
        made = _played(cluster, call, actions)
        if made and (call.verb != "get" or cluster.number + made == after):
            return call, made
    guesses = GUESSES.get(type(coming))
    for call in guesses(cluster, coming) if guesses else ():
        made = _asked_for(cluster, call, actions)
        if made:
            return call, made
    return None


def _asked_for(cluster: "Cluster", call: Call, actions: Sequence[Action]) -> int:
    """How many actions a call asks for, if they are those that are coming; none happens."""
    asked: list[Action] = []
    vars(cluster)["_act"] = asked.append
    try:
        call.on(cluster)
    except REFUSALS:
        return 0
    except LookupError:
        pass  # it asked, and looks in vain for what came of it
    finally:
        del vars(cluster)["_act"]
    coming = actions[cluster.number : cluster.number + len(asked)]
    return len(asked) if asked == list(coming) else 0


def _played(cluster: "Cluster", call: Call, actions: Sequence[Action]) -> int:
    """How many actions a call makes on a copy, if they are those that are coming."""
    if not can_be_copied(cluster):
        return 0
    trial = copied(cluster)
    advance = trial._advance

    def as_it_went(action: Action | None, until: Millis = NEVER) -> bool:
        coming = trial._next_action(until) if action is None else action
        is_over = trial.number == len(actions)
        if coming is not None and (is_over or coming != actions[trial.number]):
            raise _PartedError
        return advance(action, until)

    vars(trial)["_advance"] = as_it_went
    try:
        call.on(trial)
    except (_PartedError, *REFUSALS):
        return 0
    except Exception:  # the run's own end
        if trial.stopped is None:
            raise
    return trial.number - cluster.number


def _lasting(cluster: "Cluster", actions: Sequence[Action], after: int) -> Iterator[Call]:
    """Calls that let things happen before they end."""
    coming, *following = actions[cluster.number : cluster.number + 2]
    if isinstance(coming, acts.Timeout) and coming.force:
        yield Call("elect", (coming.node,))
    elif isinstance(coming, acts.Join) and following and type(following[0]) is acts.Reconfigure:
        yield Call("add_learner", (coming.node,))
    elif isinstance(coming, acts.Read) and after > cluster.number + 1:
        yield from (Call("get", call.args, call.named) for call in _read(cluster, coming))


# Guesses: one function an action, the likeliest call first

Guesses = Callable[["Cluster", Any], Iterator[Call]]


def _plain(verb: str, *fields: str) -> Guesses:
    """The verb with these fields of its action."""

    def guess(_: "Cluster", action: Any) -> Iterator[Call]:
        yield Call(verb, tuple(_brief(getattr(action, each)) for each in fields))

    return guess


def _brief(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _of_flight(verb: str) -> Guesses:
    def guess(cluster: "Cluster", action: Any) -> Iterator[Call]:
        for flight in _flights(cluster, action):
            yield Call(verb, (flight.number,))

    return guess


def _flights(cluster: "Cluster", action: Any) -> list[Flight]:
    key = (action.sender, action.receiver, action.nth)
    return [each for each in cluster.in_flight() if each.key == key]


def _delay(cluster: "Cluster", action: acts.Delay) -> Iterator[Call]:
    for flight in _flights(cluster, action):
        yield Call("delay", (flight.number,))
        ms = exact_difference(max(flight.arrives_at, cluster.now), action.arrives_at)
        if ms:
            yield Call("delay", (flight.number, ms))


def _propose(_: "Cluster", action: acts.Propose) -> Iterator[Call]:
    try:
        command: str | bytes = action.data.decode()
    except UnicodeDecodeError:
        command = action.data
    yield Call("propose", (command,))
    yield Call("propose", (command,), (("to", action.node),))


def _read(_: "Cluster", action: acts.Read) -> Iterator[Call]:
    yield Call("read", (action.key,))
    yield Call("read", (action.key,), (("of", action.node),))


def _crash(_: "Cluster", action: acts.Crash) -> Iterator[Call]:
    yield Call("wipe", (action.node,))
    yield Call("crash", (action.node,))


def _partition(_: "Cluster", action: acts.Partition) -> Iterator[Call]:
    alone = [group[0] for group in action.groups if len(group) == 1]
    yield from (Call("isolate", (node,)) for node in alone)
    yield Call("partition", tuple(map(_names, action.groups[:-1])))
    yield Call("partition", tuple(map(_names, action.groups)))


def _cut(_: "Cluster", action: acts.Cut) -> Iterator[Call]:
    ends = (action.sender, action.receiver)
    yield Call("cut", ends)
    yield Call("cut", ends, (("both_ways", False),))


def _reconfigure(cluster: "Cluster", action: acts.Reconfigure) -> Iterator[Call]:
    now, new = cluster.configuration, (*action.voters, *action.learners)
    yield from (Call("add_learner", (node,)) for node in new if node not in now.members)
    yield from (Call("promote", (node,)) for node in action.voters if node not in now.voters)
    yield from (Call("remove", (node,)) for node in now.members if node not in new)
    learners = (_names(action.learners),) if action.learners else ()
    yield Call("reconfigure", (_names(action.voters), *learners))


def _transfer(_: "Cluster", action: acts.TransferLeadership) -> Iterator[Call]:
    yield Call("transfer", () if action.to is None else (action.to,))


def _compact(_: "Cluster", action: acts.Compact) -> Iterator[Call]:
    yield Call("compact", (action.node,))
    yield Call("compact", (action.node, action.up_to))


GUESSES: Mapping[type, Guesses] = {
    acts.Deliver: _of_flight("deliver"),
    acts.Drop: _of_flight("drop"),
    acts.Duplicate: _of_flight("duplicate"),
    acts.Delay: _delay,
    acts.Timeout: _plain("timeout", "node"),
    acts.Propose: _propose,
    acts.Crash: _crash,
    acts.Restart: _plain("restart", "node"),
    acts.Pause: _plain("pause", "node"),
    acts.Resume: _plain("resume", "node"),
    acts.Partition: _partition,
    acts.Cut: _cut,
    acts.Heal: _plain("heal"),
    acts.Calm: _plain("calm"),
    acts.Join: _plain("add_node", "node"),
    acts.Reconfigure: _reconfigure,
    acts.TransferLeadership: _transfer,
    acts.ForgetLeader: _plain("forget_leader", "node"),
    acts.Compact: _compact,
    acts.Read: _read,
    acts.Wipe: _plain("wipe", "node"),
    acts.SetClockRate: _plain("set_clock_rate", "node", "rate"),
    acts.SlowDisk: _plain("slow_disk", "node", "write_ms"),
}


# Values as Python


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


def _names(nodes: tuple[NodeId, ...]) -> str | list[NodeId]:
    text = " ".join(nodes)
    return text if tuple(text.split()) == nodes else list(nodes)


def is_round(ms: Millis) -> bool:
    """Whether somebody would have typed it."""
    return len(repr(ms)) <= 6
