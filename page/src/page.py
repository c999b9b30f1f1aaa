"""The lab in a page: its widgets speak to the page in messages, and no Jupyter is needed.

It runs in the worker of the page (`worker.js`), under Pyodide. What the page asks and is told
goes as JSON.
"""

import json
import sys
from types import ModuleType
from typing import Any

from page_messages import tell


def stand_in(name: str, **contents: Any) -> None:
    """What the widgets look for in IPython, and do not need here: saves fifteen packages."""
    made = ModuleType(name)
    made.__dict__.update(contents, __path__=[])
    sys.modules[name] = made


stand_in("IPython", get_ipython=lambda: None, version_info=(9,))
stand_in("IPython.core")
stand_in("IPython.core.interactiveshell", InteractiveShell=type("InteractiveShell", (), {}))
stand_in("IPython.display", display=lambda *_, **__: None, clear_output=lambda *_: None)

import comm
from comm.base_comm import BaseComm


class PageComm(BaseComm):
    """A comm whose messages wait for the next `flush`."""

    waiting: list[dict[str, Any]] = []  # noqa: RUF012
    answered = ""  # the number of the message that is being answered

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
    ) -> None:
        """Put a message among those that wait."""
        self.waiting.append(
            {"kind": msg_type, "comm": self.comm_id, "data": data, "parent": self.answered}
        )


comm.create_comm = PageComm

from raftlab.lab.fitting import Room
from raftlab.lab.front_end import PAGE
from raftlab.lab.lab import Lab
from raftlab.lab.links import followed, opened
from raftlab.lab.saved_runs import RunSaver

lab: Lab
keeper: RunSaver


def start(asked: str) -> None:
    """Make the lab: with what was kept, or at the beginning that the address asks for."""
    global lab, keeper
    wish = json.loads(asked)
    lab = opened(wish["fragment"], PAGE._replace(base=wish["base"]), wish.get("kept", ""))
    lab.controller.make_room(Room(float(wish["room"]["width"]), wish["room"]["low"]))
    keeper = RunSaver(lab)
    if wish.get("kept") and wish["address"] != wish["fragment"]:
        followed(lab, wish["fragment"])
    flush(lab=lab.controls.widget.model_id)


def follow(asked: str) -> None:
    """The address has changed: open what it asks for, or go back to the run that it was of."""
    wish = json.loads(asked)
    followed(lab, wish["fragment"], wish["run"])
    flush()


def receive(number: str, name: str, data: str) -> None:
    """A widget's other half, in the page, has sent a message."""
    PageComm.answered = number
    known = comm.get_comm_manager().comms.get(name)
    if known is not None:
        known.handle_msg({"content": {"comm_id": name, "data": json.loads(data)}, "buffers": []})
    PageComm.answered = ""
    flush()


def kept() -> str:
    """All that was done, as a text."""
    return keeper.kept()


def flush(**more: Any) -> None:
    """Tell the page what has changed, and `more`."""
    tell(json.dumps({"messages": PageComm.waiting, "run": lab.session.branch.number, **more}))
    PageComm.waiting.clear()
