"""What is given, as a small picture: one row a fact, its name and its value in a box."""

from collections.abc import Mapping

from raftlab.view import Scene, style
from raftlab.view.marks import Box, Ink, Mark, Text

ROW, TOP, PAD = 28.0, 34.0, 10.0
OPEN = Ink(fill=style.PAPER, stroke=style.QUIET, width=1.2)
ASKED = Ink(fill=style.PAPER, stroke=style.INK, width=2.0, dash=style.UNCOMMITTED_DASH)


def scene_facts(facts: Mapping[str, str], title: str, asked: str = "") -> Scene:
    """The facts one below the other; `asked` names the one that is to be found: its box is dashed.

    A value that is not known yet is "?".
    """
    left = PAD + max(style.text_width(name) for name in facts) + 16
    widest = max(style.text_width(value, mono=True) for value in facts.values()) + 20
    marks: list[Mark] = [Text("title", PAD, 18, title, anchor="start", role="headline")]
    for row, (name, value) in enumerate(facts.items()):
        y = TOP + row * ROW
        wide = style.text_width(value, mono=True) + 20
        ink = ASKED if name == asked else OPEN
        marks.append(Text(f"name-{row}", PAD, y + 15, name, anchor="start", role="name"))
        marks.append(Box(f"box-{row}", left, y, wide, 22, ink, 4, role="fact"))
        marks.append(Text(f"value-{row}", left + 10, y + 15, value, anchor="start", mono=True))
    width = max(left + widest, PAD + style.text_width(title)) + PAD
    return Scene(width, TOP + ROW * len(facts) + 2, tuple(marks), title, _described(facts, title))


def _described(facts: Mapping[str, str], title: str) -> str:
    wide = max(map(len, facts))
    rows = "\n".join(f"{name:<{wide}}  {value}" for name, value in facts.items())
    return f"{title}.\n\n{rows}"
