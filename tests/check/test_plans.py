"""Verbs that know their moment do what they say, and no verb asks for what cannot be."""

from collections.abc import Callable

import pytest

from raftlab import Network, Options, RaftStateMachine, load
from raftlab.check.campaign import random_run
from raftlab.check.campaign.faults import (
    FAULTS,
    MAY_BE_REFUSED,
    REPAIRS,
    Verb,
    crash_all,
    force_election,
    isolate,
    timeout,
)
from raftlab.check.campaign.random_run import end_faults, heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import Plan, RandomRun
from raftlab.check.campaign.timed_faults import (
    HELD_MS,
    MOST_PLANS,
    PLANS,
    cut_off_leader,
    fall_behind,
    half_deaf,
    hold_until_later,
    lead_again,
    other_voters,
    overwrite_and_lead_again,
    pass_time,
    planned,
    starve,
)
from raftlab.check.campaign.trial import checked, try_seed
from raftlab.check.shrink.steps import as_steps
from raftlab.raft.messages import AppendEntries, InstallSnapshot, Message
from raftlab.raft.vocabulary import NotNow
from raftlab.sim.world.actions import Compact, Cut, Delay, Deliver, Read, Timeout
from raftlab.sim.world.handlers import ANSWERS
from tests.check.wild_bugs import CountsAnEarlierReign


def run_of(verb: Verb, seed: int, nodes: int = 3) -> RandomRun:
    """A run with all protections in which one plan begins again and again, beside clients."""
    run = start(seed, nodes, options=Options())
    inject_faults(run, only=[(verb, 2), (force_election, 1)])
    return run


def held(run: RandomRun, *kinds: type[Message]) -> list[Message]:
    """The messages that were held up for good, and arrived in the trouble all the same."""
    steps = as_steps(run.cluster.recording)
    arrived = {
        (step.action.sender, step.action.receiver, step.action.nth)
        for step in steps
        if isinstance(step.action, Deliver)
    }
    return [
        step.message
        for step in steps
        if isinstance(step.action, Delay)
        and step.action.arrives_at > HELD_MS
        and (step.action.sender, step.action.receiver, step.action.nth) in arrived
        and (not kinds or isinstance(step.message, kinds))
    ]


def did(run: RandomRun, kind: type) -> bool:
    return any(isinstance(each, kind) for each in run.cluster.actions)


def somebody_leads_again(run: RandomRun) -> bool:
    """Whether somebody led, then somebody else, then the first one."""
    leaders = [leader for _, leader in sorted(run.cluster.history.leaders.items())]
    return any(leaders[place] == leaders[place + 2] for place in range(len(leaders) - 2))


def held_with_entries(run: RandomRun) -> bool:
    return any(each.entries for each in held(run, AppendEntries))


HAPPENS: dict[Verb, Callable[[RandomRun], bool]] = {
    hold_until_later: lambda run: bool(held(run)),
    lead_again: lambda run: bool(held(run, *ANSWERS)) and somebody_leads_again(run),
    overwrite_and_lead_again: lambda run: bool(held(run, *ANSWERS)) and somebody_leads_again(run),
    cut_off_leader: lambda run: did(run, Compact) and len(run.cluster.history.leaders) > 2,
    fall_behind: lambda run: bool(held(run, InstallSnapshot)),
    starve: lambda run: held_with_entries(run) and did(run, Read),
    half_deaf: lambda run: did(run, Cut) and did(run, Read),
}


def test_every_plan_has_its_test():
    assert [plan for plan, _ in PLANS] == list(HAPPENS)


@pytest.mark.parametrize("verb", HAPPENS, ids=lambda verb: verb.__name__)
def test_a_plan_does_what_it_says(verb):
    nodes = 5 if verb is overwrite_and_lead_again else 3
    assert any(HAPPENS[verb](run_of(verb, seed, nodes)) for seed in range(5))


def test_plans_happen_in_stock_campaigns(monkeypatch):
    ended = set()
    goes_on = Plan.goes_on

    def watched(plan):
        on = goes_on(plan)
        if not on:
            ended.add(plan.verb)
        return on

    monkeypatch.setattr(Plan, "goes_on", watched)
    for seed in range(25):
        inject_faults(start(seed))
    assert ended == {verb.__name__ for verb, _ in PLANS}


