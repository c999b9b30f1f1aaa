"""The machine as its host sees it: what may be asked, what is refused, what comes out."""

import doctest
import math
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random

import msgspec
import pytest

from raftlab.raft import node as node_module
from raftlab.raft.log import Command, Empty, LogEntry, RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import ReadIndexReply, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING
from raftlab.raft.roles import Cause, Role
from raftlab.raft.thesis.transfer import Transfer
from raftlab.raft.vocabulary import Configuration, Misuse, NotLeader, NotNow
from tests.raft.local import fields_of
from tests.raft.world import (
    COMPLETE,
    FIGURE_2,
    accepted,
    accepted_by_all,
    append,
    candidate,
    drain,
    entries,
    install,
    leader,
    let_time_out,
    log,
    machine,
    names,
    rejected,
    snapshot,
    tell,
    vote,
    vote_request,
)

THREE = Configuration(names(3))
TRAILING = Options.figure_2(trailing_entries=9)
ROLES = {"follower": machine, "candidate": candidate, "leader": leader}
in_every_role = pytest.mark.parametrize("make", ROLES.values(), ids=ROLES)


class Gossip(msgspec.Struct):
    """Something that no Raft node says."""

    term: int
    sender: str = "S2"
    receiver: str = "S1"


def everything(node: RaftStateMachine) -> object:
    """All that a call might change."""
    return (node.fingerprint(), fields_of(node))


# Misuse


@in_every_role
def test_a_message_for_another_node_is_refused_and_changes_nothing(make):
    node = make(term=3)
    before = everything(node)
    with pytest.raises(Misuse, match="S1 was given a message for S2"):
        node.advance(vote_request("S3", 9, to="S2"), node.now + 5.0)
    assert everything(node) == before
    assert node.poll() is NOTHING


@pytest.mark.parametrize(
    ("role", "call"),
    [(role, call) for role in ROLES for call in ("advance", "tick", "campaign")][:-1],
)
@pytest.mark.parametrize("then", [9.0, -1.0, math.nan])
def test_time_that_goes_back_is_refused_and_changes_nothing(role, call, then):
    node = ROLES[role](now=10.0)
    before = everything(node)
    with pytest.raises(Misuse, match="time"):
        if call == "advance":
            node.advance(vote_request("S2", 9), then)
        else:
            getattr(node, call)(then)
    assert everything(node) == before
    assert node.poll() is NOTHING


def test_time_may_stand_still():
    node = machine(now=10.0)
    node.tick(10.0)
    node.advance(vote_request("S2", 9), 10.0)
    assert node.now == 10.0


@in_every_role
@pytest.mark.parametrize("term", [0, 4, 99], ids=["lower", "equal", "higher"])
def test_something_that_is_no_message_is_refused_in_any_term_and_changes_nothing(make, term):
    node = make(term=4 if make is machine else 3)
    assert node.term == 4
    before = everything(node)
    with pytest.raises(Misuse, match="is not a message of Raft"):
        node.advance(Gossip(term), node.now + 5.0)
    assert everything(node) == before
    assert node.poll() is NOTHING


@pytest.mark.parametrize("thing", [None, "hello", 7, ("S2", "S1"), {"term": 1}])
def test_something_without_an_address_is_refused_and_changes_nothing(thing):
    node = machine()
    before = everything(node)
    with pytest.raises(Misuse, match="is not a message of Raft"):
        node.advance(thing, 5.0)
    assert everything(node) == before


@in_every_role
@pytest.mark.parametrize("payload", [None, "x=1", b"x=1", 7, LogEntry(1, 1, Empty()), Command])
def test_an_unknown_payload_is_refused_and_changes_nothing(make, payload):
    node = make(term=3)
    before = everything(node)
    with pytest.raises(Misuse, match="is not a payload"):
        node.add_entry(payload)
    assert everything(node) == before


def test_a_leader_has_no_election_timer_to_run_out():
    node = leader()
    before = everything(node)
    with pytest.raises(NotNow, match="S1 leads term 1 and has no election timer"):
        node.campaign(node.now + 5.0)
    assert everything(node) == before


# How often it is polled


