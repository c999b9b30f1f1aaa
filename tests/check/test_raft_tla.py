"""The search counts what TLC counts: the states of Ongaro's raft.tla.

With symmetry of servers, 3 servers, 2 terms, no entries and one message make 103,258 states.
Without it they are 617,361; `count(3, 2, 0, 1)` comes to that, in about a minute, which is too
long for a test.
"""

import pytest

from tests.check.raft_tla import count


@pytest.mark.parametrize(("symmetry", "states"), [(False, 13_479), (True, 6_763)])
def test_two_servers_have_as_many_states_as_tlc_has_counted(symmetry, states):
    assert count(2, terms=2, entries=1, messages=2, symmetry=symmetry) == states


def test_three_servers_have_as_many_states_as_tlc_has_counted_up_to_their_names():
    assert count(3, terms=2, entries=0, messages=1, symmetry=True) == 103_258
