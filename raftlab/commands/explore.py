"""`raftlab explore`: every order of events in a small scope."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from raftlab.commands.answers import Answer, Exit, share_of
from raftlab.commands.arguments import (
    RUN_HELP,
    Parser,
    add_classes,
    add_settings,
    classes,
    number,
    opened,
    settings,
    typed,
    whole,
)
from raftlab.commands.run import refuse_lone_panel, scene
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Disks

if TYPE_CHECKING:
    from raftlab.check.explore import Exploration
    from raftlab.check.explore.breadth_first import Counts

STATES = 300_000
"""The budget of a search that is given none: well under a minute."""

TOLD_EVERY = 50_000
"""Where nobody sees a line that is drawn again and again, one is written after so many states."""

ENDED = {"violation": Exit.FOUND, "nothing found": Exit.FINE, "budget used up": Exit.UNKNOWN}
"""How a search ended that nobody has interrupted, by its verdict."""

NAME = "explore"
HELP = "search every order of events in a small scope for a broken property"
ABOUT = """\
Search every order of events that the bounds allow, shortest runs first, on the real machine. The
search ends at the first broken property, or when all was looked at."""
EXAMPLE = """\
  raftlab explore 3 --terms 1 --entries 1 --seconds 60
  raftlab explore 3 --rules raftlab.museum.elections:VotesAgain"""


def add_arguments(parser: Parser) -> None:
    """What `raftlab explore` takes."""
    parser.add_argument(
        "start",
        nargs="?",
        help=f"how many nodes (default: 3), or a run to start from: {RUN_HELP}",
    )
    parser.add_argument("--scenario", metavar="NAME", help="a named situation to start from")
    parser.add_argument("--panel", metavar="P", help="which picture of it")
    add_settings(parser, "--options", "settings of every node; those of Figure 2 otherwise")
    add_classes(parser)
    scope = parser.add_argument_group("the scope")
    for name, metavar, said in (
        ("terms", "N", "no node goes beyond this term (2)"),
        ("entries", "N", "a leader whose log ends there takes no more commands (2)"),
        ("in-flight", "N", "so many messages are on their way at most (6)"),
        ("heartbeats", "N", "how often, in all, a heartbeat falls due (0)"),
        ("restarts", "N", "… a node crashes and starts again (0)"),
        ("duplicates", "N", "… a message comes once more (0)"),
        ("depth", "N", "how many events a run has at most"),
    ):
        scope.add_argument(f"--{name}", type=whole(0), metavar=metavar, help=said)
    budget = parser.add_argument_group("the budget: nothing found within it is exit code 3")
    budget.add_argument(
        "--states",
        type=whole(1),
        metavar="N",
        help=f"distinct states ({STATES:,}, unless --states or --seconds is given)",
    )
    budget.add_argument("--seconds", type=number, metavar="S", help="time")
    budget.add_argument(
        "--memory-mb", type=number, metavar="MB", default=2000.0, help="an estimate (2000)"
    )
    parser.add_argument(
        "--code", action="store_true", help="print what was found as the Python that makes it"
    )


def carry_out(given: argparse.Namespace) -> Answer:
    """Search, until it is over, a budget is used up, or Ctrl-C."""
    from raftlab.check.explore import Scope, explore

    search = explore(starting_point(given), Scope(**typed(Scope, given)), states=0)
    line = _Line()
    states = STATES if given.states is None and given.seconds is None else given.states
    try:
        search.resume(states, given.seconds, given.memory_mb, line.draw)
        interrupted = search.interrupted
    except KeyboardInterrupt:  # the second one, since the first stops it between two states
        interrupted = True
    line.end()
    return about_search(search, given.code, interrupted)


def starting_point(given: argparse.Namespace) -> Cluster:
    """Where the search starts. Raises: Misuse."""
    if given.scenario is not None:
        if given.start is not None:
            raise Misuse(f"start from {given.start[:20]!r} or from a scenario, not from both")
        return scene(argparse.Namespace(**{**vars(given), "seed": None}))
    refuse_lone_panel(given)
    start = "3" if given.start is None else given.start
    if start.lstrip("-").isdecimal():
        options = Options.figure_2(**settings(Options, given.options))
        return Cluster(whole()(start), options=options, disks=Disks(write_ms=0.0), **classes(given))
    if given.options:
        raise Misuse("a run brings its own options: leave out --options")
    return opened(start, given).branch()


def about_search(search: "Exploration", code: bool, interrupted: bool = False) -> Answer:
    """What a search has seen."""
    found = search.violation is not None
    recording = search.recording if found else None
    document: dict[str, Any] = {
        "verdict": _verdict(search, interrupted),
        "states": search.states,
        "steps": search.steps,
        "depth": search.depth,
        "seconds": search.seconds,
        "complete": search.is_complete,
        "not_looked_at": list(search.not_looked_at),
        "violation": None,
        "events": search.events,
        "share": None,
        "code": None,
    }
    parts = [str(search)]
    if not (found or search.is_complete or interrupted):
        parts.append("The budget is used up: --states, --seconds and --memory-mb give it more.")
    if search.violation is not None and recording is not None:
        document["violation"] = dict(zip(("name", "text"), search.violation, strict=True))
        document["share"] = share_of(recording)
        document["code"] = recording.as_code() if code else None
        parts += [part for part in (document["share"], document["code"]) if part]
    if interrupted:
        parts.append("Interrupted; this is what was seen so far.")
    ended = Exit.INTERRUPTED if interrupted else ENDED[document["verdict"]]
    return Answer(ended, "\n\n".join(parts), document)


def _verdict(search: "Exploration", interrupted: bool) -> str:
    if search.violation is not None:
        return "violation"
    if search.is_complete:
        return "nothing found"
    return "interrupted" if interrupted else "budget used up"


class _Line:
    """How far a search is, on stderr: one line that is drawn again and again, if it can be.

    In a pipe or a file, a line now and then.
    """

    def __init__(self) -> None:
        self.can_be_drawn = sys.stderr is not None and sys.stderr.isatty()
        self.is_drawn = False
        self.due = TOLD_EVERY

    def draw(self, counts: "Counts") -> None:
        """The counts as they are now."""
        rate = counts.distinct / max(counts.seconds, 1e-9)
        line = f"{counts.distinct:,} states, depth {counts.depth}, {counts.waiting:,} waiting"
        if self.can_be_drawn:
            self.is_drawn = True
            print(f"\r\x1b[K{line}; {rate:,.0f}/s", end="", file=sys.stderr, flush=True)
        elif sys.stderr is not None and counts.distinct >= self.due:
            self.due += TOLD_EVERY
            print(f"{line}; {rate:,.0f}/s", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the last line as it is."""
        if self.is_drawn:
            print(file=sys.stderr)
