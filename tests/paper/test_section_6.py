"""Section 6: cluster membership changes, with Figures 10 and 11 as runs."""

import pytest

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.options import Options
from raftlab.raft.quorum import is_quorum, quorum_index
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import FIGURE_3
from raftlab.sim.world.violation import Violation
from tests.paper.runs import PLAIN, held, leads, led, settled, value, wins
from tests.raft.world import (
    World,
    accepted,
    append,
    append_of,
    candidate,
    drain,
    leader,
    let_time_out,
    machine,
    names,
    propose,
    tell,
    terms_of,
    vote,
    vote_request,
)

OLD = Configuration(("S1", "S2", "S3"))
NEW = Configuration(("S3", "S4", "S5"))
JOINT = OLD.joint_with(NEW)

ENOUGH = [
    ((), False),
    (("S2", "S3"), False),
    (("S4", "S5"), False),
    (("S3",), False),
    (("S3", "S4"), True),
    (("S2", "S4"), False),
    (("S2", "S4", "S5"), True),
    (("S2", "S3", "S4", "S5"), True),
]
"""Who agrees with S1, which belongs to the old configuration, and whether that is enough."""


def joint(node: str = "S1") -> dict[str, object]:
    """A node whose only entry is the joint configuration, which nobody calls committed."""
    return {"node": node, "configuration": OLD, "held": RaftLog([LogEntry(1, 1, JOINT)]), "term": 1}


class SwitchesDirectly(Rules):
    """Goes from the old configuration to the new one in one step."""

    def next_configuration(self, current, target, options):
        return target


class OneBigGroup(Rules):
    """While joint, a majority of all servers together is enough."""

    def tally_vote(self, votes):
        everybody = type(votes)(Configuration(votes.voters))
        for voter, granted in votes.answers.items():
            everybody.register_vote(voter, granted)
        return everybody.tally_vote()

    def majority_match_index(self, match_indexes, configuration):
        return quorum_index(match_indexes, Configuration(configuration.all_voters))


# Figure 10: why not directly


def figure_10(rules: type[Rules] = Rules) -> Cluster:
    """S3 leads S1 S2 S3 and adds S4 and S5; S1 and S2 hear nothing of that. Two servers campaign.

    The arrow of the figure: S1 can win in the old configuration, S5 in the new one.
    """
    cluster = led("S3", rules=rules)
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    cluster.run(60)
    assert cluster.machine("S1").configuration == OLD
    assert set(cluster.machine("S5").configuration.voters) == set(names(5))
    cluster.timeout("S1")
    cluster.timeout("S5")
    cluster.run(100)
    return cluster


def test_no_switch_is_atomic_so_the_cluster_can_fall_into_two_majorities():
    """Paper: 6, Figure 10. Servers switch one by one; meanwhile two majorities need not meet."""
    five = Configuration(names(5))
    assert is_quorum(("S1", "S2"), OLD) and is_quorum(("S3", "S4", "S5"), five)
    both = Configuration(five.voters, OLD.voters)
    assert not is_quorum(("S1", "S2"), both) and not is_quorum(("S3", "S4", "S5"), both)


def test_figure_10_a_direct_switch_elects_two_leaders_in_one_term():
    """Paper: 6, Figure 10. With a direct switch, each of the two majorities elects its own."""
    with pytest.raises(Violation) as stopped:
        figure_10(SwitchesDirectly)
    assert stopped.value.frame.name == "Election Safety"
    assert set(stopped.value.frame.nodes) == {"S1", "S5"}


def test_figure_10_through_a_joint_configuration_one_of_them_wins():
    """Paper: 6. With the joint configuration between, the newcomers' side cannot decide alone."""
    cluster = figure_10()
    assert leads(cluster, "S1") and not leads(cluster, "S5")
    assert cluster.machine("S3").configuration.is_joint
    assert cluster.machine("S3").commit_index == 1


def test_one_majority_of_the_union_would_not_do():
    """Paper: 6. A majority of each, that is: to count all as one group is Figure 10 again."""
    with pytest.raises(Violation) as stopped:
        figure_10(OneBigGroup)
    assert stopped.value.frame.name == "Election Safety"


# The joint configuration


def test_while_joint_entries_go_to_all_servers_of_both_configurations():
    """Paper: 6, joint consensus, first rule. Every entry is replicated to old and new servers."""
    node = leader(**joint(), quiet=False)
    first = drain(node).messages
    assert {each.receiver for each in first if each.entries} == {"S2", "S3", "S4", "S5"}


