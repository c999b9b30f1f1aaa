"""What a command says in the end: an exit code, a text for people, a document for programs."""

import json
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import NodeFrame
from raftlab.sim.run.recording import Recording

Document = Mapping[str, Any]


class Exit(IntEnum):
    """How a command ended."""

    FINE = 0
    FOUND = 1
    USAGE = 2
    UNKNOWN = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141


EXIT_CODES = """\
exit codes:
  0    fine: nothing is wrong
  1    something was found: a broken property, a history that is not linearizable,
       failing seeds
  2    this cannot be done as it was asked (one line on the standard error output)
  3    unknown: a budget was used up before it was clear
  130  interrupted with Ctrl-C"""


OF_A_NODE = (
    *("node", "alive", "paused", "role", "term", "voted_for"),
    *("last_index", "last_term", "commit_index", "applied_index", "values"),
)
OF_A_VIOLATION = ("name", "text", "paper", "frame", "nodes")
"""What programs read of a `NodeFrame` and of a `ViolationFrame`."""


class Answer(NamedTuple):
    """What came of a command. `text` is printed, or `document`, if JSON is asked for."""

    code: int
    text: str
    document: Document

    def as_json(self, command: str) -> str:
        """The document as JSON, with the command and the exit code in front."""
        whole = {"command": command, "exit": int(self.code), **self.document}
        return json.dumps(whole, indent=2)


def about_run(cluster: Cluster, parts: Mapping[str, Any] | None = None) -> Answer:
    """Where a run stands: cluster, values, what is broken, and other `parts` by their keys."""
    told = dict(parts or {})
    stands = [str(cluster).rstrip(), *_values(cluster), *_failure(cluster)]
    text = "\n\n".join([*stands, *_texts(told)])
    found = cluster.violation is not None or cluster.stopped is not None
    document = {**run_document(cluster), **told}
    return Answer(Exit.FOUND if found else Exit.FINE, text, document)


def _values(cluster: Cluster) -> list[str]:
    """What the nodes have applied, and the values that came of it, once there are any."""
    from raftlab.view import describe_state_machines

    frame = cluster.frame()
    if not any(node.values for node in frame.nodes):
        return []
    return [describe_state_machines(frame).partition("\n\n")[2]]


def _failure(cluster: Cluster) -> list[str]:
    """What stopped a run; a broken property stands in the cluster's own text."""
    if cluster.violation is not None or cluster.stopped is None:
        return []
    return [f"The run stopped: {cluster.stopped}."]


def _texts(parts: Mapping[str, Any]) -> list[str]:
    return [
        "\n".join(part) if isinstance(part, list) else str(part).rstrip()
        for part in parts.values()
        if part is not None
    ]


def run_document(cluster: Cluster) -> dict[str, Any]:
    """A cluster as programs read it."""
    frame = cluster.frame()
    return {
        "frame": frame.number,
        "at_ms": frame.at,
        "leader": frame.leader.node if frame.leader else None,
        "term": frame.term,
        "nodes": [_node_document(each) for each in frame.nodes],
        "violation": violation_document(cluster),
        "stopped": cluster.stopped,
        "share": share_of(cluster.recording),
    }


def _node_document(node: NodeFrame) -> dict[str, Any]:
    told = {name: getattr(node, name) for name in OF_A_NODE}
    return {**told, "role": node.role.value, "values": dict(node.values)}


def violation_document(cluster: Cluster) -> dict[str, Any] | None:
    """What is broken, if anything is."""
    broken = cluster.violation
    return None if broken is None else {name: getattr(broken, name) for name in OF_A_VIOLATION}


def share_of(recording: Recording) -> str | None:
    """The text that stands for a run, or None, if the run does not play again as it went."""
    try:
        return recording.share()
    except Misuse:
        return None
