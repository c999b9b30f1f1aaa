"""`raftlab replay`: a saved or shared run once more."""

import argparse
from typing import Any

import msgspec

from raftlab.commands.answers import Answer, Exit, about_run
from raftlab.commands.arguments import Parser, add_classes, add_run, opened, rules_named, whole
from raftlab.raft.vocabulary import Misuse, shortened
from raftlab.sim.compare import twin
from raftlab.sim.run.recording import NO_DIGEST, Recording

NAME = "replay"
HELP = "play a saved or shared run again, up to any frame, as code, or under other rules"
ABOUT = "Play a run again, byte for byte, and show where it stands at its end."
EXAMPLE = """\
  raftlab run 3 --seed 7 --propose x=1 --ms 100 --save first.jsonl
  raftlab replay first.jsonl --upto 20 --events 3"""


def add_arguments(parser: Parser) -> None:
    """What `raftlab replay` takes."""
    add_run(parser)
    parser.add_argument("--upto", type=whole(0), metavar="N", help="only its first N actions")
    parser.add_argument(
        "--events", type=whole(1), metavar="N", help="print the last N steps in words, too"
    )
    parser.add_argument(
        "--code", action="store_true", help="print the run as the Python that makes it, too"
    )
    parser.add_argument(
        "--twin",
        metavar="MODULE:CLASS",
        help="play it under these rules, too, and say where the runs part",
    )
    parser.add_argument(
        "--ask-again",
        action="store_true",
        help="ask the program of --machine anew all that it was asked, and say what it says now",
    )
    add_classes(parser)


def carry_out(given: argparse.Namespace) -> Answer:
    """Replay and show."""
    if given.ask_again and given.machine is None:
        raise Misuse("--ask-again wants to know whom: name the program with --machine")
    recording = opened(given.run, given)
    note = {} if recording.digest else {"note": NO_DIGEST}
    if given.upto is not None:
        recording = recording.upto(given.upto)
    cluster = recording.branch()
    parts: dict[str, Any] = {
        "events": [str(each) for each in cluster.events(given.events)] if given.events else None,
        "code": recording.as_code() if given.code else None,
        **note,
    }
    answer = about_run(cluster, parts)
    if given.ask_again:
        answer = with_asked_again(answer, recording)
    return answer if given.twin is None else with_twin(answer, recording, given.twin)


def with_twin(answer: Answer, recording: Recording, name: str) -> Answer:
    """The answer, with where a run under other rules parts from this one."""
    try:
        runs = twin(recording, None, rules_named(name))
    except Misuse:
        raise
    except Exception as error:  # of the reader's own rules
        said = shortened(f"{type(error).__name__}: {error}")
        raise Misuse(f"{shortened(name)} failed: {said}") from error
    other = about_run(runs.other)
    text = f"{answer.text}\n\nUnder {name}: {runs}"
    if other.code:
        text += f"\n\n{other.text}"
    document = {
        "rules": name,
        "parts_at": runs.parts_at,
        "text": str(runs),
        "violation": other.document["violation"],
        "share": other.document["share"],
    }
    code = Exit.FOUND if answer.code or other.code else Exit.FINE
    return Answer(code, text, {**answer.document, "twin": document})


def with_asked_again(answer: Answer, recording: Recording) -> Answer:
    """The answer, with what the program says now to all that it was asked in the run."""
    asked = recording.ask_again()
    code = answer.code if asked.is_same else Exit.FOUND
    document = {"same": asked.is_same, **msgspec.structs.asdict(asked)}
    return Answer(code, f"{answer.text}\n\n{asked}", {**answer.document, "asked_again": document})
