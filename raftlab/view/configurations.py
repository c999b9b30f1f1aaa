"""A configuration in words: in full, and short enough for a cell of a log."""

from collections.abc import Callable, Sequence
from itertools import groupby
from re import fullmatch

from raftlab.raft.vocabulary import Configuration, NodeId

MOST_LISTED = 7
"""Of more nodes than this, runs of numbers are drawn together: S1-51."""


def configuration_text(configuration: Configuration) -> str:
    """Who is in it: "voters S1 S2 S3, learner S4", "joint: S1 S2 S3 (old) and S3 S4 S5 (new)"."""
    groups = configuration.old_voters, configuration.voters, configuration.learners
    text = group_text if max(map(len, groups)) <= MOST_LISTED else runs
    return _configuration_text(configuration, text)


def runs_text(configuration: Configuration) -> str:
    """The same in runs: "joint: S1-3 (old) and S3-5 (new), learner S6"."""
    return _configuration_text(configuration, runs)


def _configuration_text(
    configuration: Configuration, text: Callable[[Sequence[NodeId]], str]
) -> str:
    old, new, learners = configuration.old_voters, configuration.voters, configuration.learners
    if configuration.is_joint:
        said = f"joint: {text(old)} (old) and {text(new)} (new)"
    else:
        said = f"{_many('voter', new)} {text(new)}"
    return f"{said}, {_many('learner', learners)} {text(learners)}" if learners else said


def configuration_code(configuration: Configuration) -> str:
    """The same in few letters: "S1-3 (S4)", the learners in brackets; while joint "S1-3→S3-5"."""
    groups = (configuration.old_voters, configuration.voters)
    said = "→".join(runs(group) for group in groups if group)
    return f"{said} ({runs(configuration.learners)})" if configuration.learners else said


def configuration_labels(configuration: Configuration) -> tuple[str, str, str]:
    """What an entry with it is called, from the longest to the shortest."""
    word, code = ("joint" if configuration.is_joint else "cfg"), configuration_code(configuration)
    return f"{word} {code}", code, word


def group_text(nodes: Sequence[NodeId]) -> str:
    """The nodes of a group, one by one; of a great one, in runs."""
    if not nodes:
        return "none"
    return " ".join(nodes) if len(nodes) <= MOST_LISTED else runs(nodes)


def runs(nodes: Sequence[NodeId]) -> str:
    """Names without what repeats: "S1-3", "S1,2,5", "S1-3,west". Nothing is lost."""
    said: list[str] = []
    parts = [_parts(node) for node in nodes]
    for (prefix, numbered), group in groupby(parts, key=lambda part: (part[0], part[1] > 0)):
        numbers = [number for _, number in group]
        said.append(prefix + ",".join(_stretches(numbers)) if numbered else prefix)
    return ",".join(said)


def _parts(name: NodeId) -> tuple[str, int]:
    """A name as the letters before its number, and its number; 0 if it does not end in one."""
    found = fullmatch(r"(.*?[^0-9])([1-9][0-9]*)", name)
    return (found[1], int(found[2])) if found else (name, 0)


def _stretches(numbers: Sequence[int]) -> list[str]:
    """Numbers that follow each other, three or more, as "first-last"; the others one by one."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] + 1 == number:
            found[-1].append(number)
        else:
            found.append([number])
    said: list[str] = []
    for run in found:
        said += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else map(str, run)
    return said


def _many(word: str, nodes: Sequence[NodeId]) -> str:
    return word if len(nodes) == 1 else f"{word}s"
