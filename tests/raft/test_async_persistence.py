"""Writes that are reported when they are done, many under way at once. Thesis 10.2.1."""

import pytest

from raftlab.raft.log import Command, RaftLog
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING, Output
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Misuse
from tests.raft.world import (
    World,
    accepted,
    accepted_by_all,
    after,
    append,
    drain,
    install,
    known,
    leader,
    let_time_out,
    machine,
    rejected,
    snapshot,
    tell,
    terms_of,
    timeout_now,
    vote,
    vote_request,
)

ASYNC = Options.figure_2(async_persistence=True)


def own_copy(node) -> int:
    """How far a leader counts its own log."""
    return node.role_data.tracker.match_indexes()[node.node_id]


def asked(node) -> Output:
    """A node whose timer has run out: what it must write before it may ask for votes."""
    node.tick(node.next_deadline)
    return node.poll()


def writing(node, text: bytes = b"x") -> Output:
    """Hand a leader a command; what it has to write, and has not written yet."""
    node.add_entry(Command(text))
    return node.poll()


def leading(**about):
    """S1 leads, and all it has is written and accepted by all."""
    return accepted_by_all(leader(options=ASYNC, **about))


# What need not wait


def test_a_leader_sends_entries_while_it_writes_them():
    node = leading()
    output = writing(node)
    assert [type(each) for each in output.messages_at_once] == [AppendEntries, AppendEntries]
    assert {each.entries for each in output.messages_at_once} == {output.log_entries}
    assert output.messages == ()


@pytest.mark.parametrize("kind", ["heartbeat", "snapshot", "timeout now"])
def test_what_a_leader_says_to_followers_need_not_wait(kind):
    node = leader(held=after(snapshot(9, 1)), term=1, options=ASYNC)
    if kind == "heartbeat":
        node.tick(node.next_deadline)
    elif kind == "snapshot":
        node.advance(rejected("S2", 2, at=9, last=0), node.now)
    else:
        node.advance(accepted("S2", 2, 10), node.now)
        node.transfer_leadership("S2")
    output = node.poll()
    assert output.messages_at_once and output.messages == ()


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (append("S2", 3, (0, 0), (3,)), AppendEntriesReply),
        (vote_request("S2", 3), RequestVoteReply),
        (timeout_now("S2", 1), RequestVote),
        (install("S2", 3, snapshot(4, 2)), None),
    ],
    ids=["acknowledgement", "vote", "campaign", "snapshot taken"],
)
def test_what_claims_something_to_be_on_the_disk_waits_for_it(message, answer):
    node = machine(term=1, options=ASYNC)
    node.advance(message, 0.0)
    output = node.poll()
    assert output.must_be_written
    assert output.messages_at_once == ()
    assert output.messages and (answer is None or type(output.messages[0]) is answer)


def test_a_deposed_leader_sends_what_it_said_before_and_not_what_it_says_now():
    node = leading()
    node.add_entry(Command(b"x"))
    node._replicate()
    node.advance(vote_request("S2", 5, (9, 4)), node.now)
    output = node.poll()
    assert {type(each) for each in output.messages_at_once} == {AppendEntries}
    assert {each.term for each in output.messages_at_once} == {1}
    assert output.messages == (vote("S1", 5, to="S2"),)


# The own copy


def test_a_leader_counts_its_own_copy_when_it_is_written_and_not_before():
    node = leading()
    output = writing(node)
    assert node.poll() is NOTHING, "a poll says nothing of the disk"
    assert own_copy(node) == 1
    node.persisted(output)
    assert own_copy(node) == 2


def test_with_the_own_copy_unwritten_one_acknowledgement_of_three_is_not_enough():
    node = leading()
    output = writing(node)
    tell_only(node, accepted("S2", 1, 2))
    assert node.commit_index == 1
    node.persisted(output)
    assert node.commit_index == 2


def tell_only(node, message) -> Output:
    """Give a message to a machine whose writes are still under way."""
    node.advance(message, node.now)
    return node.poll()


def test_a_slow_disk_of_the_leader_does_not_hold_up_the_others():
    node = leading()
    writing(node)
    tell_only(node, accepted("S2", 1, 2))
    tell_only(node, accepted("S3", 1, 2))
    assert (node.commit_index, own_copy(node)) == (2, 1)


