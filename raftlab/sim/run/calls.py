"""Which call of a verb makes the coming actions of a run: guessed, and then tried out."""

from collections.abc import Iterator, Sequence

from raftlab.raft.vocabulary import REFUSALS, Millis
from raftlab.sim.commands.base import with_engine
from raftlab.sim.commands.client_commands import ClientCommands
from raftlab.sim.run.play import can_be_copied, copied
from raftlab.sim.world import actions as acts
from raftlab.sim.world.action import Action, Surroundings
from raftlab.sim.world.call import Call
from raftlab.sim.world.host import NEVER


class _PartedError(Exception):
    """A call did something else than what is coming."""


def fitting(
    cluster: ClientCommands, actions: Sequence[Action], after: int
) -> tuple[Call, int] | None:
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
    for call in coming.calls(_surroundings_of(cluster)):
        made = _asked_for(cluster, call, actions)
        if made:
            return call, made
    return None


def _surroundings_of(cluster: ClientCommands) -> Surroundings:
    """What of a cluster says how the verb of the coming action was called."""
    return Surroundings(
        cluster.now,
        cluster.configuration,
        cluster.in_flight(),
        cluster.engine.world.network_between,
    )


def _asked_for(cluster: ClientCommands, call: Call, actions: Sequence[Action]) -> int:
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


def _played(cluster: ClientCommands, call: Call, actions: Sequence[Action]) -> int:
    """How many actions a call makes on a copy, if they are those that are coming."""
    if not can_be_copied(cluster.engine):
        return 0
    trial = with_engine(cluster, copied(cluster.engine))
    engine, advance = trial.engine, trial.engine.advance

    def as_it_went(action: Action | None, until: Millis = NEVER) -> bool:
        coming = engine.scheduled(until) if action is None else action
        is_over = trial.number == len(actions)
        if coming is not None and (is_over or coming != actions[trial.number]):
            raise _PartedError
        return advance(action, until)

    vars(engine)["advance"] = as_it_went
    try:
        call.on(trial)
    except (_PartedError, *REFUSALS):
        return 0
    except Exception:  # the run's own end
        if trial.stopped is None:
            raise
    return trial.number - cluster.number


def _lasting(cluster: ClientCommands, actions: Sequence[Action], after: int) -> Iterator[Call]:
    """Calls that let things happen before they end."""
    coming, *following = actions[cluster.number : cluster.number + 2]
    if isinstance(coming, acts.Timeout) and coming.force:
        yield Call("elect", (coming.node,))
    elif isinstance(coming, acts.Join) and following and type(following[0]) is acts.Reconfigure:
        yield Call("add_learner", (coming.node,))
    elif isinstance(coming, acts.Read) and after > cluster.number + 1:
        yield from (
            Call("get", call.args, call.named) for call in coming.calls(_surroundings_of(cluster))
        )
