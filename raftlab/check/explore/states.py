"""The states of a small cluster as tuples of numbers, and what can follow each of them.

Few states of one node make very many states of a cluster. So each state of a node, each
message and each record of the past is kept once and has a number; what a node does is worked
out once, on the real machine, and looked up ever after.

What is left out, and why nothing is missed by it:

* A lost message is one that is never delivered, and a node that is down is one that nothing
  reaches. What is checked are properties of states that were reached, so a search needs
  neither event. Where the number of messages on their way is bounded, such a message counts
  among them to the end: that is what the bound means (`Scope`).
* A message that would change nothing at its receiver and call forth nothing is not delivered:
  all that can happen without it can happen while it still lies about. Not so where the number
  of messages is bounded: there it makes room, and so it is delivered.
* Crash and restart are one event, for the same reason.
* Writes end at once: a crash before the end of a write is a crash before its cause.
* Time stands still but for timeouts and heartbeats, and then it passes everywhere alike. Where
  no time can make a difference, it passes nowhere else.
* A partition is over: what it would keep back need not be delivered.

Under `async_persistence` a leader speaks while it writes; a crash in between is left out, and
`Exploration.not_looked_at` says so.
"""

import copy
from collections.abc import Sized
from typing import NamedTuple

import msgspec

from raftlab.check.explore.judge import (
    Judge,
    Local,
    Memory,
    OldVoteError,
    Past,
    after,
    contradicts,
    local_of,
    match,
    name_and_text,
    past_of,
    seen_of,
    with_terms_before,
    without_committed,
)
from raftlab.check.explore.scope import Scope
from raftlab.check.explore.single_step import host_copy
from raftlab.check.explore.start_state import (
    latest_term,
    leaders_may_step_down,
    refuse_what_needs_time,
    single_step_of,
    timing_of,
)
from raftlab.check.explore.state_equivalence import fingerprint
from raftlab.raft.log import LogEntry
from raftlab.raft.messages import Message
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import REFUSALS, Millis, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import (
    COMMIT_FOLLOWS_QUORUM,
    LATER_LEADERS,
    LOG_MATCHING,
    MATCH_IS_TRUE,
    Property,
)
from raftlab.sim.world.actions import Propose, Read, Restart, Tick, Timeout
from raftlab.sim.world.host import Host, Seen

State = tuple[tuple[int, ...], tuple[int, ...], int, int]
"""The nodes' states, the messages in flight (sorted), the past, and what was used up."""

TIMEOUT, HEARTBEAT, RESTART, PROPOSE, AGE, BEAT = -1, -2, -3, -4, -5, -6
"""What can happen to a node, beside a message: that is told by its number, which is 0 or more.

While one node times out or sends its heartbeat, as much time passes for the others: they AGE, or
a BEAT passes.
"""

AGAIN = "again"
"""With a message: it arrives, and comes once more later."""

A_HEARTBEAT, A_RESTART, A_DUPLICATE, FIRST_ACTION_BIT = 1, 1 << 8, 1 << 16, 24
"""What is added to what was used up: eight bits count each of these; a bit stands for an action."""

RAISED = "a machine raised"

Fallen = tuple[str, str] | None
"""The name of the property that a step breaks, and what happened; or None."""

News = tuple[tuple[tuple[LogEntry, Term], ...], str | None] | None
"""The entries that have left a log, and what its new ones contradict; None if all is plain."""

UNKNOWN: News = ((), "nobody has looked yet")


class Concerns(NamedTuple):
    """What a step concerns beside the node itself: that must be judged wherever it happens.

    `heard` is the place (and one) from which a leader heard what it holds; 0 is from nowhere.
    """

    is_about_past: bool
    is_new_log: bool
    moves_commit: bool
    heard: int


class Step(NamedTuple):
    """What a node did: its new state, what it sent, and what it broke, whatever the past."""

    local: int
    sent: tuple[int, ...]
    broken: Fallen = None
    concerns: Concerns | None = None


BEYOND_TERMS = "elections beyond the bound on terms"
BEYOND = Step(0, ())
"""What a step beyond the bound on terms is worked out to be."""