def test_many_writes_may_be_under_way_and_are_counted_one_by_one():
    node = leading()
    outputs = [writing(node) for _ in range(3)]
    assert [[each.index for each in output.log_entries] for output in outputs] == [[2], [3], [4]]
    tell_only(node, accepted("S2", 1, 4))
    for output, reached in zip(outputs, (2, 3, 4), strict=True):
        node.persisted(output)
        assert (own_copy(node), node.commit_index) == (reached, reached)


def test_a_later_write_covers_the_earlier_ones_and_a_late_report_takes_nothing_back():
    node = leading()
    first, second = writing(node), writing(node)
    node.persisted(second)
    assert own_copy(node) == 3
    node.persisted(first)
    assert own_copy(node) == 3


def test_a_report_that_comes_twice_counts_once():
    node = leading()
    output = writing(node)
    node.persisted(output)
    before = node.fingerprint()
    node.persisted(output)
    assert node.fingerprint() == before


def test_an_output_without_anything_to_write_says_nothing():
    node = leading()
    writing(node)
    node.persisted(NOTHING)
    node.tick(node.next_deadline)
    node.persisted(node.poll())
    assert own_copy(node) == 1


def test_what_a_new_leader_has_written_in_earlier_terms_counts_for_nothing_by_itself():
    node = leader(terms=(1, 1), options=ASYNC)
    tell_only(node, accepted("S2", 2, 2))
    assert node.commit_index == 0


# Confirmations that come late


def overwritten() -> tuple:
    """A leader of term 1 that writes entries 2 to 4, of which a leader of term 2 cuts all."""
    node = leading()
    for text in (b"x", b"y", b"z"):
        node.add_entry(Command(text))
    output = node.poll()
    assert [each.index for each in output.log_entries] == [2, 3, 4]
    replaced = tell_only(node, append("S2", 2, (1, 1), (2,)))
    assert replaced.truncate_from == 2
    return node, output, replaced


def test_the_confirmation_of_an_old_write_never_confirms_what_stands_there_now():
    """ABA: entry 4 of term 1 is confirmed when the leader's own entry of term 3 stands at 4."""
    node, old, replaced = overwritten()
    node.campaign(node.now, force=True)
    for peer in ("S2", "S3"):
        node.advance(vote(peer, 3), node.now)
    newest = writing(node)
    assert terms_of(node) == [1, 2, 3, 3]
    node.persisted(old)
    tell_only(node, accepted("S2", 3, 4))
    assert node.commit_index == 1, "S2 alone is no majority"
    node.persisted(replaced)
    assert node.commit_index == 1
    node.persisted(newest)
    assert node.commit_index == 4


def test_a_confirmation_that_finds_a_follower_says_nothing():
    node, old, replaced = overwritten()
    before = node.fingerprint()
    node.persisted(old)
    node.persisted(replaced)
    assert node.fingerprint() == before
    assert node.role is Role.FOLLOWER


def test_a_confirmation_of_what_was_compacted_meanwhile_says_nothing_new():
    node = leading()
    first = writing(node)
    second = writing(node)
    for peer in ("S2", "S3"):
        tell_only(node, accepted(peer, 1, 3))
    node.compact(3)
    node.persisted(first)
    node.persisted(second)
    last = writing(node)
    node.persisted(last)
    assert own_copy(node) == 4


# The own vote


def test_the_own_vote_counts_when_it_is_written_and_not_before():
    node = machine(options=ASYNC)
    output = asked(node)
    assert (output.term, output.voted_for) == (1, "S1")
    assert node.poll() is NOTHING
    tell_only(node, vote("S2", 1))
    assert node.role is Role.CANDIDATE
    node.persisted(output)
    assert node.role is Role.LEADER


def test_without_the_own_vote_a_majority_of_others_is_enough():
    node = machine(options=ASYNC)
    asked(node)
    for peer in ("S2", "S3"):
        tell_only(node, vote(peer, 1))
    assert node.role is Role.LEADER


def test_the_own_vote_of_an_earlier_campaign_does_not_count_in_the_next():
    node = machine(options=ASYNC)
    first, second = asked(node), asked(node)
    tell_only(node, vote("S2", 2))
    node.persisted(first)
    assert node.role is Role.CANDIDATE
    node.persisted(second)
    assert node.role is Role.LEADER


def test_a_vote_for_another_is_never_the_own_vote():
    node = machine(options=ASYNC)
    given = tell_only(node, vote_request("S2", 1))
    assert given.voted_for == "S2"
    asked(node)
    node.persisted(given)
    assert node.role_data.votes.answers == {}


