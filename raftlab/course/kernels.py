"""Kernels that are deaf to the reader's own settings: what runs and checks the course's notebooks.

A profile of IPython, a start-up file or a matplotlibrc may change what a cell prints or
draws. What is compared must be the same for everybody.
"""

from pathlib import Path

from raftlab.course import my_raft

IGNORED = ("MPLBACKEND", "PYTHONSTARTUP")
"""Variables that reach into a kernel, and that a kernel of the course does without."""


def own_folders(home: Path) -> dict[str, str]:
    """Folders and files of their own for kernels, in the existing folder `home`: by variable.

    matplotlib's cache of fonts stays the reader's; only its settings file is an empty one. What
    the reader has kept of exercises is neither read nor written.
    """
    settings = home / "matplotlibrc"
    settings.touch()
    return {
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "MATPLOTLIBRC": str(settings),
        my_raft.SWITCH: "off",
    }
