"""Section 5.3: log replication. One test for each of its sentences."""

import pytest

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Role
from tests.raft.test_repair import FIGURE_7, LEADER_OF_TERM_8, repaired
from tests.raft.world import (
    World,
    accepted,
    accepted_by_all,
    append,
    append_of,
    drain,
    entries,
    in_flight,
    leader,
    let_time_out,
    log,
    machine,
    names,
    propose,
    rejected,
    tell,
    terms_of,
)


def led(nodes: int = 3, **about) -> World:
    """A cluster that S1 leads, and everyone knows."""
    world = World(nodes, **about)
    world.elect("S1")
    world.heartbeat("S1")
    return world


def test_the_leader_appends_the_command_and_issues_append_entries_to_each_in_parallel():
    """Paper: 5.3. A command becomes an entry, and the entry goes to all at once."""
    node = accepted_by_all(leader(nodes=5))
    index = node.add_entry(Command(b"x=1"))
    assert node.log[index].payload == Command(b"x=1")
    said = drain(node).messages
    assert [each.receiver for each in said] == ["S2", "S3", "S4", "S5"]
    assert {each.entries for each in said} == {(node.log[index],)}


def test_the_leader_applies_an_entry_once_it_is_safely_replicated():
    """Paper: 5.3. Once a majority has it, and not before."""
    node = accepted_by_all(leader())
    assert [each.index for each in drain(node).committed] == []
    propose(node)
    node.advance(accepted("S3", 1, 2), node.now)
    assert drain(node).committed == [node.log[2]]


def test_the_leader_retries_until_all_followers_store_all_entries():
    """Paper: 5.3. Also when the entry is committed and the client answered."""
    with led() as world:
        world.propose("S1")
        world.settle("S1", "S2")
        assert world["S1"].commit_index == 2
        for _ in range(10):
            world.tick("S1")
            asked = [each for each in world.flying if each.receiver == "S3"]
            assert asked, "a follower that does not answer is asked again and again"
            world.settle("S1", "S2")
        world.heartbeat("S1")
        assert world["S3"].log == world["S1"].log


def test_each_entry_stores_a_command_the_term_and_its_index():
    """Paper: 5.3, Figure 6. What, when, and where."""
    node = leader(term=4)
    index = node.add_entry(Command(b"x=1"))
    held = node.log[index]
    assert (held.term, held.index, held.payload) == (5, 2, Command(b"x=1"))


@pytest.mark.parametrize(
    ("size", "acknowledged", "committed"),
    [
        (1, 0, True),
        (2, 0, False),
        (2, 1, True),
        (3, 0, False),
        (3, 1, True),
        (3, 2, True),
        (4, 1, False),
        (4, 2, True),
        (5, 1, False),
        (5, 2, True),
        (5, 4, True),
    ],
)
def test_an_entry_is_committed_once_its_leader_replicated_it_on_a_majority(
    size, acknowledged, committed
):
    """Paper: 5.3. Half of the servers are not enough."""
    with World(size) as world:
        world.timeout("S1", force=True)
        world.settle()
        world.heartbeat("S1")
        index = world.propose("S1")
        world.settle("S1", *names(size)[1 : 1 + acknowledged])
        assert (world["S1"].commit_index >= index) is committed


@pytest.mark.parametrize("terms", [(), (1,), (1, 2), (1, 1, 3), (2, 2, 2)])
def test_committing_an_entry_commits_all_that_precede_it(terms):
    """Paper: 5.3. Those of earlier leaders too."""
    node = leader(terms=terms, term=3)
    assert node.commit_index == 0
    node.advance(accepted("S2", 4, len(terms) + 1), node.now)
    assert node.commit_index == len(terms) + 1
    assert terms_of(drain(node).committed) == [*terms, 4]


def test_the_leader_includes_the_highest_committed_index_in_every_append():
    """Paper: 5.3. Heartbeats say it too."""
    node = accepted_by_all(leader())
    assert {each.leader_commit for each in let_time_out(node)} == {1}
    assert {each.leader_commit for each in propose(node)} == {1}


