"""The lab: ipywidgets for the controls, and one anywidget that moves the marks of a scene.

Read the files in this order: reel, goals, branch, opening, session (what the lab knows, without
a widget); chosen, packing, table, tree, panels, typed (what it shows and what is typed, as
plain data and text); keys, stage, making, further, sharing, controls, hands, cells, display,
deeds, further_deeds, lab (the widgets); and `static/stage.js`, the painter in the browser.
"""

from raftlab.lab.lab import Lab
from raftlab.lab.session import Session

__all__ = ["Lab", "Session"]
