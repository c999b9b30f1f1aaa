"""The axis of time below a picture: round times, and words that do not touch."""

from collections.abc import Callable, Iterator, Sequence
from math import floor, log10

from raftlab.raft.vocabulary import Millis
from raftlab.view import style
from raftlab.view.marks import Ink, Mark, Path, Text

WIDTH = 860.0
"""Of a picture of time, in units: a notebook beside the file list shows it in full on a laptop."""

_APART, _LONGEST, _EDGE = 80.0, 10, 2.0


def axis_marks(
    x: Callable[[Millis], float], start: Millis, end: Millis, y: float
) -> Iterator[Mark]:
    """The axis from `start` to `end` (ms) at the height `y`; `x` says where a moment lies."""
    left, right, ink = x(start), x(end), Ink(None, style.INK, 1.0)
    yield Path("axis", ((left, y), (right, y)), ink, role="axis")
    times, free = round_times(start, end, right - left), 0.0
    for at, word in zip(times, tick_words(times), strict=True):
        place, name = x(at), f"tick-{at:.15g}"
        half = style.text_width(word) / 2 + _EDGE
        middle = min(max(place, half), WIDTH - half)
        yield Path(name, ((place, y), (place, y + 5)), ink, role="tick")
        if middle - half >= free:
            yield Text(f"{name}-text", middle, y + 18, word, role="tick")
            free = middle + half
    yield Text("axis-unit", right + 10, y + 4, "ms", anchor="start", role="axis")


def round_times(start: Millis, end: Millis, room: float) -> list[Millis]:
    """Round times from `start` to `end` (ms), at least 80 units apart if they share `room`."""
    least = _APART * (end - start) / room
    power = 10.0 ** floor(log10(least))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= least * 0.999999)
    first, last = -floor(-start / step), floor(end / step)
    return [round(number * step, 6) for number in range(first, last + 1)]


def tick_words(times: Sequence[Millis]) -> list[str]:
    """What stands at the times of an axis: where that is long, how much later than the first."""
    words = [f"{at:.15g}" for at in times]
    if all(len(word) <= _LONGEST for word in words):
        return words
    return words[:1] + [f"+{at - times[0]:.10g}" for at in times[1:]]
