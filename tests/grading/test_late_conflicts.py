"""A conflict that comes late in a message: whoever looks at its first entries only is told."""

import random

import pytest

from raftlab.course.exercises.append import append_cases
from raftlab.course.exercises.append_entries import append_entries, appending, whole_cases
from raftlab.grading.fresh import fresh_cases
from raftlab.raft.rules import Rules


@pytest.mark.parametrize("looks_at", range(1, 11))
def test_a_conflict_behind_the_first_entries_is_asked_for(looks_at):
    def cuts(log, prev_log_index, entries):
        return Rules().conflict_index(log, prev_log_index, entries[:looks_at])

    def is_wrong(case):
        return cuts(*case.fresh()) != Rules().conflict_index(*case.fresh())

    def appends(log, prev_log_index, prev_log_term, entries):
        return appending(conflict=cuts)(log, prev_log_index, prev_log_term, entries)

    def goes_wrong(case):
        mine, right = case.fresh(), case.fresh()
        try:
            return (appends(*mine), [*mine[0]]) != (append_entries(*right), [*right[0]])
        except ValueError:
            return True

    for seed in range(5):
        assert any(map(is_wrong, fresh_cases("1.2", random.Random(seed))))
        assert any(map(goes_wrong, fresh_cases("1.3", random.Random(seed))))
    assert any(map(is_wrong, append_cases()))
    assert any(map(goes_wrong, whole_cases()))
