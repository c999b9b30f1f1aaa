"""What a check found: the verdict, the points, the pictures, and the run of a known mistake."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.panel import Panel
from raftlab.raft.vocabulary import NotNow
from raftlab.sim.run.recording import Recording
from raftlab.view import Scene
from raftlab.view.notebook import show, widget_view

if TYPE_CHECKING:
    from raftlab.lab import Lab


class Result:
    """What a check found: whether it passed, the points, and the text to read.

    `passed` is None while the exercise is still to be written. A result is true if it passed:
    what could not be judged is not true either. `mistake` is the known mistake that explains
    the failure, or None. A notebook shows the `sentence`, by default the whole `text`, and the
    pictures, and folds the rest.
    """

    def __init__(
        self,
        passed: bool | None,
        points: int,
        of: int,
        text: str,
        scenes: Sequence[Scene] = (),
        sentence: str = "",
        mistake: Mistake | None = None,
    ) -> None:
        self.passed = passed
        self.points = points
        self.of = of
        self.text = text
        self.scenes = tuple(scenes)
        self.sentence = sentence or text
        self.mistake = mistake

    def recording(self) -> Recording:
        """The run that the mistake leads to. Raises: NotNow, if none is known."""
        if self.mistake is None or not self.mistake.exhibit:
            raise NotNow("This result names no mistake that has a run in the museum.")
        return self.mistake.recording()

    def lab(self, **options: Any) -> "Lab":
        """The run that the mistake leads to, in the lab. Raises: NotNow, if none is known."""
        return self.recording().lab(**options)

    def with_line(self, line: str) -> "Result":
        """The same result with one more line."""
        said = f"{self.sentence} {line}" if self.sentence != self.text else ""
        text = f"{self.text}\n  {line}"
        return Result(
            self.passed, self.points, self.of, text, self.scenes, said, mistake=self.mistake
        )

    def require(self) -> None:
        """Nothing, if it passed. Raises: AssertionError with the text, if not."""
        if not self:
            raise AssertionError(self.text)

    def __bool__(self) -> bool:
        return self.passed is True

    def __repr__(self) -> str:
        return repr(Panel(self.text, self.scenes))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return Panel(self.text, self.scenes, self.sentence)._repr_mimebundle_()

    def _ipython_display_(self) -> None:
        button = None
        if self.mistake is not None and self.mistake.exhibit:
            from raftlab.course.exercises.run_button import shown_button

            button = shown_button(self.mistake)
        if button is None:
            raise NotImplementedError  # IPython then shows its usual forms
        show(self._repr_mimebundle_())
        show(widget_view(button.widget.model_id))
