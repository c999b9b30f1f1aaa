"""The museum in words: the page with the kill table and a label beside every exhibit."""

from raftlab.museum import Exhibit, exhibit
from raftlab.museum.seeds import CHECKERS
from raftlab.museum.table import KillTable

HEAD = """\
# The museum of real mistakes

Each exhibit is a mistake that somebody made in a real Raft system, or that the paper warns of,
as one override of this package: of a decision in `Rules`, of the machine, of the disks. This page
is written by `make museum`; do not edit it.

    from raftlab.museum import exhibit

    exhibit("figure-8").story          # two sentences
    exhibit("figure-8").recording()    # the run that it leads to
    exhibit("figure-8").recording().attempt().violation    # what broke, at its end
    exhibit("figure-8").cluster()      # a cluster that makes the mistake, for your own try

`attempt()` plays a recording to its end quietly; `replay()` raises the `Violation` in which it
ends. A source "after …" is akin to the exhibit, and not the same mistake.
"""


def catalogue(table: KillTable) -> str:
    """The whole page, in Markdown."""
    parts = [HEAD, "## What catches what\n", legend(), table.summary + "\n", table.as_markdown()]
    parts += ["\n## The exhibits\n", *(label(exhibit(row.name)) for row in table.rows)]
    return "\n".join(parts).rstrip() + "\n"


def legend() -> str:
    """What each column means."""
    lines = [f"* **{name}**: {what}." for name, what in CHECKERS.items()]
    lines.append(
        "* *runs* is how many random runs it took, the median of several starts, under conditions"
        " that fit the exhibit; *stock seed* is the first seed in which a campaign finds it that is"
        " given the mistake and nothing else, as `campaign(1800, rules=…)` is; *shortest run* is"
        " how many actions the shortest recording has that breaks the property, or after which"
        " a cluster does not recover any more."
    )
    return "\n".join(lines) + "\n"


def label(each: Exhibit) -> str:
    """What stands beside an exhibit."""
    override = next(iter(each.wrong))
    return (
        f"### {each.name}\n\n*{each.title[0].upper()}{each.title[1:]}.* {each.story}\n\n"
        f"The override (`{override}`): {each.mistake} The run: {each.shows_in}\n\n"
        f"Source: {each.source}.\n"
    )
