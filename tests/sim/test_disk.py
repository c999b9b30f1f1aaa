"""What a disk holds after writes that were torn in the middle of a snapshot."""

from random import Random

import pytest

from raftlab import Command, Configuration, Disks, LogEntry
from raftlab.raft.log import Snapshot
from raftlab.raft.output import Output
from raftlab.sim.world.disk import Disk


def entries(start: int, stop: int) -> tuple[LogEntry, ...]:
    return tuple(LogEntry(1, index, Command(b"x=1")) for index in range(start, stop + 1))


class Chosen(Random):
    """A random source that tears a write after a chosen number of entries."""

    count = 0

    def randint(self, low: int, high: int) -> int:
        return max(low, min(self.count, high))


@pytest.mark.parametrize("written", range(6))
def test_a_torn_write_of_a_snapshot_and_entries_leaves_a_log_that_can_be_loaded(written):
    disk = Disk(Disks(torn=True))
    disk.begin(Output(term=1, log_entries=entries(1, 7)))
    disk.finish()
    snapshot = Snapshot(10, 1, Configuration(("S1",)))
    disk.begin(Output(snapshot=snapshot, first_index=8, log_entries=entries(8, 12)))
    rng = Chosen()
    rng.count = written
    disk.crash(rng)
    log = disk.load_log()
    assert log.snapshot == snapshot
    assert log.last_index == max(10, 7 + written)
    assert disk.holds(10, 1)
    assert disk.last_index == log.last_index


def test_a_wiped_disk_holds_nothing():
    disk = Disk(Disks())
    disk.begin(Output(term=3, voted_for="S1", log_entries=entries(1, 2)))
    disk.finish()
    disk.begin(Output(log_entries=entries(3, 3)))
    disk.wipe()
    assert (disk.term, disk.voted_for, disk.log, disk.snapshot) == (0, None, [], None)
    assert (disk.writes, disk.last_index, disk.known_term) == ([], 0, 0)
