"""What is wrong with a random run at its end, if anything is."""

from typing import Literal, TypeAlias

import msgspec

from raftlab.check.campaign.after_healing import disagreement, disturbance, failed_task, members
from raftlab.check.campaign.random_run import PATIENCE_MS
from raftlab.check.campaign.run_state import RandomRun
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.host import Host

ComplaintKind: TypeAlias = Literal["healing", "answers", "alarms"]


class Complaint(msgspec.Struct, frozen=True):
    """What is wrong at the end of a run, and of which kind that is.

    * `healing`: it did not go on when the faults were over;
    * `answers`: what was shown, read or executed is not what was committed;
    * `alarms`: a machine reported something that cannot be.
    """

    kind: ComplaintKind
    text: str


def complaint(run: RandomRun, operator: bool = True) -> Complaint | None:
    """What is wrong with a run that should have settled, or None.

    At the end an `operator` asks for a few things, which must be done.
    """
    if run.settled_after is None:
        patience = f"within {PATIENCE_MS:g} ms of peace"
        return Complaint("healing", f"no new command on every member {patience}{disagreement(run)}")
    if said := wrong_answer(run) or wrong_read(run):
        return Complaint("answers", said)
    if said := disturbance(run) or (failed_task(run) if operator else None):
        return Complaint("healing", said)
    alarms = run.cluster.engine.world.alarms
    return Complaint("alarms", f"alarms: {alarms}") if alarms else None


def wrong_answer(run: RandomRun) -> str | None:
    """A value that is not what was committed, or not what a client was shown, or None."""
    should = KeyValue()
    for entry in run.committed:
        should.apply(entry)
    for host in members(run.cluster):
        if host.application.encode() != should.encode():
            return f"{host.node} holds other values than were committed"
        if logs_differ(members(run.cluster)[0], host):
            return f"{host.node} has another log"
    for key, value in run.values_seen.items():
        if key.startswith("k") and should.get(key) != value:
            return f"{key}={value} was shown to somebody, and is gone"
    for client, serial in should.sessions.items():
        if int(should.get(client) or 0) != serial:
            return f"{client} sent {serial} commands, and {should.get(client)} were executed"
    return None


def logs_differ(one: Host, other: Host) -> bool:
    """Whether two logs differ where both still hold entries."""
    log, first = one.machine.log, other.machine.log.first_index
    return any(entry != other.machine.log[entry.index] for entry in log if entry.index >= first)


def wrong_read(run: RandomRun) -> str | None:
    """A read that did not show what the entries up to its index say, or None."""
    done = sorted((each.index or 0, each.key, each.value) for each in run.readings if each.is_done)
    application, entries = KeyValue(), iter(run.committed)
    applied = 0
    for index, key, value in done:
        while applied < index:
            application.apply(next(entries))
            applied += 1
        if application.get(key) != value:
            return f"a read of {key} at {index} gave {value} and not {application.get(key)}"
    return None
