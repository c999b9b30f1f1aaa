"""The shortest run that still fails: what can be left out is left out."""

from raftlab.check.shrink.minimize import ShrinkInterrupted, shrink

__all__ = ["ShrinkInterrupted", "shrink"]
