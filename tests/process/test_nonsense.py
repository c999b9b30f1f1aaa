"""Every field of an answer: what is taken, and what no node can mean."""

import json
from typing import Any

import pytest

from raftlab.process import MachineFault
from raftlab.process.run_machines import Machines
from raftlab.process.wire import Reply
from raftlab.raft.log import Command, LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import AppendEntries, InstallSnapshot, RequestVote, TimeoutNow
from raftlab.raft.vocabulary import Configuration, NotLeader, NotNow
from raftlab.sim.world.host import NEVER

THREE = Configuration(("S1", "S2", "S3"))


class Scripted(Machines):
    """Machines that say what a test says they say."""

    def __init__(self):
        super().__init__("scripted", None)
        self.next = {"offers": ["read"]}

    def ask(self, before, line, machine):
        return before.add(line, json.dumps(self.next).encode())


def node():
    """S2 in term 3, which holds a snapshot up to 2 and entries 3 to 5; up to 4 is committed."""
    machines = Scripted()
    entries = [LogEntry(2, index, Command(b"x=1")) for index in (3, 4, 5)]
    made = machines(
        "S2",
        configuration=THREE,
        term=3,
        log=RaftLog(entries, Snapshot(2, 1, THREE, b"")),
    )
    return made, says(made, commit_index=4)


def says(machine, **fields):
    """The machine after it has said that to a message of S1, which stands for election."""
    machine._machines.next = fields
    last = {"last_log_index": 5, "last_log_term": 2}
    machine.advance(RequestVote(term=3, sender="S1", receiver="S2", **last), machine.now + 1)
    return machine


def entry(index, term=3, **payload):
    return {"term": term, "index": index, "payload": payload or {"type": "empty"}}


def members(voters, **more):
    return {"type": "configuration", "voters": voters, **more}


def message(kind="AppendEntries", **changed):
    fields = {
        "AppendEntries": {
            "prev_log_index": 5,
            "prev_log_term": 2,
            "entries": [],
            "leader_commit": 4,
        },
        "AppendEntriesReply": {
            "commit_index": 4,
            "result": {"type": "Accepted", "last_new_index": 5},
        },
        "InstallSnapshot": {"snapshot": snapshot()},
        "ReadIndex": {"read_id": 1, "asked_at": 0.0},
    }[kind]
    return {"type": kind, "term": 3, "sender": "S2", "receiver": "S1", **fields, **changed}


def snapshot(index=4, term=2, voters=("S1", "S2", "S3"), **more):
    return {"index": index, "term": term, "configuration": members(list(voters)), **more}


def result(**fields):
    return message("AppendEntriesReply", result=fields)


REJECTED = dict.fromkeys(("non_matching_index", "last_index", "hint_index", "hint_term"), 0)

