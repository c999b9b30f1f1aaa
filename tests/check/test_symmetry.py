"""States that differ in names only count once, and no others."""

import inspect
from itertools import permutations

import msgspec
import pytest

from raftlab import Cluster, Misuse, Options, RaftStateMachine, Rules
from raftlab.check.explore import Scope, explore
from raftlab.check.explore.breadth_first import Search
from raftlab.check.explore.name_sensitivity import (
    TOLD_A_LOG,
    TOLD_NUMBERS,
    is_alike,
    why_names_matter,
)
from raftlab.check.explore.states import States
from raftlab.check.explore.symmetry import Symmetry, renamed
from raftlab.museum import exhibit
from raftlab.museum.searched import SCOPES
from raftlab.sim.world.actions import Compact, Join, Read, Reconfigure
from raftlab.sim.world.settings import Disks
from tests.sim.toy_machine import ToyMachine


def cluster(nodes: int = 3, **given) -> Cluster:
    given = {"options": Options.figure_2(), "disks": Disks(write_ms=0.0), **given}
    return Cluster(nodes, **given)


def smallest_name(world: States, state) -> str:
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
        ({}, Scope(terms=2, entries=2, in_flight=3, depth=10)),
        ({}, Scope(terms=1, entries=1, in_flight=4, restarts=1, duplicates=1, depth=5)),
        ({}, Scope(terms=1, entries=1, in_flight=4, actions=(Read(0, "", "x"),), depth=6)),
        ({}, Scope(terms=1, entries=2, in_flight=3, actions=(Compact(0, "", 1),), depth=9)),
        ({"options": Options()}, Scope(terms=1, entries=2, in_flight=4, heartbeats=1, depth=7)),
        ({"machine": ToyMachine}, Scope(terms=1, entries=1, in_flight=4, depth=6)),
    ],
    ids=["plain", "restarts", "reads", "snapshots", "time", "a learner's machine"],
)
def test_there_are_as_many_states_as_orbits(given, scope):
    world = States(cluster(**given), scope)
    search = Search(world, Symmetry(world).key).run(depth=scope.depth)
    plain = States(cluster(**given), scope)
    states = reached(plain, scope.depth)
    assert len(states) > 4 * search.counts.distinct > 120
    assert search.counts.distinct == len({smallest_name(plain, each) for each in states})


def reached(world: States, depth: int | None) -> list:
    """Every state within so many events, without any use of names."""
    seen: list = []
    Search(world, is_goal=lambda state: seen.append(state) or False).run(depth=depth)
    return seen


def test_hashes_confuse_no_two_states():
    world = States(cluster(), Scope(terms=2, entries=2, in_flight=4))
    search = Search(world, is_goal=(states := []).append).run(states=30_000)
    assert len(set(states)) == len(states) == search.counts.distinct


class Own(Rules):
    """Other rules than the rest has."""


class Keeps(Rules):
    def __init__(self, favourite):
        self.favourite = favourite


def test_names_matter_where_nodes_differ_or_are_named():
    scope = Scope()
    assert is_alike(cluster(), scope)
    assert is_alike(cluster(rules=Own), scope)
    assert not is_alike(cluster(rules={"S1": Own()}), scope)
    assert not is_alike(cluster(rules={"S1": Keeps(1), "S2": Keeps(2), "S3": Keeps(3)}), scope)
    assert is_alike(cluster(), Scope(actions=(Read(0, "", "x"),)))
    assert not is_alike(cluster(), Scope(actions=(Read(0, "S1", "x"),)))
    assert not is_alike(cluster(), Scope(actions=(Reconfigure(0, "", ("S1", "S2")),)))
    with pytest.raises(Misuse, match="exchanged"):
        explore(cluster(rules={"S1": Own()}), scope, symmetry=True)


def test_who_joined_later_cannot_be_exchanged():
    grown = cluster()
    grown.apply(Join(0.0, "S4"))
    assert not is_alike(grown, Scope())


