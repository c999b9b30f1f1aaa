"""Small random histories of each model: some valid, some not, for Hypothesis to draw."""

from collections.abc import Callable

from hypothesis import strategies as st

from raftlab.check.history import Operation, Outcome
from raftlab.check.linearizability.models import AppendList, KeyValue, Model, Register

OUTCOMES = st.sampled_from([Outcome.ACKNOWLEDGED] * 4 + [Outcome.UNKNOWN] * 2 + [Outcome.FAILED])

SMALL = st.integers(0, 2)
TEXT = st.sampled_from(["0", "1", "x"])
CALLS: dict[str, st.SearchStrategy] = {
    "Register": st.one_of(
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("write"), SMALL),
        st.tuples(st.just("cas"), st.tuples(SMALL, SMALL)),
    ),
    "KeyValue": st.one_of(
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("write"), TEXT),
        st.tuples(st.just("cas"), st.tuples(TEXT, TEXT)),
        st.tuples(st.just("add"), st.sampled_from(["1", "-1"])),
        st.tuples(st.just("append"), TEXT),
        st.tuples(st.just("delete"), st.none()),
    ),
    "AppendList": st.one_of(
        st.tuples(st.just("read"), st.none()), st.tuples(st.just("append"), SMALL)
    ),
}
MODELS: dict[str, Callable[[], Model]] = {
    "Register": Register,
    "KeyValue": KeyValue,
    "AppendList": AppendList,
}


def result_in(model: Model, state, call: str, argument):
    """What an operation gives in a state, found by offering the model every answer."""
    match model, call:
        case _, "read":
            return state
        case _, "cas":
            return state == argument[0]
        case KeyValue(), "add" | "append":
            tried = Operation("c", call, "x", argument, None, 0.0, 1.0)
            after = model.step(state, tried)[1]
            number = state is None or state.removeprefix("-").isdecimal()
            return after if call == "append" or number else "x does not hold a whole number"
        case KeyValue(), "delete":
            return "" if state is None else state
    return None


@st.composite
def histories(draw, name: str, most: int = 6, keys: tuple[str, ...] = ("x",)) -> list[Operation]:
    """Operations with hidden moments at which they happen; then perhaps a wrong answer or two."""
    model = MODELS[name]()
    count = draw(st.integers(0, most))
    rows = []
    for number in range(count):
        start, length = draw(st.integers(0, 8)), draw(st.integers(0, 5))
        at = start + draw(st.integers(0, length))
        rows.append((at, number, start, start + length))
    states = dict.fromkeys(keys, model.initial)
    found = []
    for _, number, start, end in sorted(rows):
        key, outcome = draw(st.sampled_from(keys)), draw(OUTCOMES)
        call, argument = draw(CALLS[name])
        result = result_in(model, states[key], call, argument)
        happens = outcome is Outcome.ACKNOWLEDGED
        happens |= outcome is Outcome.UNKNOWN and draw(st.booleans())
        if happens:
            taken = Operation("c", call, key, argument, result, start, end)
            states[key] = model.step(states[key], taken)[1]
        if draw(st.integers(0, 5)) == 0:
            result = draw(answers(name, call))
        shown = result if outcome is Outcome.ACKNOWLEDGED else None
        operation = Operation(
            f"c{number}", call, key, argument, shown, float(start), float(end), outcome
        )
        found.append((number, operation))
    return [operation for _, operation in sorted(found, key=lambda each: each[0])]


GROWING: dict[str, list[tuple[str, ...]]] = {
    "KeyValue": [
        ("append", "append", "read"),
        ("append", "append", "read", "write"),
        ("append", "read", "write", "cas", "delete"),
        ("append", "append", "read", "add", "write", "cas"),
        ("append", "cas", "read"),
    ],
    "AppendList": [("append", "append", "read")],
}
WORDS = [("a", "b", "c", "d", "e", "f", "g"), ("a", "b"), ("a", "aa", "b", ""), ("1", "2", "11")]


@st.composite
def appends(draw, name: str, most: int) -> list[Operation]:
    """Many appends, reads that mostly saw them, writes in between, and some wrong answers."""
    model, rng = MODELS[name](), draw(st.randoms(use_true_random=False))
    calls, words = draw(st.sampled_from(GROWING[name])), draw(st.sampled_from(WORDS))
    unanswered, wrong = draw(st.sampled_from((0.0, 0.2, 0.5))), draw(st.sampled_from((0, 0.1, 0.3)))
    span, long = draw(st.sampled_from((4, 8, 14))), draw(st.sampled_from((1, 4, 8)))
    rows = []
    for number in range(draw(st.integers(2, most))):
        start, length = rng.randint(0, span), rng.randint(0, long)
        rows.append((start + rng.randint(0, length), number, start, start + length))
    state, seen, found = model.initial, ["a", "", None, "ab"], []
    for _, number, start, end in sorted(rows):
        call = rng.choice(calls)
        argument = None if call in ("read", "delete") else rng.choice(words)
        if call == "add":
            argument = rng.choice(("1", "-1"))
        if call == "cas":
            argument = (state if rng.random() < 0.6 else rng.choice(seen), argument)
        result = result_in(model, state, call, argument)
        lost = rng.random() < unanswered
        if not lost or rng.random() < 0.5:
            taken = Operation("c", call, "x", argument, result, start, end)
            state = model.step(state, taken)[1]
        if call in ("append", "add", "delete") and rng.random() < 0.5:
            result = None
        if rng.random() < wrong and call not in ("write", "cas"):
            result = rng.choice(seen) if name == "KeyValue" else rng.sample(words, 2)
        if call == "read" and name == "KeyValue":
            seen.append(result)
        outcome = Outcome.UNKNOWN if lost else Outcome.ACKNOWLEDGED
        shown = None if lost else result
        found.append(
            (number, Operation(f"c{number}", call, "x", argument, shown, start, end, outcome))
        )
    return [operation for _, operation in sorted(found, key=lambda each: each[0])]


def answers(name: str, call: str) -> st.SearchStrategy:
    """Answers that a client can be told, mostly wrong ones."""
    if call == "cas":
        return st.booleans()
    if name == "AppendList":
        return st.lists(SMALL, max_size=3) if call == "read" else st.none()
    if call == "read":
        return st.one_of(st.none(), SMALL if name == "Register" else TEXT)
    return TEXT if name == "KeyValue" and call != "write" else st.none()
