"""Clusters: how they are made, how time passes, how a leader is found and takes commands."""

import pytest

from raftlab import Cluster, Command, Disks, Misuse, Network, NotNow, Options, Role, Rules
from raftlab.raft.machine import RaftStateMachine
from raftlab.sim.world import engine
from raftlab.sim.world.actions import Propose, Tick, Wait
from raftlab.sim.world.arguments import MOST_NODES
from raftlab.sim.world.engine import REMEMBERED_EVENTS
from tests.sim.looking import frame_bytes, standing

ODD_NAMES = [
    "S 1",
    "{0}",
    "%s",
    "S2→S3",
    "Ada",
    "ada",
    "1",
    "línea",
    "<b>&amp;\"'",
    "a" * 64,
    "S1\nS2",
    "🦊",
    "None",
]


def applied(cluster: Cluster) -> list[dict[str, str]]:
    return [dict(each.values) for each in cluster.frame().nodes]


# Made


@pytest.mark.parametrize("size", [1, 2, 3, 5, MOST_NODES])
def test_a_cluster_of_any_size_elects_and_commits(size):
    cluster = Cluster(size, seed=3)
    assert cluster.nodes == tuple(f"S{n}" for n in range(1, size + 1))
    leader = cluster.elect()
    assert leader in cluster.nodes
    index = cluster.propose("x=1")
    assert cluster.run_until(lambda each: min(applied_indexes(each)) >= index, 1000)
    assert applied(cluster) == [{"x": "1"}] * size
    assert not cluster.engine.world.alarms


def applied_indexes(cluster: Cluster) -> list[int]:
    return [each.applied_index for each in cluster.frame().nodes]


def test_a_cluster_of_any_names_elects_and_commits_and_is_recorded():
    cluster = Cluster(ODD_NAMES, seed=1)
    assert cluster.nodes == tuple(ODD_NAMES)
    for leader in ODD_NAMES[:4]:
        assert cluster.elect(leader) == leader
    cluster.propose("x=1")
    cluster.isolate(ODD_NAMES[0])
    cluster.cut(ODD_NAMES[1], ODD_NAMES[2])
    cluster.crash(ODD_NAMES[4])
    cluster.run(500)
    assert all(isinstance(each.text, str) for each in cluster.events(1000))
    assert standing(cluster.recording.replay()) == standing(cluster)


def test_names_that_differ_in_case_only_are_two_nodes():
    cluster = Cluster(["s1", "S1"])
    cluster.crash("S1")
    assert cluster.machine("s1")


def test_a_cluster_begins_with_everybody_a_follower_of_nobody():
    frame = Cluster(3).frame()
    assert (frame.number, frame.at, frame.event, frame.in_flight) == (0, 0.0, None, ())
    for each in frame.nodes:
        assert (each.role, each.term, each.voted_for, each.leader) == (Role.FOLLOWER, 0, None, None)
        assert each.log == each.disk.log == ()
    assert all(frame.properties.values())


def test_rules_can_be_one_for_all_or_one_for_each_as_instances_or_as_classes():
    class Mine(Rules):
        pass

    assert {type(host.rules) for host in Cluster(3, rules=Mine()).hosts.values()} == {Mine}
    assert {type(host.rules) for host in Cluster(3, rules=Mine).hosts.values()} == {Mine}
    mixed = Cluster(3, rules={"S2": Mine(), "S3": Mine})
    assert [type(host.rules) for host in mixed.hosts.values()] == [Rules, Mine, Mine]


def test_changing_the_mapping_of_rules_afterwards_changes_no_replay():
    class Mine(Rules):
        pass

    rules = {"S2": Mine()}
    cluster = Cluster(3, rules=rules)
    rules.clear()
    assert isinstance(cluster.recording.replay().hosts["S2"].rules, Mine)


def test_logs_give_nodes_a_past():
    cluster = Cluster(3, seed=1, logs={"S1": [1, 1, 4], "S2": [1]})
    assert [each.last_term for each in cluster.frame().nodes] == [4, 1, 0]
    assert [each.term for each in cluster.frame().nodes] == [4, 4, 4]
    assert cluster.elect("S1") == "S1"
    cluster.run(500)
    assert [len(each.log) for each in cluster.frame().nodes] == [4, 4, 4]
    assert standing(cluster.recording.replay()) == standing(cluster)


# Time


