"""A small machine with the actions of Ongaro's raft.tla, to check the search itself.

TLC has counted the states of that specification, and a search that forgets a state, or
counts one twice, cannot come to the same numbers. The machine is written anew for this; it
shares nothing with raftlab but `Search`. History variables are left out. Servers and terms are
numbers, the initial term is 1, and there is one client value, so that an entry is its term.

The specification exists in versions that differ in the bag of messages. TLC's numbers come
of this one: a message of which no copy is left is no longer in the bag's domain; the
constraint bounds terms, the length of logs and how many different messages there are, and
allows one copy of each. (If what has been sent once stays in the domain, as a message with
count 0, then 2 servers have 309 states and not 13,479; if two copies are allowed, 71,177.)
"""

from collections.abc import Callable, Hashable, Iterator
from functools import cache
from itertools import permutations
from typing import NamedTuple, TypeVar

from raftlab.check.explore.breadth_first import Search

T = TypeVar("T")

FOLLOWER, CANDIDATE, LEADER = 0, 1, 2
NOBODY = 9
REQUEST_VOTE, VOTE, APPEND, APPENDED = 0, 1, 2, 3


class Server(NamedTuple):
    """One server's variables; sets of servers and functions of servers are tuples."""

    term: int = 1
    state: int = FOLLOWER
    voted_for: int = NOBODY
    log: tuple[int, ...] = ()
    commit_index: int = 0
    responded: tuple[bool, ...] = ()
    granted: tuple[bool, ...] = ()
    next_index: tuple[int, ...] = ()
    match_index: tuple[int, ...] = ()


Sent = tuple[int, ...]
"""A message: its type, term, source, destination, and what else it says."""

Bag = tuple[tuple[Sent, int], ...]
State = tuple[tuple[Server, ...], Bag]


class RaftTla:
    """The specification for so many servers, as something that can be searched."""

    def __init__(self, servers: int, is_inside: Callable[[State], bool]) -> None:
        self.is_inside = is_inside
        self.servers = range(servers)
        self.no, self.ones, self.zeros = (False,) * servers, (1,) * servers, (0,) * servers
        fresh = Server(
            responded=self.no, granted=self.no, next_index=self.ones, match_index=self.zeros
        )
        self.first: State = ((fresh,) * servers, ())
        self.broken: tuple[str, str] | None = None

    def following(self, state: State) -> list[tuple[State, object]]:
        """What every action leads to, as far as the constraint goes."""
        return [(each, None) for each in self._following(state) if self.is_inside(each)]

    def _following(self, state: State) -> Iterator[State]:
        servers, bag = state
        for i, server in enumerate(servers):
            for after in self._alone(server, i):
                yield self._with(servers, i, after), bag
            for message in self._says(server, i):
                yield servers, plus(bag, message)
        for message, _ in bag:
            yield from self._receive(state, message)
            yield servers, plus(bag, message)  # DuplicateMessage
            yield servers, minus(bag, message)  # DropMessage

    def _with(self, servers: tuple[Server, ...], i: int, after: Server) -> tuple[Server, ...]:
        return (*servers[:i], after, *servers[i + 1 :])

    def _alone(self, server: Server, i: int) -> Iterator[Server]:
        """Restart, Timeout, BecomeLeader, ClientRequest, AdvanceCommitIndex."""
        no, ones, zeros = self.no, self.ones, self.zeros
        yield Server(server.term, FOLLOWER, server.voted_for, server.log, 0, no, no, ones, zeros)
        if server.state != LEADER:
            yield server._replace(
                term=server.term + 1, state=CANDIDATE, voted_for=NOBODY, responded=no, granted=no
            )
        if server.state == CANDIDATE and 2 * sum(server.granted) > len(no):
            after = (len(server.log) + 1,) * len(no)
            yield server._replace(state=LEADER, next_index=after, match_index=zeros)
        if server.state == LEADER:
            yield server._replace(log=(*server.log, server.term))
            yield server._replace(commit_index=self._agreed(server, i))

    def _agreed(self, server: Server, i: int) -> int:
        agreed = [
            index
            for index in range(1, len(server.log) + 1)
            if 2 * len({i} | {k for k in self.servers if server.match_index[k] >= index})
            > len(self.servers)
        ]
        if agreed and server.log[agreed[-1] - 1] == server.term:
            return agreed[-1]
        return server.commit_index

    def _says(self, server: Server, i: int) -> Iterator[Sent]:
        """RequestVote, to itself as well, and AppendEntries, with at most one entry."""
        log, term = server.log, server.term
        for j in self.servers:
            if server.state == CANDIDATE and not server.responded[j]:
                yield REQUEST_VOTE, term, i, j, log[-1] if log else 0, len(log)
            if server.state == LEADER and i != j:
                after = server.next_index[j]
                last = min(len(log), after)
                entry = log[after - 1] if after <= len(log) else 0
                prev_term = log[after - 2] if after > 1 else 0
                commit = min(server.commit_index, last)
                yield APPEND, term, i, j, after - 1, prev_term, entry, commit

    def _receive(self, state: State, message: Sent) -> Iterator[State]:
        """UpdateTerm, or what is done with a message of this kind."""
        servers, bag = state
        kind, term, _, i = message[:4]
        server = servers[i]
        if term > server.term:
            newer = server._replace(term=term, state=FOLLOWER, voted_for=NOBODY)
            yield self._with(servers, i, newer), bag
        elif kind == REQUEST_VOTE:
            yield self._vote(state, message)
        elif kind == APPEND:
            yield from self._append(state, message)
        elif term < server.term:
            yield servers, minus(bag, message)
        else:
            after = self._count(server, message) if kind == VOTE else self._heard(server, message)
            yield self._with(servers, i, after), minus(bag, message)

    def _vote(self, state: State, message: Sent) -> State:
        servers, bag = state
        _, term, j, i, last_term, last_index = message
        server = servers[i]
        mine = (server.log[-1] if server.log else 0, len(server.log))
        grants = (
            term == server.term
            and (last_term, last_index) >= mine
            and server.voted_for in (NOBODY, j)
        )
        if grants:
            servers = self._with(servers, i, server._replace(voted_for=j))
        return servers, reply(bag, (VOTE, server.term, i, j, int(grants)), message)

    def _count(self, server: Server, message: Sent) -> Server:
        j, granted = message[2], message[4]
        responded = put(server.responded, j, True)
        return server._replace(
            responded=responded, granted=put(server.granted, j, True) if granted else server.granted
        )

    def _heard(self, server: Server, message: Sent) -> Server:
        j, success, match = message[2], message[4], message[5]
        if success:
            return server._replace(
                next_index=put(server.next_index, j, match + 1),
                match_index=put(server.match_index, j, match),
            )
        lower = max(server.next_index[j] - 1, 1)
        return server._replace(next_index=put(server.next_index, j, lower))

    def _append(self, state: State, message: Sent) -> Iterator[State]:
        servers, bag = state
        _, term, j, i, prev, prev_term, entry, commit = message
        server = servers[i]
        log = server.log
        fits = prev == 0 or (prev <= len(log) and log[prev - 1] == prev_term)
        if term < server.term or (server.state == FOLLOWER and not fits):
            yield servers, reply(bag, (APPENDED, server.term, i, j, 0, 0), message)
        elif server.state == CANDIDATE:
            yield self._with(servers, i, server._replace(state=FOLLOWER)), bag
        elif server.state == FOLLOWER and fits:
            if not entry or (len(log) > prev and log[prev] == entry):
                after = server._replace(commit_index=commit)
                match = prev + (1 if entry else 0)
                answer = (APPENDED, server.term, i, j, 1, match)
                yield self._with(servers, i, after), reply(bag, answer, message)
            elif len(log) > prev:
                yield self._with(servers, i, server._replace(log=log[:-1])), bag
            else:
                yield self._with(servers, i, server._replace(log=(*log, entry))), bag


