"""The boxed process of a whole machine: it limits itself, then becomes the submitted program.

What the program raises is told by its kind and its line on the standard error output, and no more.
"""

import builtins
import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from runpy import run_path

from raftlab.grading.child import lock


def main(box: str, file: str, paths: Sequence[str]) -> None:
    """Become the program in `file`. `paths` are what may be read, where no mount says so."""
    says = os.dup(2)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    sys.argv = [file]
    if box != "no box":
        lock.limit()
    if box == "landlock":
        lock.read_only(paths)
    if box != "no box":
        lock.stop_clocks()
        lock.refuse_calls()
    try:
        run_path(file, run_name="__main__")
    except SystemExit:
        pass
    except BaseException as error:  # whatever a program raises is its own
        lines = [
            each.lineno
            for each in traceback.extract_tb(error.__traceback__)
            if each.filename == file
        ]
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
        place = line or (lines[-1] if lines else 0)
        with contextlib.suppress(OSError):
            os.write(says, f"{name_of(error)} in line {place}\n".encode())
        os._exit(1)


def name_of(error: BaseException) -> str:
    """What kind of error it is; what a program calls its own ones is not told."""
    name = type(error).__name__
    return name if getattr(builtins, name, None) is type(error) else "an error"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
