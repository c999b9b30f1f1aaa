"""The cluster that a learner's tests drive: its verbs are asked of whoever has the machines.

In the grader the machines are in another process, and their cluster with them: a test has the
verbs and the frames, and nothing else. In a student's notebook it is the same.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Index, Millis, Misuse, NodeId
from raftlab.sim.frames.frame import Frame, InFlight

Ask: TypeAlias = Callable[[str, Sequence[Any], dict[str, Any]], Any]
"""Asks for a verb, with its arguments. Raises: Misuse, NotNow, as the cluster does."""

VERBS = (
    "elect", "propose", "run", "timeout", "forget_leader", "crash", "restart", "pause", "resume",
    "wipe", "partition", "isolate", "cut", "heal", "set_network", "calm", "deliver", "drop",
    "duplicate", "delay", "set_clock_rate", "slow_disk",
)  # fmt: skip
"""What a test may do to a cluster, as `Cluster` does it."""
NO_SUCH = "a cluster that is tested has no {name}: it has {verbs}, and frame()"


class TestedCluster:
    """A cluster with the machine under test: its verbs, and its `frame` as it is now."""

    __test__ = False

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __getattr__(self, name: str) -> Any:
        """A verb. Raises: Misuse, for what a test cannot do."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in VERBS:
            raise Misuse(NO_SUCH.format(name=name, verbs=", ".join(VERBS)))

        def verb(*given: Any, **named: Any) -> Any:
            return self._ask(name, given, named)

        return verb

    def frame(self) -> Frame:
        """The whole cluster as it is now."""
        found: Frame = self._ask("frame", (), {})
        return found

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The names of the servers."""
        return tuple(each.node for each in self.frame().nodes)

    @property
    def now(self) -> Millis:
        """What time it is (ms)."""
        return self.frame().at

    @property
    def leader(self) -> NodeId | None:
        """The living leader of the highest term, or None."""
        leader = self.frame().leader
        return leader.node if leader else None

    @property
    def commit_index(self) -> Index:
        """The highest commit index of a living server; 0 if none lives."""
        return max((each.commit_index for each in self.frame().nodes if each.alive), default=0)

    def in_flight(self) -> tuple[InFlight, ...]:
        """The messages on their way."""
        return self.frame().in_flight

    def run_until(
        self, condition: "Callable[[TestedCluster], object]", limit_ms: Millis = 10_000.0
    ) -> bool:
        """Step until `condition(cluster)` holds; False if `limit_ms` passed and it never did."""
        end = self.now + limit_ms
        while not condition(self):
            if not self._ask("step", (end,), {}):
                return bool(condition(self))
        return True

    def until_sent(
        self,
        sender: NodeId,
        receiver: NodeId,
        is_it: Callable[[Message], object] = lambda _: True,
        limit_ms: Millis = 1000.0,
    ) -> int:
        """Run until such a message is on its way; the number of the newest one, or 0."""

        def numbers() -> list[int]:
            return [
                each.number
                for each in self.in_flight()
                if (each.message.sender, each.message.receiver) == (sender, receiver)
                and is_it(each.message)
            ]

        self.run_until(lambda _: bool(numbers()), limit_ms)
        return max(numbers(), default=0)