class FavoursS1(Rules):
    """Ties are broken by name: S3's vote goes to S1, even if it is given."""

    def has_vote_left(self, request, term, voted_for, leader):
        favours = (voted_for, request.sender) == ("S3", "S1")
        return super().has_vote_left(request, term, voted_for, leader) or (
            request.term == term and favours
        )


def test_what_a_rule_that_looks_at_names_does_is_not_missed():
    """Of S1 and S3 as candidates S3 is stopped: with names exchanged, that is not seen."""
    scope = Scope(terms=1, entries=0, in_flight=4)
    found = explore(cluster(rules=FavoursS1), scope)
    assert found.violation is not None and not found.symmetric
    assert found.violation == explore(cluster(rules=FavoursS1), scope, symmetry=False).violation
    assert "each naming counting, since rules of your own (FavoursS1: its has_vote_left)" in str(
        found
    )


class CountsByNumber(Rules):
    def leader_commit_index(self, matched, log, term, commit_index):
        return max(matched, commit_index)

    def is_stale_term(self, message_term, term):
        return message_term < term


class Hides(Rules):
    def __getattribute__(self, name):
        return super().__getattribute__(name)


class OwnMachine(RaftStateMachine):
    """Who knows what it does."""


def test_names_are_exchanged_only_where_nobody_can_look_at_them():
    small, compacts = Scope(), Scope(actions=(Compact(0, "", 1),))
    for rules in (Rules, Own, CountsByNumber):
        assert why_names_matter(cluster(rules=rules), small) is None
    assert why_names_matter(cluster(), compacts) is None
    looks = [
        ({"rules": FavoursS1}, small, "FavoursS1: its has_vote_left"),
        ({"rules": Hides}, small, "Hides: its __getattribute__"),
        ({"rules": Keeps("S1")}, small, "Keeps: its __init__"),
        ({"rules": CountsByNumber}, compacts, "CountsByNumber: its leader_commit_index"),
        ({"machine": OwnMachine}, small, "a machine of your own (OwnMachine)"),
        ({"machine": ToyMachine}, small, "a machine of your own (ToyMachine)"),
    ]
    for given, scope, why in looks:
        assert why in why_names_matter(cluster(**given), scope), given


def test_whose_word_it_is_that_names_are_not_looked_at():
    scope = Scope(terms=1, entries=1, in_flight=4)
    given = explore(cluster(machine=ToyMachine), scope, symmetry=True)
    plain = explore(cluster(machine=ToyMachine), scope)
    assert given.symmetric and not plain.symmetric and given.states < plain.states
    assert "symmetry is off" in str(explore(3, Scope(terms=1, entries=0), symmetry=False))


NAMED = {"request", "voted_for", "leader", "node", "configuration", "previous", "votes", "heard"}
NAMED |= {"acked", "match_indexes", "progress", "current", "target", "rng", "first"}


def test_rules_that_are_told_no_name_are_those():
    for name in TOLD_NUMBERS | TOLD_A_LOG:
        told = set(inspect.signature(getattr(Rules, name)).parameters)
        assert not told & NAMED, name
        assert bool(told & {"log", "entries"}) == (name in TOLD_A_LOG), name


SMALL = {name: msgspec.structs.replace(each, depth=4) for name, each in SCOPES.items()}


@pytest.mark.parametrize("name", SMALL)
def test_no_mistake_of_the_museum_looks_at_names(name):
    """Which is why `searched` may exchange them."""
    one, other = (explore(exhibit(name).cluster(), SMALL[name], symmetry=s) for s in (True, False))
    assert (one.events, one.is_complete) == (other.events, other.is_complete)
    if one.is_complete:
        world = States(exhibit(name).cluster(), SMALL[name])
        states = reached(world, 4)
        assert one.states == len({smallest_name(world, each) for each in states})


def test_sets_of_names_are_told_in_one_order():
    one = renamed(frozenset(("S1", "S2")), {"S1": "S2", "S2": "S1"})
    assert one == renamed(frozenset(("S2", "S1")), {})
    assert repr(one) == repr(renamed(frozenset(("S2", "S1")), {}))
