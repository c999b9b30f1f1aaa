"""`make notebooks`: execute the full notebooks, and write and execute the students' copies.

    python -m raftlab.course.notebooks              all of them
    python -m raftlab.course.notebooks 01 04        only these
    python -m raftlab.course.notebooks --check      write nothing; fail if anything differs

The source of truth is `notebooks/full/NN_name.ipynb`; `student.py` says how the copy in
`notebooks/` is made from it. To write or edit one as text (`notebook_text.py`):

    python -m raftlab.course.notebooks --from-text FILE.py 01_log_append
    python -m raftlab.course.notebooks --to-text FILE.py 01
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from raftlab.course.kernels import IGNORED, own_folders
from raftlab.course.notebook_text import KERNEL, LANGUAGE, from_text, name_cells, to_text
from raftlab.course.student import student_copy

KEPT_CELL_METADATA = ("tags",)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SECONDS_PER_CELL = 120
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.from_text or options.to_text:
            return _convert(options)
        return sum([_make(path, options) for path in _chosen(options.root / "full", options.names)])
    except (ValueError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m raftlab.course.notebooks")
    parser.add_argument("names", nargs="*", help="numbers or names of notebooks; all by default")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--root", type=Path, default=Path("notebooks"), help="where they are")
    parser.add_argument("--from-text", type=Path, metavar="FILE", help="make a full notebook")
    parser.add_argument("--to-text", type=Path, metavar="FILE", help="write one as text")
    return parser


def _chosen(folder: Path, names: Sequence[str]) -> list[Path]:
    paths = sorted(folder.glob("*.ipynb"))
    chosen = [
        path for path in paths if not names or any(path.stem.startswith(name) for name in names)
    ]
    if not chosen:
        raise ValueError(f"no notebook {' '.join(names) or 'at all'} in {folder}")
    return chosen


def _convert(options: argparse.Namespace) -> int:
    full: Path = options.root / "full"
    if len(options.names) != 1:
        raise ValueError("name one notebook, for instance 01_log_append")
    if options.to_text:
        (path,) = _chosen(full, options.names)[:1]
        options.to_text.write_text(to_text(read(path)), encoding="utf-8")
        print(f"{options.to_text} holds the text of {path}")
        return 0
    path = full / f"{options.names[0].removesuffix('.ipynb')}.ipynb"
    notebook = from_text(options.from_text.read_text(encoding="utf-8"), path.stem[:2])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(notebook), encoding="utf-8")
    return _make(path, options)


def _make(path: Path, options: argparse.Namespace) -> int:
    """Execute one full notebook and its student copy; 1 if that fails, or differs in a check."""
    full = read(path)
    name_cells(full, path.stem[:2])
    student = student_copy(full)
    failed = 0
    for notebook, target in ((full, path), (student, options.root / path.name)):
        problem = execute(notebook, options.root)
        if problem:
            print(f"{target}: {problem}", file=sys.stderr)
            failed = 1
        text = written(notebook)
        if not options.check:
            target.write_text(text, encoding="utf-8")
            print(f"{target}: {len(notebook.cells)} cells{', stopped' if problem else ''}")
        elif not target.exists() or target.read_text(encoding="utf-8") != text:
            print(f"{target}: not as it would be written now", file=sys.stderr)
            failed = 1
    return failed


def read(path: Path) -> Any:
    """A notebook from its file."""
    return _nbformat().read(path, as_version=4)


def written(notebook: Any) -> str:
    """The text of the notebook's file: the same notebook, the same bytes."""
    text: str = _nbformat().writes(notebook)
    return text.rstrip("\n") + "\n"


def _nbformat() -> Any:
    import nbformat  # has no types

    return nbformat


def execute(notebook: Any, folder: Path) -> str | None:
    """Run every cell in `folder`, with a fixed hash seed; says which cell failed, if one did.

    The kernel is deaf to the reader's own settings.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        iopub_timeout=SECONDS_PER_CELL,  # else a slow kernel loses its outputs, and nobody is told
        raise_on_iopub_timeout=True,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    environment = {name: value for name, value in os.environ.items() if name not in IGNORED}
    try:
        with TemporaryDirectory(prefix="raftlab-kernel-") as home:
            own = own_folders(Path(home)) | {"PYTHONHASHSEED": "0"}
            client.execute(env=environment | own)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        return COLOUR.sub("", str(problem)).strip()
    finally:
        clean(notebook)
    return None


def clean(notebook: Any) -> None:
    """Take out what differs from run to run: times, versions, the state of widgets."""
    notebook.metadata = {"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)}
    for cell in notebook.cells:
        for key in [key for key in cell.metadata if key not in KEPT_CELL_METADATA]:
            del cell.metadata[key]
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
            if "data" in output:
                output.data.pop(WIDGET_VIEW, None)


if __name__ == "__main__":
    sys.exit(main())