def test_the_host_in_the_machine_s_own_words_does_as_it_says():
    """The docstring of the class shows a host, and what comes of it."""
    found = doctest.DocTestFinder(recurse=False).find(
        RaftStateMachine, "RaftStateMachine", globs={**vars(node_module), **globals()}
    )
    assert sum(len(each.examples) for each in found) >= 8
    for each in found:
        assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(each).failed == 0


@pytest.mark.parametrize("options", [FIGURE_2, COMPLETE], ids=["figure 2", "complete"])
@pytest.mark.parametrize("polls", [1, 2])
def test_a_host_that_polls_once_for_each_call_is_a_step_behind(polls, options):
    """Alone, a node is elected by its own vote, which counts when it is known to be on disk."""
    node = machine(configuration=Configuration(("S1",)), options=options)
    for _ in range(50):
        node.tick(node.next_deadline)
        for _ in range(polls):
            node.poll()
    assert (node.role, node.term) == ((Role.CANDIDATE, 50) if polls == 1 else (Role.LEADER, 1))


def test_after_a_write_that_ends_later_the_machine_is_polled_again():
    node = machine(configuration=Configuration(("S1",)), options=Options(async_persistence=True))
    node.tick(node.next_deadline)
    output = node.poll()
    assert node.poll() is NOTHING and node.role is Role.CANDIDATE
    node.persisted(output)
    assert node.poll().log_entries == (LogEntry(1, 1, Empty()),)


# Who takes commands


def test_a_leader_takes_a_command_and_says_where_it_stands():
    node = leader(terms=(1, 1))
    assert node.add_entry(Command(b"x=1")) == 4
    assert node.add_entry(Empty()) == 5
    assert node.log[4] == LogEntry(2, 4, Command(b"x=1"))


def test_a_follower_refuses_a_command_and_names_its_leader():
    node = machine(term=4)
    tell(node, append("S2", 4))
    before = everything(node)
    with pytest.raises(NotLeader) as refused:
        node.add_entry(Command(b"x=1"))
    assert refused.value.leader == "S2"
    assert str(refused.value) == (
        "S1 is a follower in term 4 and cannot accept entries; its leader is S2."
    )
    assert everything(node) == before


@pytest.mark.parametrize(("make", "role"), [(machine, "follower"), (candidate, "candidate")])
def test_who_knows_no_leader_says_so(make, role):
    node = make()
    with pytest.raises(NotLeader, match=f"S1 is a {role} in term .* it knows no leader") as refused:
        node.add_entry(Command(b"x=1"))
    assert refused.value.leader is None


# How it may start


def test_a_machine_starts_as_a_follower_that_knows_no_leader():
    node = RaftStateMachine("S1", configuration=THREE)
    assert (node.role, node.leader, node.term, node.voted_for) == (Role.FOLLOWER, None, 0, None)
    assert (node.log, node.commit_index, node.now) == (RaftLog(), 0, 0.0)
    assert node._options == COMPLETE
    assert node.poll() is NOTHING


@pytest.mark.parametrize(
    ("about", "complaint"),
    [
        ({"node": ""}, "not empty"),
        ({"configuration": Configuration(())}, "at least one voter"),
        (
            {"terms": (1, 4), "term": 3},
            "cannot start in term 3: its log ends with an entry of term 4",
        ),
        ({"term": -1}, "cannot start in term -1"),
        ({"terms": (1, 1), "commit_index": 3}, "commit index 3: its log ends at 2"),
        ({"terms": (1, 1), "commit_index": -1}, "commit index -1"),
    ],
    ids=[
        "no name",
        "no voters",
        "entry of the future",
        "no term",
        "commit beyond",
        "commit before",
    ],
)
def test_a_start_that_no_run_leads_to_is_refused(about, complaint):
    with pytest.raises(Misuse, match=complaint):
        machine(**about)


def test_a_snapshot_from_the_future_is_refused():
    held = RaftLog((), Snapshot(5, 4, THREE))
    with pytest.raises(Misuse, match="its log ends with an entry of term 4"):
        RaftStateMachine("S1", configuration=THREE, term=3, log=held)


def test_what_the_snapshot_holds_is_committed_and_applied():
    held = RaftLog(entries(4, start=6), Snapshot(5, 4, THREE))
    node = RaftStateMachine("S1", configuration=THREE, term=4, log=held)
    assert node.commit_index == 5
    assert node.poll() is NOTHING


