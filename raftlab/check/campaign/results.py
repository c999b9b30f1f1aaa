"""Campaigns: many seeds, each a random run that must survive its troubles and recover.

    result = campaign(1000)                            # seeds 0 to 999, on this core
    result = campaign(1000, cores=None)                # on all cores
    result = campaign(1000, scheduler="host:8786")     # on a Dask cluster
    result = campaign(range(50), rules=VotesTwice)     # what do wrong rules break?
    print(result)

Whoever runs them, the results are the same. What fails is printed as the shortest run that
still fails, to be opened in the lab. The idea is that of FoundationDB's simulation (Zhou et
al., SIGMOD 2021) and of Jepsen: faults under watch, then a healed cluster that must serve.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from os import PathLike
from textwrap import fill
from typing import Any, TypeAlias

import msgspec

from raftlab.check.campaign import executors
from raftlab.check.campaign.executors import Results, Trial
from raftlab.check.campaign.heading import heading_of
from raftlab.check.campaign.shrink_stuck import shrink_stuck
from raftlab.check.campaign.trial import (
    ADDRESS,
    VERDICTS,
    Conditions,
    SeedResult,
    checked,
    recorded,
    replayed,
    try_seeds,
)
from raftlab.check.checkpoint_file import CheckpointFile
from raftlab.check.shrink.minimize import ending, shrink
from raftlab.check.shrink.steps import NOT_DETERMINISTIC, NonDeterminism
from raftlab.raft.vocabulary import Millis, Misuse, shown
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.arguments import MOST_SEEDS, RulesGiven, seed_of
from raftlab.sim.world.host import MachineFactory

MOST_SHOWN = 3
BAR = 24
LINE = 100
EVERY_S = 0.2

Executor: TypeAlias = Callable[[Sequence[int]], Iterator[Results]]


class CampaignResult(msgspec.Struct, frozen=True):
    """What came of every seed, in the order of the seeds, and under which `conditions`."""

    results: tuple[SeedResult, ...]
    conditions: Conditions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CampaignResult) and self.results == other.results

    def __hash__(self) -> int:
        return hash(self.results)

    def __bool__(self) -> bool:
        raise TypeError(
            "a campaign is neither true nor false: ask .failures for the seeds that did not come"
            " out well, and .counts for how many came to what"
        )

    @property
    def counts(self) -> dict[str, int]:
        """How many seeds came to each verdict that occurs, the best verdict first."""
        counted = Counter(each.verdict for each in self.results)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    @property
    def failures(self) -> tuple[SeedResult, ...]:
        """The seeds that did not come out well."""
        return tuple(each for each in self.results if each.verdict != "ok")

    @property
    def kinds(self) -> dict[str, tuple[SeedResult, ...]]:
        """The failures by what they have in common: a property, or a verdict."""
        found: dict[str, list[SeedResult]] = {}
        for each in self.failures:
            found.setdefault(each.broke or VERDICTS[each.verdict], []).append(each)
        return {kind: tuple(each) for kind, each in found.items()}

    @property
    def faults(self) -> dict[str, int]:
        """How often each fault really happened, in all runs together; 0 for one that never did."""
        counted = Counter[str]()
        for each in self.results:
            counted.update(dict(each.faults))
        return {name: counted[name] for name in self.conditions.faults}

    @property
    def events(self) -> int:
        """How many actions happened in all runs together."""
        return sum(each.events for each in self.results)

    @property
    def slowest_peace(self) -> Millis:
        """How long the slowest cluster needed until all was well again (ms of virtual time)."""
        return max((each.settled_after or 0.0 for each in self.results), default=0.0)

    def recording(self, seed: int) -> Recording:
        """Everything that happened in a seed's run.

        Raises: Misuse, if the rules or the machine do not do the same twice; whatever its
        machine raises at once.
        """
        for each in self.results:
            if each.seed == seed and each.verdict != "killed":
                return recorded(each, self.conditions)
        return replayed(seed, self.conditions).cluster.recording

    def shrunk(self, seed: int) -> Recording:
        """The shortest run that can be found in a few seconds that fails as the seed's does.

        Raises: Misuse, if the seed did not fail here, or if the rules or the machine do not do
        the same twice; whatever its machine raises at once.
        """
        if seed not in {each.seed for each in self.failures}:
            raise Misuse(f"seed {seed} did not fail in this campaign")
        recording = self.recording(seed)
        try:
            if ending(recording) is not None:
                return shrink(recording)
            return shrink_stuck(seed, self.conditions)
        except NonDeterminism:
            raise
        except Misuse as error:  # it has just been played
            raise NonDeterminism(f"{NOT_DETERMINISTIC}: {error}") from error

    def report(self, most: int = MOST_SHOWN) -> str:
        """The counts; then, for up to `most` kinds of failure, the easiest seed's shortest run.

        With the counts it says how often each fault happened, and which never did. A run is
        printed as a text that `raftlab.load` opens. The same results, the same report. Where no
        such run can be found, it says why.
        """
        lines = [_summary(self), _happened(self)]
        for kind, failures in self.kinds.items():
            lines += ["", f"{kind}: {_listed(failures)}."]
        for failures in list(self.kinds.values())[:most]:
            easiest = min(failures, key=lambda each: (each.events, each.seed))
            lines += ["", *self._shown(easiest)]
        return "\n".join(lines)

    def _shown(self, failure: SeedResult) -> Iterator[str]:
        yield f"Seed {failure.seed}: {failure.text}."
        if failure.verdict == "killed" or not failure.events:
            return
        try:
            run = self.shrunk(failure.seed)
            text = run.share()
        except Exception as error:  # rules may raise whatever they like, and a report may not
            yield f"No shorter run of it can be shown: {_reason(error)}"
            return
        if run.actions:
            yield f"{len(run)} of its {failure.events} actions are enough:"
        yield text

    def __str__(self) -> str:
        return self.report()

    def __repr__(self) -> str:
        return f"<CampaignResult of {_summary(self)[:-1]}>"


def _reason(error: Exception) -> str:
    """What an error says, for the last line of a report."""
    named = str(error) if isinstance(error, Misuse) else f"{type(error).__name__}: {error}"
    return f"{ADDRESS.sub('', named).rstrip('.')}."


def _summary(result: CampaignResult) -> str:
    verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in result.counts.items())
    peace = f"the slowest recovery took {result.slowest_peace:,.0f} ms"
    return f"{len(result.results):,} seeds: {verdicts}. {result.events:,} events; {peace}."


def _happened(result: CampaignResult) -> str:
    faults = result.faults
    told = ", ".join(f"{name} {count:,}" for name, count in faults.items() if count)
    never = ", ".join(name for name, count in faults.items() if not count)
    parts = [f"faults: {told}"] if told else []
    parts += [f"never happened: {never}"] if never else []
    text = "; ".join(parts)
    return fill(f"{text[0].upper()}{text[1:]}.", LINE, break_on_hyphens=False)


def _listed(failures: tuple[SeedResult, ...]) -> str:
    first = ", ".join(str(each.seed) for each in failures[:10])
    more = f" and {len(failures) - 10} more" if len(failures) > 10 else ""
    return f"{'seed' if len(failures) == 1 else 'seeds'} {first}{more}"


def campaign(
    seeds: int | Iterable[int],
    cores: int | None = 1,
    scheduler: Any = None,
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    *,
    resume: str | PathLike[str] | None = None,
    progress: bool | None = None,
    **given: Any,
) -> CampaignResult:
    """Try many seeds: a number (0, 1, …) or the seeds themselves; each decides its whole run.

    It runs on one core, on as many as `cores` says (None: all), or on the workers of a Dask
    `scheduler` (its address, or a `Client`); the results are the same. A worker that dies loses
    nothing; a seed whose worker dies every time is reported as "killed".

    `rules`, `machine`, and of `given` `options`, `network`, `disks` and `nodes` take the place of
    what a seed would choose; with `change_network=True` the network becomes worse and better while
    a run goes on, which makes another run of each seed. `resume` names a file that keeps what is
    done: an interrupted campaign goes on from there. `progress` draws a bar with live counts on the
    standard error output; by default, if that is a terminal.

    Raises: Misuse, for what is no campaign, for what no cluster can be given, and for a file of
    another campaign.
    """
    conditions = checked(rules, machine, given)
    wanted = _seeds(seeds)
    executor = _executor(partial(try_seeds, conditions=conditions), cores, scheduler)
    checkpoint = (
        None
        if resume is None
        else CheckpointFile(resume, heading_of(conditions), SeedResult, "campaign")
    )
    try:
        known = _all_results(wanted, executor, checkpoint, progress)
    finally:
        if checkpoint is not None:
            checkpoint.close()
    return CampaignResult(tuple(known[seed] for seed in sorted(wanted)), conditions)


def _all_results(
    wanted: dict[int, None],
    executor: Executor,
    checkpoint: CheckpointFile[SeedResult] | None,
    progress: bool | None,
) -> dict[int, SeedResult]:
    """The results of all seeds: those that the checkpoint holds, then those of the executor."""
    known: dict[int, SeedResult] = {}
    if checkpoint is not None:
        known.update((each.seed, each) for each in checkpoint.results if each.seed in wanted)
    todo = [seed for seed in wanted if seed not in known]
    bar = _Bar(len(wanted), known.values(), progress)
    for results in executor(todo) if todo else ():
        if checkpoint is not None:
            checkpoint.add(results)
        known.update((each.seed, each) for each in results)
        bar.add(results)
    bar.end()
    return known


def _seeds(seeds: int | Iterable[int]) -> dict[int, None]:
    """The seeds, each once."""
    given = range(seeds) if type(seeds) is int else seeds
    wanted = tuple(islice(given, MOST_SEEDS + 1)) if isinstance(given, Iterable) else ()
    if len(wanted) > MOST_SEEDS:
        raise Misuse(f"a campaign takes at most {MOST_SEEDS:,} seeds at once")
    if not wanted or not all(type(seed) is int for seed in wanted):
        raise Misuse(f"a campaign takes a number of seeds, or whole numbers, not {shown(seeds)}")
    return {seed_of(seed): None for seed in wanted}


def _executor(
    trial: Trial, cores: int | None, scheduler: Any
) -> Callable[[Sequence[int]], Iterator[Results]]:
    if scheduler is not None:
        if not isinstance(scheduler, str) and not hasattr(scheduler, "submit"):
            raise Misuse(f"a scheduler is its address, or a Dask client, not {shown(scheduler)}")
        return partial(executors.dask_workers, trial, scheduler=scheduler)
    count = executors.all_cores() if cores is None else cores
    if type(count) is not int or count < 1:
        raise Misuse(f"cores is how many to use, from 1, or None for all, not {shown(cores)}")
    if count == 1:
        return partial(executors.here, trial)
    return partial(executors.processes, trial, cores=count)


class _Bar:
    """How far a campaign is, on one line that is drawn again and again."""

    def __init__(self, total: int, known: Iterable[SeedResult], progress: bool | None) -> None:
        self.shown = sys.stderr.isatty() if progress is None else progress
        self.total = total
        self.counts = Counter(each.verdict for each in known)
        self.before = self.counts.total()
        self.begun = time.monotonic()
        self.drawn = 0.0

    def add(self, results: Results) -> None:
        """Some more are done."""
        self.counts.update(each.verdict for each in results)
        if self.shown and time.monotonic() - self.drawn > EVERY_S:
            self._draw()

    def end(self) -> None:
        """All are done: leave the last line as it is."""
        if self.shown:
            self._draw()
            print(file=sys.stderr)

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        done = self.counts.total()
        rate = (done - self.before) / max(self.drawn - self.begun, 1e-9)
        full = BAR * done // self.total
        verdicts = ", ".join(
            f"{self.counts[each]} {each}" for each in VERDICTS if self.counts[each]
        )
        line = f"[{'#' * full}{'.' * (BAR - full)}] {done} of {self.total} seeds: {verdicts}"
        print(f"\r\x1b[K{line}; {rate:.0f}/s", end="", file=sys.stderr, flush=True)
