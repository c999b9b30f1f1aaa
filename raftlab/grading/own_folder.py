"""A folder for as long as its process lives; whoever comes next removes those whose owner is gone.

An owner that was killed (SIGKILL) cannot tidy up. So it holds a lock on a file in its folder, which
the system takes from it however it ends; who can take that lock knows that nobody needs the folder.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "raftlab-box-"
OWNER = "owner"
"""The file whose lock the owner holds. It has this name once it is locked, and not before."""


class OwnFolder(tempfile.TemporaryDirectory[str]):
    """A new folder that others may read; those that are left over are removed before."""

    def __init__(self) -> None:
        remove_left_over()
        super().__init__(prefix=PREFIX)
        os.chmod(self.name, 0o755)
        self._lock = os.open(f"{self.name}/{OWNER}-", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(f"{self.name}/{OWNER}-", f"{self.name}/{OWNER}")

    def cleanup(self) -> None:
        """Remove it."""
        super().cleanup()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def remove_left_over() -> None:
    """Remove the folders of this user whose owners are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # another one removes it at this moment, or it is not ours
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / OWNER, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