def test_time_passes_exactly_as_long_as_was_said():
    cluster = Cluster(3, seed=1)
    assert cluster.run(0.5) is cluster
    assert cluster.now == 0.5
    cluster.run(123.25).run(0.25)
    assert cluster.now == 124.0


def test_running_for_no_time_at_all_does_nothing():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    before = standing(cluster)
    cluster.run(0)
    assert standing(cluster) == before


def test_time_passes_even_when_nothing_can_happen():
    cluster = Cluster(2, seed=1)
    cluster.crash("S1")
    cluster.crash("S2")
    cluster.run(50)
    assert cluster.now == 50
    assert isinstance(cluster.actions[-1], Wait)


def test_time_never_goes_back():
    cluster = Cluster(5, seed=1, network=Network(loss=0.1, reordering=0.5))
    cluster.run(3000)
    times = [action.at for action in cluster.actions]
    assert times == sorted(times)


def test_a_step_is_one_action_and_says_what_it_was():
    cluster = Cluster(3, seed=1)
    event = cluster.step()
    assert cluster.number == event.frame == 1
    assert event.at == cluster.now > 0
    assert event == cluster.events(1)[0] == cluster.frame().event
    assert str(event) == f"{event.at:.1f} ms: {event.text}"
    assert event.text == "S2 asks who would vote for it in term 1."


def test_steps_and_runs_lead_to_the_same_place():
    ran, stepped = Cluster(5, seed=9), Cluster(5, seed=9)
    ran.run(1000)
    while stepped.number < ran.number - 1:
        stepped.step()
    stepped.run(1000 - stepped.now)
    assert stepped.recording == ran.recording


def test_run_until_stops_at_the_first_frame_in_which_the_condition_holds():
    cluster = Cluster(3, seed=1)
    assert cluster.run_until(lambda each: each.leader is not None)
    number = cluster.number
    assert cluster.at(number - 1).leader is None


def test_run_until_does_nothing_if_the_condition_holds_already():
    cluster = Cluster(3, seed=1)
    assert cluster.run_until(lambda each: True, 0) is True
    assert cluster.number == 0


def test_run_until_gives_up_exactly_at_its_limit():
    cluster = Cluster(3, seed=1)
    assert cluster.run_until(lambda each: False, 321.5) is False
    assert cluster.now == 321.5
    assert cluster.run_until(lambda each: False, 0) is False
    assert cluster.now == 321.5


def test_run_until_asks_once_more_at_its_limit():
    cluster = Cluster(3, seed=1)
    assert cluster.run_until(lambda each: each.now >= 100, 100) is True


def test_a_condition_may_use_verbs_itself():
    cluster = Cluster(3, seed=1)
    cluster.elect()

    def three_commands(each: Cluster) -> bool:
        return each.propose("x+=1") >= 4

    assert cluster.run_until(three_commands, 100)
    cluster.run(200)
    assert applied(cluster) == [{"x": "3"}] * 3


def test_an_error_in_a_condition_leaves_the_cluster_in_order():
    cluster, other = Cluster(3, seed=1), Cluster(3, seed=1)

    def fails(each: Cluster) -> bool:
        if each.number == 5:
            raise ZeroDivisionError
        return False

    with pytest.raises(ZeroDivisionError):
        cluster.run_until(fails)
    while cluster.number < 100:
        cluster.step()
    while other.number < 100:
        other.step()
    assert standing(cluster) == standing(other)


def test_a_node_whose_timer_ran_out_while_it_was_cut_off_campaigns():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.isolate("S3")
    assert cluster.run_until(lambda each: each.machine("S3").role is Role.CANDIDATE, 400)
    assert isinstance(cluster.actions[-1], Tick)


# Leaders


def test_elect_returns_at_once_if_there_is_a_leader():
    cluster = Cluster(3, seed=1)
    leader = cluster.elect()
    number = cluster.number
    assert cluster.elect() == leader
    assert cluster.number == number


def test_elect_makes_any_node_lead_though_another_one_leads():
    cluster = Cluster(5, seed=1)
    for node in ("S4", "S1", "S1", "S5"):
        assert cluster.elect(node) == node
        assert cluster.leader == node
        cluster.run(200)
        assert cluster.leader == node


def test_elect_lets_a_candidate_go_on():
    cluster = Cluster(3, seed=1)
    cluster.timeout("S2")
    assert cluster.machine("S2").role is Role.CANDIDATE
    assert cluster.elect("S2") == "S2"


