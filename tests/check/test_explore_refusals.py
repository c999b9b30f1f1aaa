"""What a search cannot stand for is refused by name: torn searches, rules that remember, limits."""

import signal
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

import raftlab as rl
from raftlab.check.campaign import campaign
from raftlab.check.explore import Exploration, Scope, explore
from raftlab.check.explore.exploration import times_of

SCOPE = Scope(terms=1, entries=0, in_flight=4)


def interrupted_twice(number: int) -> Exploration:
    """A search into which two interrupts came at once, at a line of its own code."""
    left = [number]

    def trace(frame: Any, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.endswith(("breadth_first.py", "states.py")):
            return None
        if event == "line":
            left[0] -= 1
            if not left[0]:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
        return trace

    found = explore(3, SCOPE, states=2)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.settrace(trace)
    try:
        found.resume()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
        signal.signal(signal.SIGINT, before)
    return found


def test_a_search_that_was_torn_is_not_taken_up_again():
    whole = explore(3, SCOPE)
    torn = 0
    for number in range(400, 900, 26):
        found = interrupted_twice(number)
        assert found.interrupted
        assert not (found.is_complete and found.states < whole.states)
        try:
            found.resume()
        except rl.Misuse as refusal:
            torn += 1
            assert "interrupted in the middle of a step: begin it again" in str(refusal)
        else:
            assert (found.states, found.violation) == (whole.states, None)
    assert torn > 0


class Counts(rl.Rules):
    def __init__(self) -> None:
        self.refused = 0

    def has_vote_left(self, *given: Any) -> bool:
        if super().has_vote_left(*given):
            return True
        self.refused += 1
        return self.refused == 2


def plain(**given: Any) -> rl.Cluster:
    options, disks = rl.Options.figure_2(), rl.Disks(write_ms=0.0)
    return rl.Cluster(3, options=options, disks=disks, **given)


def test_rules_that_remember_cannot_be_searched():
    with pytest.raises(rl.Misuse, match="the rules changed while they were asked"):
        explore(plain(rules=Counts), Scope(terms=1, entries=0))


class Hearing(rl.RaftStateMachine):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.heard = 0.0


def test_a_search_says_that_floats_are_taken_for_times():
    found = explore(plain(machine=Hearing), Scope(terms=1, entries=0, in_flight=2))
    assert "with floats taken for times" in repr(found)
    assert any("heard" in each for each in found.not_looked_at)


def test_the_times_that_every_machine_has_are_not_told():
    machine = SimpleNamespace(now=0.0, election_deadline=1.0, next_deadline=1.0, heard=1.0)
    host = SimpleNamespace(alive=True, machine=machine)
    assert times_of(cast(rl.Cluster, SimpleNamespace(hosts={"S1": host}))) == ("heard",)


@pytest.mark.parametrize(
    "search",
    [
        lambda: explore(3, 5),
        lambda: explore(3, symmetry="no"),
        lambda: explore(3, states="a"),
        lambda: explore(3, states=-1),
        lambda: explore(3, seconds="a"),
        lambda: explore(3, memory_mb=float("nan")),
        lambda: explore(3, progress=True),
        lambda: Scope(in_flight=2.5),
        lambda: Scope(terms="x" * 100_000),
        lambda: Scope(terms=10**5000),
        lambda: Scope(depth=True),
        lambda: campaign([2**70]),
        lambda: campaign(10**9),
    ],
)
def test_limits_that_are_none_are_refused_in_a_short_sentence(search):
    with pytest.raises(rl.Misuse) as refusal:
        search()
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("result", "names"),
    [
        (lambda: campaign(1), ".failures"),
        (lambda: rl.twin(rl.Cluster(3), rl.Rules, rl.Rules), ".parts_at"),
        (lambda: explore(plain(), Scope(terms=0)), ".violation"),
    ],
)
def test_a_result_with_more_than_two_outcomes_is_neither_true_nor_false(result, names):
    with pytest.raises(TypeError, match=names):
        bool(result())
