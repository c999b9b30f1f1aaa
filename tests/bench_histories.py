"""Histories to measure the linearizability check with, and what it takes on them.

Each generator runs a simulated object whose operations take effect at a hidden moment
between their start and their end, so that what it writes down is linearizable until it
is corrupted. The same seed gives the same history.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from raftlab.check.history import History, Operation, Outcome
from raftlab.check.linearizability import check
from raftlab.check.linearizability.models import KeyValue, Register

VALUES = 5
"""Registers hold 0 to 4, as in Jepsen's test of etcd."""


def register_history(
    seed: int, operations: int = 85, clients: int = 5, unknown: float = 0.08, corrupt: bool = False
) -> History:
    """One register, read, written, compared and set; a client that hears nothing gives up.

    A share `unknown` of the operations is never answered, and half of those took effect,
    at once or much later. With `corrupt`, four reads are given other values.
    """
    rng = random.Random(seed)
    asked = list(requests(rng, operations, clients))
    state: int | None = None
    effects = []
    for number, (client, start, end) in enumerate(asked):
        lost = rng.random() < unknown
        at = rng.uniform(start, end)
        if lost:
            at += rng.choice((0.0, 10.0, 100.0, float("inf")))
        effects.append((at, number, client, start, end, lost))
    found: list[tuple[int, Operation]] = []
    for at, number, client, start, end, lost in sorted(effects):
        call = rng.choice(("read", "write", "cas"))
        argument: object = None
        if call == "write":
            argument = rng.randrange(VALUES)
        elif call == "cas":
            argument = (rng.randrange(VALUES), rng.randrange(VALUES))
        result: object = None
        if at < float("inf"):
            state, result = register_step(state, call, argument)
        if call == "read" and lost:
            lost, result = False, state  # a read that was not answered says nothing: ask again
            if at > end:
                continue
        outcome = Outcome.UNKNOWN if lost else Outcome.ACKNOWLEDGED
        shown = None if lost else result
        found.append(
            (number, Operation(f"c{client}", call, "r", argument, shown, start, end, outcome))
        )
    history = [operation for _, operation in sorted(found, key=lambda each: each[0])]
    return History(corrupted(history, rng) if corrupt else history)


def register_step(state: int | None, call: str, argument: Any) -> tuple[Any, Any]:
    """The state of a register after a call, and the result."""
    match call, argument:
        case "write", int(value):
            return value, None
        case "cas", (expected, new):
            return (new, True) if state == expected else (state, False)
    return state, state


def requests(
    rng: random.Random, operations: int, clients: int
) -> Iterator[tuple[int, float, float]]:
    """Client, start and end (ms) of each operation, in the order of their starts."""
    free = [(rng.uniform(0, 2), client) for client in range(clients)]
    for _ in range(operations):
        start, client = min(free)
        end = start + rng.uniform(1, 10)
        yield client, start, end
        free[client] = end + rng.uniform(0, 4), client


