"""Opening a run from a text that somebody pasted, and saying in full why it cannot be opened."""

from raftlab.lab.front_end import NOTEBOOK, FrontEnd
from raftlab.lab.sentences import as_sentence
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.load import opened
from raftlab.sim.resolve import ClassNeeded
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.share import PREFIX, VERSION, TooManySteps, is_shared, text_in
from raftlab.sim.world.arguments import full_name
from raftlab.sim.world.settings import Setup

LONGEST_TEXT = 200_000
"""A field of the page takes no more letters than these, and one."""


def opened_here(text: str, cluster: Cluster, front_end: FrontEnd = NOTEBOOK) -> Recording:
    """The run behind a shared text, or behind a link with one.

    It has the rules of `cluster`, if it was made with those. What cannot be opened is told in
    the words of `front_end`.

    Raises: Misuse, for what is no shared text, or one that cannot be played here.
    """
    text = text_in(text.strip().strip("\"'`").strip())
    if not text:
        raise Misuse("There is no text yet: paste that of a shared run into the field.")
    if len(text) > LONGEST_TEXT:
        raise Misuse(f"A shared run has at most {LONGEST_TEXT:,} letters here, and this has more.")
    if not is_shared(text):
        raise Misuse(f'That is no shared run: one begins with "{PREFIX}.{VERSION}.".')
    if text.endswith("."):
        raise Misuse(f"Nothing comes after {text[:20]!r}: paste the whole text of the run.")
    try:
        return opened(text)
    except TooManySteps as refusal:
        said = f"this text stands for {refusal.steps:,} steps: {front_end.many_steps}"
        said = said.format(steps=refusal.steps)
    except ClassNeeded as needed:
        if (rules := _rules_called(needed.name, cluster)) is not None:
            return _with_rules(rules, text)
        said = f"{needed.what}: {front_end.class_needed.format(argument=needed.argument)}"
    except Misuse as refusal:
        said = str(refusal)
    raise Misuse(as_sentence(said))


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


def _rules_called(name: str, cluster: Cluster) -> Rules | None:
    """The rules of that class which every node of the cluster follows, if they all do."""
    rules = [host.rules for host in cluster.hosts.values()]
    return rules[0] if {full_name(each) for each in rules} == {name} else None


def _with_rules(rules: Rules, text: str) -> Recording:
    try:
        return opened(text, rules)
    except Misuse as refusal:
        raise Misuse(as_sentence(str(refusal))) from None
