"""Ctrl-C, a second one, `exit()` in a rule, and steps within steps: never half a step, silently.

Interrupts are real signals, raised at a given line or in a given call, so that every run of
these tests is the same.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import pytest

from raftlab import Cluster, NotNow, RaftStateMachine, Rules, Violation
from raftlab.check.campaign import campaign
from raftlab.raft.node import NodeCore
from raftlab.sim.world.actions import Propose, Wait
from tests.sim.looking import standing

SOURCES = ("raftlab/sim/", "raftlab/raft/")


@pytest.fixture(autouse=True)
def _interrupts_are_heard():
    """A shell starts what is to run in the background with interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Hook(Rules):
    """The shipped rules; at every look at a message's term something may be done."""

    def __init__(self) -> None:
        self.does: Callable[[], object] = lambda: None

    def is_newer_term(self, message_term: int, term: int) -> bool:
        self.does()
        return super().is_newer_term(message_term, term)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def once(does: Callable[[], object]) -> Callable[[], object]:
    """A function that does something when it is called first, and nothing later."""
    left = [does]
    return lambda: left.pop()() if left else None


@contextmanager
def at_line(number: int, does: Callable[[], object]) -> Iterator[list[int]]:
    """Do something at the line of the package's code that is reached as the `number`th."""
    seen = [0]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not any(source in frame.f_code.co_filename for source in SOURCES):
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == number:
                does()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


def is_sound(cluster: Cluster) -> bool:
    """Whether the cluster shows what its recording leads to."""
    return standing(cluster) == standing(cluster.recording.replay())


def begun() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    return cluster


def finished() -> Cluster:
    return begun().run(40)


VERBS: dict[str, Callable[[Cluster], object]] = {
    "run": lambda cluster: cluster.run(40),
    "run_until": lambda cluster: cluster.run_until(lambda each: each.commit_index > 1),
    "step": lambda cluster: [cluster.step() for _ in range(4)],
    "elect": lambda cluster: cluster.elect("S2"),
    "get": lambda cluster: cluster.get("x"),
    "propose": lambda cluster: cluster.propose("y=2"),
    "crash": lambda cluster: cluster.crash("S1"),
    "partition": lambda cluster: cluster.partition("S1"),
    "add_learner": lambda cluster: cluster.add_learner("S4"),
    "scheduled": lambda cluster: cluster.engine.scheduled(),
    "frame": lambda cluster: cluster.frame(),
    "at": lambda cluster: cluster.at(5),
}


def lines_of(verb: Callable[[Cluster], object]) -> int:
    verb(begun())  # what is remembered of commands takes fewer lines from now on
    cluster = begun()
    with at_line(-1, interrupt) as seen:
        verb(cluster)
    return seen[0]


