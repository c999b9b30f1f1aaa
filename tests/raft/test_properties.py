"""Whatever peers say, in whatever order, a machine never raises and stays sound.

The first properties give one machine any sequence of messages, however absurd, and between
them ticks, polls, restarts and whatever a host may wish, and check it after every call; what
is refused changes nothing. The last lets machines talk to each other over a network that
loses, doubles and reorders at will, and checks what no machine can see alone.
"""

from contextlib import suppress
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftlab.raft.log import Command, Empty, LogEntry, RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    ReadIndex,
    ReadIndexReply,
    Rejected,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING, Output, ReadReady
from raftlab.raft.roles import Role
from raftlab.raft.thesis.transfer import Transfer
from raftlab.raft.vocabulary import REFUSALS, Configuration, Misuse, NotNow
from tests.raft import world
from tests.raft.local import Before, LocalInvariants, check_local, fields_of
from tests.raft.world import COMPLETE, FIGURE_2, Disk, World, names

CONFIGURATIONS = [
    Configuration(("S1",)),
    Configuration(("S1", "S2")),
    Configuration(names(3)),
    Configuration(names(5)),
    Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4", "S5")),
    Configuration(("S2", "S3"), old_voters=("S1", "S2")),
    Configuration(("S1", "S2", "S3"), learners=("S4",)),
    Configuration(("S2", "S3"), learners=("S1",)),
    Configuration(("S2", "S3")),
]

OPTIONS = [
    FIGURE_2,
    COMPLETE,
    Options.figure_2(pre_vote=True),
    Options.figure_2(max_in_flight=1, max_entries_per_append=1),
    Options.figure_2(trailing_entries=2, max_bytes_per_append=1, max_uncommitted_bytes=4),
    Options(async_persistence=True, trailing_entries=1),
    Options(lease_reads=True, snapshot_timeout=60.0, transfer_timeout=70.0),
    Options.figure_2(single_server_changes=True, async_persistence=True),
]

PAYLOADS = [
    Command(b""),
    Command(b"x=1"),
    Empty(),
    Configuration(("S1", "S2")),
    Configuration(("S1", "S2"), old_voters=("S1", "S3"), learners=("S4",)),
    Configuration(()),
    Configuration((), old_voters=("S1",)),
    Configuration(("S1", "S1", "S2"), learners=("S1", "")),
]

TARGETS = [
    Configuration(("S1", "S2", "S3")),
    Configuration(("S1", "S2", "S3", "S4")),
    Configuration(("S2", "S3")),
    Configuration(("S1",)),
    Configuration(("S1", "S2", "S3"), learners=("S4", "S5")),
    *PAYLOADS[4:],
]

# A number near to where things are, or one from far away.
drawn_near = st.one_of(
    st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([-(10**9), -7, 7, 10**9, 10**30])
)
peers = st.sampled_from(["S2", "S2", "S3", "S3", "S4", "S5", "S9", "", "S1"])
flags = st.booleans()

sent_entries = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 0, 0, 0, 1, -1, 5]),
        st.sampled_from([0, 0, 0, 0, 0, 1, 1, -1, 9]),
        st.sampled_from(PAYLOADS),
    ),
    max_size=5,
)

letters = st.one_of(
    st.tuples(st.just("ask"), peers, drawn_near, drawn_near, drawn_near, flags, flags),
    st.tuples(st.just("vote"), peers, drawn_near, flags, flags),
    st.tuples(
        st.just("append"), peers, drawn_near, drawn_near, drawn_near, drawn_near, sent_entries
    ),
    st.tuples(st.just("accept"), peers, drawn_near, drawn_near, drawn_near, drawn_near),
    st.tuples(st.just("reject"), peers, drawn_near, *[drawn_near] * 5),
    st.tuples(
        st.just("snapshot"),
        peers,
        drawn_near,
        drawn_near,
        drawn_near,
        st.sampled_from([None, *TARGETS]),
    ),
    st.tuples(st.just("snapshot reply"), peers, drawn_near, drawn_near, flags),
    st.tuples(st.just("time out"), peers, drawn_near),
    st.tuples(st.just("ask index"), peers, drawn_near, drawn_near),
    st.tuples(st.just("tell index"), peers, drawn_near, drawn_near, flags, drawn_near),
)

