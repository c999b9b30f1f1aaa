"""The definition of linearizability, tried out in full: slow, short, and plainly right."""

from collections.abc import Sequence
from itertools import permutations

from raftlab.check.history import Operation, Outcome
from raftlab.check.linearizability.models import Model, key_of


def is_linearizable(operations: Sequence[Operation], model: Model) -> bool:
    """Whether some order of some choice of unknown operations explains all the answers."""
    return all(
        any_order([each for each in operations if key_of(model, each) == key], model)
        for key in dict.fromkeys(key_of(model, each) for each in operations)
    )


def any_order(
    operations: Sequence[Operation], model: Model, optional: Sequence[Operation] = ()
) -> bool:
    """The same for one object; those in `optional` need not be placed, by identity."""
    must, free = sides(operations, optional)
    for chosen in range(2 ** len(free)):
        extra = [each for place, each in enumerate(free) if chosen >> place & 1]
        if any(explains(order, model) for order in permutations([*must, *extra])):
            return True
    return False


def any_order_remembered(
    operations: Sequence[Operation], model: Model, optional: Sequence[Operation] = ()
) -> bool:
    """The same, for histories too long to try all orders: what was tried is not tried again."""
    must, free = sides(operations, optional)
    all_of_them = [*must, *free]
    wanted = (1 << len(must)) - 1
    todo, seen = [(0, model.initial)], set()
    while todo:
        here = placed, state = todo.pop()
        if placed & wanted == wanted:
            return True
        if here in seen:
            continue
        seen.add(here)
        left = [each for place, each in enumerate(must) if not placed >> place & 1]
        for place, each in enumerate(all_of_them):
            if placed >> place & 1 or any(is_before(other, each) for other in left):
                continue
            allowed, after = model.step(state, each)
            if allowed:
                todo.append((placed | 1 << place, after))
    return False


def sides(
    operations: Sequence[Operation], optional: Sequence[Operation]
) -> tuple[list[Operation], list[Operation]]:
    """The operations that must be placed, and those that may."""
    happened = [each for each in operations if each.outcome is not Outcome.FAILED]
    free = [e for e in happened if e.is_unknown or any(e is each for each in optional)]
    return [each for each in happened if not any(each is other for other in free)], free


def explains(order: Sequence[Operation], model: Model) -> bool:
    """Whether the operations, one after the other, keep the order of time and fit the model."""
    for place, later in enumerate(order):
        for earlier in order[:place]:
            if is_before(later, earlier):
                return False
    state = model.initial
    for operation in order:
        allowed, state = model.step(state, operation)
        if not allowed:
            return False
    return True


def is_before(one: Operation, other: Operation) -> bool:
    """Whether `one` had ended when `other` started."""
    return not one.is_unknown and one.end is not None and one.end < other.start


def first_culprit(operations: Sequence[Operation], model: Model) -> Operation | None:
    """For one object: the first operation by whose end no order is left, in order of time."""
    happened = [each for each in operations if each.outcome is not Outcome.FAILED]
    ends = [(each.end, place) for place, each in enumerate(happened) if not each.is_unknown]
    for end, place in sorted(ends):
        begun = [each for each in happened if each.start <= end]
        later = [happened[other] for after, other in ends if (after, other) > (end, place)]
        if not any_order_remembered(begun, model, later):
            return happened[place]
    return None
