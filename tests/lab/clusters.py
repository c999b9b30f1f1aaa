"""Clusters that the tests of the lab start from."""

from raftlab import Cluster, Rules


class Hasty(Rules):
    """Takes as committed what one node holds: Commit Follows Quorum is soon broken."""

    def majority_match_index(self, match_indexes, configuration):
        return max(match_indexes.values())


class Failing(Rules):
    """A learner's rule with a mistake in it."""

    def verified_index(self, log, prev_log_index, count):
        raise ZeroDivisionError("a mistake of the learner's")


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
