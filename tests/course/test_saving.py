"""What JupyterLab is told to do before it saves a notebook."""

import copy

import pytest

from raftlab.commands.lab import BEFORE_SAVING
from raftlab.course.notebook_text import LANGUAGE
from raftlab.course.saving import forget_version

FULL = LANGUAGE | {"version": "3.12.1", "nbconvert_exporter": "python"}


def saved(**model):
    forget_version(model, path="a.ipynb", contents_manager=None)
    return model


def test_a_notebook_is_saved_without_the_version_of_python():
    metadata = {"language_info": dict(FULL), "kernelspec": {"name": "mine"}, "title": "Mine"}
    model = saved(type="notebook", content={"metadata": copy.deepcopy(metadata), "cells": [1]})
    expected = metadata | {"language_info": LANGUAGE}
    assert model["content"] == {"metadata": expected, "cells": [1]}


@pytest.mark.parametrize(
    "model",
    [
        {"type": "notebook", "content": {"metadata": {"language_info": {"name": "julia"}}}},
        {"type": "notebook", "content": {"metadata": {}}},
        {"type": "notebook", "content": None},
        {"type": "file", "content": "text"},
        {"type": "directory"},
    ],
)
def test_anything_else_is_saved_as_it_is(model):
    assert saved(**copy.deepcopy(model)) == model


def test_a_server_finds_it_by_its_name():
    managers = pytest.importorskip("jupyter_server.services.contents.largefilemanager")
    manager = managers.AsyncLargeFileManager(pre_save_hook=BEFORE_SAVING)
    assert manager.pre_save_hook is forget_version
