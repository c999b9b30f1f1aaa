"""What pictures are made of is looked at first: a cluster in the place of a frame is refused."""

import types
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from math import isinf
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from raftlab.raft.log import RaftLog
from raftlab.raft.options import is_number, is_whole
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.frames.frame import Frame, Trace

Given = ParamSpec("Given")
Made = TypeVar("Made")

WORDS: Mapping[Any, str] = {
    Frame: "a frame, like cluster.frame()",
    Trace: "a trace, like cluster.trace()",
    RaftLog: 'a log, like cluster.machine("S1").log',
    str: "text",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    None: "None",
    type(None): "None",
}


def checked(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """The function, which now refuses arguments that are of no kind it names. Raises: Misuse."""
    parameters = signature(function).parameters
    rest = [each for each in parameters.values() if each.kind is Parameter.VAR_POSITIONAL]
    in_order = [name for name, each in parameters.items() if each not in rest]

    def check(name: str, value: object) -> None:
        hint = parameters[name].annotation
        if not fits(value, hint):
            what = f"{getattr(function, '__name__', '')} takes {kinds_in_words(hint)} as `{name}`"
            raise Misuse(f"{what}, not {shown(value)}")

    @wraps(function)
    def careful(*given: Given.args, **named: Given.kwargs) -> Made:
        names = [rest[0].name] * len(given) if rest else in_order
        for name, value in zip(names, given, strict=False):
            check(name, value)
        for name, value in named.items():
            if name in parameters:
                check(name, value)
        return function(*given, **named)

    return careful


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the kind that an annotation names, with all that is in it."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any or isinstance(hint, str):
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if origin is Literal:  # which word it is, the function says in its own way
        return isinstance(value, str)
    if hint is None or hint is type(None):
        return value is None
    if hint is float:  # it may be endless: a run that elects nobody, say
        return is_number(value) or (isinstance(value, float) and isinf(value))
    if hint is int:
        return is_whole(value)
    if not isinstance(value, origin or hint) or (origin is Sequence and isinstance(value, str)):
        return False
    if origin is Mapping:
        return all(fits(key, parts[0]) and fits(each, parts[1]) for key, each in value.items())
    if origin is Sequence:
        return all(fits(each, parts[0]) for each in value)
    if origin is tuple:
        return len(value) == len(parts) and all(map(fits, value, parts))
    return True


def kinds_in_words(hint: Any) -> str:
    """The kind that an annotation names, for a sentence."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(kinds_in_words(part) for part in parts)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin is Mapping:
        return f"a mapping from {kinds_in_words(parts[0])} to {kinds_in_words(parts[1])}"
    if origin is Sequence:
        return f"a list, each of it {kinds_in_words(parts[0])},"
    if origin is tuple:
        return f"a pair of {' and '.join(map(kinds_in_words, parts))}"
    return WORDS.get(hint, f"a {getattr(hint, '__name__', hint)}")
