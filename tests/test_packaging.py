"""What is published: a source distribution and a wheel with the package in them, all of it."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest
import yaml

import raftlab

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from hatchling import build; getattr(build, sys.argv[1])(sys.argv[2])"


def built(tree: Path, what: str, target: Path) -> Path:
    """What hatchling, as pyproject.toml names it, makes of a source tree."""
    target.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": ""}
    command = [sys.executable, "-c", BUILD, what, str(target)]
    told = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    (made,) = target.iterdir()
    return made


def package_files() -> set[str]:
    """The files of the package in this working tree."""
    paths = (path for path in (ROOT / "raftlab").rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in paths if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """The source distribution of this tree, unpacked."""
    home = tmp_path_factory.mktemp("packaging")
    with tarfile.open(built(ROOT, "build_sdist", home / "sdist")) as archive:
        archive.extractall(home / "unpacked", filter="data")
    (top,) = (home / "unpacked").iterdir()
    return top


def test_the_source_distribution_holds_no_test_that_it_cannot_collect(unpacked):
    held = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*.py")}
    assert held == {name for name in package_files() if name.endswith(".py")}


def test_the_wheel_of_the_source_distribution_holds_the_whole_package(unpacked):
    with zipfile.ZipFile(built(unpacked, "build_wheel", unpacked.parent / "wheel")) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {name for name in names if name.startswith("raftlab/")} == package_files()
    assert {top for top in tops if not top.endswith(".dist-info")} == {"raftlab"}


def test_the_version_is_told_once(unpacked):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert unpacked.name == f"raftlab-{raftlab.__version__}"


def test_the_citation_and_the_changelog_speak_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (released, *_) = re.findall(r"^## \[(\d\S*)\] - (\S+)$", changelog, re.MULTILINE)
    told = (citation["version"], str(citation["date-released"]))
    assert told == released == (raftlab.__version__, released[1])