# What a machine may well be told, in the role that it has.
members = st.sampled_from(["S2", "S3", "S2", "S3", "S4", "S5"])
proper_entries = st.lists(
    st.tuples(st.just(0), st.sampled_from([0, 0, 0, 1]), st.sampled_from(PAYLOADS[:6])), max_size=4
)
soon, back, here = st.sampled_from([0, 0, 0, 0, 1]), st.integers(-3, 0), st.just(0)
to_followers = st.one_of(
    st.tuples(st.just("append"), members, soon, back, here, back, proper_entries),
    st.tuples(st.just("append"), members, soon, here, here, st.just(3), proper_entries),
    st.tuples(
        st.just("snapshot"), members, soon, st.integers(-2, 3), st.integers(0, 1), st.just(None)
    ),
    st.tuples(st.just("vote"), members, here, st.just(True), flags),
    st.tuples(st.just("win")),
    # of its own term, and absurd all the same
    st.tuples(st.just("append"), members, here, *[drawn_near] * 3, sent_entries),
    st.tuples(st.just("snapshot"), members, here, drawn_near, drawn_near, st.just(None)),
)
to_leaders = st.one_of(
    st.tuples(st.just("accept"), members, here, back, back, st.integers(-1, 0)),
    st.tuples(st.just("accept"), members, here, here, here, here),
    st.tuples(st.just("reject"), members, here, back, back, back, back, here),
    st.tuples(st.just("snapshot reply"), members, here, back, flags),
    st.tuples(st.just("ask index"), members, here, st.integers(0, 3)),
    st.tuples(st.just("accept"), members, here, *[drawn_near] * 3),
    st.tuples(st.just("reject"), members, here, *[drawn_near] * 5),
)
calls = st.one_of(
    st.tuples(st.just("tick"), st.sampled_from([0.0, 1.0, 60.0, 400.0])),
    st.tuples(st.just("deadline")),
    st.tuples(st.just("campaign"), flags),
    st.tuples(st.just("propose"), st.sampled_from(PAYLOADS[:3])),
    st.tuples(st.just("propose"), st.sampled_from(TARGETS)),
    st.tuples(st.just("compact"), st.sampled_from([0, 0, 0, -1, 1, -7, 10**9])),
    st.tuples(st.just("persisted"), st.integers(0, 3)),
    st.tuples(st.just("read")),
    st.tuples(st.just("transfer"), st.sampled_from([None, "S1", "S2", "S3", "S9"])),
    st.tuples(st.just("forget")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("copy")),
)
WHAT = {
    "letter": letters,
    "to follower": to_followers,
    "to leader": to_leaders,
    "call": calls,
    "poll": st.just(("poll",)),
}


def mixed(*kinds: str) -> st.SearchStrategy:
    """Scripts in which a kind of step comes as often as it is named here."""
    one = st.sampled_from(kinds).flatmap(WHAT.__getitem__)
    return st.lists(one, min_size=15, max_size=60)


steps = mixed("letter", *["to follower"] * 3, *["to leader"] * 2, *["call"] * 3, "poll")
leading_steps = mixed("letter", *["to leader"] * 8, *["call"] * 6, *["poll"] * 3)


