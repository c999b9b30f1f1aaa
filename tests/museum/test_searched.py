"""The museum's mistakes that an exhaustive search meets."""

from pathlib import Path

import pytest

from raftlab.museum import EXHIBITS, exhibit
from raftlab.museum.searched import SCOPES, searched, states_searched

QUICK = ("refusals-elect", "votes-again", "half-elects", "leader-truncates", "skips-entries")

PAGE = (Path(__file__).parents[2] / "docs" / "museum.md").read_text(encoding="utf-8")


def test_every_scope_is_of_an_exhibit_that_does_something_wrong():
    known = {each.name for each in EXHIBITS if each.is_safety}
    assert set(SCOPES) <= known and len(SCOPES) > 20


@pytest.mark.parametrize("name", QUICK)
def test_a_search_meets_the_mistake_and_the_right_cluster_does_not_make_it(name):
    found = searched(exhibit(name))
    assert found is not None and found.violation is not None
    assert states_searched(exhibit(name)) == found.states
    run = found.run
    assert run is not None and run.violation is not None


@pytest.mark.parametrize("name", QUICK)
def test_the_page_says_after_how_many_states_a_search_meets_the_mistake(name):
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    assert row.split(" | ")[-1] == f"{states_searched(exhibit(name))} |"


def test_where_no_scope_is_known_nothing_is_said():
    assert searched(exhibit("endless-lease")) is None
    assert states_searched(exhibit("endless-lease")) is None
