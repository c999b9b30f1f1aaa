"""Whatever peers say, in whatever order, a machine never raises and stays sound.

The first property gives one machine any sequence of messages, however absurd, with ticks,
commands, polls and restarts between them, and checks it after every call. The second lets
machines talk to each other over a network that loses, doubles and reorders at will, and
checks what no machine can see alone.
"""

from random import Random

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
    Rejected,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration
from tests.raft import world
from tests.raft.local import Before, LocalInvariants, check_local
from tests.raft.world import COMPLETE, FIGURE_2, World, names

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
]

PAYLOADS = [Command(b""), Command(b"x=1"), Empty(), Configuration(("S1", "S2")), Configuration(())]

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
    st.tuples(st.just("accept"), peers, drawn_near, drawn_near, drawn_near),
    st.tuples(st.just("reject"), peers, drawn_near, *[drawn_near] * 5),
    st.tuples(st.just("snapshot"), peers, drawn_near, drawn_near, drawn_near),
    st.tuples(st.just("snapshot reply"), peers, drawn_near, drawn_near, flags),
    st.tuples(st.just("time out"), peers, drawn_near),
)
sensible = st.one_of(
    st.tuples(
        st.just("vote"), st.sampled_from(names(5)[1:]), st.integers(0, 1), st.just(True), flags
    ),
    st.tuples(
        st.just("accept"), st.sampled_from(names(5)[1:]), st.just(0), st.integers(-1, 0), st.just(0)
    ),
    st.tuples(
        st.just("append"),
        st.sampled_from(names(5)[1:]),
        st.integers(0, 1),
        st.integers(-2, 0),
        st.just(0),
        st.integers(-2, 0),
        sent_entries,
    ),
)
calls = st.one_of(
    st.tuples(st.just("poll")),
    st.tuples(st.just("tick"), st.sampled_from([0.0, 1.0, 60.0, 400.0])),
    st.tuples(st.just("deadline")),
    st.tuples(st.just("campaign"), flags),
    st.tuples(st.just("propose"), st.sampled_from(PAYLOADS[:3])),
    st.tuples(st.just("restart")),
    st.tuples(st.just("copy")),
)
steps = st.lists(st.one_of(letters, sensible, calls), min_size=15, max_size=60)


