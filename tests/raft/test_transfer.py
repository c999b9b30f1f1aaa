"""Handing leadership over. Thesis 3.10."""

import pytest

from raftlab.raft.log import Command, Empty
from raftlab.raft.messages import AppendEntries, RequestVote, RequestVoteReply, TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING
from raftlab.raft.roles import Cause, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, NotLeader, NotNow
from tests.raft.local import fields_of
from tests.raft.world import (
    COMPLETE,
    FIGURE_2,
    World,
    accepted,
    accepted_by_all,
    append,
    candidate,
    drain,
    leader,
    machine,
    names,
    rejected,
    tell,
    timeout_now,
    vote,
)

LEARNING = Configuration(names(3), learners=("S4",))
TIMEOUT, INTERVAL = FIGURE_2.transfer_timeout, FIGURE_2.heartbeat_interval


def ready(**about):
    """S1 leads, and everyone holds everything."""
    return accepted_by_all(leader(**about))


def behind(**about):
    """S1 leads, everyone agrees up to entry 1, and entry 2 is on its way to all."""
    node = ready(**about)
    node.add_entry(Command(b"x"))
    drain(node)
    return node


def hand_over(node, to: str | None = None):
    """Ask a leader to hand over; whom it tells to campaign."""
    node.transfer_leadership(to)
    return told(drain(node).messages)


def told(said):
    """Who is told to campaign at once, among these messages."""
    return [each.receiver for each in said if isinstance(each, TimeoutNow)]


def ticked(node, now: float):
    """Let a leader speak whenever it must until `now`; whom it tells to campaign."""
    said = []
    while node.next_deadline <= now:
        node.tick(node.next_deadline)
        said += drain(node).messages
    node.tick(now)
    return told(said + drain(node).messages)


# The leader: to whom


def test_who_has_everything_is_told_at_once_to_campaign():
    node = ready(options=COMPLETE)
    node.transfer_leadership("S3")
    output = node.poll()
    assert output.messages == (timeout_now("S1", 1, to="S3"),)
    assert node.role is Role.LEADER, "until a higher term arrives"


def test_the_first_voter_that_has_everything_is_chosen_if_nobody_is_named():
    node = leader(nodes=5)
    for peer in ("S4", "S3"):
        tell(node, accepted(peer, 1, 1))
    tell(node, accepted("S2", 1, 0))
    assert hand_over(node) == ["S3"]


def test_only_one_is_told():
    assert len(hand_over(ready(nodes=5))) == 1


def test_who_lacks_something_is_told_when_it_has_everything_and_not_before():
    node = behind()
    assert hand_over(node, "S2") == []
    assert told(tell(node, accepted("S3", 1, 2))) == [], "that was another one"
    assert told(tell(node, accepted("S2", 1, 1))) == []
    assert told(tell(node, accepted("S2", 1, 2))) == ["S2"]


def test_the_first_that_has_caught_up_is_told_if_nobody_is_named():
    node = behind()
    assert hand_over(node) == []
    assert told(tell(node, accepted("S3", 1, 2))) == ["S3"]
    assert told(tell(node, accepted("S2", 1, 2))) == [], "one is enough"


def test_what_the_successor_lacks_is_sent_while_it_hands_over():
    node = leader(terms=(1,))
    assert hand_over(node, "S2") == []
    (probe,) = tell(node, rejected("S2", 2, at=1, last=0))
    assert [each.index for each in probe.entries] == [1]
    (rest,) = tell(node, accepted("S2", 2, 1))
    assert [each.index for each in rest.entries] == [2]
    assert told(tell(node, accepted("S2", 2, 2))) == ["S2"]


def test_a_learner_is_never_chosen():
    node = leader(configuration=LEARNING)
    tell(node, accepted("S4", 1, 1))
    assert hand_over(node) == []
    assert told(tell(node, accepted("S4", 1, 1))) == []
    assert told(tell(node, accepted("S2", 1, 1))) == ["S2"]


@pytest.mark.parametrize(
    ("to", "complaint"),
    [
        ("S4", "S4 cannot lead: the voters are S1, S2, S3"),
        ("S9", "S9 cannot lead: the voters are S1, S2, S3"),
        ("", "cannot lead"),
        ("S1", "S1 leads already"),
    ],
    ids=["learner", "stranger", "nobody", "itself"],
)
def test_who_cannot_lead_is_refused_and_nothing_changes(to, complaint):
    node = ready(configuration=LEARNING)
    before = (node.fingerprint(), fields_of(node))
    with pytest.raises(NotNow, match=complaint):
        node.transfer_leadership(to)
    assert (node.fingerprint(), fields_of(node)) == before
    assert node.poll() is NOTHING