REFUSED: dict[str, list[tuple[Any, str]]] = {
    "voted_for": [("S9", "it names S9 in voted_for"), ("", "it names '' in voted_for")],
    "leader": [("S9", "it names S9 in leader")],
    "votes": [({"S9": True}, "it names S9 in votes")],
    "progress": [
        ({"S9": {"next_index": 1}}, "it names S9 in progress"),
        ({"S1": {"next_index": 7}}, "next_index of S1 is 7, and its log ends at 5"),
        ({"S1": {"next_index": 3, "match_index": 3}}, "S1 is to get entry 3 next, and has it"),
    ],
    "truncate_from": [
        (7, "it cuts its log from entry 7 on, and it ends at 5"),
        (2, "entry 2 is in the snapshot up to 2"),
        (4, "it calls entries up to 4 committed, and its log ends at 3"),
    ],
    "log_entries": [
        ([entry(7)], "it writes entry 7 where entry 6 belongs"),
        ([entry(5)], "it writes entry 5 where entry 6 belongs"),
        ([entry(6), entry(8)], "it writes entry 8 where entry 7 belongs"),
        ([entry(6, 4)], "it writes entry 6 of term 4, and is in term 3"),
        ([entry(6, **members([]))], "a configuration needs at least one voter"),
        ([entry(6, **members([""]))], "tuples of names"),
        ([entry(6, **members(["S1", "S1"]))], "names a node twice"),
        ([entry(6, **members(["S1"], learners=["S1"]))], "voter and learner at once"),
        ([entry(6, **members(["S1", "S9"]))], "it names S9 in the configuration of entry 6"),
        ([entry(6, **members(["S1"], learners=["S9"]))], "it names S9 in the configuration of"),
        ([entry(6, **members(["S1"], old_voters=["S9"]))], "it names S9 in the configuration of"),
    ],
    "snapshot": [
        (snapshot(2, 1), "it takes a snapshot up to 2, and has one up to 2"),
        (snapshot(1, 1), "it takes a snapshot up to 1, and has one up to 2"),
        (snapshot(3, 4), "it takes a snapshot of term 4, and is in term 3"),
        (snapshot(voters=()), "a configuration needs at least one voter"),
        (snapshot(voters=("S1", "S9")), "it names S9 in the configuration of its snapshot"),
        (snapshot(data={"base64": "§"}), "no base64"),
    ],
    "first_index": [(3, "it says first_index, and no snapshot")],
    "commit_index": [(6, "it calls entries up to 6 committed, and its log ends at 5")],
    "messages": [
        ([message(sender="S1")], "it sends a message in the name of S1"),
        ([message(receiver="S9")], "it sends a message to S9"),
        ([message(receiver="S2")], "it sends a message to itself"),
        ([message(leader_commit=5)], "it tells S1 that entries up to 5 are committed, and calls"),
        ([message(prev_log_index=-1)], "prev_log_index of a message is -1"),
        ([message(read_round=-1)], "read_round of a message is -1"),
        ([message(entries=[entry(7)])], "it sends entry 7 where entry 6 belongs"),
        ([message(entries=[entry(6, 4)])], "it sends entry 6 of term 4, in a message of term 3"),
        ([message(entries=[entry(6, **members([]))])], "at least one voter"),
        ([message(entries=[entry(6, **members(["S9"]))])], "S9 in the configuration of entry 6"),
        ([message("InstallSnapshot", snapshot=snapshot(voters=()))], "at least one voter"),
        (
            [message("InstallSnapshot", snapshot=snapshot(voters=["S9"]))],
            "S9 in the configuration of the snapshot that it sends",
        ),
        ([result(type="Accepted", last_new_index=-1)], "last_new_index of a message is -1"),
        (
            [
                result(
                    type="Rejected", non_matching_index=1, last_index=1, hint_index=-1, hint_term=0
                )
            ],
            "hint_index of a message is -1",
        ),
    ],
    "messages_at_once": [([message()], "messages_at_once are for options.async_persistence")],
    "reads": [
        ([{"read_id": 7, "index": 3}], "it answers read 7, which nobody has asked"),
        ([{"read_id": 1, "index": 5}], "it answers read 1 at entry 5, and calls entries up to 4"),
        ([{"read_id": 1, "index": 3}] * 2, "it answers read 1, which nobody has asked"),
    ],
    "failed_reads": [([7], "it answers read 7, which nobody has asked")],
    "refused": [({"reason": "no"}, "it refuses what is no question")],
    "term": [(-1, "`$.term`")],
    "wake_at": [(1e400, "JSON")],
    "election_deadline": [("soon", "`$.election_deadline`")],
    "role": [("boss", "`$.role`")],
    "notes": [([7], "`$.notes[0]`")],
    "alarms": [("one", "`$.alarms`")],
    "index": [(0, "`$.index`")],
    "offers": [(["to sing"], "`$.offers[0]`")],
}
"""What no node can mean, field by field, and how it is told."""

FOUND_AS_RAFT = {"term": 2, "commit_index": 1, "role": "leader"}
"""What is wrong as Raft, and so is found by the watched properties."""

TAKEN = [
    {"voted_for": "S1", "leader": "S1", "votes": {"S3": True}},
    {"truncate_from": 6},
    {"truncate_from": 4, "log_entries": [entry(4)]},
    {"log_entries": [entry(6, **members(["S1"], learners=["S3"]))]},
    {"snapshot": snapshot()},
    {"snapshot": snapshot(3, 2), "first_index": 3},
    {"snapshot": snapshot(9, 3)},
    {"snapshot": snapshot(9, 3), "truncate_from": 10},
    {"messages": [message(), message(entries=[entry(6), entry(7)])]},
    {"commit_index": 5, "messages": [message(leader_commit=5)]},
    {"reads": [{"read_id": 1, "index": 4}]},
    {"failed_reads": [1]},
    {"wake_at": None, "election_deadline": None},
    {"wake_at": 0},
    {"role": "leader", "progress": {"S1": {"next_index": 6, "match_index": 5}}},
    {"index": 3, "offers": ["campaign"]},
    *({name: value} for name, value in FOUND_AS_RAFT.items()),
    {},
]

