"""How the commands read what was typed: numbers, settings, classes, runs."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from shutil import which
from typing import Any, NoReturn

import msgspec

from raftlab.process import Process
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse, shortened, shown
from raftlab.sim.load import load
from raftlab.sim.resolve import ClassNeeded, can_serve_as
from raftlab.sim.run import share
from raftlab.sim.run.recording import Recording

SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
MOST_SAID = 400


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, and says which name is near. Raises: Misuse."""

    def __init__(self, **given: Any) -> None:
        given.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **given)

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed."""
        raise Misuse(f"{shortened(message, MOST_SAID)} ({self.prog} --help says more)")

    def print_help(self, file: Any = None) -> None:
        """Print help, and notice if nobody reads it. Raises: OSError."""
        print(self.format_help(), end="", file=file, flush=True)

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Refuse words that are no argument of this command."""
        if words:
            name = words[0].partition("=")[0]
            self.error(f"there is no argument {shown(str(words[0]))}{near(name, self.options())}")

    def options(self) -> list[str]:
        """Every option of this command, like `--seed`."""
        return ["--help", *re.findall(r"(?<![\w-])--[\w-]+", self.format_usage())]


def unknown(name: str, names: Iterable[str]) -> str:
    """Says that there is no such name, and which are near, or else all that there are."""
    there = list(names)
    return f"there is no {shown(name)}{near(name, there) or '; there are ' + ', '.join(there)}"


def near(name: str, names: Iterable[str]) -> str:
    """`: do you mean 'this'?`, or nothing, if no name is near."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(names), n=3, cutoff=0.5)
    return f": do you mean {' or '.join(map(repr, found))}?" if found else ""


# Numbers


def whole(least: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers, from `least` if it is given."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{shown(str(text))} is not a whole number") from None
        if least is not None and number < least:
            raise argparse.ArgumentTypeError(
                f"{shown(str(text))} is too small: it is {least} or more"
            )
        return number

    return read


def cores(text: str) -> int | None:
    """A reader of a number of cores, or `all`."""
    return None if text == "all" else whole(1)(text)


def number(text: str, most: float = sys.float_info.max) -> float:
    """A reader of numbers from 0 to `most`."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{shown(str(text))} is not a number") from None
    if not 0 <= value <= most:
        to = "" if most == sys.float_info.max else f" to {most:,.0f}"
        raise argparse.ArgumentTypeError(f"{shown(str(text))} is not a number from 0{to}")
    return value


def span(text: str) -> tuple[float, float]:
    """A reader of `MIN-MAX`."""
    match re.split("[-,]", text):
        case [low, high]:
            return number(low), number(high)
    raise argparse.ArgumentTypeError(f"{shown(str(text))} is not MIN-MAX, like 5-15")


def one_of(*names: str) -> Callable[[str], str]:
    """A reader of one of these names."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(unknown(text, names))
        return text

    return read


# Settings


def settings(kind: type[msgspec.Struct], given: Iterable[str]) -> dict[str, Any]:
    """`pre_vote=false` and the like, as arguments of a class of settings. Raises: Misuse."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise Misuse(
                f"{shown(str(each))} is no setting: write NAME=VALUE, like {_model(types)}"
            )
        if name not in types:
            hint = near(name, types) or f": there are {', '.join(types)}"
            raise Misuse(f"there is no setting {shown(str(name))}{hint}")
        found[name] = _value(name, types[name], value.strip())
    return found


def typed(kind: type[msgspec.Struct], given: argparse.Namespace) -> dict[str, Any]:
    """The fields of a class of settings for which there is an option, and something was typed."""
    held = {name: getattr(given, name, None) for name in kind.__struct_fields__}
    return {name: value for name, value in held.items() if value is not None}


def _model(types: dict[str, Any]) -> str:
    name = next(name for name, kind in types.items() if kind is bool)
    return f"{name}=false"


def _value(name: str, kind: Any, text: str) -> Any:
    try:
        if kind is bool:
            return SWITCH[text.lower()]
        if kind in (int, float):
            return kind(text)
        if str(kind) == "tuple[float, float]":
            return span(text)
    except (KeyError, ValueError, argparse.ArgumentTypeError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}
        said = wanted.get(kind, "MIN-MAX, like 150-300")
        raise Misuse(f"{name} is {said}, not {shown(str(text))}") from None
    return tuple(part.strip() for part in text.split(",") if part.strip())


def add_settings(parser: argparse._ActionsContainer, name: str, said: str) -> None:
    """An option that takes settings: `--options pre_vote=false election_timeout=150-300`."""
    parser.add_argument(
        name, nargs="+", action="extend", default=[], metavar="NAME=VALUE", help=said
    )


# Classes of the reader's own


