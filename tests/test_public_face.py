"""What `import raftlab` gives: few names, each documented, and nothing heavy loaded."""

import inspect
import subprocess
import sys

import pytest

import raftlab

MOST_NAMES = 26

# What only a picture, a plot, a lab or a course needs.
LATE = {
    "IPython",
    "anywidget",
    "dask",
    "ipywidgets",
    "matplotlib",
    "networkx",
    "numpy",
    "traitlets",
}
LATE_LAYERS = {"raftlab.check", "raftlab.course", "raftlab.lab", "raftlab.view"}


def loaded_by(program: str) -> set[str]:
    """Every module that a fresh Python holds after running a program."""
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ended.stdout.split())


def tops(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


def test_the_public_names_are_few_and_in_order():
    assert len(raftlab.__all__) <= MOST_NAMES
    assert raftlab.__all__ == sorted(raftlab.__all__, key=lambda name: (not name.isupper(), name))
    assert len(set(raftlab.__all__)) == len(raftlab.__all__)


@pytest.mark.parametrize("name", raftlab.__all__)
def test_a_public_name_is_there_and_says_what_it_is(name):
    thing = getattr(raftlab, name)
    if name.isupper():  # a tuple of documented things
        assert all(each.statement for each in thing)
        return
    text = inspect.getdoc(thing)
    assert text
    assert text.split("\n")[0].endswith((".", ":"))
    assert "msgspec" not in text


@pytest.mark.parametrize(
    "name", [name for name in raftlab.__all__ if inspect.isclass(getattr(raftlab, name))]
)
def test_every_public_method_of_a_public_class_says_what_it_does(name):
    kind = getattr(raftlab, name)
    for attribute in dir(kind):
        thing = inspect.getattr_static(kind, attribute)
        function = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
        ours = inspect.isfunction(function) and function.__module__.startswith("raftlab")
        if ours and not attribute.startswith("_"):
            assert inspect.getdoc(getattr(kind, attribute)), f"{name}.{attribute}"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *[(raftlab.Cluster, name) for name in ("__str__", "_repr_mimebundle_", "lab")],
        *[(raftlab.Frame, name) for name in ("__str__", "_repr_mimebundle_")],
        (raftlab.Trace, "_repr_mimebundle_"),
        (raftlab.RaftLog, "_repr_mimebundle_"),
        (raftlab.Recording, "lab"),
    ],
)
def test_a_class_shows_itself_by_a_method_of_its_own(kind, name):
    method = vars(kind)[name]
    assert method.__qualname__ == f"{kind.__name__}.{name}"
    assert method.__module__ == kind.__module__
    assert name != "lab" or inspect.signature(method).return_annotation == "Lab"


def test_public_classes_say_where_they_come_from():
    for name in raftlab.__all__:
        module = getattr(getattr(raftlab, name), "__module__", "raftlab")
        assert module.split(".")[0] == "raftlab" or name.isupper()


def test_a_star_import_gives_the_public_names_and_no_others():
    space: dict[str, object] = {}
    exec("from raftlab import *", space)
    assert set(space) - {"__builtins__"} == set(raftlab.__all__)


def test_importing_it_loads_nothing_heavy_and_no_layer_above_the_simulator():
    modules = loaded_by("import raftlab")
    assert "raftlab.sim.cluster" in modules
    assert not LATE & tops(modules)
    assert not LATE_LAYERS & modules


def test_the_scenarios_are_loaded_when_somebody_asks_for_them():
    assert "raftlab.sim.scenarios" not in loaded_by("import raftlab")
    modules = loaded_by("import raftlab as rl; rl.scenarios.figure_8('c').recording.replay()")
    assert "raftlab.sim.scenarios" in modules
    assert not LATE & tops(modules)
    assert not LATE_LAYERS & modules
    with pytest.raises(AttributeError, match="no attribute 'scenery'"):
        raftlab.scenery  # noqa: B018


def test_running_a_cluster_loads_nothing_heavy_either():
    program = (
        "import raftlab as rl\n"
        "cluster = rl.Cluster(3, seed=1)\n"
        "cluster.elect(); cluster.propose('x=1'); cluster.run(500)\n"
        "cluster.frame(), cluster.trace(), cluster.recording.replay(), repr(cluster)"
    )
    modules = loaded_by(program)
    assert not LATE & tops(modules)
    assert not LATE_LAYERS & modules


def test_the_first_pictures_load_no_other_library():
    program = (
        "import raftlab as rl\n"
        "cluster = rl.Cluster(3, seed=1)\n"
        "cluster.elect(); cluster.propose('x=1'); cluster.run(500)\n"
        "log = cluster.machine('S1').log\n"
        "[each._repr_mimebundle_() for each in (cluster, cluster.frame(), cluster.trace(), log)]\n"
        "str(cluster)\n"
        "from raftlab.view import scene_commit, scene_state_machines, scene_votes\n"
        "[draw(cluster.frame()).svg for draw in (scene_commit, scene_state_machines, scene_votes)]"
    )
    modules = loaded_by(program)
    assert "raftlab.view.scene" in modules
    assert not LATE & tops(modules)
    assert not LATE_LAYERS - {"raftlab.view"} & modules


def test_an_import_needs_no_other_library_than_msgspec():
    modules = loaded_by("import raftlab")
    before = loaded_by("pass")
    others = tops(modules - before) - set(sys.stdlib_module_names) - {"raftlab"}
    assert others <= {"msgspec", "typing_extensions"}  # for which msgspec looks


def test_the_version_is_the_one_that_is_installed():
    from importlib.metadata import version

    assert raftlab.__version__ == version("raftlab")


def test_nonsense_and_what_is_not_possible_now_are_errors_of_two_kinds():
    assert issubclass(raftlab.NotLeader, raftlab.NotNow)
    assert not issubclass(raftlab.NotNow, raftlab.Misuse)
    assert not issubclass(raftlab.Misuse, raftlab.NotNow)
    assert issubclass(raftlab.Misuse, ValueError)
    assert issubclass(raftlab.NotNow, RuntimeError)
    assert not issubclass(raftlab.Violation, raftlab.Misuse | raftlab.NotNow)


def test_a_cluster_shows_what_people_do_with_it_and_leaves_the_rest_to_its_parts():
    names = [name for name in dir(raftlab.Cluster) if not name.startswith("_")]
    assert len(names) <= 55, names
