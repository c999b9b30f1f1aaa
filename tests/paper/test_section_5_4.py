"""Section 5.4: safety. The election restriction, and committing entries of earlier terms."""

import pytest

from raftlab.raft.log import Command
from raftlab.raft.messages import RequestVote
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.violation import Violation
from tests.raft.world import (
    FIGURE_2,
    World,
    accepted,
    drain,
    entry,
    leader,
    let_time_out,
    machine,
    tell,
    terms_of,
    vote,
    vote_request,
)

# 5.4.1 Election restriction


def test_a_request_for_a_vote_includes_where_the_candidate_s_log_ends():
    """Paper: 5.4.1. Index and term of its last entry."""
    for terms in [(), (1,), (1, 2), (1, 2, 2)]:
        for asked in let_time_out(machine(terms=terms, term=4)):
            assert isinstance(asked, RequestVote)
            assert (asked.last_log_index, asked.last_log_term) == (
                len(terms),
                max(terms, default=0),
            )


@pytest.mark.parametrize(
    ("own", "last", "granted"),
    [
        # the last terms are the same: the longer log
        ((1,), (1, 1), True),
        ((1,), (2, 1), True),
        ((1, 1), (1, 1), False),
        # the candidate's last term is later
        ((1,), (1, 2), True),
        ((1,), (2, 2), True),
        ((1, 1), (1, 2), True),
        # the candidate's last term is earlier
        ((2,), (1, 1), False),
        ((2,), (2, 1), False),
        ((2, 2), (1, 1), False),
        # someone has nothing
        ((), (0, 0), True),
        ((1,), (0, 0), False),
    ],
)
def test_the_voter_denies_its_vote_if_its_own_log_is_more_up_to_date(own, last, granted):
    """Paper: 5.4.1. The later last term wins; if they are equal, the longer log."""
    node = machine(terms=own, term=3)
    assert tell(node, vote_request("S2", 3, last)) == [vote("S1", 3, granted, to="S2")]


def test_a_candidate_must_contact_a_majority_to_be_elected():
    """Paper: 5.4.1. So it meets somebody who holds what is committed."""
    with World(5) as world:
        world.timeout("S1")
        world.settle("S1", "S2")
        assert world["S1"].role is Role.CANDIDATE
        world.tick("S1")
        world.settle("S1", "S2", "S3")
        assert world["S1"].role is Role.LEADER


@pytest.mark.parametrize("late", ["S4", "S5"])
def test_nobody_without_all_committed_entries_is_elected(late):
    """Paper: 5.4.1. Voters that hold them stand in the way."""
    with World(5) as world:
        world.elect("S1")
        world.heartbeat("S1")
        world.propose("S1")
        world.settle("S1", "S2", "S3")
        assert world["S1"].commit_index == 2
        for _ in range(3):
            world.timeout(late)
            world.settle("S2", "S3", "S4", "S5")
            assert world[late].role is not Role.LEADER
        world.elect("S2", "S2", "S3", "S4", "S5")
        assert world["S2"].log[2].term == 1


# 5.4.2 Committing entries from previous terms


@pytest.mark.parametrize(("matched", "committed"), [(1, 0), (2, 0), (3, 3)])
def test_only_entries_of_the_leader_s_current_term_are_committed_by_counting(matched, committed):
    """Paper: 5.4.2; Figure 2, leaders, last rule. Copies of older entries prove nothing."""
    node = leader(terms=(1, 2), term=2)
    tell(node, accepted("S2", 3, matched))
    assert node.commit_index == committed


def test_an_entry_of_the_current_term_commits_all_before_it_indirectly():
    """Paper: 5.4.2. Log Matching: they come with it."""
    node = leader(terms=(1, 1, 2, 3), term=3)
    node.advance(accepted("S3", 4, 5), node.now)
    assert terms_of(drain(node).committed) == [1, 1, 2, 3, 4]


