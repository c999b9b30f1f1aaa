"""Every name of the system that raftlab set out to complete is here, and works.

The seed was an early snapshot of a deterministic Raft state machine in Nim. The tables below
list its names, row by row, and beside each what exercises it here.
"""

from collections.abc import Callable
from random import Random

import pytest

from raftlab.raft.log import Command, Empty, LogEntry, RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Rejected,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING, Note, Output, ReadReady
from raftlab.raft.progress import FollowerProgress, ProgressState, Tracker
from raftlab.raft.roles import Candidate, Cause, Follower, Leader, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Misuse, NotLeader
from raftlab.raft.votes import ElectionResult, ElectionTracker, Votes
from tests.raft.world import (
    COMPLETE,
    World,
    accepted,
    append,
    candidate,
    drain,
    entries,
    entry,
    leader,
    let_time_out,
    log,
    machine,
    names,
    propose,
    rejected,
    tell,
    terms_of,
    vote,
    vote_request,
)

THREE = Configuration(names(3))


# Data


def numbers():
    node: RaftStateMachine = machine()
    assert (node.node_id, node.term, node.log.last_index) == ("S1", 0, 0)
    tell(node, append("S2", 1, (0, 0), (1,)))
    assert (node.term, node.log[1].index) == (1, 1), "1-based; 0 is before the log"


def roles():
    assert [make().role for make in (machine, candidate, leader)] == [
        Role.FOLLOWER,
        Role.CANDIDATE,
        Role.LEADER,
    ]


def follower_state():
    node = machine()
    assert isinstance(node.role_data, Follower) and node.role_data.leader is None
    tell(node, append("S2", 1))
    assert node.role_data.leader == node.leader == "S2"


def candidate_state():
    node = machine(options=COMPLETE)
    let_time_out(node)
    assert isinstance(node.role_data, Candidate)
    assert isinstance(node.role_data.votes, Votes)
    assert node.role_data.is_prevote is True


def leader_state():
    node = leader()
    assert isinstance(node.role_data, Leader)
    assert isinstance(node.role_data.tracker, Tracker)


def log_entry():
    held = LogEntry(2, 1, Command(b"x=1"))
    assert (held.term, held.index, held.payload.data) == (2, 1, b"x=1")
    for payload in (Empty(), THREE):
        node = machine()
        message = AppendEntries(
            term=1,
            sender="S2",
            receiver="S1",
            prev_log_index=0,
            prev_log_term=0,
            entries=(LogEntry(1, 1, payload),),
            leader_commit=0,
        )
        tell(node, message)
        assert node.log[1].payload == payload


def configuration():
    joint = Configuration(("S1", "S2"), old_voters=("S3",), learners=("S4",))
    assert joint.is_joint and not THREE.is_joint
    assert joint.members == ("S1", "S2", "S3", "S4")
    with pytest.raises(Misuse):
        Configuration(()).check()


def rpc_message():
    for kind in (
        RequestVote, RequestVoteReply, AppendEntries, AppendEntriesReply, InstallSnapshot,
        InstallSnapshotReply, TimeoutNow,
    ):  # fmt: skip
        assert kind.__struct_fields__[:3] == ("term", "sender", "receiver")
        assert kind.__struct_config__.frozen


def vote_request_message():
    asked = let_time_out(machine(terms=(1, 2), options=COMPLETE))
    assert asked[0] == RequestVote(
        term=3, sender="S1", receiver="S2", last_log_index=2, last_log_term=2, is_prevote=True
    )
    node = machine()
    node.campaign(node.now, force=True)
    assert {each.force for each in drain(node).messages} == {True}


def vote_reply_message():
    (reply,) = tell(machine(), vote_request("S2", 1, is_prevote=True))
    assert reply == RequestVoteReply(
        term=1, sender="S1", receiver="S2", vote_granted=True, is_prevote=True
    )


def append_message():
    node = leader(terms=(1,), quiet=False)
    (message, _) = node.poll().messages
    assert message == AppendEntries(
        term=2,
        sender="S1",
        receiver="S2",
        prev_log_index=1,
        prev_log_term=1,
        entries=(node.log[2],),
        leader_commit=0,
    )
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 2, 2))
    assert {each.entries for each in let_time_out(node)} == {()}