ROWS = [(name, value, said) for name, rows in REFUSED.items() for value, said in rows]


@pytest.mark.parametrize(("name", "value", "said"), ROWS, ids=[f"{n} {s}" for n, _, s in ROWS])
def test_what_no_node_can_mean_is_a_fault_that_says_what(name, value, said):
    machine, _ = node()
    machine.read(machine.now, 1) if name in ("reads", "failed_reads") else None
    with pytest.raises(MachineFault) as fault:
        says(machine, **{"role": "leader"} | {name: value})
    assert said in fault.value.text
    assert fault.value.kind in ("contradiction", "wrong shape", "not JSON")


@pytest.mark.parametrize("said", TAKEN, ids=str)
def test_what_a_node_can_mean_is_taken(said):
    machine, _ = node()
    if "reads" in said or "failed_reads" in said:
        machine.read(machine.now, 1)
    says(machine, **said)


def test_the_table_has_every_field():
    assert set(REFUSED) == set(Reply.__struct_fields__)


FOUR = Configuration(("S1", "S2", "S3", "S4"))
FOURTH = LogEntry(3, 6, FOUR)
SENT = {"term": 3, "sender": "S1", "receiver": "S2"}
CARRIED = AppendEntries(
    **SENT, prev_log_index=5, prev_log_term=2, entries=(FOURTH,), leader_commit=4
)
TELLS = {
    "a message of its own": lambda each: each.advance(TimeoutNow(**SENT | {"sender": "S4"}), 1.0),
    "an entry that is sent": lambda each: each.advance(CARRIED, 1.0),
    "a snapshot that is sent": lambda each: each.advance(
        InstallSnapshot(**SENT, snapshot=Snapshot(6, 3, FOUR, b"")), 1.0
    ),
    "a change that is asked for": lambda each: each.add_entry(FOUR),
    "a handing over": lambda each: each._transfer_leadership("S4"),
}
"""How a node can hear of another one."""


@pytest.mark.parametrize("tells", TELLS.values(), ids=TELLS)
def test_a_node_can_name_whom_it_has_been_told_of(tells):
    machine, _ = node()
    machine._machines.next = {"index": 6, "log_entries": [entry(6, **members(["S1", "S4"]))]}
    tells(machine)
    says(machine, voted_for="S4", leader="S4", votes={"S4": True})


def test_a_node_can_name_whom_its_disk_names():
    for log in (RaftLog([LogEntry(1, 1, FOUR)]), RaftLog([], Snapshot(2, 1, FOUR, b""))):
        machine = Scripted()("S2", configuration=THREE, term=3, log=log)
        says(machine, voted_for="S4")
        assert machine.voted_for == "S4"


def test_a_snapshot_keeps_entries_that_are_there():
    for first, said in ((2, "the first entry that it keeps is 2"), (5, "that it keeps is 5")):
        machine, _ = node()
        with pytest.raises(MachineFault, match=said):
            says(machine, snapshot=snapshot(3, 2), first_index=first)


def test_a_refusal_names_nodes_that_it_has_heard_of():
    machine, _ = node()
    for leader, fault in (("S1", NotNow), (None, NotNow), ("S9", MachineFault)):
        machine._machines.next = {"refused": {"reason": "not_leader", "leader": leader}}
        with pytest.raises(fault):
            machine.read(machine.now, 1)
        machine, _ = node()


def test_a_refusal_says_what_it_is_that_only_a_leader_does():
    asked = {
        "accept entries": lambda machine: machine.add_entry(Command(b"x=1")),
        "answer a read": lambda machine: machine.read(machine.now, 1),
        "hand leadership over": lambda machine: machine._transfer_leadership(),
    }
    for what, ask in asked.items():
        machine, _ = node()
        machine._machines.next = {"refused": {"reason": "not_leader"}}
        with pytest.raises(NotLeader, match=f"and cannot {what};"):
            ask(machine)


def test_a_time_that_is_null_never_comes():
    machine, _ = node()
    assert says(machine, wake_at=None).next_deadline == NEVER
