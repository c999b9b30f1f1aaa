"""Thesis, chapter 4: single-server changes (4.1), availability (4.2), joint changes (4.3)."""

import itertools

import pytest

from raftlab.raft.log import LogEntry
from raftlab.raft.messages import AppendEntries, RequestVote, TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.quorum import is_quorum
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import REFUSALS, Configuration, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Disks, Network
from raftlab.sim.world.violation import Violation
from tests.paper.runs import caught, held, leads, led, said, settled, value, wins
from tests.raft.world import (
    COMPLETE,
    World,
    accepted,
    accepted_by_all,
    append,
    append_of,
    drain,
    leader,
    let_time_out,
    machine,
    names,
    tell,
    terms_of,
    vote,
    vote_request,
)

ONE_BY_ONE = Options.figure_2(single_server_changes=True)


def majorities(voters: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All the smallest majorities of some voters."""
    return list(itertools.combinations(voters, len(voters) // 2 + 1))


def always_meet(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Whether every majority of one configuration shares a server with every one of the other."""
    return all({*one} & {*other} for one in majorities(old) for other in majorities(new))


# 4.1 Safety


@pytest.mark.parametrize("size", range(1, 8))
def test_majorities_of_configurations_that_differ_by_one_server_overlap(size):
    """Thesis: 4.1, Figure 4.3. One server added or removed: no two majorities are apart."""
    assert always_meet(names(size), names(size + 1))
    assert always_meet(names(size + 1), names(size))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (names(1), names(3)),
        (names(3), names(5)),
        (names(7), names(5)),
        (names(3), ("S1", "S2", "S4")),
    ],
)
def test_majorities_of_configurations_that_differ_by_two_need_not(old, new):
    """Thesis: 4.1. So larger changes are made step by step, or through a joint configuration."""
    assert not always_meet(old, new)
    joint = Configuration(new, old)
    for one, other in itertools.product(majorities(old), majorities(new)):
        if not {*one} & {*other}:
            assert not is_quorum(one, joint) and not is_quorum(other, joint)


@pytest.mark.parametrize(
    "target", [names(5), ("S1",), ("S1", "S2", "S4"), ("S4", "S5", "S6")], ids=" ".join
)
def test_a_change_of_more_than_one_server_is_refused(target):
    """Thesis: 4.1. It is not a single-server change, even if the size stays the same."""
    node = accepted_by_all(leader(options=ONE_BY_ONE))
    with pytest.raises(NotNow):
        node.add_entry(Configuration(target))
    assert node.log.last_index == 1


def test_larger_changes_are_made_of_single_ones():
    """Thesis: 4.1. Two servers are replaced, one by one; those that are out are shut down."""
    cluster = led("S1", options=ONE_BY_ONE)
    for node in ("S4", "S5"):
        cluster.add_node(node)
    steps = ["S1 S2 S3 S4", "S1 S3 S4", "S1 S3 S4 S5", "S1 S4 S5"]
    for number, voters in enumerate(steps):
        cluster.reconfigure(voters)
        settled(cluster, f"x={number}")
        assert set(cluster.configuration.voters) == set(voters.split())
        for node in ("S2", "S3"):
            if node not in voters and cluster.hosts[node].alive:
                cluster.crash(node)
    assert {value(cluster, node, "x") for node in ("S1", "S4", "S5")} == {"3"}


def test_a_change_is_one_entry_without_a_joint_step():
    """Thesis: 4.1. The leader appends the new configuration, and replicates it as usual."""
    node = accepted_by_all(leader(options=ONE_BY_ONE))
    index = node.add_entry(Configuration(names(4)))
    assert node.log[index].payload == Configuration(names(4))
    assert "S4" in {each.receiver for each in drain(node).messages}


