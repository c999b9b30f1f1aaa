"""A lab whose machines are processes, in a notebook: it plays, and none is left after a restart."""

import re

from playwright.sync_api import expect

from tests.process.test_what_is_left import gone

START = """
import sys
from pathlib import Path
import raftlab as rl
from raftlab.process.samples import sample

machine = rl.Process([sys.executable, str(sample("python"))])
cluster = rl.Cluster(3, seed=7, machine=machine)
leader = cluster.elect()
Path("numbers.txt").write_text(" ".join(map(str, machine.pool.pids)))
lab = cluster.lab(full=True)
lab.node.value = leader
lab
"""


def test_it_plays_crashes_and_goes_back_and_a_restart_of_the_kernel_leaves_no_process(
    run_cell, desk
):
    lab = run_cell(START)
    page = lab.page
    numbers = [int(each) for each in (desk / "numbers.txt").read_text().split()]
    assert len(numbers) == 3
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    lab.click("Play")
    expect(lab.frame).not_to_have_text(re.compile(f"^({number + 1}|{number + 2})$"))
    lab.click("Stop")
    lab.settle()
    lab.click("Crash")
    expect(lab.newest).to_contain_text("crashes")
    crashed = lab.number()
    lab.click("Back")
    lab.at_frame(crashed - 1)
    lab.click("End")
    lab.at_frame(crashed)
    lab.click("Step")
    lab.at_frame(crashed + 1)
    expect(lab.alarm).not_to_be_attached()
    page.evaluate("() => void jupyterapp.commands.execute('kernelmenu:restart')")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    assert gone(numbers)
    lab.stage.focus()
    page.keyboard.press("ArrowRight")
    expect(lab.root.locator(".raftlab-gone")).to_contain_text("Run its cell again")
    again = run_cell(START)
    number = again.number()
    again.click("Step")
    again.at_frame(number + 1)
