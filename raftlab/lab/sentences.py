"""Refusals as sentences, as a lab shows them."""

from collections.abc import Sequence

from raftlab.raft.vocabulary import NodeId


def as_sentence(refusal: str, nodes: Sequence[NodeId] = ()) -> str:
    """A refusal with a capital letter and a full stop; the name of a node stays as it is."""
    named = refusal.partition(" ")[0] in nodes
    return f"{refusal[:1] if named else refusal[:1].upper()}{refusal[1:].removesuffix('.')}."