@pytest.mark.parametrize(
    ("target", "acknowledged", "committed"),
    [
        (names(4), ("S2",), False),
        (names(4), ("S2", "S4"), True),
        (names(4), ("S2", "S3"), True),
        (("S1", "S2"), ("S3",), False),
        (("S1", "S2"), ("S2",), True),
    ],
)
def test_it_takes_effect_when_appended_so_its_own_majority_commits_it(
    target, acknowledged, committed
):
    """Thesis: 4.1. A majority of the new configuration, which the leader uses already."""
    node = accepted_by_all(leader(options=ONE_BY_ONE))
    index = node.add_entry(Configuration(target))
    drain(node)
    for peer in acknowledged:
        tell(node, accepted(peer, 1, index))
    assert (node.commit_index >= index) is committed


def test_every_server_adopts_it_when_it_is_in_its_log_committed_or_not():
    """Thesis: 4.1. A server that waited would not know when others go by the new one."""
    node = machine(term=1)
    tell(node, append_of("S2", 1, (0, 0), LogEntry(1, 1, Configuration(names(4)))))
    assert (node.configuration, node.commit_index) == (Configuration(names(4)), 0)


def test_a_server_must_be_prepared_to_fall_back_to_the_configuration_before():
    """Thesis: 4.1. An uncommitted entry may be removed again, and then has no effect any more."""
    node = machine(term=1)
    tell(node, append_of("S2", 1, (0, 0), LogEntry(1, 1, Configuration(names(4)))))
    tell(node, append_of("S2", 1, (1, 1), LogEntry(1, 2, Configuration(names(5)))))
    tell(node, append("S3", 2, (1, 1), (2,)))
    assert node.configuration == Configuration(names(4))
    tell(node, append("S2", 3, (0, 0), (3,)))
    assert node.configuration == Configuration(names(3))


def test_the_next_change_waits_until_this_one_is_committed():
    """Thesis: 4.1. Otherwise the steps would add up to one that is too large."""
    node = accepted_by_all(leader(options=ONE_BY_ONE))
    index = node.add_entry(Configuration(names(4)))
    drain(node)
    with pytest.raises(NotNow):
        node.add_entry(Configuration(names(5)))
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, index))
    assert node.add_entry(Configuration(names(5))) == index + 1


class WaitsForNothing(Rules):
    """Begins a change while another is under way."""

    def change_is_pending(self, configuration, configuration_index, commit_index):
        return False


def two_changes_at_once(rules: type[Rules]) -> Cluster:
    """S3 adds S4 and S5 without a pause, while S1 and S2 are cut off."""
    cluster = led("S3", options=ONE_BY_ONE, rules=rules)
    for node in ("S4", "S5"):
        cluster.add_node(node)
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.reconfigure("S1 S2 S3 S4")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    return cluster


def test_if_it_did_not_wait_two_majorities_could_be_apart():
    """Thesis: 4.1. The test above can fail: two pending changes are what must never be."""
    with pytest.raises(NotNow):
        two_changes_at_once(Rules)
    with pytest.raises(Violation) as stopped:
        two_changes_at_once(WaitsForNothing)
    assert stopped.value.frame.name == "One Change At A Time"


def test_when_it_is_committed_a_removed_server_can_be_shut_down():
    """Thesis: 4.1. The remaining servers form their majorities without it."""
    cluster = led("S1", nodes=4, options=ONE_BY_ONE)
    cluster.remove("S4")
    cluster.run(150)
    assert cluster.commit_index == cluster.machine("S1").log.configuration_index
    cluster.crash("S4")
    cluster.crash("S3")
    settled(cluster, "x=1")


def test_a_request_is_processed_whoever_it_comes_from():
    """Thesis: 4.1. A follower accepts entries of a leader that is not in its configuration."""
    node = machine(configuration=Configuration(names(3)))
    (answer,) = tell(node, append("S9", 1, (0, 0), (1,)))
    assert (terms_of(node), node.leader, answer.receiver) == ([1], "S9", "S9")


def test_a_vote_is_given_to_a_candidate_outside_the_voter_s_configuration():
    """Thesis: 4.1. Else the cluster could stay without a leader, with voters that lag behind."""
    node = machine(configuration=Configuration(names(3)))
    assert tell(node, vote_request("S9", 1)) == [vote("S1", 1, to="S9")]


