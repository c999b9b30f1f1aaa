"""nbval turns red when the package is wrong: a wrong leader; only a wrong colour; a wrong rule.

The package itself has no switch for this. A start-up file of IPython, written here, breaks
it in every kernel that nbval starts.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from raftlab.course.kernels import own_folders
from tests.notebooks.meta import FULL

PATHS = sorted(FULL.glob("*.ipynb"))

UNBROKEN = ""

WRONG_LEADER = """
import msgspec
from raftlab.raft.roles import Role
from raftlab.sim.frames import capture

def wrong(cluster, right=capture.frame_of):
    frame = right(cluster)
    leader = frame.leader
    if leader is None:
        return frame
    other = next(node for node in frame.nodes if node is not leader)
    roles = {leader.node: other.role, other.node: leader.role}
    nodes = [
        msgspec.structs.replace(node, role=roles.get(node.node, node.role)) for node in frame.nodes
    ]
    return msgspec.structs.replace(frame, nodes=tuple(nodes))

capture.frame_of = wrong
"""

WRONG_COLOUR = """
import msgspec
from raftlab.raft.roles import Role
from raftlab.view import style

wrong = msgspec.structs.replace(style.FOLLOWER, fill="#BBBBBA")
style.ROLE_STYLES = {**style.ROLE_STYLES, Role.FOLLOWER: wrong}
style.TERM_TINTS = ("#77AADC", *style.TERM_TINTS[1:])
"""

CUTS_ALWAYS = """
from raftlab.raft.rules import Rules

def conflict_index(self, log, prev_log_index, entries):
    first = prev_log_index + 1
    return first if entries and first <= log.last_index else None

Rules.conflict_index = conflict_index
"""

VOTES_TWICE = """
from raftlab.raft.rules import Rules

Rules.has_vote_left = lambda self, request, term, voted_for, leader: True
"""

HALF_IS_ENOUGH = """
from raftlab.raft import votes

votes.majority = lambda size: (size + 1) // 2
"""

COUNTS_OLD_TERMS = """
from raftlab.raft.rules import Rules

Rules.leader_commit_index = lambda self, matched, log, term, commit: max(matched, commit)
"""

PLANTED = {
    "01_log_append": CUTS_ALWAYS,
    "03_voting": VOTES_TWICE,
    "04_tallying": HALF_IS_ENOUGH,
    "07_commit": COUNTS_OLD_TERMS,
}
"""A mistake in one rule, by the notebook that teaches this rule."""

pytestmark = pytest.mark.slow


def run_nbval(folder, broken, paths) -> Counter[str]:
    """Run nbval over copies of `paths` in broken kernels; how many cells failed in which."""
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    for path in paths:
        shutil.copy(path, notebooks)
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00_broken.py").write_text(broken)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-rf"]
    command += ["--tb=no", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(folder)]
    environment = {**os.environ, **own_folders(folder), "PYTHONHASHSEED": "1"}
    done = subprocess.run(
        [*command, str(notebooks)], capture_output=True, text=True, cwd=folder, env=environment
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert re.search(r"\d+ (passed|failed)", done.stdout), done.stdout + done.stderr
    return Counter(re.findall(r"^FAILED .*?(\w+)\.ipynb::", done.stdout, re.MULTILINE))


def test_nbval_is_green_on_a_sound_package(tmp_path):
    assert run_nbval(tmp_path, UNBROKEN, PATHS[:1]) == {}


@pytest.mark.parametrize("broken", [WRONG_LEADER, WRONG_COLOUR], ids=["leader", "colour"])
def test_nbval_is_red_in_every_notebook_on_a_broken_package(tmp_path, broken):
    failed = run_nbval(tmp_path, broken, PATHS)
    assert {path.stem for path in PATHS} == set(failed)


@pytest.mark.parametrize("name", PLANTED)
def test_nbval_is_red_where_a_rule_is_taught_that_is_wrong(tmp_path, name):
    failed = run_nbval(tmp_path, PLANTED[name], [FULL / f"{name}.ipynb"])
    assert failed[name] >= 1


def test_there_are_notebooks_to_break():
    assert PATHS