@pytest.mark.parametrize("learners", [(), ("S2",)])
def test_the_only_voter_can_hand_over_to_nobody(learners):
    node = machine(configuration=Configuration(("S1",), learners=learners))
    node.tick(node.next_deadline)
    drain(node)
    with pytest.raises(NotNow, match="there is no other voter to whom S1 could hand over"):
        node.transfer_leadership()
    assert node.add_entry(Command(b"x")) == 2


def test_only_a_leader_can_hand_over_and_a_follower_names_it():
    node = machine(term=1)
    tell(node, append("S2", 1))
    with pytest.raises(NotLeader) as refused:
        node.transfer_leadership("S3")
    assert refused.value.leader == "S2"
    assert "cannot hand leadership over; its leader is S2" in str(refused.value)


def test_while_joint_a_voter_that_is_on_its_way_out_is_not_handed_leadership():
    joint = Configuration(("S1", "S2"), old_voters=("S1", "S3"))
    node = leader(configuration=joint)
    for peer in ("S3", "S2"):
        node.advance(accepted(peer, 1, 0), node.now)
    with pytest.raises(NotNow, match="S3 cannot lead: the voters are S1, S2"):
        node.transfer_leadership("S3")
    node.transfer_leadership("S2")
    assert node.role_data.transfer.to == "S2"


def test_while_joint_the_only_voter_that_stays_can_hand_over_to_nobody():
    node = leader(configuration=Configuration(("S1",), old_voters=("S1", "S2")))
    with pytest.raises(NotNow, match="there is no other voter to whom S1 could hand over"):
        node.transfer_leadership()


# The leader: meanwhile


@pytest.mark.parametrize(
    "payload", [Command(b"x"), Empty(), Configuration(("S1", "S2"))], ids=lambda each: repr(each)
)
@pytest.mark.parametrize(("to", "whom"), [("S2", "S2"), (None, "another node")])
def test_a_leader_that_hands_over_takes_nothing_and_says_so(payload, to, whom):
    node = behind()
    node.transfer_leadership(to)
    before = node.fingerprint()
    with pytest.raises(NotNow, match=f"S1 is handing leadership over to {whom}: ask again soon"):
        node.add_entry(payload)
    assert node.fingerprint() == before


def test_it_still_commits_what_it_has_taken():
    node = behind()
    hand_over(node, "S2")
    tell(node, accepted("S3", 1, 2))
    assert node.commit_index == 2


def test_it_leads_until_it_sees_a_higher_term():
    node = ready()
    hand_over(node, "S2")
    tell(node, append("S2", 2, (1, 1), (2,)))
    assert (node.role, node.leader) == (Role.FOLLOWER, "S2")


def test_it_goes_on_speaking_to_its_followers():
    node = ready()
    hand_over(node, "S2")
    node.tick(node.next_deadline)
    beats = [each for each in drain(node).messages if isinstance(each, AppendEntries)]
    assert {each.receiver for each in beats} == {"S2", "S3"}


def test_who_was_named_first_is_forgotten_when_another_is_named():
    node = behind()
    hand_over(node, "S2")
    hand_over(node, "S3")
    assert told(tell(node, accepted("S2", 1, 2))) == []
    assert told(tell(node, accepted("S3", 1, 2))) == ["S3"]


def test_another_try_has_time_of_its_own():
    node = behind()
    hand_over(node, "S2")
    ticked(node, 200.0)
    hand_over(node, "S3")
    ticked(node, TIMEOUT)
    assert node.role_data.transfer is not None
    ticked(node, 200.0 + TIMEOUT)
    assert node.role_data.transfer is None


# The leader: meanwhile, a change of members


def joint_and_handing_over(to: str | None = "S2"):
    """S1 leads five, and S5 is to go; the joint entry 2 is committed while S1 hands over."""
    node = ready(nodes=5)
    node.add_entry(Configuration(names(4)))
    drain(node)
    tell(node, accepted("S2", 1, 2))
    assert hand_over(node, to) == ["S2"]
    for peer in ("S3", "S4"):
        tell(node, accepted(peer, 1, 2))
    assert (node.commit_index, node.role) == (2, Role.LEADER)
    return node


@pytest.mark.parametrize("to", ["S2", None])
def test_a_leader_that_hands_over_appends_nothing_of_its_own_either(to):
    """Its successor, told to campaign, would lack the entry that leaves the joint one."""
    node = joint_and_handing_over(to)
    assert (node.configuration.is_joint, node.log.last_index) == (True, 2)
    assert len(ticked(node, INTERVAL)) == 1, "who has everything still does, and is told again"


