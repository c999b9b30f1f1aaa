"""Runs for what earlier milestones were about: a program of one's own may have it wrong again.

Each is brought about message by message. Where a program does otherwise than the run asks for, it
has not failed: the run ends, and then there is peace.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from raftlab.grading.machines.trials import Setting, lasts
from raftlab.museum.commitment import figure_8
from raftlab.museum.replication import (
    ProbesWithoutEntries,
    late_copy_and_crash,
)
from raftlab.museum.runs import stale_tail_meets_leader
from raftlab.process.faults import MachineFault
from raftlab.raft.messages import AppendEntriesReply
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import REFUSALS, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import STEADY, is_a, numbers_of, settle, until_sent, with_entry

ONE_BY_ONE = Options.figure_2(max_entries_per_append=1)
SENT_AGAIN = (
    "S1 sends entry 3 once more to S2, which has acknowledged it: an older answer came, and"
    " match_index went back"
)


def late_answer(cluster: Cluster) -> str:
    """S2 acknowledges entry 2, then entry 3; a copy of its first answer comes last."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    until_sent(cluster, "S1", "S2", with_entry(2))
    cluster.duplicate(until_sent(cluster, "S2", "S1", is_a(AppendEntriesReply)))
    copy = until_sent(cluster, "S2", "S1", is_a(AppendEntriesReply))
    cluster.delay(copy, 1000)
    cluster.propose("y=1")
    cluster.run(100)
    cluster.deliver(copy)
    again = cluster.run_until(lambda each: bool(numbers_of(each, "S1", "S2", with_entry(3))), 100)
    return SENT_AGAIN if again else ""


DIRECTED: Sequence[Callable[[Cluster], str | None]] = (late_copy_and_crash, figure_8, late_answer)
"""A message that was overtaken; entries of earlier terms; an answer that was overtaken."""


def overtaken(setting: Setting) -> str:
    """What is wrong with messages that were overtaken, and leaders with entries of old terms."""
    with_another_leader(setting)
    return next((stuck for run in DIRECTED if (stuck := _then_peace(setting, run))), "")


def _then_peace(setting: Setting, run: Callable[[Cluster], str | None]) -> str:
    cluster, wrong = setting.cluster(3, options=ONE_BY_ONE, network=STEADY), None
    with suppress(*REFUSALS):
        wrong = run(cluster)
    cluster.heal()
    for node in cluster.nodes:
        if not cluster.hosts[node].alive:
            cluster.restart(node)
    return wrong or lasts(cluster, "z=1")


def with_another_leader(setting: Setting) -> None:
    """S3 follows a leader of another school, which asks without entries how far the logs agree.

    Raises: Violation. What else goes wrong there is not told: a program need not understand
    others. Nor is the run shown, in which only S3 is the program.
    """
    machines = setting.machine.for_a_run()

    def made(node_id: NodeId, **given: Any) -> Any:
        of: Callable[..., Any] = machines if node_id == "S3" else ProbesWithoutEntries
        return of(node_id, **given)

    setting.last = None
    with suppress(MachineFault, *REFUSALS):
        stale_tail_meets_leader(Cluster(3, seed=setting.seed, machine=made))
