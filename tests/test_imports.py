"""Imports go one way, and heavy libraries stay where they are drawn with.

The imports are read, not run, so that one inside a function or under TYPE_CHECKING counts
like any other: what is imported upward anywhere cannot be understood alone.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[1] / "raftlab"

# Each layer may import those before it. What stands at the root of the package is above them all.
LAYERS = ["raft", "sim", "process", "check", "museum", "view", "lab", "course", "grading"]
ROOT_LAYER = "root"

# Each file of raft may import those before it; a file not listed comes after them all.
RAFT_ORDER = [
    "vocabulary", "log", "messages", "quorum", "votes", "progress", "roles", "options",
    "rules", "output", "node", "figure2.replication", "figure2.elections", "figure2",
    "thesis.protections", "thesis.flow_control", "thesis.transfer", "thesis.membership",
    "thesis.snapshots", "thesis.reads", "thesis.persistence", "machine",
]  # fmt: skip

# The part of the standard library that neither tells the time nor touches the world.
PURE = {
    "__future__", "abc", "array", "bisect", "collections", "contextlib", "copy", "dataclasses",
    "enum", "fractions", "functools", "hashlib", "heapq", "itertools", "math", "operator",
    "random", "re", "reprlib", "statistics", "string", "struct", "textwrap", "types", "typing",
    "zlib",
}  # fmt: skip

# What makes two runs of one seed differ.
UNREPEATABLE = {
    "asyncio", "concurrent", "datetime", "multiprocessing", "secrets", "socket", "threading",
    "time", "uuid",
}  # fmt: skip

ANYWHERE, IN_FUNCTIONS = "anywhere", "only inside functions"

# Which library a layer may use, and how. What is not here, nobody may use.
LIBRARIES = {
    "raft": {"msgspec": ANYWHERE},
    "sim": {"msgspec": ANYWHERE},
    "process": {"msgspec": ANYWHERE},
    "check": {
        "msgspec": ANYWHERE,
        "networkx": ANYWHERE,
        "cloudpickle": IN_FUNCTIONS,
        "distributed": IN_FUNCTIONS,
    },
    "museum": {"msgspec": ANYWHERE},
    "view": {"msgspec": ANYWHERE, "networkx": ANYWHERE, "IPython": IN_FUNCTIONS},
    "lab": {
        "msgspec": ANYWHERE,
        "anywidget": ANYWHERE,
        "ipywidgets": ANYWHERE,
        "traitlets": ANYWHERE,
        "IPython": ANYWHERE,
    },
    "course": {
        "msgspec": ANYWHERE,
        "anywidget": ANYWHERE,
        "traitlets": ANYWHERE,
        "ipywidgets": IN_FUNCTIONS,
        "IPython": IN_FUNCTIONS,
        "nbclient": IN_FUNCTIONS,
        "nbformat": IN_FUNCTIONS,
    },
    "grading": {
        "msgspec": ANYWHERE,
        "jinja2": IN_FUNCTIONS,
        "nbformat": IN_FUNCTIONS,
    },
    ROOT_LAYER: {"msgspec": ANYWHERE},
}
PLOTTING = {"matplotlib", "mpl_toolkits", "numpy"}  # only inside functions, and only in these:
PLOTTERS = ("view.plot", "view.charts")

# The one exception to the layers: a class may show itself, so in these methods it imports its
# picture, its text, its graph or its lab; the types of the last two may be named where types are
# checked.
SHOWING = {"_repr_mimebundle_", "__str__", "graph", "lab"}
SHOWN_TYPES = {("lab", "Lab"), ("view", "Graph")}

# For types, the one names the other: a cluster gives its recording, and a recording makes clusters;
# a question shows its widget, and the widget asks the question.
NAME_EACH_OTHER = {
    ("sim.run.recording", "sim.cluster"),
    ("course.question_widget", "course.question"),
}


@dataclass(frozen=True)
class Import:
    """One imported name: `importer` needs `module`, and `name` of it if there is one."""

    importer: str
    line: int
    module: str
    name: str | None
    in_function: bool
    for_types_only: bool
    method: str | None = None

    def __str__(self) -> str:
        what = f"{self.module}.{self.name}" if self.name else self.module
        return f"{self.importer}, line {self.line}, imports {what}"


def modules_of(package: Path) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(package: Path) -> list[Import]:
    """Every import in the package, wherever it stands."""
    modules = modules_of(package)
    found: list[Import] = []
    for name, path in modules.items():
        tree = ast.parse(path.read_text(), str(path))
        home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        for node, *where in walk(tree):
            for module, member in targets(node, home, modules):
                found.append(Import(name, node.lineno, module, member, *where))
    return found


def walk(
    node: ast.AST,
    in_function: bool = False,
    for_types_only: bool = False,
    method: str | None = None,
) -> Iterator[tuple[Any, bool, bool, str | None]]:
    """Each node: is it in a function, under TYPE_CHECKING, and in which method of a class."""
    yield node, in_function, for_types_only, method
    in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    type_block = (
        node.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) else []
    )
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.ClassDef):
            method = child.name if isinstance(child, ast.FunctionDef) else None
        yield from walk(child, in_function, for_types_only or child in type_block, method)


def targets(
    node: ast.AST, home: list[str], modules: dict[str, Path]
) -> Iterator[tuple[str, str | None]]:
    """(module, name in it) for each thing the statement imports; `import_module("x")` counts."""
    match node:
        case ast.Import():
            yield from ((alias.name, None) for alias in node.names)
        case ast.ImportFrom():
            above = home[: len(home) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                if f"{base}.{alias.name}" in modules:
                    yield f"{base}.{alias.name}", None
                else:
                    yield base, alias.name
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(module)), *_],
        ):
            yield module, None


def layer_of(module: str) -> str:
    _, layer, *_ = [*module.split("."), ""]
    return layer if layer in LAYERS else ROOT_LAYER


def height(module: str) -> int:
    return [*LAYERS, ROOT_LAYER].index(layer_of(module))


def within(imports: list[Import], package: Path) -> list[Import]:
    return [i for i in imports if i.module.split(".")[0] == package.name]


def libraries(imports: list[Import], package: Path) -> list[tuple[Import, str]]:
    """The imports of other people's packages, each with that package's name."""
    ours = {package.name, *sys.stdlib_module_names}
    tops = [(i, i.module.split(".")[0]) for i in imports]
    return [(i, top) for i, top in tops if top not in ours]


# The rules. Each yields what breaks it in a package.


def upward(package: Path) -> Iterator[str]:
    for i in within(imports_of(package), package):
        if height(i.module) > height(i.importer) and not shows_itself(i, package):
            yield f"{i}: {layer_of(i.importer)} is below {layer_of(i.module)}"


def shows_itself(i: Import, package: Path) -> bool:
    shown = {(f"{package.name}.{layer}", name) for layer, name in SHOWN_TYPES}
    is_type = i.for_types_only and (i.module, i.name) in shown
    return i.method in SHOWING or is_type


def named_for_types(i: Import) -> bool:
    pair = (i.importer.removeprefix("raftlab."), i.module.removeprefix("raftlab."))
    return i.for_types_only and pair in NAME_EACH_OTHER


def within_raft(package: Path) -> list[Import]:
    imports = within(imports_of(package), package)
    return [i for i in imports if layer_of(i.importer) == layer_of(i.module) == "raft"]


def out_of_order_in_raft(package: Path) -> Iterator[str]:
    after_all = len(RAFT_ORDER)

    def place(module: str) -> int:
        _, _, name = module.partition(".raft.")
        if not name:  # raft/__init__.py shows what the others hold
            return after_all + 1
        return RAFT_ORDER.index(name) if name in RAFT_ORDER else after_all

    for i in within_raft(package):
        if place(i.module) > place(i.importer):
            yield f"{i}, which comes later"


def circle(package: Path) -> Iterator[str]:
    """Modules that need each other, in functions and for types, too: none can be read alone."""
    needs: dict[str, set[str]] = {}
    for i in within(imports_of(package), package):
        if i.importer != i.module and not (shows_itself(i, package) or named_for_types(i)):
            needs.setdefault(i.importer, set()).add(i.module)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        yield " <- ".join(error.args[1])


def impure_in_raft(package: Path) -> Iterator[str]:
    for i in imports_of(package):
        top = i.module.split(".")[0]
        if layer_of(i.importer) == "raft" and top not in PURE | {"msgspec", package.name}:
            yield str(i)


def unrepeatable(package: Path) -> Iterator[str]:
    for i in imports_of(package):
        if layer_of(i.importer) in ("raft", "sim") and i.module.split(".")[0] in UNREPEATABLE:
            yield str(i)


def global_randomness(package: Path) -> Iterator[str]:
    """`random` is there for `random.Random(seed)`; its functions share one hidden state."""
    for i in imports_of(package):
        if i.module == "random" and i.name not in (None, "Random"):
            yield str(i)
    for name, path in modules_of(package).items():
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(value=ast.Name(id="random"), attr=attr) if attr != "Random":
                    yield f"{name}, line {node.lineno}, uses random.{attr}"
                case ast.Call(
                    func=ast.Name(id="Random") | ast.Attribute(attr="Random"), args=[], keywords=[]
                ):
                    yield f"{name}, line {node.lineno}, makes a Random without a seed"


def live_machines_in_pictures(package: Path) -> Iterator[str]:
    machines = {f"{package.name}.raft.machine", f"{package.name}.sim.cluster"}
    for i in imports_of(package):
        reader = (
            layer_of(i.importer) == "view" or i.importer == f"{package.name}.sim.watch.properties"
        )
        if reader and (i.module in machines or i.name in ("RaftStateMachine", "Cluster")):
            yield f"{i}: frames only"


def library_out_of_place(package: Path) -> Iterator[str]:
    for i, library in libraries(imports_of(package), package):
        if library in PLOTTING:
            continue
        leave = LIBRARIES[layer_of(i.importer)].get(library)
        if leave is None or (leave == IN_FUNCTIONS and not (i.in_function or i.for_types_only)):
            yield f"{i}: in {layer_of(i.importer)}, {library} is {leave or 'not for use'}"


def plotting_out_of_place(package: Path) -> Iterator[str]:
    for i, library in libraries(imports_of(package), package):
        if library in PLOTTING:
            if i.importer.removeprefix(f"{package.name}.") not in PLOTTERS:
                yield f"{i}: only {' and '.join(PLOTTERS)} plot"
            elif not (i.in_function or i.for_types_only):
                yield f"{i} before anybody plots"


RULES = [
    upward,
    out_of_order_in_raft,
    circle,
    impure_in_raft,
    unrepeatable,
    global_randomness,
    live_machines_in_pictures,
    library_out_of_place,
    plotting_out_of_place,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_import_breaks_a_rule(rule):
    broken = list(rule(PACKAGE))
    assert not broken, "\n".join(broken)


OFFENCES = [
    (upward, "raft/log.py", "def f():\n    from raftlab.sim.frames.frame import Frame"),
    (upward, "raft/log.py", "if TYPE_CHECKING:\n    from ..view import marks"),
    (upward, "sim/frame.py", "import_module('raftlab.view')"),
    (upward, "view/svg.py", "from raftlab import lab"),
    (upward, "lab/app.py", "import raftlab.course"),
    (upward, "course/grade.py", "from raftlab import __version__"),
    (out_of_order_in_raft, "raft/log.py", "from raftlab.raft.messages import Message"),
    (out_of_order_in_raft, "raft/output.py", "from . import machine"),
    (out_of_order_in_raft, "raft/machine.py", "from raftlab.raft import Rules"),
    (circle, "raft/machine.py", "from raftlab.raft import replication"),
    (upward, "sim/frame.py", "def __str__(frame):\n    from raftlab.view import svg"),
    (upward, "sim/frame.py", "class F:\n    def plot(self):\n        from raftlab.view import svg"),
    (upward, "sim/frame.py", "class F:\n    from raftlab.view import svg"),
    (upward, "sim/frame.py", "if TYPE_CHECKING:\n    from raftlab.lab import Stage"),
    (upward, "sim/frame.py", "from raftlab.lab import Lab"),
    (upward, "raft/log.py", "if TYPE_CHECKING:\n    from raftlab.view import Lab"),
    (circle, "sim/frame.py", "def f():\n    from raftlab.sim import cluster"),
    (circle, "view/marks.py", "if TYPE_CHECKING:\n    from raftlab.view import svg"),
    (impure_in_raft, "raft/machine.py", "import os"),
    (impure_in_raft, "raft/machine.py", "import networkx"),
    (unrepeatable, "sim/frame.py", "from time import monotonic"),
    (global_randomness, "sim/frame.py", "import random\nrandom.shuffle([])"),
    (global_randomness, "sim/frame.py", "from random import choice"),
    (global_randomness, "sim/frame.py", "import random\nrandom.Random()"),
    (live_machines_in_pictures, "view/svg.py", "from raftlab.raft import RaftStateMachine"),
    (live_machines_in_pictures, "sim/watch/properties.py", "from .cluster import Cluster"),
    (library_out_of_place, "sim/frame.py", "import networkx as nx"),
    (library_out_of_place, "view/svg.py", "import ipywidgets"),
    (library_out_of_place, "course/grade.py", "import ipywidgets"),
    (library_out_of_place, "check/campaign.py", "def f():\n    from dask import delayed"),
    (library_out_of_place, "check/campaign.py", "import distributed"),
    (plotting_out_of_place, "view/plot.py", "import matplotlib.pyplot"),
    (plotting_out_of_place, "view/svg.py", "def f():\n    import numpy"),
]

HARMLESS = {
    "raft/log.py": "import random\nfrom raftlab.raft.vocabulary import Term\nrandom.Random(7)",
    "raft/vocabulary.py": "from typing import NewType",
    "raft/messages.py": "",
    "raft/output.py": "",
    "raft/machine.py": "import msgspec\nfrom .log import RaftLog",
    "raft/replication.py": "from raftlab.raft import machine",
    "raft/__init__.py": "from raftlab.raft.machine import RaftStateMachine",
    "sim/frame.py": "import json\nfrom raftlab.raft import RaftStateMachine",
    "sim/cluster.py": "from raftlab.sim.run import recording\nfrom raftlab.sim import frame",
    "sim/run/recording.py": "if TYPE_CHECKING:\n    from raftlab.sim.cluster import Cluster",
    "sim/watch/properties.py": "from raftlab.sim.frames.frame import Frame",
    "view/__init__.py": "",
    "view/marks.py": "",
    "view/svg.py": "import networkx as nx\nfrom raftlab.view import marks",
    "sim/shown.py": "if TYPE_CHECKING:\n    from raftlab.lab import Lab\n"
    "class F:\n    def _repr_mimebundle_(self):\n        from raftlab.view import svg\n"
    "    def __str__(self):\n        from raftlab.view import svg\n"
    "    def lab(self):\n        from raftlab.lab import Lab",
    "view/charts.py": "def f():\n    import matplotlib",
    "view/plot.py": "if TYPE_CHECKING:\n    from matplotlib.axes import Axes\n"
    "def f():\n    from matplotlib import pyplot",
    "lab/__init__.py": "",
    "lab/app.py": "import ipywidgets",
    "course/grade.py": "def f():\n    import ipywidgets",
    "check/campaign.py": "import time",
    "__init__.py": "from raftlab.view import svg\ndef __getattr__(name):\n    import raftlab.lab",
}


def write_package(folder: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        path = folder / "raftlab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source + "\n")
    return folder / "raftlab"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_is_content_with_a_package_that_keeps_it(rule, tmp_path):
    assert list(rule(write_package(tmp_path, HARMLESS))) == []


@pytest.mark.parametrize(
    ("rule", "file", "source"), OFFENCES, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_rule_sees_what_breaks_it(rule, file, source, tmp_path):
    package = write_package(tmp_path, HARMLESS | {file: source})
    assert len(list(rule(package))) == 1


def test_importing_raftlab_loads_no_heavy_library():
    heavy = {
        "numpy",
        "matplotlib",
        "ipywidgets",
        "anywidget",
        "networkx",
        "IPython",
        "dask",
        "distributed",
        *("hashlib", "pickle", "tempfile"),  # a fifth of the time that all of it takes
    }
    program = "import sys, raftlab; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "raftlab" in loaded
    assert not heavy & set(loaded)
