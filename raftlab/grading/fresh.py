"""Cases that nobody has seen: drawn from the seeds of the class, with larger and other numbers.

Whoever has written down the answers to the cases that are shipped has none to these. An exercise
that is not named here has no other cases than those (a table of roles, two facts): there a table
is an answer.
"""

import random
from collections.abc import Callable, Mapping, Sequence

from raftlab.course.exercises.cases import Case, words
from raftlab.course.exercises.hints import REPAIRS, Repair
from raftlab.course.situations import entries_of, log_of, progress_of, votes_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import Rejected, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, NodeId
from raftlab.sim.world.arguments import MOST_NODES

COUNT = 60
"""How many are drawn for an exercise."""
FEW: Mapping[str, int] = {"5.1": 2, "5.3": 1}
"""The same for those that try long with one."""
LONGEST = 12
MANY, MOST_SERVERS = 200, 400
"""How many servers there are in larger clusters, and in a few: Python calls 1,000 deep."""
NAMES = ("ada", "bob", "eve", "kim", "lea", "max", "noa", "sam", "tom")
MORE_NAMES = tuple(f"n{place}" for place in range(1, 16))
"""Servers that are not called S1 to S5."""


def fresh_cases(number: str, chance: random.Random) -> list[Case]:
    """Cases of this exercise that are not the shipped ones; none, where there are no others."""
    count = FEW.get(number, COUNT)
    return [Case(*draw(chance)) for draw in DRAWS.get(number, ()) for _ in range(count)]


def fresh_repairs(chance: random.Random) -> list[Repair]:
    """Pairs of logs like those that are shipped, of other lengths."""
    far, same, near = chance.randint(150, 260), chance.randint(3, 9), chance.randint(250, 700)
    mine, its = chance.randint(30, 50), (chance.randint(15, 25), chance.randint(20, 30))
    long = chance.randint(70, 140)
    away, parted, just, beyond = REPAIRS
    return [
        away._replace(
            leader="1 " * far,
            entries=2 * far,
            logs=f"a follower that holds the first of {far} entries has all of them",
        ),
        parted._replace(
            leader="1 " * same + "4 " * mine + "6",
            follower="1 " * same + "2 " * its[0] + "3 " * its[1],
            entries=2 * (mine + 1),
            logs=f"two logs that part after entry {same}, for {mine + 1} and {sum(its)} entries,"
            " are equal",
        ),
        just._replace(
            leader="1 " * near,
            follower="1 " * (near - 1),
            logs=f"a follower that lacks the last of {near} entries has it",
        ),
        beyond._replace(
            leader="1 " * long + "3",
            follower="1 " + "2 " * (long - 1),
            entries=2 * (long + 1),
            logs=f"two logs that part after entry 1, for {long} and {long - 1} entries, are equal",
        ),
    ]


def _terms(chance: random.Random, length: int, least: int = 1, steps: int = 3) -> list[int]:
    """Terms that never fall, some of them equal."""
    found = []
    for _ in range(length):
        least += chance.choice([0, 0, chance.randint(1, steps)])
        found.append(least)
    return found


def _log(chance: random.Random, least: int = 0) -> RaftLog:
    return log_of(words(_terms(chance, chance.randint(least, LONGEST), chance.randint(1, 5))))


def _place(chance: random.Random, log: RaftLog) -> tuple[int, int]:
    """An index and a term there, that the log may hold or not."""
    index = chance.randint(0, log.last_index + 1)
    term = log.term_for_index(index)
    if index and (term is None or chance.random() < 0.5):
        term = max((term or log.last_term) + chance.randint(-2, 2), 1)
    return index, term or 0


