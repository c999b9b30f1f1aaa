"""What stands around the picture, as HTML: pure functions of frames, events and words.

Everything that comes from outside (commands, names, messages) is escaped. What is marked
by colour is also marked by a sign and a word.
"""

import traceback
from collections.abc import Sequence
from html import escape

from raftlab.lab.control_table import KEYS
from raftlab.lab.front_end import FrontEnd
from raftlab.lab.nodes_table import read_text
from raftlab.lab.pasted_text import classes_needed
from raftlab.lab.session import Answer
from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import Event, Frame, InFlight
from raftlab.sim.run.share import RUN
from raftlab.sim.watch.properties import FIGURE_3, PROPERTIES, Property
from raftlab.sim.world.settings import Setup
from raftlab.sim.world.violation import ViolationFrame
from raftlab.view.words import clean, headline, kind_text, message_text, ms

MOST_MESSAGES = 14
"""How many messages are listed, the next to arrive; the picture and its keys have all of them."""

MOST_WAITING = 3
"""How many reads that wait are told one by one."""

TEXT_OF_RUN = "The run up to this frame as a text"


# Lights


def lights(frame: Frame, watched: bool) -> str:
    """Figure 3's properties by name, and the others in one word, each with a sign."""
    if not watched:
        return _light("unknown", "?", "nothing is watched: Cluster(…, watched=False)", "")
    shown = [_property_light(each, frame) for each in FIGURE_3]
    others = [each for each in PROPERTIES if each not in FIGURE_3]
    broken = [each for each in others if not frame.properties.get(each.name, True)]
    shown += [_property_light(each, frame) for each in broken]
    names = "; ".join(each.name for each in others if each not in broken)
    shown.append(_light("holds", "✓", f"{len(others) - len(broken)} more", names, "hold"))
    return f'<div class="raftlab-lights" role="list" aria-label="Properties">{"".join(shown)}</div>'


def _property_light(each: Property, frame: Frame) -> str:
    tip = f"{each.statement} (paper: {each.paper})"
    if frame.properties.get(each.name, True):
        return _light("holds", "✓", each.name, tip, "holds")
    return _light("broken", "✕", f"{each.name} is broken", tip)


def _light(kind: str, sign: str, words: str, tip: str, spoken: str = "") -> str:
    heard = f'<span class="raftlab-spoken"> {spoken}</span>' if spoken else ""
    return (
        f'<span class="raftlab-light raftlab-{kind}" role="listitem" title="{escape(tip)}">'
        f"<b aria-hidden=true>{sign}</b> {escape(words)}{heard}</span>"
    )


# Trouble


def banner(violation: ViolationFrame | None) -> str:
    """What was broken, by whom, where, and where the paper says it; nothing if all is well."""
    if violation is None:
        return ""
    facts = [f"nodes {', '.join(dict.fromkeys(violation.nodes))}"] if violation.nodes else []
    if violation.index is not None:
        facts.append(f"index {violation.index}")
    facts += [f"paper {violation.paper}", f"frame {violation.frame}"]
    return (
        '<div class="raftlab-banner" role="alert">'
        f"<b>✕ {escape(violation.name)} is broken:</b> {escape(violation.text)}. "
        f"<small>{escape(' · '.join(facts))}. The run stands still here; slide back to see"
        " how it came about.</small></div>"
    )


def alarm(sentence: str, details: str = "") -> str:
    """A sentence that must not be overlooked; `details` unfold under it."""
    if not sentence:
        return ""
    more = ""
    if details:
        more = (
            f"<details><summary>where it happened</summary><pre>{escape(details)}</pre></details>"
        )
    return f'<div class="raftlab-alarm" role="alert"><b>!</b> {escape(sentence)}{more}</div>'


def unexpected(error: BaseException) -> tuple[str, str]:
    """An unexpected error as a sentence and its traceback."""
    sentence = f"{type(error).__name__}: {error}".removesuffix(": ")
    return sentence, "".join(traceback.format_exception(error))


# Events and messages


def events(steps: Sequence[Event]) -> str:
    """The last steps as sentences, the newest first and marked."""
    if not steps:
        return '<p class="raftlab-empty">Nothing has happened yet.</p>'
    rows = [
        f"<li{' aria-current=step' if place == 0 else ''}>"
        f"<span>{each.frame}</span><span>{ms(each.at)}</span><span>{escape(each.text)}</span></li>"
        for place, each in enumerate(reversed(steps))
    ]
    return f'<ol class="raftlab-events" tabindex=0 aria-label="Last events">{"".join(rows)}</ol>'


def newest(step: Event | None) -> str:
    """The last step in one line; what does not fit is told by its tip."""
    line = "Nothing has happened yet."
    if step:
        line = f"{step.frame} · {ms(step.at)} · {step.text}"
    return f'<div class="raftlab-newest" title="{escape(line)}">{escape(line)}</div>'


def headline_without_time(frame: Frame) -> str:
    """Who leads, or who wants to, in a sentence that stays the same for as long as that does."""
    return headline(frame).partition(": ")[2]


def by_arrival(frame: Frame) -> list[InFlight]:
    """Every message in flight; the next to arrive first."""
    return sorted(frame.in_flight, key=lambda each: (each.arrives_at, each.number))