def append_reply_message():
    node = machine(terms=(1, 1))
    (yes,) = tell(node, append("S2", 1, (1, 1), (1,), commit=1))
    assert yes == AppendEntriesReply(
        term=1, sender="S1", receiver="S2", commit_index=1, result=Accepted(last_new_index=2)
    )
    (no,) = tell(node, append("S2", 3, (9, 3)))
    assert no == AppendEntriesReply(
        term=3,
        sender="S1",
        receiver="S2",
        commit_index=1,
        result=Rejected(non_matching_index=9, last_index=2, hint_index=2, hint_term=1),
    )


def snapshot_messages():
    held = Snapshot(3, 1, THREE, b"x=1")
    node = machine(term=1)
    assert tell(node, InstallSnapshot(term=1, sender="S2", receiver="S1", snapshot=held)) == [
        InstallSnapshotReply(term=1, sender="S1", receiver="S2", last_index=3, success=True)
    ]
    assert (node.log.snapshot, node.log.last_index, node.commit_index) == (held, 3, 3)
    sent = leader(held=RaftLog((), held), term=1)
    (message,) = tell(sent, rejected("S2", 2, at=3, last=0))
    assert message == InstallSnapshot(term=2, sender="S1", receiver="S2", snapshot=held)
    tell(sent, InstallSnapshotReply(term=2, sender="S2", receiver="S1", last_index=3, success=True))
    assert sent.role_data.tracker.match_indexes()["S2"] == 3
    (asked, _) = tell(machine(), TimeoutNow(term=0, sender="S2", receiver="S1"))
    assert isinstance(asked, RequestVote) and asked.force


def election_result():
    assert {each.name for each in ElectionResult} == {"UNKNOWN", "WON", "LOST"}


def election_tracker():
    tracker = ElectionTracker(names(3))
    assert tracker.tally_vote() is ElectionResult.UNKNOWN
    tracker.register_vote("S1", True)
    tracker.register_vote("S1", True)
    assert (tracker.granted, tracker.silent) == (1, 2)
    tracker.register_vote("S2", False)
    tracker.register_vote("S3", False)
    assert (tracker.refused, tracker.tally_vote()) == (2, ElectionResult.LOST)


def votes():
    assert len(Votes(THREE).trackers) == 1
    joint = Votes(Configuration(names(3), old_voters=("S3", "S4")))
    assert len(joint.trackers) == 2
    assert joint.voters == names(4)


def follower_progress():
    node = leader(terms=(1,))
    tell(node, accepted("S2", 2, 2, commit=1))
    known = node.role_data.tracker.progress["S2"]
    assert isinstance(known, FollowerProgress)
    assert (known.node, known.next_index, known.match_index, known.commit_index) == ("S2", 3, 2, 1)
    assert tuple(node.role_data.tracker.progress) == names(3)


def raft_log():
    assert terms_of(RaftLog(entries(1, 1, 4))) == [1, 1, 4]


def output():
    node = machine(terms=(1, 1))
    node.advance(append("S2", 2, (1, 1), (2,), commit=2), 0.0)
    said = node.poll()
    assert isinstance(said, Output)
    assert (said.term, said.voted_for, said.truncate_from) == (2, None, 2)
    assert said.log_entries == (entry(2, 2),)
    assert said.messages == (accepted("S1", 2, 2, commit=2, to="S2"),)
    assert said.committed == (entry(1, 1), entry(2, 2))
    assert (said.snapshot, said.reads, said.alarms) == (None, (), ())
    assert said.debug_log
    let_time_out(node)
    assert node.role is Role.CANDIDATE
    assert said.role_change is None


def state_machine():
    assert isinstance(RaftStateMachine("S1", configuration=THREE), RaftStateMachine)


def timeouts():
    node = machine(now=100.0)
    assert Options().election_timeout == (150.0, 300.0)
    assert 250.0 <= node.election_deadline <= 400.0
    drawn = {node._randomized_election_timeout}
    for _ in range(5):
        let_time_out(node)
        drawn.add(node._randomized_election_timeout)
    assert len(drawn) == 6, "drawn anew for every campaign"


