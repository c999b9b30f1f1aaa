"""Runs that were shared and saved by an older raftlab still open, and are still the same runs.

`data/runs` was written by the version before texts had a digest; its texts (`.share`) and files
(`.saved`) are never written again. `standings.jsonl` says where each run ends, field by field,
and is as fixed as they are; the `.txt` hold the end as `describe_frame` told it, and follow a
wanted change of its words: `pytest --rewrite tests/sim/test_older_runs.py`.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

import raftlab
from raftlab import Cluster, Frame
from raftlab.sim.run.recording import Recording
from raftlab.view import describe_frame

RUNS = Path(__file__).parent / "data" / "runs"
TEXTS = sorted(RUNS.glob("*.share"))
FILES = sorted(RUNS.glob("*.saved"))
STANDINGS: dict[str, Any] = {
    each["run"]: each["standing"]
    for each in map(msgspec.json.decode, (RUNS / "standings.jsonl").read_bytes().splitlines())
}


def end_of(recording: Recording) -> Cluster:
    """The cluster at the end of a run; a violation there is shown and not raised."""
    return recording.branch(len(recording))


def standing_of(frame: Frame) -> dict[str, Any]:
    """Where a run stands: what its machines hold, and what is on its way."""
    return {
        "number": frame.number,
        "at": frame.at,
        "violation": frame.violation and [frame.violation.name, frame.violation.frame],
        "nodes": [
            {
                "node": each.node,
                "up": [each.alive, each.paused],
                "role": [each.role.value, each.term, each.voted_for],
                "committed and applied": [each.commit_index, each.applied_index],
                "log": [[entry.index, entry.term, held(entry.payload)] for entry in each.log],
                "values": dict(each.values),
            }
            for each in frame.nodes
        ],
        "in flight": [
            [each.number, type(each.message).__name__, each.message.sender, each.arrives_at]
            for each in frame.in_flight
        ],
    }


def held(payload: Any) -> str:
    """What an entry holds, in a line."""
    if isinstance(payload, raftlab.Command):
        return payload.data.hex()
    if isinstance(payload, raftlab.Configuration):
        return f"{payload.voters} {payload.old_voters} {payload.learners}"
    return ""


def name_of(path: Path) -> str:
    return path.name.partition(".")[0]


def test_there_are_runs_of_many_kinds():
    assert len(TEXTS) == len(STANDINGS) == 30
    assert len(FILES) > 20


@pytest.mark.parametrize("path", TEXTS, ids=name_of)
def test_a_text_of_an_older_version_is_still_the_same_run(path, rewrite):
    frame = end_of(raftlab.load(path.read_text())).frame()
    assert standing_of(frame) == STANDINGS[name_of(path)]
    described = path.with_suffix(".txt")
    if rewrite:
        described.write_text(f"{describe_frame(frame)}\n")
    assert f"{describe_frame(frame)}\n" == described.read_text()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_of_an_older_version_is_still_the_same_run(path):
    opened = raftlab.load(path)
    assert standing_of(end_of(opened).frame()) == STANDINGS[name_of(path)]
    assert opened == raftlab.load((RUNS / f"{name_of(path)}.share").read_text())
