"""Making frames of a live cluster. Nothing here runs unless somebody looks."""

from raftlab.raft.roles import Candidate, Leader, Role
from raftlab.sim import words
from raftlab.sim.actions import Drop
from raftlab.sim.engine import Engine, Moment
from raftlab.sim.frame import (
    DiskFrame,
    Event,
    Frame,
    InFlight,
    NodeFrame,
    ProgressFrame,
    VotesFrame,
)
from raftlab.sim.host import Host
from raftlab.sim.invariants import PROPERTIES


def frame_of(cluster: Engine) -> Frame:
    """The whole cluster as it is now."""
    watched = cluster.setup.watched
    broken = cluster.violation.name if cluster.violation else None
    return Frame(
        number=cluster.number,
        at=cluster.now,
        nodes=tuple(node_frame(host) for host in cluster.hosts.values()),
        in_flight=tuple(
            InFlight(each.number, each.message, each.sent_at, each.arrives_at)
            for each in cluster.in_flight()
        ),
        groups=cluster.groups,
        cuts=cluster.cuts,
        event=event_of(cluster.recent[-1]) if cluster.recent else None,
        properties={each.name: each.name != broken for each in PROPERTIES if watched},
        violation=cluster.violation,
    )


def event_of(moment: Moment) -> Event:
    """One step of the run in words."""
    number, action, message, notes = moment
    return Event(
        frame=number,
        at=action.at,
        text=words.sentence(action, message, notes),
        nodes=words.nodes_of(action, notes),
        lost=message if isinstance(action, Drop) else None,
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
            configuration=host.configuration,
            disk=disk,
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
        log=tuple(machine.log),
        snapshot=machine.log.snapshot,
        commit_index=machine.commit_index,
        applied_index=host.applied_index,
        configuration=host.configuration,
        disk=disk,
        election_deadline=None if leads else getattr(machine, "election_deadline", None),
        election_timeout=None if leads else getattr(machine, "randomized_election_timeout", None),
        heartbeat_deadline=data.heartbeat_deadline if isinstance(data, Leader) else None,
        votes=votes_frame(host, data) if isinstance(data, Candidate) else None,
        progress=progress_frames(data) if isinstance(data, Leader) else (),
        values=host.application.values,
    )


def disk_frame(host: Host) -> DiskFrame:
    """What one node's disk holds now."""
    disk = host.disk
    return DiskFrame(disk.term, disk.voted_for, tuple(disk.log), disk.snapshot, bool(disk.writes))


def votes_frame(host: Host, candidate: Candidate) -> VotesFrame:
    """One campaign as its candidate counts it."""
    term = host.machine.term + 1 if candidate.is_prevote else host.machine.term
    answers = candidate.votes.answers
    return VotesFrame(term, candidate.is_prevote, host.configuration, answers)


def progress_frames(leader: Leader) -> tuple[ProgressFrame, ...]:
    """What a leader knows of every member."""
    return tuple(
        ProgressFrame(
            node=each.node,
            match_index=each.match_index,
            next_index=each.next_index,
            commit_index=each.commit_index,
            state=each.state,
            in_flight=len(each.in_flight),
            probe_sent=each.probe_sent,
        )
        for each in leader.tracker.progress.values()
    )
