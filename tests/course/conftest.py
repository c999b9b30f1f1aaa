"""A folder in which a notebook runs."""

import pytest

from raftlab.course import my_raft


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which a notebook runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(my_raft.SWITCH, raising=False)
    monkeypatch.setattr(my_raft, "in_notebook", lambda: True)
    return tmp_path
