"""What can go wrong with a machine in a process of its own: always one kind, told in one sentence."""

from typing import Literal, TypeAlias

FaultKind: TypeAlias = Literal[
    "cannot start",
    "died",
    "hung",
    "flooded",
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
