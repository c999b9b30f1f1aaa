"""An answer's parts are run as a notebook is, from top to bottom, and what was asked for is found.

What a statement raises costs that statement: much of a submission is there to be looked at, or to
be tried, with what is not there where it is graded.
"""

import __future__

import ast
import linecache
import marshal
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, ModuleType
from typing import Any

from raftlab.course.exercises import guard
from raftlab.grading.child import beside

MODULE = "__main__"
"""An answer is run as if it were the program itself, as it is in a notebook."""
KEPT, HIDDEN = "_answer", "the answer"
"""The name under which an answer is kept while what stands below it is run: as it is written in
parts that are called so, and as it is in the module."""
Statement = tuple[bool, CodeType]
"""Whether it imports, and the code of one statement of an answer."""


def compiled(parts: Sequence[Sequence[str]]) -> Iterator[Statement]:
    """The statements of these parts of source, one by one; one that is no Python raises when run.

    What is imported from the future holds for all that follows, as in a notebook. A part that has
    the name of a file can be imported.
    """
    flags = 0
    for where, source in parts:
        if where.endswith(beside.SUFFIX):
            yield True, compile(beside.putting(where, source), where, "exec", dont_inherit=True)
            continue
        for node in ast.parse(source).body:
            if where == KEPT:
                _hide(node)
            flags |= _future(node)
            code = _code(ast.Module([node], []), where, flags)
            yield isinstance(node, ast.Import | ast.ImportFrom), code


def _hide(node: ast.AST) -> None:
    """Let KEPT be a name in it that no source can have."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id == KEPT:
            each.id = HIDDEN


def _code(module: ast.Module, where: str, flags: int) -> CodeType:
    try:
        code: CodeType = compile(module, where, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:  # "await x", say
        said = f"raise {type(problem).__name__}({str(problem)!r})"
        code = compile(said, where, "exec", dont_inherit=True)
    return code


def _future(node: ast.stmt) -> int:
    """What this statement changes in how those after it are compiled."""
    if not isinstance(node, ast.ImportFrom) or node.module != "__future__":
        return 0
    known = [each.name for each in node.names if each.name in __future__.all_feature_names]
    return sum(getattr(__future__, name).compiler_flag for name in known)


def packed(parts: Sequence[Sequence[str]]) -> str:
    """The same as text, for other forks: they need not compile it again."""
    return b64encode(marshal.dumps([*compiled(parts)])).decode()


Skipped = list[tuple[frozenset[str], BaseException]]
"""What statements have raised, each with the names that it speaks of."""


def loaded(asked: Any) -> tuple[Callable[..., Any] | None, Any]:
    """Run an answer's parts, which may be `packed`, too, and find it.

    The reply is {} or says why there is none.
    """
    names = begun()
    skipped: Skipped = []
    try:
        for where, source in asked["parts"]:
            linecache.cache[where] = (len(source), None, source.splitlines(True), where)
        held = asked.get("packed")
        run(marshal.loads(b64decode(held)) if held else compiled(asked["parts"]), names, skipped)
        wanted = asked["holder"] or asked["name"]
        if wanted not in names:
            raise why_not(wanted, skipped)
        found = names[wanted]
        if asked["holder"]:
            found = guard.call(getattr, guard.call(found), asked["name"])
        found = told_why(found, skipped) if skipped else found
    except (guard.Unwritten, guard.LearnerError) as problem:
        return None, told_of(problem, below(problem, asked["parts"]))
    except BaseException as problem:  # whatever an answer raises is its own
        return None, {"raised": guard.where(problem)[:300]}
    return found, {}


def below(problem: BaseException, parts: Sequence[Sequence[str]]) -> str:
    """Where a name is defined that was not there yet, or ""."""
    lacks = problem.__context__
    if not isinstance(lacks, NameError) or not lacks.name:
        return ""
    defines = re.compile(rf"^(?:(?:class|def) +{lacks.name}\b|{lacks.name} *=)", re.MULTILINE)
    where = next((where for where, source in parts if defines.search(source)), "")
    return f"; {lacks.name} is defined below, in {where}: run all cells anew" if where else ""


def begun() -> dict[str, Any]:
    """The names of a new module, in which an answer is run as in a notebook."""
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module
    names = vars(module)
    names["display"] = lambda *_, **__: None
    return names


def run(statements: Iterable[Statement], names: dict[str, Any], skipped: Skipped) -> None:
    """Run these statements; what one raises is kept, and those after it are run all the same.

    A submission shows and tries much that is not there where it is graded.
    """
    for imports, code in statements:
        try:
            if imports:  # what is imported is not the learner's, and has no budget
                exec(code, names)
            else:
                guard.call(exec, code, names)
        except BaseException as problem:  # whatever an answer raises is its own
            every = {"*"} if ("*",) in code.co_consts else set()
            skipped.append((frozenset(code.co_names) | every, problem))


def why_not(name: str, skipped: Skipped) -> BaseException:
    """Why there is no such name: what the first statement raised that speaks of it."""
    return _reason(name, skipped) or guard.LearnerError(f"there is no {name}")


def _reason(name: str, skipped: Skipped) -> BaseException | None:
    """What was raised where this name is spoken of, or else where all names were imported."""
    found = (why for each in (name, "*") for names, why in skipped if each in names)
    return next(found, None)


def told_why(function: Callable[..., Any], skipped: Skipped) -> Callable[..., Any]:
    """The function; a name that it lacks is told by why there is none."""

    def asked(*given: Any) -> Any:
        try:
            return function(*given)
        except NameError as lacks:
            raise _reason(lacks.name or "", skipped) or lacks from None

    return asked


def told_of(problem: Exception, more: str = "") -> Any:
    """Why there is no answer."""
    kind = "unwritten" if isinstance(problem, guard.Unwritten) else "raised"
    return {kind: f"{str(problem)[:200]}{more[:100]}" if more else str(problem)[:300]}
