"""What clients asked, when, and what they were told: the input of every check of a history.

`operations` is one such question and answer, `history` all of them; they come from a cluster
(`client_history`), from a file (`history_files`), also one of Jepsen's (`jepsen_events`).
"""

from raftlab.check.history.history import History
from raftlab.check.history.operations import Operation, Outcome

__all__ = ["History", "Operation", "Outcome"]
