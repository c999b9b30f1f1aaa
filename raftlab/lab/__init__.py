"""The lab: ipywidgets for the controls, and one anywidget that moves the marks of a scene.

Read the files in this order: reel, session, packing, chosen, panels, keys, stage,
controls, lab; and `static/stage.js`, the painter in the browser.
"""

from raftlab.lab.lab import Lab
from raftlab.lab.session import Session

__all__ = ["Lab", "Session"]
