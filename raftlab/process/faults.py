"""What can go wrong with a machine in a process: of one kind, and told in one sentence."""

from typing import Literal, TypeAlias, cast, get_args

from raftlab.raft.vocabulary import Misuse, shortened

FaultKind: TypeAlias = Literal[
    "cannot start",
    "died",
    "hung",
    "flooded",
    "storm",
    "not UTF-8",
    "not JSON",
    "wrong shape",
    "out of turn",
    "contradiction",
    "other protocol",
    "too much memory",
    "not deterministic",
]
"""What a machine can do wrong, as a program that speaks lines; not what it can do wrong as Raft."""


NOT_UTF8 = "it said {}, which is no UTF-8"


KINDS = frozenset(get_args(FaultKind))


class MachineFault(RuntimeError):
    """A machine in a process does not keep to the protocol: `kind` says in which way.

    The run stands still at the step in which this was raised, and says whose machine it was.
    What is wrong as Raft is no fault of this kind: properties find that.
    """

    def __init__(self, kind: FaultKind, text: str) -> None:
        super().__init__(kind, text)
        self.kind: FaultKind = kind
        self.text = text

    def __str__(self) -> str:
        return f"{self.text} ({self.kind})"


class CannotStart(MachineFault, Misuse):
    """A machine in a process that does not start: a cluster with it cannot be made."""

    def __str__(self) -> str:
        return self.text


def shown_line(said: bytes) -> str:
    """What was said, for a sentence."""
    return repr(shortened(said.decode(errors="backslashreplace").rstrip("\n")))


def kind_named(name: str) -> FaultKind:
    """The kind of a fault, as a run tells it; of one that is not known here it is the shape."""
    return cast(FaultKind, name) if name in KINDS else "wrong shape"
