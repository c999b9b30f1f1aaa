"""Mistakes that have a name: how each answers, and the run of the museum that it leads to."""

from collections.abc import Callable
from typing import Any, NamedTuple

from raftlab.raft.rules import Rules
from raftlab.sim.run.recording import Recording


class Mistake(NamedTuple):
    """A known mistake: its `name` as a sentence, and what it `answers` to the arguments of a case.

    Without `answers` it is the rule of the museum's `exhibit`; without that it has no run.
    """

    name: str
    exhibit: str = ""
    answers: Callable[..., Any] | None = None

    def function(self, rule: str) -> Callable[..., Any]:
        """What this mistake has in the place of `rule`."""
        if self.answers is not None:
            return self.answers
        from raftlab.museum import exhibit

        rules: Rules = exhibit(self.exhibit).wrong["rules"]
        function: Callable[..., Any] = getattr(rules, rule)
        return function

    def recording(self) -> Recording:
        """The run that it leads to, in the museum."""
        from raftlab.museum import exhibit

        return exhibit(self.exhibit).recording()
