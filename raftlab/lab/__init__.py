"""The lab: a cluster to see, step and break, in a notebook.

A `Lab` has a `Session` (a run, the frame looked at, the branches: no widget), `Controls`
(widgets, made from the table in `control_table`), a `Stage` (the moving picture, painted by
`static/stage.js`) and a `Renderer`, which shows in the last two what the first one says.

Read the files in this order: front_end, frame_cache, goals, beginnings, branch, sentences,
pasted_text, session; network_settings, parsing, requirements, control_table (what there is to
press, in which size of the lab, and when, as data); selection, fitting, packing, tree,
nodes_table, panels (what is shown, as data and text); widget_factory, controls, stage, renderer,
controller, dispatcher, callbacks, listener, notebook_cells, lab (the widgets, which are loaded
with the first lab); saved_runs, links (for a page that has no notebook around it).
"""

from typing import TYPE_CHECKING, Any

from raftlab.lab.session import Session

if TYPE_CHECKING:
    from raftlab.lab.lab import Lab

__all__ = ["Lab", "Session"]


def __getattr__(name: str) -> Any:
    if name != "Lab":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from raftlab.lab.lab import Lab

    return Lab
