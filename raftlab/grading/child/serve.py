"""The boxed process: it is told an answer's source once, then calls; it answers a line with a line.

    {"parts": [["cell 3", "class MyRules…"]], "name": "accepts_append", "holder": "MyRules"}
    {"call": [arguments]}

It knows no right answer. What it says is data: whoever asked compares it with what is right.
"""

import ast
import json
import linecache
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, BinaryIO

from raftlab.course.exercises import guard
from raftlab.grading.child import lock, values

MODULE = "answer"


def main(box: str, paths: Sequence[str]) -> None:
    """Serve until the standard input ends. `paths` are what may be read, where no mount says so."""
    told_to, says = in_the_box(box, paths)
    function: Callable[..., Any] | None = None
    for line in told_to:
        asked = json.loads(line)
        if "parts" in asked:
            function, reply = loaded(asked)
        else:
            reply = answered(function, asked["call"])
        says.write(json.dumps(reply).encode() + b"\n")
        says.flush()


def in_the_box(box: str, paths: Sequence[str]) -> tuple[BinaryIO, BinaryIO]:
    """What lines come from and go to, once nothing else is open and all limits hold."""
    told_to, says = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in (0, 1, 2):
        os.dup2(nowhere, each)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    if box != "no box":
        lock.limit()
    if box == "landlock":
        lock.read_only(paths)
    if box != "no box":
        lock.refuse_calls()
    return told_to, says


def loaded(asked: Any) -> tuple[Callable[..., Any] | None, Any]:
    """Run an answer's parts, and find it. The reply is {} or says why there is none."""
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module
    names = vars(module)
    try:
        for where, source in asked["parts"]:
            linecache.cache[where] = (len(source), None, source.splitlines(True), where)
            for node in ast.parse(source).body:
                code = compile(ast.Module([node], []), where, "exec", dont_inherit=True)
                if isinstance(node, ast.Import | ast.ImportFrom):
                    exec(code, names)  # what is imported is not the learner's, and has no budget
                else:
                    guard.call(exec, code, names)
        found = names[asked["name"]] if not asked["holder"] else None
        if asked["holder"]:
            found = guard.call(getattr, guard.call(names[asked["holder"]]), asked["name"])
    except (guard.Unwritten, guard.LearnerError) as problem:
        return None, told_of(problem)
    except BaseException as problem:  # whatever an answer raises is its own
        return None, {"raised": guard.where(problem)[:300]}
    return found, {}


def answered(function: Any, arguments: Any) -> Any:
    """One call: what it returns, and those arguments that it has changed."""
    given = [values.heard(each) for each in arguments]
    before = {
        place: values.told(each)
        for place, each in enumerate(given)
        if type(each) in values.CHANGEABLE
    }
    try:
        got = guard.call(function, *given)
        told = values.told(got)
    except (guard.Unwritten, guard.LearnerError) as problem:
        return told_of(problem)
    except BaseException as problem:  # whatever an answer raises is its own
        return {"raised": guard.where(problem)[:300]}
    after = {
        str(place): now
        for place, then in before.items()
        if (now := values.told(given[place])) != then
    }
    return {"value": told, "after": after} if after else {"value": told}


def told_of(problem: Exception) -> Any:
    """Why there is no answer."""
    return {"unwritten" if isinstance(problem, guard.Unwritten) else "raised": str(problem)[:300]}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
