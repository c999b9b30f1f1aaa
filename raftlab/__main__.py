"""The command line: `raftlab`, or `python -m raftlab`."""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from io import TextIOWrapper

from raftlab import __version__
from raftlab.commands import (
    campaign,
    check_history,
    completion,
    explore,
    feedback,
    grade,
    lab,
    museum,
    release,
    replay,
    run,
)
from raftlab.commands.answers import EXIT_CODES, Answer, Exit
from raftlab.commands.arguments import Parser, unknown
from raftlab.raft.vocabulary import REFUSALS, shown

COMMANDS = (
    run,
    replay,
    explore,
    campaign,
    check_history,
    museum,
    release,
    grade,
    feedback,
    lab,
    completion,
)
WITHOUT_JSON = (lab, completion)
ABOUT = """\
A laboratory for the Raft consensus algorithm: run it, break it, look for what is wrong.
`raftlab COMMAND --help` explains a command, with an example."""
EXAMPLE = """\
  raftlab run 5 --seed 7 --propose x=1 --ms 100"""
TRACEBACK = "RAFTLAB_TRACEBACK"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line; returns the exit code, and raises nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = carry_out(sys.argv[1:] if arguments is None else arguments)
        write_out("")
        return code
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE
    except KeyboardInterrupt:
        write_error("interrupted")
        return Exit.INTERRUPTED
    except Exception as error:  # nobody is served by a traceback who did not ask for it
        if os.environ.get(TRACEBACK):
            raise
        write_error(error_text(error))
        return Exit.USAGE


def carry_out(arguments: Sequence[str]) -> int:
    """Read the command line and do what it says. Raises: whatever goes wrong."""
    whole, commands = parsers()
    if not arguments:
        write_out(whole.format_help())
        return Exit.FINE
    name = next((word for word in arguments if not word.startswith("-")), "")
    if name and name not in commands:
        whole.error(f"argument COMMAND: {unknown(name, commands)}")
    try:
        given, others = whole.parse_known_args(arguments)
    except SystemExit as asked_for_help:
        return int(asked_for_help.code or 0)
    if given.command is None:
        whole.refuse_unknown(others or arguments)
    name = str(given.command)
    commands[name].refuse_unknown(others)
    as_json = getattr(given, "json", False)
    with redirect_stdout(sys.stderr) if as_json else nullcontext():  # a reader's rules may print
        answer: Answer = given.carry_out(given)
    said = answer.as_json(name) if as_json else answer.text
    if said:
        write_out(said.rstrip() + "\n")
    return int(answer.code)


def parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of everything, and those of the commands."""
    whole = Parser(prog="raftlab", description=ABOUT, epilog=epilog(EXAMPLE))
    whole.add_argument("--version", action="version", version=f"raftlab {__version__}")
    group = whole.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    commands: dict[str, Parser] = {}
    for each in COMMANDS:
        parser = group.add_parser(
            each.NAME, help=each.HELP, description=each.ABOUT, epilog=epilog(each.EXAMPLE)
        )
        each.add_arguments(parser)
        if each not in WITHOUT_JSON:
            parser.add_argument(
                "--json", action="store_true", help="print one JSON document and nothing else"
            )
        parser.set_defaults(carry_out=each.carry_out, commands=commands)
        commands[each.NAME] = parser
    return whole, commands


def epilog(example: str) -> str:
    """What stands below every help."""
    return f"example:\n{example}\n\n{EXIT_CODES}"


def write_out(text: str) -> None:
    """Print, and notice at once if nobody reads it. Raises: OSError."""
    if sys.stdout is not None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            discard_output()
            raise


def discard_output() -> None:
    """What is still unwritten goes nowhere, so that Python does not stumble over it at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def error_text(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, REFUSALS):
        return str(error)
    if isinstance(error, OSError):
        name = f"{shown(str(error.filename))}: " if error.filename else ""
        return f"{name}{error.strerror or error}"
    what = f"{type(error).__name__}: {error}"
    return f"unexpected {what} (with {TRACEBACK}=1 it shows where)"


def write_error(text: str) -> None:
    """One line on the standard error output."""
    with suppress(OSError):
        print("raftlab:", " ".join(text.split()), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
