"""What the tests of the lab start from: clusters, and what a control calls."""

from typing import Any
from unittest.mock import patch

from raftlab import Cluster, Rules
from raftlab.lab import Lab, Session, callbacks
from raftlab.lab.control_table import Control


class Hasty(Rules):
    """Takes as committed what one node holds: Commit Follows Quorum is soon broken."""

    def majority_match_index(self, match_indexes, configuration):
        return max(match_indexes.values())


class Failing(Rules):
    """A learner's rule with a mistake in it."""

    def verified_index(self, log, prev_log_index, count):
        raise ZeroDivisionError("a mistake of the learner's")


def heard(lab: Lab, **content) -> None:
    """The stage reports something, as it does from a browser."""
    lab.stage._handle_custom_msg(content, [])


def working(commands: int = 3, nodes: int = 5, seed: int = 7) -> Cluster:
    """A cluster with a leader and some commands under way."""
    cluster = Cluster(nodes, seed=seed)
    cluster.elect()
    for number in range(commands):
        cluster.propose(f"x={number}")
        cluster.run(7)
    return cluster


def hasty() -> Cluster:
    """A cluster that breaks a property soon after its first election."""
    return Cluster(5, seed=7, rules=Hasty())


def called_by(control: Control) -> object:
    """What the verb of a control is the name of."""
    where, _, verb = control.verb.partition(".")
    return getattr({"cluster": Cluster, "session": Session, "lab": callbacks}[where], verb)


def outputs_of(shown: Any) -> list[dict[str, Any]]:
    """What a cell would hold of it, output by output."""
    with patch("IPython.display.display") as display:
        shown._ipython_display_()
    return [call.args[0] for call in display.call_args_list]