def test_and_by_a_server_that_is_not_in_its_own_configuration():
    """Thesis: 4.1. It may be a member by now, and its vote needed."""
    node = machine("S4", configuration=Configuration(names(3)))
    assert tell(node, vote_request("S1", 1, to="S4")) == [vote("S4", 1, to="S1")]


def test_that_is_how_a_new_server_can_be_added_at_all():
    """Thesis: 4.1. Its log is empty and names no configuration with a leader in it."""
    cluster = led("S1", options=ONE_BY_ONE)
    cluster.add_node("S4")
    assert "S4" not in cluster.machine("S4").configuration.members
    cluster.reconfigure("S1 S2 S3 S4")
    cluster.run(200)
    assert held(cluster, "S4") == held(cluster, "S1")


# The correction of 2015


class ChangesAtOnce(Rules):
    """The thesis as it was printed: a new leader may change the configuration at once."""

    def may_change_in_term(self, log, commit_index, term, options):
        return True


class PrintedIn2014(ChangesAtOnce):
    """And, as there, a leader's term begins with no entry of its own."""

    def appends_at_term_start(self):
        return False


def two_leaders_in_turn(rules: type[Rules]) -> Cluster:
    """S1 adds S5, which only S5 hears. S2 leads, and removes S1 with S3. S1 comes back.

    The example of the correction: a majority of S1 to S5 and one of S2 S3 S4 need not meet.
    """
    cluster = led("S1", nodes=4, options=ONE_BY_ONE, rules=rules)
    settled(cluster, "x=1")
    cluster.add_node("S5")
    cluster.partition("S1 S5", "S2 S3 S4")
    cluster.reconfigure("S1 S2 S3 S4 S5")
    cluster.run(60)
    assert wins(cluster, "S2")
    cluster.partition("S1 S5", "S2 S3", "S4")
    cluster.run(100)
    cluster.reconfigure("S2 S3 S4")
    cluster.run(100)
    assert cluster.machine("S2").commit_index == cluster.machine("S2").log.last_index
    cluster.partition("S1 S4 S5", "S2 S3")
    assert wins(cluster, "S1")
    cluster.run(100)
    return cluster


def test_2015_two_leaders_in_turn_could_lose_what_is_committed():
    """Thesis: 4.1, corrected by Ongaro in 2015. As printed, S1 leads without a committed entry."""
    with pytest.raises(Violation) as stopped:
        two_leaders_in_turn(PrintedIn2014)
    assert stopped.value.frame.name == "Leader Completeness"


def test_2015_a_leader_changes_nothing_before_an_entry_of_its_own_term_is_committed():
    """Thesis: 4.1, corrected by Ongaro in 2015. In the same run, S2 has to wait, and is refused."""
    with pytest.raises(NotNow):
        two_leaders_in_turn(Rules)
    node = leader(options=ONE_BY_ONE)
    with pytest.raises(NotNow):
        node.add_entry(Configuration(names(4)))
    tell(node, accepted("S2", 1, 1))
    assert node.add_entry(Configuration(names(4))) == 2


# 4.2.1 Catching up new servers


def slow_newcomer(options: Options) -> Cluster:
    """S3 is down; S4, which writes slowly, is to be the fourth voter of a cluster with a past."""
    cluster = led(options=options)
    for number in range(40):
        cluster.propose(f"x={number}")
    cluster.run(300)
    cluster.crash("S3")
    cluster.add_node("S4")
    cluster.slow_disk("S4", 500)
    return cluster


def test_a_voter_with_an_empty_log_could_stop_the_cluster_from_committing():
    """Thesis: 4.2.1, Figure 4.4. Three of four are needed, and the third is catching up."""
    cluster = slow_newcomer(Options(catch_up_first=False, check_quorum=False))
    cluster.reconfigure("S1 S2 S3 S4")
    index = cluster.propose("y=1")
    cluster.run(900)
    assert cluster.commit_index < index
    cluster.run(2_000)
    assert cluster.commit_index >= index


