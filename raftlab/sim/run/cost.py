"""How much work a run stands for, in scheduled steps, before any of it is played.

A text of a hundred characters can hold a great many actions, and some of them are far more
work than a scheduled step is: what they go over is counted here.
"""

from collections.abc import Sequence

from raftlab.sim.run.delta_encoding import Segment
from raftlab.sim.world.actions import Join, Propose
from raftlab.sim.world.settings import Setup

BYTES_A_STEP = 64
"""So many bytes of a command are counted as one step more."""

COPIED_A_STEP = 8_192
"""So many bytes that are written to a snapshot, or read from one, are one step more."""

ENTRIES_A_STEP = 64
"""So many entries that a restart or a snapshot goes over are one step more."""

LINKS_A_STEP = 128
"""So many links of a cluster are one step more for what concerns all of its nodes."""


def work_of(setup: Setup, run: Sequence[Segment]) -> int:
    """How many steps a run is counted as: at least as many as happen in it.

    Every command that names another key is counted as if it were held until the end.
    """
    nodes = len(setup.nodes) + sum(isinstance(each, Join) for each in run)
    links, every = nodes * nodes // LINKS_A_STEP, setup.disks.snapshot_every
    steps = sum(len(terms) for _, terms in setup.logs)
    entries = max((len(terms) for _, terms in setup.logs), default=0)
    longest: dict[bytes, int] = {}
    held = due = copied = passed = 0
    for each in run:
        if isinstance(each, int):
            steps += each
            continue
        steps += 1 + (links if each.reaches_all else 0)
        if isinstance(each, Propose):
            size, key = len(each.data), each.data.partition(b"=")[0]
            steps += size // BYTES_A_STEP
            held += max(size - longest.get(key, 0), 0)
            longest[key] = max(size, longest.get(key, 0))
        if each.adds_entry:
            entries += 1
            due += held
        elif each.reads_log:
            copied += held
            passed += entries
    if every:  # each node writes one after so many entries
        copied += due * nodes // every
    return steps + copied // COPIED_A_STEP + passed // ENTRIES_A_STEP
