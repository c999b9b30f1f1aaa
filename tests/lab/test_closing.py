"""A lab leaves no widget behind, and a page without a kernel has its picture."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import unquote

import comm
import nbformat
import pytest
from comm.base_comm import BaseComm
from ipywidgets import Widget
from ipywidgets.widgets.widget import _instances
from jupyter_client.manager import start_new_kernel

from raftlab import Cluster
from raftlab.lab.lab import STILL
from raftlab.view.notebook import WIDGET
from tests.lab.clusters import heard, outputs_of, working

HERE = "import sys; from ipywidgets.widgets.widget import _instances; from raftlab import Cluster\n"
MAKE = "lab = Cluster(3).lab()"
Cell = Callable[[str, str], int]
SOME, MOST = 100, 230
"""A lab has so many widgets; each is announced to the page by itself, so they are few."""


def test_closing_a_lab_closes_every_widget_that_it_made():
    before = set(_instances)
    lab = working().lab()
    lab.further_mode.value = True
    lab.do(lambda cluster: cluster.add_learner("S6"))
    assert SOME < len(set(_instances) - before) < MOST
    lab.close()
    assert set(_instances) == before


def test_widgets_are_made_with_what_they_have_and_not_told_it_afterwards(monkeypatch):
    sent, send_state = [], Widget.send_state

    def counted(widget, key=None):
        sent.append((type(widget).__name__, key))
        send_state(widget, key)

    monkeypatch.setattr(Widget, "send_state", counted)
    Cluster(5).lab(full=True)
    assert len(sent) < 40, sent


def test_a_stage_that_hears_nothing_is_replaced_by_one_that_shows_all():
    before = set(_instances)
    lab = working().lab(play=True)
    deaf, name, shown = lab.stage, lab.stage.model_id, lab.stage.cluster
    heard(lab, kind="deaf")
    assert lab.stage is not deaf
    assert name not in _instances
    assert lab.stage in lab.widget.children and deaf not in lab.widget.children
    assert lab.stage.cluster["marks"] == shown["marks"]
    assert lab.playing
    lab.step_button.click()
    assert lab.stage.seq == 2
    heard(lab, kind="press", name="step_button", fields={})
    assert lab.stage.seq == 3
    lab.close()
    assert set(_instances) == before


def test_a_stage_that_takes_the_place_of_another_is_announced_with_the_picture(monkeypatch):
    opened: list[dict] = []

    class Announcing(BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            if msg_type == "comm_open":
                opened.append(data["state"])

    monkeypatch.setattr(comm, "create_comm", lambda **given: Announcing(**given))
    lab = working().lab()
    shown = {name: getattr(lab.stage, name) for name in ("cluster", "logs", "words", "cannot")}
    opened.clear()
    heard(lab, kind="deaf")
    (stage,) = (state for state in opened if "cluster" in state)
    assert {name: stage[name] for name in shown} == shown
    assert stage["cluster"]["marks"]
    assert lab.stage.menus and stage["menus"] == lab.stage.menus
    lab.close()


def test_closing_twice_is_closing():
    lab = Cluster(3).lab()
    lab.close()
    lab.close()
    assert lab.closed


def test_a_closed_lab_is_its_picture():
    lab = Cluster(3).lab()
    assert WIDGET in outputs_of(lab)[-1]
    lab.close()
    (picture,) = outputs_of(lab)
    assert set(picture) == {"text/plain", "image/svg+xml", "text/html"}
    assert STILL in picture["image/svg+xml"]
    assert f'alt="{STILL}' in picture["text/html"]


# In a kernel, by cells


@pytest.fixture(scope="module")
def cell(tmp_path_factory) -> Iterator[Cell]:
    """Runs a source in a cell of that name, as JupyterLab does; how many widgets there are then."""
    home = tmp_path_factory.mktemp("kernel")
    environment = os.environ | {"IPYTHONDIR": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    manager, client = start_new_kernel(env=environment, extra_arguments=["--log-level=ERROR"])

    def run(name: str, source: str) -> int:
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
        content |= {"user_expressions": {}, "stop_on_error": True}
        message = client.session.msg("execute_request", content)
        message["metadata"] = {"cellId": name} if name else {}
        client.shell_channel.send(message)
        reply = client.get_shell_msg(timeout=120)
        assert reply["content"]["status"] == "ok", reply["content"]
        count = client.execute(
            HERE, user_expressions={"count": "len(_instances)"}, store_history=False
        )
        while (reply := client.get_shell_msg(timeout=120))["parent_header"]["msg_id"] != count:
            pass
        return int(reply["content"]["user_expressions"]["count"]["data"]["text/plain"])

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def empty(cell):
    """The kernel without a lab."""
    assert cell("", f"{HERE}for each in list(_instances.values()): each.close()") == 0
    return cell


def test_a_cell_that_is_run_twenty_times_leaves_the_widgets_of_one_lab(empty):
    one = empty("a", f"{HERE}Cluster(3).lab()")
    assert SOME < one < MOST
    assert {empty("a", f"{HERE}Cluster(3).lab()") for _ in range(20)} == {one}
    assert empty("a", "2 + 2") == 0


def test_a_lab_that_another_cell_shows_stays_until_that_cell_is_run_again(empty):
    one = empty("a", f"{HERE}{MAKE}")
    assert empty("b", "lab") == one
    assert empty("a", MAKE) == 2 * one, "b still shows the old one"
    assert empty("b", "lab") == one
    assert empty("b", "lab") == one
    assert empty("a", "3") == one, "b shows it"


def test_a_lab_that_is_made_again_and_never_shown_is_closed(empty):
    one = empty("a", f"{HERE}{MAKE}")
    assert empty("a", MAKE) == one


def test_two_labs_of_one_cell_stay_side_by_side(empty):
    show = "from IPython.display import display; display(one); two"
    pair = empty("a", f"{HERE}one, two = Cluster(3).lab(), Cluster(3).lab()")
    assert empty("b", show) == pair
    assert empty("b", show) == pair


def test_where_the_front_end_names_no_cell_nothing_is_closed(empty):
    one = empty("", f"{HERE}Cluster(3).lab()")
    assert empty("", f"{HERE}Cluster(3).lab()") == 2 * one


# A page without a kernel


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A notebook with a lab, run and exported by `jupyter nbconvert --execute`: its page."""
    home = tmp_path_factory.mktemp("exported")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(f"{HERE}{MAKE}\nlab.step_button.click()\nlab")]
    nbformat.write(notebook, home / "lab.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "lab.ipynb"]
    environment = os.environ | {"IPYTHONDIR": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return (home / "lab.html").read_text()


def test_an_exported_notebook_has_the_picture_and_no_dead_control(exported):
    pictures = re.findall(r'data:image/svg\+xml,([^"]+)', exported)
    assert sum(STILL in unquote(each) for each in pictures) == 1
    assert exported.count(f'alt="{STILL}') == 1
    assert '<script type="application/vnd.jupyter.widget-view+json">' not in exported
    assert "ButtonModel" not in exported
    assert json.dumps("raftlab-button-step_button") not in exported