def test_a_node_with_a_stale_log_leads_only_when_it_has_caught_up():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(200)
    cluster.partition("S1", "S2 S3")
    assert cluster.elect("S3") == "S3"
    assert Command(b"x=1") in [entry.payload for entry in cluster.machine("S3").log]
    assert any("S2 refuses S3 its vote" in each.text for each in cluster.events(1000))


def test_a_node_with_a_stale_log_that_cannot_catch_up_is_not_elected_and_a_sentence_says_why():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(200)
    cluster.heal()
    for other in ("S1", "S2"):
        cluster.cut(other, "S3", both_ways=False)
    with pytest.raises(NotNow) as refused:
        cluster.elect("S3")
    assert str(refused.value) == (
        "S3 was not elected within 6000 ms: can it reach a majority, and is its log as up to"
        " date as theirs?"
    )
    assert cluster.leader != "S3"


def test_without_a_majority_nobody_is_elected_and_a_sentence_says_why():
    cluster = Cluster(3, seed=1)
    cluster.crash("S1")
    cluster.crash("S2")
    with pytest.raises(NotNow) as refused:
        cluster.elect()
    assert str(refused.value) == (
        "No leader within 6000 ms. Is a majority of the nodes up, and connected?"
    )
    assert cluster.now == 6000


def test_the_leader_is_the_living_one_of_the_highest_term():
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    cluster.elect("S1")
    cluster.isolate("S1")
    cluster.elect("S2")
    assert cluster.machine("S1").role is Role.LEADER
    assert cluster.leader == cluster.frame().leader.node == "S2"
    cluster.crash("S2")
    assert cluster.leader == "S1"
    cluster.crash("S1")
    assert cluster.leader is None
    assert cluster.frame().leader is None


def test_a_cluster_of_one_needs_nobody():
    cluster = Cluster(1, seed=1)
    assert cluster.elect("S1") == "S1"
    cluster.propose("x=1")
    cluster.run(5)
    assert cluster.commit_index == 2
    assert cluster.engine.world.network.sent == 0


def test_a_cluster_of_two_stops_when_one_is_down():
    cluster = Cluster(2, seed=1)
    cluster.elect("S1")
    cluster.crash("S2")
    cluster.run(1000)
    assert cluster.leader is None
    cluster.restart("S2")
    assert cluster.elect() in cluster.nodes


# Commands


def test_propose_returns_the_index_and_the_command_is_found_there():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    assert [cluster.propose(f"x={n}") for n in range(3)] == [2, 3, 4]
    cluster.run(200)
    for each in cluster.frame().nodes:
        assert [entry.payload.data for entry in each.log[1:]] == [b"x=0", b"x=1", b"x=2"]


@pytest.mark.parametrize(
    "command",
    ["", " ", "=", "x", "x=", "del", "\0", "{}", "%s", "x=1\ny=2", "é=ü", "x" * 100_000],
)
def test_any_text_is_a_command(command):
    cluster = Cluster(3, seed=1)
    cluster.elect()
    index = cluster.propose(command)
    cluster.run(200)
    assert all(each.commit_index == index for each in cluster.frame().nodes)
    assert cluster.machine("S1").log[index].payload == Command(command.encode())
    assert len({tuple(each.items()) for each in applied(cluster)}) == 1
    assert all(len(each.text) < 300 for each in cluster.events(1000))
    assert standing(cluster.recording.replay()) == standing(cluster)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"x=\xff", bytearray(b"x=1"), memoryview(b"y=1")]
)
def test_any_bytes_are_a_command(data):
    cluster = Cluster(3, seed=1)
    cluster.elect()
    index = cluster.propose(data)
    cluster.run(200)
    assert cluster.machine("S3").log[index].payload == Command(bytes(data))
    assert frame_bytes(cluster.frame())


def test_a_command_is_not_changed_by_whoever_made_it():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    data = bytearray(b"x=1")
    cluster.propose(data)
    data[:] = b"x=2"
    cluster.run(200)
    assert applied(cluster) == [{"x": "1"}] * 3


def test_a_command_can_be_given_to_a_leader_that_is_deposed_without_knowing():
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    cluster.elect("S1")
    cluster.run(200)
    cluster.isolate("S1")
    assert cluster.propose("x=1", to="S1") == 2
    cluster.elect("S2")
    assert cluster.propose("x=2") == 3
    cluster.run(200)
    cluster.heal()
    cluster.run(300)
    assert applied(cluster) == [{"x": "2"}] * 3


