"""Runs that were shared when the museum stood elsewhere still open, under today's names.

`data` was written before it moved, and is never written again: the names of all its classes,
and two runs with classes that have left their module since.
"""

from pathlib import Path

import pytest

import raftlab
from raftlab.museum import exhibit
from raftlab.sim.resolve import shipped_class
from raftlab.sim.world.arguments import full_name

DATA = Path(__file__).parent / "data"
NAMES = [line.split() for line in (DATA / "older_names.txt").read_text().splitlines()]


def test_the_older_names_are_of_nearly_a_hundred_classes():
    assert len(NAMES) == 95
    assert all(name.startswith("raftlab.check.museum.") for _, name in NAMES)


@pytest.mark.parametrize(("argument", "name"), NAMES)
def test_a_class_is_found_by_the_name_that_it_had(argument, name):
    kind = shipped_class(name, argument)
    assert kind.__name__ == name.partition(":")[2]
    assert full_name(kind).startswith("raftlab.museum.")


def test_a_run_with_rules_that_moved_is_shared_under_their_new_name():
    text = (DATA / "removed_disrupts.share").read_text()
    recording = raftlab.load(text)
    name = "raftlab.museum.stuck_elections:NobodySticks"
    assert {each for _, each in recording.setup.rules} == {name}
    again = raftlab.load(recording.share())
    assert again == recording and recording.share() != text.strip()


def test_a_run_with_a_machine_that_moved_breaks_what_it_broke():
    recording = raftlab.load((DATA / "acks_its_last.share").read_text())
    assert recording.setup.machine == "raftlab.museum.replication:ProbesWithoutEntries"
    assert recording.attempt().violation.name == exhibit("acks-its-last").breaks.name
    assert recording == exhibit("acks-its-last").recording()
