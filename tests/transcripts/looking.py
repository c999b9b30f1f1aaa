"""What `show` prints: one node in a few lines, and the tables of members, reads and answers."""

from collections.abc import Iterable

from raftlab.raft.thesis.membership import describe
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame, NodeFrame, ProgressFrame
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.host import Reading
from raftlab.sim.world.message_text import payload_phrase


def node_text(node: NodeFrame) -> str:
    """A node as a sentence, and under it what it is busy with."""
    if not node.alive:
        return f"{node.node} is down"
    first = (
        f"{node.node} is a {node.role.value} in term {node.term}, vote {node.voted_for or '-'},"
        f" leader {node.leader or '-'}; {log_text(node)}; commit {node.commit_index}"
    )
    return "\n  ".join((first, *busy_with(node)))


def log_text(node: NodeFrame) -> str:
    """The terms of a log; after a snapshot, also where it begins."""
    terms = " ".join(str(entry.term) for entry in node.log) or "empty"
    if node.snapshot is None:
        return f"log {terms}"
    start = f" from {node.log[0].index}:" if node.log else ""
    return f"snapshot up to {node.snapshot.index}; log{start} {terms}"


def busy_with(node: NodeFrame) -> Iterable[str]:
    """One line for each thing that is not as it was when the cluster began."""
    if node.configuration_index > (node.snapshot.index if node.snapshot else 0):
        yield f"members {members_text(node)}"
    if node.clock_rate != 1.0:
        yield f"its clock runs {node.clock_rate:g} times as fast"
    if node.transfer is not None:
        told = f"; {node.transfer.sent} was told to campaign" if node.transfer.sent else ""
        yield f"hands over to {node.transfer.to or 'the first that can'}{told}"
    for read in node.reads:
        needs = "an answer" if read.index is None else f"entry {read.index}"
        yield f"the read of {read.key} waits for {needs}"
    yield from (progress_text(each) for each in node.progress if each.node != node.node)


def progress_text(member: ProgressFrame) -> str:
    """What a leader knows of one member."""
    rounds = "caught up" if member.caught_up else "not caught up"
    learner = f", learner, {rounds}" if member.is_learner else ""
    return (
        f"{member.node}: match {member.match_index}, next {member.next_index},"
        f" {member.state.value}, in flight {member.in_flight}{learner}"
    )


def members_text(node: NodeFrame) -> str:
    """The configuration that a node uses, and where it stands in its log."""
    members = describe(node.configuration)
    if not node.configuration_index:
        return f"{members}, since the beginning"
    committed = node.configuration_index <= node.commit_index
    return (
        f"{members}, entry {node.configuration_index}, {'' if committed else 'not '}known committed"
    )


def members_table(frame: Frame) -> str:
    """Who belongs to the cluster, by the log of each node that is up."""
    return "\n".join(f"{each.node}  {members_text(each)}" for each in frame.nodes if each.alive)


def applied_table(frame: Frame) -> str:
    """What each node that is up has applied, and the values that it has got."""
    return "\n".join(
        f"{node.node}  applied {node.applied_index}: "
        + (" ".join(f"{key}={value}" for key, value in node.values.items()) or "-")
        for node in frame.nodes
        if node.alive
    )


def reads_table(readings: Iterable[Reading]) -> str:
    """What came of every read that was asked for."""
    return "\n".join(map(reading_text, readings)) or "nothing was read"


def reading_text(reading: Reading) -> str:
    """One read and what came of it."""
    asked = f"{reading.key} at {reading.node}, asked at {reading.since:.1f} ms"
    if reading.has_failed:
        return f"{asked}: failed"
    if not reading.is_done:
        return f"{asked}: waits"
    value = "no value" if reading.value is None else reading.value
    return f"{asked}: {value}, from entries 1 to {reading.index}"


def answers_table(cluster: Cluster, name: str, first: int) -> str:
    """What a node's application said to what its log holds, from entry `first`."""
    node = cluster.frame()[name]
    application = KeyValue.decode(node.snapshot.data) if node.snapshot else KeyValue()
    after = node.snapshot.index if node.snapshot else 0
    lines = []
    for entry in node.log:
        if after < entry.index <= node.applied_index:
            said = application.apply(entry) or "-"
            if entry.index >= first:
                lines.append(f"{entry.index:3}  {payload_phrase(entry):12} {said}")
    open_sessions = " ".join(f"{who}#{serial}" for who, serial in application.sessions.items())
    return "\n".join([*lines, f"open sessions: {open_sessions or 'none'}"])