def test_a_run_with_plans_plays_again_and_opens_from_its_text():
    for seed in range(4):
        run = run_of(lead_again, seed)
        heal_and_converge(run)
        recording = run.cluster.recording
        assert recording.replay().recording == recording
        assert load(recording.share()) == recording


def test_peace_lets_nothing_wait():
    run = start(3, 3, options=Options(), network=Network())
    run.cluster.elect()
    run.cluster.propose("x=1")
    hold_until_later(run)
    assert any(each.arrives_at > HELD_MS for each in run.cluster.in_flight())
    end_faults(run)
    assert not any(each.arrives_at > HELD_MS for each in run.cluster.in_flight())


# How plans go on


def test_a_plan_goes_on_when_its_moment_comes_or_patience_ends():
    run = start(1, 3)
    seen = []

    @planned
    def waits(run):
        yield (lambda: run.cluster.now > 20), 100.0
        seen.append(run.cluster.now)
        yield (lambda: False), 30.0
        seen.append(run.cluster.now)

    waits(run)
    pass_time(run, 100.0)
    assert seen == [25.0, 55.0]
    assert run.plans == []
    assert run.cluster.now == 100.0


def test_a_refusal_ends_a_plan_and_other_errors_do_not_hide():
    run = start(1, 3)

    @planned
    def refused(run):
        run.cluster.isolate("S1")
        run.cluster.propose("x=1", to="S1")
        yield (lambda: True), 1.0

    @planned
    def wrong(run):
        yield 1 / 0, 1.0

    refused(run)
    assert run.plans == []
    with pytest.raises(ZeroDivisionError):
        wrong(run)


def test_few_plans_go_on_at_one_time():
    run = start(1, 3)

    @planned
    def waits(run):
        yield (lambda: False), 1000.0

    for _ in range(5):
        waits(run)
    assert len(run.plans) == MOST_PLANS


def test_a_plan_that_needs_others_ends_where_there_are_none():
    run = start(1, 1)
    with pytest.raises(NotNow, match="nobody else votes"):
        other_voters(run, "S1")


# What a campaign finds with them

FIRST = 60
"""A seed that finds it: another one, as soon as campaigns have other faults or weights."""


def test_answers_of_an_earlier_reign_are_found_to_count_in_a_later_one(monkeypatch):
    conditions = checked(None, CountsAnEarlierReign, {})
    assert try_seed(FIRST, conditions).verdict == "violation", "find a seed again for FIRST"
    assert try_seed(FIRST, checked(None, RaftStateMachine, {})).verdict == "ok"
    monkeypatch.setattr(random_run, "SOME_PLANS", 0)
    assert {try_seed(seed, conditions).verdict for seed in range(FIRST - 10, FIRST + 10)} == {"ok"}


# No verb asks for what cannot be


@pytest.mark.parametrize("verb", [force_election, timeout], ids=lambda verb: verb.__name__)
def test_nobody_who_is_paused_down_or_leads_is_made_to_stand(verb):
    paused, down, leads = (start(1, 3, options=Options.figure_2()) for _ in range(3))
    for node in paused.cluster.nodes:
        paused.cluster.pause(node)
    crash_all(down)
    leads.cluster.elect("S1")
    leads.any_node = lambda: "S1"
    for run in (paused, down, leads):
        before = len(run.cluster.actions)
        for _ in range(10):
            verb(run)
        assert not any(isinstance(each, Timeout) for each in run.cluster.actions[before:])


def test_a_paused_node_of_figure_2_is_not_accused():
    given = {"options": Options.figure_2(), "nodes": 5}
    assert try_seed(598, checked(None, None, given)).verdict == "ok"


SURE = [verb for verb, _ in (*REPAIRS, *FAULTS) if verb not in MAY_BE_REFUSED]


@pytest.mark.parametrize("verb", SURE, ids=lambda verb: verb.__name__)
def test_what_asks_nobody_is_never_refused(verb):
    """Whatever state the nodes are in; only a machine has reasons of its own."""
    for nodes in (1, 2, 3):
        run = start(2, nodes, options=Options())
        for prepare in (lambda run: None, pause_all, crash_all, isolate):
            for _ in range(8):
                verb(run)
            prepare(run)


def pause_all(run: RandomRun) -> None:
    for host in run.living:
        if not host.paused:
            run.cluster.pause(host.node)
