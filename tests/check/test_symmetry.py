"""States that differ in names only count once, and no others."""

from itertools import permutations

import pytest

from raftlab import Cluster, Misuse, Options, Rules
from raftlab.check.explore import Scope, explore
from raftlab.check.explore.exploration import is_symmetric
from raftlab.check.explore.search import Search
from raftlab.check.explore.symmetry import Symmetry, renamed
from raftlab.check.explore.world import World
from raftlab.sim.actions import Compact, Join, Read, Reconfigure
from raftlab.sim.settings import Disks
from tests.sim.toy_machine import ToyMachine


def cluster(nodes: int = 3, **given) -> Cluster:
    given = {"options": Options.figure_2(), "disks": Disks(write_ms=0.0), **given}
    return Cluster(nodes, **given)


def smallest_name(world: World, state) -> str:
    """Of all ways to name the nodes, the least text: slow, and plainly right."""
    nodes, flights, past, used = state
    told = []
    for order in permutations(range(len(world.names))):
        names = {world.names[old]: world.names[new] for new, old in enumerate(order)}
        mine = tuple(renamed(world.key_of(nodes[old]), names) for old in order)
        said = sorted(repr(renamed(world.messages[each], names)) for each in flights)
        told.append(repr((mine, said, renamed(world.pasts[past], names), used)))
    return min(told)


@pytest.mark.parametrize(
    ("given", "scope"),
    [
        ({}, Scope(terms=2, entries=2, in_flight=3)),
        ({}, Scope(terms=1, entries=1, in_flight=4, restarts=1, duplicates=1, depth=7)),
        ({}, Scope(terms=1, entries=1, in_flight=4, deeds=(Read(0, "", "x"),), depth=8)),
        ({}, Scope(terms=1, entries=2, in_flight=3, deeds=(Compact(0, "", 1),))),
        ({"options": Options()}, Scope(terms=1, entries=2, in_flight=4, heartbeats=1, depth=9)),
        ({"machine": ToyMachine}, Scope(terms=1, entries=1, in_flight=4, depth=7)),
    ],
    ids=["plain", "restarts", "reads", "snapshots", "time", "a learner's machine"],
)
def test_there_are_as_many_states_as_orbits(given, scope):
    world = World(cluster(**given), scope)
    search = Search(world, Symmetry(world).key).run(depth=scope.depth)
    plain = World(cluster(**given), scope)
    states = reached(plain, scope.depth)
    assert len(states) > 1.5 * search.counts.distinct > 30
    assert search.counts.distinct == len({smallest_name(plain, each) for each in states})


def reached(world: World, depth: int | None) -> list:
    """Every state within so many events, without any use of names."""
    seen: list = []
    Search(world, is_goal=lambda state: seen.append(state) or False).run(depth=depth)
    return seen


def test_hashes_confuse_no_two_states():
    world = World(cluster(), Scope(terms=2, entries=2, in_flight=4))
    search = Search(world, is_goal=(states := []).append).run(states=30_000)
    assert len(set(states)) == len(states) == search.counts.distinct


class Own(Rules):
    """Other rules than the rest has."""


class Keeps(Rules):
    def __init__(self, favourite):
        self.favourite = favourite


def test_names_matter_where_nodes_differ_or_are_named():
    scope = Scope()
    assert is_symmetric(cluster(), scope)
    assert is_symmetric(cluster(rules=Own), scope)
    assert not is_symmetric(cluster(rules={"S1": Own()}), scope)
    assert not is_symmetric(cluster(rules={"S1": Keeps(1), "S2": Keeps(2), "S3": Keeps(3)}), scope)
    assert is_symmetric(cluster(), Scope(deeds=(Read(0, "", "x"),)))
    assert not is_symmetric(cluster(), Scope(deeds=(Read(0, "S1", "x"),)))
    assert not is_symmetric(cluster(), Scope(deeds=(Reconfigure(0, "", ("S1", "S2")),)))
    with pytest.raises(Misuse, match="exchanged"):
        explore(cluster(rules={"S1": Own()}), scope, symmetry=True)


def test_who_joined_later_cannot_be_exchanged():
    grown = cluster()
    grown.apply(Join(0.0, "S4"))
    assert not is_symmetric(grown, Scope())


def test_sets_of_names_are_told_in_one_order():
    one = renamed(frozenset(("S1", "S2")), {"S1": "S2", "S2": "S1"})
    assert one == renamed(frozenset(("S2", "S1")), {})
    assert repr(one) == repr(renamed(frozenset(("S2", "S1")), {}))
