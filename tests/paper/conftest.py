"""Section 5 is about the paper's Figure 2: its tests hold for the machine that is nothing more."""

import pytest

from raftlab.raft.figure2 import Figure2
from raftlab.raft.machine import RaftStateMachine
from raftlab.sim.cluster import Cluster
from tests.raft import world


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.rpartition(".")[2].startswith("test_section_5_"):
        kinds = (RaftStateMachine, Figure2)
        metafunc.parametrize("kind_of_machine", kinds, ids=["whole", "Figure2"], indirect=True)


@pytest.fixture(autouse=True)
def kind_of_machine(request, monkeypatch):
    """What plays, in every cluster and every world that names no machine."""
    kind = getattr(request, "param", RaftStateMachine)
    monkeypatch.setattr(world, "MACHINE", kind)
    monkeypatch.setitem(Cluster.__init__.__kwdefaults__, "machine", kind)
