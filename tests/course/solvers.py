"""How a reader answers each kind of question: from what is shown, by the rules as they are taught.

A solver looks at the statement, the facts given, the choices and the pictures' texts, and at
nothing else. It knows no machine: the rules are written out anew.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from raftlab.course.question import Question

Log = list[int]
Logs = dict[str, Log]


def numbers(text: str) -> list[float]:
    """The numbers in a text, but not those of servers."""
    return [float(each) for each in re.findall(r"(?<!S)\b\d+(?:\.\d+)?", text)]


def servers(text: str) -> list[str]:
    """The servers that a text names, in its order."""
    return re.findall(r"S\d", text)


def rows(question: Question) -> Logs:
    """The logs of the first picture's text, by name, as the terms of their entries."""
    _, _, _, *lines = question.scenes[0].description.split("\n")
    return {line.split()[0]: [int(t) for t in re.findall(r"\b(\d+):", line)] for line in lines}


def terms(words: str) -> Log:
    """The terms that "1 1 4" lists."""
    return [int(word) for word in words.split()]


def chosen(question: Question, says: str) -> str:
    """The choice that says this."""
    (key,) = [key for key, words in question.choices.items() if words == says]
    return key


def end(log: Log) -> tuple[int, int]:
    """The last term, and the length: what is compared between logs (5.4.1)."""
    return (log[-1] if log else 0), len(log)


def winners(logs: Logs) -> list[str]:
    """Who has the votes of a majority, its own among them."""
    behind = {
        name: sum(end(log) >= end(each) for each in logs.values()) for name, log in logs.items()
    }
    return [name for name, count in behind.items() if 2 * count > len(logs)]


# 01


def append_result(question: Question) -> str:
    said = question.statement
    held = re.findall(r"log has (?:one entry, of term|entries of terms) ([\d ]*\d)", said)
    log = terms(held[0]) if held else []
    prev, prev_term = map(int, re.findall(r"prevLogIndex (\d+), prevLogTerm (\d+)", said)[0])
    sent = re.findall(r"prevLogTerm \d+ and (?:one entry, of term|entries of terms) ([\d ]+)", said)
    new = terms(sent[0]) if sent else []
    if prev and log[prev - 1 : prev] != [prev_term]:
        new = []
    for place, term in enumerate(new, prev):
        if log[place : place + 1] != [term]:
            log = [*log[:place], term]
    return chosen(question, " ".join(map(str, log)) or "empty")


def legal_log(question: Question) -> list[str]:
    def can_be(words: Sequence[str]) -> bool:
        return "_" not in words and list(map(int, words)) == sorted(map(int, words))

    return [name for name, words in question.choices.items() if can_be(words.split())]


def possible_logs(question: Question) -> list[str]:
    logs = rows(question)
    leader = logs.pop("leader")

    def matches(log: Log) -> bool:
        shared = [
            place for place, pair in enumerate(zip(log, leader, strict=False)) if len({*pair}) == 1
        ]
        return shared == list(range(len(shared)))

    return [name for name, log in logs.items() if matches(log)]


def possible_followers(question: Question) -> list[str]:
    logs = rows(question)
    prev, term = map(int, re.findall(r"has entry (\d+) of term (\d+)", question.statement)[0])
    del logs["leader"]
    return [name for name, log in logs.items() if log[prev - 1 : prev] == [term]]


# 02


def term_after(question: Question) -> str:
    role, term, message, its = re.findall(
        r"S2 is a (\w+) in term (\d+).*?\. (?:An?|The) ([\w ]+) arrives from S3, with term (\d+)",
        question.statement,
    )[0]
    if int(its) > int(term):
        return f"follower {its}"
    deposed = its == term and role == "candidate" and message == "heartbeat"
    return f"{'follower' if deposed else role} {term}"


def timer_reset(question: Question) -> list[str]:
    def resets(event: str) -> bool:
        return "of the leader of its term" in event or "that it grants" in event

    return [letter for letter, event in question.choices.items() if resets(event)]


# 03


def who_grants(question: Question) -> list[str]:
    logs, candidate = rows(question), servers(question.statement)[0]
    return [n for n, log in logs.items() if n != candidate and end(logs[candidate]) >= end(log)]


def who_can_win(question: Question) -> list[str]:
    return winners(rows(question))


def lost_vote(question: Question) -> str:
    said = question.statement
    if "without the vote" in said:
        return "One Vote Per Term"
    return "Leader Completeness" if "with an empty log" in said else "none"


# 04


def tally(question: Question) -> str:
    of, granted, _, silent = map(int, numbers(question.statement))
    if 2 * granted > of:
        return "won"
    return "unknown" if 2 * (granted + silent) > of else "lost"


def majority_size(question: Question) -> int:
    return int(numbers(question.statement)[0]) // 2 + 1


def splits(question: Question) -> str:
    votes = {choice: 1 for choice in question.choices if choice != "nobody"}
    standing = set(votes)
    for line in question.given:
        voter, *heard = servers(line)
        if voter not in standing:
            votes[heard[0]] += 1
    return next((node for node, count in votes.items() if count >= 3), "nobody")