def corrupted(history: list[Operation], rng: random.Random) -> list[Operation]:
    """The history with four reads of its later half given other values, if there are so many."""
    reads = [number for number, each in enumerate(history) if each.call == "read"]
    changed = list(history)
    for place in reads[len(reads) // 2 :][:4]:
        others = [value for value in range(VALUES) if value != history[place].result]
        changed[place] = msgspec.structs.replace(history[place], result=rng.choice(others))
    return changed


def register_histories(count: int = 102, unknown: float = 0.08) -> list[History]:
    """Histories like Jepsen's of etcd; every fourth has reads that were corrupted."""
    return [
        register_history(seed, 80 + seed % 11, unknown=unknown, corrupt=seed % 4 == 0)
        for seed in range(count)
    ]


def key_value_history(
    seed: int = 1, operations: int = 100_000, clients: int = 5, keys: int = 20
) -> History:
    """A valid history of many keys: half reads, a third writes, some additions."""
    rng = random.Random(seed)
    values: dict[str, str] = {}
    effects = []
    for number, (client, start, end) in enumerate(requests(rng, operations, clients)):
        effects.append((rng.uniform(start, end), number, client, start, end))
    found: list[tuple[int, Operation]] = []
    for _, number, client, start, end in sorted(effects):
        key = f"k{rng.randrange(keys)}"
        call = rng.choice(("read", "read", "read", "write", "write", "add"))
        argument = str(rng.randrange(100)) if call != "read" else None
        if call == "write":
            values[key] = argument or ""
        elif call == "add":
            values[key] = str(int(values.get(key, "0")) + int(argument or "0"))
        result = values.get(key)
        found.append((number, Operation(f"c{client}", call, key, argument, result, start, end)))
    return History(operation for _, operation in sorted(found, key=lambda each: each[0]))


def append_history(
    seed: int = 1,
    operations: int = 1_700,
    clients: int = 50,
    keys: int = 10,
    puts: float = 0.05,
    unknown: float = 0.0,
    corrupt: bool = False,
) -> History:
    """Many clients at once who append words to a few texts, read them, and seldom write anew.

    As the histories of key-value stores are with which Porcupine is tested (MIT's 6.824): half
    appends, and a share `puts` of writes. A share `unknown` of the changes is never answered,
    and half of those took effect. With `corrupt`, a read of the second half lost a word.
    """
    rng = random.Random(seed)
    effects = []
    for number, (client, start, end) in enumerate(requests(rng, operations, clients)):
        effects.append((rng.uniform(start, end), number, client, start, end))
    texts: dict[str, str] = {}
    found: list[tuple[int, Operation]] = []
    for _, number, client, start, end in sorted(effects):
        key, chance = str(rng.randrange(keys)), rng.random()
        call = "append" if chance < 0.5 else "write" if chance < 0.5 + puts else "read"
        word = None if call == "read" else f"x {client} {number} y"
        lost = word is not None and rng.random() < unknown
        if word is not None and not (lost and rng.random() < 0.5):
            texts[key] = word if call == "write" else texts.get(key, "") + word
        result = texts.get(key) if word is None else None
        outcome = Outcome.UNKNOWN if lost else Outcome.ACKNOWLEDGED
        operation = Operation(f"c{client}", call, key, word, result, start, end, outcome)
        found.append((number, operation))
    history = [operation for _, operation in sorted(found, key=lambda each: each[0])]
    return History(with_a_word_lost(history) if corrupt else history)


def with_a_word_lost(history: list[Operation]) -> list[Operation]:
    """The history with the first long read of its second half without its second word."""
    changed = list(history)
    for place, each in enumerate(history):
        words = str(each.result).split("y")
        if place >= len(history) // 2 and each.call == "read" and len(words) > 4:
            lost = "y".join([words[0], *words[2:]])
            changed[place] = msgspec.structs.replace(each, result=lost)
            break
    return changed


def seconds(work: Callable[[], object], runs: int = 5) -> float:
    """The median processor time of `runs` calls, in seconds."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def measure() -> list[tuple[str, str, str]]:
    """What, median and budget of each figure; printed as they come."""
    rows = []
    for unknown in (0.08, 0.2):
        histories = register_histories(unknown=unknown)
        total = sum(map(len, histories))

        def each(histories: list[History] = histories) -> list[bool | None]:
            return [check(history, model=Register()).is_linearizable for history in histories]

        wrong = each().count(False)
        what = f"{len(histories)} histories, {total:,} operations, {unknown:.0%} unknown"
        rows.append((f"{what}, {wrong} wrong", f"{seconds(each) * 1e3:.0f} ms", "<= 700 ms"))
        print("  ".join(rows[-1]))
    for corrupt in (False, True):
        many = append_history(corrupt=corrupt)
        tried = check(many).tried
        took = seconds(lambda many=many: check(many), 3)
        what = f"{len(many):,} operations of 50 clients who append"
        told = f"{what}, {'wrong' if corrupt else 'right'}, {tried:,} placements"
        rows.append((told, f"{took * 1e3:.0f} ms", "<= 460 ms, twice Porcupine"))
        print("  ".join(rows[-1]))
    long = key_value_history()
    took = seconds(lambda: check(long, model=KeyValue()), 3)
    rows.append((f"{len(long):,} operations on 20 keys", f"{took:.2f} s", "seconds"))
    print("  ".join(rows[-1]))
    return rows


if __name__ == "__main__":
    measure()
