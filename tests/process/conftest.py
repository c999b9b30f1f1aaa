"""Processes for tests, and what is left of them."""

import os
import sys
from pathlib import Path

import pytest

import raftlab as rl
from tests.process.languages import process_of

HERE = Path(__file__).parent


def is_there(pid: int) -> bool:
    """Whether there is a process of that number, dead and not waited for ones included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def group_is_there(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def process():
    """Makes processes of a file of this folder; in the end none of them is left."""
    made = []

    def make(name, *words, **given):
        made.append(rl.Process([sys.executable, str(HERE / f"{name}.py"), *words], **given))
        return made[-1]

    yield make
    pids = [pid for each in made for pid in each.pool.pids]
    for each in made:
        each.end()
    assert not [pid for pid in pids if is_there(pid) or group_is_there(pid)]


@pytest.fixture
def program(request):
    """Makes processes of a file in a language; they are ended with the test."""

    def make(language, file, **given):
        made = process_of(language, file, **given)
        request.addfinalizer(made.end)
        return made

    return make