class States:
    """Everything that can follow a cluster within a scope.

    Raises: Misuse, for a cluster whose clocks are untrue, whose nodes are paused or write, or
    that trusts in leases: there time decides, and a search has none. Use a campaign.
    """

    def __init__(self, cluster: Cluster, scope: Scope, remembers: bool = False) -> None:
        """`remembers`: whom nodes voted for in terms that they have left; see `OldVoteError`."""
        refuse_what_needs_time(cluster)
        self.scope = scope
        self.remembers = remembers
        self.names = cluster.nodes
        self.places = {node: place for place, node in enumerate(self.names)}
        options = cluster.setup.options
        self.timing = timing_of(cluster, scope)
        self.time_matters = self.timing.matters
        self.leaders_time_out = self.time_matters and leaders_may_step_down(cluster)
        self.latest_term = latest_term(cluster, scope)
        self.patience: Millis = options.election_timeout[1] + 1.0
        self.beat: Millis = options.heartbeat_interval
        self._single_step = single_step_of(cluster)
        self.locals: list[Local] = []
        self._local_ids: dict[object, int] = {}
        self._keys: list[object] = []
        self.messages: list[Message] = []
        self.receivers: list[int] = []
        self._message_ids: dict[Message, int] = {}
        self.pasts: list[Past] = []
        self._past_ids: dict[Past, int] = {}
        self._steps: dict[tuple[int, object], Step | None] = {}
        self._verdicts: dict[tuple[int, int, object], tuple[int, Fallen]] = {}
        self._quorums: dict[tuple[int, tuple[int, ...]], Fallen] = {}
        self._matching: dict[tuple[int, int], bool] = {}
        self._news: dict[tuple[int, int, int], News] = {}
        self._believed: dict[tuple[int, int], Fallen] = {}
        self._log_ids: dict[tuple[LogEntry, ...], int] = {}
        self.logs: list[int] = []
        self._disk_ids: dict[object, int] = {}
        self.disks: list[int] = []
        self.left_out: dict[str, int] = {}
        self.broken: tuple[str, str] | None = None
        self.first = self._first_state(cluster)

    # The first state

    def _first_state(self, cluster: Cluster) -> State:
        twins = [host_copy(host) for host in cluster.hosts.values()]
        for twin in twins:
            twin.rng = copy.copy(twin.rng)  # a node that starts again draws from it
        nodes = tuple(self._intern(twin, cluster.now) for twin in twins)
        flights = tuple(sorted(self._message_id(each.message) for each in cluster.in_flight()))
        return (nodes, flights, self._past_id(past_of(cluster, self.remembers)), 0)

    def _intern(self, host: Host, now: Millis) -> int:
        key = (host.node, fingerprint(host, self.timing))
        number = self._local_ids.get(key)
        if number is None:
            number = self._local_ids[key] = len(self.locals)
            local = local_of(host, now)
            self.locals.append(local)
            self._keys.append(key)
            self.logs.append(
                self._log_ids.setdefault((*local.entries, local.first), len(self._log_ids))  # type: ignore[arg-type]
            )
            kept = (tuple(host.disk.log), host.disk.snapshot)
            self.disks.append(self._disk_ids.setdefault(kept, len(self._disk_ids)))
        return number

    def key_of(self, number: int) -> object:
        """By what a node's state is known."""
        return self._keys[number]

    def _message_id(self, message: Message) -> int:
        number = self._message_ids.get(message)
        if number is None:
            number = self._message_ids[message] = len(self.messages)
            self.messages.append(message)
            self.receivers.append(self.places[message.receiver])
        return number

    def _past_id(self, past: Past) -> int:
        number = self._past_ids.get(past)
        if number is None:
            number = self._past_ids[past] = len(self.pasts)
            self.pasts.append(past)
        return number

    def held(self) -> int:
        """About how many bytes are held: most of it is a node for each of its states."""
        few: tuple[Sized, ...] = (self._verdicts, self._news, self._matching, self._believed)
        return (
            len(self.locals) * 7_000
            + len(self.messages) * 500
            + len(self.pasts) * 800
            + len(self._steps) * 250
            + (len(self._quorums) + sum(map(len, few))) * 200
        )

    # What one node does

    def step(self, number: int, event: object, past: int) -> Step | None:
        """What happens to a node in state `number`; None if it cannot happen or changes nothing.

        Only the verdict on it may depend on the `past`; this is where it is met first.
        """
        known = (number, event)
        try:
            return self._steps[known]
        except KeyError:
            made = self._steps[known] = self._work_out(number, event, past)
            return made

    def _work_out(self, number: int, event: object, past: int) -> Step | None:
        before, world = self.locals[number], self._single_step
        if not (before.host.alive or event in (RESTART, AGE, BEAT)):
            return None
        judge, raised = self._on_its_own(number, event, past)
        if judge is None:
            return None
        host = world.hosts[before.host.node]
        if raised is None and host.machine.term > max(self.latest_term, before.term):
            return BEYOND
        now = self._intern(host, world.now)
        broken = raised or name_and_text(judge.broken)
        if now == number and not world.sent and broken is None:
            return None
        verdict = self._verdict_of(judge, host, past, broken)
        about_past = judge.history.is_asked or verdict[0] != past
        if about_past:
            self._verdicts[past, number, event] = verdict
        heard = 0
        if MATCH_IS_TRUE in judge.left and self.locals[now].leads:
            assert isinstance(event, int)
            heard = 1 + self.places[self.messages[event].sender]
        concerns = Concerns(
            about_past,
            self.logs[now] != self.logs[number],
            COMMIT_FOLLOWS_QUORUM in judge.left,
            heard,
        )
        sent = tuple(self._message_id(each) for each in world.sent)
        broken = None if about_past else broken
        return Step(now, sent, broken, concerns if any(concerns) else None)

    def _on_its_own(self, number: int, event: object, past: int) -> tuple[Judge | None, Fallen]:
        """Let it happen: what the watch saw, and what was raised; no watch, if it cannot happen."""
        before, world = self.locals[number], self._single_step
        host = host_copy(before.host)
        judge = world.begin(host, before.now, self.pasts[past], self.remembers)
        try:
            self._let_happen(host, before, event)
        except OldVoteError:
            raise
        except Exception as error:
            if isinstance(error, REFUSALS) and world.moving is None:
                return None, None
            text = f"{host.node}'s machine raised {type(error).__name__}: {error}"
            return judge, (RAISED, text)
        return judge, None

    def _verdict_of(
        self, judge: Judge, host: Host, past: int, broken: Fallen
    ) -> tuple[int, Fallen]:
        is_asked = judge.history.is_asked
        followed = self._past_id(after(judge.history, self.pasts[past], (host,), self.remembers))
        judge.history.is_asked = is_asked  # the look just now is not the step's
        return followed, broken

    def _verdict(self, past: int, number: int, event: object) -> tuple[int, Fallen]:
        """The past after a step that is about it, and what falls."""
        known = (past, number, event)
        verdict = self._verdicts.get(known)
        if verdict is None:
            judge, raised = self._on_its_own(number, event, past)
            assert judge is not None
            host = self._single_step.hosts[self.locals[number].host.node]
            verdict = self._verdict_of(judge, host, past, raised or name_and_text(judge.broken))
            self._verdicts[known] = verdict
        return verdict

    def _let_happen(self, host: Host, before: Local, event: object) -> None:
        world, node = self._single_step, host.node
        world.moving = None
        if isinstance(event, int) and event >= 0:
            world.receive(host, self.messages[event])
        elif event in (TIMEOUT, AGE):
            world.advance_time(host, before.now + self.patience)
            if event == TIMEOUT:
                ticks = must_tick(host)
                world.act(Tick(world.now, node) if ticks else Timeout(world.now, node))
        elif event in (HEARTBEAT, BEAT):
            world.advance_time(host, before.now + self.beat)
            if event == HEARTBEAT:
                world.act(Tick(world.now, node))
        elif event == RESTART:
            if host.alive:
                host.stop()
            world.act(Restart(world.now, node))
        elif event == PROPOSE:
            world.act(Propose(world.now, node, command_of(before)))
        else:
            assert isinstance(event, tuple)
            world.act(event[0])

    # What can follow

    def following(self, state: State) -> list[tuple[State, object]]:
        """Every state that one event leads to, with that event: (node's place, event).

        `broken` is set if in the last of them a property has fallen.
        """
        found: list[tuple[State, object]] = []
        locals_, flights = state[0], state[1]
        steps, receivers = self._steps, self.receivers
        used, before, undoubled = state[3], -1, 0
        may_double = used // A_DUPLICATE & 255 < self.scope.duplicates
        bounded = self.scope.in_flight is not None
        for at, message in enumerate(flights):
            if message == before:
                continue
            before = message
            place = receivers[message]
            known = (locals_[place], message)
            made = steps[known] if known in steps else self.step(*known, state[2])
            if made is not None:
                rest = flights[:at] + flights[at + 1 :]
                self._take(found, state, place, made, rest, used, message)
                if self.broken is not None:
                    return found
                if may_double:
                    again = (AGAIN, message)
                    self._take(found, state, place, made, flights, used + A_DUPLICATE, again)
                else:
                    undoubled += 1
            elif bounded:
                rest = flights[:at] + flights[at + 1 :]
                found.append(((locals_, rest, state[2], used), (place, message)))
        if undoubled:
            self._leave_out("messages that arrive twice beyond the bound", undoubled)
        for place, local in enumerate(locals_):
            self._own_events(found, state, place, local)
            if self.broken is not None:
                return found
        return found

    def _own_events(
        self, found: list[tuple[State, object]], state: State, place: int, local: int
    ) -> None:
        scope, known, used = self.scope, self.locals[local], state[3]
        if not known.host.alive:
            self._restart(found, state, place)
            return
        if known.leads:
            if known.last_index < scope.entries:
                self._happen(found, state, place, PROPOSE, used)
            else:
                self._leave_out("commands beyond the bound on entries")
            if used & 255 < scope.heartbeats:
                self._happen(found, state, place, HEARTBEAT, used + A_HEARTBEAT, BEAT)
            else:
                self._leave_out("heartbeats beyond the bound")
        if not known.leads or self.leaders_time_out:
            if known.term < scope.terms or known.leads:
                self._happen(found, state, place, TIMEOUT, used, AGE)
            else:
                self._leave_out(BEYOND_TERMS)
        self._restart(found, state, place)
        if scope.actions:
            self._one_time_actions(found, state, place)

    def _restart(self, found: list[tuple[State, object]], state: State, place: int) -> None:
        used = state[3]
        if used // A_RESTART & 255 < self.scope.restarts:
            self._happen(found, state, place, RESTART, used + A_RESTART)
        else:
            self._leave_out("restarts beyond the bound")

    def _one_time_actions(
        self, found: list[tuple[State, object]], state: State, place: int
    ) -> None:
        used = state[3]
        for number, action in enumerate(self.scope.actions):
            bit = 1 << (FIRST_ACTION_BIT + number)
            if used & bit or action.node not in ("", self.names[place]):
                continue
            floor = len(self.pasts[state[2]].committed)
            here = msgspec.structs.replace(action, node=self.names[place])
            event = (here, floor if isinstance(action, Read) else 0)
            self._happen(found, state, place, event, used | bit)

    def _happen(
        self,
        found: list[tuple[State, object]],
        state: State,
        place: int,
        event: object,
        used: int,
        others: int | None = None,
    ) -> None:
        """Something happens at one node; `others` is what happens to all others with it."""
        made = self.step(state[0][place], event, state[2])
        if others is not None and self.time_matters and made is not BEYOND:
            state = (self._older(state, place, others), *state[1:])
            made = made or Step(state[0][place], ())
        if made is not None:
            self._take(found, state, place, made, state[1], used, event)

    def _older(self, state: State, place: int, event: int) -> tuple[int, ...]:
        """All nodes but one after time has passed them over."""
        aged = list(state[0])
        for other, local in enumerate(state[0]):
            made = self.step(local, event, state[2]) if other != place else None
            if made is not None and made is not BEYOND:
                aged[other] = made.local
        return tuple(aged)

    def _take(
        self,
        found: list[tuple[State, object]],
        state: State,
        place: int,
        made: Step,
        flights: tuple[int, ...],
        used: int,
        event: object,
    ) -> None:
        """Add the state after a node's step, unless too much would be in flight."""
        nodes, local, past = state[0], made.local, state[2]
        if made is BEYOND:
            self._leave_out(BEYOND_TERMS)
            return
        if made.sent:
            flights = tuple(sorted(flights + made.sent))
            limit = self.scope.in_flight
            if limit is not None and len(flights) > limit:
                self._leave_out("more messages on their way than the bound")
                return
        if nodes[place] != local:
            nodes = (*nodes[:place], local, *nodes[place + 1 :])
        if made.concerns is not None:
            past = self._judge(state, nodes, place, made, event)
        if made.broken is not None:
            self.broken = made.broken
        found.append(((nodes, flights, past, used), (place, event)))

    def _leave_out(self, what: str, times: int = 1) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + times

    # What must hold

    def _judge(
        self, state: State, nodes: tuple[int, ...], place: int, made: Step, event: object
    ) -> int:
        """The past after this step; `broken` is set where a property falls."""
        number, past = state[0][place], state[2]
        assert made.concerns is not None
        is_about_past, is_new_log, moves_commit, heard = made.concerns
        if heard:
            known = (made.local, nodes[heard - 1])
            if known not in self._believed:
                self._believed[known] = self._match_is_true(known, past, event)
            self.broken = self.broken or self._believed[known]
        if is_about_past or self.pasts[past].is_odd:
            if type(event) is tuple and event[0] is AGAIN:
                event = event[1]
            past, fallen = self._verdict(past, number, event)
            self.broken = self.broken or fallen
        if is_new_log:
            past = self._compare_logs(number, nodes, place, past)
        if moves_commit:
            if self.locals[made.local].leads or self.locals[number].leads:
                disks = self.disks
                what = (number, (made.local, *[disks[each] for each in nodes]))
                if what not in self._quorums:
                    self._quorums[what] = self._ask(
                        COMMIT_FOLLOWS_QUORUM, number, nodes, place, past
                    )
                self.broken = self.broken or self._quorums[what]
            leaders = self.pasts[past].leaders
            if leaders and leaders[-1][0] > self.locals[made.local].term:
                fallen = self._ask(LATER_LEADERS, number, nodes, place, past)
                self.broken = self.broken or fallen
        return past

    def _match_is_true(self, known: tuple[int, int], past: int, event: object) -> Fallen:
        """Whether a leader believes of the member that answered only what is so."""
        leader, member = (self.locals[each].host for each in known)
        reply = self.messages[event[1] if isinstance(event, tuple) else event]  # type: ignore[index]
        memory = Memory(self.pasts[past], {member.node: member})
        broken = MATCH_IS_TRUE.check(memory, leader, reply)
        return name_and_text((MATCH_IS_TRUE, broken) if broken else None)

    def _ask(
        self, asked: Property, number: int, nodes: tuple[int, ...], place: int, past: int
    ) -> Fallen:
        """What a property says of a node that moved, where the others are as they are."""
        before, host = self.locals[number].host, self.locals[nodes[place]].host
        everyone = {self.locals[each].host.node: self.locals[each].host for each in nodes}
        host.seen = seen_of(before) if before.alive else Seen()
        broken = asked.check(Memory(self.pasts[past], everyone), host)
        return name_and_text((asked, broken) if broken else None)

    def _compare_logs(self, number: int, nodes: tuple[int, ...], place: int, past: int) -> int:
        """Whether the new log matches all others, and all that there was; the past with it."""
        mine = self.logs[nodes[place]]
        for other, at in enumerate(nodes):
            if other == place:
                continue
            pair = (mine, self.logs[at])
            agree = self._matching.get(pair)
            if agree is None:
                agree = match(self.locals[nodes[place]], self.locals[at])
                self._matching[pair] = agree
            if not agree:
                names = f"{self.names[place]} and {self.names[other]}"
                self._fall(LOG_MATCHING, f"the logs of {names} agree in a term and differ before")
        known = (past, self.logs[number], mine)
        news = self._news.get(known, UNKNOWN)
        if news is UNKNOWN:
            news = self._news[known] = self._news_of(number, nodes[place], past)
        if news is None:
            return past
        dropped, contradicted = news
        if contradicted is not None:
            self._fall(LOG_MATCHING, contradicted)
        held = {entry for each in nodes for entry in self.locals[each].entries}
        here = self.pasts[past]
        lost = [each for each in (*here.lost, *dropped) if each[0] not in held]
        return self._past_id(here._replace(lost=without_committed(lost, here)))

    def _news_of(self, number: int, following: int, past: int) -> News:
        """Which entries have left a log, and what its new ones contradict; None if all is plain."""
        before, now = with_terms_before(self.locals[number]), self.locals[following]
        here, held = self.pasts[past], set(now.entries)
        dropped = tuple((each, term or 0) for each, term in before.items() if each not in held)
        new = [each for each in now.entries if each not in before]
        contradicted = contradicts(now, new, here)
        return (dropped, contradicted) if dropped or contradicted or here.lost else None

    def _fall(self, fallen: Property, text: str) -> None:
        self.broken = self.broken or (fallen.name, text)


def command_of(local: Local) -> bytes:
    """What a client says to a leader: another thing at every index and in every term."""
    return f"x={local.leads}.{local.last_index + 1}".encode()


def must_tick(host: Host) -> bool:
    """Whether a node's timer runs out as in life: a leader's, or where it cannot be told to."""
    return host.machine.role is Role.LEADER or not hasattr(host.machine, "campaign")