def test_a_leader_that_waits_for_its_successor_appends_nothing_of_its_own_either():
    node = ready(nodes=5)
    node.add_entry(Configuration(names(4)))
    drain(node)
    assert hand_over(node, "S2") == []
    for peer in ("S3", "S4", "S5"):
        tell(node, accepted(peer, 1, 2))
    assert (node.commit_index, node.log.last_index) == (2, 2)
    assert told(tell(node, accepted("S2", 1, 2))) == ["S2"]


def test_a_leader_that_gives_up_leaves_the_joint_configuration_then():
    node = joint_and_handing_over()
    ticked(node, TIMEOUT - 0.1)
    assert node.configuration.is_joint
    ticked(node, TIMEOUT)
    assert (node.configuration, node.log.last_index) == (Configuration(names(4)), 3)
    tell(node, accepted("S3", 1, 3))
    tell(node, accepted("S4", 1, 3))
    assert node.commit_index == 3


def test_a_leader_that_is_to_be_removed_leaves_the_joint_configuration_and_goes_when_it_gives_up():
    node = ready(nodes=5)
    node.add_entry(Configuration(("S2", "S3", "S4", "S5")))
    drain(node)
    hand_over(node, "S2")
    for peer in ("S3", "S4", "S5"):
        tell(node, accepted(peer, 1, 2))
    assert (node.commit_index, node.log.last_index) == (2, 2)
    ticked(node, TIMEOUT)
    assert node.log.last_index == 3 and not node.configuration.is_joint
    for peer in ("S3", "S4"):
        tell(node, accepted(peer, 1, 3))
    assert told(tell(node, accepted("S5", 1, 3))) == ["S3"]
    assert node.role is Role.FOLLOWER


def test_a_successor_leaves_the_joint_configuration_that_it_found():
    with World(5, options=COMPLETE) as world:
        world.elect("S1")
        world.settle()
        world["S1"].add_entry(Configuration(names(4)))
        world.pump("S1")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        world.settle()
        assert world["S2"].role is Role.LEADER
        assert world.now == 0.0, "no timer ran out"
        assert [world[each].configuration for each in names(4)] == [Configuration(names(4))] * 4
        assert [each.payload for each in world["S2"].log][1:] == [
            Configuration(names(4), old_voters=names(5)),
            Empty(),
            Configuration(names(4)),
        ]


# The leader: when it does not work


def test_who_was_told_and_does_nothing_is_told_again():
    node = ready()
    assert hand_over(node, "S2") == ["S2"]
    assert ticked(node, INTERVAL - 1) == []
    assert ticked(node, INTERVAL) == ["S2"]
    assert ticked(node, 2 * INTERVAL) == ["S2"]


def test_who_is_told_between_two_heartbeats_is_told_again_an_interval_later():
    node = ready()
    ticked(node, 20.0)
    hand_over(node, "S2")
    assert ticked(node, 20.0 + INTERVAL - 1) == []
    assert node.next_deadline == 20.0 + INTERVAL
    assert ticked(node, 20.0 + INTERVAL) == ["S2"]


class TakesCommandsOn(Rules):
    """A leader that hands over takes commands all the same."""

    def takes_commands_while_handing_over(self):
        return True


def test_who_was_told_and_lacks_something_by_now_is_told_again_when_it_has_that_too():
    node = ready(rules=TakesCommandsOn())
    assert hand_over(node, "S2") == ["S2"]
    node.add_entry(Command(b"x"))
    drain(node)
    assert ticked(node, INTERVAL) == []
    assert node.next_deadline > node.now
    assert told(tell(node, accepted("S2", 1, 2))) == ["S2"]


def test_at_the_deadline_it_gives_up_and_takes_commands_again():
    node = behind()
    hand_over(node, "S2")
    ticked(node, TIMEOUT - 0.1)
    with pytest.raises(NotNow):
        node.add_entry(Command(b"y"))
    ticked(node, TIMEOUT)
    assert node.add_entry(Command(b"y")) == 3
    assert told(tell(node, accepted("S2", 1, 3))) == [], "it no longer hands over"


def test_the_deadline_is_when_a_tick_matters():
    node = leader(options=Options.figure_2(transfer_timeout=20.0))
    hand_over(node, "S2")
    assert node.next_deadline == 20.0
    node.tick(20.0)
    assert node.role_data.transfer is None
    assert node.next_deadline == INTERVAL