def test_a_follower_applies_an_entry_once_it_learns_that_it_is_committed_in_log_order():
    """Paper: 5.3. From the leader's word, one after the other."""
    node = machine(term=1)
    node.advance(append("S2", 1, (0, 0), (1, 1, 1), commit=0), 0.0)
    assert drain(node).committed == []
    node.advance(append("S2", 1, (3, 1), (1,), commit=3), 0.0)
    assert drain(node).committed == list(entries(1, 1, 1))


def test_a_leader_creates_at_most_one_entry_with_an_index_in_a_term():
    """Paper: 5.3, Log Matching. So index and term name one command for ever."""
    node, seen = leader(), {}
    for number in range(20):
        index = node.add_entry(Command(b"%d" % number))
        assert (node.term, index) not in seen
        seen[node.term, index] = node.log[index]
    assert all(node.log[index] == held for (_, index), held in seen.items())


@pytest.mark.parametrize("terms", [(1,), (1, 1, 4), LEADER_OF_TERM_8])
def test_append_entries_names_the_entry_that_immediately_precedes(terms):
    """Paper: 5.3. By index and term."""
    node = leader(terms=terms)
    (message, _) = let_time_out(node)
    assert (message.prev_log_index, message.prev_log_term) == (len(terms), terms[-1])


@pytest.mark.parametrize(
    ("prev", "accepts"),
    [
        ((0, 0), True),
        ((1, 1), True),
        ((2, 2), True),
        ((2, 1), False),
        ((1, 2), False),
        ((3, 3), False),
    ],
)
def test_a_follower_refuses_entries_if_it_does_not_hold_the_preceding_one(prev, accepts):
    """Paper: 5.3; Figure 2, AppendEntries, receiver rule 2. The consistency check."""
    node = machine(terms=(1, 2), term=3)
    (said,) = tell(node, append("S2", 3, prev, (3,)))
    assert isinstance(said.result, Rejected) is not accepts
    assert (node.log.last_term == 3) is accepts


def test_when_append_entries_succeeds_the_logs_are_identical_up_to_the_new_entries():
    """Paper: 5.3, Log Matching. Acceptance is proof of that, by induction."""
    held = log(*LEADER_OF_TERM_8)
    for follower in FIGURE_7.values():
        for prev in range(len(LEADER_OF_TERM_8)):
            node = machine(terms=follower, term=8)
            prev_term = held.term_for_index(prev)
            message = append_of("S2", 8, (prev, prev_term), *held.entries(prev + 1, prev + 3))
            (said,) = tell(node, message)
            if not isinstance(said.result, Rejected):
                upto = said.result.last_new_index
                assert node.log.entries(1, upto + 1) == held.entries(1, upto + 1)


@pytest.mark.parametrize(
    ("follower", "prev", "sent", "after"),
    [
        ((1, 2), (2, 2), (3,), (1, 2, 3)),
        ((1, 2), (1, 1), (3, 4), (1, 3, 4)),
        ((1, 2), (0, 0), (1,), (1, 2)),
        ((1, 2), (0, 0), (3,), (3,)),
        ((), (0, 0), (1, 1), (1, 1)),
        ((1, 1, 1), (1, 1), (1,), (1, 1, 1)),
    ],
)
def test_conflicting_entries_are_overwritten_with_the_leader_s(follower, prev, sent, after):
    """Paper: 5.3; Figure 2, AppendEntries, receiver rules 3 and 4. The leader's log prevails."""
    node = machine(terms=follower, term=4)
    tell(node, append("S2", 4, prev, sent))
    assert terms_of(node) == list(after)


@pytest.mark.parametrize("follower", sorted(FIGURE_7))
def test_the_leader_forces_each_log_of_figure_7_to_duplicate_its_own(follower):
    """Paper: 5.3, Figure 7. Missing entries, extra ones, or both."""
    repaired(LEADER_OF_TERM_8, FIGURE_7[follower])


def test_a_new_leader_starts_with_next_index_just_after_its_last_entry():
    """Paper: 5.3; Figure 2, volatile state on leaders. It guesses that all are like itself."""
    node = leader(terms=(1, 1, 4), quiet=False)
    followers = [node.role_data.tracker.progress[peer] for peer in ("S2", "S3")]
    assert {each.next_index for each in followers} == {4}
    assert {each.match_index for each in followers} == {0}


