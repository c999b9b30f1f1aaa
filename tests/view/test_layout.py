"""Whatever a picture shows, no two words lie on each other and nothing leaves it."""

from collections.abc import Callable
from inspect import signature

import pytest
from msgspec.structs import replace

from raftlab import view
from raftlab.check.history import History
from raftlab.check.linearizability import check
from raftlab.check.linearizability.models import Register
from raftlab.raft.log import Command, RaftLog
from raftlab.raft.roles import ROLE_AFTER
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import Frame
from raftlab.view import (
    scene_cluster,
    scene_commit,
    scene_commit_decision,
    scene_frame,
    scene_logs,
    scene_quorums,
    scene_roles,
    scene_state_machines,
    scene_tally,
    scene_votes,
)
from raftlab.view.logs.logs import scene_log
from raftlab.view.scene import Scene
from raftlab.view.timeline.histories import scene_history
from tests.bench_histories import register_history
from tests.view.absurd import absurd_frame, absurd_names
from tests.view.boxes import box_of, outside, texts
from tests.view.sound import check_text

OF_A_FRAME: dict[str, Callable[..., Scene]] = {
    "cluster": scene_cluster,
    "frame": scene_frame,
    "logs": scene_logs,
    "state machines": scene_state_machines,
    "votes": scene_votes,
    "commit": scene_commit,
}


def first_kind(picture: Callable[..., Scene]) -> list[object]:
    """What kind of thing a picture is made of."""
    return [each.annotation for each in signature(picture).parameters.values()][:1]


def meeting_words(scene: Scene) -> list[tuple[str, str]]:
    """The ids of texts that lie on each other. They are compared line by line: there are many."""
    boxes = sorted((box_of(each), each.id) for each in texts(scene) if each.text)
    found, open_ones = [], []
    for box, name in boxes:
        open_ones = [each for each in open_ones if each[0][2] > box[0] + 0.5]
        for other, that in open_ones:
            if min(box[3], other[3]) - max(box[1], other[1]) > 0.5 and box[2] - box[0] > 0.5:
                found.append((that, name))
        open_ones.append((box, name))
    return found


def check_layout(scene: Scene) -> None:
    """What holds of all pictures."""
    ids = [each.id for each in scene.marks]
    assert len(ids) == len(set(ids))
    assert meeting_words(scene) == []
    assert outside(scene) == []
    check_text(scene.description)
    assert scene.svg.endswith("</svg>\n")


def test_every_picture_of_a_frame_is_laid_out_here():
    scenes = {name: getattr(view, name) for name in view.__all__ if name.startswith("scene_")}
    of_a_frame = {name for name, each in scenes.items() if Frame in first_kind(each)}
    odd = of_a_frame ^ {each.__name__ for each in OF_A_FRAME.values()}
    assert not odd, f"OF_A_FRAME wants every picture of a frame: {sorted(odd)}"


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("picture", OF_A_FRAME)
def test_pictures_of_an_absurd_frame(picture, seed):
    check_layout(OF_A_FRAME[picture](absurd_frame(seed)))


@pytest.mark.parametrize("style", range(4))
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 12, 25, 51])
def test_a_tally_of_any_size(size, style):
    names = absurd_names(size, style)
    plain, joint = Configuration(names), Configuration(names, old_voters=names[:3])
    answers = {name: place % 3 > 0 for place, name in enumerate(names[: size // 2 + 1])}
    for configuration in (plain, joint):
        check_layout(scene_tally(answers, configuration, candidate=names[0], term=99_999))
        check_layout(scene_tally({}, configuration))


@pytest.mark.parametrize("style", range(4))
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 12, 25, 51])
def test_a_commit_decision_of_any_size(size, style):
    names, log = absurd_names(size, style), long_log()
    for spread in (0, 1, 99):
        known = {name: 1000 - spread * place % 1000 for place, name in enumerate(names)}
        for configuration in (Configuration(names), Configuration(names, old_voters=names[:3])):
            check_layout(scene_commit_decision(known, log, 99_999, 7, configuration))


def long_log() -> RaftLog:
    """A thousand entries, of terms up to 99,999."""
    log = RaftLog()
    for n in range(1000):
        log.append_as_leader(99_000 + n, Command(b"key=" + b"W" * 20))
    return log


@pytest.mark.parametrize("last", [None, 1, 50, 1000])
def test_a_log_of_any_length(last):
    check_layout(scene_log(long_log(), last))
    check_layout(scene_log(RaftLog(), last))


@pytest.mark.parametrize("style", range(4))
@pytest.mark.parametrize("size", range(1, 6))
def test_quorums_of_any_names(size, style):
    names = absurd_names(size, style)
    for many in range(1, size + 1):
        check_layout(scene_quorums(names, many))


@pytest.mark.parametrize("row", ROLE_AFTER)
def test_the_roles_with_any_change_in_sight(row):
    check_layout(scene_roles(row))


@pytest.mark.parametrize("seed", range(30))
def test_histories_of_any_names_values_and_times(seed):
    stretch, name = (1.0, 1e-6, 1e9)[seed % 3], ("", "W" * 20, "a client in Zurich ")[seed // 3 % 3]
    plain = register_history(seed, 20 + 10 * (seed % 9), 1 + seed % 12, 0.1 * (seed % 4), seed % 2)
    story = History(
        [
            replace(
                each,
                client=f"{name}{each.client}",
                start=each.start * stretch,
                end=None if each.end is None else each.end * stretch,
            )
            for each in plain
        ]
    )
    for of in (story, check(story, model=Register())):
        for last in (1, 30, 400):
            check_layout(scene_history(of, last))