def times(examples: int) -> settings:
    """So many examples in every run, and ten times as many where new ones are looked for."""
    return settings(max_examples=examples * settings.default.max_examples // 100)


def near(base: int, number: int) -> int:
    """A small number counts from `base`, a large one is itself."""
    return base + number if abs(number) <= 3 else number


def letter(node: RaftStateMachine, step: tuple) -> object:
    """The message that a step stands for, said to this machine as it is now."""
    kind, sender, term, *rest = step
    ends = (near(node.term, term), sender, node.node_id)
    last, known = node.log.last_index, node.log.last_term
    if kind == "ask":
        index, log_term, is_prevote, force = rest
        return RequestVote(*ends, near(last, index), near(known, log_term), is_prevote, force)
    if kind == "vote":
        return RequestVoteReply(*ends, *rest)
    if kind == "append":
        index, log_term, commit, sent = rest
        prev = near(last, index)
        prev_term = near(node.log.term_for_index(prev) or 0, log_term)
        return AppendEntries(
            *ends, prev, prev_term, written(prev, prev_term, sent), near(last, commit)
        )
    if kind == "accept":
        index, commit = rest
        return AppendEntriesReply(*ends, near(0, commit), Accepted(near(last, index)))
    if kind == "reject":
        at, end, hint, hint_term, commit = rest
        refusal = Rejected(
            near(last, at), near(last, end), near(last, hint), near(known, hint_term)
        )
        return AppendEntriesReply(*ends, near(0, commit), refusal)
    if kind == "snapshot":
        index, log_term = rest
        held = Snapshot(near(last, index), near(known, log_term), node.configuration)
        return InstallSnapshot(*ends, held)
    if kind == "snapshot reply":
        return InstallSnapshotReply(*ends, *rest)
    return TimeoutNow(*ends)


def written(prev: int, prev_term: int, sent: list) -> tuple[LogEntry, ...]:
    """Entries that follow on, except where they are made not to."""
    index, term, made = prev, prev_term, []
    for skip, rise, payload in sent:
        index, term = index + 1 + skip, term + rise
        made.append(LogEntry(term, index, payload))
    return tuple(made)


class Guarded:
    """One machine whose every call is followed by a check of everything local."""

    def __init__(self, node: RaftStateMachine) -> None:
        self.node = node
        self.follows = LocalInvariants(node)
        self.said: list[str] = []

    def poll(self) -> None:
        """Poll once, and check what came out."""
        output = self.node.poll()
        self.said.append(repr(output))
        self.follows.check(output if output is not NOTHING else None)

    def call(self, step: tuple) -> None:
        """Carry out one step."""
        node, (kind, *about) = self.node, step
        if kind == "poll":
            self.poll()
        elif kind == "tick":
            node.tick(node.now + about[0])
        elif kind == "deadline":
            node.tick(max(node.now, node.next_deadline))
        elif kind == "campaign":
            if node.role is not Role.LEADER:
                node.campaign(node.now, *about)
        elif kind == "propose":
            if node.role is Role.LEADER:
                assert node.add_entry(about[0]) == node.log.last_index
        elif kind == "copy":
            self._go_on_with(node.copy())
        elif kind == "restart":
            self._restart()
        else:
            node.advance(letter(node, step), node.now + 1.0)
        self.follows.check()

    def _go_on_with(self, twin: RaftStateMachine) -> None:
        assert twin.fingerprint() == self.node.fingerprint()
        self.node = self.follows.machine = twin

    def _restart(self) -> None:
        old, known = self.node, self.follows
        self.node = RaftStateMachine(
            old.node_id,
            configuration=old.configuration,
            term=known.term,
            voted_for=known.voted_for,
            log=RaftLog(known.written),
            now=old.now,
            rng=old.rng,
            options=old.options,
            rules=old.rules,
        )
        self.follows = LocalInvariants(self.node)
        self.follows.votes = known.votes


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
        guarded = Guarded(node)
        for step in script:
            guarded.call(step)
            guarded.poll()
        return guarded.said, repr(guarded.node.fingerprint()), guarded.node.next_deadline

    assert run() == run()


@times(300)
@given(steps, st.sampled_from(OPTIONS))
def test_a_leader_stays_sound_whatever_it_is_answered(script, options):
    """Most scripts never elect anybody, so this one starts with a leader."""
    guarded = Guarded(world.leader(nodes=5, terms=(1, 1, 2), options=options))
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
        node.tracker.progress["S2"].match_index = 4

    def spoil_next(node):
        node.tracker.progress["S2"].next_index = 9

    def spoil_window(node):
        progress = node.tracker.progress["S2"]
        progress.become_pipeline()
        progress.in_flight = [1] * 11

    def spoil_log(node):
        node.log.truncate_uncommitted(2)

    def spoil_role(node):
        node.role = Role.CANDIDATE

    spoils = [
        spoil_commit,
        spoil_term,
        spoil_vote,
        spoil_match,
        spoil_next,
        spoil_window,
        spoil_log,
        spoil_role,
    ]
    for spoil in spoils:
        node = world.leader(terms=(1, 1, 2))
        before = Before(node)
        check_local(node, before)
        spoil(node)
        with pytest.raises(AssertionError):
            check_local(node, before)


# Machines among themselves


class Talk:
    """Machines on a network that does as `random` says, and what only an observer can check."""

    def __init__(self, nodes: int, random: Random, options: Options) -> None:
        self.world = World(nodes, options=options, seed=random.randrange(10**6))
        self.random = random
        self.leaders: dict[int, str] = {}
        self.order: list[LogEntry] = []
        self.proposed = 0

    def happen(self) -> None:
        """Let one thing happen, and look at everyone."""
        world, random = self.world, self.random
        alive = sorted(world.machines)
        choice = random.random()
        if world.flying and choice < 0.70:
            message = world.flying.pop(random.randrange(min(len(world.flying), 6)))
            fate = random.random()
            if fate < 0.12:
                world.flying.append(message)
            if fate > 0.10 and message.receiver in world.machines:
                world.hand(message)
        elif choice < 0.90:
            node = random.choice(alive)
            world.wait(random.choice((0.0, 5.0, 30.0)))
            if random.random() < 0.3 or world[node].role is Role.LEADER:
                world.tick(node)
        elif choice < 0.96:
            for node in alive:
                if world[node].role is Role.LEADER:
                    self.proposed += 1
                    world.propose(node, f"x={self.proposed}")
        elif len(alive) > len(world.disks) // 2 + 1 and choice < 0.98:
            world.crash(random.choice(alive))
        else:
            for node in sorted(set(world.disks) - set(alive)):
                world.restart(node)
        self.look()

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
        logs = [list(node.log) for node in self.world.machines.values()]
        for one in logs:
            for other in logs:
                same = [a.term == b.term for a, b in zip(one, other, strict=False)]
                upto = max((place for place, alike in enumerate(same, 1) if alike), default=0)
                assert one[:upto] == other[:upto]

    def heal(self) -> None:
        """Everyone is up and hears everyone, in order."""
        world = self.world
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
        assert list(node.log) == list(leading.log)
        assert node.commit_index == leading.log.last_index
        assert node.leader == leading.node_id


def test_an_empty_talk_is_no_proof():
    """What the talks above reach: elections, commands applied, restarts and repairs."""
    talks = [Talk(3, Random(seed), FIGURE_2) for seed in range(8)]
    for talk in talks:
        for _ in range(300):
            talk.happen()
    assert sum(len(talk.order) for talk in talks) > 80
    assert sum(len(talk.leaders) for talk in talks) > 40
    assert all(len(talk.order) > 3 for talk in talks)