def times(examples: int) -> settings:
    """So many examples in every run, and ten times as many where new ones are looked for."""
    return settings(max_examples=examples * settings.default.max_examples // 100)


def near(base: int, number: int) -> int:
    """A small number counts from `base`, a large one is itself."""
    return base + number if abs(number) <= 3 else number


def letter(node: RaftStateMachine, step: tuple) -> object:
    """The message that a step stands for, said to this machine as it is now."""
    kind, sender, term, *rest = step
    ends = {"term": near(node.term, term), "sender": sender, "receiver": node.node_id}
    last, known = node.log.last_index, node.log.last_term
    if kind == "ask":
        index, log_term, is_prevote, force = rest
        log_end = {"last_log_index": near(last, index), "last_log_term": near(known, log_term)}
        return RequestVote(**ends, **log_end, is_prevote=is_prevote, force=force)
    if kind == "vote":
        vote_granted, is_prevote = rest
        return RequestVoteReply(**ends, vote_granted=vote_granted, is_prevote=is_prevote)
    if kind == "append":
        index, log_term, commit, sent = rest
        prev = near(last, index)
        prev_term = near(node.log.term_for_index(prev) or 0, log_term)
        return AppendEntries(
            **ends,
            prev_log_index=prev,
            prev_log_term=prev_term,
            entries=written(prev, prev_term, sent),
            leader_commit=near(last, commit),
        )
    if kind == "accept":
        index, commit, read_round = rest
        return AppendEntriesReply(
            **ends,
            commit_index=near(0, commit),
            result=Accepted(near(last, index)),
            read_round=near(node._open_round, read_round),
        )
    if kind == "reject":
        at, end, hint, hint_term, commit = rest
        refusal = Rejected(
            non_matching_index=near(last, at),
            last_index=near(last, end),
            hint_index=near(last, hint),
            hint_term=near(known, hint_term),
        )
        return AppendEntriesReply(**ends, commit_index=near(0, commit), result=refusal)
    if kind == "snapshot":
        index, log_term, there = rest
        held = Snapshot(near(last, index), near(known, log_term), there or node.configuration)
        return InstallSnapshot(**ends, snapshot=held)
    if kind == "snapshot reply":
        index, success = rest
        return InstallSnapshotReply(**ends, last_index=near(last, index), success=success)
    if kind == "ask index":
        return ReadIndex(**ends, read_id=near(1, rest[0]), asked_at=node.now)
    if kind == "tell index":
        read_id, same, index = rest
        asked_at = [at for at, _ in node._asked_reads.values()] if same else []
        return ReadIndexReply(
            **ends,
            read_id=near(1, read_id),
            asked_at=asked_at[-1] if asked_at else -1.0,
            index=near(last, index),
        )
    return TimeoutNow(**ends)


def written(prev: int, prev_term: int, sent: list) -> tuple[LogEntry, ...]:
    """Entries that follow on, except where they are made not to."""
    index, term, made = prev, prev_term, []
    for skip, rise, payload in sent:
        index, term = index + 1 + skip, term + rise
        made.append(LogEntry(term, index, payload))
    return tuple(made)


class Guarded:
    """One machine whose every call is followed by a check of everything local.

    `writes` are the outputs that are not on the disk yet: none, unless
    `Options.async_persistence` lets them wait.
    """

    def __init__(self, node: RaftStateMachine) -> None:
        self.node = node
        self.follows = LocalInvariants(node)
        self.disk = Disk(node)
        self.writes: list[Output] = []
        self.said: list[str] = []

    def copy(self) -> "Guarded":
        """The same for a copy of the machine; nothing has been said yet."""
        twin = Guarded(self.node.copy())
        twin.follows = deepcopy(self.follows, {id(self.node): twin.node})
        twin.disk, twin.writes = deepcopy(self.disk), self.writes.copy()
        return twin

    def poll(self) -> None:
        """Poll once, and check what came out."""
        output = self.node.poll()
        self.said.append(repr(output))
        self.follows.check(output if output is not NOTHING else None)
        self.writes.append(output)
        if not self.node._options.async_persistence:
            self.write(1)

    def write(self, count: int) -> None:
        """Let the oldest writes be done."""
        done, self.writes = self.writes[:count], self.writes[count:]
        for output in done:
            self.disk.write(output)
            RaftLog(self.disk.log, self.disk.snapshot)
            if self.node._options.async_persistence:
                self.node.persisted(output)
                self.follows.persisted(output)
                self.follows.check()

    def call(self, step: tuple) -> None:
        """Carry out one step."""
        node, (kind, *about) = self.node, step
        if kind == "poll":
            self.poll()
        elif kind == "persisted":
            self.write(*about)
        elif kind == "tick":
            node.tick(node.now + about[0])
        elif kind == "deadline":
            node.tick(max(node.now, node.next_deadline))
        elif kind == "win":
            self._win()
        elif kind == "copy":
            self._go_on_with(node.copy())
        elif kind == "restart":
            self._restart()
        elif kind in REQUESTS:
            self._ask(kind, *about)
        else:
            if kind == "vote":
                self.flush()
            node.advance(letter(node, step), node.now + 1.0)
        self.follows.check()

    def flush(self) -> None:
        """Let everything be written: nobody votes for who has not asked yet."""
        self.poll()
        self.write(len(self.writes))

    def _win(self) -> None:
        """Every voter votes for this node, if it stands."""
        node = self.node
        if node.role is not Role.LEADER:
            node.campaign(node.now, force=True)
        for voter in node.configuration.all_voters:
            self.flush()
            node.advance(world.vote(voter, node.term, to=node.node_id), node.now)
            self.follows.check()

    def _ask(self, kind: str, *about: object) -> None:
        """Ask for something that a machine may refuse; then nothing has changed."""
        before = (self.node.fingerprint(), fields_of(self.node))
        try:
            REQUESTS[kind](self.node, *about)
        except REFUSALS as refusal:
            assert str(refusal)
            assert (self.node.fingerprint(), fields_of(self.node)) == before

    def _go_on_with(self, twin: RaftStateMachine) -> None:
        assert twin.fingerprint() == self.node.fingerprint()
        self.node = self.follows.machine = twin

    def _restart(self) -> None:
        old, sent = self.node, self.follows.sent_votes
        self.node = RaftStateMachine(
            old.node_id,
            configuration=old._first_configuration,
            term=self.disk.term,
            voted_for=self.disk.vote,
            log=RaftLog(self.disk.log, self.disk.snapshot),
            now=old.now,
            rng=old._rng,
            options=old._options,
            rules=old._rules,
        )
        self.writes = []
        self.follows = LocalInvariants(self.node)
        self.follows.votes, self.follows.sent_votes = dict(sent), sent


def propose(node: RaftStateMachine, payload: object) -> None:
    """What is taken stands at the end of the log; a joint one may be left at once."""
    index = node.add_entry(payload)
    assert index <= node.log.last_index and node.log[index].term == node.term


REQUESTS: dict[str, Any] = {
    "propose": propose,
    "campaign": lambda node, force: node.campaign(node.now, force),
    "compact": lambda node, index: node.compact(near(node.commit_index, index)),
    "read": lambda node: node.read(),
    "transfer": lambda node, to: node.transfer_leadership(to),
    "forget": lambda node: node.forget_leader(),
}
"""What a host may ask for at the wrong moment."""


@times(500)
@given(
    st.sampled_from(CONFIGURATIONS),
    st.sampled_from(OPTIONS),
    st.lists(st.integers(1, 4), max_size=6).map(sorted),
    st.integers(0, 2),
    steps,
)
def test_no_message_makes_a_machine_raise_or_unsound(configuration, options, terms, later, script):
    node = world.machine(
        configuration=configuration,
        options=options,
        terms=terms,
        term=max(terms, default=0) + later,
    )
    guarded = Guarded(node)
    for step in script:
        guarded.call(step)
    guarded.poll()
    guarded.poll()


@times(80)
@given(steps, st.sampled_from(CONFIGURATIONS), st.sampled_from(OPTIONS))
def test_the_same_calls_give_the_same_outputs(script, those, options):
    def run():
        node = world.machine(configuration=those, options=options, terms=(1, 1))
        return said_after(Guarded(node), script)

    assert run() == run()


def said_after(guarded: Guarded, script: list) -> tuple:
    """All that a machine puts out while it goes through a script, and what it is then."""
    for step in script:
        guarded.call(step)
        guarded.poll()
    return guarded.said, repr(guarded.node.fingerprint()), fields_of(guarded.node)


@times(80)
@given(leading_steps, steps, st.sampled_from(OPTIONS), flags)
def test_a_copy_behaves_as_the_first_would_and_leaves_it_alone(script, more, options, compacted):
    guarded = some_leader(options, compacted)
    for step in script:
        guarded.call(step)
    node, twins = guarded.node, [guarded.copy() for _ in range(2)]
    before = (repr(node.fingerprint()), fields_of(node))
    outputs = [said_after(twin, [each for each in more if each[0] != "restart"]) for twin in twins]
    assert outputs[0] == outputs[1]
    assert (repr(node.fingerprint()), fields_of(node)) == before


@times(80)
@given(leading_steps, st.sampled_from(OPTIONS), flags)
def test_ticks_before_the_deadline_change_nothing_wherever_a_machine_is(script, options, compacted):
    guarded = some_leader(options, compacted)
    for step in script:
        guarded.call(step)
        guarded.poll()
        early = guarded.node.copy()
        before, wait = (early.fingerprint(), early.next_deadline), early.next_deadline - early.now
        for share in (0.3, 0.9):
            if wait > 0:
                early.tick(guarded.node.now + wait * share)
        assert (early.fingerprint(), early.next_deadline) == before


def some_leader(options: Options, compacted: bool) -> Guarded:
    """A leader of three in term 3 with four entries, two of them perhaps in a snapshot."""
    if compacted:
        held = world.after(world.snapshot(2, 1), 2)
        return Guarded(world.leader(held=held, term=2, options=options))
    return Guarded(world.leader(terms=(1, 1, 2), options=options))


@times(300)
@given(leading_steps, st.sampled_from(OPTIONS), flags)
def test_a_leader_stays_sound_whatever_it_is_answered(script, options, compacted):
    """Most scripts lead for a while only, so this one starts with a leader."""
    guarded = some_leader(options, compacted)
    for step in script:
        if step[0] not in ("restart", "campaign"):
            guarded.call(step)
    guarded.poll()


def test_the_checks_see_what_is_unsound():
    """Each of these is a state that no machine may be in; the check finds every one."""

    def spoil_commit(node):
        node.commit_index = 99

    def spoil_term(node):
        node.term = 1

    def spoil_vote(node):
        node.voted_for = "S3"

    def spoil_match(node):
        node.role_data.tracker.progress["S2"].match_index = 4

    def spoil_next(node):
        node.role_data.tracker.progress["S2"].next_index = 9

    def spoil_window(node):
        progress = node.role_data.tracker.progress["S2"]
        progress.become_pipeline()
        progress.in_flight = [1] * 11

    def spoil_probe(node):
        node.role_data.tracker.progress["S2"].in_flight = [4]

    def spoil_snapshot_state(node):
        node.role_data.tracker.progress["S2"].become_snapshot(2, 500.0)

    def spoil_members(node):
        node.role_data.tracker.progress.pop("S2")

    def spoil_log(node):
        node.log.truncate_uncommitted(2)

    def spoil_stable_index(node):
        node.log.stable_index = 5

    def spoil_role(node):
        node.role = Role.CANDIDATE

    def spoil_configuration(node):
        node.configuration = Configuration(names(5))

    def spoil_one_change_at_a_time(node):
        for voters in (names(4), names(5)):
            node.log.append_as_leader(node.term, Configuration(voters))
            node._adopt_configuration()

    def spoil_voters(node):
        node.log.append_as_leader(node.term, Configuration(()))
        node.configuration = Configuration(())

    def spoil_bytes(node):
        node._uncommitted_bytes += 1

    def spoil_count(node):
        node._counted_index = 4

    def spoil_transfer(node):
        node._transfer = Transfer("S1", 300.0, resend_at=300.0)
        node._has_handed_over = True

    def spoil_handing_over(node):
        node._transfer = Transfer("S2", 300.0, resend_at=300.0)

    spoils = [value for name, value in locals().items() if name.startswith("spoil_")]
    assert len(spoils) == 19
    for spoil in spoils:
        node = world.leader(terms=(1, 1, 2))
        before = Before(node)
        check_local(node, before)
        spoil(node)
        with pytest.raises(AssertionError):
            check_local(node, before)


@pytest.mark.parametrize(
    "output",
    [
        Output(term=9, voted_for="S1"),
        Output(voted_for="S1"),
        Output(messages=(world.append("S1", 4, (0, 0), (), to="S2"),)),
        Output(messages=(world.append("S1", 3, (0, 2), (), to="S2"),)),
        Output(messages=(world.append("S1", 3, (4, 0), (), to="S2"),)),
        Output(messages=(world.append("S1", 3, (4, 3), (), commit=1, to="S2"),)),
        Output(messages=(world.append("S1", 3, (0, 0), (1,) * 65, to="S2"),)),
        Output(messages=(world.append("S2", 3, to="S1"),)),
        Output(messages=(world.append("S1", 3, to="S1"),)),
        Output(messages=(world.vote_request("S1", 3, (4, 3), to="S2"),)),
        Output(messages=(world.vote("S1", 3, to="S2"),)),
        Output(messages=(world.install("S1", 3, world.snapshot(3, 2), to="S2"),)),
        Output(messages=(world.accepted("S1", 3, 3, commit=1, to="S2"),)),
        Output(messages_at_once=(world.append("S1", 3, to="S2"),)),
        Output(committed=world.entries(1)),
        Output(log_entries=world.entries(3, start=4)),
        Output(truncate_from=4),
        Output(snapshot=world.snapshot(2, 1)),
        Output(first_index=2),
        Output(reads=(ReadReady(1, 1),)),
    ],
    ids=range(20),
)
def test_the_checks_see_what_must_never_come_out(output):
    """A leader of term 3 that has committed nothing, and whose disk holds all of its log."""
    node = world.leader(terms=(1, 1, 2))
    LocalInvariants(node).check(Output(messages=(world.append("S1", 3, (4, 3), to="S2"),)))
    with pytest.raises((AssertionError, Misuse)):
        LocalInvariants(node).check(output)


# Machines among themselves


class Talk:
    """Machines on a network that does as `random` says, and what only an observer can check."""

    def __init__(self, nodes: int, random: Random, options: Options) -> None:
        self.world = World(nodes, options=options, seed=random.randrange(10**6))
        if options.async_persistence:
            self.world.slow = set(names(nodes))
        self.random = random
        self.leaders: dict[int, str] = {}
        self.order: list[LogEntry] = []
        self.proposed = 0
        self.compacted = 0

    def happen(self) -> None:
        """Let one thing happen, and look at everyone."""
        world, random = self.world, self.random
        alive = sorted(world.machines)
        choice = random.random()
        if world.flying and choice < 0.66:
            message = world.flying.pop(random.randrange(min(len(world.flying), 6)))
            fate = random.random()
            if fate < 0.12:
                world.flying.append(message)
            if fate > 0.10 and message.receiver in world.machines:
                world.hand(message)
        elif choice < 0.86:
            node = random.choice(alive)
            world.wait(random.choice((0.0, 5.0, 30.0)))
            if random.random() < 0.3 or world[node].role is Role.LEADER:
                world.tick(node)
        elif choice < 0.96:
            self.ask(random.choice(alive), choice)
        elif len(alive) > len(world.disks) // 2 + 1 and choice < 0.98:
            world.crash(random.choice(alive))
        else:
            for node in sorted(set(world.disks) - set(alive)):
                world.restart(node)
        self.write()
        self.look()

    def ask(self, node: str, choice: float) -> None:
        """A host's wish: compact, hand over, or a command for whoever leads."""
        world, machine = self.world, self.world[node]
        held = machine.log.snapshot.index if machine.log.snapshot else 0
        applied = len(world.applied[node])
        leads = machine.role is Role.LEADER
        if choice < 0.90 and held < applied:
            world.compact(node, self.random.randint(held + 1, applied))
            self.compacted += 1
        elif choice < 0.91 and leads:
            machine.transfer_leadership(
                self.random.choice([None, *(each for each in names(3) if each != node)])
            )
            world.pump(node)
        else:
            for each in sorted(world.machines):
                self.propose(each)

    def propose(self, node: str) -> None:
        """A command, if this node leads and takes it."""
        if self.world[node].role is Role.LEADER:
            with suppress(NotNow):
                self.proposed += 1
                self.world.propose(node, f"x={self.proposed}")

    def write(self) -> None:
        """Let some writes be done that have waited for a slow disk."""
        for node in sorted(self.world.machines):
            while self.world.writes[node] and self.random.random() < 0.4:
                self.world.persist(node)

    def look(self) -> None:
        """One leader per term; the same entries applied everywhere; logs that match."""
        for node in self.world.machines.values():
            if node.role is Role.LEADER:
                assert self.leaders.setdefault(node.term, node.node_id) == node.node_id
        for applied in self.world.applied.values():
            if len(applied) > len(self.order):
                self.order = list(applied)
        for applied in self.world.applied.values():
            assert applied == self.order[: len(applied)]
        assert not self.world.alarms

    def logs_match(self) -> None:
        """Figure 3, Log Matching, for every two logs."""
        logs = [{each.index: each for each in node.log} for node in self.world.machines.values()]
        for one in logs:
            for other in logs:
                both = sorted(one.keys() & other.keys())
                alike = [index for index in both if one[index].term == other[index].term]
                for index in both:
                    assert not alike or index > alike[-1] or one[index] == other[index]

    def heal(self) -> None:
        """Everyone is up and hears everyone, in order, and disks are fast."""
        world = self.world
        world.slow = set()
        for node in sorted(world.machines):
            while world.writes[node]:
                world.persist(node)
        for node in sorted(set(world.disks) - set(world.machines)):
            world.restart(node)
        for _ in range(40):
            node = min(world.machines.values(), key=lambda each: each.next_deadline).node_id
            world.tick(node)
            world.settle()
            self.look()


@times(150)
@given(st.sampled_from([3, 4, 5]), st.integers(0, 10**6), st.sampled_from(OPTIONS))
def test_machines_stay_safe_through_any_talk_and_agree_after_it(nodes, seed, options):
    talk = Talk(nodes, Random(seed), options)
    for _ in range(300):
        talk.happen()
    talk.logs_match()
    talk.heal()
    talk.logs_match()
    roles = [node.role for node in talk.world.machines.values()]
    assert roles.count(Role.LEADER) == 1
    (leading,) = (node for node in talk.world.machines.values() if node.role is Role.LEADER)
    for node in talk.world.machines.values():
        assert (node.log.last_index, node.log.last_term) == (
            leading.log.last_index, leading.log.last_term
        )  # fmt: skip
        assert node.commit_index == leading.log.last_index
        assert node.leader == leading.node_id
        assert talk.world.applied[node.node_id] == talk.order


@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_an_empty_talk_is_no_proof(options):
    """What the talks above reach: elections, commands applied, restarts, repairs, snapshots."""
    talks = [Talk(3, Random(seed), options) for seed in range(8)]
    for talk in talks:
        for _ in range(300):
            talk.happen()
    assert sum(len(talk.order) for talk in talks) > 50
    assert sum(len(talk.leaders) for talk in talks) > 25
    assert all(len(talk.order) > 2 for talk in talks)
    assert sum(talk.compacted for talk in talks) > 40
    assert sum(talk.world.loaded for talk in talks) > 10