@pytest.mark.parametrize("name", VERBS)
def test_an_interrupt_at_any_line_leaves_a_sound_cluster(name):
    verb, whole = VERBS[name], lines_of(VERBS[name])
    for number in range(1, whole + 1, max(1, whole // 40)):
        cluster = begun()
        with pytest.raises(KeyboardInterrupt), at_line(number, interrupt):
            verb(cluster)
        assert cluster.stopped is None, number
        assert is_sound(cluster), number


def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been():
    for number in range(1, lines_of(VERBS["run"]), 37):
        cluster = begun()
        end = cluster.now + 40
        with pytest.raises(KeyboardInterrupt), at_line(number, interrupt):
            cluster.run(40)
        cluster.run_until(lambda each, end=end: each.now >= end, end - cluster.now)
        assert standing(cluster) == standing(finished()), number


@pytest.mark.parametrize("name", ["run", "step", "elect", "propose", "add_learner"])
def test_a_second_interrupt_at_once_is_not_held_back_and_never_silent(name):
    verb, whole = VERBS[name], lines_of(VERBS[name])
    interrupted = 0
    for number in range(1, whole + 1, max(1, whole // 60)):
        cluster = begun()
        with suppress(KeyboardInterrupt), at_line(number, lambda: (interrupt(), interrupt())):
            verb(cluster)
        if cluster.stopped is None:
            assert is_sound(cluster), number
            continue
        interrupted += 1
        back = cluster.at(cluster.number)
        with pytest.raises(NotNow) as refused:
            cluster.run(1)
        assert (
            f"interrupted in the middle of a step: go back with cluster.at({back.number})"
            in str(refused.value)
        )
        assert back.stopped is None
        assert is_sound(back.run(20))
    assert interrupted > 0


def test_a_machine_that_loops_for_ever_is_stopped_by_two_interrupts():
    def for_ever() -> None:
        interrupt()
        while True:
            interrupt()

    rules = Hook()
    cluster = Cluster(3, seed=1, rules=rules)
    rules.does = for_ever
    with pytest.raises(KeyboardInterrupt):
        cluster.run(1000)
    rules.does = lambda: None
    with pytest.raises(NotNow, match="interrupted in the middle of a step"):
        cluster.run(1)
    assert is_sound(cluster.at(cluster.number).run(500))


def test_an_interrupt_of_a_bare_action_stops_the_run_and_says_so():
    rules = Hook()
    cluster = Cluster(3, seed=1, rules=rules)
    rules.does = once(interrupt)
    with pytest.raises(KeyboardInterrupt):
        while True:
            action = cluster.engine.scheduled()
            assert action is not None
            cluster.apply(action)
    assert cluster.stopped is not None
    with pytest.raises(NotNow, match="interrupted in the middle of a step: go back"):
        cluster.engine.scheduled()


class GivesEveryVote(Rules):
    """Two candidates of one term get it: a property falls."""

    def has_vote_left(self, *_: object) -> bool:
        return True


def about_to_break() -> tuple[Cluster, int]:
    """A run one step before a property falls, and the number of the frame at which it does."""
    cluster = Cluster(3, seed=1, rules=GivesEveryVote)
    cluster.timeout("S1")
    cluster.timeout("S2")
    with pytest.raises(Violation):
        cluster.run(1000)
    return cluster.at(cluster.number - 1), cluster.number


def test_no_interrupt_hides_that_a_property_fell_in_the_step_that_it_ended():
    begun, frame = about_to_break()
    action = begun.engine.scheduled()
    assert action is not None
    cluster = begun.at(frame - 1)
    with at_line(-1, interrupt) as seen, pytest.raises(Violation):
        cluster.apply(action)
    for number in range(seen[0] - 60, seen[0] + 1):
        cluster = begun.at(frame - 1)
        with suppress(Violation, KeyboardInterrupt), at_line(number, interrupt):
            cluster.apply(action)
        assert cluster.stopped is not None, number
        assert cluster.violation is None or cluster.violation.frame == frame


def test_a_handler_of_somebody_else_is_called_between_two_actions():
    rules, heard = Hook(), []
    cluster = Cluster(3, seed=1, rules=rules)
    rules.does = once(interrupt)
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(cluster.stopped))
    try:
        cluster.run(1000)
    finally:
        ours = signal.signal(signal.SIGINT, before)
    assert heard == [None]
    assert ours.__name__ == "<lambda>"  # it is in its place again
    assert cluster.now == 1000
    assert is_sound(cluster)


def test_an_interrupt_is_heeded_even_if_the_step_in_hand_fails():
    def fails() -> None:
        interrupt()
        raise ZeroDivisionError

    rules = Hook()
    cluster = Cluster(3, seed=1, rules=rules)
    rules.does = fails
    with pytest.raises(KeyboardInterrupt) as interrupted:
        cluster.run(1000)
    assert isinstance(interrupted.value.__context__, ZeroDivisionError)
    assert "machine raised ZeroDivisionError" in str(cluster.stopped)
    assert cluster.engine.heed_interrupt is None


class FailingAtCtrlC(Rules):
    def is_newer_term(self, message_term: int, term: int) -> bool:
        interrupt()
        raise ZeroDivisionError


def test_a_campaign_ends_at_an_interrupt_even_if_the_rule_then_raises():
    with pytest.raises(KeyboardInterrupt):
        campaign(5, rules=FailingAtCtrlC)


# What else ends a step early


def test_a_rule_that_calls_exit_stops_the_run_as_a_failing_machine_does():
    rules = Hook()
    cluster = Cluster(3, seed=1, rules=rules)
    rules.does = sys.exit
    with pytest.raises(RuntimeError, match="machine raised SystemExit"):
        cluster.run(1000)
    assert cluster.stopped is not None
    assert "machine raised SystemExit" in cluster.stopped
    with pytest.raises(NotNow, match="The run stopped at frame"):
        cluster.run(1)


class Leaving(Rules):
    def has_vote_left(self, *given: Any) -> bool:
        sys.exit()


def test_a_campaign_goes_on_where_a_rule_calls_exit():
    found = campaign(range(3), rules=Leaving)
    assert [each.verdict for each in found.results] == ["raised"] * 3
    assert all("SystemExit" in each.text for each in found.results)


def test_a_cluster_whose_machines_exit_at_once_does_not_begin():
    class Leaves(RaftStateMachine):
        def __init__(self, *given: Any, **named: Any) -> None:
            sys.exit()

    with pytest.raises(RuntimeError, match="SystemExit"):
        Cluster(3, machine=Leaves)


def test_a_machine_whose_deadline_raises_loses_nothing_that_is_due():
    class Asked(ValueError):
        pass

    cluster = begun()
    twin = cluster.at(cluster.number)
    machine = cluster.hosts["S2"].machine
    kind, held = type(machine), vars(NodeCore)["next_deadline"]

    class Failing(kind):  # type: ignore[valid-type]
        __slots__ = ()
        fails = True

        @property
        def next_deadline(self) -> float:
            if self.fails:
                raise Asked
            return held.__get__(self)

        @next_deadline.setter
        def next_deadline(self, moment: float) -> None:
            held.__set__(self, moment)

    cluster.partition("S2")
    twin.partition("S2")
    machine.__class__ = Failing
    with pytest.raises(Asked):
        cluster.run(1000)
    Failing.fails = False
    assert cluster.stopped is None
    for each in (cluster, twin):
        each.run_until(lambda run: run.now >= 1000)
    assert standing(cluster) == standing(twin)


# Steps within steps


def test_a_rule_that_moves_its_own_cluster_is_refused_by_name():
    rules = Hook()
    cluster = Cluster(3, seed=1, rules=rules)
    rules.does = once(lambda: cluster.step())
    with pytest.raises(NotNow, match="This cluster is in the middle of a step"):
        cluster.run(1000)
    assert "in the middle of a step" in str(cluster.stopped)


@pytest.mark.parametrize(
    "moves",
    [
        lambda cluster: cluster.step(),
        lambda cluster: cluster.run(1),
        lambda cluster: cluster.crash("S1"),
        lambda cluster: cluster.apply(Wait(cluster.now)),
        lambda cluster: cluster.apply(Propose(cluster.now, "S1", b"x=1")),
        lambda cluster: cluster.engine.scheduled(),
    ],
)
def test_whoever_moves_a_cluster_in_the_middle_of_a_step_is_refused(moves):
    rules, refusals = Hook(), []
    cluster = Cluster(3, seed=1, rules=rules)

    def tries() -> None:
        with pytest.raises(NotNow) as refused:
            moves(cluster)
        refusals.append(str(refused.value))

    rules.does = once(tries)
    cluster.run(1000)
    assert len(refusals) == 1
    assert "in the middle of a step" in refusals[0]
    assert is_sound(cluster)


def test_two_threads_cannot_move_a_cluster_at_once():
    rules, inside, may_go_on = Hook(), threading.Event(), threading.Event()
    cluster = Cluster(3, seed=1, rules=rules)

    def waits() -> None:
        inside.set()
        may_go_on.wait()

    rules.does = once(waits)
    thread = threading.Thread(target=cluster.run, args=(1000,))
    thread.start()
    inside.wait()
    with pytest.raises(NotNow, match="no other thread"):
        cluster.step()
    may_go_on.set()
    thread.join()
    assert cluster.now == 1000
    assert is_sound(cluster)
