"""From the full notebook to the student's copy: solutions become stubs, answers become blanks.

* In a code cell tagged `solution`, what stands from `### BEGIN SOLUTION 1.2` to
  `### END SOLUTION` becomes `raise NotImplementedError("Exercise 1.2: conflict_index")`;
  the name is that of the function around it.
* In a code cell tagged `answer`, every `question.answer(...)` becomes `question.answer()`.
* A Markdown cell tagged `solution` is left out.

Everything else is the same in both, ids included.
"""

import ast
import copy
import re
from typing import Any

BEGIN = re.compile(r"^(?P<indent> *)### BEGIN SOLUTION(?: +(?P<number>\d+\.\d+))?\s*$")
END = re.compile(r"^ *### END SOLUTION\s*$")
MARKER = re.compile(r"#\s*(begin|end)\s+solution", re.IGNORECASE)
TAGS = ("solution", "answer")
DEFINITION = re.compile(r"^(?P<indent> *)def +(?P<name>\w+)")


def student_copy(notebook: Any) -> Any:
    """The notebook as a student gets it, not executed. Raises: ValueError, naming the cell."""
    student = copy.deepcopy(notebook)
    for cell in student.cells:
        try:
            _check_tags(cell)
            if not _is_told_solution(cell):
                _blank(cell)
        except ValueError as problem:
            raise ValueError(f"cell {cell.id} {problem}") from problem
    student.cells = [cell for cell in student.cells if not _is_told_solution(cell)]
    return student


def without_solution(source: str) -> str:
    """`source` with every solution replaced by a stub that raises by name."""
    kept: list[str] = []
    inside = found = False
    for line in source.split("\n"):
        begin = BEGIN.match(line)
        if begin and inside:
            raise ValueError("has a ### BEGIN SOLUTION inside a solution")
        if begin:
            kept.append(_stub(begin, kept))
            inside = found = True
        elif END.match(line):
            if not inside:
                raise ValueError("has an ### END SOLUTION outside a solution")
            inside = False
        elif not inside:
            kept.append(line)
    if inside or not found:
        raise ValueError("needs ### BEGIN SOLUTION 1.2 and ### END SOLUTION, each on its own line")
    return "\n".join(kept)


def without_answers(source: str) -> str:
    """`source` with the arguments of every `….answer(…)` taken out."""
    calls = _answers(source)
    if not calls:
        raise ValueError("is tagged `answer` and has no question.answer(…)")
    text = source.encode()
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line.encode()) + 1)
    for call in sorted(calls, key=lambda each: (each.lineno, each.col_offset), reverse=True):
        assert call.func.end_lineno and call.end_lineno
        begin = starts[call.func.end_lineno - 1] + (call.func.end_col_offset or 0)
        end = starts[call.end_lineno - 1] + (call.end_col_offset or 0)
        text = text[:begin] + b"()" + text[end:]
    return text.decode()


def _check_tags(cell: Any) -> None:
    for tag in cell.metadata.get("tags", []):
        if tag not in TAGS and tag.lower() in TAGS:
            raise ValueError(f"has the tag `{tag}`; write `{tag.lower()}`")


def _blank(cell: Any) -> None:
    """Take out of a cell what a student is not to see."""
    if cell.cell_type == "code":
        tags = cell.metadata.get("tags", [])
        if "solution" in tags:
            cell.source = without_solution(cell.source)
        elif "### BEGIN SOLUTION" in cell.source:
            raise ValueError("has a solution and lacks the tag `solution`")
        if "answer" in tags:
            cell.source = without_answers(cell.source)
        elif _tells_answer(cell.source):
            raise ValueError("has an answer and lacks the tag `answer`")
        cell.outputs, cell.execution_count = [], None
    marker = MARKER.search(cell.source)
    if marker:
        raise ValueError(f"still has {marker[0]!r} in the student's copy")


def _answers(source: str) -> list[ast.Call]:
    """Every call of a method `answer`."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "answer"
    ]


def _tells_answer(source: str) -> bool:
    try:
        return any(call.args or call.keywords for call in _answers(source))
    except SyntaxError:  # not plain Python, as a magic
        return False


def _is_told_solution(cell: Any) -> bool:
    return cell.cell_type == "markdown" and "solution" in cell.metadata.get("tags", [])


def _stub(begin: re.Match[str], above: list[str]) -> str:
    indent = begin["indent"]
    for line in reversed(above):
        definition = DEFINITION.match(line)
        if definition and len(definition["indent"]) < len(indent):
            break
    else:
        raise ValueError("has a solution outside a function")
    if not begin["number"]:
        raise ValueError("does not say which exercise it solves: ### BEGIN SOLUTION 1.2")
    message = f"Exercise {begin['number']}: {definition['name']}"
    return f'{indent}raise NotImplementedError("{message}")'