def test_a_machine_that_is_given_no_random_source_still_draws_one_and_always_the_same():
    one, other = (RaftStateMachine("S1", configuration=THREE) for _ in range(2))
    assert one.election_deadline == other.election_deadline
    assert one.election_deadline != RaftStateMachine("S2", configuration=THREE).election_deadline


def test_the_first_timeout_counts_from_the_start():
    node = machine(now=1000.0)
    assert 1150.0 <= node.election_deadline <= 1300.0


# What comes out


@in_every_role
def test_polling_an_idle_machine_gives_nothing(make):
    node = make()
    before = node.fingerprint()
    assert node.poll() is NOTHING
    assert node.poll() is NOTHING
    assert node.fingerprint() == before


@in_every_role
def test_ticks_before_the_deadline_change_nothing(make):
    node = make(options=COMPLETE)
    before, deadline = node.fingerprint(), node.next_deadline
    for share in (0.2, 0.5, 0.999):
        node.tick(node.now + (deadline - node.now) * share)
        assert node.next_deadline == deadline
        assert node.poll() is NOTHING
    assert node.fingerprint() == before


@pytest.mark.parametrize("heartbeats_before", [0, 1, 3])
def test_ticks_before_the_deadline_change_nothing_while_leadership_is_handed_over(
    heartbeats_before,
):
    node = accepted_by_all(leader())
    node.tick(20.0)
    node.transfer_leadership("S2")
    drain(node)
    for _ in range(heartbeats_before):
        let_time_out(node)
    before, deadline = node.fingerprint(), node.next_deadline
    for share in (0.2, 0.5, 0.999):
        node.tick(node.now + (deadline - node.now) * share)
        assert node.poll() is NOTHING
    assert (node.fingerprint(), node.next_deadline) == (before, deadline)


@in_every_role
def test_a_tick_at_the_deadline_does_something_and_moves_it(make):
    node = make()
    deadline = node.next_deadline
    assert let_time_out(node) != []
    assert node.next_deadline > deadline


def test_a_leader_waits_for_its_heartbeat_its_quorum_or_its_transfer_whichever_is_first():
    node = leader(options=COMPLETE)
    held = node.role_data
    held.heartbeat_deadline, node._quorum_deadline = 80.0, 70.0
    assert node._earliest_deadline() == 70.0
    node._quorum_deadline = 90.0
    assert node._earliest_deadline() == 80.0
    node._transfer = Transfer("S2", 60.0, resend_at=60.0)
    assert node._earliest_deadline() == 60.0
    node._transfer = Transfer("S2", 100.0, resend_at=100.0)
    assert node._earliest_deadline() == 80.0
    node._transfer.resend_at = 75.0
    assert node._earliest_deadline() == 75.0


def test_messages_to_itself_are_left_alone():
    node = machine(term=3)
    before = node.fingerprint()
    node.advance(vote_request("S1", 9), 1.0)
    assert node.poll() is NOTHING
    assert node.fingerprint() == before


def test_nothing_is_handed_out_twice():
    node = machine(term=3)
    node.advance(append("S2", 4, (0, 0), (4,), commit=1), 0.0)
    first = node.poll()
    assert first.messages and first.log_entries and first.committed and first.term == 4
    assert node.poll() is NOTHING


def test_every_role_between_two_polls_is_reported():
    node = machine()
    node.tick(node.next_deadline)
    node.advance(append("S2", 1), node.now)
    output = node.poll()
    steps = [(each.before, each.cause, each.after) for each in output.role_changes]
    assert steps == [
        (Role.FOLLOWER, Cause.ELECTION_TIMEOUT, Role.CANDIDATE),
        (Role.CANDIDATE, Cause.LEADER_SEEN, Role.FOLLOWER),
    ]
    assert output.role_change == output.role_changes[-1]


def test_a_change_of_role_is_not_lost_by_a_change_of_nothing_after_it():
    node = machine()
    node.tick(node.next_deadline)
    node.tick(node.now)
    assert node.poll().role_change.after is Role.CANDIDATE


