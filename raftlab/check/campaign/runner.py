"""Running a campaign: on one core, on many, or on a Dask cluster, and on from where it stopped.

Whoever runs the seeds, the results are the same.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from os import PathLike
from typing import Any, TypeAlias

from raftlab.check.campaign import executors
from raftlab.check.campaign.executors import Results, Trial
from raftlab.check.campaign.heading import heading_of
from raftlab.check.campaign.results import CampaignResult
from raftlab.check.campaign.trial import VERDICTS, SeedResult, checked, try_seeds
from raftlab.check.checkpoint_file import CheckpointFile
from raftlab.process import Process
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.arguments import MOST_SEEDS, RulesGiven, seed_of
from raftlab.sim.world.host import MachineFactory

BAR = 24


EVERY_S = 0.2


Executor: TypeAlias = Callable[[Sequence[int]], Iterator[Results]]


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
    a run goes on, and with `change_members=False` nobody joins, leaves or hands over, which makes
    another run of each seed. `resume` names a file that keeps what is
    done: an interrupted campaign goes on from there. `progress` draws a bar with live counts on the
    standard error output; by default, if that is a terminal.

    Raises: Misuse, for what is no campaign, for what no cluster can be given, for a program that
    does not start here, and for a file of another campaign.
    """
    conditions = checked(rules, machine, given)
    wanted = _seeds(seeds)
    if scheduler is None and isinstance(machine, Process):
        Cluster(1, machine=machine)  # else every seed would tell that it does not start
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
    count = executors.core_count() if cores is None else cores
    if type(count) is not int or count < 1:
        raise Misuse(f"cores is how many to use, from 1, or None for all, not {shown(cores)}")
    if count == 1:
        return partial(executors.one_core, trial)
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