def test_so_a_newcomer_first_joins_as_a_non_voting_member():
    """Thesis: 4.2.1. It gets the log, counts for nothing, and the cluster goes on."""
    cluster = slow_newcomer(Options())
    cluster.add_learner("S4")
    index = cluster.propose("y=1")
    cluster.run(100)
    assert cluster.commit_index >= index
    cluster.run(3_000)
    assert value(cluster, "S4", "y") == "1"


def test_a_non_voting_member_neither_campaigns_nor_is_asked_for_its_vote():
    """Thesis: 4.2.1. Its log is replicated; that is all."""
    members = Configuration(names(3), (), ("S4",))
    learner = machine("S4", configuration=members)
    for _ in range(5):
        assert let_time_out(learner) == []
    assert learner.role is Role.FOLLOWER
    asked = let_time_out(machine(configuration=members))
    assert {each.receiver for each in asked} == {"S2", "S3"}


def learning(latency: float = 10.0, nodes: int = 3) -> Cluster:
    """S4 has just become a learner of a cluster with a long log, on a steady network."""
    cluster = led(nodes=nodes, options=COMPLETE, network=Network(latency=(latency, latency)))
    for number in range(30):
        cluster.propose(f"x={number}")
    cluster.run(200)
    cluster.add_learner("S4")
    return cluster


def test_the_leader_waits_until_the_new_server_is_caught_up():
    """Thesis: 4.2.1. A vote asked for too early is refused, and granted later."""
    cluster = learning()
    with pytest.raises(NotNow):
        cluster.promote("S4")
    cluster.run(300)
    cluster.promote("S4")
    cluster.run(200)
    assert cluster.configuration.voters == names(4)


def promotable(cluster: Cluster) -> bool:
    """Whether S4 would get its vote now."""
    number = cluster.number
    try:
        cluster.at(number).promote("S4")
    except NotNow:
        return False
    return True


def test_it_is_caught_up_when_a_round_took_less_than_an_election_timeout():
    """Thesis: 4.2.1, Figure 4.5. A round brings what the leader held when it began."""
    cluster = learning()
    cluster.run(300)
    assert promotable(cluster)
    slow = learning()
    slow.slow_disk("S4", 1.2 * COMPLETE.election_timeout[0])
    for number in range(20):
        slow.propose(f"y={number}")
        slow.run(100)
        assert not promotable(slow), "its rounds are too long"
    slow.slow_disk("S4", 1)
    slow.propose("y=20")
    slow.run(600)
    assert promotable(slow)


class AnyRoundWillDo(Rules):
    """A learner is caught up after its first round, however long that took."""

    def has_caught_up(self, round_ms, options):
        return True


def test_without_that_measure_a_server_that_cannot_keep_up_would_get_a_vote():
    """Thesis: 4.2.1. The test above can fail: here no round is too long."""
    for rules, given in ((AnyRoundWillDo, True), (Rules, False)):
        cluster = led(options=COMPLETE, rules=rules)
        cluster.add_learner("S4")
        cluster.slow_disk("S4", 2 * COMPLETE.election_timeout[0])
        for number in range(30):
            cluster.propose(f"y={number}")
            cluster.run(100)
        assert promotable(cluster) is given


def test_a_new_server_that_is_not_available_never_gets_its_vote():
    """Thesis: 4.2.1. The change is given up, and the cluster is as available as it was."""
    cluster = led(options=COMPLETE)
    cluster.add_learner("S4")
    cluster.crash("S4")
    for _ in range(10):
        cluster.run(200)
        assert not promotable(cluster)
    settled(cluster, "x=1")


def test_next_index_goes_back_to_an_empty_log_in_few_steps():
    """Thesis: 4.2.1. The newcomer says where its log ends, so the leader need not feel its way."""
    with World(2, logs=((1,) * 50, ()), term=1) as world:
        world.timeout("S1", force=True)
        world.settle()
        assert world["S1"].log == world["S2"].log
    node = leader(terms=(1,) * 50)
    answers = tell(machine("S2", term=2), append("S1", 2, (50, 1), (2,), to="S2"))
    (again,) = tell(node, answers[0])
    assert again.prev_log_index == 0


