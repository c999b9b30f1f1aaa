"""The exhaustive search: what it finds, what it may leave out, and how it is stopped."""

import gc
import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import raftlab
from raftlab import Cluster, Misuse, NotNow, Options, Recording, Role, Rules, Violation, scenarios
from raftlab.check.explore import Exploration, Scope, explore
from raftlab.museum import exhibit
from raftlab.sim.world.actions import Compact, ForgetLeader, Read, Reconfigure, TransferLeadership
from raftlab.sim.world.settings import Disks
from tests.check.reference import projection, reachable, with_ages
from tests.sim.toy_machine import ToyMachine

PLAIN = Options.figure_2()
AT_ONCE = Disks(write_ms=0.0)
SMALL = Scope(terms=2, entries=2, in_flight=3)


def plain(nodes: int = 3, **given) -> Cluster:
    return Cluster(nodes, **{"options": PLAIN, "disks": AT_ONCE, **given})


def seen_by_search(start: Cluster, scope: Scope) -> set:
    """Every projection of every state that the search meets."""
    seen = set()

    def look(view) -> bool:
        seen.add(
            tuple(
                (m.role, m.term, m.voted_for, tuple(each.term for each in m.log), m.commit_index)
                for m in view.values()
            )
        )
        return False

    assert explore(start, scope, goal=look).is_complete
    return seen


# The right algorithm


READ, COMPACT = Read(0, "", "x"), Compact(0, "", 1)
SCOPES = {
    "two terms": Scope(terms=2, entries=2, in_flight=3),
    "three terms": Scope(terms=3, entries=1, in_flight=3, depth=20),
    "any number of messages": Scope(terms=1, entries=1, in_flight=None),
    "restarts": Scope(terms=2, entries=1, in_flight=3, restarts=1),
    "heartbeats": Scope(terms=1, entries=2, in_flight=3, heartbeats=2),
    "duplicates": Scope(terms=2, entries=1, in_flight=3, duplicates=1),
    "a read": Scope(terms=1, entries=1, in_flight=3, actions=(READ,)),
    "a snapshot": Scope(terms=1, entries=2, in_flight=3, actions=(COMPACT,)),
    "forgetting": Scope(terms=2, entries=1, in_flight=3, actions=(ForgetLeader(0, ""),)),
    "handing over": Scope(terms=2, entries=1, in_flight=3, actions=(TransferLeadership(0, "S1"),)),
    "members": Scope(
        terms=2, entries=3, in_flight=3, actions=(Reconfigure(0, "S1", ("S1", "S2")),), depth=12
    ),
}


@pytest.mark.parametrize("symmetry", [None, False])
@pytest.mark.parametrize("name", SCOPES)
def test_nothing_is_wrong_with_the_right_algorithm(name, symmetry):
    found = explore(3, SCOPES[name], symmetry=symmetry)
    assert (found.violation, found.is_complete) == (None, True)
    assert found.recording is None and found.events is None
    assert found.states > 100 or name == "forgetting"


@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options.figure_2(pre_vote=True),
        Options.figure_2(check_quorum=True),
        Options.figure_2(leader_stickiness=True),
        Options.figure_2(async_persistence=True),
    ],
    ids=["all", "pre-vote", "check quorum", "stickiness", "asynchronous"],
)
def test_nothing_is_wrong_with_the_protections_of_the_thesis(options):
    scope = Scope(terms=1, entries=1, in_flight=3, heartbeats=1, restarts=1)
    found = explore(plain(options=options), scope)
    assert (found.violation, found.is_complete) == (None, True)
    assert found.states > 300


def test_a_search_begins_with_logs_that_are_given():
    logs = {"S1": (1, 1), "S2": (1,), "S3": (1, 2)}
    scope = Scope(terms=3, entries=3, in_flight=3)
    found = explore(plain(logs=logs), scope)
    assert found.is_complete and found.violation is None


def test_a_learners_machine_without_copy_or_fingerprint_is_searched():
    found = explore(plain(machine=ToyMachine), Scope(terms=2, entries=2, in_flight=3))
    assert found.is_complete and found.violation is None
    assert found.states > 100


# The same as a naive search


@pytest.mark.parametrize(
    ("nodes", "scope"),
    [
        (2, Scope(terms=2, entries=1, in_flight=None)),
        (2, Scope(terms=1, entries=2, in_flight=None, restarts=1)),
        (3, Scope(terms=2, entries=2, in_flight=None, depth=4)),
    ],
)
def test_it_reaches_what_a_naive_search_over_clusters_reaches(nodes, scope):
    naive = reachable(plain(nodes), scope)
    assert naive.length is None and len(naive.projections) > 10
    assert seen_by_search(plain(nodes), scope) == naive.projections


