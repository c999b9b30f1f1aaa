"""The states of a small cluster as tuples of numbers, and what can follow each of them.

Few states of one node make very many states of a cluster. So each state of a node, each
message and each record of the past is kept once and has a number; what a node does is worked
out once, on the real machine, and looked up ever after.

What is left out, and why nothing is missed by it:

* A lost message is one that is never delivered, and a node that is down is one that nothing
  reaches. What is checked are properties of states that were reached, so a search needs
  neither event. A lost message counts as one on its way, where that number is bounded.
* A message that would change nothing at its receiver and call forth nothing is not delivered:
  all that can happen without it can happen while it still lies about.
* Crash and restart are one event, for the same reason.
* Writes end at once: a crash before the end of a write is a crash before its cause.
* Time stands still but for timeouts and heartbeats, and then it passes everywhere alike. Where
  no time can make a difference, it passes nowhere else.
* A partition is over: what it would keep back need not be delivered.

Under `async_persistence` a leader speaks while it writes; a crash in between is left out, and
`Exploration.not_looked_at` says so.
"""

import copy
from typing import NamedTuple

import msgspec

from raftlab.check.explore.bench import twin_of
from raftlab.check.explore.judging import (
    Local,
    Past,
    holds,
    local_of,
    match,
    not_on_a_majority,
    out_of_order,
    past_of,
    rewritten,
    stale,
)
from raftlab.check.explore.likeness import fingerprint
from raftlab.check.explore.scope import Scope
from raftlab.check.explore.starting import (
    latest_term,
    leaders_may_step_down,
    refuse_what_needs_time,
    timing_of,
    workbench,
)
from raftlab.raft.log import LogEntry
from raftlab.raft.messages import Message
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, Misuse, Term
from raftlab.sim.actions import (
    Action,
    Propose,
    Read,
    Restart,
    Tick,
    Timeout,
)
from raftlab.sim.cluster import Cluster
from raftlab.sim.host import Host
from raftlab.sim.invariants import (
    COMMIT_FOLLOWS_QUORUM,
    ELECTION_SAFETY,
    LEADER_COMPLETENESS,
    LOG_MATCHING,
    STATE_MACHINE_SAFETY,
    Property,
)

State = tuple[tuple[int, ...], tuple[int, ...], int, int]
"""The nodes' states, the messages in flight (sorted), the past, and what was used up."""

TIMEOUT, HEARTBEAT, RESTART, PROPOSE, AGE, BEAT = -1, -2, -3, -4, -5, -6
A_HEARTBEAT, A_RESTART, A_DUPLICATE, FIRST_DEED_BIT = 1, 1 << 8, 1 << 16, 24

AGAIN = "again"
"""With a message: it arrives, and comes once more later."""

RAISED = "a machine raised"


class Step(NamedTuple):
    """What a node did: its new state, what it sent, what it committed, what it broke alone."""

    local: int
    sent: tuple[int, ...]
    committed: tuple[LogEntry, ...]
    broken: tuple[str, str] | None


BEYOND = Step(0, (), (), None)
"""What a step beyond the bound on terms is worked out to be."""


