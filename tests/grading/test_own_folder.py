"""A grader that was killed leaves a folder; the next one removes it, and no other's."""

import os
import subprocess
import sys
import tempfile

import pytest

from raftlab.grading import box
from raftlab.grading.own_folder import OWNER, OwnFolder

OWNS = """
import sys
from raftlab.grading.own_folder import OwnFolder
folder = OwnFolder()
print(folder.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where folders are made, here and in processes that are started."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def an_owner():
    """A process that has a folder, and the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, process.stdout.readline().strip()


def test_a_folder_whose_owner_was_killed_is_removed_and_one_that_is_used_is_not(home):
    killed, left = an_owner()
    lives, used = an_owner()
    killed.kill()
    killed.communicate()
    assert os.path.isdir(left)
    with OwnFolder() as own, OwnFolder() as second:
        assert {each.name for each in home.iterdir()} == {
            os.path.basename(each) for each in (used, own, second)
        }
    lives.communicate("")
    assert not any(home.iterdir())


def test_what_is_not_known_to_be_left_over_stays(home):
    (home / "raftlab-box-new").mkdir()  # its owner is about to lock it
    (home / "elsewhere").mkdir()
    (home / "elsewhere" / OWNER).touch()
    (home / "raftlab-box-link").symlink_to(home / "elsewhere")
    (home / "raftlab-box-file").touch()
    before = sorted(home.rglob("*"))
    OwnFolder().cleanup()
    assert sorted(home.rglob("*")) == before


@pytest.mark.skipif(not box.best_kind(), reason="there is no box on this system")
def test_boxes_have_such_folders(home):
    killed, left = an_owner()
    killed.kill()
    killed.communicate()
    boxes = box.Boxes(box.best_kind())
    assert [home / boxes.path.name] == list(home.iterdir())
    assert (boxes.path / OWNER).exists() and not os.path.exists(left)
    boxes.close()
    assert not any(home.iterdir())