DATA: dict[str, Callable[[], None]] = {
    "RaftNodeId, RaftNodeTerm, RaftLogIndex": numbers,
    "RaftNodeState follower / candidate / leader": roles,
    "FollowerState.leader": follower_state,
    "CandidateState.votes, isPrevote": candidate_state,
    "LeaderState.followersProgress": leader_state,
    "LogEntry.term, index, kind: rletCommand / rletConfig / rletEmpty": log_entry,
    "RaftConfig.currentSet, Config": configuration,
    "RaftRpcMessage": rpc_message,
    "RaftRpcVoteRequest": vote_request_message,
    "RaftRpcVoteReplay": vote_reply_message,
    "RaftRpcAppendRequest": append_message,
    "RaftRpcAppendReplay, Accepted, Rejected, RaftRpcCode": append_reply_message,
    "RaftInstallSnapshot, RaftSnapshotReply, and TimeoutNow": snapshot_messages,
    "RaftElectionResult": election_result,
    "RaftElectionTracker": election_tracker,
    "RaftVotes": votes,
    "RaftFollowerProgressTracker": follower_progress,
    "RaftLog": raft_log,
    "RaftStateMachineOutput": output,
    "RaftStateMachine": state_machine,
    "lastElectionTime, electionTimeout, randomizedElectionTime": timeouts,
}


# Behaviour


def starts_and_restarts():
    node = RaftStateMachine(
        "S1",
        configuration=THREE,
        term=4,
        voted_for="S2",
        log=log(1, 4),
        commit_index=1,
        now=50.0,
        rng=Random(7),
        options=Options.figure_2(),
        rules=Rules(),
    )
    assert tell(node, vote_request("S3", 4, (9, 4))) == [vote("S1", 4, False, to="S3")]
    assert (node.term, node.voted_for, node.commit_index, node.now) == (4, "S2", 1, 50.0)


def advances():
    node = machine()
    node.advance(vote_request("S2", 1), 3.0)
    assert (node.now, node.poll().messages) == (3.0, (vote("S1", 1, to="S2"),))


def ticks():
    node = machine()
    node.tick(node.next_deadline - 1)
    assert node.poll() is NOTHING
    node.tick(node.next_deadline)
    assert node.role is Role.CANDIDATE
    led = leader()
    led.tick(led.next_deadline)
    assert all(isinstance(each, AppendEntries) for each in led.poll().messages)


def polls():
    node = machine()
    assert node.poll() is NOTHING
    node.tick(node.next_deadline)
    assert node.poll().messages
    assert node.poll() is NOTHING


def adds_entries():
    node = leader()
    assert node.add_entry(Command(b"x=1")) == 2
    assert node.add_entry(Empty()) == 3
    assert node.add_entry(Configuration(names(3), learners=("S4",))) == 4
    assert node.configuration.learners == ("S4",)
    follower = machine()
    tell(follower, append("S2", 1))
    with pytest.raises(NotLeader) as refused:
        follower.add_entry(Command(b"x=1"))
    assert refused.value.leader == "S2"


def becomes():
    node = machine()
    node._become_candidate()
    assert (node.role, node.term) == (Role.CANDIDATE, 1)
    node._become_leader()
    assert (node.role, node.log.last_term) == (Role.LEADER, 1)
    node._become_follower("S2", Cause.HIGHER_TERM)
    assert (node.role, node.leader) == (Role.FOLLOWER, "S2")


def handles():
    node = machine(term=1)
    node._on_request_vote(vote_request("S2", 1))
    assert node.voted_for == "S2"
    node._on_append_entries(append("S2", 1, (0, 0), (1,)))
    assert node.log.last_index == 1
    standing = candidate()
    standing._on_request_vote_reply(vote("S2", 1))
    assert standing.role is Role.LEADER
    standing._on_append_entries_reply(accepted("S2", 1, 1))
    assert standing.role_data.tracker.match_indexes()["S2"] == 1


def sends():
    node = leader(terms=(1,))
    node._send(vote("S1", 2, to="S2"))
    assert node.poll().messages == (vote("S1", 2, to="S2"),)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 2, 2))
    node.add_entry(Command(b"x"))
    node._replicate_to(node.role_data.tracker.progress["S2"])
    node._replicate()
    assert [each.receiver for each in node.poll().messages] == ["S2", "S3"]