# 4.2.2 Removing the current leader


def test_a_leader_can_be_removed_by_handing_over_first():
    """Thesis: 4.2.2. With a transfer the old leader is a follower when it is removed."""
    cluster = led("S1", options=Options())
    cluster.transfer("S2")
    assert cluster.run_until(lambda each: each.leader == "S2", 500)
    cluster.run(100)
    cluster.remove("S1")
    cluster.run(300)
    assert cluster.leader == "S2"
    assert cluster.configuration == Configuration(("S2", "S3"))


def is_through(cluster: Cluster) -> bool:
    """Whether S1 knows that the newest configuration is alone and committed."""
    node = cluster.machine("S1")
    return not node.configuration.is_joint and node.commit_index >= node.log.configuration_index


@pytest.mark.parametrize("options", [ONE_BY_ONE, Options()], ids=["single", "joint"])
def test_a_leader_that_is_removed_steps_down_once_that_is_committed(options):
    """Thesis: 4.2.2. Not earlier: until then, it leads a cluster it does not belong to."""
    cluster = led("S1", options=options)
    cluster.remove("S1")
    assert leads(cluster, "S1")
    assert cluster.run_until(is_through, 1_000)
    assert not leads(cluster, "S1"), "in the very step that commits it"
    cluster.crash("S1")
    assert cluster.run_until(lambda each: each.leader in ("S2", "S3"), 2_000)
    settled(cluster, "x=1")


def test_the_removed_leader_does_not_count_itself():
    """Thesis: 4.2.2. It replicates, and majorities are those of the others."""
    node = accepted_by_all(leader(options=ONE_BY_ONE))
    index = node.add_entry(Configuration(("S2", "S3")))
    drain(node)
    tell(node, accepted("S2", 1, index))
    assert (node.role, node.commit_index) == (Role.LEADER, index - 1)
    said_last = tell(node, accepted("S3", 1, index))
    assert node.role is Role.FOLLOWER
    assert any(isinstance(each, TimeoutNow) for each in said_last)


def test_its_last_message_saves_the_others_a_timeout():
    """Thesis: 4.2.2, with 3.10. The next leader is told to campaign at once."""
    cluster = led("S1", options=Options())
    cluster.remove("S1")
    assert cluster.run_until(lambda each: not leads(each, "S1"), 1_000)
    start = cluster.now
    assert cluster.run_until(lambda each: each.leader in ("S2", "S3"), 1_000)
    assert cluster.now - start < 100
    assert said(cluster, TimeoutNow)


def test_a_server_outside_its_own_configuration_may_still_have_to_campaign():
    """Thesis: 4.2.2. As long as the removal is uncommitted, nobody else may be electable."""
    with World(2, options=ONE_BY_ONE) as world:
        world.elect("S1")
        world["S1"].add_entry(Configuration(("S2",)))
        world.pump("S1")
        world.lose_all()
        world.crash("S1")
        world.restart("S1")
        world.timeout("S2")
        world.settle()
        assert world["S2"].role is not Role.LEADER, "S1 has an entry that it lacks"
        world.timeout("S1")
        assert world["S1"].role is Role.CANDIDATE
        world.settle()
        assert world["S2"].configuration == Configuration(("S2",))
        assert (world["S1"].role, world["S2"].role) == (Role.FOLLOWER, Role.LEADER)


class OnlyMembersCampaign(Rules):
    """Whoever is outside its newest configuration never stands."""

    def campaigns(self, node, configuration, previous):
        return configuration.can_vote(node)


