"""Type checkers see raftlab as readers do: in a clone, in an editable install, from a wheel.

What they check is what readers write: the Python of the README and of the notebooks. A reader's
own functions need no annotations; every call of raftlab is checked.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.notebooks.meta import FULL
from tests.test_packaging import built

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
IN_JUPYTER = "from IPython.display import display\n"
STRICT = "# pyright: strict\n"
IN_NOTEBOOKS = (
    "# pyright: standard, reportUnusedExpression=false\n"
    "# mypy: allow-untyped-defs, allow-untyped-calls\n"
)
MAGIC = re.compile(r"^[%!].*$", re.MULTILINE)
LEADING = {"PYTHONPATH", "MYPYPATH", "PYTHONSAFEPATH"}


def python_of_the_readme() -> str:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return STRICT + "\n".join(re.findall(r"```python\n(.*?)```", readme, re.DOTALL))


def python_of(notebook: Path) -> str:
    """All code cells of a notebook as one module, without what only IPython understands."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return IN_NOTEBOOKS + IN_JUPYTER + MAGIC.sub("", "\n\n".join(code)) + "\n"


@pytest.fixture(scope="module")
def code(tmp_path_factory) -> Path:
    """A folder far from the tree, with one module for the README and one for each notebook."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "readme.py").write_text(python_of_the_readme(), encoding="utf-8")
    for notebook in sorted(FULL.glob("*.ipynb")):
        module = folder / f"notebook_{notebook.stem}.py"
        module.write_text(python_of(notebook), encoding="utf-8")
    return folder


def environment(home: Path, wheel: Path | None) -> Path:
    """The Python of a new virtual environment: the libraries of this one, raftlab from a wheel."""
    venv.create(home, with_pip=False)
    (packages,) = home.glob("lib/python*/site-packages")
    # A folder that a .pth file names is no site: the .pth files in it, raftlab's own, are not read.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if wheel:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    return home / "bin" / "python"


INSTALLS = {"clone": None, "editable": "build_editable", "wheel": "build_wheel"}


@pytest.fixture(scope="module", params=INSTALLS)
def install(request, tmp_path_factory) -> tuple[Path, Path]:
    """A Python, and the folder in which a checker is started: for the clone, its own."""
    home = tmp_path_factory.mktemp(request.param)
    how = INSTALLS[request.param]
    wheel = built(ROOT, how, home / "built") if how else None
    return environment(home / "venv", wheel), home if wheel else ROOT


def told(*command: object, cwd: Path) -> str:
    """What a checker prints. It must not be led by this process's own PYTHONPATH."""
    kept = {name: value for name, value in os.environ.items() if name not in LEADING}
    quiet = kept | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    words = [sys.executable, "-m", *map(str, command)]
    ended = subprocess.run(words, cwd=cwd, env=quiet, capture_output=True, text=True)
    return ended.stdout + ended.stderr


def test_mypy_strict_accepts_what_readers_write(install, code, tmp_path_factory):
    python, folder = install
    settings = folder / "pyproject.toml"  # the clone has settings of its own, and is strict
    if folder != ROOT:
        settings.write_text("[tool.mypy]\nstrict = true\n")
    cache = tmp_path_factory.getbasetemp() / "mypy"
    options = ("--config-file", settings, "--cache-dir", cache, "--python-executable", python)
    said = told("mypy", *options, code, cwd=folder)
    assert said.startswith("Success: no issues found"), said
    sources = len(list(code.glob("*.py")))
    assert f" in {sources} source files" in said


def test_pyright_accepts_what_readers_write(install, code):
    python, folder = install
    said = told("pyright", "--pythonpath", python, "--outputjson", code, cwd=folder)
    report = json.loads(said)
    found = [f"{each['file']}: {each['message']}" for each in report["generalDiagnostics"]]
    assert not found, "\n".join(found)
    assert report["summary"]["filesAnalyzed"] >= len(list(code.glob("*.py")))