@pytest.mark.parametrize("node", names(5))
def test_while_joint_a_server_of_either_configuration_may_lead(node):
    """Paper: 6, joint consensus, second rule. Old, new and common servers can all be elected."""
    standing = candidate(**joint(node))
    for voter in names(5):
        if standing.role is Role.CANDIDATE and voter != node:
            tell(standing, vote(voter, 2, to=node))
    assert standing.role is Role.LEADER


@pytest.mark.parametrize(("others", "enough"), ENOUGH)
def test_while_joint_elections_need_a_majority_of_each_configuration(others, enough):
    """Paper: 6, joint consensus, third rule. Separate majorities of old and new, for elections."""
    node = candidate(**joint())
    for voter in others:
        if node.role is Role.CANDIDATE:
            tell(node, vote(voter, 2))
    assert (node.role is Role.LEADER) is enough


@pytest.mark.parametrize(("others", "enough"), ENOUGH)
def test_while_joint_commitment_needs_a_majority_of_each_configuration(others, enough):
    """Paper: 6, joint consensus, third rule. Separate majorities of old and new, for entries."""
    node = leader(**joint())
    for peer in others:
        tell(node, accepted(peer, 2, 2))
    assert (node.commit_index >= 2) is enough


def test_clients_are_served_while_the_configuration_changes():
    """Paper: 6. Joint consensus lets the cluster take requests during the whole change."""
    cluster = led("S3")
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    joint_index = cluster.machine("S3").log.configuration_index
    seen = set()
    for number in range(20):
        assert cluster.leader == "S3"
        seen.add(cluster.configuration.is_joint)
        cluster.propose(f"x={number}")
        cluster.run(3)
    cluster.run(200)
    assert seen == {True, False}
    assert cluster.commit_index == joint_index + 21
    assert {value(cluster, node, "x") for node in names(5)} == {"19"}


# Configurations are entries


def test_configurations_travel_as_entries_of_the_log():
    """Paper: 6. A configuration is a special entry, stored and replicated like any other."""
    cluster = led("S3")
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.reconfigure("S3 S4 S5")
    cluster.run(300)
    for node in ("S3", "S4", "S5"):
        found = [each.payload for each in held(cluster, node)]
        assert [each for each in found if isinstance(each, Configuration)] == [JOINT, NEW]


def test_the_leader_appends_first_the_joint_configuration_and_replicates_it():
    """Paper: 6. Asked to change from old to new, the leader stores the joint one and sends it."""
    node = leader()
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 1))
    index = node.add_entry(NEW)
    assert node.log[index].payload == JOINT
    messages = drain(node).messages
    assert {each.receiver for each in messages} >= {"S2", "S3", "S4", "S5"}
    assert all(each.entries[-1:] == (node.log[index],) for each in messages if each.entries)


def test_a_leader_uses_a_configuration_from_the_moment_it_appends_it():
    """Paper: 6. The leader commits the joint configuration by the joint configuration's rules."""
    node = leader()
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 1))
    index = node.add_entry(NEW)
    drain(node)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, index))
    assert node.commit_index == index - 1, "all of the old configuration hold it, one of the new"
    tell(node, accepted("S4", 1, index))
    assert node.commit_index >= index


@pytest.mark.parametrize("commit", [0, 1])
def test_a_follower_uses_a_configuration_from_the_moment_it_is_in_its_log(commit):
    """Paper: 6. Always the latest in the log, whether or not the entry is committed."""
    node = machine(term=1)
    tell(node, append_of("S3", 1, (0, 0), LogEntry(1, 1, JOINT)))
    assert (node.configuration, node.commit_index) == (JOINT, 0)
    tell(node, append("S3", 1, (1, 1), commit=commit))
    assert node.configuration == JOINT
    asked = let_time_out(node)
    assert {each.receiver for each in asked} == {"S2", "S3", "S4", "S5"}


def test_and_no_longer_than_it_is_in_its_log():
    """Paper: 6. If the entry is cut away, the configuration before it is the latest again."""
    node = machine(term=1)
    tell(node, append_of("S3", 1, (0, 0), LogEntry(1, 1, JOINT)))
    tell(node, append("S2", 2, (0, 0), (2,)))
    assert terms_of(node) == [2]
    assert node.configuration == OLD


# Figure 11: the steps of a change


def under_way(target: str = "S3 S4 S5", rules: type[Rules] = Rules) -> Cluster:
    """S3 leads S1 S2 S3 and has just been asked for `target`."""
    cluster = led("S3", rules=rules)
    cluster.add_node("S4")
    cluster.add_node("S5")
    cluster.reconfigure(target)
    return cluster


