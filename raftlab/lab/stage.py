"""The moving picture: one anywidget that is told where marks are, and moves them there.

A round trip between browser and kernel takes some 50 ms, so no frame of an animation
makes one: the stage is told one moment at a time and finds its way there by itself.
While it plays, it asks for the next moment shortly before it needs it, once.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from raftlab.lab.packing import Packed

STATIC = Path(__file__).parent / "static"

Menus = Mapping[str, Sequence[tuple[str, str]]]


class Stage(anywidget.AnyWidget):
    """Two scenes beside each other, whose marks move from one moment to the next.

    `cluster` and `logs` are packed scenes. `motion` says how to come there: `seq` counts
    the moments, `ms` is how long it takes, `steady` whether at an even pace, `playing`
    whether to ask for the next one; `room` is how wide (px) a stage the scenes were drawn for.
    `hotkeys` are the keys to report. `menus` holds what a click on a mark offers, by the mark's
    id or else its role: pairs of key and words. `words` is the HTML of what changes with every
    moment, by the names of its controls. `cannot` says of every control that cannot be used now
    why that is, and `heard` is what a screen reader reads out; `gone` is what the reader is told
    when Python is not there any more.
    """

    _esm = STATIC / "stage.js"
    _css = STATIC / "stage.css"

    cluster = traitlets.Dict().tag(sync=True)
    logs = traitlets.Dict().tag(sync=True)
    motion = traitlets.Dict({"seq": 0, "ms": 0, "steady": False, "playing": False}).tag(sync=True)
    room = traitlets.Float().tag(sync=True)
    hotkeys = traitlets.List(traitlets.Unicode()).tag(sync=True)

    menus = traitlets.Dict().tag(sync=True)
    cannot = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    heard = traitlets.Unicode().tag(sync=True)
    gone = traitlets.Unicode().tag(sync=True)

    def __init__(self, keys: Iterable[str], gone: str, **shown: Any) -> None:
        super().__init__(hotkeys=list(keys), gone=gone, **shown)

    def again(self) -> "Stage":
        """Another stage, which is announced to the page with all that this one shows."""
        names = Stage.class_own_traits(sync=True).keys() - {"motion"}
        told = {name: getattr(self, name) for name in sorted(names)}
        return Stage(told.pop("hotkeys"), told.pop("gone"), **told)

    @property
    def seq(self) -> int:
        """The number of the moment shown."""
        number: int = self.motion["seq"]
        return number

    def show(
        self,
        cluster: Packed,
        logs: Packed,
        menus: Menus,
        words: Mapping[str, str],
        cannot: Mapping[str, str],
        heard: str,
        room: float,
        **motion: Any,
    ) -> None:
        """Move to the next moment. What has not changed is not sent.

        `motion` is what the attribute of that name holds, without `seq`.
        """
        with self.hold_sync():
            self.cluster = cluster
            self.logs = logs
            self.menus = {name: [list(item) for item in items] for name, items in menus.items()}
            self.words = dict(words)
            self.cannot = dict(cannot)
            self.heard = heard
            self.room = room
            self.motion = {"seq": self.seq + 1, **motion}

    def __repr__(self) -> str:
        return f"<Stage: moment {self.seq}>"
