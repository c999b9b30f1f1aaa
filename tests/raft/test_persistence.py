"""The contract of `poll`: write first; what is polled again is durable; only then does it count."""

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntries, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import (
    accepted,
    append,
    candidate,
    drain,
    entries,
    leader,
    log,
    machine,
    tell,
    vote,
    vote_request,
)

# Terms and votes


def test_a_term_and_its_vote_are_handed_out_together():
    node = machine()
    node.advance(vote_request("S2", 4), 0.0)
    output = node.poll()
    assert (output.term, output.voted_for, output.must_be_written) == (4, "S2", True)


def test_a_vote_that_a_new_term_took_back_is_handed_out_as_none():
    node = machine(term=3, vote="S2")
    node.advance(append("S3", 4), 0.0)
    output = node.poll()
    assert (output.term, output.voted_for) == (4, None)


def test_a_vote_within_the_term_is_handed_out_with_the_term():
    node = machine(term=4)
    node.advance(vote_request("S2", 4), 0.0)
    output = node.poll()
    assert (output.term, output.voted_for) == (4, "S2")


def test_a_pre_vote_is_nothing_to_write():
    node = machine(term=4)
    node.advance(vote_request("S2", 5, is_prevote=True), 0.0)
    output = node.poll()
    assert output.messages == (vote("S1", 5, to="S2", is_prevote=True),)
    assert not output.must_be_written


def test_a_campaign_is_written_in_the_output_that_carries_its_requests():
    node = machine()
    node.tick(node.next_deadline)
    output = node.poll()
    assert (output.term, output.voted_for) == (1, "S1")
    assert {type(each) for each in output.messages} == {RequestVote}


def test_the_last_of_several_terms_between_two_polls_is_written():
    node = machine()
    node.advance(vote_request("S2", 4), 0.0)
    node.advance(vote_request("S3", 6), 0.0)
    output = node.poll()
    assert (output.term, output.voted_for) == (6, "S3")
    assert output.messages == (vote("S1", 4, to="S2"), vote("S1", 6, to="S3"))


# The own vote


def test_the_own_vote_counts_once_it_is_durable():
    node = machine(nodes=2)
    node.tick(node.next_deadline)
    assert node.role_data.votes.answers == {}
    node.poll()
    assert node.role_data.votes.answers == {}, "handed out is not written yet"
    node.poll()
    assert node.role_data.votes.answers == {"S1": True}


def test_with_the_own_vote_unwritten_another_grant_is_not_enough():
    node = machine(nodes=3)
    node.tick(node.next_deadline)
    node.poll()
    node.advance(vote("S2", 1), node.now)
    assert node.role is Role.CANDIDATE
    output = node.poll()
    assert node.role is Role.LEADER
    assert [type(each) for each in output.messages] == [AppendEntries, AppendEntries]


def test_without_the_own_vote_a_majority_of_others_is_enough():
    node = machine(nodes=5)
    node.tick(node.next_deadline)
    node.poll()
    for peer in ("S2", "S3", "S4"):
        node.advance(vote(peer, 1), node.now)
    assert node.role is Role.LEADER


def test_the_own_vote_of_an_earlier_campaign_does_not_count_in_the_next():
    node = machine(nodes=2)
    node.tick(node.next_deadline)
    node.poll()
    node.tick(node.next_deadline)
    assert node.term == 2
    node.poll()
    assert node.role_data.votes.answers == {}, "the vote of term 2 has only now been handed out"
    node.poll()
    assert node.role_data.votes.answers == {"S1": True}


def test_the_own_pre_vote_is_nothing_to_write_and_counts_at_once():
    node = machine(options=Options.figure_2(pre_vote=True))
    node.tick(node.next_deadline)
    assert node.role_data.votes.answers == {"S1": True}


def test_a_single_voter_leads_only_when_its_vote_is_durable():
    node = machine(nodes=1)
    node.tick(node.next_deadline)
    assert node.role is Role.CANDIDATE
    node.poll()
    assert node.role is Role.CANDIDATE
    node.poll()
    assert node.role is Role.LEADER


# The own copy


def test_the_own_copy_counts_once_it_is_durable():
    node = machine(nodes=1)
    node.tick(node.next_deadline)
    node.poll()
    output = node.poll()
    assert [each.index for each in output.log_entries] == [1]
    assert (node.commit_index, output.committed) == (0, ())
    assert [each.index for each in node.poll().committed] == [1]
    assert node.commit_index == 1


def test_with_the_own_copy_unwritten_one_acknowledgement_of_three_is_not_enough():
    node = leader(quiet=False)
    node.poll()
    node.advance(accepted("S2", 1, 1), node.now)
    assert node.commit_index == 0
    assert [each.index for each in node.poll().committed] == [1]


def test_a_slow_disk_of_the_leader_does_not_hold_up_the_others():
    node = leader(nodes=5, quiet=False)
    node.poll()
    for peer in ("S2", "S3", "S4"):
        node.advance(accepted(peer, 1, 1), node.now)
    assert node.commit_index == 1
    assert node.role_data.tracker.match_indexes()["S1"] == 0


def test_entries_of_several_proposals_are_durable_together():
    node = leader()
    node.add_entry(Command(b"a"))
    node.poll()
    node.add_entry(Command(b"b"))
    assert node.role_data.tracker.match_indexes()["S1"] == 1
    node.poll()
    assert node.role_data.tracker.match_indexes()["S1"] == 2, "b has only now been handed out"
    node.poll()
    assert node.role_data.tracker.match_indexes()["S1"] == 3


