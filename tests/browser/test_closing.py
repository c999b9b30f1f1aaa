"""Labs come and go in a real JupyterLab; where nothing runs, there is the picture."""

import os
import subprocess
import sys

from playwright.sync_api import Page, expect

from tests.browser.jupyter import write_notebook

COUNTED = """
from ipywidgets.widgets.widget import _instances
from raftlab import Cluster
print("widgets:", len(_instances))
Cluster(3, seed=1).lab()
"""


def test_running_a_cell_again_closes_its_lab_and_the_new_one_works(run_cell, scratch):
    counts = []
    for _ in range(3):
        lab = run_cell(COUNTED)
        counts.append(scratch.page.locator(".jp-OutputArea-output pre").first.inner_text())
    assert counts[1] == counts[2], "each run finds the widgets of one lab"
    expect(scratch.page.locator(".raftlab-lab")).to_have_count(1)
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)


def test_an_exported_lab_is_its_picture_and_has_no_dead_button(page: Page, tmp_path, gallery):
    source = (
        "from raftlab import Cluster\nlab = Cluster(3, seed=1).lab()\nlab.step_button.click()\nlab"
    )
    write_notebook(tmp_path / "lab.ipynb", source)
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", "lab.ipynb"]
    environment = os.environ | {"IPYTHONDIR": str(tmp_path)}
    told = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    page.goto(f"file://{tmp_path / 'lab.html'}")
    picture = page.locator(".jp-OutputArea-output img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 300
    expect(page.get_by_role("button")).to_have_count(0)
    page.screenshot(path=gallery / "exported.png")
