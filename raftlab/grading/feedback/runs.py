"""The run behind a finding: its picture, its text, and how it is opened in the lab."""

from collections.abc import Callable
from functools import lru_cache
from math import ceil
from typing import TypeAlias

import msgspec

from raftlab.raft.vocabulary import Misuse
from raftlab.sim.load import load_shared
from raftlab.sim.resolve import ClassNeeded
from raftlab.sim.run import share as shared
from raftlab.sim.run.recording import Recording
from raftlab.view import Scene, scene_logs, scene_timeline
from raftlab.view.notebook import data_address

Opener: TypeAlias = Callable[[str], Recording]
"""What plays a shared run. Raises: Misuse, if it cannot."""

LAST_ACTIONS = 60
"""Of a longer run, the picture shows so many actions before its end."""


class Picture(msgspec.Struct, frozen=True):
    """An image for a page: its address, its words, and from `least` to `widest` CSS pixels."""

    address: str
    words: str
    least: int
    widest: int


class ShownRun(msgspec.Struct, frozen=True):
    """A run as a page shows it: its pictures, and their words as one text.

    `opens` is the line of Python that opens it; `why_not` says why there is no picture, if so.
    """

    share: str
    pictures: tuple[Picture, ...]
    text: str
    opens: str
    why_not: str = ""


@lru_cache(maxsize=512)
def shown_run(share: str, opened: Opener = load_shared) -> ShownRun | None:
    """The run of a shared text; None for "" and for what is no shared text."""
    share = shared.text_in(share)
    if not share or not shared.is_shared(share):
        return None
    plainly = f'raftlab.load("{share}").lab()'
    try:
        run = opened(share)
        cluster = run.attempt()
        actions = run.actions
        start = actions[-LAST_ACTIONS].at if len(actions) > LAST_ACTIONS else 0.0
        end = max(cluster.now, start + 1.0)
        scenes = (scene_timeline(run.trace(start, end)), scene_logs(cluster.frame()))
    except ClassNeeded as needed:
        own = f'raftlab.load("{share}", {needed.argument}=YourClass).lab()'
        return ShownRun(share, (), "", own, "It is played with your own class.")
    except Misuse as refusal:
        return ShownRun(share, (), "", plainly, f"There is no picture: {refusal}")
    text = "\n\n".join(each.description for each in scenes)
    return ShownRun(share, tuple(map(_picture, scenes)), text, plainly)


def _picture(scene: Scene) -> Picture:
    address = data_address(scene.svg)
    return Picture(address, scene.description, ceil(scene.least_width), ceil(scene.widest))


def check_base(base: str) -> None:
    """Raises: Misuse, if this is no address of a lab."""
    if base:
        shared.linked(base, "")


def link_to(share: str, base: str) -> str:
    """The address at which a run opens, or "" where no base is configured.

    Raises: Misuse, if the base is no address.
    """
    return shared.linked(base, share) if base and share else ""