def test_after_a_rejection_the_leader_decrements_next_index_and_retries():
    """Paper: 5.3. One refusal, one step back, one more try."""
    node = leader(terms=(1, 1, 4))
    (again,) = tell(node, rejected("S2", 5, at=3, last=2, hint=(2, 1)))
    assert node.role_data.tracker.progress["S2"].next_index == 3
    assert (again.prev_log_index, again.prev_log_term) == (2, 1)


def test_in_the_end_next_index_reaches_a_point_where_the_logs_match():
    """Paper: 5.3. From there on what conflicts is replaced."""
    with World(3, logs=((1, 3, 3), (1, 2, 2, 2), (1, 3, 3)), term=3) as world:
        world.elect("S1", "S1", "S3")
        world.heartbeat("S1")
        known = world["S1"].role_data.tracker.progress["S2"]
        assert (known.match_index, known.next_index) == (4, 5)
        assert known.state is ProgressState.PIPELINE
        assert terms_of(world["S2"]) == [1, 3, 3, 4]


def test_the_follower_says_where_the_conflict_may_begin():
    """Paper: 5.3, last part. A refusal carries a hint, so that few tries suffice."""
    node = machine(terms=(1, *(2,) * 20), term=4)
    (said,) = tell(node, append("S2", 4, (21, 4), (4,)))
    assert said.result == Rejected(non_matching_index=21, last_index=21, hint_index=21, hint_term=2)
    (said,) = tell(node, append("S2", 4, (21, 1), (4,)))
    assert said.result == Rejected(non_matching_index=21, last_index=21, hint_index=1, hint_term=1)


def test_one_rejection_bypasses_all_entries_of_a_conflicting_term():
    """Paper: 5.3, last part. One try for each term that conflicts, not for each entry."""
    assert repaired((1, *(3,) * 20), (1, *(2,) * 20)) == 1


def test_a_leader_never_overwrites_or_deletes_entries_in_its_own_log():
    """Paper: 5.3; Figure 3, Leader Append-Only. Whoever asks for it."""
    node = leader(terms=(1, 1))
    held = list(node.log)
    for message in [
        append("S2", 2, (0, 0), (2, 2, 2)),
        append("S2", 1, (0, 0), (1,)),
        rejected("S2", 2, at=2, last=0),
        accepted("S3", 2, 3),
    ]:
        tell(node, message)
        assert list(node.log)[:3] == held
    assert node.role is Role.LEADER


def test_an_entry_reaches_a_majority_in_a_single_round():
    """Paper: 5.3. Normally there and back once is enough."""
    with led(5) as world:
        index = world.propose("S1")
        for peer in ("S2", "S3"):
            world.deliver(AppendEntries, "S1", peer)
            world.deliver(AppendEntriesReply, peer, "S1")
        assert world["S1"].commit_index == index
        world.settle()


def test_a_single_slow_follower_does_not_hold_up_the_others():
    """Paper: 5.3. Commitment needs a majority, and not everybody."""
    with led(3) as world:
        for number in range(30):
            index = world.propose("S1")
            world.settle("S1", "S2")
            assert world["S1"].commit_index == index == number + 2
        assert in_flight(world["S1"], "S3") == world["S1"]._options.max_in_flight


def test_raft_goes_on_as_long_as_a_majority_is_up_and_stops_without_one():
    """Paper: 5.3. Three of five are enough, two are not."""
    with led(5) as world:
        world.crash("S4")
        world.crash("S5")
        first = world.propose("S1")
        world.settle("S1", "S2", "S3")
        assert world["S1"].commit_index == first
        world.crash("S3")
        second = world.propose("S1")
        world.settle("S1", "S2")
        assert world["S1"].commit_index == first
        world.restart("S5")
        world.heartbeat("S1", "S1", "S2", "S5")
        assert world["S1"].commit_index == second


def test_state_machines_apply_the_same_entries_in_the_same_order():
    """Paper: 5.3; Figure 3, State Machine Safety. In the order of the log, everywhere."""
    with led(3) as world:
        for text in ("x=1", "x=2", "x=3"):
            world.propose("S1", text)
        world.settle()
        world.heartbeat("S1")
        assert world.applied["S1"] == world.applied["S2"] == world.applied["S3"]
        assert [each.payload for each in world.applied["S2"][1:]] == [
            Command(b"x=1"),
            Command(b"x=2"),
            Command(b"x=3"),
        ]