def test_if_it_did_not_the_cluster_would_be_stuck():
    """Thesis: 4.2.2. The test above can fail: here nobody can be elected any more."""
    with World(2, options=ONE_BY_ONE, rules=OnlyMembersCampaign()) as world:
        world.elect("S1")
        world["S1"].add_entry(Configuration(("S2",)))
        world.pump("S1")
        world.lose_all()
        world.crash("S1")
        world.restart("S1")
        for _ in range(5):
            for node in ("S1", "S2"):
                world.tick(node)
                world.settle()
                assert world[node].role is not Role.LEADER


# 4.2.3 Disruptive servers


def test_a_server_that_hears_a_leader_does_not_grant_votes_or_update_its_term():
    """Thesis: 4.2.3. For the minimum election timeout after hearing a leader."""
    node = machine(options=COMPLETE)
    tell(node, append("S2", 1))
    assert tell(node, vote_request("S3", 7, (9, 6)), after=149.0) == []
    assert (node.term, node.voted_for) == (1, None)
    (answer,) = tell(node, vote_request("S3", 7, (9, 6)), after=1.0)
    assert (answer.vote_granted, node.term, node.voted_for) == (True, 7, "S3")


def test_servers_still_vote_when_the_leader_itself_asked_for_it():
    """Thesis: 4.2.3, with 3.10. A flag in the request says that the disruption is wanted."""
    node = machine(options=COMPLETE)
    tell(node, append("S2", 1))
    assert tell(node, vote_request("S3", 2, (9, 1), force=True)) == [vote("S1", 2, to="S3")]


def told_nothing(options: Options, rules: type[Rules] = Rules) -> tuple[Cluster, str]:
    """A cluster of four whose leader says nothing to one of the others any more; and which."""
    cluster = Cluster(4, seed=3, options=options, rules=rules)
    leading = cluster.elect()
    cluster.run(300)
    removed = next(node for node in cluster.nodes if node != leading)
    for node in cluster.nodes:
        if node != removed:
            cluster.cut(node, removed, both_ways=False)
    return cluster, removed


def test_a_removed_server_cannot_disrupt_the_cluster():
    """Thesis: 4.2.3. It times out again and again, and nobody listens."""
    cluster, removed = told_nothing(Options(pre_vote=False))
    leading = cluster.leader
    terms = {cluster.machine(node).term for node in cluster.nodes}
    cluster.run(3_000)
    assert cluster.machine(removed).term > max(terms) + 5
    assert leads(cluster, leading)
    assert {cluster.machine(node).term for node in cluster.nodes if node != removed} == terms


def test_without_stickiness_a_removed_server_does():
    """Thesis: 4.2.3. Without it, each of its requests deposes the leader."""
    cluster, _ = told_nothing(Options.figure_2())
    leading = cluster.leader
    term = cluster.machine(leading).term
    cluster.run(3_000)
    assert cluster.machine(leading).term > term + 5


class NobodySticks(Rules):
    """A living leader is no reason to refuse anybody."""

    def leader_is_alive(self, request, options, leads, since_leader):
        return False


def appended_and_no_more(rules: type[Rules]) -> Cluster:
    """S1 has appended the entry that removes S4, and what it says to the others is slow.

    S4, whose log is as good as theirs, times out: it hears nothing any more.
    """
    cluster = led("S1", nodes=4, options=Options(single_server_changes=True), rules=rules)
    index = cluster.reconfigure("S1 S2 S3")
    for receiver in ("S2", "S3"):
        sent = caught(cluster, AppendEntries, "S1", receiver, lambda each: each.entries)
        cluster.delay(sent, 200)
        cluster.cut("S1", receiver, both_ways=False)
    cluster.run(20)
    assert {cluster.machine(node).log.last_index for node in ("S2", "S3", "S4")} == {index - 1}
    cluster.timeout("S4")
    cluster.run(60)
    return cluster


def test_a_pre_vote_that_compares_logs_alone_is_not_enough():
    """Thesis: 4.2.3, Figure 4.7. For a while the removed server's log is as good as theirs."""
    assert not leads(appended_and_no_more(NobodySticks), "S1")
    assert leads(appended_and_no_more(Rules), "S1")