def test_entries_keep_their_term_when_a_later_leader_replicates_them():
    """Paper: 5.4.2. Who created an entry stays visible."""
    with World(3, logs=((1, 2), (), ()), term=2) as world:
        world.elect("S1")
        world.heartbeat("S1")
        assert terms_of(world["S2"]) == terms_of(world["S3"]) == [1, 2, 3]


# Figure 8


class NoEmptyEntry(Rules):
    """Figure 8 is drawn for leaders that append nothing when their term starts."""

    def appends_at_term_start(self):
        return False


class CountsOldTerms(NoEmptyEntry):
    """Takes an entry for committed once a majority holds it, whatever its term."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return max(matched, commit_index)


def figure_8(rules: Rules) -> World:
    """Figure 8 up to (c): entry 2 of term 2 is on three of five servers, and S1 leads term 4."""
    world = World(5, logs=((1,),) * 5, term=1, rules=rules)
    # (a) S1 leads term 2 and partially replicates entry 2
    world.elect("S1")
    world.propose("S1", "of term 2")
    world.settle("S1", "S2")
    assert [terms_of(world[node]) for node in world.machines] == [[1, 2], [1, 2], [1], [1], [1]]
    # (b) S1 crashes; S5 leads term 3 with votes of S3, S4 and itself, and takes another entry
    world.crash("S1")
    world.elect("S5", "S3", "S4", "S5")
    world.propose("S5", "of term 3")
    world.settle("S5")
    assert terms_of(world["S5"]) == [1, 3]
    # (c) S5 crashes; S1 restarts, leads term 4 and continues replication
    world.crash("S5")
    world.restart("S1")
    world.timeout("S1")
    assert world["S1"].term == 3, "the others have seen term 3"
    world.settle("S1", "S2", "S3")
    world.timeout("S1")
    world.settle("S1", "S2", "S3")
    assert (world["S1"].role, world["S1"].term) == (Role.LEADER, 4)
    assert [terms_of(world[node]) for node in ("S1", "S2", "S3", "S4")] == [[1, 2]] * 3 + [[1]]
    return world


def overwritten(world: World) -> None:
    """(d) S1 crashes; S5 leads term 5 with votes of S2, S3 and S4, and overwrites entry 2."""
    world.crash("S1")
    world.restart("S5")
    for _ in range(2):
        world.timeout("S5")
        world.settle("S2", "S3", "S4", "S5")
    assert world["S5"].role is Role.LEADER
    world.propose("S5", "of term 5")
    world.settle("S2", "S3", "S4", "S5")
    world.heartbeat("S5", "S2", "S3", "S4", "S5")


def test_figure_8_c_an_old_entry_on_a_majority_is_not_committed():
    """Paper: 5.4.2, Figure 8 (c). Three of five hold entry 2, and it is not committed."""
    world = figure_8(NoEmptyEntry())
    known = world["S1"].tracker.match_indexes()
    assert sorted(node for node, match in known.items() if match >= 2) == ["S1", "S2", "S3"]
    assert world["S1"].commit_index == 0


def test_figure_8_d_it_is_overwritten_and_nobody_had_applied_it():
    """Paper: 5.4.2, Figure 8 (d). S5 is elected, and its own entry takes that place."""
    world = figure_8(NoEmptyEntry())
    overwritten(world)
    assert [terms_of(world[node]) for node in ("S2", "S3", "S4", "S5")] == [[1, 3, 5]] * 4
    assert world.applied["S1"] == []
    assert [each.term for each in world.applied["S5"]] == [1, 3, 5]


def test_figure_8_e_with_an_entry_of_its_own_on_a_majority_both_are_committed():
    """Paper: 5.4.2, Figure 8 (e). Then S5 cannot be elected any more."""
    world = figure_8(NoEmptyEntry())
    world.propose("S1", "of term 4")
    world.settle("S1", "S2", "S3")
    assert world["S1"].commit_index == 3
    assert [each.term for each in world.applied["S1"]] == [1, 2, 4]
    world.crash("S1")
    world.restart("S5")
    for _ in range(3):
        world.timeout("S5")
        world.settle("S2", "S3", "S4", "S5")
        assert world["S5"].role is not Role.LEADER
    world.elect("S2", "S2", "S3", "S4", "S5")
    assert terms_of(world["S5"]) == [1, 2, 4]


def test_figure_8_with_counting_two_servers_apply_different_commands():
    """Paper: 5.4.2, Figure 8. With counting, (d) breaks State Machine Safety."""
    world = figure_8(CountsOldTerms())
    assert world["S1"].commit_index == 2
    overwritten(world)
    assert world.applied["S1"][1] == world.disks["S1"].log[1]
    assert world.applied["S1"][1].payload == Command(b"of term 2")
    assert world.applied["S5"][1].payload == Command(b"of term 3")


def figure_8_in_the_simulator(rules: type[Rules]) -> Cluster:
    """From the end of (b): S1 leads and copies its old entry to S3, crashes, and S5 leads."""
    past = {"S1": (1, 2), "S2": (1, 2), "S3": (1,), "S4": (1,), "S5": (1, 3)}
    cluster = Cluster(5, seed=1, options=FIGURE_2, rules=rules, logs=past)
    cluster.partition("S1 S2 S3", "S4 S5")
    cluster.elect("S1")
    cluster.run(100)
    assert terms_of(cluster.machine("S3").log) == [1, 2]
    cluster.crash("S1")
    cluster.heal()
    cluster.elect("S5")
    cluster.propose("x=5")
    cluster.run(200)
    return cluster


def test_figure_8_as_a_run_of_the_simulator():
    """Paper: 5.4.2, Figure 8. What (d) overwrites nobody has committed; with counting, S1 has."""
    cluster = figure_8_in_the_simulator(NoEmptyEntry)
    assert [terms_of(cluster.machine(node).log) for node in ("S2", "S3", "S4")] == [[1, 3, 5]] * 3
    with pytest.raises(Violation) as stopped:
        figure_8_in_the_simulator(CountsOldTerms)
    assert stopped.value.frame.name == "Leader Completeness"


def test_the_empty_entry_of_a_term_makes_figure_8_e_the_usual_case():
    """Paper: 5.4.2, with 8. A new leader has an entry of its own, and commits what it inherited."""
    with World(5, logs=((1, 2), (1, 2), (1,), (1,), (1,)), term=3) as world:
        world.elect("S1", "S1", "S2", "S3")
        world.heartbeat("S1", "S1", "S2", "S3")
        assert world["S1"].commit_index == 3
        assert [terms_of(world[node]) for node in ("S1", "S2", "S3")] == [[1, 2, 4]] * 3


# 5.4.3 Safety argument


def test_the_voter_that_holds_a_committed_entry_stands_between_old_and_new_leader():
    """Paper: 5.4.3, Figure 9. One server accepted the entry, and is asked for its vote."""
    committed = entry(2, 2)
    for holders in (("S1", "S2", "S3"), ("S1", "S4", "S5"), ("S1", "S2", "S5")):
        for stranger in {"S2", "S3", "S4", "S5"} - {*holders}:
            logs = [(1, 2) if f"S{n}" in holders else (1,) for n in range(1, 6)]
            with World(5, logs=logs, term=2) as world:
                world.timeout(stranger)
                world.settle(*({*world.machines} - {"S1"}))
                assert world[stranger].role is not Role.LEADER
                assert committed in list(world[holders[1]].log)


def test_followers_that_applied_an_entry_never_apply_another_there():
    """Paper: 5.4.3; Figure 3, State Machine Safety. One index, one command, on every server."""
    world = figure_8(NoEmptyEntry())
    overwritten(world)
    world.lose_all()
    world.restart("S1")
    world.heartbeat("S5")
    world.heartbeat("S5")
    applied = [world.applied[node] for node in world.machines]
    assert applied == [list(world["S5"].log)] * 5
