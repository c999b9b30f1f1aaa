"""A search with a bound on the messages on their way: the same as a naive one with that bound."""

import msgspec
import pytest

from raftlab import Cluster
from raftlab.check.explore import Scope, explore
from raftlab.check.explore.to_recording import cluster_after
from raftlab.museum import exhibit
from raftlab.museum.searched import SCOPES
from raftlab.sim.world.actions import Deliver
from tests.check.reference import reachable
from tests.check.test_explore import plain, seen_by_search

ROWS = {
    ("any-log-elects", Scope(2, 1, 3)): (12, "Leader Completeness"),
    ("last-term-elects", Scope(2, 2, 3)): (15, "Leader Completeness"),
    ("sent-is-received", Scope(1, 2, 3)): (10, "Match Is True"),
    ("commit-jumps", Scope(1, 3, 3)): (11, "Commit Follows Quorum"),
    ("term-falls", Scope(2, 1, 4)): (4, "Terms Rise"),
    ("old-terms-obeyed", Scope(2, 1, 4)): (10, "One Vote Per Term"),
    ("acks-its-last", Scope(2, 1, 4)): (12, "Match Is True"),
}


@pytest.mark.parametrize(("name", "scope"), ROWS)
def test_a_mistake_is_found_within_its_bound_and_by_a_shortest_run(name, scope):
    found = explore(exhibit(name).cluster(), scope)
    assert (found.events, found.violation[0]) == ROWS[name, scope]
    run = found.run
    assert run is not None and run.violation.name == found.violation[0]


def test_what_was_delivered_in_vain_is_on_its_way_no_more():
    found = explore(plain(), Scope(terms=2, entries=0, in_flight=3), symmetry=False)
    assert (found.violation, found.is_complete, found.states) == (None, True, 3010)
    assert len(seen_by_search(plain(), Scope(terms=2, entries=0, in_flight=3))) == 532


BOUNDED = [
    (2, Scope(terms=2, entries=1, in_flight=1)),
    (2, Scope(terms=2, entries=1, in_flight=2, depth=8)),
    (2, Scope(terms=1, entries=2, in_flight=1, restarts=1)),
    (2, Scope(terms=1, entries=1, in_flight=1, heartbeats=1)),
    (2, Scope(terms=1, entries=1, in_flight=2, duplicates=1, depth=7)),
    (3, Scope(terms=1, entries=1, in_flight=2)),
    (3, Scope(terms=2, entries=0, in_flight=2, depth=7)),
    (3, Scope(terms=2, entries=1, in_flight=3, depth=5)),
]


@pytest.mark.parametrize(("nodes", "scope"), BOUNDED)
def test_with_bounds_it_reaches_what_a_naive_search_reaches(nodes, scope):
    naive = reachable(plain(nodes), scope)
    assert naive.length is None and len(naive.projections) > 10
    assert seen_by_search(plain(nodes), scope) == naive.projections


def test_a_message_to_a_node_that_is_down_makes_room_when_it_arrives():
    cluster = plain()
    cluster.crash("S3")
    scope = Scope(terms=2, entries=1, in_flight=2)
    found = explore(cluster, scope, goal=lambda view: view["S1"].commit_index == 1)
    assert found.has_reached_goal
    assert any(type(each) is Deliver and each.receiver == "S3" for each in found.recording.actions)


LAST = 2
"""So many events before a property falls both searches begin once more."""

LONG = ("commit-past-verified", "commit-before-check", "deposed-leader-reads")
"""It takes a search 60,000 states and more to get there: too many for a test."""


def at_once(name: str) -> Cluster:
    """The cluster of an exhibit, with writes that end at once: what a step sends is sent."""
    disks = exhibit(name).cluster().setup.disks
    return exhibit(name).cluster(disks=msgspec.structs.replace(disks, write_ms=0.0))


@pytest.mark.parametrize("name", SCOPES)
def test_on_every_mistake_it_agrees_with_a_naive_search(name):
    scope = msgspec.structs.replace(SCOPES[name], actions=(), depth=3)
    naive = reachable(at_once(name), scope)
    assert explore(at_once(name), scope).events == naive.length
    if naive.length is None:
        assert seen_by_search(at_once(name), scope) == naive.projections


@pytest.mark.parametrize("name", [each for each in SCOPES if each not in LONG])
def test_near_the_end_of_every_mistake_it_agrees_with_a_naive_search(name):
    found = explore(at_once(name), SCOPES[name], symmetry=True)
    near = cluster_after(found._cluster, found._world, iter(list(found._search.path())[:-LAST]))
    assert near.violation is None and len(near.in_flight()) <= SCOPES[name].in_flight
    scope = msgspec.structs.replace(SCOPES[name], actions=(), depth=LAST)
    naive = reachable(near, scope)
    again = explore(near, scope, symmetry=False)
    assert again.events == naive.length
    assert again.violation is None or again.violation[0] in naive.fell
    assert again.events == min(LAST, found.events) or SCOPES[name].actions
