"""`raftlab completion`: what a shell reads to complete commands and options at the Tab key."""

import argparse
from collections.abc import Mapping

from raftlab.commands.answers import Answer, Exit
from raftlab.commands.arguments import Parser, one_of

NAME = "completion"
HELP = "print what bash, zsh or fish needs to complete commands and options"
ABOUT = """\
Print a script. A shell that has read it completes commands and options at the Tab key, and names of
files elsewhere. Let the shell read it whenever it starts."""
EXAMPLE = """\
  raftlab completion bash
  raftlab completion zsh
  raftlab completion fish"""

BASH = """\
_raftlab() {{
    local names
    case "$COMP_CWORD:${{COMP_WORDS[1]}}" in
        1:*) names="{commands}" ;;
{cases}
    esac
    COMPREPLY=($(compgen -W "$names" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _raftlab raftlab
"""
ZSH = f"autoload -Uz compinit bashcompinit\ncompinit\nbashcompinit\n{BASH}"


def add_arguments(parser: Parser) -> None:
    """What `raftlab completion` takes."""
    parser.add_argument(
        "shell", metavar="SHELL", type=one_of(*SCRIPTS), help=f"which: {', '.join(SCRIPTS)}"
    )


def carry_out(given: argparse.Namespace) -> Answer:
    """Print the script for a shell."""
    options = {name: parser.options() for name, parser in given.commands.items()}
    return Answer(Exit.FINE, SCRIPTS[given.shell](options), {})


def in_bash(options: Mapping[str, list[str]], script: str = BASH) -> str:
    """A function that bash calls at Tab; zsh can call it, too."""
    cases = [f'        *:{name}) names="{" ".join(own)}" ;;' for name, own in options.items()]
    return script.format(commands=" ".join(options), cases="\n".join(cases))


def in_fish(options: Mapping[str, list[str]]) -> str:
    """A line for every command and every option."""
    lines = [f"complete -c raftlab -n __fish_use_subcommand -f -a '{' '.join(options)}'"]
    for name, own in options.items():
        here = f"complete -c raftlab -n '__fish_seen_subcommand_from {name}'"
        lines += [f"{here} -l {option.removeprefix('--')}" for option in own]
    return "\n".join(lines)


SCRIPTS = {
    "bash": in_bash,
    "zsh": lambda options: in_bash(options, ZSH),
    "fish": in_fish,
}
