"""The languages of the samples. Python's run everywhere.

JavaScript's are skipped where the program `node` is not found, or is older than 18:
`node --version` tells.
"""

import shutil
import subprocess
import sys

import pytest

import raftlab as rl

OLDEST_NODE = 18


def why_no_node():
    """Why programs for Node cannot be run here; empty, if they can."""
    if (node := shutil.which("node")) is None:
        return "there is no program `node` on the PATH"
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        return f"node is {version}, and the samples are for {OLDEST_NODE} or newer"
    return ""


NO_NODE = why_no_node()
NEEDS_NODE = pytest.mark.skipif(bool(NO_NODE), reason=NO_NODE)
LANGUAGES = ["python", pytest.param("javascript", marks=NEEDS_NODE)]


def process_of(language, file, **given):
    """A process of a file in a language."""
    return rl.Process([sys.executable if language == "python" else "node", str(file)], **given)
