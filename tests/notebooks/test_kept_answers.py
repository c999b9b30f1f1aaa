"""The notebooks' own answers, checked one after the other, are kept and joined."""

from pathlib import Path

import nbformat
import pytest

from raftlab.course import exercise, my_raft, your_raft
from tests.course.kept import Notebook

FULL = Path(__file__).parents[2] / "notebooks" / "full"


@pytest.mark.slow
def test_nothing_is_lent_once_every_exercise_is_solved_in_its_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(my_raft.SWITCH, raising=False)
    monkeypatch.setattr(my_raft, "in_notebook", lambda: True)
    for path in sorted(FULL.glob("0[0-7]*.ipynb")):
        notebook = Notebook()
        notebook.names["display"] = lambda *_: None
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                notebook.run(cell.source)
    assert [each.number for each in exercise if "Kept in" not in each.result.text] == []
    assert your_raft().lent == ()
