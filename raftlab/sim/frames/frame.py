"""Frames: immutable pictures of a whole cluster at one moment, and traces of a whole run.

A frame is made only when somebody looks. Views, descriptions and the browser read
frames and never live machines, so a learner's own machine, a replay and a live cluster
are drawn by the same code. What shows itself in a notebook imports its picture then.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import force_setattr

from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import LEADER, Role
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term
from raftlab.sim.frames.frozen import FrozenDict, FrozenLog
from raftlab.sim.world.settings import Network
from raftlab.sim.world.violation import ViolationFrame

if TYPE_CHECKING:
    from raftlab.view import Graph


class ProgressFrame(msgspec.Struct, frozen=True):
    """What a leader knows of one member. See `raftlab.raft.progress`.

    `caught_up`: a learner that may become a voter. `acked_round`: the latest round of
    reads it has answered.
    """

    node: NodeId
    match_index: Index
    next_index: Index
    commit_index: Index
    state: ProgressState
    in_flight: int
    probe_sent: bool
    is_learner: bool = False
    caught_up: bool = False
    acked_round: int = 0


class VotesFrame(msgspec.Struct, frozen=True):
    """One campaign as its candidate counts it. `answers`: voter -> granted or refused."""

    term: Term
    is_prevote: bool
    configuration: Configuration
    answers: Mapping[NodeId, bool]

    def __post_init__(self) -> None:
        force_setattr(self, "answers", FrozenDict(self.answers))


class ReadFrame(msgspec.Struct, frozen=True):
    """A read that a client has asked of a node and that is not answered yet. Thesis: 6.4.

    `key` is what it asks for. `index` is how far the node must have applied the log to
    answer; None while that is not known: the leader first makes sure that it still leads.
    """

    key: str
    since: Millis
    index: Index | None


class TransferFrame(msgspec.Struct, frozen=True):
    """A leader that hands its leadership over. Thesis: 3.10.

    `to` is the chosen node, or None while any that has caught up will do; `sent` is the node
    that was told to campaign at once; `deadline` (ms) is when the leader gives up.
    """

    to: NodeId | None
    sent: NodeId | None
    deadline: Millis


class DiskFrame(msgspec.Struct, frozen=True):
    """What one node's disk holds: what a crash leaves.

    `writing` is whether a write is under way; what it writes is not in here yet.
    """

    term: Term
    voted_for: NodeId | None
    log: Sequence[LogEntry]
    snapshot: Snapshot | None
    writing: bool

    def __post_init__(self) -> None:
        if isinstance(self.log, list):
            force_setattr(self, "log", FrozenLog(self.log))


class NodeFrame(msgspec.Struct, frozen=True):
    """One node. While it is down, only `node`, `alive` and `disk` say anything new.

    `role` to `progress` is its memory; `log` the entries in memory, first to last, after
    `snapshot`, if it has one. `configuration` is the newest in its log, committed or not,
    and stands at `configuration_index` (0: the one that the cluster began with).
    `election_deadline` is when it campaigns (ms), if it is no leader;
    `election_timeout` how long it waits in all (ms). `values` is the application.
    `reads` are the reads that it has not answered; `transfer` is set while it hands its
    leadership over; `clock_rate` is how fast its clock runs (1: true); `write_ms` is how
    long its disk takes for a write, where that was changed.
    """

    node: NodeId
    alive: bool
    paused: bool
    role: Role
    term: Term
    voted_for: NodeId | None
    leader: NodeId | None
    log: Sequence[LogEntry]
    snapshot: Snapshot | None
    commit_index: Index
    applied_index: Index
    configuration: Configuration
    disk: DiskFrame
    election_deadline: Millis | None = None
    election_timeout: Millis | None = None
    heartbeat_deadline: Millis | None = None
    votes: VotesFrame | None = None
    progress: tuple[ProgressFrame, ...] = ()
    values: Mapping[str, str] = {}
    configuration_index: Index = 0
    reads: tuple[ReadFrame, ...] = ()
    transfer: TransferFrame | None = None
    clock_rate: float = 1.0
    write_ms: Millis | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "values", FrozenDict(self.values))
        if isinstance(self.log, list):  # as JSON is read
            force_setattr(self, "log", FrozenLog(self.log))

    @property
    def is_voter(self) -> bool:
        """Whether it has a vote, by the newest configuration in its own log."""
        return self.configuration.can_vote(self.node)

    @property
    def is_member(self) -> bool:
        """Whether it is a voter or a learner, by the newest configuration in its own log."""
        return self.node in self.configuration.members

    @property
    def last_index(self) -> Index:
        """The index of the last entry in memory, of the snapshot if there is none, or 0."""
        if self.log:
            return self.log[-1].index
        return self.snapshot.index if self.snapshot else 0

    @property
    def last_term(self) -> Term:
        """The term of the last entry in memory, of the snapshot if there is none, or 0."""
        if self.log:
            return self.log[-1].term
        return self.snapshot.term if self.snapshot else 0

    def entry(self, index: Index) -> LogEntry | None:
        """The entry in memory at `index` (1-based), or None if it is not there."""
        place = index - self.log[0].index if self.log else -1
        return self.log[place] if 0 <= place < len(self.log) else None


class InFlight(msgspec.Struct, frozen=True):
    """A message on its way. `copies` is above 1 if the network has doubled it.

    `number` names it in the verbs `deliver`, `drop`, `duplicate` and `delay`.
    """

    number: int
    message: Message
    sent_at: Millis
    arrives_at: Millis
    copies: int = 1


class LinkFrame(msgspec.Struct, frozen=True):
    """A directed link that carries messages in a way of its own."""

    sender: NodeId
    receiver: NodeId
    network: Network


class Event(msgspec.Struct, frozen=True):
    """One step of a run in words. `lost` is the message that the step lost, if any.

    `frame` is the number of the frame it led to; `nodes` are those it changed. `rules` are those
    that spoke, each with its node, in order: what was decided is told by them, not by the words.
    """

    frame: int
    at: Millis
    text: str
    nodes: tuple[NodeId, ...] = ()
    lost: Message | None = None
    rules: tuple[tuple[NodeId, str], ...] = ()

    def __str__(self) -> str:
        return f"{self.at:.1f} ms: {self.text}"

    def involves(self, rules: Collection[str]) -> bool:
        """Whether one of these rules has decided something in it."""
        return any(rule in rules for _, rule in self.rules)


class Frame(msgspec.Struct, frozen=True):
    """The cluster after `number` actions, at `at` ms of virtual time.

    `nodes` are in the order of the cluster. `groups` are the sides of the partition, if
    there is one, and `cuts` the directed links (from, to) that carry nothing (those
    between groups included). `network` is how messages are carried, where that is not as the run
    began, and `links` those with settings of their own. `event` is the step that led here, if any.
    `properties` maps the name of each watched property to whether it holds.
    """

    number: int
    at: Millis
    nodes: tuple[NodeFrame, ...]
    in_flight: tuple[InFlight, ...] = ()
    groups: tuple[tuple[NodeId, ...], ...] = ()
    cuts: tuple[tuple[NodeId, NodeId], ...] = ()
    event: Event | None = None
    properties: Mapping[str, bool] = {}
    violation: ViolationFrame | None = None
    network: Network | None = None
    links: tuple[LinkFrame, ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "properties", FrozenDict(self.properties))

    def __getitem__(self, node: NodeId) -> NodeFrame:
        """The frame of one node. Raises: KeyError, naming the nodes there are."""
        for each in self.nodes:
            if each.node == node:
                return each
        names = ", ".join(each.node for each in self.nodes)
        raise KeyError(f"no node {node!r}: this cluster has {names}")

    def graph(self) -> "Graph":
        """The cluster as a networkx graph: an edge leads from each node to all that it reaches.

            graph = cluster.frame().graph()
            list(graph["S1"])                    # whom S1 reaches
            graph.has_edge("S1", "S2")
            graph.nodes["S1"]["role"]            # also term, voted_for, alive, paused

        A node reaches another if a message that it sends now can arrive and be read. Raft
        passes no message on: who cannot be reached directly cannot be reached.
        """
        from raftlab.view import reach_graph

        return reach_graph(self)

    @property
    def leader(self) -> NodeFrame | None:
        """The living leader of the highest term, or None."""
        leaders = [each for each in self.nodes if each.role is LEADER and each.alive]
        return max(leaders, key=lambda each: each.term, default=None)

    @property
    def term(self) -> Term:
        """The highest term that any living node is in; 0 if none lives."""
        return max((each.term for each in self.nodes if each.alive), default=0)

    def __str__(self) -> str:
        from raftlab.view import describe_frame

        return describe_frame(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from raftlab.view import scene_frame

        return scene_frame(self)._repr_mimebundle_()


class MessageSpan(msgspec.Struct, frozen=True):
    """One message in a trace: from `sent_at` to `ended_at` (ms; None: still on its way).

    `delivered` is False for a message that was lost, dropped, or that met a node that
    was down.
    """

    message: Message
    sent_at: Millis
    ended_at: Millis | None
    delivered: bool


class RoleSpan(msgspec.Struct, frozen=True):
    """One stretch of a node's life in one role and term; `role` is None while it is down."""

    node: NodeId
    role: Role | None
    term: Term
    start: Millis
    end: Millis


class TraceMark(msgspec.Struct, frozen=True):
    """A moment worth a mark on a node's life line.

    `kind` is one of "propose", "commit", "crash", "restart", "pause", "resume",
    "timeout", "transfer", "forget", "configuration", "join", "compact", "read", "wipe",
    "clock", "disk", "partition", "heal", "network"; for the last three `node` is None. `detail` is
    the word beside it, where it has one of its own: the command proposed, the entry committed, the
    sides, the settings.
    """

    at: Millis
    node: NodeId | None
    kind: str
    text: str
    detail: str | None = None


class Trace(msgspec.Struct, frozen=True):
    """A run, or a stretch of one, as a space-time diagram needs it. Times in ms."""

    nodes: tuple[NodeId, ...]
    start: Millis
    end: Millis
    spans: tuple[RoleSpan, ...]
    messages: tuple[MessageSpan, ...]
    marks: tuple[TraceMark, ...]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from raftlab.view import scene_timeline

        return scene_timeline(self)._repr_mimebundle_()
