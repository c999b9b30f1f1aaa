"""One seed of a campaign: the run that it gives, and the verdict on it."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import msgspec

from raftlab.check.random_runs import complaint, settle, start, trouble
from raftlab.check.random_verbs import RandomRun
from raftlab.raft.vocabulary import Millis
from raftlab.sim.given import RulesGiven
from raftlab.sim.host import MachineFactory

Verdict: TypeAlias = Literal["ok", "violation", "stuck", "raised", "killed"]

VERDICTS: Mapping[Verdict, str] = {
    "ok": "ok",
    "violation": "a property was broken",
    "stuck": "peace did not mend it",
    "raised": "a machine raised an error",
    "killed": "its process died, every time",
}
"""What can come of a seed, the best first."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # where an object lies is chance


class SeedResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one seed: always the same, wherever it was run.

    `broke` is the property of a violation, `frame` where it fell; `text` says what is wrong.
    `events` is how many actions happened, `settled_after` how long the healed cluster needed
    until all was well (ms of virtual time; None if it never was).
    """

    seed: int
    verdict: Verdict
    text: str = ""
    broke: str = ""
    frame: int | None = None
    events: int = 0
    settled_after: Millis | None = None


class Conditions(msgspec.Struct, frozen=True):
    """What all seeds of a campaign share, in place of what a seed would choose.

    `rules` and `machine` as in `Cluster`; `given` are more of its arguments.
    """

    rules: RulesGiven = None
    machine: MachineFactory | None = None
    given: Mapping[str, Any] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        """Those that differ from what a seed would choose, as `random_runs.start` takes them."""
        named = {"rules": self.rules, "machine": self.machine}
        return {**{k: v for k, v in named.items() if v is not None}, **self.given}


def try_seed(seed: int, conditions: Conditions) -> SeedResult:
    """Let one seed's troubles happen, then peace; what came of it."""
    run: RandomRun | None = None
    try:
        run = start(seed, **conditions.arguments)
        trouble(run)
        settle(run)
        wrong = complaint(run)
    except Exception as error:
        return _stopped(seed, run, error)
    return SeedResult(
        seed,
        "ok" if wrong is None else "stuck",
        text=ADDRESS.sub("", wrong or ""),
        events=run.cluster.number,
        settled_after=run.settled_after,
    )


def try_seeds(seeds: Iterable[int], conditions: Conditions) -> tuple[SeedResult, ...]:
    """One seed after the other."""
    return tuple(try_seed(seed, conditions) for seed in seeds)


def _stopped(seed: int, run: RandomRun | None, error: Exception) -> SeedResult:
    """The verdict on a run that could not go on."""
    events = run.cluster.number if run else 0
    if run is not None and (fallen := run.cluster.violation) is not None:
        return SeedResult(seed, "violation", fallen.text, fallen.name, fallen.frame, events)
    why = run.cluster.stopped if run else None
    text = why or f"{type(error).__name__}: {error}"
    return SeedResult(seed, "raised", ADDRESS.sub("", text), events=events)


def replayed(seed: int, conditions: Conditions, peace: bool = True) -> RandomRun:
    """A seed's run once more, to look at: up to where it stopped, or to the end of its trouble.

    With `peace`, what came after the trouble too. Raises: whatever a machine raises when it is
    made; nothing that happens later.
    """
    run = start(seed, **conditions.arguments)
    with suppress(Exception):
        trouble(run)
        if peace:
            settle(run)
            complaint(run)
    return run
