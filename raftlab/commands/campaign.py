"""`raftlab campaign`: many seeds, each a random run that must survive and recover."""

import argparse
import logging
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from raftlab.commands.answers import Answer, Exit, share_of
from raftlab.commands.arguments import (
    Parser,
    add_classes,
    add_settings,
    classes,
    cores,
    settings,
    whole,
)
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import shown
from raftlab.sim.world.arguments import MOST_SEEDS

if TYPE_CHECKING:
    from raftlab.check.campaign import CampaignResult
    from raftlab.check.campaign.shortest import Shortest

NAME = "campaign"
HELP = "try many seeds: random faults, after which the cluster must recover"
ABOUT = """\
Try many seeds. Each decides a whole run: a cluster, its faults, then the healing, after which it
must recover. What fails is made as short as it can be, and printed as a text for raftlab replay."""
EXAMPLE = """\
  raftlab campaign --seeds 20
  raftlab campaign --seeds 0-9999 --cores all --resume night.jsonl"""
MOST_SHOWN = 3
EVERY_S = 0.2


def add_arguments(parser: Parser) -> None:
    """What `raftlab campaign` takes."""
    parser.add_argument(
        "--seeds",
        type=seeds,
        default=seeds("100"),
        metavar="N|A-B",
        help="how many, or which (100)",
    )
    parser.add_argument(
        "--cores", type=cores, default=1, metavar="N", help="how many to use, or all (1)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, like tcp://host:8786"
    )
    parser.add_argument(
        "--resume", metavar="FILE", help="keep what is done in a file, and go on from it"
    )
    parser.add_argument("--nodes", type=whole(), help="how many nodes, in place of a seed's choice")
    add_settings(parser, "--options", "settings of every node, in place of a seed's choice")
    parser.add_argument(
        "--change-network",
        action="store_true",
        help="let latency, loss and duplication change while a run goes on",
    )
    parser.add_argument(
        "--shown",
        type=whole(0),
        default=MOST_SHOWN,
        metavar="N",
        help=f"for how many kinds of failure the shortest run is looked for ({MOST_SHOWN})",
    )
    add_classes(parser)


def seeds(text: str) -> range:
    """A reader of `20` (0 to 19) and of `5-9`."""
    match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text, re.ASCII)
    if match is None:
        raise argparse.ArgumentTypeError(
            f"{shown(str(text))} is not a number, or A-B, like 100-199"
        )
    first, last = match.groups()
    found = range(int(first)) if last is None else range(int(first), int(last) + 1)
    if not 1 <= (found.stop - found.start) <= MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"{shown(str(text))} is not 1 to {MOST_SEEDS:,} seeds")
    return found


def carry_out(given: argparse.Namespace) -> Answer:
    """Try the seeds; what came of them."""
    from raftlab.check.campaign import campaign

    chosen: dict[str, Any] = {} if given.nodes is None else {"nodes": given.nodes}
    if given.change_network:
        chosen["change_network"] = True
    if given.options:
        chosen["options"] = Options(**settings(Options, given.options))
    before = logging.root.manager.disable
    if given.scheduler is not None:  # Dask tells the same things, at length
        logging.disable(logging.CRITICAL)
    try:
        result = campaign(
            given.seeds,
            given.cores,
            given.scheduler,
            resume=given.resume,
            **classes(given),
            **chosen,
        )
    except KeyboardInterrupt:
        kept = (
            f"What is done is in {given.resume}: the same command goes on from there."
            if given.resume
            else "Name a file with --resume, and what is done is kept."
        )
        return Answer(Exit.INTERRUPTED, f"Interrupted. {kept}", {"interrupted": True})
    finally:
        logging.disable(before)
    return about_campaign(result, given.shown, given.json)


def about_campaign(result: "CampaignResult", most: int, as_json: bool) -> Answer:
    """What came of all seeds, and the shortest runs: those that were found when Ctrl-C came."""
    line = _Line()
    found = result.shortest(most, line.draw)
    line.end()
    interrupted = any(each.interrupted for each in found)
    code = Exit.FOUND if result.failures else Exit.FINE
    if interrupted:
        code = Exit.INTERRUPTED
    if not as_json:
        return Answer(code, result.report(most, found), {})
    document = {
        "seeds": len(result.results),
        "counts": result.counts,
        "events": result.events,
        "faults": result.faults,
        "never_happened": [name for name, count in result.faults.items() if not count],
        "slowest_recovery_ms": result.slowest_peace,
        "failures": [
            {
                "seed": each.seed,
                "verdict": each.verdict,
                "property": each.broke or None,
                "text": each.text,
                "frame": each.frame,
                "events": each.events,
            }
            for each in result.failures
        ],
        "shortest": [_shortest(each) for each in found],
        "interrupted": interrupted,
    }
    return Answer(code, "", document)


def _shortest(found: "Shortest") -> dict[str, Any]:
    """The easiest seed of a kind of failure, and its shortest run."""
    run = found.run
    return {
        "kind": found.kind,
        "seed": found.failure.seed,
        "actions": None if run is None else len(run),
        "share": None if run is None else share_of(run),
    }


class _Line:
    """How short a run is by now, on one line of a terminal that is drawn again and again."""

    def __init__(self) -> None:
        self.is_shown = sys.stderr is not None and sys.stderr.isatty()
        self.drawn: float | None = None

    def draw(self, seed: int, tried: int, actions: int) -> None:
        """Look at a try: of each seed the first, and then one now and then."""
        now = time.monotonic()
        if self.is_shown and (self.drawn is None or not tried or now > self.drawn + EVERY_S):
            self.drawn = now
            told = f"Making seed {seed}'s run shorter: {actions:,} actions after {tried:,} tries"
            line = f"{told} (Ctrl-C: it is shown as it is)"
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the last line as it is."""
        if self.drawn is not None:
            print(file=sys.stderr)
