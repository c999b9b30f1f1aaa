"""What follows `new N` in a transcript: options of the machines, the network, the disks, and rules.

    new 3 complete window=2 write=5 seed=7 rules=counts-old-terms

`OPTIONS` lists them all. `complete` switches every protection on; without it most scenes are
scenes of the paper. A name in `RULES` plants one mistake, to show what a rule is for.
"""

from collections.abc import Callable

from raftlab.raft.options import PROTECTIONS, Options
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Disks, Network


class NoEmptyEntry(Rules):
    """Nothing is appended when a term starts, as in the paper's Figure 8."""

    def appends_at_term_start(self) -> bool:
        return False


class CountsOldTerms(NoEmptyEntry):
    """An entry on a majority is taken for committed, whatever its term."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return max(matched, commit_index)


class ProbesWithoutEntries(Rules):
    """A leader feels its way with heartbeats, as some engines do; this one is no mistake."""

    def entries_for_one_message(self, log, next_index, probing, options):
        return () if probing else super().entries_for_one_message(log, next_index, probing, options)


class BelievesTheLeadersCommit(ProbesWithoutEntries):
    """A follower commits what it holds, verified or not."""

    def follower_commit_index(self, leader_commit, verified, log, commit_index):
        return max(commit_index, min(leader_commit, log.last_index))


class KeepsEveryTail(Rules):
    """What follows a snapshot in the log stays, whether or not the log agrees with it."""

    def keeps_tail(self, log, snapshot):
        return True


class SwitchesAtOnce(Rules):
    """From the old voters straight to the new ones, without a joint configuration."""

    def next_configuration(self, current, target, options):
        return target


class ChangesInAnyTerm(Rules):
    """Single servers come and go before anything of the leader's own term is committed."""

    def may_change_in_term(self, log, commit_index, term, options):
        return True


class ManyChangesAtOnce(Rules):
    """A change may begin while another one is not through."""

    def change_is_pending(self, configuration, configuration_index, commit_index):
        return False


class StaysWhenRemoved(Rules):
    """A leader whom the configuration no longer names leads on."""

    def hands_over_when_removed(self, node, configuration, configuration_index, commit_index):
        return False


class OnlyMembersStand(Rules):
    """Who is no voter of the newest configuration in its log never stands for election."""

    def campaigns(self, node, configuration, previous):
        return configuration.can_vote(node)


class ReadsBeforeItKnows(Rules):
    """A leader answers reads before it has committed an entry of its own term."""

    def may_read(self, log, commit_index, term):
        return True


class ReadsWithoutAsking(Rules):
    """A leader answers reads without asking whether it still leads."""

    def still_led_at(self, acked, configuration):
        return max(acked.values())


RULES: dict[str, type[Rules]] = {
    "no-empty-entry": NoEmptyEntry,
    "counts-old-terms": CountsOldTerms,
    "probes-without-entries": ProbesWithoutEntries,
    "believes-the-leaders-commit": BelievesTheLeadersCommit,
    "keeps-every-tail": KeepsEveryTail,
    "switches-at-once": SwitchesAtOnce,
    "changes-in-any-term": ChangesInAnyTerm,
    "many-changes-at-once": ManyChangesAtOnce,
    "stays-when-removed": StaysWhenRemoved,
    "only-members-stand": OnlyMembersStand,
    "reads-before-it-knows": ReadsBeforeItKnows,
    "reads-without-asking": ReadsWithoutAsking,
}


def numbers(text: str) -> tuple[float, float]:
    """ "5-15" or "10" as a range."""
    low, _, high = text.partition("-")
    return (float(low), float(high or low))


def logs(text: str) -> dict[str, list[int]]:
    """ "S1:1,1,4;S2:1" as terms for each node."""
    pairs = (each.split(":") for each in text.split(";"))
    return {node: [int(term) for term in terms.split(",") if term] for node, terms in pairs}


def switch(text: str) -> bool:
    """ "on" or "off"."""
    return {"on": True, "off": False}[text]


def names(text: str) -> tuple[str, ...]:
    """ "S1,S2" as names."""
    return tuple(text.split(","))


# name of an option -> (where it goes, what it is called there, how its value is read)
OPTIONS: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "election-timeout": ("options", "election_timeout", numbers),
    "heartbeat": ("options", "heartbeat_interval", float),
    "pre-vote": ("options", "pre_vote", switch),
    "check-quorum": ("options", "check_quorum", switch),
    "stickiness": ("options", "leader_stickiness", switch),
    "max-entries": ("options", "max_entries_per_append", int),
    "bytes": ("options", "max_bytes_per_append", int),
    "window": ("options", "max_in_flight", int),
    "uncommitted": ("options", "max_uncommitted_bytes", int),
    "trailing": ("options", "trailing_entries", int),
    "snapshot-timeout": ("options", "snapshot_timeout", float),
    "transfer-timeout": ("options", "transfer_timeout", float),
    "catch-up": ("options", "catch_up_first", switch),
    "single-server": ("options", "single_server_changes", switch),
    "lease": ("options", "lease_reads", switch),
    "drift": ("options", "clock_drift_bound", float),
    "async": ("options", "async_persistence", switch),
    "latency": ("network", "latency", numbers),
    "loss": ("network", "loss", float),
    "duplication": ("network", "duplication", float),
    "reordering": ("network", "reordering", float),
    "write": ("disks", "write_ms", float),
    "waits": ("disks", "waits", switch),
    "keeps": ("disks", "keeps", names),
    "torn": ("disks", "torn", switch),
    "snapshot-every": ("disks", "snapshot_every", int),
    "seed": ("cluster", "seed", int),
    "logs": ("cluster", "logs", logs),
    "rules": ("cluster", "rules", RULES.__getitem__),
    "watched": ("cluster", "watched", switch),
}


def new_cluster(size: str, *settings: str) -> Cluster:
    """A cluster with a steady network and quick disks, unless told otherwise.

    The protections that came after Figure 2 are off unless `complete` is among the settings.
    """
    given: dict[str, dict[str, object]] = {
        "options": {} if "complete" in settings else dict.fromkeys(PROTECTIONS, False),
        "network": {"latency": (10.0, 10.0)},
        "disks": {"write_ms": 0.0},
        "cluster": {},
    }
    for setting in settings:
        if setting != "complete":
            name, _, value = setting.partition("=")
            part, called, read = OPTIONS[name]
            given[part][called] = read(value)
    return Cluster(
        int(size),
        options=Options(**given["options"]),
        network=Network(**given["network"]),
        disks=Disks(**given["disks"]),
        **given["cluster"],
    )
