"""Could one object, used by one client at a time, have given these answers?

Read `models` (what an object answers), `transitions` (a model as a table), `intervals`
(operations in time), `lookahead` and `ordering` (the search), `culprit`, and `checker`, which
one calls.
"""

from raftlab.check.linearizability.checker import BUDGET, Verdict, check

__all__ = ["BUDGET", "Verdict", "check"]
