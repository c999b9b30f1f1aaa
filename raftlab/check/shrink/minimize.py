"""The shortest run that still fails: what can be left out is left out.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
IEEE TSE 28(2), 2002): leave out large parts first, then smaller ones, then single actions and
pairs, as long as the same property falls. What is left plays strictly, from the beginning.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from raftlab.check.shrink.simpler import cost, simpler_actions, with_fast_disks, without_long_gaps
from raftlab.check.shrink.steps import (
    NOT_DETERMINISTIC,
    NonDeterminism,
    Played,
    Step,
    as_steps,
    payloads,
    play_steps,
    what_fell,
    wipes_are_lawful,
)
from raftlab.raft.log import Command
from raftlab.raft.vocabulary import REFUSALS, Misuse, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.play import play
from raftlab.sim.run.recording import Recording, recording_of_run
from raftlab.sim.watch.properties import Property
from raftlab.sim.world.actions import Propose, Written

BUDGET = 6000
MOST_PAIRS = 1600
COARSE = 16
FEW = 800  # so many steps are played in a few milliseconds

Breaks: TypeAlias = str | Property | Callable[[Cluster], bool] | None


Progress: TypeAlias = Callable[[int, int], None]
"""Is told with each try which one it is, and how many actions the shortest run has so far."""


class ShrinkInterrupted(KeyboardInterrupt):
    """Ctrl-C came while a run was made shorter: `shortest` is what was found until then."""

    def __init__(self, shortest: Recording) -> None:
        super().__init__()
        self.shortest = shortest


def shrink(
    run: Recording | Cluster,
    breaks: Breaks = None,
    budget: int = BUDGET,
    progress: Progress | None = None,
) -> Recording:
    """A run with as few and as simple actions as can be found that still breaks `breaks`.

    It begins with `run`: a recording, or a cluster for what has happened there so far.
    `breaks` is a property or its name, or a function that looks at the cluster after the last
    action (and may go on with it); by default, whatever the recording ends in: a broken
    property, or "raised NAME" where a machine raises. `budget` is how many runs may be tried.
    The same recording always gives the same answer, and an answer that was found within the
    budget gives itself. `progress` is called with each try.

    Raises: Misuse, if the recording does not break it, or does not play the same twice;
    ShrinkInterrupted at Ctrl-C, a KeyboardInterrupt with the shortest run that was found.
    """
    recording = recording_of_run(run)
    shrinker = _Shrinker(recording, breaks, budget, progress)
    try:
        shrinker.run()
    except KeyboardInterrupt:
        raise ShrinkInterrupted(recording.of(shrinker.best.actions)) from None
    shrunk = recording.of(shrinker.best.actions)
    if not shrinker.falls_again(shrunk):
        raise NonDeterminism(
            f"{NOT_DETERMINISTIC}: what was found does not fail any more when it is played again"
        )
    return shrunk


def ending(recording: Recording) -> str | None:
    """What a recording ends in: the name of a property, "raised NAME", or None."""
    cluster = recording.start()
    try:
        for _ in play(cluster.engine, recording.actions, quietly=False):
            pass
    except Exception as error:
        if cluster.stopped is None:
            raise
        return what_fell(cluster, error)
    return None


def _ends_so_again(recording: Recording, fell: str | None) -> bool:
    try:
        return ending(recording) == fell
    except REFUSALS:  # it could be played once, and now an action is impossible
        return False


class _Shrinker:
    """The best run so far, and the ways to make it better."""

    def __init__(
        self, recording: Recording, breaks: Breaks, budget: int, progress: Progress | None
    ) -> None:
        self.recording = recording
        self.budget = budget
        self.tried = 0
        self.progress = progress
        try:
            fell = ending(recording)
        except REFUSALS as error:
            raise NonDeterminism(
                f"{NOT_DETERMINISTIC}, or this run never happened so: {error}"
            ) from error
        if not _ends_so_again(recording, fell):
            raise NonDeterminism(
                f"{NOT_DETERMINISTIC}: this run ends in {fell or 'nothing wrong'}, and then it does"
                " not"
            )
        wanted = breaks.name if isinstance(breaks, Property) else breaks
        self.wanted = fell if wanted is None else wanted
        self.wipes = not wipes_are_lawful(recording)
        if self.wanted is None or not self.falls_strictly(recording):
            raise Misuse(
                f"This run ends in {fell or 'nothing wrong'}, and not in {self.wanted or 'a fault'}"
                " that could be kept while it is shortened."
            )
        steps = as_steps(recording)
        self.best = Played(recording.start(), steps, fell)
        self.cost = cost(steps)

    def falls_strictly(self, recording: Recording) -> bool:
        """Whether a recording, played as it stands, breaks what is wanted."""
        if callable(self.wanted):
            return self.wanted(recording.attempt())
        return ending(recording) == self.wanted

    def falls_again(self, recording: Recording) -> bool:
        """Whether what has been found falls once more; what cannot be played does not."""
        try:
            return self.falls_strictly(recording)
        except REFUSALS:
            return False

    def run(self) -> None:
        """Every way in turn, until none helps or the budget is spent."""
        before = None
        while before != self.cost and self.budget > 0:
            before = self.cost
            self.drop_kinds()
            self.write_at_once()
            self.drop_nodes()
            self.drop_chunks(smallest=len(self.best.steps) // COARSE + 1)
            if len(self.best.steps) <= FEW:
                self.drop_commands()
            self.drop_chunks()
            self.drop_commands()
            self.simplify()
            self.drop_pairs()
            self.move_closer()

    def tries(self, steps: Iterable[Step], closer: bool = False) -> bool:
        """Play other steps; keep them if the same falls and they are fewer or plainer.

        That they take less time counts only for those that are to be moved `without_long_gaps`.
        """
        if self.budget <= 0:
            return False
        self.budget -= 1
        self.tried += 1
        if self.progress is not None:
            self.progress(self.tried, len(self.best.steps))
        played = play_steps(self.recording, steps, self.wipes)
        now, parts = cost(played.steps), 3 if closer else 2
        if not (now[:parts] < self.cost[:parts] and self._falls(played)):
            return False
        self.best, self.cost = played, now
        return True

    def _falls(self, played: Played) -> bool:
        if callable(self.wanted):
            return self.wanted(played.cluster)
        return played.fallen == self.wanted

    # Leaving out

    def drop_kinds(self) -> None:
        """All actions of one kind at once."""
        for kind in dict.fromkeys(type(step.action) for step in self.best.steps):
            self.tries(step for step in self.best.steps if type(step.action) is not kind)

    def drop_nodes(self) -> None:
        """All that happens at one node, or between it and the others."""
        for node in dict.fromkeys(node for step in self.best.steps for node in nodes_of(step)):
            self.tries(step for step in self.best.steps if node not in nodes_of(step))

    def drop_commands(self) -> None:
        """What clients ask for, with every message that carries nothing else: halves first."""
        size = len(commands_of(self.best.steps))
        while size > 0 and self.budget > 0:
            commands = commands_of(self.best.steps)
            for start in range(0, len(commands), size):
                gone = set(commands[start : start + size])
                self.tries(each for each in self.best.steps if not commands_in(each) & gone)
            size //= 2

    def drop_chunks(self, smallest: int = 1) -> None:
        """Half of the steps, a quarter, an eighth …, and in the end each single one."""
        size = max(smallest, len(self.best.steps) // 2)
        while self.budget > 0:
            dropped = self._drop_chunks_of(size)
            if size == smallest and not (dropped and smallest == 1):
                return
            size = max(smallest, size // 2)

    def _drop_chunks_of(self, size: int) -> bool:
        """From the last to the first: what comes late is least needed by the others."""
        dropped, end = False, len(self.best.steps)
        while end > 0:
            start, steps = max(0, end - size), self.best.steps
            if self.tries(steps[:start] + steps[end:]):
                dropped = True
            end = min(start, len(self.best.steps))
        return dropped

    def drop_pairs(self) -> None:
        """Two steps that need each other: a crash and a restart, a question and its answer.

        In a long run, only those that stand close to each other.
        """
        for one, other in pairs_of(len(self.best.steps)):
            steps = self.best.steps
            if other < len(steps):
                self.tries(each for place, each in enumerate(steps) if place not in (one, other))

    # Simplifying

    def write_at_once(self) -> None:
        """Disks that write in no time, so that nothing need be said about each write."""
        writes = [step.action.node for step in self.best.steps if isinstance(step.action, Written)]
        often = [node for node in dict.fromkeys(writes) if writes.count(node) > 1]
        for nodes in (often, *([node] for node in often)):
            self.tries(with_fast_disks(self.best.steps, nodes))

    def simplify(self) -> None:
        """Steps that say more plainly what happens: a timer that simply runs out."""
        if self.recording.setup.options.lease_reads:  # a lease counts on timers that are kept
            return
        for place in range(len(self.best.steps)):
            steps = self.best.steps
            for plain in simpler_actions(steps[place].action) if place < len(steps) else ():
                if self.tries((*steps[:place], Step(plain), *steps[place + 1 :])):
                    break

    def move_closer(self) -> None:
        """Long silences become short ones, until no more time is gained."""
        while self.tries(without_long_gaps(self.best.steps), closer=True):
            pass


def nodes_of(step: Step) -> tuple[NodeId, ...]:
    """The nodes that an action is about."""
    if step.message is not None:
        return (step.message.sender, step.message.receiver)
    return step.action.nodes


def pairs_of(count: int) -> list[tuple[int, int]]:
    """The pairs of places that are tried, the last first: at most MOST_PAIRS."""
    reach = next(each for each in range(count, -1, -1) if each * count <= MOST_PAIRS)
    pairs = [(one, one + gap) for one in range(count) for gap in range(1, reach + 1)]
    return [each for each in reversed(pairs) if each[1] < count]


def commands_in(step: Step) -> frozenset[bytes]:
    """The commands that a step is about."""
    if isinstance(step.action, Propose):
        return frozenset([step.action.data])
    return frozenset(each.data for each in payloads(step.message) if isinstance(each, Command))


def commands_of(steps: Iterable[Step]) -> list[bytes]:
    """What clients ask for, the last first."""
    asked = [step.action.data for step in steps if isinstance(step.action, Propose)]
    return list(dict.fromkeys(reversed(asked)))