def test_if_the_leader_crashes_early_the_next_one_is_of_the_old_configuration():
    """Paper: 6. A winner that has not received the joint configuration goes by the old one."""
    cluster = under_way()
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.run(60)
    cluster.crash("S3")
    assert wins(cluster, "S1")
    assert cluster.configuration == OLD
    settled(cluster, "x=1")
    cluster.heal()
    cluster.restart("S3")
    cluster.run(300)
    assert cluster.machine("S3").configuration == OLD, "what it had appended was overwritten"


def test_if_it_crashes_later_the_next_one_goes_by_the_joint_configuration_and_ends_the_change():
    """Paper: 6. A winner that has received the joint configuration needs both majorities."""
    cluster = under_way()
    index = cluster.machine("S3").log.configuration_index
    got_it = ("S1", "S2", "S4", "S5")
    cluster.run_until(lambda each: all(each.machine(n).log.last_index >= index for n in got_it))
    cluster.crash("S3")
    assert {cluster.machine(node).configuration for node in got_it} == {JOINT}
    cluster.partition("S4 S5", "S1 S2")
    assert not wins(cluster, "S1"), "a majority of the old configuration alone"
    cluster.heal()
    assert wins(cluster, "S1")
    cluster.run(500)
    assert {cluster.machine(node).configuration for node in ("S4", "S5")} == {NEW}


@pytest.mark.parametrize("ms", [0, 10, 20, 30])
def test_before_the_joint_configuration_is_committed_the_new_one_decides_nothing_alone(ms):
    """Paper: 6. C_new cannot make decisions on its own during this time, whoever crashes."""
    cluster = under_way()
    index = cluster.machine("S3").log.configuration_index
    cluster.run_until(lambda each: each.commit_index >= index, ms)
    assert cluster.commit_index < index
    cluster.crash("S3")
    cluster.partition("S1 S2", "S4 S5")
    assert not wins(cluster, "S4")
    assert not wins(cluster, "S5")


def test_once_the_joint_configuration_is_committed_only_servers_that_hold_it_can_lead():
    """Paper: 6. Leader Completeness: then nobody is elected without the joint configuration."""
    cluster = under_way("S1 S2 S3 S4 S5")
    index = cluster.machine("S3").log.configuration_index
    cluster.isolate("S2")
    assert cluster.run_until(lambda each: each.commit_index >= index, 1_000)
    cluster.crash("S3")
    cluster.heal()
    assert not cluster.machine("S2").configuration.is_joint
    cluster.isolate("S3")
    for _ in range(4):
        cluster.timeout("S2")
        cluster.run(40)
        assert not leads(cluster, "S2")
    assert wins(cluster, "S1")


def test_the_new_configuration_is_appended_once_the_joint_one_is_committed_and_not_before():
    """Paper: 6, Figure 11. The second entry of a change waits for the first one."""
    node = leader()
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 1))
    propose(node)
    index = node.add_entry(NEW)
    drain(node)
    for peer in ("S2", "S4", "S5"):
        tell(node, accepted(peer, 1, index - 1))
    assert (node.commit_index, node.log.last_index) == (index - 1, index)
    for peer in ("S2", "S4"):
        tell(node, accepted(peer, 1, index))
        assert node.log.last_index == index
    tell(node, accepted("S5", 1, index))
    assert node.commit_index == index
    assert node.log[index + 1].payload == node.configuration == NEW


def test_the_new_configuration_is_committed_by_its_own_rules():
    """Paper: 6. From the second entry on the old configuration is asked nothing."""
    node = leader()
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 1))
    index = node.add_entry(Configuration(("S1", "S4", "S5")))
    drain(node)
    for peer in ("S2", "S4"):
        tell(node, accepted(peer, 1, index))
    assert node.log.last_index == index + 1
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, index + 1))
    assert node.commit_index == index
    tell(node, accepted("S4", 1, index + 1))
    assert node.commit_index == index + 1


def test_when_it_is_committed_servers_outside_it_can_be_shut_down():
    """Paper: 6. Then the old configuration is irrelevant; before, it was not."""
    early = under_way()
    early.crash("S1")
    early.crash("S2")
    index = early.propose("x=1")
    early.run(1_000)
    assert early.commit_index < index
    late = under_way()
    late.run(300)
    assert late.configuration == NEW
    late.crash("S1")
    late.crash("S2")
    settled(late, "x=1")