def test_many_commands_at_once_are_all_committed_in_order():
    cluster = Cluster(5, seed=1)
    cluster.elect()
    for n in range(2000):
        cluster.propose(f"x={n}")
    assert cluster.run_until(lambda each: min(applied_indexes(each)) == 2001, 5000)
    assert applied(cluster) == [{"x": "1999"}] * 5


# Looking


def test_events_are_remembered_up_to_a_limit():
    cluster = Cluster(3, seed=1)
    cluster.run(15_000)
    assert cluster.number > REMEMBERED_EVENTS
    assert len(cluster.events(10**9)) == REMEMBERED_EVENTS
    assert [each.frame for each in cluster.events(3)] == [
        cluster.number - 2,
        cluster.number - 1,
        cluster.number,
    ]
    assert cluster.events(0) == cluster.events(-4) == ()


def test_a_cluster_says_in_one_line_who_it_is():
    cluster = Cluster(3, seed=1)
    assert repr(cluster) == "<Cluster of 3: 0.0 ms, no leader, frame 0>"
    cluster.elect("S1")
    assert "S1 leads term 1" in repr(cluster)


def test_a_frame_of_an_unwatched_cluster_claims_no_property():
    assert Cluster(3, watched=False).frame().properties == {}


def test_a_frame_can_be_asked_for_a_node():
    frame = Cluster(3).frame()
    assert frame["S2"].node == "S2"
    with pytest.raises(KeyError, match="no node 'S9': this cluster has S1, S2, S3"):
        frame["S9"]


def test_a_node_that_is_down_shows_its_disk():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(200)
    cluster.crash("S1")
    node = cluster.frame()["S1"]
    assert not node.alive
    assert node.log == node.disk.log != ()
    assert (node.term, node.commit_index, node.values) == (1, 0, {})


# Machines that fail


class Fails(RaftStateMachine):
    """Falls over when it hears of its first entry."""

    __slots__ = ()

    def _on_append_entries(self, request):
        if request.entries:
            raise LookupError("entry lost")
        super()._on_append_entries(request)


class NeverSatisfied(RaftStateMachine):
    """Asks for the same write at every poll."""

    __slots__ = ()

    def poll(self):
        self._set_term(self.term + 1)
        return super().poll()


class StandsStill(RaftStateMachine):
    """Waits for a moment that has passed."""

    __slots__ = ()

    def _election_timed_out(self, **marks: bool) -> None:
        pass


def test_a_machine_that_raises_stops_the_run_where_it_can_be_seen():
    cluster = Cluster(3, seed=1, machine=Fails)
    with pytest.raises(LookupError, match="entry lost"):
        cluster.run(1000)
    number, after = cluster.number, standing(cluster)
    with pytest.raises(NotNow) as refused:
        cluster.step()
    assert str(refused.value) == (
        f"The run stopped at frame {number}, where S1's machine raised LookupError: entry lost."
        f" Look at it, or go back: cluster.at({number - 1})."
    )
    assert standing(cluster) == after
    assert "receives AppendEntries" in cluster.events(1)[0].text


def test_a_run_in_which_a_machine_raised_can_be_played_again():
    cluster = Cluster(3, seed=1, machine=Fails)
    with pytest.raises(LookupError):
        cluster.run(1000)
    with pytest.raises(LookupError):
        cluster.recording.replay()
    frames = list(cluster.recording.frames())
    assert frame_bytes(frames[-1]) == frame_bytes(cluster.frame())
    before = cluster.at(cluster.number - 1)
    with pytest.raises(LookupError):
        before.step()
    assert standing(before) == standing(cluster)


class FailsWhenAsked(RaftStateMachine):
    """Cannot take a command, cannot campaign, and cannot start a second time."""

    __slots__ = ()

    def __init__(self, node_id, **given):
        if given["now"] > 0:
            raise LookupError("no way back")
        super().__init__(node_id, **given)

    def add_entry(self, payload):
        self.log.append_as_leader(self.term, payload)
        raise LookupError("no room")

    def campaign(self, now, force=False):
        if self.node_id != "S1":
            raise LookupError("no courage")
        super().campaign(now, force)


ASKED = [
    (lambda cluster: cluster.propose("x=1"), "S1", "no room"),
    (lambda cluster: cluster.timeout("S2"), "S2", "no courage"),
    (lambda cluster: cluster.restart("S3"), "S3", "no way back"),
]


