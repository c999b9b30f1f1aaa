"""A run as a space-time diagram: one life line a node, time to the right, messages across.

A life line is thin and grey for a follower, of medium width and vermillion for a
candidate, thick and blue for a leader, dotted while the node is down. The tint behind
it is its term, whose number is printed where it begins.
"""

from functools import partial

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, how_many
from raftlab.sim.frames.frame import Trace
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.labels import Labels, text_box
from raftlab.view.marks import Mark, Path, Text
from raftlab.view.scene import Scene, moved
from raftlab.view.timeline.axis import WIDTH, axis_marks
from raftlab.view.timeline.event_marks import event_marks
from raftlab.view.timeline.folding import fold_rows
from raftlab.view.timeline.legend import legend
from raftlab.view.timeline.lifelines import cluster_events, life_lines, term_bands, term_numbers
from raftlab.view.timeline.messages import (
    fold_bands,
    fold_words,
    lost_marks,
    message_marks,
    message_told,
)
from raftlab.view.timeline.window import Only, Window, changes, is_lost, marks_shown, window_of
from raftlab.view.words import clean, ms, table

_LINE = 15.0


@checked
def scene_timeline(
    trace: Trace, start: Millis | None = None, end: Millis | None = None, only: Only = "all"
) -> Scene:
    """The trace, or its part from `start` to `end` (ms), with messages "all", "votes" or "appends".

    In a crowd, heartbeats that change nothing are folded with their answers: a grey band says
    how many there are. A shorter stretch of the run shows each of them.
    Ids: "msg-17" the message at place 17 (from 0) of the trace. Raises: Misuse, for
    an end that is not after the start, or another word in `only`.
    """
    window, labels = window_of(trace, start, end, only), Labels(WIDTH)
    lines, numbers = list(life_lines(window)), list(term_numbers(window))
    for each in (*lines, *numbers):
        if isinstance(each, Text):
            labels.take(text_box(each))
    marks: list[Mark] = [*fold_bands(window), *term_bands(window), *cluster_events(window, labels)]
    marks += fold_words(window, labels)
    for place, span in window.messages:
        marks += message_marks(place, span, window)
    crosses = [mark for span in window.messages for mark in lost_marks(*span, window)]
    for each in (*marks, *crosses):
        if isinstance(each, Path):
            labels.spare(each.points[0], each.points[-1])
    marks += [*lines, *event_marks(window, labels), *numbers, *crosses]
    marks += axis_marks(window.x, window.start, window.end, window.bottom)
    explained, height = legend(window, marks)
    first, *more = _headlines(window)
    lower = _LINE * len(more)
    below = [moved(each, 0.0, lower) if lower else each for each in (*marks, *explained)]
    text = partial(describe_timeline, trace, start, end, only)
    return Scene(WIDTH, height + lower, (first, *more, *below), "Timeline of a run", text)


@checked
def describe_timeline(
    trace: Trace, start: Millis | None = None, end: Millis | None = None, only: Only = "all"
) -> str:
    """What happened, in order of time: a sentence, then a row for each event and message.

    Raises: Misuse, as `scene_timeline`.
    """
    window = window_of(trace, start, end, only)
    rows: list[tuple[Millis, int, tuple[str, str]]] = []
    for mark in marks_shown(window):
        rows.append(
            (mark.at, 2 * (mark.kind in ("propose", "commit")), (mark.node or "", mark.text))
        )
    for span in changes(window):
        what = f"a {span.role.value} in term {span.term}" if span.role else "down"
        rows.append((span.start, 1, (span.node, f"is {what}")))
    for _, each in window.messages:
        rows.append((each.sent_at, 3, (each.message.sender, message_told(each))))
    for quiet in window.folds:
        rows += [(quiet.start, 3, row) for row in fold_rows(quiet)]
    rows.sort(key=lambda row: row[:2])
    cells = [(f"{at:.1f}", clean(node), what) for at, _, (node, what) in rows]
    if not cells:
        return f"{_headline(window)}\n\nNothing happened."
    return f"{_headline(window)}\n\n{table(('ms', 'node', 'what'), cells, right=(0,))}"


# In words


def _headlines(window: Window) -> list[Text]:
    return [
        Text(f"headline-{place}" if place else "headline", 10, 18 + _LINE * place, line,
             anchor="start", role="headline")
        for place, line in enumerate(style.wrap_text(_headline(window), WIDTH - 20))
    ]  # fmt: skip


def _headline(window: Window) -> str:
    lost = sum(is_lost(span) for _, span in window.messages)
    kind = {"votes": " about votes", "appends": " about entries"}.get(window.only, "")
    what = how_many(window.count, "message")
    said = f"{window.start:.1f} to {ms(window.end)}: {what}{kind}, {lost} lost"
    standing = [each for each in window.trace.spans if each.start <= window.end <= each.end]
    leaders = [each for each in standing if each.role is Role.LEADER]
    if leaders:
        each_leads = [f"{leader.node} leads term {leader.term}" for leader in leaders]
        said += f"; {', '.join(each_leads)} at the end"
    folded = sum(len(each.heartbeats) for each in window.folds)
    if folded:
        said += f" ({folded:,} heartbeats and their answers are folded)"
    return f"{said}."