def test_the_own_vote_of_a_campaign_counts_in_no_pre_vote_after_it():
    node = machine(options=Options(async_persistence=True))
    node.campaign(node.now, force=True)
    real = node.poll()
    asked(node)
    assert node.role_data.is_prevote
    node.role_data.votes.trackers[0].answers.clear()
    node.persisted(real)
    assert node.role_data.votes.answers == {}


def test_the_own_pre_vote_is_nothing_to_write_and_counts_at_once():
    node = machine(options=Options(async_persistence=True))
    output = asked(node)
    assert not output.must_be_written
    assert node.role_data.votes.answers == {"S1": True}


# A single voter


def test_a_single_voter_leads_when_its_vote_and_commits_when_its_entry_is_written():
    node = machine(nodes=1, options=ASYNC)
    standing = asked(node)
    assert (node.role, standing.voted_for) == (Role.CANDIDATE, "S1")
    assert node.poll() is NOTHING
    node.persisted(standing)
    assert node.role is Role.LEADER
    output = node.poll()
    assert (node.commit_index, output.committed) == (0, ())
    assert node.poll() is NOTHING
    node.persisted(output)
    assert node.poll().committed == output.log_entries


# Which mode it is


def test_where_a_poll_says_what_is_durable_nobody_else_may():
    node = leader()
    before = node.fingerprint()
    with pytest.raises(Misuse, match="async_persistence is off"):
        node.persisted(node.copy().poll())
    assert node.fingerprint() == before


def test_where_a_poll_says_what_is_durable_nothing_leaves_at_once():
    node = accepted_by_all(leader())
    node.add_entry(Command(b"x"))
    output = node.poll()
    assert output.messages_at_once == () and len(output.messages) == 2


# All together


def test_entries_are_committed_while_the_leader_still_writes():
    with World(3, options=ASYNC) as world:
        world.elect("S1")
        world.slow = {"S1"}
        index = world.propose("S1")
        world.settle()
        assert world["S1"].commit_index == index
        assert len(world.writes["S1"]) >= 1
        assert index not in world.disks["S1"].entries
        while world.writes["S1"]:
            world.persist("S1")
        assert index in world.disks["S1"].entries


def test_followers_that_still_write_acknowledge_nothing():
    with World(3, options=ASYNC) as world:
        world.elect("S1")
        world.slow = {"S2", "S3"}
        index = world.propose("S1")
        world.settle()
        assert world["S1"].commit_index == index - 1
        world.persist("S2")
        world.settle()
        assert world["S1"].commit_index == index


def test_a_vote_that_is_still_being_written_is_not_given():
    with World(3, options=ASYNC) as world:
        world.slow = {"S2"}
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2")
        world.lose(RequestVote, "S1", "S3")
        assert not world.flying
        world.crash("S2")
        world.restart("S2")
        assert world["S2"].voted_for is None
        assert world["S1"].role is Role.CANDIDATE


def test_a_leader_that_crashes_while_it_writes_has_lost_only_what_nobody_counted():
    with World(3, options=ASYNC) as world:
        world.elect("S1")
        world.slow = {"S1"}
        index = world.propose("S1")
        world.settle("S1", "S2")
        assert world["S1"].commit_index == index - 1 == 1, "S2 alone is no majority"
        world.crash("S1")
        world.restart("S1")
        assert world["S1"].log.last_index == index - 1


def test_a_restart_finds_what_was_written_and_no_more():
    with World(3, options=ASYNC) as world:
        world.elect("S1")
        world.slow = {"S1"}
        for text in ("a", "b"):
            world.propose("S1", text)
        world.persist("S1")
        world.lose_all()
        world.crash("S1")
        world.restart("S1")
        assert RaftLog(world.disks["S1"].log) == world["S1"].log
        assert world["S1"].log.last_index == 2


def test_answers_are_the_same_in_both_modes():
    """Only when messages leave differs, not what they say."""
    talk = [
        vote_request("S2", 2),
        append("S2", 2, (0, 0), (2, 2), commit=1),
        append("S3", 3, (1, 2), (3,)),
        install("S3", 3, snapshot(5, 3)),
        vote_request("S2", 4, (9, 3)),
    ]
    said = []
    for options in (ASYNC, Options.figure_2()):
        node = machine(options=options)
        said.append([each for message in talk for each in tell(node, message)])
    assert said[0] == said[1]
    assert drain(node).messages == []


def test_a_follower_is_known_to_its_leader_as_in_the_other_mode():
    node = leading()
    writing(node)
    assert known(node, "S2").next_index == 3
    assert let_time_out(node)
