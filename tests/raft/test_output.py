"""What an output says of itself."""

import pytest

from raftlab.raft.log import Snapshot
from raftlab.raft.output import NOTHING, Note, Output, ReadReady, RoleChange
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import entry, vote


@pytest.mark.parametrize(
    ("output", "written"),
    [
        (NOTHING, False),
        (Output(messages=(vote("S1", 1),)), False),
        (Output(messages_at_once=(vote("S1", 1),)), False),
        (Output(reads=(ReadReady(1, 0),), failed_reads=(2,)), False),
        (Output(committed=(entry(1, 1),)), False),
        (Output(term=0), True),
        (Output(term=3, voted_for="S1"), True),
        (Output(log_entries=(entry(1, 1),)), True),
        (Output(truncate_from=4), True),
        (Output(snapshot=Snapshot(1, 1, Configuration(("S1",)))), True),
    ],
)
def test_whatever_is_durable_must_be_written_first(output, written):
    assert output.must_be_written is written


def test_the_role_change_is_the_newest_of_several():
    first = RoleChange(Role.FOLLOWER, Cause.ELECTION_TIMEOUT, Role.CANDIDATE, 1)
    second = RoleChange(Role.CANDIDATE, Cause.MAJORITY_GRANTED, Role.LEADER, 1)
    assert Output(role_changes=(first, second)).role_change is second
    assert NOTHING.role_change is None


def test_a_note_is_put_into_words_when_somebody_reads_it():
    assert str(Note("tally_vote", "won term {} with {}", (3, "S2"))) == "won term 3 with S2"


def test_an_output_cannot_be_changed():
    with pytest.raises(AttributeError):
        NOTHING.term = 3
