"""Named situations, one call each: a live cluster that stands at the telling moment.

    from raftlab import scenarios

    cluster = scenarios.figure_8("c")     # the paper's Figure 8 (c)
    cluster.run(100)                      # and on from there
    scenarios.SCENARIOS                   # what there is: name -> Scenario

Each takes a `seed`; the staging is by hand, so that every seed leads to the same kind of
situation (times, terms and names may differ), and the seed decides what comes after it.
`cluster.recording` is the whole run. Where a protection is left out, "before" stops short of
the damage, and "after" is a cluster that stands still, with `violation` set.
"""

from difflib import get_close_matches
from types import ModuleType

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.scenarios import (
    clients,
    deposed,
    disks,
    elections,
    membership,
    replication,
    snapshots,
)
from raftlab.sim.scenarios.clients import (
    deposed_leaders_read,
    follower_read,
    lease_under_clock_drift,
    new_leaders_read,
    read_too_soon,
    retry_applied_twice,
    stale_read,
)
from raftlab.sim.scenarios.deposed import deposed_leader_commits
from raftlab.sim.scenarios.disks import amnesia, answer_before_writing, forgotten_vote, power_cut
from raftlab.sim.scenarios.elections import (
    deaf_leader,
    dueling_candidates,
    duplicated_votes,
    figure_16,
    first_election,
    isolated_leader,
    late_vote,
    leadership_transfer,
    lost_vote,
    outdated_candidate,
    partial_partition,
    paused_leader,
    rejoining_node,
    same_timeouts,
    slow_disk,
    split_vote,
)
from raftlab.sim.scenarios.membership import (
    catch_up,
    crash_while_joint,
    figure_10,
    figure_10_with_joint,
    figure_11,
    learner_caught_up,
    removed_leader,
    removed_server,
    single_server_bug,
    single_server_rule,
)
from raftlab.sim.scenarios.registry import REGISTERED, Scenario
from raftlab.sim.scenarios.replication import (
    figure_7,
    figure_8,
    figure_8_by_counting,
    lagging_follower,
    late_append,
    late_append_cuts,
    minority_partition,
    unanswered_command,
)
from raftlab.sim.scenarios.snapshots import (
    figure_12,
    figure_13,
    snapshot_keeps_conflicting_tail,
    snapshot_meets_agreeing_tail,
    snapshot_meets_conflicting_tail,
)

__all__ = [
    "SCENARIOS",
    "Scenario",
    "amnesia",
    "answer_before_writing",
    "catch_up",
    "crash_while_joint",
    "deaf_leader",
    "deposed_leader_commits",
    "deposed_leaders_read",
    "dueling_candidates",
    "duplicated_votes",
    "figure_7",
    "figure_8",
    "figure_8_by_counting",
    "figure_10",
    "figure_10_with_joint",
    "figure_11",
    "figure_12",
    "figure_13",
    "figure_16",
    "first_election",
    "follower_read",
    "forgotten_vote",
    "isolated_leader",
    "lagging_follower",
    "late_append",
    "late_append_cuts",
    "late_vote",
    "leadership_transfer",
    "learner_caught_up",
    "lease_under_clock_drift",
    "lost_vote",
    "minority_partition",
    "new_leaders_read",
    "outdated_candidate",
    "partial_partition",
    "paused_leader",
    "power_cut",
    "read_too_soon",
    "rejoining_node",
    "removed_leader",
    "removed_server",
    "retry_applied_twice",
    "same_timeouts",
    "scenario",
    "single_server_bug",
    "single_server_rule",
    "slow_disk",
    "snapshot_keeps_conflicting_tail",
    "snapshot_meets_agreeing_tail",
    "snapshot_meets_conflicting_tail",
    "split_vote",
    "stale_read",
    "unanswered_command",
]

TOPICS: tuple[ModuleType, ...] = (
    elections,
    replication,
    deposed,
    disks,
    membership,
    snapshots,
    clients,
)
"""The modules with situations, as the paper goes: its sections 5, 6, 7 and 8."""

SCENARIOS: dict[str, Scenario] = {
    each.name: each for topic in TOPICS for each in REGISTERED[topic.__name__]
}
"""Every named situation: topic by topic, and in a topic as they stand there."""


def scenario(name: str) -> Scenario:
    """The situation of that name. Raises: Misuse, with the nearest names, if there is none."""
    found = SCENARIOS.get(name)
    if found is None:
        near = get_close_matches(str(name), SCENARIOS, n=4, cutoff=0.5)
        said = f"do you mean {' or '.join(near)}?" if near else "SCENARIOS lists them."
        raise Misuse(f"There is no scenario {shown(name)}: {said}")
    return found