def commits():
    rules = Rules()
    assert rules.leader_commit_index(3, log(1, 2, 3), 3, 0) == 3
    assert rules.leader_commit_index(2, log(1, 2, 3), 3, 0) == 0
    assert rules.follower_commit_index(9, 2, log(1, 1, 1), 0) == 2
    node = leader(nodes=5)
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 0
    tell(node, accepted("S3", 1, 1))
    assert node.commit_index == 1


def resets_timeouts():
    node = machine()
    before = node.election_deadline
    node._reset_election_timeout()
    assert node.election_deadline != before
    assert node.election_deadline == node.now + node._randomized_election_timeout


def registers_and_tallies_votes():
    count = Votes(THREE)
    assert count.register_vote("S1", True)
    assert not count.register_vote("S9", True)
    assert count.tally_vote() is ElectionResult.UNKNOWN
    count.register_vote("S2", True)
    assert count.tally_vote() is Rules().tally_vote(count) is ElectionResult.WON


def accepts():
    known = FollowerProgress("S2", 4, 0.0)
    known.accepted(6)
    assert (known.match_index, known.next_index) == (6, 7)


def measures_the_log():
    held = log(1, 1, 4)
    assert (held.last_term, held.last_index, held.next_index, len(held)) == (4, 3, 4, 3)


def compares_logs():
    assert log(1, 4).is_up_to_date(1, 5) and not log(1, 4).is_up_to_date(9, 3)


def looks_things_up():
    held = log(1, 1, 4)
    assert held.match_term(3, 4) and held.match_term(0, 0) and not held.match_term(4, 4)
    assert held.term_for_index(2) == 1
    assert held[3] == entry(3, 4)


def changes_the_log():
    held = log(1, 1)
    held.append_as_leader(2, Command(b"x"))
    held.truncate_uncommitted(2)
    held.append_as_follower(entries(3, 3, start=2))
    assert (terms_of(held), held.stable_index) == ([1, 3, 3], 1)


def learns_its_leader():
    for options in (COMPLETE, Options.figure_2()):
        with World(3, options=options) as world:
            world.elect("S1")
            world.crash("S2")
            world.restart("S2")
            assert world["S2"].leader is None
            world.heartbeat("S1")
            assert world["S2"].leader == "S1"


def explains():
    node = machine(terms=(4,))
    node.advance(vote_request("S2", 4, (0, 0)), 0.0)
    assert node.poll().debug_log == (
        Note(
            "candidate_is_up_to_date",
            "refuses {} its {}: {}",
            ("S2", "vote", "its own log is newer"),
        ),
    )


BEHAVIOUR: dict[str, Callable[[], None]] = {
    "initRaftStateMachine": starts_and_restarts,
    "advance(msg, now)": advances,
    "tick(now), tickLeader": ticks,
    "poll()": polls,
    "addEntry(command / config / empty), addEmptyEntry": adds_entries,
    "becomeFollower / becomeCandidate / becomeLeader": becomes,
    "requestVote, requestVoteReply, appendEntry, appendEntryReply": handles,
    "sendTo, createVoteRequest, replicateTo, replicate": sends,
    "commit, advanceCommitIdx, toCommit": commits,
    "resetElectionTimeout": resets_timeouts,
    "registerVote, tallyVote": registers_and_tallies_votes,
    "accepted(index)": accepts,
    "lastTerm, lastIndex, nextIndex, entriesCount": measures_the_log,
    "isUpToDate(index, term)": compares_logs,
    "matchTerm, termForIndex, getEntryByIndex": looks_things_up,
    "appendAsLeader, appendAsFollower, truncateUncomitted": changes_the_log,
    "pingLeader": learns_its_leader,
    "debug, debugLogs": explains,
}


# What the seed's TODOs ask for


def real_random_timeouts():
    drawn = {round(machine(node).election_deadline, 3) for node in names(20)}
    assert len(drawn) == 20


def pre_vote():
    node = machine(options=COMPLETE, term=3)
    assert {each.is_prevote for each in let_time_out(node)} == {True}
    assert node.term == 3


def steps_down_without_a_quorum():
    node = leader(options=COMPLETE)
    for _ in range(10):
        if node.role is Role.LEADER:
            let_time_out(node)
    assert (node.role, node.now) == (Role.FOLLOWER, COMPLETE.election_timeout[0])


