"""Stories that are too long for a cell of a notebook."""

from raftlab.raft.messages import AppendEntries
from raftlab.raft.options import Options
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import until_sent
from raftlab.sim.world.host import MachineFactory

LOGS = {"S1": [1] * 50, "S2": [1] * 50, "S3": [1]}


def resent_after_return(machine: MachineFactory) -> int:
    """S1 leads, is deposed, and is elected again: how many entries it then sends to S3.

    S3 has them all by then, but the new empty one. At first it has one, and S1 and S2 have 50
    (seed 7). It votes for S2 before it hears S1, whose message it refuses for its term; then
    S2 fills its log. Paper: 5.1; Figure 2, volatile state on leaders.
    """
    cluster = Cluster(3, seed=7, options=Options.figure_2(), machine=machine, logs=LOGS)
    cluster.elect("S1")
    late = until_sent(cluster, "S1", "S3")
    cluster.cut("S1", "S2")
    cluster.delay(late, 200)
    cluster.elect("S2")
    cluster.deliver(late)
    cluster.run(15)  # S1 hears the refusal, and nothing of S2
    cluster.heal()
    cluster.run(200)
    assert cluster.machine("S3").log == cluster.machine("S2").log
    cluster.elect("S1")
    back = cluster.now
    spans = cluster.run(100).trace().messages
    sent = [span.message for span in spans if span.sent_at > back]
    return sum(
        len(each.entries)
        for each in sent
        if isinstance(each, AppendEntries) and (each.sender, each.receiver) == ("S1", "S3")
    )