def put(values: tuple[T, ...], place: int, value: T) -> tuple[T, ...]:
    """The tuple with another value at one place."""
    return (*values[:place], value, *values[place + 1 :])


def plus(bag: Bag, message: Sent) -> Bag:
    """The bag with one more copy of a message."""
    held = dict(bag)
    held[message] = held.get(message, 0) + 1
    return tuple(sorted(held.items()))


def minus(bag: Bag, message: Sent) -> Bag:
    """The bag with one copy less; without the message, when none is left."""
    held = dict(bag)
    held[message] -= 1
    if not held[message]:
        del held[message]
    return tuple(sorted(held.items()))


def reply(bag: Bag, response: Sent, request: Sent) -> Bag:
    """The bag in which the answer has taken the place of the question."""
    return minus(plus(bag, response), request)


def inside(terms: int, entries: int, messages: int) -> Callable[[State], bool]:
    """TLC's CONSTRAINT: only states for which it holds are counted, and gone on from."""

    def holds(state: State) -> bool:
        servers, bag = state
        return (
            len(bag) <= messages
            and all(count == 1 for _, count in bag)
            and all(each.term <= terms and len(each.log) <= entries for each in servers)
        )

    return holds


def symmetric(servers: int) -> Callable[[State], Hashable]:
    """A key that is equal for states that differ only in which server is which.

    Only servers that look alike but for names are exchanged.
    """
    orders = list(permutations(range(servers)))

    def key(state: State) -> Hashable:
        shapes = [shape(each, i) for i, each in enumerate(state[0])]
        ordered = sorted(shapes)
        fitting = [each for each in orders if [shapes[i] for i in each] == ordered]
        return min([renamed(state, each) for each in fitting])

    return key


@cache
def shape(server: Server, i: int) -> tuple[object, ...]:
    """What is left of a server's variables without the names of others."""
    voted = 0 if server.voted_for == i else 1 if server.voted_for == NOBODY else 2
    own = (server.term, server.state, server.log, server.commit_index, voted)
    others = (server.responded, server.granted, server.next_index, server.match_index)
    return (*own, *(values[i] for values in others), *(tuple(sorted(each)) for each in others))


def renamed(state: State, order: tuple[int, ...]) -> tuple[object, ...]:
    """The state in which server `order[n]` is called n."""
    servers = tuple([renamed_server(state[0][old], order) for old in order])
    return servers, tuple(sorted([renamed_message(each, order) for each, _ in state[1]]))


@cache
def renamed_server(server: Server, order: tuple[int, ...]) -> tuple[object, ...]:
    """A server's variables in which others have new names."""
    voted = NOBODY if server.voted_for == NOBODY else order.index(server.voted_for)
    others = (server.responded, server.granted, server.next_index, server.match_index)
    turned = (tuple(values[old] for old in order) for values in others)
    return (server.term, server.state, voted, server.log, server.commit_index, *turned)


@cache
def renamed_message(message: Sent, order: tuple[int, ...]) -> Sent:
    """A message between servers with new names."""
    kind, term, source, destination, *rest = message
    return (kind, term, order.index(source), order.index(destination), *rest)


def count(servers: int, terms: int, entries: int, messages: int, symmetry: bool = False) -> int:
    """How many states can be reached, as `Search` counts them."""
    space = RaftTla(servers, inside(terms, entries, messages))
    key = symmetric(servers) if symmetry else None
    search = Search(space, key).run()
    assert search.is_over
    return search.counts.distinct
