"""Questions about AppendEntries: what it makes of a follower's log, and who accepts it."""

import random
from collections.abc import Mapping, Sequence

from raftlab.course.predict.asking import append_message, hand_over
from raftlab.course.predict.logs import BESIDE, PAIR
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_labelled_rows, scene_rows
from raftlab.course.situations import FIGURE_7, entries_of, log_of, random_logs, words_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntriesReply
from raftlab.raft.vocabulary import Index, Term

EMPTY = "empty"
RULE = (
    "a follower without entry prevLogIndex of term prevLogTerm rejects; a conflict is cut, no more"
    " (5.3)"
)
STEPS = "The follower's log before and after the message"


def follower_with(log: RaftLog, term: Term) -> RaftStateMachine:
    """A follower that holds `log`, in `term`."""
    return RaftStateMachine("follower", configuration=PAIR, term=max(term, log.last_term), log=log)


def append_to(
    log: RaftLog, prev_log_index: Index, prev_log_term: Term, entries: Sequence[LogEntry]
) -> tuple[bool, RaftLog, str]:
    """Hand one AppendEntries to a follower: whether it accepts, its log after it, and why."""
    term = max([log.last_term, prev_log_term, *(entry.term for entry in entries)])
    machine = follower_with(log.copy(), term)
    held = log.term_for_index(prev_log_index)
    prev = prev_log_index, prev_log_term
    output = hand_over(machine, append_message("leader", "follower", machine.term, prev, entries))
    reply = output.messages[-1]
    assert isinstance(reply, AppendEntriesReply)
    if not isinstance(reply.result, Accepted):
        has = f"it has term {held} there" if held is not None else "its log ends before"
        wanted = f"it needs entry {prev_log_index} of term {prev_log_term}"
        return False, machine.log, f"rejects: {wanted}, and {has}"
    cut = [str(note) for note in output.debug_log if note.rule == "conflict_index"]
    why = cut[0] if cut else "cuts nothing: nothing contradicts its log"
    return True, machine.log, f"accepts up to entry {reply.result.last_new_index}; {why}"


@template
def append_result(
    log: str | None = None,
    prev: tuple[Index, Term] | None = None,
    entries: str = "",
    *,
    seed: int = 0,
) -> Question:
    """What is a follower's log after an AppendEntries?

        predict.append_result(log="1 1 2", prev=(2, 1), entries="3 3")

    `prev` is (prev_log_index, prev_log_term); logs and entries are written as terms. The
    wrong choices are what follows from the usual mistakes.
    """
    if log is None or prev is None:
        log, prev, entries = _random_append(seed)
    held, new = log_of(log), entries_of(entries, prev[0] + 1)
    _, after, why = append_to(held, *prev, new)
    truth = words_of(after) or EMPTY
    outcomes = [truth, words_of(held) or EMPTY, *_wrong_outcomes(held, prev[0], new)]
    distinct = sorted(dict.fromkeys(outcomes))
    if len(distinct) == 1:  # nothing is sent, and nothing is there to be cut
        distinct.append(EMPTY)
    random.Random(f"raftlab choices {log} {prev} {entries}").shuffle(distinct)
    choices = dict(zip("abcdefgh", distinct, strict=False))
    key = next(letter for letter, words in choices.items() if words == truth)
    sent_at = "_ " * prev[0] + entries
    sent = _sent_words(len(new), entries)
    return Question(
        f"A follower's log has {_held_words(held)}. AppendEntries arrives"
        f" with prevLogIndex {prev[0]}, prevLogTerm {prev[1]} and {sent}."
        " What are the terms in its log afterwards?",
        choices,
        key,
        (f"the follower {why}", f"its log then: {truth}", RULE),
        then=(scene_rows({"before": log, "message": sent_at, "after": words_of(after)}, STEPS),),
    )


def _sent_words(count: int, entries: str) -> str:
    if not count:
        return "no entries (a heartbeat)"
    return f"one entry, of term {entries}" if count == 1 else f"entries of terms {entries}"


def _held_words(log: RaftLog) -> str:
    """What a log holds, as a question says it."""
    if not log.last_index:
        return "no entries"
    words = words_of(log)
    return f"one entry, of term {words}" if log.last_index == 1 else f"entries of terms {words}"


def _wrong_outcomes(log: RaftLog, prev: Index, entries: Sequence[LogEntry]) -> list[str]:
    """What the log would be with the usual mistakes: cut always, or never, or only append."""
    held, new = [str(entry.term) for entry in log], [str(entry.term) for entry in entries]
    always_cut = held[:prev] + new
    return [" ".join(terms) or EMPTY for terms in (always_cut, held + new, held[:prev])]


def _random_append(seed: int) -> tuple[str, tuple[Index, Term], str]:
    rng = random.Random(f"raftlab append {seed}")
    leader = [1] * rng.randint(1, 3) + [2] * rng.randint(1, 2) + [4] * rng.randint(1, 3)
    same = rng.randint(1, len(leader))
    follower = leader[:same]
    if rng.random() < 0.6 and same < len(leader):
        follower = [*follower, *[max(3, follower[-1])] * rng.randint(1, 3)]
    prev = rng.randint(max(0, same - 2), min(same + 1, len(leader) - 1))
    stop = rng.randint(prev, len(leader))
    words = " ".join(map(str, follower))
    return words, (prev, leader[prev - 1] if prev else 0), " ".join(map(str, leader[prev:stop]))


@template
def possible_followers(
    leader: str | None = None,
    followers: Mapping[str, str] | None = None,
    prev_log_index: Index | None = None,
    *,
    seed: int | None = None,
) -> Question:
    """Which followers accept the AppendEntries that follows `prev_log_index` of the leader's log?

    Without arguments: Figure 7, and the leader's first message of term 8.
    """
    if leader is None or followers is None:
        rng = random.Random(f"raftlab followers {seed}")
        logs = FIGURE_7 if seed is None else _random_followers(rng)
        leader = logs["leader"]
        followers = {name: log for name, log in logs.items() if name != "leader"}
        if prev_log_index is None and seed is not None:
            prev_log_index = rng.randint(1, len(leader.split()))
    its = log_of(leader)
    prev = its.last_index if prev_log_index is None else prev_log_index
    prev_term = its.term_for_index(prev) or 0
    accepting, reasons, told, then = [], [], {}, {"leader": leader}
    for name, words in followers.items():
        accepted, after, why = append_to(
            log_of(words), prev, prev_term, its.entries(prev + 1, prev + 2)
        )
        reasons.append(f"{name} {why}")
        then[name], told[name] = words_of(after), "accepts" if accepted else "rejects"
        if accepted:
            accepting.append(name)
    return Question(
        f"The leader asks every follower whether it has entry {prev} of term {prev_term}"
        " (prevLogIndex, prevLogTerm). Which accept?",
        list(followers),
        accepting,
        [*reasons, RULE],
        several=True,
        scenes=(scene_rows({"leader": leader, **followers}, BESIDE),),
        then=(scene_labelled_rows(then, told, f"{BESIDE}, afterwards"),),
    )


def _random_followers(rng: random.Random) -> dict[str, str]:
    logs = random_logs(rng, ("leader", "a", "b", "c", "d"))
    best = max(logs, key=lambda node: (log_of(logs[node]).last_term, len(logs[node])))
    logs["leader"], logs[best] = logs[best], logs["leader"]
    return logs
