"""`raftlab lab`: JupyterLab, on the first notebook or on a run."""

import argparse
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from raftlab.commands.answers import Answer
from raftlab.commands.arguments import (
    Parser,
    add_classes,
    add_run,
    is_command,
    opened,
    whole,
    written_to,
)
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run import share

NAME = "lab"
HELP = "open JupyterLab on the first notebook, or on a run"
ABOUT = """\
Open JupyterLab on the first notebook. With a run, write a small notebook beside you that opens it
in the lab, where you can go through it step by step and on from any moment, and open that."""
EXAMPLE = """\
  raftlab lab
  raftlab lab first.jsonl --notebook first.ipynb"""
FIRST = Path("notebooks", "00_start_here.ipynb")
NOTEBOOK = "raftlab-run.ipynb"
BEFORE_SAVING = "raftlab.course.saving.forget_version"


def add_arguments(parser: Parser) -> None:
    """What `raftlab lab` takes."""
    add_run(parser, nargs="?")
    parser.add_argument(
        "--notebook",
        metavar="FILE",
        help=f"the notebook to write for the run ({NOTEBOOK}); it must not exist yet",
    )
    parser.add_argument("--port", type=whole(1), help="where JupyterLab listens")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    add_classes(parser)


def carry_out(given: argparse.Namespace) -> Answer:
    """Write the notebook, if there is a run, and hand over to JupyterLab."""
    if find_spec("jupyterlab") is None:
        raise Misuse("JupyterLab is not installed here: pip install 'raftlab[lab]'")
    if given.run is None:
        if given.machine and is_command(given.machine) and not given.rules:
            return with_notebook(
                written_as(notebook_of(cluster_lines(given.machine)), given), given
            )
        if given.notebook or given.rules or given.machine:
            raise Misuse("--notebook, --rules and --machine are for a run: name the run, too")
        return Answer(start(command(first_notebook(), given)), "", {})
    return with_notebook(write_notebook(given), given)


def with_notebook(written: Path, given: argparse.Namespace) -> Answer:
    """Hand over to JupyterLab, with a notebook that was written."""
    print(f"{written.name} opens the run.", file=sys.stderr)
    return Answer(start(command(written, given)), "", {})


def first_notebook() -> Path:
    """Where the first notebook is. Raises: Misuse, where there are no notebooks."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[2]):
        if (folder / FIRST).is_file():
            return folder / FIRST
    raise Misuse(
        f"there is no {FIRST} here: the notebooks are in the repository, not in the installed"
        " package; go to a clone of it, or open a run: raftlab lab RUN"
    )


def write_notebook(given: argparse.Namespace) -> Path:
    """A notebook with one cell that opens the run. Raises: Misuse, if the file is there already."""
    recording = opened(given.run, given)
    recording.branch()  # which may refuse it
    path = notebook_path(given)
    source = given.run
    if source == "-" or not os.path.exists(source):
        source = recording.share() if source == "-" else "".join(source.split())
    if not share.is_shared(source):
        source = os.path.relpath(source, path.parent)
    return written_as(notebook(source, given.rules, given.machine, given.most_steps), given)


def notebook_path(given: argparse.Namespace) -> Path:
    """The notebook that is to be written. Raises: Misuse."""
    path = written_to(given.notebook or NOTEBOOK)
    if path.suffix != ".ipynb":
        raise Misuse(f"a notebook's name ends in .ipynb, and {shown(str(path))} does not")
    return path


def written_as(written: str, given: argparse.Namespace) -> Path:
    """The file of a new notebook. Raises: Misuse, if it is there already."""
    path = notebook_path(given)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(written)
    except FileExistsError:
        raise Misuse(
            f"{shown(str(path))} is there already, and is not overwritten:"
            " name another with --notebook"
        ) from None
    return path.resolve()


def cluster_lines(machine: str) -> list[str]:
    """A cell with a lab on a new cluster of machines in processes."""
    return [
        "import raftlab as rl",
        "",
        f"cluster = rl.Cluster(3, machine=rl.Process({json.dumps(machine)}))",
        "cluster.lab()",
    ]


def notebook(
    source: str, rules: str | None, machine: str | None, most_steps: int = share.USUAL_STEPS
) -> str:
    """A notebook that opens a run in the lab."""
    lines, arguments = ["import raftlab as rl"], ""
    for name, argument in ((rules, "rules"), (machine, "machine")):
        if name is not None and argument == "machine" and is_command(name):
            arguments += f", machine=rl.Process({json.dumps(name)})"
        elif name is not None:
            module, _, path = name.partition(":")
            lines.append(f"import {module}")
            arguments += f", {argument}={module}.{path}"
    if most_steps != share.USUAL_STEPS:
        arguments += f", most_steps={most_steps}"
    lines += [
        "",
        f"recording = rl.load({json.dumps(source)}{arguments})",
        "recording.branch().lab()",
    ]
    return notebook_of(lines)


def notebook_of(lines: list[str]) -> str:
    """A notebook of one cell, as its file holds it."""
    from raftlab.course.notebook_text import from_text
    from raftlab.course.notebooks import written

    return written(from_text("\n".join(["# %%", *lines]), "run"))


def command(path: Path, given: argparse.Namespace) -> list[str]:
    """What starts JupyterLab on a notebook: for the repository's own, with all of it in sight."""
    root = path.parents[1] if path.parts[-2:] == FIRST.parts else path.parent
    address = path.relative_to(root).as_posix()
    line = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    line.append(f"--LabApp.default_url=/lab/tree/{address}")
    line.append(f"--ContentsManager.pre_save_hook={BEFORE_SAVING}")
    if given.port is not None:
        line.append(f"--port={given.port}")
    if given.no_browser or not has_display():
        line.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        line.append("--allow-root")
    return line


def has_display() -> bool:
    """Whether a browser can be shown."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start(line: list[str]) -> int:
    """Become JupyterLab: then every signal reaches it, and nothing of it outlives us.

    Where a process cannot become another one (Windows), wait for its end; Ctrl-C is for JupyterLab,
    which asks whether it is meant.
    """
    if sys.platform == "win32":
        with subprocess.Popen(line) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    continue
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(line[0], line)
