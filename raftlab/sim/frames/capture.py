"""Making frames of a live cluster. Nothing here runs unless somebody looks."""

from collections.abc import Iterable, Sequence

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.roles import Candidate, Leader, Role
from raftlab.raft.thesis.transfer import Transfer
from raftlab.raft.vocabulary import Configuration, Millis
from raftlab.sim.frames.frame import (
    DiskFrame,
    Event,
    Frame,
    InFlight,
    LinkFrame,
    NodeFrame,
    ProgressFrame,
    ReadFrame,
    TransferFrame,
    VotesFrame,
)
from raftlab.sim.frames.frozen import FrozenLog
from raftlab.sim.watch.properties import PROPERTIES, configuration_of
from raftlab.sim.world.actions import Drop
from raftlab.sim.world.engine import Engine, Moment
from raftlab.sim.world.host import NEVER, Host


def frame_of(cluster: Engine, before: Frame | None = None) -> Frame:
    """The whole cluster as it is now.

    `before` is the frame before its last action: nodes that this has not touched are taken from it.
    """
    event = event_of(cluster.recent[-1]) if cluster.recent else None
    as_before = {
        each.node: each
        for each in (before.nodes if before and event else ())
        if event and each.node not in event.nodes
    }
    watched = cluster.world.setup.watched
    broken = cluster.violation.name if cluster.violation else None
    network = cluster.world.network
    return Frame(
        number=cluster.number,
        at=cluster.now,
        nodes=tuple(
            as_before.get(node) or node_frame(host) for node, host in cluster.hosts.items()
        ),
        in_flight=tuple(
            InFlight(each.number, each.message, each.sent_at, each.arrives_at)
            for each in cluster.in_flight()
        ),
        groups=cluster.world.groups,
        cuts=network.cuts,
        event=event,
        properties={each.name: each.name != broken for each in PROPERTIES if watched},
        violation=cluster.violation,
        network=None if network.settings == cluster.world.setup.network else network.settings,
        links=tuple(LinkFrame(*each) for each in network.own_settings),
    )


def event_of(moment: Moment) -> Event:
    """One step of the run in words."""
    number, action, message, notes = moment
    return Event(
        frame=number,
        at=action.at,
        text=action.sentence(message, notes),
        nodes=tuple(dict.fromkeys((*action.nodes, *(node for node, _ in notes)))),
        lost=message if isinstance(action, Drop) else None,
        rules=tuple((node, note.rule) for node, note in notes),
    )


def node_frame(host: Host) -> NodeFrame:
    """One node as it is now; a node that is down shows what its disk holds."""
    disk = disk_frame(host)
    if not host.alive:
        return NodeFrame(
            node=host.node,
            alive=False,
            paused=False,
            role=Role.FOLLOWER,
            term=disk.term,
            voted_for=disk.voted_for,
            leader=None,
            log=disk.log,
            snapshot=disk.snapshot,
            commit_index=0,
            applied_index=0,
            configuration=configuration_on(host),
            disk=disk,
            configuration_index=host.disk.load_log().configuration_index,
            clock_rate=rate_of(host),
            write_ms=changed_write_ms(host),
        )
    machine = host.machine
    leads = machine.role is Role.LEADER
    data = getattr(machine, "role_data", None)
    return NodeFrame(
        node=host.node,
        alive=True,
        paused=host.paused,
        role=machine.role,
        term=machine.term,
        voted_for=machine.voted_for,
        leader=host.node if leads else getattr(machine, "leader", None),
        log=entries_in(machine.log),
        snapshot=machine.log.snapshot,
        commit_index=machine.commit_index,
        applied_index=host.applied_index,
        configuration=configuration_of(host),
        disk=disk,
        **timers_of(host, data),
        votes=votes_frame(host, data) if isinstance(data, Candidate) else None,
        progress=progress_frames(host, data) if isinstance(data, Leader) else (),
        values=host.application.values,
        configuration_index=machine.log.configuration_index,
        reads=read_frames(host),
        transfer=transfer_frame(host),
        clock_rate=rate_of(host),
        write_ms=changed_write_ms(host),
    )


def rate_of(host: Host) -> float:
    """How fast a node's clock runs."""
    return host.clock.rate if host.clock is not None else 1.0


def changed_write_ms(host: Host) -> Millis | None:
    """How long a write of this node takes (ms), if its disk was made slower or faster."""
    return None if host.write_ms == host.disk.settings.write_ms else host.write_ms


def configuration_on(host: Host) -> Configuration:
    """The newest configuration on a node's disk."""
    log = host.disk.load_log()
    return log.configuration_at(log.last_index) or host.configuration


def timers_of(host: Host, data: object) -> dict[str, Millis | None]:
    """What a machine waits for, in virtual time (ms): its heartbeat, or else its election timer."""
    if host.machine.role is Role.LEADER:
        due = data.heartbeat_deadline if isinstance(data, Leader) else None
        return {"heartbeat_deadline": None if due is None else in_virtual_time(host, due)}
    due = getattr(host.machine, "election_deadline", None)
    span = getattr(host.machine, "_randomized_election_timeout", None)
    return {
        "election_deadline": None if due is None else in_virtual_time(host, due),
        "election_timeout": None if span is None else span / rate_of(host),
    }


def in_virtual_time(host: Host, at: Millis) -> Millis:
    """A moment of a node's own clock, in virtual time (ms)."""
    return at if host.clock is None or at == NEVER else host.clock.when(at)


def read_frames(host: Host) -> tuple[ReadFrame, ...]:
    """The reads that a node has not answered."""
    asked = getattr(host.machine, "_served_from", {})
    return tuple(
        ReadFrame(reading.key, reading.since, asked.get(read_id))
        for read_id, reading in host.readings.items()
    )


def transfer_frame(host: Host) -> TransferFrame | None:
    """The handing over of leadership that is under way."""
    transfer: Transfer | None = getattr(host.machine, "_transfer", None)
    if transfer is None:
        return None
    return TransferFrame(transfer.to, transfer.sent, in_virtual_time(host, transfer.deadline))


def disk_frame(host: Host) -> DiskFrame:
    """What one node's disk holds now."""
    disk = host.disk
    log = FrozenLog(disk.log)
    return DiskFrame(disk.term, disk.voted_for, log, disk.snapshot, bool(disk.writes))


def entries_in(log: Iterable[LogEntry]) -> Sequence[LogEntry]:
    """The entries in memory; of a learner's own log they are copied, since it may change them."""
    return FrozenLog(log.growing()) if type(log) is RaftLog else tuple(log)


def votes_frame(host: Host, candidate: Candidate) -> VotesFrame:
    """One campaign as its candidate counts it."""
    term = host.machine.term + 1 if candidate.is_prevote else host.machine.term
    answers = candidate.votes.answers
    return VotesFrame(term, candidate.is_prevote, configuration_of(host), answers)


def progress_frames(host: Host, leader: Leader) -> tuple[ProgressFrame, ...]:
    """What a leader knows of every member."""
    has_caught_up = getattr(host.machine, "_has_caught_up", lambda each: each.caught_up)
    return tuple(
        ProgressFrame(
            node=each.node,
            match_index=each.match_index,
            next_index=each.next_index,
            commit_index=each.commit_index,
            state=each.state,
            in_flight=len(each.in_flight),
            probe_sent=each.probe_sent,
            is_learner=each.node in leader.tracker.configuration.learners,
            caught_up=has_caught_up(each),
            acked_round=each.acked_round,
        )
        for each in leader.tracker.progress.values()
    )