# 4.3 Arbitrary changes through joint consensus


def test_any_configuration_can_be_reached_in_one_request():
    """Thesis: 4.3. Even one that has no server in common with the old."""
    cluster = led("S1", options=Options.figure_2())
    for node in ("S4", "S5", "S6"):
        cluster.add_node(node)
    settled(cluster, "x=1")
    cluster.reconfigure("S4 S5 S6")
    assert cluster.run_until(lambda each: each.leader in ("S4", "S5", "S6"), 3_000)
    for node in names(3):
        cluster.crash(node)
    settled(cluster, "y=1")
    assert [value(cluster, cluster.leader, key) for key in "xy"] == ["1", "1"]


def test_a_change_goes_through_two_entries():
    """Thesis: 4.3. First the joint configuration, then the new one, by itself."""
    cluster = led("S1")
    cluster.reconfigure("S1 S2")
    cluster.run(300)
    found = [each.payload for each in held(cluster, "S2") if type(each.payload) is Configuration]
    assert found == [Configuration(("S1", "S2"), names(3)), Configuration(("S1", "S2"))]


@pytest.mark.parametrize("stops", ["S1", "S2"])
def test_a_new_leader_ends_the_change_that_it_finds_under_way(stops):
    """Thesis: 4.3. The joint configuration is no place to stay: who leads next, leaves it."""
    cluster = led("S1", nodes=4)
    cluster.reconfigure("S1 S2 S3")
    joint = cluster.machine("S1").log.configuration_index
    assert cluster.run_until(
        lambda each: all(each.machine(node).log.last_index >= joint for node in names(4)), 500
    )
    assert cluster.configuration.is_joint
    cluster.crash(stops)
    assert cluster.run_until(lambda each: each.leader not in (None, "S4", stops), 3_000)
    cluster.run(300)
    assert cluster.configuration == Configuration(names(3))


def test_no_other_change_begins_while_one_is_under_way():
    """Thesis: 4.3, with 4.1. Not until the new configuration is alone and committed."""
    cluster = led("S1", nodes=4)
    cluster.reconfigure("S1 S2 S3")
    seen = set()
    for _ in range(100):
        if is_through(cluster):
            break
        seen.add(cluster.configuration.is_joint)
        with pytest.raises(NotNow):
            cluster.reconfigure("S1 S2")
        cluster.step()
    assert seen == {True, False}
    cluster.reconfigure("S1 S2")


def test_in_any_weather_members_come_and_go_and_nothing_is_lost():
    """Thesis: 4, as a whole. Changes, losses and crashes; every property is watched."""
    for seed in range(4):
        weather = Network(latency=(2.0, 20.0), loss=0.05, duplication=0.1, reordering=0.2)
        cluster = Cluster(3, seed=seed, network=weather, disks=Disks(snapshot_every=6))
        cluster.add_node("S4"), cluster.add_node("S5")
        targets = itertools.cycle(["S1 S2 S3 S4", "S2 S3 S4", "S2 S3 S4 S5", "S1 S3 S5"])
        changes = 0
        for number in range(60):
            cluster.run(150)
            if cluster.leader is None:
                continue
            try:
                cluster.propose(f"x={number}")
                target = next(targets)
                learners = set(target.split()) - set(cluster.configuration.voters)
                now = " ".join(cluster.configuration.voters)
                cluster.reconfigure(now, learners) if learners else None
                cluster.run(400)
                cluster.reconfigure(target)
                changes += 1
            except REFUSALS:
                continue
        assert changes > 5
        assert cluster.violation is None and cluster.engine.world.alarms == []
        assert cluster.commit_index > 40


def test_requests_for_votes_go_to_voters_only():
    """Thesis: 4.2.1, with 4.3. While joint, to those of both groups; never to learners."""
    joint = Configuration(("S1", "S4"), names(3), ("S5",))
    asked = let_time_out(machine(configuration=joint))
    assert {each.receiver for each in asked if isinstance(each, RequestVote)} == {"S2", "S3", "S4"}
