"""Opening a run from a text that somebody pasted, and saying in full why it cannot be opened."""

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.load import opened
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.share import MARK, VERSION, is_shared
from raftlab.sim.world.arguments import full_name
from raftlab.sim.world.settings import Setup

LONGEST_TEXT = 200_000
"""A field of the page takes no more letters than these, and one."""

NEEDED = ": hand the class over, as "
ASKED = " if they are asked for, with "
HERE = "this run cannot be played here: "


def opened_here(text: str, cluster: Cluster) -> Recording:
    """The run behind a shared text, with the rules of `cluster` if it was made with those.

    Raises: Misuse, for what is no shared text, or one that cannot be played here.
    """
    text = text.strip().strip("\"'`").strip()
    if not text:
        raise Misuse("There is no text yet: paste that of a shared run into the field.")
    if len(text) > LONGEST_TEXT:
        raise Misuse(f"A shared run has at most {LONGEST_TEXT:,} letters here, and this has more.")
    if not is_shared(text):
        raise Misuse(f'That is no shared run: one begins with "{MARK}.{VERSION}.".')
    try:
        return opened(text)
    except Misuse as refusal:
        said = str(refusal)
        if f"{_rules_named(cluster)}, which is not" in said:
            return _with_rules_of(cluster, text)
    what, asked, steps = said.partition(ASKED)
    if asked:
        what = what.partition(", and more than")[0]
        use = f"raftlab.load(text, {steps}).lab()"
        raise Misuse(_sentence(f"{what}: to play so many, use {use} in a cell"))
    what, needed, argument = said.partition(NEEDED)
    if needed:
        what = what.removeprefix(HERE)
        what += f": define the class in a cell, and use raftlab.load(text, {argument}…).lab()"
    raise Misuse(_sentence(what))


def classes_needed(setup: Setup) -> dict[str, str]:
    """The classes of a reader's own that a run was made with, by the argument they belong to.

    They are told in short; "…" stands for more than one.
    """
    used = {"rules": {name for _, name in setup.rules}, "machine": {setup.machine}}
    return {
        argument: "…" if len(names) > 1 else names.pop().rpartition(":")[2].rpartition(".")[2]
        for argument, names in used.items()
        if not all(name.startswith("raftlab.") for name in names)
    }


def _rules_named(cluster: Cluster) -> str:
    """The class of rules that every node of the cluster follows, as refusals name it."""
    kinds = {type(host.rules) for host in cluster.hosts.values()}
    module, _, path = full_name(kinds.pop()).partition(":")
    return "more than one class" if kinds else f"{shown(path)} of {shown(module)}"


def _with_rules_of(cluster: Cluster, text: str) -> Recording:
    rules = next(iter(cluster.hosts.values())).rules
    try:
        return opened(text, rules)
    except Misuse as refusal:
        raise Misuse(_sentence(str(refusal))) from None


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."
