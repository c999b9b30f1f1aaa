"""docs/architecture.md shows the house as it is: its rooms, what each needs, and where things are.

The drawing is made here, from the imports; `pytest tests/test_architecture.py --rewrite` puts it
into the page.
"""

import re
from pathlib import Path

import networkx as nx
import pytest

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
    return set(re.findall(r"`((?:raftlab|tests|docs|notebooks)/[\w/.]*)`", text))


def test_the_page_names_the_files_where_one_adds_things():
    assert len(files_named(PAGE.read_text())) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_room_that_a_page_names_is_there(page):
    named = files_named(page.read_text())
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
