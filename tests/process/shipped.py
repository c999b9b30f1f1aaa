"""The machine of this package as a process: it speaks lines, and offers all that there is."""

import random
import sys

import msgspec

from raftlab.process import forms, wire
from raftlab.raft.log import Command, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, InstallSnapshot
from raftlab.raft.output import NOTHING
from raftlab.raft.roles import Candidate, Leader
from raftlab.raft.vocabulary import NotLeader, NotNow

LINES = msgspec.json.Decoder(wire.Line)
machines, beliefs = {}, {}


def message_of(line):
    if type(line) is wire.AppendEntriesLine:
        fields = {name: getattr(line, name) for name in line.__struct_fields__}
        return AppendEntries(**{**fields, "entries": tuple(map(forms.entry_of, line.entries))})
    if type(line) is wire.InstallSnapshotLine:
        return InstallSnapshot(
            term=line.term,
            sender=line.sender,
            receiver=line.receiver,
            snapshot=forms.snapshot_of(line.snapshot),
        )
    return line


def payload_of(line):
    return Command(forms.bytes_of(line.data)) if type(line) is wire.CommandLine else line


def start(line):
    log = RaftLog(
        map(forms.entry_of, line.log), forms.snapshot_of(line.snapshot) if line.snapshot else None
    )
    beliefs[line.node] = (line.term, {})
    machines[line.node] = RaftStateMachine(
        line.node,
        configuration=line.configuration,
        term=line.term,
        voted_for=line.voted_for,
        log=log,
        now=line.now,
        rng=random.Random(line.seed),
        options=line.options,
    )
    return {"offers": msgspec.json.schema(list[wire.Ability])["items"]["enum"]}


def done_as(machine, line):
    machine.now = line.now
    match line:
        case wire.Arrives():
            machine.advance(message_of(line.message), line.now)
        case wire.TickLine():
            machine.tick(line.now)
        case wire.AddEntry():
            return {"index": machine.add_entry(payload_of(line.payload))}
        case wire.Campaign():
            machine.campaign(line.now, force=line.force)
        case wire.TransferLine():
            machine.transfer_leadership(line.to)
        case wire.ForgetLine():
            machine.forget_leader()
        case wire.CompactLine():
            machine.compact(line.up_to, forms.bytes_of(line.data))
        case wire.ReadLine():
            machine.read(line.now, line.read_id)
        case wire.Saved():
            count_what_is_written(machine, line)
    return {}


def count_what_is_written(machine, line):
    if machine.role.value == "leader" and (
        machine.log.term_for_index(line.last_index) == line.last_term
    ):
        machine._count_own_copy(line.last_index)
    mine = (line.term, line.voted_for) == (machine.term, machine.node_id)
    if machine.role.value == "candidate" and mine:
        machine._count_own_vote()


def said(machine):
    machine._unconfirmed = False  # the host says what is on the disk
    output = machine.poll()
    out = {} if output is NOTHING else spoken(machine, output)
    data = machine.role_data
    believes = {
        "role": machine.role.value,
        "commit_index": machine.commit_index,
        "leader": machine.leader,
        "wake_at": machine.next_deadline,
    }
    if isinstance(data, Candidate):
        believes["votes"] = data.votes.answers
    if isinstance(data, Leader):
        believes["progress"] = {
            each.node: {
                "next_index": each.next_index,
                "match_index": each.match_index,
                "state": each.state.value,
            }
            for each in data.tracker.progress.values()
        }
    (term, known), beliefs[machine.node_id] = beliefs[machine.node_id], (machine.term, believes)
    if term != machine.term:
        known = {**known, "leader": None}  # a new term forgets it
    return out | {name: value for name, value in believes.items() if known.get(name) != value}


def spoken(machine, output):
    out = {}
    if output.term is not None:
        out |= {"term": output.term, "voted_for": output.voted_for}
    for name in ("truncate_from", "first_index", "reads", "failed_reads", "alarms"):
        if value := getattr(output, name):
            out[name] = value
    if output.log_entries:
        out["log_entries"] = tuple(map(forms.entry_line, output.log_entries))
    if output.snapshot is not None:
        out["snapshot"] = forms.snapshot_line(output.snapshot)
    for name in ("messages", "messages_at_once"):
        if messages := getattr(output, name):
            out[name] = tuple(map(forms.message_line, messages))
    out["notes"] = [{"rule": each.rule, "text": str(each)} for each in output.debug_log]
    return out


def answer(line):
    if isinstance(line, wire.Start):
        return start(line) | said(machines[line.node])
    machine = machines[line.node]
    try:
        return done_as(machine, line) | said(machine)
    except NotLeader as error:
        return {"refused": {"reason": "not_leader", "leader": error.leader}}
    except NotNow as error:
        return {"refused": {"reason": str(error)}}


for text in sys.stdin.buffer:
    sys.stdout.buffer.write(msgspec.json.encode(answer(LINES.decode(text))) + b"\n")
    sys.stdout.buffer.flush()
