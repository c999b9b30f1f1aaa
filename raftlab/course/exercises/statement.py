"""What an exercise asks: what is given, what to return, an example, why it matters, two hints."""

from collections.abc import Mapping, Sequence
from html import escape
from textwrap import fill, indent
from typing import NamedTuple

from raftlab.course.panel import WIDTH


class Statement(NamedTuple):
    """The words of an exercise; the number, the title and the example are the exercise's.

    `given` says for each argument its type and what it is, `returns` the type and what it
    means; `why` is one sentence. The first of the `hints` says where to look, the second how.
    """

    task: str
    given: Mapping[str, str]
    returns: str
    why: str
    hints: tuple[str, str]


class Shown(NamedTuple):
    """A statement with what its exercise adds: all that a reader sees."""

    head: str
    write: str
    statement: Statement
    example: str
    outcome: str
    hint_call: str
    paper: str

    @property
    def text(self) -> str:
        """As lines of text; the hints are not told, but how to get them."""
        said = self.statement
        wide = max(map(len, said.given))
        hanging = " " * (wide + 8)
        given = [
            fill(
                f"{name:<{wide}}    {what}", WIDTH, initial_indent="    ", subsequent_indent=hanging
            )
            for name, what in said.given.items()
        ]
        example = [f"    {self.example}", f"    should answer {self.outcome}"]
        parts = [
            [self.head, "", fill(said.task, WIDTH), "", indent(self.write, "    ")],
            ["Given", *given],
            ["Return", fill(said.returns, WIDTH, initial_indent="    ", subsequent_indent="    ")],
            ["Example", *example],
            [fill(f"Why it matters: {said.why}", WIDTH)],
            [fill(f"Two hints: {self.hint_call}. Read: paper, {self.paper}.", WIDTH)],
        ]
        return "\n\n".join("\n".join(lines) for lines in parts)

    @property
    def html(self) -> str:
        """For a browser; the hints are folded."""
        said = self.statement
        given = "".join(
            f"<tr><td><code>{escape(name)}</code></td>"
            f'<td style="text-align: left">{escape(what)}</td></tr>'
            for name, what in said.given.items()
        )
        example = f"{escape(self.example)}<br>should answer <b>{escape(self.outcome)}</b>"
        return "\n".join(
            [
                f"<p><b>{escape(self.head)}</b></p>",
                f"<p>{escape(said.task)}</p>",
                f"<pre>{escape(self.write)}</pre>",
                f"<p>Given</p><table>{given}</table>",
                f"<p>Return: {escape(said.returns)}</p>",
                f"<p>Example: <code>{example}</code></p>",
                f"<p><b>Why it matters:</b> {escape(said.why)}</p>",
                *hints_html(said.hints),
                f"<p>Read: paper, {escape(self.paper)}</p>",
            ]
        )


def hints_html(hints: Sequence[str]) -> list[str]:
    """The first hint folded, and the second one inside it, so that one is read at a time."""
    first, second = map(escape, hints)
    inner = f"<details><summary>Another hint</summary><p>{second}</p></details>"
    return [f"<details><summary>Hint</summary><p>{first}</p>{inner}</details>"]
