"""The heading of a campaign's file: what its results depend on, besides the seeds."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from inspect import getsource
from typing import Any

import msgspec

from raftlab.check.campaign.trial import Conditions
from raftlab.check.checkpoint_file import checksum, code_checksum
from raftlab.process import Process
from raftlab.sim.world.arguments import full_name

DECIDING = ("raft/**/*.py", "sim/**/*.py", "check/members.py", "check/campaign/*.py")
"""The files that decide what a seed comes to."""


class Heading(msgspec.Struct, frozen=True):
    """The code that decides, and what was given; classes are told apart by their source, too."""

    campaign: str
    code: str
    rules: str
    machine: str
    given: str


def heading_of(conditions: Conditions) -> Heading:
    """The first line of a campaign's file."""
    rules = conditions.rules
    each = rules if isinstance(rules, Mapping) else {"": rules}
    return Heading(
        campaign=f"raftlab {_version()}",
        code=code_checksum(*DECIDING),
        rules=", ".join(f"{node} {_described(its)}".strip() for node, its in each.items()),
        machine=_described(conditions.machine),
        given=repr(dict(sorted(conditions.given.items()))),
    )


def _version() -> str:
    try:
        return version("raftlab")
    except PackageNotFoundError:
        return "not installed"


def _described(thing: object) -> str:
    """The name of rules or a machine, with a checksum of the source if there is any."""
    if thing is None:
        return "as shipped"
    if isinstance(thing, Process):
        return f"{thing.text} {checksum(thing.files())}"
    kind: Any = thing if isinstance(thing, type) or hasattr(thing, "__name__") else type(thing)
    sources = []
    for each in getattr(kind, "__mro__", (kind,)):
        try:
            sources.append(getsource(each).encode())
        except (OSError, TypeError):  # built in, or typed by hand
            continue
    return f"{full_name(thing)} {checksum(sources)}"
