"""What the lab knows, without any widget: a run, the moment looked at, and the branches.

Moving forward from a moment in the past shows what happened next, up to the end of the
run; only then does anything new happen. Whoever acts in the past starts a new run, which
branches off there; the earlier one is kept.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import NamedTuple

from raftlab.lab import beginnings
from raftlab.lab.beginnings import Beginning, Situation
from raftlab.lab.branch import Branch
from raftlab.lab.frame_cache import FrameCache
from raftlab.lab.front_end import NOTEBOOK, FrontEnd
from raftlab.lab.goals import GOALS, Condition
from raftlab.lab.pasted_text import classes_needed, opened_here
from raftlab.raft.vocabulary import REFUSALS, Millis, Misuse, NotNow, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Event, Frame
from raftlab.sim.run.recording import NO_DIGEST, Recording
from raftlab.sim.world.violation import Violation, ViolationFrame

END = 1 << 62
"""A frame beyond the end of every run."""

PATIENCE_MS: Millis = 10_000.0
"""How long a jump looks for what it seeks."""

MOST_MS: Millis = 100_000.0
"""The longest time that one click lets pass."""

MOST_UNDONE = 100
"""How many things can be undone, one after the other."""

AT_THE_START = "This is frame 0, where the run began; there is nothing before it."
NOTHING_DONE = "Nothing has been done yet."
NO_LEADER = "Nobody leads now: let time pass until somebody does."
NOT_WATCHED = "Nothing is watched in this cluster: it was made with watched=False."

Verb = Callable[[Cluster], object]


class Place(NamedTuple):
    """Where somebody looked: which run (from 1), which frame, and what it is compared with."""

    run: int
    frame: int
    since: int | None


class Answer(NamedTuple):
    """What came of a read, in words."""

    is_answered: bool
    text: str


class Session:
    """A reader's session with a cluster.

    `cluster` is the run that goes on, `position` the number of the frame looked at, and
    `note` what the last thing done has to say, if anything. What cannot be done raises
    Misuse and changes nothing; a violation is not raised, it is in `violation`. It begins
    at `frame`, or at the end of the run. `front_end` is where it is shown.
    """

    def __init__(
        self, cluster: Cluster, frame: int | None = None, front_end: FrontEnd = NOTEBOOK
    ) -> None:
        self.note = ""
        self.front_end = front_end
        self._branches = [Branch(1, cluster, None, 0)]
        self._current = 0
        self._known = cluster.number
        self._left: list[Place] = []
        self._doing = ""
        if isinstance(frame, bool) or not isinstance(frame, int | None):
            raise Misuse(f"A frame is told by its number, not by {shown(frame)}.")
        self._enter(self.branch, cluster.number if frame is None else frame)

    # Looking

    @property
    def number(self) -> int:
        """The number of the last frame of this run."""
        return self.cluster.number

    @property
    def is_live(self) -> bool:
        """Whether the moment looked at is the end of the run, where new things happen."""
        return self.position == self.cluster.number

    @property
    def frame(self) -> Frame:
        """The moment looked at."""
        return self._frames.frame(self.position)

    @property
    def previous(self) -> Frame | None:
        """The frame to compare with: the one before the last thing done, or the one before."""
        return None if self._since is None else self._frames.frame(self._since)

    @property
    def violation(self) -> ViolationFrame | None:
        """The property that is broken at the moment looked at, if one is."""
        return self.cluster.violation if self.is_live else None

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Every run of this session, oldest first."""
        return tuple(self._branches)

    @property
    def branch(self) -> Branch:
        """The run looked at."""
        return self._branches[self._current]

    @property
    def so_far(self) -> Recording:
        """The run up to the moment looked at, as a value."""
        return self.cluster.recording.upto(self.position)

    def events(self, last: int) -> tuple[Event, ...]:
        """The last steps up to the moment looked at, oldest first; at most `last`."""
        return self._frames.events(self.position, last)

    def events_since(self, most: int) -> tuple[Event, ...] | None:
        """What happened after `previous`; None if that was more than `most` steps, or back."""
        if self._since is None or not 0 < self.position - self._since <= most:
            return None
        return self.events(self.position - self._since)

    def answers(self, last: int) -> tuple[Answer, ...]:
        """The last reads that were answered or given up, newest first; at most `last`.

        Only the steps that the cluster remembers are searched.
        """
        answers = (
            Answer(len(note.details) > 1, f"{action.at:.1f} ms: {node} {note}")  # key and value
            for number, action, _, notes in reversed(self.cluster.engine.recent)
            for node, note in reversed(notes)
            if number <= self.position and note.rule == "read"
        )
        return tuple(islice(answers, last))

    # Forward

    def step(self) -> None:
        """The next thing that happens."""
        self._begins("step")
        if self.is_live:
            self._go(lambda cluster: cluster.step())
        else:
            self._show(self.position + 1)

    def run(self, ms: Millis) -> None:
        """Let `ms` of virtual time pass."""
        self._check_time(ms)
        self._begins("run")
        start, end = self.position, self.frame.at + ms
        if not self.is_live and not self._replay(lambda at: at <= end):
            return
        self._go(lambda cluster: cluster.run(max(end - cluster.now, 0.0)), since=start)

    def tick(self, ms: Millis) -> bool:
        """A moment of playing: at least one step, and more until `ms` have passed.

        Returns whether there can be more.
        """
        self._begins("play")
        start, until = self.position, self.frame.at + ms
        if not self.is_live:
            self._replay(lambda at: at < until)
            return not self._ended
        self._go(lambda cluster: _steps(cluster, until), since=start)
        return not self._ended

    def jump(self, goal: str) -> bool:
        """Go to the next election, commit or violation; whether it comes within `PATIENCE_MS`.

        If it does not, nothing happens, and `note` says what would bring it about.
        """
        sought = GOALS[goal]
        if goal == "violation" and not self.cluster.setup.watched:
            raise Misuse(NOT_WATCHED)
        self._begins("jump")
        start = self.position
        condition = self._frames.ask(start, sought.from_here)
        found = None if self.is_live else self._frames.find(start, condition)
        if found is not None:
            self._show(found, since=start)
        elif condition(self.cluster):
            self._show(self.number, since=start)
        elif self._comes(condition):
            self._go(lambda cluster: cluster.run_until(condition, PATIENCE_MS), since=start)
        else:
            self.note = f"{sought.missed} within {PATIENCE_MS:,.0f} ms. {sought.advice(self.frame)}"
            return False
        return True

    def _comes(self, condition: Condition) -> bool:
        """Whether it comes about soon, or else something goes wrong: a copy is tried."""
        probe = self.cluster.at(self.cluster.number)
        try:
            probe.run_until(condition, PATIENCE_MS)
        except REFUSALS:
            raise
        except (Exception, SystemExit):
            return True  # a violation, or a machine that fails: to be seen in the run itself
        return condition(probe)

    # Back

    def back(self) -> None:
        """One frame back. Raises: Misuse, at the first."""
        self._begins("look")
        if self.position == 0:
            raise Misuse(AT_THE_START)
        self._show(self.position - 1)

    def go_to(self, number: int) -> None:
        """Look at frame `number`; one beyond the end is the end."""
        self._begins("look")
        self._show(min(max(number, 0), self.number))

    @property
    def can_undo(self) -> bool:
        """Whether anything was done that `undo` goes back over."""
        here = self._here
        return any(place[:2] != here[:2] for place in self._left)

    def undo(self) -> None:
        """Go back over the last thing done, to the moment that was looked at before it.

        Nothing is lost: what was done can be stepped through again, and to do another thing
        begins another run. Looking around, and playing, are one thing each, however long.
        Raises: Misuse, if nothing was done.
        """
        self.notice()
        here, left = self._here, list(self._left)
        while left:
            place = left.pop()
            if place[:2] != here[:2]:
                break
        else:
            raise Misuse(NOTHING_DONE)
        if place.run == here.run:
            self._show(place.frame, place.since)
        else:
            self._enter(self._branches[place.run - 1], place.frame, place.since)
        self._left, self._doing = left, "undo"
        if not self.is_live:
            self.note = (
                f"Back at frame {place.frame}, as before. Step shows again what came then;"
                " whatever else you do begins another run, and this one is kept."
            )

    # Acting

    def do(self, verb: Verb) -> object:
        """Do something to the cluster, now; in the past, that starts a new run from there."""
        self._begins("do")
        if self.is_live:
            return self._go(verb)
        start, cluster = self.position, self.cluster.at(self.position)
        try:
            answer = verb(cluster)
        except REFUSALS:
            raise
        except Violation as violation:
            answer = violation
        except (Exception, SystemExit):
            self._branch_off(cluster, start)  # so that it can be seen where a machine failed
            raise
        self._branch_off(cluster, start)
        return answer

    def crash_leader(self) -> None:
        """Crash whoever leads at the moment looked at. Raises: NotNow, if nobody does."""
        leader = self.frame.leader
        if leader is None:
            raise NotNow(NO_LEADER)
        self.do(lambda cluster: cluster.crash(leader.node))

    def restart_all(self) -> None:
        """Restart every node that is down. Raises: NotNow, if none is."""
        down = [node.node for node in self.frame.nodes if not node.alive]
        if not down:
            raise NotNow("No server is down: crash one before you restart it.")

        def restart(cluster: Cluster) -> None:
            for node in down:
                cluster.restart(node)

        self.do(restart)

    def go_on_from_here(self) -> None:
        """Start a new run from the moment looked at. Raises: Misuse, at the end of the run."""
        self._begins("go on")
        if self.is_live:
            raise Misuse("This is the end of the run: it goes on from here anyway.")
        self._branch_off(self.cluster.at(self.position), self.position)

    def choose(self, number: int) -> None:
        """Go to the end of run `number` (from 1). Raises: Misuse, if there is none."""
        self._begins("choose")
        if not 1 <= number <= len(self._branches):
            raise Misuse(f"There are the runs 1 to {len(self._branches)}, and no run {number}.")
        if number - 1 != self._current:
            self._enter(self._branches[number - 1])

    def open(self, text: str) -> None:
        """Open a run that somebody shared, as a run that left no other; and go to its end.

        Raises: Misuse, saying why it cannot be opened.
        """
        self._begins("open")
        recording = opened_here(text, self.cluster, self.front_end)
        cluster, earlier = recording.branch(), self.branch
        rules = classes_needed(recording.setup).get("rules")
        self._begin(cluster, None, 0, "opened")
        self.note = (
            f"Opened: this is run {self.branch.number}, at its last frame, {cluster.number}."
            f"{f' It follows the {rules} of this lab.' if rules else ''}"
            f"{'' if recording.digest else f' {NO_DIGEST}'}"
            f" Run {earlier.number} is kept."
        )

    def begin_new(self, size: int, seed: int, *protected: bool) -> None:
        """Begin with a new cluster, as a run that left no other. See `beginnings.new_cluster`."""
        self.begin_with(beginnings.new_cluster(size, seed, *protected))

    def begin_situation(self, which: Situation) -> None:
        """Begin with a named situation, as a run that left no other."""
        self.begin_with(beginnings.situation(which))

    def begin_with(self, beginning: Beginning) -> None:
        """Begin with a cluster, as a run that left no other."""
        self._begins("begin")
        cluster, earlier = beginning.make(), self.branch
        self._begin(cluster, None, 0, beginning.origin)
        self.note = (
            f"{beginning.summary} This is run {self.branch.number}. Run {earlier.number} is kept."
        )

    def take_up(self, branches: Iterable[Branch], chosen: int, frame: int) -> None:
        """Go on with other runs instead of these: `chosen` (from 1) is looked at, at `frame`.

        Raises: Misuse, if that run does not play again as it went.
        """
        before = self._branches, self._current
        self._branches, self._current = list(branches), chosen - 1
        try:
            self._enter(self.branch, frame)
        except BaseException:
            self._branches, self._current = before
            raise
        self._left, self._doing = [], ""

    # What happens elsewhere

    def notice(self) -> bool:
        """Take note of what another cell did to the cluster; whether it did anything."""
        self.note = ""
        known, number = self._known, self.cluster.number
        if known == number:
            return False
        if self.position == known:
            self._show(number, since=known)
            self.note = f"The cluster went on from frame {known} to {number}."
        self._known = number
        return True

    def refresh(self) -> None:
        """Look again, in case the cluster was changed in a way that leaves no trace."""
        self._frames.forget()
        self.notice()

    # Inside

    @property
    def _here(self) -> Place:
        return Place(self._current + 1, self.position, self._since)

    def _begins(self, what: str) -> None:
        """Something is about to be done: remember where, for `undo`."""
        self.notice()
        if what not in ("play", "look") or what != self._doing:
            self._left = [*self._left[1 - MOST_UNDONE :], self._here]
        self._doing = what

    @property
    def _ended(self) -> bool:
        return self.is_live and self.cluster.violation is not None

    def _enter(self, branch: Branch, number: int | None = None, since: int | None = None) -> None:
        """Look at frame `number` of a run, which may be a new one; at its last, if it is None.

        What takes time comes first: it may refuse or be interrupted, and then nothing has changed.
        """
        left, current, cluster = self.branch, branch.number - 1, branch.load()
        frames, known = FrameCache(cluster), cluster.number
        place = _place(frames, known if number is None else number, since)
        branches = [*self._branches[:current], branch, *self._branches[current + 1 :]]
        self._branches, self._current, self.cluster = branches, current, cluster
        self._frames, self._known = frames, known
        self.position, self._since = place
        if left is not branch:
            left.unload()

    def _show(self, number: int, since: int | None = None) -> None:
        self.position, self._since = _place(self._frames, number, since)

    def _go(self, verb: Verb, since: int | None = None) -> object:
        since = self.cluster.number if since is None else since
        try:
            return verb(self.cluster)
        except Violation as violation:
            return violation
        finally:
            number = self.cluster.number
            if number != self.position:
                self._show(number, since)
            self._known = number

    def _replay(self, goes_on: Callable[[Millis], bool]) -> bool:
        """Show what happened next: one step at least, and more while `goes_on(its time)`.

        Returns whether that came to the end of a run that can go on.
        """
        actions, start = self.cluster.actions, self.position
        number = start + 1
        while number < len(actions) and goes_on(actions[number].at):
            number += 1
        self._show(number, since=start)
        return self.is_live and not self._ended

    def _branch_off(self, cluster: Cluster, start: int) -> None:
        parent = self.branch
        self._begin(cluster, parent.number, start)
        self.note = (
            f"You went on from frame {start}: this is run {len(self._branches)}."
            f" Run {parent.number} is kept."
        )

    def _begin(self, cluster: Cluster, parent: int | None, start: int, begun_as: str = "") -> None:
        branch = Branch(len(self._branches) + 1, cluster, parent, start, begun_as)
        self._enter(branch, since=start if parent and cluster.number > start else None)

    def _check_time(self, ms: Millis) -> None:
        if not 0 < ms <= MOST_MS:
            raise Misuse(f"Between 0 and {MOST_MS:,.0f} ms can pass at once, not {ms:g}.")


def _place(frames: FrameCache, number: int, since: int | None) -> tuple[int, int | None]:
    """A frame to look at, and the one to compare it with. Raises: Misuse, if there is none."""
    frames.frame(number)
    return number, since if since is not None else number - 1 if number else None


def _steps(cluster: Cluster, until: Millis) -> None:
    cluster.step()
    while cluster.now < until:
        cluster.step()
