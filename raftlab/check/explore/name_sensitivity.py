"""Whether names make a difference: where they may, states that differ in names are not one.

A student's rule that prefers S1 is a rule like any other. So names are exchanged only where
nobody can look at them: with the shipped machine, whose ties are not broken by name, and with
rules that are shipped, too, or are told no name.
"""

from raftlab.check.explore.scope import Scope
from raftlab.check.explore.start_state import is_under_way
from raftlab.check.explore.symmetry import MOST_NODES
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.actions import Compact, Reconfigure, TransferLeadership

TOLD_NUMBERS = frozenset(
    {
        "appends_at_term_start",
        "has_caught_up",
        "is_about_the_present",
        "is_newer_term",
        "is_stale_term",
        "may_serve_read",
        "may_take_over",
        "next_index_at_term_start",
        "resets_election_timer",
        "takes_command",
        "takes_commands_while_handing_over",
        "waits_after_start",
    }
)
"""The rules that are told numbers and switches only."""

TOLD_A_LOG = frozenset(
    {
        "accepts_append",
        "conflict_index",
        "entries_for_one_message",
        "follower_commit_index",
        "is_still_there",
        "leader_commit_index",
        "match_index_after",
        "may_read",
        "rejection",
        "verified_index",
    }
)
"""Those that are told a log or entries, too: there names stand only in configurations."""

OF_EVERY_CLASS = frozenset({"__module__", "__doc__", "__slots__", "__dict__", "__weakref__"})


def is_alike(cluster: Cluster, scope: Scope) -> bool:
    """Whether all nodes have the same rules, began alike, and none is named."""
    hosts = list(cluster.hosts.values())
    rules = [host.rules for host in hosts]
    alike = all(each is rules[0] for each in rules) or (
        len({type(each) for each in rules}) == 1 and not any(map(has_attributes, rules))
    )
    named = any(
        action.node or isinstance(action, Reconfigure | TransferLeadership)
        for action in scope.actions
    )
    small = len(hosts) <= MOST_NODES
    began_alike = cluster.nodes == cluster.setup.nodes and not any(map(is_under_way, hosts))
    return alike and small and began_alike and not named


def why_names_matter(cluster: Cluster, scope: Scope) -> str | None:
    """Who may look at names; None, if it is known that nobody does."""
    hosts = cluster.hosts.values()
    for host in hosts:
        if host.factory is not RaftStateMachine:
            name = getattr(host.factory, "__name__", type(host.machine).__name__)
            return f"a machine of your own ({name}) may look at names"
    nameless = TOLD_NUMBERS if holds_configurations(cluster, scope) else TOLD_NUMBERS | TOLD_A_LOG
    for rules in {id(host.rules): host.rules for host in hosts}.values():
        looks = sorted(overridden_rules(type(rules)) - nameless)
        if has_attributes(rules) or looks:
            what = f"its {looks[0]}" if looks else "what it holds"
            return f"rules of your own ({type(rules).__name__}: {what}) may look at names"
    return None


def holds_configurations(cluster: Cluster, scope: Scope) -> bool:
    """Whether a log may hold a configuration, or a snapshot with one."""
    compacts = cluster.setup.disks.snapshot_every > 0
    compacts = compacts or any(isinstance(each, Compact) for each in scope.actions)
    disks = [host.disk for host in cluster.hosts.values()]
    return compacts or any(
        disk.snapshot is not None
        or any(isinstance(each.payload, Configuration) for each in disk.log)
        for disk in disks
    )


def overridden_rules(kind: type[Rules]) -> frozenset[str]:
    """What a class of rules has in another way than the shipped one."""
    mine: set[str] = set()
    for each in kind.__mro__:
        if each is Rules:
            break
        mine |= each.__dict__.keys() & set(dir(Rules))
    return frozenset(mine) - OF_EVERY_CLASS


def has_attributes(rules: Rules) -> bool:
    """Whether an object of rules has attributes of its own."""
    slots = [name for kind in type(rules).__mro__ for name in getattr(kind, "__slots__", ())]
    return bool(getattr(rules, "__dict__", None)) or any(hasattr(rules, each) for each in slots)