def test_a_leader_that_is_no_voter_of_the_own_set_is_not_counted_in_the_other():
    joint = Configuration(("S1", "S2"), old_voters=("S2", "S3", "S4"))
    node = candidate(configuration=joint)
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 1))
    assert node.role is Role.LEADER
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 0, "one of three old voters holds it"
    tell(node, accepted("S4", 1, 1))
    assert node.commit_index == 1


# Entries


def test_entries_are_handed_out_with_the_acknowledgement_that_claims_them():
    node = machine(terms=(1,))
    node.advance(append("S2", 1, (1, 1), (1, 1)), 0.0)
    output = node.poll()
    assert output.log_entries == entries(1, 1, start=2)
    assert output.messages == (accepted("S1", 1, 3, to="S2"),)
    assert node.log.stable_index == 3


def test_entries_that_are_there_already_are_not_written_again():
    node = machine(terms=(1, 1))
    node.advance(append("S2", 1, (0, 0), (1, 1)), 0.0)
    output = node.poll()
    assert output.log_entries == ()
    assert not output.must_be_written


def test_only_the_new_part_is_written():
    node = machine(terms=(1, 1))
    node.advance(append("S2", 1, (0, 0), (1, 1, 1)), 0.0)
    assert node.poll().log_entries == entries(1, start=3)


def test_a_cut_of_written_entries_is_handed_out_with_what_replaces_them():
    node = machine(terms=(1, 1, 1, 1))
    node.advance(append("S2", 2, (1, 1), (2, 2)), 0.0)
    output = node.poll()
    assert output.truncate_from == 2
    assert output.log_entries == entries(2, 2, start=2)
    assert output.must_be_written


def test_entries_overwritten_after_they_were_handed_out_are_handed_out_anew():
    node = machine(term=1)
    node.advance(append("S2", 1, (0, 0), (1, 1, 1)), 0.0)
    assert [each.index for each in node.poll().log_entries] == [1, 2, 3]
    node.advance(append("S3", 2, (1, 1), (2, 2)), 0.0)
    output = node.poll()
    assert (output.truncate_from, output.log_entries) == (2, entries(2, 2, start=2))


def test_a_cut_of_what_was_never_handed_out_is_no_business_of_the_disk():
    node = machine(terms=(1,))
    node.advance(append("S2", 1, (1, 1), (1, 1)), 0.0)
    node.advance(append("S3", 2, (1, 1), (2,)), 0.0)
    output = node.poll()
    assert (output.truncate_from, output.log_entries) == (None, entries(2, start=2))


def test_of_several_cuts_the_lowest_is_handed_out():
    node = machine(terms=(1, 1, 1, 1, 1))
    node.advance(append("S2", 2, (3, 1), (2,)), 0.0)
    node.advance(append("S3", 3, (1, 1), (3,)), 0.0)
    node.advance(append("S2", 4, (2, 3), (4,)), 0.0)
    output = node.poll()
    assert output.truncate_from == 2
    assert output.log_entries == (*entries(3, start=2), *entries(4, start=3))


def test_a_higher_cut_after_a_lower_one_does_not_hide_it():
    node = machine(terms=(1, 1, 1, 1))
    node.advance(append("S2", 2, (1, 1), (2, 2, 2)), 0.0)
    node.advance(append("S3", 3, (3, 2), (3,)), 0.0)
    output = node.poll()
    assert output.truncate_from == 2
    assert [each.term for each in output.log_entries] == [2, 2, 3]


def test_what_is_written_follows_the_log_through_any_cut():
    """A disk that does as it is told ends with the log, whenever it is polled."""
    for polls in range(8):
        node, disk = machine(term=1), []
        steps = [
            append("S2", 1, (0, 0), (1, 1, 1, 1)),
            append("S3", 2, (2, 1), (2, 2)),
            append("S2", 3, (1, 1), (3, 3, 3)),
        ]
        for number, step in enumerate(steps):
            node.advance(step, 0.0)
            if polls & 1 << number:
                write(disk, node.poll())
        write(disk, node.poll())
        assert disk == list(node.log) == list(log(1, 3, 3, 3))


def write(disk, output):
    if output.truncate_from is not None:
        del disk[output.truncate_from - 1 :]
    disk += output.log_entries


def test_what_a_deposed_leader_never_wrote_is_never_asked_to_be_cut():
    node = leader(terms=(1,))
    node.add_entry(Command(b"x"))
    node.advance(append("S2", 3, (2, 2), (3,)), node.now)
    output = node.poll()
    assert output.truncate_from is None
    assert output.log_entries == entries(3, start=3)


def test_a_deposed_leader_that_had_written_is_asked_to_cut():
    node = leader(terms=(1,))
    node.add_entry(Command(b"x"))
    drain(node)
    node.advance(append("S2", 3, (2, 2), (3,)), node.now)
    output = node.poll()
    assert (output.truncate_from, output.log_entries) == (3, entries(3, start=3))


def test_committed_entries_come_with_or_after_their_writing():
    node = machine(term=1)
    node.advance(append("S2", 1, (0, 0), (1, 1), commit=2), 0.0)
    output = node.poll()
    assert output.committed == output.log_entries == entries(1, 1)


def test_an_idle_host_may_poll_as_often_as_it_likes():
    node = leader()
    tell(node, accepted("S2", 1, 1))
    for _ in range(3):
        assert node.poll() is NOTHING