def message_options(
    frame: Frame, chosen: int | None = None, in_words: bool = True
) -> list[tuple[str, int]]:
    """The next messages to arrive, and the `chosen` one, each with its number.

    Each is told `in_words`, or else by its number, for a list that nobody sees.
    """
    return [
        (message_line(each, frame.at) if in_words else f"#{each.number}", each.number)
        for place, each in enumerate(by_arrival(frame))
        if place < MOST_MESSAGES or each.number == chosen
    ]


def messages_label(frame: Frame) -> str:
    """What stands over the list of messages."""
    flying = len(frame.in_flight)
    which = "to arrive first" if flying <= MOST_MESSAGES else f"{MOST_MESSAGES} of {flying}"
    return f"Messages on their way (the next {which})"


def message_line(flight: InFlight, at: float) -> str:
    """A message in flight: its number, its way, when it arrives, and what it says."""
    message = flight.message
    copies = f" ×{flight.copies}" if flight.copies > 1 else ""
    way = f"#{flight.number}{copies}  {message.sender} → {message.receiver}"
    left = ms(max(flight.arrives_at - at, 0.0))
    return clean(f"{way}  in {left}:  {kind_text(message)}, {message_text(message)}", 300)


# Reads


def reads(frame: Frame, answers: Sequence[Answer]) -> str:
    """The reads that wait, by node, and the last that were answered or given up."""
    waiting = [
        f"{clean(node.node)}: {read_text(read, node)}"
        for node in frame.nodes
        if node.alive
        for read in node.reads
    ]
    more = len(waiting) - MOST_WAITING
    shown = waiting[:MOST_WAITING] + ([f"{more} more wait"] if more > 0 else [])
    rows = [("waiting", words) for words in shown]
    rows += [
        ("answered" if each.is_answered else "failed", clean(each.text, 80)) for each in answers
    ]
    if not rows:
        return ""
    items = "".join(f'<li class="raftlab-{kind}">{escape(words)}</li>' for kind, words in rows)
    return f'<ul class="raftlab-reads" aria-label="Reads">{items}</ul>'


# Runs as texts


def shared(text: str, trouble: str, setup: Setup, front_end: FrontEnd) -> str:
    """The text that stands for a run, and how it is opened elsewhere; or why there is none."""
    if trouble:
        return f'<p class="raftlab-empty">This run cannot be shared: {escape(trouble)}</p>'
    classes = classes_needed(setup).items()
    needed = "".join(f", {argument}={clean(name, 40)}" for argument, name in classes)
    return (
        f"{label(TEXT_OF_RUN)}"
        f'<textarea readonly rows=3 spellcheck=false aria-label="{TEXT_OF_RUN}"'
        f' data-before="{escape(front_end.base + RUN)}">'
        f"{escape(text)}</textarea>"
        f"<small>{front_end.passed_on.format(needed=escape(needed))}"
        ' <b class="raftlab-copied" role="status"></b></small>'
    )


def code(text: str, trouble: str) -> str:
    """The run as lines of Python; or why there are none."""
    if trouble:
        return f'<p class="raftlab-empty">This run cannot be written: {escape(trouble)}</p>'
    return f'<pre class="raftlab-code" tabindex=0 aria-label="As Python">{escape(text)}</pre>'


# Small things


def menus(frame: Frame, nodes: bool) -> dict[str, list[tuple[str, str]]]:
    """What a click offers to do with a message or, if `nodes`, with a node: key and words."""
    offered = {"message": [("a", "Deliver"), ("d", "Drop"), ("u", "Duplicate"), ("l", "Delay")]}
    if not nodes:
        return offered
    offered["node"] = [("x", "Crash"), ("p", "Pause"), ("t", "Time out"), ("i", "Isolate")]
    for node in frame.nodes:
        if not node.alive:
            offered[f"node-{node.node}"] = [("x", "Restart"), ("i", "Isolate")]
        elif node.paused:
            offered[f"node-{node.node}"] = [("x", "Crash"), ("p", "Resume"), ("i", "Isolate")]
        elif node.role is Role.LEADER:
            offered[f"node-{node.node}"] = [("x", "Crash"), ("p", "Pause"), ("i", "Isolate")]
    return offered


def text_twin(text: str) -> str:
    """The frame in words, as it is printed elsewhere."""
    return f'<pre class="raftlab-text raftlab-scroll" tabindex=0>{escape(text)}</pre>'


def moment(frame: Frame, last: int, live: bool) -> str:
    """Which frame of how many, and its time."""
    place = "" if live else ' <b class="raftlab-past">in the past</b>'
    words = f"frame <b>{frame.number}</b> of {last} · {ms(frame.at)}{place}"
    return f'<span class="raftlab-moment">{words}</span>'


def note(words: str) -> str:
    """What the last thing done has to say."""
    return f"<span>{escape(words)}</span>" if words else ""


def keys_table() -> str:
    """The keys of the stage and what they do."""
    keys = [control.key for control in KEYS.values() if control.key]
    rows = "".join(
        f"<div><kbd>{escape(key.sign or key.key)}</kbd> {escape(key.words)}</div>" for key in keys
    )
    return (
        "<p>Click the picture, or reach it with Tab, and use these keys.</p>"
        f'<div class="raftlab-keys">{rows}</div>'
    )


def label(words: str) -> str:
    """A name for a group of controls."""
    return f'<span class="raftlab-label">{escape(words)}</span>'