def add_classes(parser: argparse.ArgumentParser) -> None:
    """The options that name a class: `--rules` and `--machine`."""
    parser.add_argument(
        "--rules",
        metavar="MODULE:CLASS",
        help="rules to play by: a subclass of raftlab.Rules, from a file in this directory too",
    )
    parser.add_argument(
        "--machine",
        metavar="MODULE:CLASS",
        help="a machine to take the place of raftlab's; or the command of one that is a process,"
        ' such as "node my_raft.js" (docs/machine-protocol.md)',
    )


def classes(given: argparse.Namespace) -> dict[str, Any]:
    """What was named, as arguments `rules` and `machine`."""
    readers = {"rules": rules_named, "machine": machine_named}
    named = {argument: getattr(given, argument) for argument in readers}
    return {
        argument: readers[argument](name) for argument, name in named.items() if name is not None
    }


def machine_named(name: str) -> Any:
    """The machine "module:Class", or the machine in a process of that command. Raises: Misuse.

    What stands in a module can be a `Process`, too, with limits of its own.
    """
    return Process(name) if is_command(name) else named_class(name, "machine")


def is_command(name: str) -> bool:
    """Whether this is a command and no MODULE:CLASS: it has a blank or a slash, or is a program."""
    if any(each.isspace() or each in ("/", os.sep) for each in name.strip()):
        return True
    return ":" not in name and which(name) is not None


def named_class(name: str, argument: str) -> Any:
    """The class "module:Class", from this directory too. Raises: Misuse, if it cannot be used."""
    module, _, path = name.partition(":")
    if not (path and all(part.isidentifier() for part in f"{module}.{path}".split("."))):
        raise Misuse(f"{shown(str(name))} is not MODULE:CLASS, like mine:MyRules")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        with redirect_stdout(sys.stderr):
            thing: Any = import_module(module)
    except ModuleNotFoundError as error:
        raise Misuse(
            f"there is no module {shown(str(error.name or module))}, in this directory or installed"
        ) from None
    except (Exception, SystemExit) as error:  # whatever the reader's own file does
        said = shortened(f"{type(error).__name__}: {error}")
        raise Misuse(f"{shortened(module)} cannot be imported: {said}") from error
    for part in path.split("."):
        if not hasattr(thing, part):
            kinds = [key for key, value in vars(thing).items() if isinstance(value, type)]
            hint = near(part, kinds)
            raise Misuse(f"{shortened(module)} has no class {shown(str(path))}{hint}")
        thing = getattr(thing, part)
    is_process = argument == "machine" and isinstance(thing, Process)
    if not is_process and not (isinstance(thing, type) and can_serve_as(thing, argument)):
        wanted = "a subclass of raftlab.Rules" if argument == "rules" else "a machine"
        raise Misuse(f"{shortened(name)} is not {wanted}")
    return thing


def rules_named(name: str) -> type[Rules]:
    """The rules "module:Class". Raises: Misuse."""
    found: type[Rules] = named_class(name, "rules")
    return found


# Files and runs


def written_to(name: str) -> Path:
    """A file that can be written there, as far as one can tell. Raises: Misuse."""
    path = Path(name)
    if not name or path.is_dir():
        raise Misuse(f"{shown(str(name))} is a directory: name a file in it")
    if not path.parent.is_dir():
        raise Misuse(
            f"there is no directory {shown(str(path.parent))} to write {shown(str(path.name))} to"
        )
    return path


RUN_HELP = "a file of `raftlab run --save`, a shared text (raftlab.1...), or - to read one"


def add_run(parser: argparse.ArgumentParser, **how: Any) -> None:
    """The run that a command opens, and how long it may be."""
    parser.add_argument("run", metavar="RUN", help=RUN_HELP, **how)
    parser.add_argument(
        "--most-steps",
        type=whole(0),
        default=share.USUAL_STEPS,
        metavar="N",
        help=f"play a shared text of up to so many steps ({share.USUAL_STEPS:,})",
    )


def add_base(parser: argparse.ArgumentParser) -> None:
    """Where the page with a lab is to which links lead."""
    parser.add_argument(
        "--base",
        metavar="ADDRESS",
        default=share.PUBLISHED,
        help="the address of the lab as a page, if it is not the published one: for links to runs",
    )


def opened(source: str, given: argparse.Namespace) -> Recording:
    """The run in a file, behind a shared text, or in what is piped in. Raises: Misuse; OSError."""
    if source == "-":
        source = sys.stdin.read().strip()
        if not share.is_shared(share.text_in(source)):
            raise Misuse("what is piped in is no shared run: `raftlab run --share` prints one")
    own = classes(given)
    try:
        most = getattr(given, "most_steps", share.USUAL_STEPS)
        return load(source, **own, most_steps=most)
    except FileNotFoundError:
        raise Misuse(
            f"there is no file {shown(str(source))}, and a shared run begins with raftlab.1."
        ) from None
    except ClassNeeded as needed:
        how = f"name the class with --{needed.argument}"
        raise Misuse(f"{needed.where}{needed.what}: {how}") from needed
    except share.TooManySteps as refusal:
        raise Misuse(f"{refusal.what}, with --most-steps {refusal.steps}") from refusal
