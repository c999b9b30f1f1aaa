"""What a program that fails says of it on its standard error output, in one line.

Each language tells an error in its own way: what went wrong comes last (Python), in the middle
(Node, Java, Go), or after the place (Rust). Looked for are the line that names an error and, of
the lines around it, the nearest that names a place in a program and not in a language's library.
"""

import re

from raftlab.raft.vocabulary import shortened

KEPT = 4096
"""How many bytes of the standard error output are kept: the last ones."""

MOST_SAID = 300
MOST_NAMED = 80

ERROR = re.compile(r"[\w.]*(Error|Exception)\b|\w+ \[Error\]|panic: |fatal error: ")
"""How a line begins that names an error: some programs say more after it."""

TRACEBACK = "Traceback (most recent call last):"
"""What Python writes before the calls, which are indented; then comes the error, however called."""

PANIC = re.compile(r"thread '.*' .*panicked at .*:$")
"""The line of Rust before the one that says what went wrong."""

AFTER_ALL = re.compile(r"Node\.js v\d|\(Use `node ")
"""What Node writes after an error."""

PLACES = [
    re.compile(each)
    for each in (
        r'File "([^"]+)", line (\d+)',
        r"^\s*([^()\"]+\.[a-zA-Z]\w*):(\d+)(?::\d+)?(?: \+0x\w+)?$",
        r"\(([^()]+\.[a-zA-Z]\w*):(\d+)(?::\d+)?\)",
        r"\bat (\S+\.[a-zA-Z]\w*):(\d+)",
    )
]
LIBRARY = re.compile(
    r"/lib/python\d|/node_modules/|\bnode:|\bjava\.base/|/usr/local/go/src/|/usr/lib/go\b|/rustc/"
    r"|<frozen"
)
"""Where a place is none of the program itself."""

ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def last_words(stderr: bytes) -> str:
    """The line that tells most, with the place in the program if there is one; or nothing."""
    lines = [plain(line) for line in stderr[-KEPT:].decode(errors="replace").splitlines()]
    lines = [line for line in lines if line.strip() and not AFTER_ALL.match(line.strip())]
    if not lines:
        return ""
    number = _telling(lines)
    told = shortened(lines[number].strip(), MOST_SAID)
    near = sorted(range(len(lines)), key=lambda each: abs(each - number))
    place = next(filter(None, (_place(lines[each]) for each in near)), "")
    return f"{told} ({place})" if place else told


def plain(line: str) -> str:
    """A line without colours and other signs that nobody sees."""
    return "".join(each for each in ESCAPES.sub("", line) if each.isprintable() or each == "\t")


def _telling(lines: list[str]) -> int:
    """Which line says what went wrong: the last that names an error, or else the last of all."""
    if (raised := _raised(lines)) is not None:
        return raised
    for number in range(len(lines) - 1, -1, -1):
        if ERROR.match(lines[number].strip()):
            return number
        if number and PANIC.match(lines[number - 1]):
            return number
    return len(lines) - 1


def _raised(lines: list[str]) -> int | None:
    """Where the error of Python is that was raised last, if there is one."""
    if TRACEBACK not in lines:
        return None
    begin = len(lines) - lines[::-1].index(TRACEBACK)
    return next((each for each in range(begin, len(lines)) if not lines[each][0].isspace()), None)


def _place(line: str) -> str:
    """The place in the program that a line names; the name alone tells the file."""
    for each in PLACES:
        if (found := each.search(line)) and not LIBRARY.search(line):
            name = re.split(r"[/\\]", found[1])[-1]
            return f"{shortened(name, MOST_NAMED)}, line {found[2]}"
    return ""
