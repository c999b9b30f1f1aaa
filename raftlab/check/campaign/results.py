"""What came of a campaign: the verdict on every seed, and the shortest run that fails."""

from collections import Counter
from collections.abc import Iterator
from textwrap import fill

import msgspec

from raftlab.check.campaign.shrink_stuck import shrink_stuck
from raftlab.check.campaign.trial import (
    ADDRESS,
    VERDICTS,
    Conditions,
    SeedResult,
    recorded,
    replayed,
)
from raftlab.check.shrink.minimize import ending, shrink
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