def test_alarms_name_the_node_its_role_and_its_term():
    node = leader(term=3)
    node.advance(append("S2", 4), node.now)
    assert node.poll().alarms[0].startswith("S1, leader in term 4: ")


def test_notes_say_which_rule_decided():
    node = machine(terms=(4,))
    node.advance(vote_request("S2", 5, (0, 0)), 0.0)
    node.advance(append("S3", 5, (9, 5)), 0.0)
    rules = [note.rule for note in node.poll().debug_log]
    assert rules == ["is_newer_term", "candidate_is_up_to_date", "accepts_append"]


@pytest.mark.parametrize(
    ("node", "asked", "rule", "reason"),
    [
        ({"term": 6}, vote_request("S2", 5), "is_stale_term", "that term is over"),
        ({"term": 6, "vote": "S3"}, vote_request("S2", 6), "has_vote_left", "its vote is given"),
        (
            {"terms": (4,)},
            vote_request("S2", 4),
            "candidate_is_up_to_date",
            "its own log is newer",
        ),
    ],
)
def test_a_refusal_names_the_rule_that_refused_and_says_why(node, asked, rule, reason):
    held = machine(**node)
    held.advance(asked, 0.0)
    (note,) = held.poll().debug_log
    assert note.rule == rule
    assert str(note) == f"refuses S2 its vote: {reason}"


@pytest.mark.parametrize(("is_prevote", "kind"), [(False, "vote"), (True, "pre-vote")])
def test_a_grant_is_noted_and_what_was_granted(is_prevote, kind):
    node = machine()
    node.advance(vote_request("S2", 1, is_prevote=is_prevote), 0.0)
    notes = [str(note) for note in node.poll().debug_log]
    assert notes[-1] == f"grants S2 its {kind}"


def test_a_machine_that_is_never_polled_keeps_everything_for_later():
    node = machine(term=1)
    for index in range(1, 6):
        node.advance(append("S2", 1, (index - 1, min(index - 1, 1)), (1,), commit=index), 0.0)
    output = node.poll()
    assert [each.index for each in output.log_entries] == [1, 2, 3, 4, 5]
    assert [each.index for each in output.committed] == [1, 2, 3, 4, 5]
    assert output.messages == tuple(
        accepted("S1", 1, index, commit=index, to="S2") for index in range(1, 6)
    )


# What only some may be asked


@pytest.mark.parametrize(
    ("call", "kind", "complaint"),
    [
        (lambda node: node.compact(3), NotNow, "cannot compact its log up to 3"),
        (lambda node: node.persisted(NOTHING), Misuse, "async_persistence is off"),
    ],
    ids=["compact", "persisted"],
)
@in_every_role
def test_what_nobody_can_do_now_is_refused_and_changes_nothing(make, call, kind, complaint):
    node = make()
    before = everything(node)
    with pytest.raises(kind, match=complaint):
        call(node)
    assert everything(node) == before
    assert node.poll() is NOTHING


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda node: node.read(), "cannot answer a read"),
        (lambda node: node.transfer_leadership(), "cannot hand leadership over"),
        (lambda node: node.transfer_leadership("S2"), "cannot hand leadership over"),
        (lambda node: node.add_entry(Configuration(names(2))), "cannot accept entries"),
    ],
    ids=["read", "transfer", "transfer to S2", "configuration"],
)
@pytest.mark.parametrize("make", [machine, candidate], ids=["follower", "candidate"])
def test_what_only_a_leader_can_do_is_refused_by_name_and_changes_nothing(make, call, what):
    node = make()
    before = everything(node)
    with pytest.raises(NotLeader, match=f"S1 is a {node.role.value} in term .* {what}") as refused:
        call(node)
    assert refused.value.leader is None
    assert everything(node) == before
    assert node.poll() is NOTHING


def test_a_leader_cannot_forget_its_leader_and_nothing_changes():
    node = leader()
    before = everything(node)
    with pytest.raises(NotNow, match="S1 leads term 1 and follows nobody"):
        node.forget_leader()
    assert everything(node) == before


# Copies


def busy() -> RaftStateMachine:
    """A leader with everything that a machine can have queued."""
    node = leader(terms=(1, 1), quiet=False)
    node.add_entry(Command(b"x=1"))
    node.advance(append("S2", 2), node.now)
    return node