def two_sides(cluster: Cluster, number: int) -> None:
    """At frame `number`, cut the run in two and let both sides campaign for long."""
    other = cluster.at(number)
    other.partition("S1 S2", "S3 S4 S5")
    for _ in range(3):
        for node in ("S1", "S4"):
            if not leads(other, node):
                other.timeout(node)
        other.run(120)


def frames_where_both_decide(rules: type[Rules]) -> list[int]:
    """The frames of a change at which each of the two sides comes to decide by itself."""
    cluster = under_way("S1 S2 S3 S4 S5", rules)
    start = cluster.number
    cluster.run(100)
    broken = []
    for number in range(start, cluster.number, 3):
        try:
            two_sides(cluster, number)
        except Violation as violation:
            assert violation.frame.name in {each.name for each in FIGURE_3}
            broken.append(number)
    return broken


def test_figure_11_at_no_time_can_both_configurations_decide_alone():
    """Paper: 6, Figure 11. Wherever a change is interrupted, there is one leader in a term."""
    assert frames_where_both_decide(Rules) == []


def test_figure_11_without_the_joint_step_there_is_such_a_time():
    """Paper: 6, Figure 10. The test above can fail: a direct switch has a dangerous time."""
    assert frames_where_both_decide(SwitchesDirectly)


# First problem: new servers hold nothing


def test_newcomers_first_join_without_a_vote_and_receive_the_log():
    """Paper: 6. A non-voting member gets the entries; it stands for nothing in majorities."""
    node = leader(configuration=Configuration(names(3), (), ("S4",)))
    assert "S4" in {each.receiver for each in let_time_out(node)}
    tell(node, accepted("S4", 1, 1))
    assert node.commit_index == 0
    tell(node, accepted("S2", 1, 1))
    assert node.commit_index == 1
    standing = candidate(configuration=Configuration(names(3), (), ("S4",)))
    tell(standing, vote("S4", 1))
    assert standing.role is Role.CANDIDATE


def test_once_it_has_caught_up_the_change_can_proceed():
    """Paper: 6. Only when the new server is up to date does it get its vote."""
    cluster = led(options=Options())
    for number in range(10):
        settled(cluster, f"x={number}")
    cluster.add_learner("S4")
    with pytest.raises(NotNow):
        cluster.promote("S4")
    cluster.run(300)
    assert value(cluster, "S4", "x") == "9"
    cluster.promote("S4")
    cluster.run(300)
    assert cluster.configuration == Configuration(names(4))


def longest_standstill(options: Options) -> float:
    """S3 is down, and S4, far behind on a slow line, gets a vote: how long nothing is committed."""
    cluster = led(nodes=3, options=options)
    for number in range(60):
        cluster.propose(f"x={number}")
    cluster.run(300)
    cluster.crash("S3")
    cluster.add_node("S4")
    cluster.slow_disk("S4", 400)
    if options.catch_up_first:
        cluster.add_learner("S4")
        with pytest.raises(NotNow):
            cluster.promote("S4")
    else:
        cluster.reconfigure("S1 S2 S3 S4")
    index, start = cluster.propose("y=1"), cluster.now
    assert cluster.run_until(lambda each: each.commit_index >= index, 20_000)
    return cluster.now - start


def test_without_that_phase_nothing_could_be_committed_for_long():
    """Paper: 6. A new voter with an empty log can leave the cluster unavailable for a while."""
    assert longest_standstill(Options(check_quorum=False)) < 100
    assert longest_standstill(Options(check_quorum=False, catch_up_first=False)) > 400


# Second problem: the leader may not be part of the new configuration


def leaving() -> tuple:
    """S1 leads S1 S2 S3, and is to be left out; the joint configuration is committed."""
    node = leader()
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 1))
    index = node.add_entry(Configuration(("S2", "S3")))
    drain(node)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, index))
    assert node.log[index + 1].payload == Configuration(("S2", "S3"))
    return node, index + 1


def test_a_leader_that_is_not_in_the_new_configuration_goes_on_until_it_is_committed():
    """Paper: 6. For a time it manages a cluster to which it does not belong."""
    node, index = leaving()
    assert node.role is Role.LEADER
    assert {each.receiver for each in let_time_out(node)} == {"S2", "S3"}
    assert node.commit_index == index - 1


def test_it_does_not_count_itself_in_majorities():
    """Paper: 6. It replicates entries, and it is not one of the two that decide."""
    node, index = leaving()
    tell(node, accepted("S2", 1, index))
    assert node.commit_index == index - 1
    node.advance(accepted("S3", 1, index), node.now)
    assert node.commit_index == index


