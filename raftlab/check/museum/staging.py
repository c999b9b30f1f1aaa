"""What the runs of several exhibits have in common: the stage, and how it is set."""

# ruff: noqa: D102 - the class says what its override gets wrong

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, InstallSnapshot, Message, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Millis, Misuse, NodeId
from raftlab.raft.votes import ElectionResult
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network

SMALL: Mapping[str, Any] = {
    "nodes": 3,
    "options": Options.figure_2(),
    "verbs": "isolate partition timeout crash crash_leader cut",
}
"""Random runs of a small cluster that knows Figure 2 alone, where leaders come and go."""

CALM: Mapping[str, Any] = {
    "nodes": 3,
    "options": Options(),
    "network": Network(),
    "verbs": "isolate partition timeout crash cut",
}
"""Random runs of a small cluster with all protections, whose members stay the same."""

NO_COPIES = Network(loss=0.1, reordering=0.3)
"""A bad network, which doubles nothing: what answers each answer would fill it."""


def lead(cluster: Cluster, node: NodeId) -> None:
    """Let `node` lead, if the others let it."""
    with suppress(Misuse):
        cluster.elect(node)


def lead_and_settle(cluster: Cluster, node: NodeId) -> None:
    """Let `node` lead, and everybody know that its first entry is committed."""
    lead(cluster, node)
    cluster.run(200)


def machine_of(cluster: Cluster, node: NodeId) -> RaftStateMachine:
    """The live machine of a node."""
    machine = cluster.machine(node)
    assert isinstance(machine, RaftStateMachine)
    return machine


def flight(
    cluster: Cluster, sender: NodeId, receiver: NodeId, carries: Callable[[Message], bool]
) -> int | None:
    """The number of the newest such message on its way from one node to another, or None."""
    found = [
        each.number
        for each in cluster.in_flight()
        if (each.message.sender, each.message.receiver) == (sender, receiver)
        and carries(each.message)
    ]
    return found[-1] if found else None


def until_sent(
    cluster: Cluster, sender: NodeId, receiver: NodeId, carries: Callable[[Message], bool]
) -> int:
    """Run until such a message is on its way; its number."""
    cluster.run_until(lambda each: flight(cluster, sender, receiver, carries) is not None, 1000)
    number = flight(cluster, sender, receiver, carries)
    assert number is not None, f"{sender} sends {receiver} nothing of the kind"
    return number


def anything(message: Message) -> bool:
    """Whichever message it is."""
    return True


def entry(index: int) -> Callable[[Message], bool]:
    """Whether a message carries the entry at `index`."""

    def carries(message: Message) -> bool:
        return isinstance(message, AppendEntries) and any(
            each.index == index for each in message.entries
        )

    return carries


def stale_tail(cluster: Cluster) -> None:
    """S3 led, and has two entries that nobody else has; S1 leads now, and S3 is cut off."""
    lead_and_settle(cluster, "S3")
    cluster.isolate("S3")
    cluster.propose("stale=1", to="S3")
    cluster.propose("stale=2", to="S3")
    cluster.run(20)
    lead(cluster, "S1")
    cluster.run(100)


def won_if(won: bool) -> ElectionResult:
    """Won, or still open."""
    return ElectionResult.WON if won else ElectionResult.UNKNOWN


def first_election(cluster: Cluster) -> None:
    """S1 asks for votes."""
    lead_and_settle(cluster, "S1")


def one_command(cluster: Cluster) -> None:
    """One election, one command."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.run(200)


class ProbesWithoutEntries(RaftStateMachine):
    """A correct leader of another school: it sends no entries to a follower that is silent."""

    __slots__ = ()

    def _replicate_to(self, progress: FollowerProgress) -> None:
        if progress.state is not ProgressState.PROBE:
            super()._replicate_to(progress)
        elif not progress.probe_sent:
            progress.probe_sent = True
            prev = progress.next_index - 1
            term = self.log.term_for_index(prev) or 0
            node, commit = (progress.node, self.commit_index)
            self._send(
                AppendEntries(
                    term=self.term,
                    sender=self.node_id,
                    receiver=node,
                    prev_log_index=prev,
                    prev_log_term=term,
                    entries=(),
                    leader_commit=commit,
                )
            )


def stale_tail_meets_leader(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    cluster.propose("x=1", to="S1")
    cluster.run(100)
    cluster.heal()
    cluster.run(300)


class NobodySticks(Rules):
    """A living leader is no reason to refuse a candidate."""

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        return False


ONE_BY_ONE = Options.figure_2(single_server_changes=True)


def if_allowed(verb: Callable[..., object], *arguments: object) -> None:
    """Ask for something that the correct rules may refuse."""
    with suppress(Misuse):
        verb(*arguments)


FAST = Network(latency=(1.0, 2.0))


LEASES = Options(lease_reads=True, check_quorum=False)


def commit(cluster: Cluster, command: str) -> None:
    """Let the newest leader commit a command, and its client know."""
    index = cluster.propose(command)
    cluster.run_until(lambda each: each.commit_index >= index, 500)
    cluster.run(5)


ALL = Options(catch_up_first=False)


def is_snapshot(message: object) -> bool:
    """Whether a message carries a snapshot."""
    return isinstance(message, InstallSnapshot)


def left_behind_a_snapshot(cluster: Cluster) -> int:
    """S3 missed what S1 has compacted; the number of the snapshot that S1 sends it."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.compact("S1")
    cluster.heal()
    return until_sent(cluster, "S1", "S3", is_snapshot)