@pytest.mark.parametrize(
    "make", [machine, candidate, leader, busy], ids=["follower", "candidate", "leader", "busy"]
)
def test_a_copy_is_the_same_and_says_the_same(make):
    node = make()
    twin = node.copy()
    assert twin.fingerprint() == node.fingerprint()
    assert fields_of(twin) == fields_of(node)
    deadline = node.next_deadline
    for each in (node, twin):
        each.tick(deadline)
        each.advance(vote("S2", each.term), deadline)
    assert twin.poll() == node.poll()
    assert fields_of(twin) == fields_of(node), "they draw the same random numbers"


@pytest.mark.parametrize(
    "make", [machine, candidate, leader, busy], ids=["follower", "candidate", "leader", "busy"]
)
def test_a_copy_goes_its_own_way(make):
    node = make()
    twin = node.copy()
    before, fields = node.fingerprint(), fields_of(node)
    tell(twin, accepted("S3", twin.term, twin.log.last_index))
    tell(twin, append("S2", 9, (0, 0), (9, 9, 9, 9, 9), commit=2))
    let_time_out(twin)
    assert node.fingerprint() == before
    assert fields_of(node) == fields
    assert twin.fingerprint() != before
    if make is busy:
        assert node.poll().alarms


def test_copying_takes_nothing_out():
    node = busy()
    node.copy().poll()
    output = node.poll()
    assert output.messages and output.log_entries and output.role_changes and output.debug_log


def everywhere() -> RaftStateMachine:
    """A leader with a snapshot, a transfer, a read and a follower that waits for a snapshot."""
    node = leader(terms=(1, 1), nodes=5)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 2, 3))
    node.compact(3, b"all")
    tell(node, rejected("S5", 2, at=2, last=0))
    node.read()
    node.transfer_leadership("S4")
    return node


def reading() -> RaftStateMachine:
    """A follower that has asked its leader about a read, and has been told its index."""
    node = machine(term=2)
    tell(node, append("S2", 2))
    node.read()
    node.advance(
        ReadIndexReply(term=2, sender="S2", receiver="S1", read_id=1, asked_at=node.now, index=5),
        node.now,
    )
    node.advance(install("S2", 2, snapshot(3, 1)), node.now)
    return node


@pytest.mark.parametrize("make", [everywhere, reading])
def test_a_copy_keeps_snapshots_transfers_and_reads_and_goes_its_own_way(make):
    node = make()
    twin = node.copy()
    assert twin.fingerprint() == node.fingerprint()
    assert fields_of(twin) == fields_of(node)
    before, fields = node.fingerprint(), fields_of(node)
    tell(twin, append("S2", 9, (3, 1 if make is reading else 2), (9,), commit=2))
    let_time_out(twin)
    assert node.fingerprint() == before
    assert fields_of(node) == fields
    assert twin.fingerprint() != before


def differing() -> dict[str, RaftStateMachine]:
    """Machines that differ from the first in one thing each."""
    asked = machine()
    asked.advance(vote_request("S2", 0, (0, 0)), 0.0)
    unwritten = machine(terms=(1,))
    unwritten.advance(append("S2", 1, (1, 1), (1,)), 0.0)
    written = unwritten.copy()
    written.poll()
    durable = written.copy()
    durable.poll()
    kept, trailing = machine(terms=(1, 1)), machine(terms=(1, 1), options=TRAILING)
    for node in (kept, trailing):
        node.advance(append("S2", 1, (2, 1), commit=2), 0.0)
        drain(node)
    committed = kept.copy()
    kept.compact(1)
    trailing.compact(1)
    taken = kept.copy()
    taken.poll()
    following = machine(term=1)
    tell(following, append("S2", 1))
    asked_once = following.copy()
    asked_once.read()
    answered = asked_once.copy()
    answered.advance(
        ReadIndexReply(term=1, sender="S2", receiver="S1", read_id=1, asked_at=0.0, index=5), 0.0
    )
    forgot = following.copy()
    forgot.forget_leader()
    handing, told = accepted_by_all(leader()), accepted_by_all(leader())
    handing.add_entry(Command(b"x"))
    told.add_entry(Command(b"x"))
    writing = handing.copy()
    for node in (handing, told, writing):
        drain(node)
    handing.transfer_leadership("S2")
    told.transfer_leadership()
    gave_up = told.copy()
    gave_up.tick(gave_up.now + 300.0)
    for node in (handing, told, gave_up, writing):
        drain(node)
    read = writing.copy()
    read.read()
    return {
        "committed": committed,
        "compacted": kept,
        "compacted with a trail": trailing,
        "compacted and written": taken,
        "following": following,
        "asked about a read": asked_once,
        "told about a read": answered,
        "handing over to one": handing,
        "handing over to any": told,
        "has handed over": gave_up,
        "leads on": writing,
        "reads": read,
        "first": machine(),
        "name": machine("S2"),
        "term": machine(term=1),
        "vote": machine(vote="S2"),
        "log": machine(terms=(1,)),
        "commit index": machine(terms=(1,), commit_index=1),
        "configuration": machine(nodes=5),
        "candidate": candidate(),
        "leader": leader(),
        "message": asked,
        "unwritten": unwritten,
        "written": written,
        "durable": durable,
    }


