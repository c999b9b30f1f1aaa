"""The marker that a worker keeps: what it has once found out, it knows for the whole batch.

What right answers say, the cases and clusters of a class and the boxes with their folders are the
same for each submission. In a box each answer has a fork of its own, as within one submission.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from raftlab.grading.batch.marking import Marker
from raftlab.grading.box import Boxes, Kind
from raftlab.grading.seeds import Seeds

RARELY = 100_000
"""After how many new objects rings are looked for (Python: 700): frames are many, and no rings."""


class Kept(local):
    """What this thread keeps, and for which class; nobody else uses it meanwhile."""

    whose: tuple[str, ...] = ()
    marker: Marker | None = None


KEPT = Kept()


@contextmanager
def kept_marker(kind: Kind, seeds: Seeds, word: str) -> Iterator[Marker]:
    """Inside, the marker of a class; it is kept for the next time, unless it was interrupted."""
    whose = (kind, seeds.digest, word)
    if KEPT.whose != whose:
        let_go()
    often = gc.get_threshold()
    gc.set_threshold(RARELY, *often[1:])
    try:
        if KEPT.marker is None:
            KEPT.whose, KEPT.marker = whose, Marker(Boxes(kind), seeds, word)
        yield KEPT.marker
    except BaseException:
        let_go()
        raise
    finally:
        gc.set_threshold(*often)


def let_go() -> None:
    """End the boxes of what this thread keeps, and remove their folders."""
    marker, KEPT.marker = KEPT.marker, None
    KEPT.whose = ()
    if marker is not None:
        marker.boxes.close()
