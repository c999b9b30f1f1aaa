"""Clusters whose members come and go, and whose nodes are asked to read.

with Members("S1 S2 S3", others="S4") as world:
    world.elect("S1")
    world.change("S1", "S1 S2 S3 S4")
    world.settle()
    assert world["S4"].configuration == members("S1 S2 S3 S4")
"""

from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import Any, ClassVar

from raftlab.raft.log import LogEntry
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Message, Rejected
from raftlab.raft.options import Options
from raftlab.raft.output import ReadReady
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import REFUSALS, Configuration, NotNow
from tests.raft.world import FIGURE_2, World, candidate, drain, machine, names, vote

NEITHER_OR_BOTH = [
    ((), False),
    (("S2",), False),
    (("S2", "S3"), False),
    (("S2", "S4"), False),
    (("S4", "S5"), False),
    (("S3",), False),
    (("S3", "S4"), True),
    (("S2", "S4", "S5"), True),
]
"""Who agrees with S1, the leader of `CHANGING`, and whether that is enough. Bug museum: E44."""


def members(voters: str, old: str = "", learners: str = "") -> Configuration:
    """A configuration, its groups written as names with spaces between them."""
    return Configuration(tuple(voters.split()), tuple(old.split()), tuple(learners.split()))


CHANGING = members("S3 S4 S5", old="S1 S2 S3")
"""Joint, on the way from S1 S2 S3 to S3 S4 S5."""


def configurations(node: RaftStateMachine) -> list[Configuration]:
    """The configurations along a log."""
    return [each.payload for each in node.log if isinstance(each.payload, Configuration)]


def told(
    sender: str, term: int, index: int, read_round: int = 0, to: str = "S1", agrees: bool = True
) -> AppendEntriesReply:
    """`sender` has heard S1's round, and agrees up to `index` or has nothing there."""
    result = (
        Accepted(index)
        if agrees
        else Rejected(
            non_matching_index=index, last_index=index - 1, hint_index=index - 1, hint_term=term
        )
    )
    return AppendEntriesReply(
        term=term, sender=sender, receiver=to, commit_index=0, result=result, read_round=read_round
    )


def questions(messages: Sequence[Message]) -> list[tuple[str, int]]:
    """Whom a leader asks whether it still leads, and in which round."""
    return [
        (each.receiver, each.read_round)
        for each in messages
        if isinstance(each, AppendEntries) and each.read_round
    ]


def leading(configuration: Configuration, **about: Any) -> RaftStateMachine:
    """S1 leads this configuration; its first words are gone and nobody has answered."""
    node = candidate(configuration=configuration, **about)
    for voter in configuration.all_voters:
        if node.role is Role.CANDIDATE and voter != "S1":
            node.advance(vote(voter, node.term), node.now)
    drain(node)
    assert node.role is Role.LEADER
    return node


class Members(World):
    """A world that begins with these voters and learners; `others` run and belong to nothing.

    `reads` and `failed` hold what came out at each node.
    """

    def __init__(
        self,
        voters: str,
        *,
        old: str = "",
        learners: str = "",
        others: str = "",
        options: Options = FIGURE_2,
        rules: Rules | None = None,
        logs: Sequence[Sequence[int]] = (),
        term: int = 0,
    ) -> None:
        configuration = members(voters, old, learners)
        nodes = (*configuration.members, *others.split())
        self.reads: dict[str, list[ReadReady]] = {node: [] for node in nodes}
        self.failed: dict[str, list[int]] = {node: [] for node in nodes}
        super().__init__(len(nodes), options=options, rules=rules)
        assert set(self.machines) == set(nodes), "S1, S2, S3 and so on, without a gap"
        self._about["configuration"] = configuration
        for place, node in enumerate(sorted(nodes)):
            terms = logs[place] if place < len(logs) else ()
            about = {"terms": terms, "term": max(term, *terms, 0), **self._about}
            self._start(node, machine(node, **about))

    def _write(self, node: str) -> None:
        output = self.writes[node][0]
        super()._write(node)
        self.reads[node] += output.reads
        self.failed[node] += output.failed_reads

    def change(self, node: str, voters: str, learners: str = "") -> int:
        """Ask a leader for these voters and learners; where the change stands in its log."""
        index = self[node].add_entry(members(voters, learners=learners))
        self.pump(node)
        return index

    def read(self, node: str) -> int:
        """Ask a node for a read; its number."""
        read_id = self[node].read(self[node].now)
        self.pump(node)
        return read_id