def _accepts(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    return log, *_place(chance, log)


def _after(chance: random.Random, log: RaftLog, index: int, term: int) -> Sequence[object]:
    """New entries after a place: as in the log for a while, and then perhaps others."""
    fits = log.term_for_index(index) == term
    same = log.entries(index + 1, index + 1 + chance.randint(0, 3)) if fits else ()
    alike = [each.term for each in same]
    last = max([term, 1, *alike]) + chance.choice([0, 0, 1, 2])
    return entries_of(words(alike + _terms(chance, chance.randint(0, 3), last)), index + 1)


def _cuts(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    index = chance.randint(0, log.last_index)
    return log, index, _after(chance, log, index, log.term_for_index(index) or 0)


def _parts(chance: random.Random) -> tuple[RaftLog, int, Sequence[LogEntry]]:
    """As many entries as the log has behind a place, or more; they part from it late, or never."""
    log = log_of(words(_terms(chance, chance.randint(LONGEST, 2 * LONGEST), 2)))
    index = chance.randint(0, 3)
    terms = [each.term for each in log.entries(index + 1, log.last_index + 1)]
    same = chance.randint(1, len(terms))
    last = max(log.last_term, 1) + 1
    new = terms[:same] + [last] * (len(terms) - same + chance.randint(0, 2))
    return log, index, entries_of(words(new), index + 1)


def _parts_and_fits(chance: random.Random) -> Sequence[object]:
    log, index, entries = _parts(chance)
    return log, index, log.term_for_index(index) or 0, entries


def _appends(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    index, term = _place(chance, log)
    return log, index, term, _after(chance, log, index, term)


def _two_terms(chance: random.Random) -> Sequence[object]:
    term = chance.randint(4, 10**6)
    return term + chance.choice([0, 0, 0, -1, 1, chance.randint(-3, 3)]), term


def _request(chance: random.Random, term: int, log: RaftLog) -> RequestVote:
    index = max(log.last_index + chance.randint(-2, 2), 0)
    last = max(log.last_term + chance.randint(-1, 1), 1) if index else 0
    return RequestVote(
        term=term,
        sender=chance.choice(NAMES),
        receiver="S1",
        last_log_index=index,
        last_log_term=last,
    )


def _up_to_date(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    return _request(chance, log.last_term + 3, log), log


def _vote_for(chance: random.Random, request: RequestVote) -> NodeId | None:
    return chance.choice([None, request.sender, chance.choice(NAMES)])


def _has_vote(chance: random.Random) -> Sequence[object]:
    term = chance.randint(1, 10**6)
    request = _request(chance, term, log_of("1"))
    leader = chance.choice([None, None, chance.choice(NAMES)])
    voted_for = _vote_for(chance, request)
    return request, term, voted_for, leader if voted_for else None


def _answers_vote(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    term = log.last_term + chance.randint(1, 5)
    request = _request(chance, term + chance.randint(-2, 2), log)
    return term, _vote_for(chance, request), log, request


def _voters(chance: random.Random) -> list[NodeId]:
    """Some servers; half of the time more than any shipped case has."""
    return chance.sample(
        NAMES + MORE_NAMES, chance.choice([chance.randint(1, 9), chance.randint(8, 24)])
    )


def _size(chance: random.Random) -> Sequence[object]:
    """More servers than any shipped case has; not too many for who counts them one by one."""
    most = chance.choice([MANY, MANY, MANY, MOST_SERVERS])
    return (chance.randint(MOST_NODES + 1, most),)


def _range(chance: random.Random) -> Sequence[object]:
    low = chance.randint(20, 900)
    return (Options.figure_2(election_timeout=(float(low), float(low + chance.randint(3, 900)))),)


def _tally(chance: random.Random) -> Sequence[object]:
    voters = _voters(chance)
    answered = chance.sample(voters, chance.randint(0, len(voters)))
    return (votes_of({each: chance.random() < 0.6 for each in answered}, of=voters),)


def _timers(chance: random.Random) -> Sequence[object]:
    nodes = chance.sample(NAMES, chance.randint(2, 6))
    timeouts = {each: chance.randint(100, 160) for each in nodes}
    return timeouts, chance.randint(1, 20)


def _slow(chance: random.Random) -> Sequence[object]:
    return (chance.randint(50, 90),)


def _fast(chance: random.Random) -> Sequence[object]:
    return (chance.randint(4, 7),)


def _matches(chance: random.Random) -> Sequence[object]:
    log = _log(chance, 1)
    new = chance.randint(0, log.last_index)
    return log, new, chance.randint(new + 1, log.last_index + 1)


def _stray(chance: random.Random) -> Sequence[object]:
    match = chance.randint(0, 20)
    following = match + chance.randint(1, 6)
    asked, last = chance.randint(1, following + 2), chance.randint(0, following + 2)
    if chance.random() < 0.5:
        asked = max(following - 1, 1)
    refused = Rejected(
        non_matching_index=asked, last_index=last, hint_index=min(asked, last), hint_term=1
    )
    return refused, progress_of(match, following, chance.choice(["probe", "pipeline"]))


def _hint(chance: random.Random) -> Sequence[object]:
    while True:
        mine, its = _log(chance, 1), _log(chance)
        if not Rules().accepts_append(its, mine.last_index, mine.last_term):
            refused = Rules().rejection(its, mine.last_index, mine.last_term)
            return refused, mine, progress_of(0, mine.last_index + 1)


def _majority(chance: random.Random) -> Sequence[object]:
    voters = tuple(_voters(chance))
    return {each: chance.randint(0, 99) for each in voters}, Configuration(voters)


def _follower(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    verified = chance.randint(0, log.last_index)
    return chance.randint(0, log.last_index + 3), verified, log, chance.randint(0, log.last_index)


def _leader(chance: random.Random) -> Sequence[object]:
    log = _log(chance)
    term = max(log.last_term, 1) + chance.choice([0, 0, 1])
    return chance.randint(0, log.last_index), log, term, chance.randint(0, log.last_index)


DRAWS: Mapping[str, tuple[Callable[[random.Random], Sequence[object]], ...]] = {
    "1.1": (_accepts,),
    "1.2": (_cuts, _parts),
    "1.3": (_appends, _parts_and_fits),
    "2.1": (_two_terms,),
    "3.1": (_up_to_date,),
    "3.2": (_has_vote,),
    "3.3": (_answers_vote,),
    "4.1": (_size,),
    "4.2": (_tally,),
    "4.3": (_two_terms,),
    "5.1": (_range,),
    "5.2": (_timers,),
    "5.3": (_slow, _fast),
    "6.1": (_matches,),
    "6.2": (_stray,),
    "6.3": (_hint,),
    "7.1": (_majority,),
    "7.2": (_follower,),
    "7.3": (_leader,),
}
"""How the arguments of a case are drawn, by exercise; of each kind of them there are as many."""
