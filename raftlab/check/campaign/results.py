"""What came of a campaign: the verdict on every seed, and the shortest run that fails."""

from collections import Counter
from functools import partial
from textwrap import fill

import msgspec

from raftlab.check.campaign.shortest import SeedProgress, Shortest, shortest_of
from raftlab.check.campaign.shrink_stuck import shrink_stuck
from raftlab.check.campaign.trial import (
    VERDICTS,
    Conditions,
    SeedResult,
    recorded,
    replayed,
)
from raftlab.check.shrink.minimize import Progress, ending, shrink
from raftlab.check.shrink.steps import NOT_DETERMINISTIC, NonDeterminism
from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim.run.recording import Recording

MOST_SHOWN = 3
LINE = 100


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

    def shrunk(self, seed: int, progress: Progress | None = None) -> Recording:
        """The shortest run that can be found in a few seconds that fails as the seed's does.

        Raises: Misuse, if the seed did not fail here, or if the rules or the machine do not do
        the same twice; whatever its machine raises at once; ShrinkInterrupted at Ctrl-C.
        """
        if seed not in {each.seed for each in self.failures}:
            raise Misuse(f"seed {seed} did not fail in this campaign")
        recording = self.recording(seed)
        try:
            if ending(recording) is not None:
                return shrink(recording, progress=progress)
            return shrink_stuck(seed, self.conditions, progress)
        except NonDeterminism:
            raise
        except Misuse as error:  # it has just been played
            raise NonDeterminism(f"{NOT_DETERMINISTIC}: {error}") from error

    def shortest(
        self, most: int = MOST_SHOWN, progress: SeedProgress | None = None
    ) -> tuple[Shortest, ...]:
        """For up to `most` kinds of failure, the easiest seed and the shortest run of it.

        Ctrl-C ends the search: what was found until then is told, and that it came.
        """
        found: list[Shortest] = []
        for kind, failures in list(self.kinds.items())[:most]:
            easiest = min(failures, key=lambda each: (each.events, each.seed))
            looks = not any(each.interrupted for each in found)
            shrunk = partial(self._shrunk, easiest, progress)
            found.append(shortest_of(kind, easiest, shrunk, looks))
        return tuple(found)

    def _shrunk(self, failure: SeedResult, progress: SeedProgress | None) -> Recording:
        if progress is None:
            return self.shrunk(failure.seed)
        progress(failure.seed, 0, failure.events)
        return self.shrunk(failure.seed, partial(progress, failure.seed))

    def report(self, most: int = MOST_SHOWN, found: tuple[Shortest, ...] | None = None) -> str:
        """The counts; then, for up to `most` kinds of failure, the easiest seed's shortest run.

        With the counts it says how often each fault happened, and which never did. A run is
        printed as a text that `raftlab.load` opens. The same results, the same report. Where no
        such run can be found, it says why. Who has `found` the shortest runs hands them over.
        """
        lines = [_summary(self), _happened(self)]
        for kind, failures in self.kinds.items():
            lines += ["", f"{kind}: {_listed(failures)}."]
        for each in self.shortest(most) if found is None else found:
            lines += ["", *each.lines()]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()

    def __repr__(self) -> str:
        return f"<CampaignResult of {_summary(self)[:-1]}>"


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
