"""Carries out what a reader does, and shows what came of it.

Every call goes through `attempt`, which shows a new moment, a refusal, or an error. So nothing
that goes wrong is swallowed, and one click sends one picture.
"""

from collections.abc import Callable
from typing import NoReturn

from raftlab.lab import panels
from raftlab.lab.control_table import SLIDE_MS, USUAL_SPEED
from raftlab.lab.controls import Controls
from raftlab.lab.fitting import Room
from raftlab.lab.renderer import Renderer, caught
from raftlab.lab.sentences import as_sentence
from raftlab.lab.session import Session
from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim.cluster import Cluster

STEP_MS = 300.0
SHORTEST_MS, LONGEST_MS = 100.0, 1200.0
"""How long a moment of playing lasts at least and at most; a quiet stretch is cut short."""


class Controller:
    """Between the controls and the session of a lab.

    `playing` tells whether time passes by itself, `trouble` what was last refused or could
    not be done, in words; it is empty if all went well.
    """

    def __init__(self, session: Session, controls: Controls) -> None:
        self.session, self.controls = session, controls
        self.renderer = Renderer(session, controls)
        self.playing = False
        self.trouble = ""

    def attempt(
        self,
        function: Callable[[], object],
        ms: Millis | Callable[[], Millis],
        steady: bool = False,
    ) -> None:
        """Call it, and show what came of it: a new moment, a refusal, or an error."""
        self.trouble, details = caught(function)
        if self.trouble and not details:
            self.trouble = as_sentence(self.trouble, self.session.cluster.nodes)
        if self.trouble:
            self.playing = False

        def draw() -> None:
            length = ms() if callable(ms) else ms
            even = steady and not self.trouble
            length = min(max(length, SHORTEST_MS), LONGEST_MS) if even else length
            self.renderer.draw(length, even, self.playing)

        failed, traceback = caught(draw)
        if failed:
            self.playing = False
            self.trouble, details = failed, traceback
        self.controls.alarm.value = panels.alarm(self.trouble, details)

    def act(self, function: Callable[[], object], ms: Millis | None = None) -> None:
        """Something that the reader does: it stops the playing."""
        self.playing = False
        self.attempt(function, self._step_ms() if ms is None else ms)

    def do(self, verb: Callable[[Cluster], object]) -> None:
        """Do something to the cluster at the moment looked at; in the past, that branches."""
        self.act(lambda: self.session.do(verb))

    def do_while_playing(self, verb: Callable[[Cluster], object]) -> None:
        """Do something to the cluster at the moment looked at; what plays goes on playing."""
        self.attempt(lambda: self.session.do(verb), self._step_ms())

    def redraw(self, ms: Millis = SLIDE_MS) -> None:
        """Show what was chosen."""
        self.attempt(lambda: None, ms)

    def make_room(self, room: Room) -> None:
        """The stage has another room on the page: what was refused stays said."""
        self.renderer.room = room
        trouble, said = self.trouble, self.controls.alarm.value
        self.redraw(0.0)
        if trouble and not self.trouble:
            self.trouble, self.controls.alarm.value = trouble, said

    def renew_stage(self) -> None:
        """The page has told its room and heard nothing: a new stage may be heard."""
        self.controls.renew_stage()
        self.make_room(self.renderer.room)

    def refuse(self, sentence: str) -> None:
        """Say why something cannot be done."""

        def refuse() -> NoReturn:
            raise Misuse(sentence)

        self.attempt(refuse, SLIDE_MS)

    # Playing: the stage asks for each moment shortly before it needs it

    def play(self) -> None:
        """Let time pass at the chosen speed, for as long as somebody watches."""
        self.playing = True
        self.redraw(0.0)

    def pause(self) -> None:
        """Stand still."""
        self.act(lambda: None, 0.0)

    def next_moment(self, seq: int) -> None:
        """The stage has come to moment `seq`, and asks for the next."""
        if seq != self.controls.stage.seq:
            return  # another view of this lab has asked already
        if self.playing:
            self._play_on()
        elif self.controls.stage.motion["playing"]:
            self.interrupted()  # and the page was not told

    def next_moment_again(self, seq: int) -> None:
        """The stage has asked for what follows moment `seq` a while ago, and heard nothing."""
        if seq == self.controls.stage.seq:
            self.next_moment(seq)
        else:
            self.redraw(0.0)

    def interrupted(self) -> None:
        """Python was interrupted amid something: stand still, and say so."""
        self.playing = False
        self.refuse(self.session.front_end.interrupted)

    def _play_on(self) -> None:
        start, speed = self.session.frame.at, self._speed()

        def tick() -> None:
            self.playing = False  # unless all goes well
            self.playing = self.session.tick(speed * SHORTEST_MS / 1000)

        self.attempt(tick, lambda: (self.session.frame.at - start) / speed * 1000, steady=True)

    def _speed(self) -> float:
        return float(self.controls.speed.value or USUAL_SPEED)

    def _step_ms(self) -> Millis:
        share: float = (USUAL_SPEED / self._speed()) ** 0.5
        return STEP_MS * min(max(share, 0.4), 2.5)