def joint_votes():
    node = candidate(configuration=Configuration(names(3), old_voters=("S4", "S5", "S6")))
    for peer in ("S2", "S3"):
        tell(node, vote(peer, 1))
    assert node.role is Role.CANDIDATE


def truncates_uncommitted_entries():
    node = machine(terms=(1, 1, 1), commit_index=1)
    tell(node, append("S2", 2, (1, 1), (2,)))
    assert terms_of(node) == [1, 2]


def tracks_followers():
    node = leader(terms=(1, 1))
    tell(node, rejected("S2", 2, at=2, last=0))
    assert node.role_data.tracker.progress["S2"].state is ProgressState.PROBE
    tell(node, accepted("S2", 2, 1))
    assert node.role_data.tracker.progress["S2"].state is ProgressState.PIPELINE


def signals_every_commit_and_every_change_of_durable_state():
    node = leader(nodes=1 + 2)
    propose(node)
    node.advance(accepted("S2", 1, 2), node.now)
    assert [each.index for each in node.poll().committed] == [1, 2]
    node.advance(vote_request("S2", 5, (9, 4)), node.now)
    said = node.poll()
    assert (said.term, said.voted_for) == (5, "S2")


def changes_the_configuration():
    with World(3) as world:
        world.elect("S1")
        assert world["S1"].add_entry(Configuration(("S1", "S2"))) == 2
        assert world["S1"].configuration == Configuration(("S1", "S2"), old_voters=names(3))
        world.pump("S1")
        world.settle()
        assert world["S1"].configuration == Configuration(("S1", "S2"))
        assert [each.payload for each in world.applied["S1"]][1:] == [
            Configuration(("S1", "S2"), old_voters=names(3)),
            Configuration(("S1", "S2")),
        ]


def compacts_its_log():
    with World(3) as world:
        world.elect("S1", "S1", "S2")
        world.propose("S1")
        world.settle("S1", "S2")
        world.compact("S1")
        assert (world["S1"].log.first_index, len(world["S1"].log)) == (3, 0)
        world.heartbeat("S1")
        assert world["S3"].log.snapshot == world["S1"].log.snapshot
        assert world.applied["S3"] == world.applied["S1"]


def reads():
    with World(3) as world:
        world.elect("S1")
        asked = world["S1"].read()
        question = world["S1"].poll()
        assert question.reads == () and question.messages
        for message in question.messages[:1]:
            world.hand(message)
        world["S1"].advance(world.take(AppendEntriesReply, "S2", "S1"), world.now)
        assert world["S1"].poll().reads == (ReadReady(asked, 1),)


def hands_leadership_over():
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        world.settle()
        assert [world[node].role for node in names(3)] == [
            Role.FOLLOWER,
            Role.LEADER,
            Role.FOLLOWER,
        ]


def is_told_what_is_durable():
    node = leader(options=Options(async_persistence=True))
    tell(node, accepted("S2", 1, 1))
    node.add_entry(Command(b"x=1"))
    writing = node.poll()
    assert writing.log_entries and writing.messages_at_once and not writing.messages
    assert node.poll() is NOTHING
    assert node.role_data.tracker.match_indexes()["S1"] == 1
    node.persisted(writing)
    assert node.role_data.tracker.match_indexes()["S1"] == 2


TODOS: dict[str, Callable[[], None]] = {
    "real random timeouts": real_random_timeouts,
    "pre-vote": pre_vote,
    "leader step-down without a quorum": steps_down_without_a_quorum,
    "configuration changes in the log": changes_the_configuration,
    "configuration changes in the votes": joint_votes,
    "snapshots and a log that no longer starts at 1": compacts_its_log,
    "truncation of uncommitted entries": truncates_uncommitted_entries,
    "the follower tracker": tracks_followers,
    "signalling every commit and every change of durable state":
        signals_every_commit_and_every_change_of_durable_state,
    "signalling what is durable, as it happens": is_told_what_is_durable,
    "leadership transfer": hands_leadership_over,
    "reads": reads,
}  # fmt: skip


ROWS = {**DATA, **BEHAVIOUR, **TODOS}


@pytest.mark.parametrize("row", ROWS)
def test_what_the_seed_names_is_here_and_works(row):
    ROWS[row]()


def test_no_row_is_left_out():
    assert (len(DATA), len(BEHAVIOUR), len(TODOS)) == (21, 18, 12)