def test_it_steps_down_when_the_new_configuration_is_committed():
    """Paper: 6. It returns to follower then, and not before."""
    node, index = leaving()
    tell(node, accepted("S2", 1, index))
    assert node.role is Role.LEADER
    messages = tell(node, accepted("S3", 1, index))
    assert node.role is Role.FOLLOWER
    assert any(isinstance(each, TimeoutNow) for each in messages)


def test_from_then_on_a_leader_can_always_be_chosen_from_the_new_configuration():
    """Paper: 6. Its end of leadership is the first moment at which the new one works by itself."""
    for seed in range(5):
        cluster = led("S3", seed=seed)
        cluster.reconfigure("S1 S2")
        assert cluster.run_until(lambda each: not leads(each, "S3"), 1_000)
        cluster.crash("S3")
        assert cluster.run_until(lambda each: each.leader in ("S1", "S2"), 3_000)


def test_before_that_it_may_be_that_only_an_old_server_can_be_elected():
    """Paper: 6. Until then, perhaps nobody in the new configuration holds all that is committed."""
    with World(2) as world:
        world.elect("S1")
        world["S1"].add_entry(Configuration(("S2",)))
        world.pump("S1")
        world.deliver(AppendEntries, "S1", "S2")
        world.deliver(AppendEntriesReply, "S2", "S1")
        world.lose_all()
        assert world["S1"].configuration == Configuration(("S2",))
        world.crash("S1")
        world.restart("S1")
        world.timeout("S2")
        world.settle()
        assert world["S2"].role is not Role.LEADER
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2")
        world.deliver(RequestVoteReply, "S2", "S1")
        assert world["S1"].role is Role.LEADER
        world.settle()
        assert (world["S1"].role, world["S2"].role) == (Role.FOLLOWER, Role.LEADER)
        assert world["S2"].configuration == Configuration(("S2",))


# Third problem: removed servers


def removed(options: Options) -> Cluster:
    """S1 leads three servers, and has removed S4, which was down and is up again."""
    cluster = led(nodes=4, options=options)
    cluster.crash("S4")
    cluster.remove("S4")
    cluster.run(400)
    assert cluster.configuration == Configuration(names(3))
    cluster.restart("S4")
    return cluster


def test_a_removed_server_gets_no_heartbeats_and_campaigns():
    """Paper: 6. Nobody tells it anything any more, so it times out, again and again."""
    cluster = removed(Options(pre_vote=False))
    start, term = cluster.now, cluster.machine("S4").term
    cluster.run(2_000)
    assert cluster.machine("S4").term > term + 4
    later = [each.message for each in cluster.trace(start).messages if each.sent_at > start]
    assert "S4" in {each.sender for each in later if isinstance(each, RequestVote)}
    assert "S4" not in {each.receiver for each in later if isinstance(each, AppendEntries)}


def test_its_campaigns_depose_leader_after_leader_if_nothing_is_done():
    """Paper: 6. With only the rest of the rules, every campaign ends a leadership."""
    cluster = removed(PLAIN)
    term = cluster.machine("S1").term
    cluster.run(3_000)
    assert cluster.machine("S1").term > term + 4


def test_servers_that_hear_a_leader_disregard_requests_for_votes():
    """Paper: 6. Within the minimum timeout of hearing a leader: no vote, and no new term."""
    node = machine(options=Options(pre_vote=False))
    tell(node, append("S2", 1))
    assert tell(node, vote_request("S3", 9, (9, 1)), after=149.0) == []
    assert (node.term, node.voted_for, node.leader) == (1, None, "S2")
    (said,) = tell(node, vote_request("S3", 9, (9, 1)), after=1.0)
    assert said.vote_granted


def test_a_leader_that_reaches_its_cluster_is_not_deposed_by_larger_terms():
    """Paper: 6. So the removed server disturbs nobody."""
    cluster = removed(Options(pre_vote=False))
    term = cluster.machine("S1").term
    for _ in range(10):
        cluster.run(300)
        assert cluster.leader == "S1" or cluster.machine("S1").role is Role.LEADER
    assert {cluster.machine(node).term for node in names(3)} == {term}


def test_normal_elections_are_not_affected():
    """Paper: 6. Whoever campaigns has waited for a minimum timeout, and so have most others."""
    for seed in range(8):
        cluster = Cluster(5, seed=seed, options=Options(pre_vote=False))
        first = cluster.elect()
        cluster.run(300)
        cluster.crash(first)
        assert cluster.run_until(lambda each: each.leader is not None, 2_000)
