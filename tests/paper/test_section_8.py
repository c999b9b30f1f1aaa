"""Section 8: client interaction, as far as it concerns the start of a leader's term."""

import pytest

from raftlab.raft.log import Command, Empty
from raftlab.raft.messages import AppendEntries
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotLeader
from tests.raft.world import (
    World,
    accepted,
    append,
    drain,
    leader,
    machine,
    rejected,
    tell,
    terms_of,
)


@pytest.mark.parametrize("terms", [(), (1,), (1, 2, 2)])
def test_each_leader_appends_an_empty_entry_at_the_start_of_its_term(terms):
    """8: each leader commits a blank no-op entry into the log at the start of its term."""
    node = leader(terms=terms, term=2, quiet=False)
    last = node.log.last_entry
    assert (last.payload, last.term, last.index) == (Empty(), 3, len(terms) + 1)
    said = drain(node)
    assert said.log_entries == [last]
    assert {each.entries for each in said.messages} == {(last,)}


def test_a_new_leader_does_not_know_which_entries_are_committed():
    """8: at the start of its term, it may not know which those are."""
    with World(3) as world:
        world.elect("S1")
        world.heartbeat("S1")
        world.propose("S1")
        world.settle("S1", "S2")
        assert world["S1"].commit_index == 2
        world.crash("S1")
        world.timeout("S2")
        world.settle("S2", "S3")
        assert world["S2"].commit_index == 3, "it finds out by committing an entry of its term"


def test_without_an_entry_of_its_own_term_it_would_never_find_out():
    """8: to find out, it needs to commit an entry from its term."""

    class NoEmptyEntry(Rules):
        def appends_at_term_start(self):
            return False

    with World(3, logs=((1, 1),) * 3, term=1, rules=NoEmptyEntry()) as world:
        world.timeout("S1", force=True)
        world.settle()
        for _ in range(5):
            world.heartbeat("S1")
        assert world["S1"].tracker.match_indexes() == {"S1": 2, "S2": 2, "S3": 2}
        assert world["S1"].commit_index == 0
        world.propose("S1")
        world.settle()
        assert world["S1"].commit_index == 3


def test_the_empty_entry_is_sent_in_the_first_words_of_the_leader():
    """8 with 5.2: committing it takes one round."""
    with World(3) as world:
        world.timeout("S1", force=True)
        world.settle("S1", "S2")
        assert world["S1"].commit_index == 1
        world.lose_all()


def test_the_empty_entry_is_handed_to_the_application_in_its_place():
    """8: it occupies an index like any other, and changes nothing."""
    node = leader()
    node.advance(accepted("S2", 1, 1), node.now)
    assert [each.payload for each in drain(node).committed] == [Empty()]


def test_a_server_that_is_not_leader_supplies_the_most_recent_leader_it_heard_from():
    """8: it will reject the request and supply information about the most recent leader."""
    node = machine()
    for term, known in ((1, "S2"), (2, "S3")):
        tell(node, append(known, term))
        with pytest.raises(NotLeader) as refused:
            node.add_entry(Command(b"x=1"))
        assert refused.value.leader == known


def test_append_entries_include_who_the_leader_is():
    """8: AppendEntries requests include the network address of the leader."""
    node = leader()
    for message in tell(node, rejected("S2", 1, at=0, last=0)):
        assert isinstance(message, AppendEntries)
    node.tick(node.next_deadline)
    assert {each.sender for each in drain(node).messages} == {"S1"}
    assert terms_of(node) == [1]