def test_fingerprints_differ_wherever_machines_do():
    prints = {name: node.fingerprint() for name, node in differing().items()}
    assert len(set(prints.values())) == len(prints)
    assert all(hash(each) is not None for each in prints.values())


def test_a_fingerprint_sees_that_a_leader_once_handed_over():
    """A lease is worth nothing any more, whatever else is as before."""
    node = leader()
    twin = node.copy()
    twin._has_handed_over = True
    assert twin.fingerprint() != node.fingerprint()


def test_a_fingerprint_does_not_see_time_or_chance():
    one, other = machine(now=0.0, seed=1), machine(now=500.0, seed=2)
    assert one.fingerprint() == other.fingerprint()


# The same inputs, the same outputs


def scripted(seed: int) -> list[object]:
    """A long conversation with one machine; everything it put out."""
    node = machine(nodes=5, seed=seed, options=COMPLETE)
    rng = Random("the peers")
    said: list[object] = []
    for _ in range(300):
        peer, term = f"S{rng.randint(2, 5)}", node.term + rng.choice((-1, 0, 0, 0, 1))
        last = node.log.last_index
        choice = rng.randrange(6)
        if choice == 0:
            node.tick(max(node.now, node.next_deadline))
        elif choice == 1:
            node.advance(vote_request(peer, term, (last, term)), node.now + 1)
        elif choice == 2:
            node.advance(vote(peer, term), node.now + 1)
        elif choice == 3:
            prev = (last, node.log.last_term)
            node.advance(append(peer, term, prev, (max(term, 1),), commit=last), node.now + 1)
        elif choice == 4:
            node.advance(accepted(peer, term, last), node.now + 1)
        elif node.role is Role.LEADER:
            node.add_entry(Command(b"x"))
        said += [node.poll(), node.next_deadline, hash_free(node)]
    return said


def hash_free(node: RaftStateMachine) -> str:
    """The fingerprint as text, which does not depend on how strings are hashed."""
    return repr(node.fingerprint())


def test_the_same_inputs_give_the_same_outputs():
    assert scripted(3) == scripted(3)


def digest() -> str:
    """The conversation as a few letters."""
    return sha256(repr(scripted(3)).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_inputs_give_the_same_outputs_in_another_process(hash_seed):
    asked = "from tests.raft.test_machine import digest; print(digest())"
    there = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == digest()


def test_another_random_source_gives_other_deadlines_and_nothing_else_at_the_start():
    one, other = machine(seed=1), machine(seed=2)
    assert one.election_deadline != other.election_deadline
    assert one.fingerprint() == other.fingerprint()


def test_a_message_is_for_whom_it_says():
    asked = RequestVote(term=1, sender="S2", receiver="S1", last_log_index=0, last_log_term=0)
    assert tell(machine(), asked) == [vote("S1", 1, to="S2")]


def test_a_log_handed_in_is_the_log_in_use():
    held = log(1, 1)
    assert RaftStateMachine("S1", configuration=THREE, term=1, log=held).log is held
    assert drain(machine()).messages == []
