"""What JupyterLab is told to do before it saves a notebook."""

from collections.abc import MutableMapping
from typing import Any

from raftlab.course.notebook_text import LANGUAGE


def forget_version(model: MutableMapping[str, Any], **_: object) -> None:
    """Leave out which Python runs: so a notebook that was opened and saved is what it was.

    JupyterLab writes the kernel's version into every notebook that it opens. This is a
    `pre_save_hook` of its server; `model` is what is about to be saved.
    """
    if model["type"] != "notebook" or model.get("content") is None:
        return
    metadata = model["content"]["metadata"]
    if metadata.get("language_info", {}).get("name") == LANGUAGE["name"]:
        metadata["language_info"] = dict(LANGUAGE)
