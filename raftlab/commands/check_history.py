"""`raftlab check-history`: whether what clients saw is linearizable."""

import argparse
from typing import Any

import msgspec

from raftlab.commands.answers import Answer, Exit
from raftlab.commands.arguments import Parser, number, one_of, whole, written_to

NAME = "check-history"
HELP = "say whether a history of operations is linearizable"
ABOUT = """\
Say whether a history is linearizable: whether each operation can be given one moment between its
start and its end so that one client alone would have got the same answers. The file holds one
operation a line, or the events of Jepsen or Maelstrom; docs/command-line.md shows one."""
EXAMPLE = """\
  raftlab check-history history.jsonl --model register --svg history.svg"""
MODELS = ("register", "key-value", "append-list")


def add_arguments(parser: Parser) -> None:
    """What `raftlab check-history` takes."""
    parser.add_argument("history", metavar="FILE", help="JSON: an operation or an event a line")
    parser.add_argument(
        "--model",
        type=one_of(*MODELS),
        default="key-value",
        metavar="MODEL",
        help=f"what the answers should be: {', '.join(MODELS)} (key-value)",
    )
    parser.add_argument(
        "--budget",
        type=whole(1),
        metavar="N",
        help="how many placements are tried (3,000,000, some seconds)",
    )
    parser.add_argument(
        "--ms-per-unit",
        type=number,
        default=1.0,
        metavar="X",
        help="what the file counts in: 1e-6 for nanoseconds (1)",
    )
    parser.add_argument(
        "--cas-sees",
        action="store_true",
        help="in events, a failed cas is one that saw another value",
    )
    parser.add_argument("--svg", metavar="FILE", help="write the timeline, as a picture")


def carry_out(given: argparse.Namespace) -> Answer:
    """Load, check, show."""
    from raftlab.check.history import History, Operation
    from raftlab.check.linearizability import BUDGET, check
    from raftlab.check.linearizability.models import AppendList, KeyValue, Model, Register
    from raftlab.sim.run.files import write_whole
    from raftlab.view.timeline.histories import scene_history

    svg = None if given.svg is None else written_to(given.svg)
    models: dict[str, type[Model]] = {
        "register": Register,
        "key-value": KeyValue,
        "append-list": AppendList,
    }
    history = History.load(given.history, ms_per_unit=given.ms_per_unit, cas_sees=given.cas_sees)
    verdict = check(history, model=models[given.model](), budget=given.budget or BUDGET)
    scene = scene_history(verdict)
    if svg is not None:
        write_whole(svg, scene.svg.encode())
    code = {True: Exit.FINE, False: Exit.FOUND, None: Exit.UNKNOWN}[verdict.is_linearizable]
    said = {True: "linearizable", False: "not linearizable", None: "unknown"}
    culprit: Operation | None = verdict.culprit
    told: Any = None if culprit is None else msgspec.to_builtins(culprit)
    document = {
        "verdict": said[verdict.is_linearizable],
        "explanation": verdict.explanation,
        "model": given.model,
        "operations": len(history),
        "tried": verdict.tried,
        "key": verdict.key,
        "culprit": told,
    }
    return Answer(code, scene.description, document)