def test_a_transfer_ends_with_leadership():
    node = behind()
    hand_over(node, "S2")
    tell(node, append("S3", 2, (1, 1)))
    node.campaign(node.now, force=True)
    drain(node)
    tell(node, vote("S3", 3))
    assert node.role is Role.LEADER
    assert (node.role_data.transfer, node.role_data.has_handed_over) == (None, False)


def test_that_it_once_handed_over_is_remembered_for_the_term():
    """A TimeoutNow may still be under way: no lease is safe any more (2.16, 13)."""
    node = behind()
    assert not node.role_data.has_handed_over
    hand_over(node, "S2")
    ticked(node, TIMEOUT)
    assert node.role_data.transfer is None and node.role_data.has_handed_over


# A leader that is removed


def removed(**about):
    """S1 leads S1 S2 S3 and has appended that it shall be without itself; entry 2 is joint."""
    node = ready(**about)
    node.add_entry(Configuration(("S2", "S3")))
    drain(node)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 2))
    assert node.configuration == Configuration(("S2", "S3"))
    return node


def test_a_removed_leader_hands_over_when_its_removal_is_committed_and_follows_nobody():
    node = removed()
    assert tell(node, accepted("S2", 1, 3)) == [], "S2 alone is no majority without S1"
    assert told(tell(node, accepted("S3", 1, 3))) in (["S2"], ["S3"])
    assert (node.role, node.leader) == (Role.FOLLOWER, None)


def test_a_removed_leader_steps_down_for_that_cause():
    node = removed()
    node.advance(accepted("S2", 1, 3), node.now)
    node.advance(accepted("S3", 1, 3), node.now)
    assert node.poll().role_change.cause is Cause.REMOVED


def committed_but_nobody_has_everything():
    """The removal of S1 is committed, but one more entry is known to nobody else."""
    node = removed()
    node.add_entry(Command(b"x"))
    drain(node)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 3))
    assert node.commit_index == 3 and node.role is Role.LEADER
    return node


def test_a_removed_leader_never_gives_up():
    node = committed_but_nobody_has_everything()
    ticked(node, 10 * TIMEOUT)
    with pytest.raises(NotNow):
        node.add_entry(Command(b"y"))
    assert told(tell(node, accepted("S3", 1, 4))) == ["S3"]
    assert node.role is Role.FOLLOWER


def test_a_removed_leader_never_gives_up_although_its_host_asked_it_to_try_for_a_while():
    node = committed_but_nobody_has_everything()
    hand_over(node, "S2")
    ticked(node, 2 * TIMEOUT)
    with pytest.raises(NotNow):
        node.add_entry(Command(b"y"))
    assert told(tell(node, accepted("S3", 1, 4))) == ["S3"]


def test_a_leader_that_is_removed_while_it_hands_over_goes_when_that_does_not_work():
    """Its removal is committed by others than the one it waits for."""
    five = Configuration(names(5))
    node = ready(configuration=five)
    node.add_entry(Configuration(("S2", "S3", "S4", "S5")))
    drain(node)
    for peer in ("S3", "S4", "S5"):
        tell(node, accepted(peer, 1, 2))
    node.transfer_leadership("S2")
    for peer in ("S3", "S4", "S5"):
        tell(node, accepted(peer, 1, 3))
    assert (node.commit_index, node.role) == (3, Role.LEADER)
    assert ticked(node, TIMEOUT) in (["S3"], ["S4"], ["S5"])
    assert node.role is Role.FOLLOWER


# The successor


@pytest.mark.parametrize("options", [FIGURE_2, COMPLETE], ids=["figure 2", "complete"])
def test_who_is_told_campaigns_at_once_without_a_pre_vote_and_says_why(options):
    node = machine(options=options, term=1)
    tell(node, append("S2", 1))
    asked = tell(node, timeout_now("S2", 1), after=1.0)
    assert [(type(each), each.term, each.is_prevote, each.force) for each in asked] == [
        (RequestVote, 2, False, True),
        (RequestVote, 2, False, True),
    ]
    assert (node.role, node.voted_for) == (Role.CANDIDATE, "S1")


def test_who_is_told_twice_campaigns_once():
    node = machine(term=1)
    tell(node, timeout_now("S2", 1))
    assert tell(node, timeout_now("S2", 1)) == []
    assert node.term == 2


@pytest.mark.parametrize("make", [candidate, leader])
def test_only_a_follower_campaigns_when_it_is_told(make):
    node = make(term=1)
    before = node.fingerprint()
    assert tell(node, timeout_now("S2", 2)) == []
    assert node.fingerprint() == before