class Crowd(Members):
    """Nodes that come, go, read, fall silent and talk at random; whatever they do is checked.

    One leader per term, one entry per committed index, and no read that is answered without
    what was committed anywhere before it was asked. `clocks` moves nobody but by its timer,
    as leases demand.
    """

    def __init__(
        self, size: int, seed: int, options: Options, clocks: bool = False, **deeds: int
    ) -> None:
        others = " ".join(names(6)[size:])
        super().__init__(" ".join(names(size)), others=others, options=options)
        self.rng = Random(seed)
        self.clocks = clocks
        self.deeds = {**self.DEEDS, **deeds}
        self.leaders: dict[int, str] = {}
        self.committed: dict[int, LogEntry] = {}
        self.asked: dict[tuple[str, int], int] = {}
        self.answered = self.changed = 0
        self.apart: set[str] = set()
        if options.async_persistence:
            self.slow = {"S1", "S4"}
            self.deeds["disk_writes"] = 20

    def happen(self) -> None:
        """One thing happens, and everybody is checked."""
        (deed,) = self.rng.choices(list(self.deeds), list(self.deeds.values()))
        getattr(self, deed)()
        if len(self.flying) > 60:
            self.is_lost()

    DEEDS: ClassVar[dict[str, int]] = {
        "arrives": 60,
        "parts": 1,
        "a_leader_is_cut_off": 1,
        "is_lost": 4,
        "comes_twice": 3,
        "somebody_waited": 8,
        "campaigns": 1,
        "commands": 5,
        "reads_somewhere": 5,
        "changes": 4,
        "hands_over": 1,
        "falls": 1,
        "comes_back": 3,
        "compacts": 2,
    }

    def pump(self, node: str) -> None:
        """As the base, and look at what came of it."""
        applied, served = len(self.applied[node]), len(self.reads[node])
        super().pump(node)
        machine = self[node]
        if machine.role is Role.LEADER:
            assert self.leaders.setdefault(machine.term, node) == node, "two leaders of one term"
        for each in self.applied[node][applied:]:
            assert self.committed.setdefault(each.index, each) == each, "two entries at one index"
            self.changed += isinstance(each.payload, Configuration)
        for ready in self.reads[node][served:]:
            assert ready.index >= self.asked[node, ready.read_id], "a read of the past"
            self.answered += 1
        assert not self.alarms

    def anyone(self, role: Role | None = None) -> str | None:
        """Some node that runs, and has this role; None if there is none."""
        there = [each for each in self.machines if role in (None, self[each].role)]
        return self.rng.choice(there) if there else None

    def arrives(self) -> None:
        """A message arrives, rather an old one than a new one."""
        if self.flying:
            place = min(self.rng.randrange(len(self.flying)) for _ in range(2))
            message = self.flying.pop(place)
            together = (message.sender in self.apart) == (message.receiver in self.apart)
            if together and message.receiver in self.machines:
                self.hand(message)

    def parts(self) -> None:
        """Some nodes are cut off from the others, a leader perhaps; or they are together again."""
        half = self.rng.sample(names(6), self.rng.randint(1, 3))
        leads = self.anyone(Role.LEADER)
        self.apart = self.rng.choice([set(), set(half), {leads} if leads else set()])

    def a_leader_is_cut_off(self) -> None:
        """For long enough that others may lead; it is asked to read all the while."""
        alone = self.anyone(Role.LEADER)
        if alone is None:
            return
        self.apart = {alone}
        for _ in range(self.rng.randint(5, 25)):
            self.somebody_waited()
            for _ in range(6):
                self.arrives()
            self.commands()
            self.reads_at(alone)
        self.apart = set()

    def is_lost(self) -> None:
        """A message is lost."""
        if self.flying:
            self.flying.pop(self.rng.randrange(len(self.flying)))

    def comes_twice(self) -> None:
        """A message will arrive twice."""
        if self.flying:
            self.flying.append(self.rng.choice(self.flying))

    def somebody_waited(self) -> None:
        """Time passes until the first timer runs out, or, without clocks, now and then any."""
        if self.machines:
            first = min(self.machines, key=lambda each: self[each].next_deadline)
            early = not self.clocks and self.rng.random() < 0.1
            self.tick(self.rng.choice(list(self.machines)) if early else first)

    def campaigns(self) -> None:
        """A timer runs out early."""
        node = self.anyone(Role.FOLLOWER)
        if node and not self.clocks:
            self.timeout(node, force=self.rng.random() < 0.5)

    def commands(self) -> None:
        """A leader takes a command, if it can."""
        node = self.anyone(Role.LEADER)
        if node:
            with suppress(NotNow):
                self.propose(node)

    def reads_somewhere(self) -> None:
        """A leader, or anyone, is asked to read."""
        node = self.anyone(self.rng.choice([Role.LEADER, None]))
        if node:
            self.reads_at(node)

    def reads_at(self, node: str) -> None:
        """A node is asked to read, if it knows a leader; it looks at its clock first."""
        self[node].tick(self.now)
        self.pump(node)
        if self[node].leader:
            self.asked[node, self[node]._last_read + 1] = len(self.committed)
            self.read(node)

    def changes(self) -> None:
        """A leader is asked for other members, if it can."""
        node = self.anyone(Role.LEADER)
        if node is None:
            return
        at_hand, now = names(6), self[node].configuration
        if self.options.single_server_changes:
            changed = {*now.voters} ^ {self.rng.choice(at_hand)}
            voters = tuple(each for each in at_hand if each in changed)
        else:
            voters = tuple(self.rng.sample(at_hand, self.rng.randint(1, 5)))
        learners = tuple(each for each in at_hand if each not in voters and self.rng.random() < 0.4)
        with suppress(*REFUSALS):
            self[node].add_entry(Configuration(voters, learners=learners))
            self.pump(node)

    def hands_over(self) -> None:
        """A leader is asked to hand over, if it can."""
        node = self.anyone(Role.LEADER)
        if node:
            with suppress(*REFUSALS):
                self[node].transfer_leadership()
                self.pump(node)

    def compacts(self) -> None:
        """A node lets a snapshot stand for what it has applied."""
        node = self.anyone()
        if node:
            with suppress(*REFUSALS):
                self.compact(node)

    def disk_writes(self) -> None:
        """A slow disk has done some of its writes, oldest first."""
        waiting = [each for each in self.machines if self.writes[each]]
        if waiting:
            node = self.rng.choice(waiting)
            for _ in range(self.rng.randint(1, len(self.writes[node]))):
                self.persist(node)

    def falls(self) -> None:
        """A node crashes."""
        node = self.anyone()
        if node:
            self.crash(node)

    def comes_back(self) -> None:
        """A node restarts from its disk."""
        for node in sorted(self.disks):
            if node not in self.machines:
                self.reads[node], self.failed[node] = [], []
                self.restart(node)
                return

    @property
    def options(self) -> Any:
        """The options of everyone."""
        return self._about["options"]

    def heal(self) -> None:
        """Everyone is back and every message arrives, until a leader has everything committed."""
        for _ in self.disks:
            self.comes_back()
        self.slow.clear()
        self.apart.clear()
        for node in self.machines:
            while self.writes[node]:
                self.persist(node)
        for _ in range(600):
            self.settle()
            leaders = [self[each] for each in self.machines if self[each].role is Role.LEADER]
            if any(self.is_done(each) for each in leaders):
                return
            self.clocks = True
            self.somebody_waited()
        raise AssertionError("it does not come to rest")

    def is_done(self, leader: RaftStateMachine) -> bool:
        """Whether this leader has nothing left to do."""
        waits = leader._reads.asking or leader._reads.waiting
        done = leader.commit_index == leader.log.last_index and not leader.configuration.is_joint
        return done and not waits and leader.configuration.can_vote(leader.node_id)
