"""States that differ in nothing but who is called what.

If all nodes have the same rules, whatever can happen to S1 can happen to S2: exchanging
names in a state exchanges them in all that follows. So of all states that names alone tell
apart one is enough. Two things are taken to be without meaning, as they are in Raft: the
order in which a configuration lists its members, and that in which a leader keeps its
followers.
"""

from collections.abc import Hashable, Iterator, Mapping, Sized
from itertools import permutations, product
from typing import Any, cast

import msgspec

from raftlab.check.explore.states import State, States
from raftlab.raft.vocabulary import NodeId

MOST_NODES = 6
"""720 ways to give out names; with more nodes a search would take longer and not less long."""


class Symmetry:
    """Finds the one state that stands for all that differ in names only."""

    def __init__(self, world: States) -> None:
        self._world = world
        self._names = world.names
        self._tokens: dict[Hashable, int] = {}
        self._shapes: list[int] = []
        self._local_tokens: dict[tuple[int, tuple[int, ...]], int] = {}
        self._message_tokens: dict[tuple[int, tuple[int, ...]], int] = {}
        self._past_tokens: dict[tuple[int, tuple[int, ...]], int] = {}
        self._orders: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        self._renamings: dict[tuple[int, ...], dict[NodeId, NodeId]] = {}

    def key(self, state: State) -> Hashable:
        """Equal for states that differ in names only."""
        locals_, flights, past, used = state
        shapes = self._shapes
        try:
            seen = tuple([shapes[each] for each in locals_])
        except IndexError:
            self._see_shapes()
            seen = tuple([shapes[each] for each in locals_])
        orders = self._orders.get(seen)
        if orders is None:
            orders = self._orders[seen] = list(self._orders_of(seen))
        if len(orders) == 1:
            return self._renamed_state(orders[0], locals_, flights, past), used
        return min([self._renamed_state(each, locals_, flights, past) for each in orders]), used

    def held(self) -> int:
        """About how many bytes are held."""
        few: tuple[Sized, ...] = (self._local_tokens, self._message_tokens, self._past_tokens)
        return len(self._tokens) * 1_000 + sum(map(len, few)) * 150

    def _renamed_state(
        self,
        order: tuple[int, ...],
        locals_: tuple[int, ...],
        flights: tuple[int, ...],
        past: int,
    ) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
        """The state with its nodes in another order, and named by their new places."""
        known = self._local_tokens
        mine = []
        for place in order:
            pair = (locals_[place], order)
            token = known.get(pair)
            if token is None:
                token = known[pair] = self._token(self._world.key_of(locals_[place]), order)
            mine.append(token)
        known, said = self._message_tokens, []
        for each in flights:
            pair = (each, order)
            token = known.get(pair)
            if token is None:
                token = known[pair] = self._token(self._world.messages[each], order)
            said.append(token)
        said.sort()
        pair = (past, order)
        token = self._past_tokens.get(pair)
        if token is None:
            token = self._past_tokens[pair] = self._token(self._world.pasts[past], order)
        return tuple(mine), token, tuple(said)

    def _token(self, value: Any, order: tuple[int, ...]) -> int:
        renaming = self._renamings.get(order)
        if renaming is None:
            renaming = self._renamings[order] = {
                self._names[place]: self._names[at] for at, place in enumerate(order)
            }
        return self._tokens.setdefault(renamed(value, renaming), len(self._tokens))

    def _see_shapes(self) -> None:
        """Number every state of a node by what it is apart from all names but its own."""
        for number in range(len(self._shapes), len(self._world.locals)):
            key = self._world.key_of(number)
            node = self._world.locals[number].host.node
            blind = {each: "self" if each == node else "other" for each in self._names}
            self._shapes.append(
                self._tokens.setdefault(("shape", renamed(key, blind)), len(self._tokens))
            )

    def _orders_of(self, shapes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Every order that sorts the nodes by shape: those of one shape may be exchanged."""
        groups: dict[int, list[int]] = {}
        for place, shape in enumerate(shapes):
            groups.setdefault(shape, []).append(place)
        ways = [list(permutations(groups[shape])) for shape in sorted(groups)]
        for way in product(*ways):
            yield tuple(place for group in way for place in group)


def renamed(value: Any, names: Mapping[NodeId, NodeId]) -> Hashable:
    """A value with other names in it, where the order of names and of pairs by name is sorted."""
    kind = type(value)
    if kind is str:
        return cast(Hashable, names.get(value, value))
    if kind is tuple or isinstance(value, tuple):
        told = [renamed(each, names) for each in value]
        if len(value) > 1 and (_all_names(value, names) or _all_pairs(value, names)):
            told.sort(key=repr)
        return tuple(told)
    if isinstance(value, frozenset):
        return ("a set", *sorted((renamed(each, names) for each in value), key=repr))
    if isinstance(value, msgspec.Struct):
        fields = (renamed(getattr(value, name), names) for name in value.__struct_fields__)
        return (kind.__name__, *fields)
    return cast(Hashable, value)


def _all_names(value: tuple[Any, ...], names: Mapping[NodeId, NodeId]) -> bool:
    return all(type(each) is str and each in names for each in value)


def _all_pairs(value: tuple[Any, ...], names: Mapping[NodeId, NodeId]) -> bool:
    return all(
        type(each) is tuple and each and type(each[0]) is str and each[0] in names for each in value
    )
