"""docs/instructors.md: its commands run, one after the other, and print what it says."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from raftlab.__main__ import COMMANDS, main
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.results import to_json
from tests.grading.marks import perfect

PAGE = (Path(__file__).parents[2] / "docs" / "instructors.md").read_text(encoding="utf-8")
GRADES = any(each.NAME == "grade" for each in COMMANDS)


def steps():
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, wanted = part.partition("\n")
            yield line, wanted


def carried_out(line, capsys):
    """What a command of the page prints. Where there is no grader yet, its marks are made here."""
    if line.startswith("raftlab grade") and not GRADES:
        Path("marked", "marks").mkdir(parents=True)
        Path("marked", "marks", "ann.json").write_bytes(to_json(perfect("ann")))
        return ""
    if line.startswith("raftlab "):
        capsys.readouterr()
        assert main(shlex.split(line)[1:]) == 0
        return capsys.readouterr().out
    command = line.replace("python ", f"{sys.executable} ", 1)
    ran = subprocess.run(command, shell=True, check=True, capture_output=True, text=True)
    return ran.stdout


def test_every_command_of_the_guide_runs_and_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for line, wanted in steps():
        printed = carried_out(line, capsys)
        same = doctest.OutputChecker().check_output(wanted, printed, doctest.ELLIPSIS)
        assert same or not wanted, f"$ {line}\n{printed}"
    told = {
        path.relative_to("marked/feedback").as_posix()
        for path in Path("marked").rglob("*.*")
        if "feedback" in path.parts and path.is_file()
    }
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"`([\w./]+)`", row)
    }
    assert told == {name.replace("NAME", "ann") for name in named}


@pytest.mark.parametrize("milestone", MILESTONES.values(), ids=lambda each: each.name)
def test_the_guide_lists_every_assignment_with_its_points_and_minutes(milestone):
    first, numbers = f"{milestone.name} {milestone.title}", (milestone.points, milestone.minutes)
    row = rf"^\| {first} \| .* \| {numbers[0]} \| {numbers[1]} \|"
    assert re.search(row, PAGE, re.MULTILINE)


def test_the_guide_names_the_commands_it_needs():
    assert len([*steps()]) >= 6
