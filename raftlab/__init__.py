"""raftlab: a laboratory for the Raft consensus algorithm.

    import raftlab as rl

    cluster = rl.Cluster(5, seed=7)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster                      # a picture in a notebook; print(cluster) elsewhere
    cluster.lab()                # the same cluster under your hands

Importing it loads neither numpy nor matplotlib nor ipywidgets nor networkx: they are
loaded by the first picture or lab that needs them.
"""

from importlib import import_module
from types import ModuleType

from raftlab.process import Process
from raftlab.raft.log import Command, Empty, LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Misuse, NotLeader, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.compare import Twin, twin
from raftlab.sim.frames.frame import Frame, NodeFrame, Trace
from raftlab.sim.load import load
from raftlab.sim.run.recording import Recording
from raftlab.sim.watch.properties import FIGURE_3, PROPERTIES
from raftlab.sim.world.settings import Disks, Network
from raftlab.sim.world.violation import Violation

__version__ = "0.1.0"

__all__ = [
    "FIGURE_3",
    "PROPERTIES",
    "Cluster",
    "Command",
    "Configuration",
    "Disks",
    "Empty",
    "Frame",
    "LogEntry",
    "Misuse",
    "Network",
    "NodeFrame",
    "NotLeader",
    "NotNow",
    "Options",
    "Process",
    "RaftLog",
    "RaftStateMachine",
    "Recording",
    "Role",
    "Rules",
    "Trace",
    "Twin",
    "Violation",
    "load",
    "twin",
]


def __getattr__(name: str) -> ModuleType:
    """The named situations, `raftlab.scenarios`: loaded when somebody first asks for one."""
    if name == "scenarios":
        return import_module("raftlab.sim.scenarios")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
