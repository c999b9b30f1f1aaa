"""The lab: ipywidgets for the controls, and one anywidget that moves the marks of a scene.

Read the files in this order: reel, goals, branch, session (what the lab knows, without a
widget); chosen, packing, panels (what it shows, as plain data and text); keys, stage,
controls, hands, display, deeds, lab (the widgets); and `static/stage.js`, the painter in
the browser.
"""

from raftlab.lab.lab import Lab
from raftlab.lab.session import Session

__all__ = ["Lab", "Session"]
