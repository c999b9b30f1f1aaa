"""docs/architecture.md shows the house as it is: its rooms, what each needs, and where things are.

The drawing is made here, from the imports; `pytest tests/test_architecture.py --rewrite` puts it
into the page.
"""

import ast
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from raftlab import Cluster, load
from raftlab.sim.fixtures import until_sent, with_entry
from tests.test_imports import (
    PACKAGE,
    imports_of,
    modules_of,
    named_for_types,
    shows_itself,
    within,
)

PAGE = PACKAGE.parent / "docs" / "architecture.md"
ROOT = PACKAGE.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```mermaid\n.*?```", re.DOTALL)


BUILT = {"page/dist"}
"""What a page names and only `make` writes."""

DOORS = {"raft/machine.py"}
"""Files that join what stands in the rooms of their folder: each is a room of its own."""


def room_of(path: Path, package: Path) -> str:
    """The folder of a module: its room; the package's own for what stands at its door."""
    if (name := path.relative_to(package).as_posix()) in DOORS:
        return name
    folder = path.relative_to(package).parent
    return "raftlab" if folder == Path() else folder.as_posix()


def rooms(package: Path) -> nx.DiGraph:
    """The rooms of a package, with an arrow from each to those that it imports from.

    A package's own `__init__` shows what its modules hold, and is left out; so is what is named
    for types only, where two name each other.
    """
    modules, graph = modules_of(package), nx.DiGraph()
    for name in modules:
        graph.add_node(room_of(modules[name], package))
    for each in within(imports_of(package), package):
        if each.module not in modules or modules[each.importer].name == "__init__.py":
            continue
        if named_for_types(each) or shows_itself(each, package):
            continue
        here, there = (room_of(modules[one], package) for one in (each.importer, each.module))
        if here != there:
            graph.add_edge(here, there)
    return graph


def drawing(graph: nx.DiGraph) -> str:
    """The rooms as a Mermaid flowchart; an arrow that others lead along is left out."""
    lines = ["```mermaid", "flowchart TD"]
    names = {room: f"r{place}" for place, room in enumerate(sorted(graph))}
    lines += [f'    {names[room]}["{room}"]' for room in sorted(graph)]
    arrows = sorted(nx.transitive_reduction(graph).edges)
    lines += [f"    {names[here]} --> {names[there]}" for here, there in arrows]
    return "\n".join([*lines, "```"])


def test_no_two_rooms_need_each_other():
    circles = list(nx.simple_cycles(rooms(PACKAGE)))
    assert not circles, f"rooms that import each other, each from the next: {circles}"


def test_two_rooms_that_need_each_other_are_seen(tmp_path):
    package = tmp_path / "raftlab"
    for name, source in {
        "sim/world/host.py": "def f():\n    from raftlab.sim.watch import properties",
        "sim/watch/properties.py": "from raftlab.sim.world import disk",
        "sim/world/disk.py": "",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)
    assert len(list(nx.simple_cycles(rooms(package)))) == 1


def test_the_page_draws_the_rooms_as_they_are(rewrite):
    if not nx.is_directed_acyclic_graph(graph := rooms(PACKAGE)):
        pytest.fail("no drawing of rooms that need each other: see the test before")
    page, drawn = PAGE.read_text(), drawing(graph)
    if rewrite:
        page = BLOCK.sub(lambda _: drawn, page, count=1)
        PAGE.write_text(page)
    assert drawn in page, "other rooms or arrows: pytest tests/test_architecture.py --rewrite"


def files_named(text: str) -> set[str]:
    return set(re.findall(r"`((?:raftlab|tests|docs|notebooks|page)/[\w/.-]*)`", text)) - BUILT


def test_the_page_names_the_files_where_one_adds_things():
    assert len(files_named(PAGE.read_text())) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_room_that_a_page_names_is_there(page):
    named = files_named(page.read_text())
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_page_names_every_file_with_its_folder():
    named = re.findall(r"`([\w/.-]+\.(?:py|js|mjs|json|md|txt))`", PAGE.read_text())
    assert [each for each in named if each not in {"stage.js"} and not (ROOT / each).exists()] == []


# Names of things in the code

NAME = r"`@?(?:self\.|raftlab\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`"
FILE = r"`((?:raftlab|tests)/[\w/]+\.py)`"
IN_A_FILE = re.compile(rf"{NAME}\s+(?:\(|in\s+){FILE}")


