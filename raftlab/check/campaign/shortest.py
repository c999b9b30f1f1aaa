"""The shortest run that was found of one kind of failure, and how that is told."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from raftlab.check.campaign.trial import ADDRESS, SeedResult
from raftlab.check.shrink import ShrinkInterrupted
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.run.recording import Recording

SeedProgress: TypeAlias = Callable[[int, int, int], None]
"""Is told, while a seed's run is made shorter: the seed, which try it is, and how many actions
the shortest run has so far."""


class Shortest(msgspec.Struct, frozen=True):
    """The easiest `failure` of a `kind`, and the shortest `run` of it that was found.

    Where there is no run, `why` says why, unless there was none to look for. `interrupted` is
    whether Ctrl-C came before the search was over.
    """

    kind: str
    failure: SeedResult
    run: Recording | None = None
    why: str = ""
    interrupted: bool = False

    def lines(self) -> Iterator[str]:
        """It as lines of a report; the last is a text that `raftlab.load` opens."""
        yield f"Seed {self.failure.seed}: {self.failure.text}."
        if self.interrupted:
            yield "Interrupted: there may be a shorter run."
        text, why = "", self.why
        try:
            text = self.run.share() if self.run else ""
        except Exception as error:  # rules may raise whatever they like, and a report may not
            why = reason(error)
        if why:
            yield f"No shorter run of it can be shown: {why}"
        if text and self.run and self.run.actions:
            yield f"{len(self.run)} of its {self.failure.events} actions are enough:"
        if text:
            yield text


def shortest_of(
    kind: str, failure: SeedResult, shrunk: Callable[[], Recording], looks: bool = True
) -> Shortest:
    """What `shrunk` finds of a failure, unless Ctrl-C came before and it `looks` no more."""
    if failure.verdict == "killed" or not failure.events:
        return Shortest(kind, failure)
    if not looks:
        return Shortest(kind, failure, interrupted=True)
    try:
        return Shortest(kind, failure, shrunk())
    except ShrinkInterrupted as interrupt:
        return Shortest(kind, failure, interrupt.shortest, interrupted=True)
    except KeyboardInterrupt:  # while the run was played, before anything could be left out
        return Shortest(kind, failure, interrupted=True)
    except Exception as error:  # rules may raise whatever they like, and a report may not
        return Shortest(kind, failure, why=reason(error))


def reason(error: Exception) -> str:
    """What an error says, for the last line of a report."""
    named = str(error) if isinstance(error, Misuse) else f"{type(error).__name__}: {error}"
    return f"{ADDRESS.sub('', named).rstrip('.')}."
