"""The runs of a session: where each left another one, and its cluster when it is wanted."""

import weakref

from raftlab.lab.reel import replayed
from raftlab.sim.cluster import Cluster
from raftlab.sim.recording import Recording


class Branch:
    """One run of a session. `parent` and `start` say which run it left, and at which frame.

    A run that is not looked at is kept as its recording, and played again when wanted.
    """

    def __init__(self, number: int, cluster: Cluster, parent: int | None, start: int) -> None:
        self.number = number
        self.parent = parent
        self.start = start
        self._cluster: Cluster | None = cluster
        self._still_there = weakref.ref(cluster)
        self._recording: Recording | None = None
        self._given = parent is None

    @property
    def recording(self) -> Recording:
        """The run as a value."""
        return self._recording or self.wake().recording

    @property
    def label(self) -> str:
        """Which run it is and where it began."""
        origin = f"from frame {self.start} of run {self.parent}" if self.parent else "the first"
        return f"run {self.number}: {origin}"

    def wake(self) -> Cluster:
        """Its cluster, at its end: the same object as before, if anybody still holds it."""
        if self._cluster is None:
            assert self._recording is not None
            self._cluster = self._still_there() or replayed(self._recording)
            self._still_there = weakref.ref(self._cluster)
            self._recording = None
        return self._cluster

    def rest(self) -> None:
        """Let go of the cluster; the one that the lab was given stays."""
        if self._cluster is not None and not self._given:
            self._recording = self._cluster.recording
            self._cluster = None