def defined_in(path: Path) -> set[str]:
    """Every class, function and variable of a module, and what a class has, as `Class.name`."""
    found: set[str] = set()

    def note(body: list[ast.stmt], of: str = "") -> None:
        for each in body:
            match each:
                case ast.FunctionDef(name=name):
                    found.add(of + name)
                case ast.ClassDef(name=name, body=inside):
                    found.add(of + name)
                    note(inside, f"{name}.")
                case ast.Assign(targets=[ast.Name(id=name)]):
                    found.add(of + name)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(of + name)

    note(ast.parse(path.read_text()).body)
    return found


def misplaced(text: str) -> list[str]:
    """What a text says stands in a file, and does not."""
    said = [(name, ROOT / file) for name, file in IN_A_FILE.findall(text)]
    return [name for name, file in said if file.exists() and name not in defined_in(file)]


def unknown(text: str) -> list[str]:
    """Names in a text of which a part is defined nowhere in the package or in its tests."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    code = "\n".join(file.read_text() for file in files)

    def is_defined(name: str) -> bool:
        made = rf"(?:def|class) {name}\b|{name}(?:: [^=\n]+)? = |\"{name}\",$"
        return re.search(rf"^ *(?:{made})", code, re.MULTILINE) is not None

    named = set(re.findall(NAME, BLOCK.sub("", text))) - {"stage.js"}
    return sorted(each for each in named if not all(map(is_defined, each.split("."))))


def test_what_the_page_says_stands_in_a_file_stands_there():
    assert len(IN_A_FILE.findall(PAGE.read_text())) >= 20
    assert misplaced(PAGE.read_text()) == []


def test_every_name_on_the_page_is_one_of_the_code():
    assert unknown(PAGE.read_text()) == []


def test_a_name_that_is_gone_is_seen():
    nowhere = "NOWHERE" + "_AT_ALL"
    gone = f"`Engine.advanceth` (`raftlab/sim/world/engine.py`), `{nowhere}` and `self._rules`"
    assert misplaced(gone) == ["Engine.advanceth"]
    assert unknown(gone) == ["Engine.advanceth", nowhere]


# The three ways through the house

WAY_MARK = re.compile(r"`((?:[A-Z]\w+\.\w+)|(?:raftlab/[\w/]+(?:\.py|/)))`")
TABLES = {"raftlab/lab/control_table.py"}
"""What is read on the way, and not called."""


def way_told(name: str) -> list[str]:
    """The files, folders and methods of one way, in the order in which the page tells them."""
    (told,) = (each for each in PAGE.read_text().split("\n\n") if each.startswith(f"**{name}.**"))
    return [each for each in WAY_MARK.findall(told) if each not in TABLES]


def calls_of(happen: Callable[[], object]) -> list[tuple[str, str]]:
    """The file and the name of every function of the package that is called, in order."""
    calls: list[tuple[str, str]] = []

    def note(frame: Any, what: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if what == "call" and file.is_relative_to(PACKAGE):
            calls.append((file.relative_to(ROOT).as_posix(), frame.f_code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        happen()
    finally:
        sys.setprofile(before)
    return calls


def lost_on(way: Sequence[str], calls: Sequence[tuple[str, str]]) -> str | None:
    """The first mark of a way that is not come to after the marks before it, if there is one."""
    place = 0
    for mark in way:
        here = range(place, len(calls))
        found = [each for each in here if calls[each][1] == mark or calls[each][0].startswith(mark)]
        if not found:
            return mark
        place = found[0]
    return None


def a_message() -> None:
    cluster = three_servers()
    number = until_sent(cluster, "S1", "S2", with_entry(2))
    cluster.run_until(lambda each: all(flight.number != number for flight in each.in_flight()))


def three_servers() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    return cluster


@pytest.fixture
def ways() -> dict[str, Callable[[], object]]:
    return {
        "A message": a_message,
        "A click in the lab": three_servers().lab().crash_button.click,
        "A shared text": lambda: load(three_servers().recording.share()),
    }


@pytest.mark.parametrize("name", ["A message", "A click in the lab", "A shared text"])
def test_a_way_through_the_house_is_told_as_it_goes(name, ways):
    way = way_told(name)
    assert len(way) >= 7
    assert lost_on(way, calls_of(ways[name])) is None


def test_a_way_that_is_told_in_another_order_is_seen(ways):
    calls = calls_of(ways["A click in the lab"])
    assert lost_on(["Renderer.draw", "Session.do"], calls) == "Session.do"
    assert lost_on(["raftlab/lab/session.py", "raftlab/check/"], calls) == "raftlab/check/"
