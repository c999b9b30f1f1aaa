"""pyproject.toml, the constraints files and environment.yml hold the same packages and versions."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from json import loads
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]

NEWEST, LOWEST = "constraints.txt", "constraints-lowest.txt"
ON_PYPI = {"matplotlib-base": "matplotlib"}  # where conda's name is another
NOT_PINNED = {"python", "pip"}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, extras included."""
    extras = project()["optional-dependencies"].values()
    return [Requirement(line) for line in sum(extras, project()["dependencies"])]


def constraint_lines(name: str = NEWEST) -> list[str]:
    lines = (ROOT / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins(name: str = NEWEST) -> dict[str, str]:
    return {
        canonicalize_name(pin.name): version_of(pin)
        for pin in map(Requirement, constraint_lines(name))
    }


def version_of(pin: Requirement) -> str:
    """The one version an exact pin allows; an AssertionError on any other requirement."""
    (only,) = pin.specifier
    assert only.operator == "==" and "*" not in only.version, f"{pin} is not an exact pin"
    return only.version


def environment() -> tuple[list[str], list[str]]:
    """The conda lines and the pip lines of environment.yml."""
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [line["pip"] for line in lines if isinstance(line, dict)]
    return [line for line in lines if isinstance(line, str)], pip


def environment_pins() -> dict[str, str]:
    conda, pip = environment()
    found = {}
    for line in conda:
        name, _, version = line.partition("=")
        if name not in NOT_PINNED:
            found[ON_PYPI.get(name, name)] = version
    for line in pip:
        if not line.startswith("-"):
            pin = Requirement(line)
            found[canonicalize_name(pin.name)] = version_of(pin)
    return found


def installed_needs(name: str, extras: set[str]) -> Iterator[str]:
    """Every distribution that `name[extras]` needs here, directly or not."""
    asked: dict[str, set[str]] = defaultdict(set)
    todo = [(name, extras | {""})]
    while todo:
        name, extras = todo.pop()
        new = extras - asked[name]
        asked[name] |= new
        for line in metadata.requires(name) or () if new else ():
            need = Requirement(line)
            if any(need.marker is None or need.marker.evaluate({"extra": e}) for e in new):
                todo.append((canonicalize_name(need.name), need.extras | {""}))
    return iter(asked)


@pytest.mark.parametrize("file", [NEWEST, LOWEST])
def test_every_constraint_is_one_exact_pin(file):
    names = [canonicalize_name(Requirement(line).name) for line in constraint_lines(file)]
    assert len(names) == len(set(names))
    assert len(pins(file)) == len(names)


@pytest.mark.parametrize("need", wanted(), ids=str)
def test_the_lowest_constraints_pin_the_lower_bound_of_what_pyproject_asks_for(need):
    (bound,) = [Version(each.version) for each in need.specifier if each.operator == ">="]
    assert Version(pins(LOWEST)[canonicalize_name(need.name)]) == bound


def test_no_file_holds_the_address_of_a_registry():
    for file in (NEWEST, LOWEST):
        constraints = (ROOT / file).read_text()
        assert "://" not in constraints and " @ " not in constraints
        assert not [line for line in constraints.splitlines() if line.startswith("-")]
    conda, pip = environment()
    assert not [line for line in conda + pip if "://" in line or " @ " in line]
    assert [line for line in pip if line.startswith("-")] == ["-e ."]


@pytest.mark.parametrize("need", wanted(), ids=str)
def test_what_pyproject_asks_for_is_pinned_within_its_range(need):
    assert need.specifier.contains(pins()[canonicalize_name(need.name)])


@pytest.mark.parametrize("need", wanted(), ids=str)
def test_what_pyproject_asks_for_is_in_the_conda_environment(need):
    assert canonicalize_name(need.name) in environment_pins()


@pytest.mark.parametrize(("name", "version"), environment_pins().items())
def test_the_conda_environment_has_the_version_of_the_constraints(name, version):
    assert pins().get(name) == version


def test_the_conda_environment_has_the_oldest_python_that_is_supported():
    conda, _ = environment()
    (python,) = [line.removeprefix("python=") for line in conda if line.startswith("python=")]
    assert SpecifierSet(project()["requires-python"]) == SpecifierSet(f">={python}")


def test_what_the_libraries_need_in_turn_is_pinned_too():
    needed = set(installed_needs("raftlab", {"cluster", "lab", "test"}))
    file = LOWEST if metadata.version("msgspec") == pins(LOWEST)["msgspec"] else NEWEST
    missing = needed - pins(file).keys() - {"raftlab"}
    assert not missing, f"add to {file}: {sorted(missing)}"


def test_jsonschema_stays_below_the_release_that_slows_every_jupyter_process():
    for file in (NEWEST, LOWEST):
        assert Version(pins(file)["jsonschema"]) < Version("4.25")
    assert environment_pins()["jsonschema"] == pins()["jsonschema"]


def test_ci_tries_every_python_that_is_named_as_supported():
    ci = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    tried = ci["jobs"]["unit"]["strategy"]["matrix"]["python"]
    kinds = [line.rpartition(" :: ")[2] for line in project()["classifiers"] if " 3." in line]
    assert tried == kinds


@pytest.mark.parametrize("name", ["ci", "page"])
def test_ci_makes_only_what_the_makefile_has(name):
    workflow = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"run: make (\w+)", workflow)
    assert targets
    for target in targets:
        assert f"\n{target}: " in makefile, target


def test_before_the_page_is_published_every_browser_test_that_has_a_page_is_run():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "page.yml").read_text())
    steps = workflow["jobs"]["build"]["steps"]
    (step,) = (each for each in steps if "make browser" in each.get("run", ""))
    assert step["env"] == {"RAFTLAB_PAGE": "1"}
    (chosen,) = re.findall(r'ARGS="(.*)"', step["run"])
    every = collected("-m", "browser")
    wanted = {each for each in every if re.search(r"/test_page\w*\.py|[\[-]page[\]-]", each)}
    assert len({each.partition("::")[0] for each in wanted}) > 4
    assert wanted <= collected("-m", "browser", *shlex.split(chosen))


def collected(*options: str) -> set[str]:
    """The browser tests that pytest chooses with these options."""
    command = [sys.executable, "-m", "pytest", "tests/browser", "--collect-only", "-q", *options]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line for line in told.splitlines() if "::" in line}


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_lab_trusts_the_notebooks_of_the_project_when_one_of_them_is_new():
    folders = (ROOT / "notebooks", ROOT / "notebooks" / "full")
    notebooks = [path for folder in folders for path in folder.glob("*.ipynb")]
    named = {path.relative_to(ROOT).as_posix() for path in notebooks}
    line = ["make", "-n", "-W", min(named), "lab"]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (trusting,) = [line for line in told.splitlines() if " trust " in line]
    assert {word for word in trusting.split() if word.endswith(".ipynb")} == named
    assert told.index(" trust ") < told.index(" jupyterlab ")


def test_no_exception_of_ruff_stands_in_pyproject_that_nothing_needs():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    bare = ["--config", "lint.per-file-ignores={}", "--output-format", "json", "--no-cache"]
    said = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *bare, "."], cwd=ROOT, capture_output=True
    )
    found = [
        (Path(each["filename"]).relative_to(ROOT), each["code"]) for each in loads(said.stdout)
    ]
    needless = [
        f"{files}: {rule}"
        for files, rules in settings["per-file-ignores"].items()
        for rule in rules
        if not any(fnmatch(str(file), files) and code.startswith(rule) for file, code in found)
    ]
    assert not needless, f"take them out of pyproject.toml: {needless}"
