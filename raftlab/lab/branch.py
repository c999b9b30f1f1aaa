"""The runs of a session: where each left another one, and its cluster when it is wanted."""

import weakref

import msgspec

from raftlab.raft.vocabulary import Millis
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.recording import Recording


class End(msgspec.Struct, frozen=True):
    """Where a run has come to: its last frame, the time (ms), and what was broken, if anything."""

    number: int
    at: Millis
    trouble: str


class Branch:
    """One run of a session. `parent` and `start` say which run it left, and at which frame.

    The first run has no parent, and neither has one that was opened or is of a new cluster:
    then `begun_as` says what it began as.
    A run that is not looked at is kept as its recording, and played again when wanted.
    """

    def __init__(
        self,
        number: int,
        cluster: Cluster,
        parent: int | None,
        start: int,
        begun_as: str = "the first",
    ) -> None:
        self.number = number
        self.parent = parent
        self.start = start
        self._cluster: Cluster | None = cluster
        self._still_there = weakref.ref(cluster)
        self._recording: Recording | None = None
        self._end = end_of(cluster)
        self._given = number == 1
        self.begun_as = begun_as

    @classmethod
    def of(
        cls,
        number: int,
        recording: Recording,
        parent: int | None,
        start: int,
        begun_as: str,
        end: End,
    ) -> "Branch":
        """A run that is kept as its recording: it is not played before it is wanted."""
        made = cls(number, recording.start(), parent, start, begun_as)
        made._cluster, made._recording, made._end = None, recording, end
        return made

    @property
    def recording(self) -> Recording:
        """The run as a value."""
        return self._recording or self.load().recording

    @property
    def origin(self) -> str:
        """Where it began."""
        if self.parent:
            return f"from frame {self.start} of run {self.parent}"
        return self.begun_as

    @property
    def label(self) -> str:
        """Which run it is and where it began."""
        return f"run {self.number}: {self.origin}"

    @property
    def end(self) -> End:
        """Where it has come to."""
        cluster = self._cluster or self._still_there()
        return self._end if cluster is None else end_of(cluster)

    def load(self) -> Cluster:
        """Its cluster, at its end: the same object as before, if anybody still holds it."""
        if self._cluster is None:
            assert self._recording is not None
            cluster = self._still_there() or self._recording.branch()
            self._cluster, self._still_there, self._recording = cluster, weakref.ref(cluster), None
        return self._cluster

    def unload(self) -> None:
        """Let go of the cluster; the one that the lab was given stays."""
        if self._cluster is not None and not self._given:
            recording, end = self._cluster.recording, end_of(self._cluster)
            self._recording, self._end, self._cluster = recording, end, None


def end_of(cluster: Cluster) -> End:
    """Where a cluster has come to."""
    trouble = "a machine failed" if cluster.stopped else ""
    if cluster.violation:
        trouble = cluster.violation.name
    return End(cluster.number, cluster.now, trouble)