class World:
    """Everything that can follow a cluster within a scope.

    Raises: Misuse, for a cluster whose clocks are untrue, whose nodes are paused or write, or
    that trusts in leases: there time decides, and a search has none. Use a campaign.
    """

    def __init__(self, cluster: Cluster, scope: Scope) -> None:
        refuse_what_needs_time(cluster)
        self.scope = scope
        self.names = cluster.nodes
        self.places = {node: place for place, node in enumerate(self.names)}
        options = cluster.setup.options
        self.timing = timing_of(cluster, scope)
        self.time_matters = self.timing.matters
        self.leaders_time_out = self.time_matters and leaders_may_step_down(cluster)
        self.latest_term = latest_term(cluster, scope)
        self.patience: Millis = options.election_timeout[1] + 1.0
        self.beat: Millis = options.heartbeat_interval
        self._bench = workbench(cluster)
        self.locals: list[Local] = []
        self._local_ids: dict[object, int] = {}
        self._keys: list[object] = []
        self.messages: list[Message] = []
        self.receivers: list[int] = []
        self._message_ids: dict[Message, int] = {}
        self.pasts: list[Past] = []
        self._past_ids: dict[Past, int] = {}
        self._steps: dict[tuple[int, object], Step | None] = {}
        self._matching: dict[tuple[int, int], bool] = {}
        self._log_ids: dict[tuple[LogEntry, ...], int] = {}
        self.logs: list[int] = []
        self.passed_over: dict[str, int] = {}
        self.broken: tuple[str, str] | None = None
        self.first = self._first_state(cluster)

    # The first state

    def _first_state(self, cluster: Cluster) -> State:
        twins = [twin_of(host) for host in cluster.hosts.values()]
        for twin in twins:
            twin.rng = copy.copy(twin.rng)  # a node that starts again draws from it
        nodes = tuple(self._intern(twin, cluster.now) for twin in twins)
        flights = tuple(sorted(self._message_id(each.message) for each in cluster.in_flight()))
        return (nodes, flights, self._past_id(past_of(cluster)), 0)

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

    # What one node does

    def step(self, number: int, event: object) -> Step | None:
        """What happens to a node in state `number`; None if it cannot happen or changes nothing."""
        known = (number, event)
        try:
            return self._steps[known]
        except KeyError:
            made = self._steps[known] = self._work_out(number, event)
            return made

    def _work_out(self, number: int, event: object) -> Step | None:
        before = self.locals[number]
        if not (before.host.alive or event in (RESTART, AGE, BEAT)):
            return None
        host = twin_of(before.host)
        bench, name = self._bench, host.node
        bench.begin(host, before.now)
        broken = None
        try:
            self._let_happen(host, before, event)
        except Exception as error:
            if isinstance(error, Misuse) and bench._moving is None:
                return None
            broken = (RAISED, f"{name}'s machine raised {type(error).__name__}: {error}")
        if broken is None and host.machine.term > max(self.latest_term, before.term):
            return BEYOND
        after = self._intern(host, bench.now)
        if after == number and not bench.sent and broken is None:
            return None
        sent = tuple(self._message_id(each) for each in bench.sent)
        committed = tuple(bench.committed)
        here = self.locals[after]
        broken = broken or rewritten(before, here) or stale(bench.answered)
        broken = broken or out_of_order(before, here, committed, event == RESTART)
        return Step(after, sent, committed, broken)

    def _let_happen(self, host: Host, before: Local, event: object) -> None:
        bench, node = self._bench, host.node
        bench._moving = None
        if isinstance(event, int) and event >= 0:
            bench.hear(host, self.messages[event])
        elif event in (TIMEOUT, AGE):
            bench.pass_over(host, before.now + self.patience)
            if event == TIMEOUT:
                ticks = must_tick(host)
                bench.do(Tick(bench.now, node) if ticks else Timeout(bench.now, node))
        elif event in (HEARTBEAT, BEAT):
            bench.pass_over(host, before.now + self.beat)
            if event == HEARTBEAT:
                bench.do(Tick(bench.now, node))
        elif event == RESTART:
            if host.alive:
                host.stop()
            bench.do(Restart(bench.now, node))
        elif event == PROPOSE:
            bench.do(Propose(bench.now, node, command_of(before)))
        else:
            assert isinstance(event, tuple)
            self._do_deed(*event)

    def _do_deed(self, deed: Action, floor: int) -> None:
        bench = self._bench
        bench.do(deed)
        if isinstance(deed, Read):
            bench._asked[-1].floor = floor

    # What can follow

    def following(self, state: State) -> list[tuple[State, object]]:
        """Every state that one event leads to, with that event: (node's place, event).

        `broken` is set if in the last of them a property has fallen.
        """
        found: list[tuple[State, object]] = []
        locals_, flights = state[0], state[1]
        steps, receivers = self._steps, self.receivers
        used, before, once = state[3], -1, 0
        may_double = used // A_DUPLICATE & 255 < self.scope.duplicates
        for at, message in enumerate(flights):
            if message == before:
                continue
            before = message
            place = receivers[message]
            known = (locals_[place], message)
            made = steps[known] if known in steps else self.step(*known)
            if made is not None:
                rest = flights[:at] + flights[at + 1 :]
                self._take(found, state, place, made, rest, used, message)
                if self.broken is not None:
                    return found
                if may_double:
                    again = (AGAIN, message)
                    self._take(found, state, place, made, flights, used + A_DUPLICATE, again)
                else:
                    once += 1
        if once:
            self._pass_over("messages that arrive twice beyond the bound", once)
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
                self._pass_over("commands beyond the bound on entries")
            if used & 255 < scope.heartbeats:
                self._happen(found, state, place, HEARTBEAT, used + A_HEARTBEAT, BEAT)
            else:
                self._pass_over("heartbeats beyond the bound")
        if not known.leads or self.leaders_time_out:
            if known.term < scope.terms or known.leads:
                self._happen(found, state, place, TIMEOUT, used, AGE)
            else:
                self._pass_over("elections beyond the bound on terms")
        self._restart(found, state, place)
        if scope.deeds:
            self._deeds(found, state, place)

    def _restart(self, found: list[tuple[State, object]], state: State, place: int) -> None:
        used = state[3]
        if used // A_RESTART & 255 < self.scope.restarts:
            self._happen(found, state, place, RESTART, used + A_RESTART)
        else:
            self._pass_over("restarts beyond the bound")

    def _deeds(self, found: list[tuple[State, object]], state: State, place: int) -> None:
        used = state[3]
        for number, deed in enumerate(self.scope.deeds):
            bit = 1 << (FIRST_DEED_BIT + number)
            if used & bit or deed.node not in ("", self.names[place]):
                continue
            floor = len(self.pasts[state[2]].committed)
            here = msgspec.structs.replace(deed, node=self.names[place])
            event = (here, floor if isinstance(deed, Read) else 0)
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
        made = self.step(state[0][place], event)
        if others is not None and self.time_matters and made is not BEYOND:
            state = (self._older(state[0], place, others), *state[1:])
            made = made or Step(state[0][place], (), (), None)
        if made is not None:
            self._take(found, state, place, made, state[1], used, event)

    def _older(self, locals_: tuple[int, ...], place: int, event: int) -> tuple[int, ...]:
        """All nodes but one after time has passed them over."""
        aged = list(locals_)
        for other, local in enumerate(locals_):
            if other != place and (made := self.step(local, event)) not in (None, BEYOND):
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
            self._pass_over("elections beyond the bound on terms")
            return
        if made.sent:
            flights = tuple(sorted(flights + made.sent))
            limit = self.scope.in_flight
            if limit is not None and len(flights) > limit:
                self._pass_over("more messages on their way than the bound")
                return
        if nodes[place] != local:
            nodes = (*nodes[:place], local, *nodes[place + 1 :])
            past = self._check(state, nodes, place, made)
        elif made.committed:
            past = self._check(state, nodes, place, made)
        if made.broken is not None:
            self.broken = made.broken
        found.append(((nodes, flights, past, used), (place, event)))

    def _pass_over(self, what: str, times: int = 1) -> None:
        self.passed_over[what] = self.passed_over.get(what, 0) + times

    # What must hold

    def _check(self, state: State, nodes: tuple[int, ...], place: int, made: Step) -> int:
        """The past after this step; `broken` is set where a property falls."""
        before, after = state[0][place], made.local
        past = state[2]
        leads = self.locals[after].leads
        if leads and leads != self.locals[before].leads:
            past = self._elected(past, place, after)
        if made.committed:
            past = self._committed(past, nodes, place, made)
        if self.logs[before] != self.logs[after]:
            self._compare_logs(nodes, place)
        return past

    def _elected(self, past: int, place: int, after: int) -> int:
        local, name, known = self.locals[after], self.names[place], self.pasts[past]
        leaders = dict(known.leaders)
        other = leaders.setdefault(local.leads, name)
        if other != name:
            self._fall(ELECTION_SAFETY, f"{other} and {name} both lead term {local.leads}")
        self._must_hold(known.committed, local)
        return self._past_id(Past(tuple(sorted(leaders.items())), known.committed))

    def _must_hold(self, committed: tuple[tuple[LogEntry, Term], ...], local: Local) -> None:
        for entry, term in committed:
            if term < local.leads and not holds(local, entry):
                self._fall(
                    LEADER_COMPLETENESS,
                    f"{local.host.node} leads term {local.leads} without entry {entry.index} of"
                    f" term {entry.term}, which was committed in term {term}",
                )

    def _committed(self, past: int, nodes: tuple[int, ...], place: int, made: Step) -> int:
        known, local = self.pasts[past], self.locals[made.local]
        committed = list(known.committed)
        if local.leads:
            everyone = {self.names[at]: self.locals[each] for at, each in enumerate(nodes)}
            if broken := not_on_a_majority(made.committed[-1], local, everyone):
                self._fall(COMMIT_FOLLOWS_QUORUM, broken)
        for entry in made.committed:
            if entry.index > len(committed):
                committed.append((entry, local.term))
                self._later_leaders_hold(entry, local.term, nodes)
            elif committed[entry.index - 1][0] != entry:
                self._fall(
                    STATE_MACHINE_SAFETY,
                    f"{local.host.node} applied another entry {entry.index} than was applied",
                )
        if len(committed) == len(known.committed):
            return past
        return self._past_id(Past(known.leaders, tuple(committed)))

    def _later_leaders_hold(self, entry: LogEntry, term: Term, nodes: tuple[int, ...]) -> None:
        for number in nodes:
            if self.locals[number].leads > term:
                self._must_hold(((entry, term),), self.locals[number])

    def _compare_logs(self, nodes: tuple[int, ...], place: int) -> None:
        mine = nodes[place]
        for other, number in enumerate(nodes):
            if other == place:
                continue
            pair = (self.logs[mine], self.logs[number])
            agree = self._matching.get(pair)
            if agree is None:
                agree = self._matching[pair] = match(self.locals[mine], self.locals[number])
            if not agree:
                names = f"{self.names[place]} and {self.names[other]}"
                self._fall(LOG_MATCHING, f"the logs of {names} agree in a term and differ before")

    def _fall(self, fallen: Property, text: str) -> None:
        self.broken = self.broken or (fallen.name, text)


def command_of(local: Local) -> bytes:
    """What a client says to a leader: another thing at every index and in every term."""
    return f"x={local.leads}.{local.last_index + 1}".encode()


def must_tick(host: Host) -> bool:
    """Whether a node's timer runs out as in life: a leader's, or where it cannot be told to."""
    return host.machine.role is Role.LEADER or not hasattr(host.machine, "campaign")