def test_where_time_matters_it_reaches_what_a_naive_search_reaches():
    start = plain(2, options=Options())
    scope = Scope(terms=2, entries=2, in_flight=None, depth=6)
    naive = reachable(start, scope, key=with_ages, steps_down=True)
    assert len(naive.projections) > 10
    assert seen_by_search(start, scope) == naive.projections


def test_states_up_to_names_are_as_many_as_orbits_of_all_states():
    scope = Scope(terms=2, entries=2, in_flight=3)
    assert explore(3, scope, symmetry=False).states == 10_387
    assert explore(3, scope, symmetry=True).states == 1_737


# Wrong rules


def test_the_run_that_is_found_is_a_shortest_one():
    start = exhibit("refusals-elect").cluster(disks=AT_ONCE)
    scope = Scope(terms=1, entries=1, in_flight=None)
    found = explore(start, scope)
    naive = reachable(start, scope)
    assert naive.fell == {"Election Safety"}
    assert (found.violation[0], found.events) == ("Election Safety", naive.length)


WRONG = {
    "refusals-elect": Scope(terms=1, entries=1, in_flight=5),
    "any-log-elects": Scope(),
    "last-term-elects": Scope(),
    "term-falls": Scope(),
    "leader-truncates": Scope(),
    "skips-entries": Scope(),
    "best-copy-commits": Scope(terms=2, entries=2, in_flight=4),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_found_and_its_run_is_a_value(name):
    found = explore(exhibit(name).cluster(), WRONG[name], symmetry=True)
    recording = found.recording
    assert recording is not None and found.violation is not None and not found.is_complete
    assert found.violation[0] in str(found)
    with pytest.raises(Violation) as fell:
        recording.replay()
    told = fell.value.frame.name
    assert told == found.violation[0] or f"{told} falls first" in str(found)
    assert recording.share() and raftlab.load(recording.share()).actions == recording.actions
    assert recording.trace().messages


def test_a_counterexample_prints_as_code_that_plays_it_again():
    recording = explore(exhibit("any-log-elects").cluster(), Scope(in_flight=4)).recording
    code = recording.as_code()
    assert code.startswith("from raftlab import Cluster") and "deliver" in code
    scope: dict = {}
    with pytest.raises(Violation, match="Leader Completeness"):
        exec(code, scope)
    assert scope["cluster"].recording.actions == recording.actions


class CommitsAtOnce(Rules):
    """A leader commits whatever it has."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return log.last_index


def test_what_too_few_disks_hold_is_not_committed():
    found = explore(plain(rules=CommitsAtOnce), Scope(terms=1, entries=1, in_flight=4))
    assert found.violation is not None and found.violation[0] == "Commit Follows Quorum"
    assert found.violation[0] in found.judged
    assert f"Judged: {', '.join(found.judged)}." in str(found)


@pytest.mark.parametrize(("nodes", "scope"), [(8, Scope()), (5, Scope(in_flight=3))])
def test_a_scope_in_which_nothing_could_happen_is_refused(nodes, scope):
    with pytest.raises(Misuse, match=f"a node sends {nodes - 1} messages at once"):
        explore(nodes, scope)


def test_a_scope_that_is_not_given_fits_the_cluster():
    assert explore(8, states=500).states >= 500
    assert explore(1, Scope(in_flight=1)).is_complete


class ReadsAtOnce(Rules):
    """A leader answers reads without asking whether it still leads."""

    def still_led_at(self, acked, configuration):
        return max(acked.values(), default=0)


def test_a_stale_read_is_found():
    found = explore(
        plain(rules=ReadsAtOnce), Scope(terms=2, entries=2, in_flight=4, actions=(READ,))
    )
    assert found.violation is not None and found.violation[0] == "Reads Are Current"
    with pytest.raises(Violation, match="Reads Are Current"):
        found.recording.replay()


class Raises(Rules):
    def tally_vote(self, votes):
        if votes.answers.get("S2"):
            raise ZeroDivisionError("no such thing")
        return super().tally_vote(votes)


def test_a_machine_that_raises_is_found():
    found = explore(plain(rules=Raises), Scope(terms=1))
    assert (
        found.violation
        == (
            "a machine raised",
            "S1's machine raised ZeroDivisionError: no such thing",
        )
        or "ZeroDivisionError" in found.violation[1]
    )
    assert "ZeroDivisionError" in found.run.stopped


class KeepsACount(raftlab.RaftStateMachine):
    """Stands for what a subclass remembers: every third vote it is asked for, it grants."""

    def __init__(self, *given, **settings):
        self.asked = [0]
        super().__init__(*given, **settings)

    def _reason_to_refuse(self, request):
        self.asked[0] += 1
        return None if self.asked[0] == 3 else super()._reason_to_refuse(request)


def test_what_a_subclass_keeps_beside_the_machine_tells_states_apart():
    found = explore(
        plain(machine=KeepsACount), Scope(terms=1, entries=1, in_flight=6, duplicates=2)
    )
    assert found.violation is not None and found.violation[0] == "One Vote Per Term"
    with pytest.raises(Violation, match="One Vote Per Term"):
        found.recording.replay()


# Where it begins


def test_a_search_begins_where_a_recording_ends():
    cluster = plain()
    cluster.elect("S1")
    recording = cluster.recording
    found = explore(recording, Scope(terms=2, entries=2, in_flight=6), goal=leads("S2", 2))
    assert found.has_reached_goal
    assert found.recording.actions[: len(recording)] == recording.actions
    assert found.run.frame()["S2"].role is Role.LEADER


def leads(node: str, term: int):
    return lambda view: view[node].role is Role.LEADER and view[node].term == term


def test_a_search_goes_on_from_a_living_cluster_and_does_not_touch_it():
    cluster = Cluster(3, seed=4)
    twin = Cluster(3, seed=4)
    for each in (cluster, twin):
        each.elect("S1")
        each.propose("x=1")
    assert cluster.in_flight()
    before = cluster.recording.actions
    cluster.run(2)
    twin.run(2)
    found = explore(cluster, Scope(terms=3, entries=2, in_flight=8, restarts=1), states=3000)
    assert found.violation is None and found.states > 1000
    assert cluster.recording.actions[: len(before)] == before
    cluster.run(2000)
    twin.run(2000)
    assert cluster.recording == twin.recording


def test_messages_on_their_way_at_the_beginning_are_delivered():
    cluster = plain()
    cluster.timeout("S1")
    found = explore(cluster, Scope(terms=1, entries=1), goal=leads("S1", 1))
    assert found.has_reached_goal and found.events == 2


def test_a_node_that_is_down_hears_nothing_and_can_start_again():
    cluster = plain()
    cluster.crash("S3")
    scope = Scope(terms=1, entries=1)
    assert not explore(cluster, scope, goal=leads("S3", 1)).has_reached_goal
    scope = Scope(terms=1, entries=1, restarts=1)
    found = explore(cluster, scope, goal=leads("S3", 1))
    assert found.has_reached_goal
    assert "Restart" in found.recording.as_code() or "restart" in found.recording.as_code()


def test_a_partition_is_healed_before_anything_passes_it():
    cluster = plain()
    cluster.isolate("S1")
    found = explore(cluster, Scope(terms=1, entries=1), goal=leads("S1", 1))
    assert "heal" in found.recording.as_code()
    found.recording.replay()


def test_from_figure_8c_on_the_right_rules_never_lose_what_is_committed():
    cluster = scenarios.figure_8("c")
    scope = Scope(terms=5, entries=3, in_flight=len(cluster.in_flight()) + 4, restarts=1)
    found = explore(cluster, scope, states=5000)
    assert found.violation is None and found.states >= 5000


def test_figure_8_is_found_from_its_third_panel():
    cluster = scenarios.figure_8_by_counting("before")
    scope = Scope(terms=5, entries=3, in_flight=len(cluster.in_flight()) + 4, restarts=1)
    found = explore(cluster, scope, states=250_000)
    assert found.violation is not None and found.violation[0] == "Leader Completeness"
    with pytest.raises(Violation, match="Leader Completeness"):
        found.recording.replay()


# Refusals


def test_what_a_search_cannot_stand_for_is_refused():
    with pytest.raises(Misuse, match="before the write"):
        explore(Cluster(3, disks=Disks(write_ms=0.0, waits=False)))
    with pytest.raises(Misuse, match="leases"):
        explore(Cluster(3, options=Options(lease_reads=True)))
    paused = plain()
    paused.pause("S1")
    with pytest.raises(NotNow, match="paused"):
        explore(paused)


def test_an_unwatched_run_that_has_committed_is_refused():
    cluster = plain(watched=False)
    assert explore(cluster, Scope(terms=1, entries=1, in_flight=2)).is_complete
    cluster.elect("S1")
    cluster.run(100)
    with pytest.raises(Misuse, match="watched"):
        explore(cluster)


# Stopping and going on


def same(one: Exploration, other: Exploration) -> bool:
    return (one.states, one.steps, one.depth, one.not_looked_at, one.violation) == (
        other.states,
        other.steps,
        other.depth,
        other.not_looked_at,
        other.violation,
    )


def test_a_search_that_was_stopped_goes_on_to_the_same_end():
    whole = explore(3, SMALL)
    parts = explore(3, SMALL, states=10)
    assert not parts.is_complete and "that still wait" in parts.not_looked_at[0]
    while not parts.is_complete:
        parts.resume(states=37)
    assert same(parts, whole)
    by_time = explore(3, SMALL, seconds=0.0)
    while not by_time.is_complete:
        by_time.resume(seconds=0.0)
    assert same(by_time, whole)


def test_ctrl_c_stops_a_search_so_that_it_can_go_on():
    scope = Scope(terms=2, entries=2, in_flight=4)

    def interrupt(counts) -> None:
        raise KeyboardInterrupt

    stopped = explore(3, scope, symmetry=False, progress=interrupt)
    assert 5_000 <= stopped.states < 6_000 and not stopped.is_complete
    whole = explore(3, scope, symmetry=False, states=15_000)
    stopped.resume(states=15_000 - stopped.states + 1)
    assert abs(stopped.states - whole.states) < 50


def test_a_real_ctrl_c_stops_it_between_two_states():
    def interrupt(counts) -> None:
        signal.raise_signal(signal.SIGINT)

    scope = Scope(terms=2, entries=2, in_flight=4)
    stopped = explore(3, scope, symmetry=False, progress=interrupt)
    assert 5_000 <= stopped.states < 6_000 and not stopped.is_complete
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_goal_that_raises_loses_no_state():
    asked = []

    def goal(view) -> bool:
        asked.append(1)
        if len(asked) == 50:
            raise ValueError("once")
        return False

    whole = explore(3, SMALL, symmetry=False)
    with pytest.raises(ValueError, match="once"):
        explore(3, SMALL, goal=goal)
    assert explore(3, SMALL, goal=goal).states == whole.states


@pytest.mark.parametrize("symmetry", [False, True])
def test_memory_is_bounded(symmetry):
    gc.collect()
    tracemalloc.start()
    found = explore(3, Scope(terms=2, entries=2, in_flight=5), symmetry=symmetry, memory_mb=4.0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not found.is_complete and found.states > 2_000
    assert 2.0 < most / 1e6 < 4.25


def test_a_search_is_neither_true_nor_false():
    for given in ({}, {"states": 5}, {"goal": lambda view: True}):
        with pytest.raises(TypeError, match=r"ask \.violation .* \.is_complete"):
            bool(explore(3, SMALL, **given))


def test_depth_is_how_many_events_a_run_has():
    assert explore(3, Scope(depth=0)).states == 1
    one = explore(3, Scope(depth=1), symmetry=False)
    assert one.states == 4 and one.depth == 1 and one.is_complete
    assert "bound on depth" in one.not_looked_at[0]


def test_what_the_bounds_kept_out_is_said():
    said = " ".join(explore(3, SMALL).not_looked_at)
    for bound in ("restarts", "heartbeats", "terms", "entries", "on their way", "arrive twice"):
        assert bound in said
    loose = Scope(terms=1, entries=9, in_flight=None, depth=3)
    assert "more messages" not in " ".join(explore(3, loose).not_looked_at)
    slow = explore(plain(options=Options.figure_2(async_persistence=True)), Scope(depth=1))
    assert "while something is written" in slow.not_looked_at[-1]


def test_looking_at_the_run_does_not_change_what_was_counted():
    found = explore(exhibit("refusals-elect").cluster(), Scope(terms=1))
    before = found.not_looked_at
    assert found.recording is not None
    assert found.not_looked_at == before


ROOT = Path(__file__).parent.parent.parent

TELL = """
from raftlab.check.explore import Scope, explore
from raftlab.museum import exhibit
from tests.sim.toy_machine import ToyMachine
from raftlab import Cluster, Options
from raftlab.sim.world.settings import Disks
found = explore(exhibit("any-log-elects").cluster(), Scope(in_flight=4))
print(found.states, found.steps, found.recording.encode())
toy = Cluster(3, options=Options.figure_2(), disks=Disks(write_ms=0.0), machine=ToyMachine)
toys = explore(toy, Scope(terms=2, entries=1, in_flight=3), goal=lambda view: view["S2"].term == 2)
print(toys.states, toys.recording.encode())
print(explore(toy, Scope(terms=2, entries=1, in_flight=3)).states)
"""


def test_every_process_searches_alike():
    said = set()
    for seed in ("1", "2"):
        ended = subprocess.run(
            [sys.executable, "-c", TELL],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        said.add(ended.stdout)
    assert len(said) == 1 and all("timeout" in each for each in said)


def test_a_recording_is_what_comes_out():
    found = explore(exhibit("refusals-elect").cluster(), Scope(terms=1))
    assert isinstance(found.recording, Recording)
    assert projection(found.run) == projection(found.recording.branch(len(found.recording)))
