"""The notebooks are compared, and made, in kernels that are deaf to the reader's settings."""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from raftlab.course.notebooks import execute
from tests.notebooks.meta import ROOT

STARTUP = "print('good morning')\nget_ipython().ast_node_interactivity = 'all'\n"
SETTINGS = "font.size: 22\naxes.facecolor: black\nfont.family: serif\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def hostile(tmp_path):
    """The variables of a reader who has changed everything."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00_mine.py").write_text(STARTUP)
    (tmp_path / "mine.py").write_text("print('from PYTHONSTARTUP')")
    (tmp_path / "mine.rc").write_text(SETTINGS)
    return {
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "MATPLOTLIBRC": str(tmp_path / "mine.rc"),
        "MPLBACKEND": "module://no_such_backend",
        "PYTHONSTARTUP": str(tmp_path / "mine.py"),
    }


def test_a_bare_nbval_is_green_whatever_the_reader_has_changed(hostile):
    command = [sys.executable, "-m", "pytest", "--nbval", "-n", "2", "-q", "--tb=no"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", str(ROOT / "00_start_here.ipynb")],
        cwd=ROOT.parent,
        env=os.environ | hostile,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout)


PROBE = """
import matplotlib
print(get_ipython().ast_node_interactivity, matplotlib.rcParams["font.size"])
"""


def test_the_tool_that_writes_notebooks_is_deaf_to_the_reader_too(hostile, monkeypatch, tmp_path):
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    cells = [nbformat.v4.new_code_cell(PROBE)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert execute(notebook, tmp_path) is None
    assert cells[0].outputs[0].text == "last_expr 10.0\n"