# 05


def next_leader(question: Question) -> str:
    waits = {line.split(":")[0]: numbers(line)[0] for line in question.given}
    first, second, *_ = sorted(waits.values())
    assert second > first + 16, "who is first has asked everybody before the next one stands"
    return min(waits, key=lambda node: waits[node])


def wan_timeouts(question: Question) -> list[str]:
    there_and_back = 2 * numbers(question.statement)[1]

    def suits(words: str) -> bool:
        low, high = numbers(words)
        return low >= 2 * there_and_back and high < 10_000

    return [letter for letter, words in question.choices.items() if suits(words)]


# 06


def _place_tried(leader: Log, follower: Log, prev: int) -> int:
    """After a refusal: where, as far as both sides know, the logs can agree at last (5.3)."""
    asked = leader[prev - 1]
    hint = min(prev, len(follower))
    while hint and follower[hint - 1] > asked:
        hint -= 1
    hinted = follower[hint - 1] if hint else 0
    place = min(hint, prev - 1)
    while place and leader[place - 1] > hinted:
        place -= 1
    return place


def _exchanges(question: Question) -> list[int]:
    """The prevLogIndex of every message, until one is accepted."""
    logs = rows(question)
    leader, follower = logs["leader"], logs["follower"]
    prevs = [len(leader)]
    while prevs[-1] and follower[prevs[-1] - 1 : prevs[-1]] != [leader[prevs[-1] - 1]]:
        prevs.append(_place_tried(leader, follower, prevs[-1]))
    return prevs


def next_index_after(question: Question) -> int:
    assert "hint" in question.statement
    prevs = _exchanges(question)
    return (prevs[1] if len(prevs) > 1 else prevs[0]) + 1


def messages_to_repair(question: Question) -> int:
    assert "hints" in question.statement
    return len(_exchanges(question))


def corrupt_next_index(question: Question) -> str:
    held, new, wrong = map(int, re.findall(r"(?: to|send entry) (\d+)", question.statement))
    assert new == held + 1
    return "again" if wrong < new else "refused" if wrong > new else "nothing"


# 07


def commit_after(question: Question) -> int:
    said = question.statement
    term = int(re.findall(r"leads term (\d+)", said)[0])
    held = [int(each) for each in re.findall(r"S\d (\d+)", said.partition("its log:")[2])]
    _, _, _, line = question.scenes[0].description.split("\n")
    log = [int(each) for each in re.findall(r"\b(\d+):", line)]
    return _committed(held, log, term)


def _committed(held: Sequence[int], log: Log, term: int) -> int:
    """The last entry of the leader's own term that a majority holds (5.4.2)."""
    return max(
        (
            index
            for index, its in enumerate(log, 1)
            if its == term and 2 * sum(each >= index for each in held) > len(held)
        ),
        default=0,
    )


def acks_commit(question: Question) -> int:
    matched = {}
    for line in question.scenes[0].description.split("\n")[3:8]:
        name, _, _, match, *_ = line.split()
        own = re.findall(r"log (\d+)", line)[0]
        matched[name] = int(match if match.isdigit() else own)
    arriving = servers(question.statement.partition("on its way to it from")[2])
    for line in question.given:
        (sender,) = servers(line)
        if sender in arriving:
            matched[sender] = max(matched[sender], int(numbers(line)[0]))
    return sorted(matched.values())[2]


def which_committed(question: Question) -> list[str]:
    logs = rows(question)
    leading = [logs[name] for name in winners(logs)]
    longest = max(leading, key=len)
    places = range(len(longest))
    return [
        str(n + 1) for n in places if all(log[n : n + 1] == longest[n : n + 1] for log in leading)
    ]


def deposed_leader(question: Question) -> str:
    holders = servers(re.findall(r"; ([^;]*) hold it", question.statement)[0])
    (winner,) = re.findall(r"(S\d) is elected", question.statement)
    return "committed" if winner in holders else "lost"


def deposed_leader_commits(question: Question) -> str:
    *lines, known = question.given
    (late,) = re.findall(r"its message to (S\d)", known)
    (term,) = [numbers(line)[0] for line in lines if line.startswith(late)]
    copies = {"S1", late, *servers(known.partition("knows of")[2].partition(";")[0])}
    if term == 2:
        return "refused"
    return "harmless" if len(copies) >= 3 else "too few"


SOLVERS: Mapping[str, Callable[[Question], str | int | list[str]]] = {
    each.__name__: each
    for each in (
        *(append_result, legal_log, possible_logs, possible_followers),
        *(term_after, timer_reset),
        *(who_grants, who_can_win, lost_vote),
        *(tally, majority_size, splits),
        *(next_leader, wan_timeouts),
        *(next_index_after, messages_to_repair, corrupt_next_index),
        *(commit_after, acks_commit, which_committed, deposed_leader, deposed_leader_commits),
    )
}
"""By the name of the kind."""
