"""`raftlab museum`: real mistakes of real Raft systems."""

import argparse
import json
from textwrap import fill
from typing import TYPE_CHECKING, Any

from raftlab.commands.answers import Answer, Exit, share_of
from raftlab.commands.arguments import Parser, near
from raftlab.raft.vocabulary import Misuse, shown

if TYPE_CHECKING:
    from raftlab.museum import Exhibit

NAME = "museum"
HELP = "real mistakes of real Raft systems: their stories, and the runs they lead to"
ABOUT = """\
Without a name, list the exhibits; with one, tell its story, its source, the property it breaks, and
print a run that shows it. --table measures which checker catches what."""
EXAMPLE = """\
  raftlab museum figure-8
  raftlab museum figure-8 --table --quick"""
WIDTH = 92


def add_arguments(parser: Parser) -> None:
    """What `raftlab museum` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="an exhibit, such as figure-8")
    parser.add_argument(
        "--table",
        action="store_true",
        help="measure what catches each exhibit: of all, this takes hours",
    )
    parser.add_argument("--quick", action="store_true", help="measure little: at most 100 runs")


def carry_out(given: argparse.Namespace) -> Answer:
    """Tell, list or measure."""
    from raftlab.museum import EXHIBITS, exhibit

    names = [each.name for each in EXHIBITS]
    for name in given.names:
        if name not in names:
            hint = near(name, names) or ": raftlab museum lists them"
            raise Misuse(f"the museum has no exhibit {shown(str(name))}{hint}")
    if given.quick and not given.table:
        raise Misuse("--quick is how --table measures: add --table")
    chosen = [exhibit(name) for name in given.names]
    if given.table:
        return measured(chosen or list(EXHIBITS), given.quick)
    told = [document_of(each, whole=bool(chosen)) for each in chosen or EXHIBITS]
    if chosen:
        text = "\n\n\n".join(map(label, told))
    else:
        wide = max(map(len, names))
        text = "\n".join(f"{each['name']:{wide}}  {each['title']}" for each in told)
    return Answer(Exit.FINE, text, {"exhibits": told})


def document_of(which: "Exhibit", whole: bool) -> dict[str, Any]:
    """An exhibit as programs read it; the `whole` of it, or its label."""
    told: dict[str, Any] = {
        "name": which.name,
        "title": which.title,
        "is_safety": which.is_safety,
        "breaks": which.breaks.name if which.breaks else None,
        "source": which.source,
    }
    if whole:
        told |= {
            "story": which.story,
            "mistake": which.mistake,
            "run": which.shows_in,
            "paper": which.breaks.paper if which.breaks else None,
            "share": share_of(which.recording()),
        }
    return told


def label(told: dict[str, Any]) -> str:
    """What stands beside an exhibit."""
    if told["breaks"]:
        breaks = f"{told['breaks']} (paper: {told['paper']})"
    elif told["is_safety"]:
        breaks = "what clients are promised; no property of one run"
    else:
        breaks = "nothing; the cluster gets nowhere"
    parts = [
        f"{told['name']}: {told['title']}",
        told["story"],
        f"The mistake: {told['mistake']}",
        f"The run: {told['run']}",
        f"It breaks: {breaks}",
        f"Source: {told['source']}",
    ]
    if told["share"]:
        return "\n\n".join([*(fill(part, WIDTH) for part in parts), told["share"]])
    return "\n\n".join(fill(part, WIDTH) for part in parts)


def measured(chosen: "list[Exhibit]", quick: bool) -> Answer:
    """The kill table. Something is found if a mistake that does something wrong is not caught."""
    from raftlab.museum.__main__ import tell
    from raftlab.museum.searched import states_searched
    from raftlab.museum.table import kill_table

    table = kill_table(chosen, quick, tell, None if quick else states_searched)
    code = Exit.FOUND if table.survivors else Exit.FINE
    return Answer(code, str(table), json.loads(table.encode()))
