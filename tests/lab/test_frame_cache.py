"""The frames of a run: the same whether made live, remembered, or made again."""

import itertools
import random

import pytest

from raftlab import Cluster, Misuse, RaftStateMachine
from raftlab.lab import frame_cache
from raftlab.lab.frame_cache import REMEMBERED, FrameCache
from tests.lab.clusters import hasty, working


def test_a_frame_made_again_equals_the_one_made_live():
    cluster = Cluster(5, seed=7)
    live = [cluster.frame()]
    for _ in range(120):
        cluster.step()
        live.append(cluster.frame())
    cache = FrameCache(cluster)
    for number in (120, 60, 61, 59, 0, 119, 30):
        assert cache.frame(number) == live[number]


def test_frames_far_apart_are_those_of_then(monkeypatch):
    monkeypatch.setattr(frame_cache, "FAR", 8)
    monkeypatch.setattr(frame_cache, "WINDOW", 4)
    cluster = working()
    cache = FrameCache(cluster)
    for number in (3, 40, 12, 13, 30, 2, 41, 20):
        assert cache.frame(number) == cluster.at(number).frame()


def test_only_so_many_frames_are_remembered():
    cluster = working(commands=200)
    cache = FrameCache(cluster)
    for number in range(cluster.number + 1):
        cache.frame(number)
    assert len(cache._frames) == REMEMBERED < cluster.number
    assert cache.frame(3) == cluster.at(3).frame()


def test_remembered_frames_share_what_is_equal():
    cluster = working()
    cache = FrameCache(cluster)
    for number in range(cluster.number):
        one, other = cache.frame(number), cache.frame(number + 1)
        for node, after in zip(one.nodes, other.nodes, strict=True):
            if node.log == after.log and node.log:
                assert node.log is after.log


def test_there_is_no_frame_beyond_the_run():
    cache = FrameCache(working())
    for number in (-1, cache.cluster.number + 1):
        with pytest.raises(Misuse, match=f"no frame {number}"):
            cache.frame(number)


def test_events_in_the_past_are_those_of_then():
    cluster = working()
    cache = FrameCache(cluster)
    assert cache.events(10, 4) == cluster.events(1000)[6:10]
    assert cache.events(2, 4) == cluster.events(1000)[:2]
    assert cache.events(0, 4) == ()
    assert cache.events(cluster.number, 4) == cluster.events(4)


def test_a_condition_is_found_in_the_past():
    cluster = working()
    cache = FrameCache(cluster)
    number = cache.find(0, lambda past: past.leader is not None)
    assert number is not None
    assert cache.frame(number).leader is not None
    assert cache.frame(number - 1).leader is None
    assert cache.find(number, lambda past: past.leader is None) is None


def test_a_run_that_ended_in_a_violation_can_be_seen_to_its_end():
    cluster = hasty()
    with pytest.raises(Exception, match="Commit Follows Quorum"):
        cluster.run(2000)
    cache = FrameCache(cluster)
    assert cache.frame(cluster.number - 1).violation is None
    assert cache.frame(cluster.number).violation == cluster.violation
    assert cluster.recording.branch().violation == cluster.violation


def test_a_machine_that_does_not_do_the_same_twice_is_told_so():
    moods = itertools.count(10)  # another random source whenever a machine is made

    class Moody(RaftStateMachine):
        def __init__(self, *args, rng, **others):
            super().__init__(*args, rng=random.Random(next(moods)), **others)

    cluster = Cluster(3, seed=1, machine=Moody)
    for _ in range(60):
        cluster.step()
    cache = FrameCache(cluster)
    with pytest.raises(Misuse, match="does not play again"):
        for number in range(60, 0, -1):
            cache.frame(number - 1)