@pytest.mark.parametrize(("ask", "node", "words"), ASKED, ids=["command", "timeout", "restart"])
def test_a_machine_that_fails_when_it_is_asked_stops_the_run_and_its_replay(ask, node, words):
    cluster = Cluster(3, seed=1, machine=FailsWhenAsked)
    cluster.elect("S1")
    cluster.crash("S3")
    number = cluster.number
    with pytest.raises(LookupError, match=words):
        ask(cluster)
    assert cluster.number == number + 1
    stopped = (
        f"The run stopped at frame {cluster.number}, where {node}'s machine raised"
        f" LookupError: {words}. Look at it, or go back: cluster.at({number})."
    )
    with pytest.raises(NotNow) as refused:
        cluster.step()
    assert str(refused.value) == stopped
    with pytest.raises(LookupError, match=words):
        cluster.recording.replay()
    assert frame_bytes(list(cluster.recording.frames())[-1]) == frame_bytes(cluster.frame())
    again = cluster.at(number)
    with pytest.raises(LookupError, match=words):
        again.apply(cluster.actions[-1])
    assert standing(again) == standing(cluster)
    with pytest.raises(NotNow) as refused:
        again.step()
    assert str(refused.value) == stopped


def test_a_machine_that_refuses_a_command_in_its_own_way_changes_nothing():
    class Full(Misuse):
        """No more commands."""

    class Refuses(RaftStateMachine):
        __slots__ = ()

        def add_entry(self, payload):
            raise Full("add_entry")

        def campaign(self, now, force=False):
            if self.node_id != "S1":
                raise Full("campaign")
            super().campaign(now, force)

    cluster = Cluster(3, seed=1, machine=Refuses)
    cluster.elect("S1")
    before = standing(cluster)
    with pytest.raises(Full, match="add_entry"):
        cluster.propose("x=1")
    with pytest.raises(Full, match="campaign"):
        cluster.timeout("S2")
    assert standing(cluster) == before
    cluster.run(100)
    assert standing(cluster.recording.replay()) == standing(cluster)


def test_a_machine_that_writes_without_end_is_stopped():
    with pytest.raises(Misuse, match="asks for one more write at every poll"):
        Cluster(1, machine=NeverSatisfied, disks=Disks(write_ms=0), watched=False)


def test_a_machine_whose_deadline_stands_still_is_stopped():
    cluster = Cluster(1, seed=1, machine=StandsStill)
    with pytest.raises(Misuse, match=r"still waits for .* ms: tick must move next_deadline on"):
        cluster.run(1000)


class TriesAgain(Rules):
    """After a rejection the leader tries the same place again."""

    def next_index_after(self, rejected, log, progress):
        return rejected.non_matching_index + 1


def test_a_run_in_which_no_time_passes_any_more_is_stopped(monkeypatch):
    monkeypatch.setattr(engine, "MOST_AT_ONCE", 500)
    no_time = {"network": Network(latency=(0.0, 0.0)), "disks": Disks(write_ms=0.0)}
    logs = {"S1": [1, 2], "S2": [1, 2], "S3": [1]}
    cluster = Cluster(3, seed=1, rules=TriesAgain(), logs=logs, **no_time)
    cluster.elect("S1")
    with pytest.raises(Misuse) as refused:
        cluster.run(100)
    assert str(refused.value) == (
        f"500 things have happened at {cluster.now} ms, and no end is in sight: the nodes answer"
        " one another and no time passes. Give the network a latency."
    )
    assert standing(cluster.recording.replay()) == standing(cluster)


def test_proposing_by_hand_is_recorded_like_any_other_way():
    cluster, by_hand = Cluster(3, seed=1), Cluster(3, seed=1)
    cluster.elect()
    by_hand.elect()
    cluster.propose("x=1")
    by_hand.apply(Propose(by_hand.now, by_hand.leader, b"x=1"))
    assert cluster.recording == by_hand.recording


def test_a_cluster_says_of_all_that_lead_that_they_lead():
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    old = cluster.elect()
    cluster.isolate(old)
    cluster.run(1000)
    new = cluster.leader
    terms = [cluster.machine(node).term for node in (new, old)]
    assert f"{new} leads term {terms[0]}, {old} leads term {terms[1]}, frame" in repr(cluster)
