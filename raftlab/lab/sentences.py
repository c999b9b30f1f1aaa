"""Refusals as sentences, as a lab shows them."""

import re
from collections.abc import Mapping, Sequence

from raftlab.raft.vocabulary import NodeId

ADVISED: Mapping[str, str] = {
    "add_learner": "Add learner",
    "at": "Back",
    "elect": "Play",
    "restart": "Restart",
    "resume": "Resume",
}
"""The buttons that do what a refusal advises to call, by the names of those methods."""

CALL = re.compile(rf"\bcluster\.({'|'.join(ADVISED)})\([^()]*\)")


def as_sentence(refusal: str, nodes: Sequence[NodeId] = ()) -> str:
    """A refusal with a capital letter and a full stop; the name of a node stays as it is.

    What it advises to call is told as the button to press.
    """
    told = CALL.sub(lambda call: f'"{ADVISED[call[1]]}"', refusal)
    named = told.partition(" ")[0] in nodes
    return f"{told[:1] if named else told[:1].upper()}{told[1:].removesuffix('.')}."