def test_what_an_old_leader_tells_is_left_alone():
    node = machine(term=5)
    assert tell(node, timeout_now("S2", 4)) == []
    assert (node.role, node.term) == (Role.FOLLOWER, 5)


def test_a_learner_that_is_told_does_not_campaign():
    node = machine("S4", configuration=LEARNING, term=1)
    assert tell(node, timeout_now("S1", 1, to="S4")) == []
    assert (node.role, node.term) == (Role.FOLLOWER, 1)


# All together


@pytest.mark.parametrize("options", [FIGURE_2, COMPLETE], ids=["figure 2", "complete"])
@pytest.mark.parametrize("to", ["S2", "S3", None])
def test_leadership_passes_in_one_round_although_the_old_leader_lives(options, to):
    with World(3, options=options) as world:
        world.elect("S1")
        world.propose("S1")
        world.settle()
        world["S1"].transfer_leadership(to)
        world.pump("S1")
        world.settle()
        (new,) = (each for each in names(3) if world[each].role is Role.LEADER)
        assert new != "S1" and to in (new, None)
        assert world.now == 0.0, "no timer ran out"
        assert [world[node].leader for node in names(3)] == [new] * 3
        world.propose(new)
        world.settle()


def test_a_successor_that_lacks_something_gets_it_first():
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world.propose("S1")
        world["S1"].transfer_leadership("S3")
        world.pump("S1")
        assert not any(isinstance(each, TimeoutNow) for each in world.flying)
        world.settle()
        assert world["S3"].role is Role.LEADER
        assert world["S3"].log.last_index == 3


def test_a_timeout_now_that_is_lost_is_sent_again():
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        world.lose(TimeoutNow, "S1", "S2")
        world.heartbeat("S1")
        assert world["S2"].role is Role.LEADER


def test_a_successor_that_is_down_costs_one_transfer_timeout():
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world.crash("S2")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        while world["S1"].role_data.transfer is not None:
            world.heartbeat("S1")
        assert world.now == COMPLETE.transfer_timeout
        assert world.propose("S1") == 2
        world.settle()
        assert world["S1"].commit_index == 2


def test_a_successor_whose_requests_are_lost_waits_and_stands_again():
    """The old leader has left its term when it hears of the new one, and is no obstacle."""
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        world.deliver(TimeoutNow, "S1", "S2")
        world.lose(RequestVote, "S2", "S1")
        world.lose(RequestVote, "S2", "S3")
        world.tick("S1")
        world.settle()
        assert world["S1"].role is Role.FOLLOWER, "it was told of the higher term"
        for _ in range(6):
            node = min(world.machines.values(), key=lambda each: each.next_deadline).node_id
            world.tick(node)
            world.settle()
        assert [each.role for each in world.machines.values()].count(Role.LEADER) == 1
        world.lose_all()


def test_a_forced_vote_is_granted_although_a_leader_is_alive():
    with World(3, options=COMPLETE) as world:
        world.elect("S1")
        world["S1"].transfer_leadership("S2")
        world.pump("S1")
        world.deliver(TimeoutNow, "S1", "S2")
        world.deliver(RequestVote, "S2", "S3", force=True)
        assert world.deliver(RequestVoteReply, "S3", "S2").vote_granted
        assert world["S2"].role is Role.LEADER
        world.lose_all()


# The best one


def heard_late(node, peers):
    """Let each of these peers answer in turn, 5 ms apart, with everything."""
    for place, peer in enumerate(peers, start=1):
        node.advance(accepted(peer, 1, node.log.last_index), node.now + 5.0 * place)
    drain(node)
    return node


def test_of_those_that_have_everything_the_one_heard_last_is_told():
    assert hand_over(heard_late(ready(), ["S2", "S3"])) == ["S3"]
    assert hand_over(heard_late(ready(), ["S3", "S2"])) == ["S2"]


def test_a_successor_that_does_not_campaign_is_followed_by_another():
    node = heard_late(ready(), ["S2", "S3"])
    assert hand_over(node) == ["S3"]
    assert ticked(node, node.now + INTERVAL) == ["S2"]
    assert ticked(node, node.now + INTERVAL) == ["S3"]


def test_a_successor_that_was_named_is_told_again_and_nobody_else():
    node = heard_late(ready(), ["S2", "S3"])
    assert hand_over(node, "S2") == ["S2"]
    assert ticked(node, node.now + INTERVAL) == ["S2"]
