"""A notebook as plain text and back, so that it can be written and edited in any editor.

The text is the percent format, which many editors know:

    # %% [markdown]
    # # A title
    #
    # A paragraph. Every line of Markdown stands behind "# ".

    # %%
    cluster = rl.Cluster(5, seed=7)

    # %% tags=["solution"]
    class MyRules(Rules):
        ...

The notebook is the source of truth; the text is a tool and is not kept.
"""

import ast
import re
from typing import Any

CELL = re.compile(r"^# %%(?P<kind> \[markdown\])?(?: +tags=(?P<tags>\[.*\]))?\s*$")

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}


def from_text(text: str, number: str) -> Any:
    """The notebook that `text` describes, not executed; `number` ("01") begins its cell ids.

    Raises: ValueError, for lines before the first cell or a cell line that cannot be read.
    """
    cells: list[Any] = []
    lines: list[str] = []
    for row, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("# %%"):
            lines.append(line)
            continue
        if cells:
            cells[-1].source = _source(cells[-1], lines)
        elif any(each.strip() for each in lines):
            raise ValueError(f"line {row}: something stands before the first cell")
        cells.append(_new_cell(line, row))
        lines = []
    if not cells:
        raise ValueError('no cell: a cell begins with a line "# %%" or "# %% [markdown]"')
    cells[-1].source = _source(cells[-1], lines)
    metadata = {"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)}
    notebook = _v4().new_notebook(cells=cells, metadata=metadata)
    name_cells(notebook, number)
    return notebook


def to_text(notebook: Any) -> str:
    """The notebook's cells as text, without outputs; `from_text` reads it back."""
    parts = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        kind = " [markdown]" if cell.cell_type == "markdown" else ""
        marks = f" tags={_quoted(tags)}" if tags else ""
        lines = cell.source.split("\n")
        if kind:
            lines = [f"# {line}".rstrip() for line in lines]
        parts.append("\n".join([f"# %%{kind}{marks}", *lines]))
    return "\n\n".join(parts) + "\n"


def name_cells(notebook: Any, number: str) -> None:
    """Give every cell an id by its place: "01-07" is the seventh cell of notebook 01."""
    for place, cell in enumerate(notebook.cells, start=1):
        cell.id = f"{number}-{place:02d}"


def _new_cell(line: str, row: int) -> Any:
    found = CELL.match(line)
    if found is None:
        raise ValueError(f'line {row}: cannot read {line!r}; write # %% [markdown] tags=["x"]')
    cell = _v4().new_markdown_cell() if found["kind"] else _v4().new_code_cell()
    if found["tags"]:
        cell.metadata["tags"] = list(ast.literal_eval(found["tags"]))
    return cell


def _v4() -> Any:
    import nbformat  # has no types

    return nbformat.v4


def _source(cell: Any, lines: list[str]) -> str:
    if cell.cell_type == "markdown":
        lines = [re.sub(r"^# ?", "", line) for line in lines]
    return "\n".join(lines).strip("\n")


def _quoted(tags: list[str]) -> str:
    return "[" + ", ".join(f'"{tag}"' for tag in tags) + "]"
