"""`pytest --nbval notebooks`, with or without `-n`, is right as it stands."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """For nbval: this Python's kernel, no settings of the reader's, and a notebook in one piece.

    The workers of xdist inherit all of it.
    """
    option = config.option
    asked = getattr(option, "nbval", False) or getattr(option, "nbval_lax", False)
    if not asked or hasattr(config, "workerinput"):
        return
    from raftlab.course.kernels import IGNORED, own_folders

    if not option.nbval_kernel_name:
        option.nbval_current_env = True
    if getattr(option, "dist", "no") == "load":  # what -n means: cells of one kernel, scattered
        option.dist = "loadfile"
    home = TemporaryDirectory(prefix="raftlab-kernels-")
    config.add_cleanup(home.cleanup)
    os.environ.update(own_folders(Path(home.name)))
    for name in IGNORED:
        os.environ.pop(name, None)
