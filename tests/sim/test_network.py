"""Links that are cut and mended, the weather, and what a reader does to single messages."""

from typing import Any

import pytest

from raftlab import Cluster, Disks, Misuse, Network, Options, Role
from raftlab.sim.world.actions import Calm, Deliver, Drop
from raftlab.sim.world.network import Flight
from tests.sim.looking import standing


def led(nodes: int = 3, **given: Any) -> Cluster:
    """S1 leads, and everybody has heard it."""
    cluster = Cluster(nodes, seed=1, **given)
    cluster.elect("S1")
    cluster.run(200)
    return cluster


def with_entry_2_on_its_way(**given: Any) -> tuple[Cluster, Flight]:
    """S1 has just sent entry 2; the flight is the one to S2."""
    cluster = led(**given)
    cluster.propose("x=1")
    cluster.run(1.0)
    return cluster, flights(cluster, "S1", "S2")[-1]


def flights(cluster: Cluster, sender: str, receiver: str) -> list[Flight]:
    return [each for each in cluster.in_flight() if each.key[:2] == (sender, receiver)]


def follows(cluster: Cluster, node: str) -> str | None:
    return cluster.frame()[node].leader


# Cutting and mending


def test_a_partition_keeps_the_sides_apart_and_a_majority_goes_on():
    cluster = led(5)
    cluster.partition("S1 S2")
    assert cluster.frame().groups == (("S1", "S2"), ("S3", "S4", "S5"))
    assert len(cluster.frame().cuts) == len(cluster.engine.world.network.cuts) == 12
    cluster.run(1500)
    assert cluster.leader in ("S3", "S4", "S5")
    cluster.propose("x=1")
    cluster.run(200)
    values = [each.values for each in cluster.frame().nodes]
    assert values == [{}, {}, {"x": "1"}, {"x": "1"}, {"x": "1"}]
    cluster.heal()
    assert (cluster.frame().groups, cluster.frame().cuts) == ((), ())
    cluster.run(500)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 5


def test_a_partition_into_five_leaves_everybody_alone():
    cluster = led(5)
    cluster.partition(["S1"], ["S2"], ("S3",), iter(["S4"]), "S5")
    assert len(cluster.frame().cuts) == 20
    cluster.run(1000)
    assert cluster.leader is None


def test_a_partition_takes_the_place_of_the_one_before():
    cluster = led(5)
    cluster.partition("S1 S2")
    cluster.cut("S3", "S4")
    cluster.partition("S5")
    assert cluster.frame().groups == (("S5",), ("S1", "S2", "S3", "S4"))
    assert {node for ends in cluster.frame().cuts for node in ends if "S5" not in ends} == set()


def test_isolating_one_node_after_another_leaves_both_alone():
    cluster = led(5)
    cluster.isolate("S4")
    cluster.isolate("S2")
    assert set(cluster.frame().groups) == {("S4",), ("S2",), ("S1", "S3", "S5")}
    cluster.isolate("S2")
    assert set(cluster.frame().groups) == {("S4",), ("S2",), ("S1", "S3", "S5")}


def test_isolating_everybody_in_turn_leaves_everybody_alone():
    cluster = led(3)
    for node in cluster.nodes:
        cluster.isolate(node)
    assert len(cluster.frame().cuts) == 6


def test_a_link_can_be_cut_in_one_direction():
    cluster = led()
    cluster.cut("S1", "S3", both_ways=False)
    assert cluster.frame().cuts == (("S1", "S3"),)
    since = cluster.number
    cluster.run(100)
    ends = {(each.sender, each.receiver) for each in deliveries(cluster, since)}
    assert ("S1", "S3") not in ends
    assert ("S1", "S2") in ends


def deliveries(cluster: Cluster, since: int) -> list[Deliver]:
    return [action for action in cluster.actions[since:] if isinstance(action, Deliver)]


def test_a_link_that_is_cut_twice_is_mended_once():
    cluster = led()
    cluster.cut("S1", "S2")
    cluster.cut("S2", "S1")
    assert cluster.frame().cuts == (("S1", "S2"), ("S2", "S1"))
    cluster.heal()
    assert cluster.frame().cuts == ()


def test_healing_a_whole_network_is_allowed():
    cluster = led()
    cluster.heal()
    cluster.heal()
    cluster.run(100)
    assert cluster.leader == "S1"


def test_a_message_on_its_way_when_its_link_is_cut_is_lost_on_arrival():
    cluster, flight = with_entry_2_on_its_way()
    cluster.cut("S1", "S2", both_ways=False)
    assert cluster.run_until(lambda each: flight not in each.in_flight(), 100)
    assert isinstance(cluster.actions[-1], Drop)
    assert cluster.now == flight.arrives_at
    assert cluster.events(1)[0].lost == flight.message
    assert len(cluster.frame()["S2"].log) == 1


def test_a_message_on_its_way_survives_a_cut_that_is_mended_in_time():
    cluster, flight = with_entry_2_on_its_way()
    cluster.cut("S1", "S2")
    cluster.heal()
    assert cluster.run_until(lambda each: flight not in each.in_flight(), 100)
    assert isinstance(cluster.actions[-1], Deliver)


def test_a_message_sent_over_a_cut_link_is_lost_half_way_though_it_is_mended():
    cluster = led()
    cluster.cut("S1", "S2")
    cluster.propose("x=1")
    cluster.run(1.0)
    flight = flights(cluster, "S1", "S2")[-1]
    cluster.heal()
    assert cluster.run_until(lambda each: flight not in each.in_flight(), 100)
    assert isinstance(cluster.actions[-1], Drop)
    assert cluster.now == (flight.sent_at + flight.arrives_at) / 2


def test_a_leader_that_reaches_nobody_steps_down_and_joins_again():
    cluster = led()
    cluster.isolate("S1")
    cluster.run(1000)
    assert cluster.machine("S1").role is not Role.LEADER
    leader = cluster.leader
    cluster.heal()
    cluster.run(200)
    assert cluster.leader == leader
    assert follows(cluster, "S1") == leader


# Single messages


def test_a_message_can_be_delivered_now():
    cluster, flight = with_entry_2_on_its_way()
    cluster.deliver(flight.number)
    assert cluster.frame()["S2"].last_index == 2
    assert flight not in cluster.in_flight()
    since = cluster.number
    cluster.run(50)
    assert flight.key not in {(a.sender, a.receiver, a.nth) for a in deliveries(cluster, since)}


def test_messages_can_be_delivered_in_any_order():
    cluster = led()
    for n in range(3):
        cluster.propose(f"x={n}")
        cluster.run(1.0)
    numbers = [each.number for each in flights(cluster, "S1", "S2") if each.message.entries]
    for number in reversed(numbers):
        cluster.deliver(number)
    cluster.run(300)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "2"}] * 3


def test_a_message_can_be_delivered_over_a_cut_link():
    cluster, flight = with_entry_2_on_its_way()
    cluster.isolate("S2")
    cluster.deliver(flight.number)
    assert cluster.frame()["S2"].last_index == 2


def test_a_message_that_would_be_lost_can_be_delivered():
    cluster = led(network=Network(loss=0.5))
    lost = None
    while lost is None:
        cluster.step()
        lost = next((each for each in cluster.in_flight() if each.lost), None)
    receiver = lost.message.receiver
    cluster.deliver(lost.number)
    assert f"{receiver} receives" in cluster.events(1)[0].text


def test_a_message_delivered_to_a_paused_node_waits_there():
    cluster, flight = with_entry_2_on_its_way()
    cluster.pause("S2")
    cluster.deliver(flight.number)
    assert cluster.frame()["S2"].last_index == 1
    cluster.resume("S2")
    assert cluster.frame()["S2"].last_index == 2


def test_a_message_can_be_dropped_and_is_sent_again_in_time():
    cluster, flight = with_entry_2_on_its_way()
    cluster.drop(flight.number)
    assert flight not in cluster.in_flight()
    assert "from S1 to S2 is lost" in cluster.events(1)[0].text
    assert cluster.run_until(lambda each: each.frame()["S2"].last_index == 2, 300)


def test_a_doubled_message_arrives_twice_and_does_no_harm():
    cluster, flight = with_entry_2_on_its_way()
    cluster.duplicate(flight.number)
    copy = cluster.in_flight()[-1]
    assert copy.message == flight.message
    assert copy.number != flight.number
    assert copy.arrives_at > flight.arrives_at
    cluster.run(300)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3
    assert not cluster.engine.world.alarms


def test_a_message_doubled_a_hundred_times_does_no_harm():
    cluster, flight = with_entry_2_on_its_way()
    for _ in range(100):
        cluster.duplicate(flight.number)
    assert len(flights(cluster, "S1", "S2")) >= 101
    cluster.run(300)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3


def test_the_copy_of_a_lost_message_arrives():
    cluster = led(network=Network(loss=0.5))
    while not any(each.lost for each in cluster.in_flight()):
        cluster.step()
    lost = next(each for each in cluster.in_flight() if each.lost)
    cluster.duplicate(lost.number)
    copy = cluster.in_flight()[-1]
    assert not copy.lost
    assert copy.message == lost.message


def test_the_copy_of_a_message_over_a_cut_link_is_lost():
    cluster, flight = with_entry_2_on_its_way()
    cluster.cut("S1", "S2")
    cluster.duplicate(flight.number)
    assert cluster.in_flight()[-1].lost


def test_a_delayed_message_arrives_exactly_so_much_later():
    cluster, flight = with_entry_2_on_its_way()
    was_due = flight.arrives_at
    cluster.delay(flight.number, 30)
    cluster.delay(flight.number, 12.5)
    assert flight.arrives_at == was_due + 42.5
    assert cluster.run_until(lambda each: flight not in each.in_flight(), 500)
    assert (cluster.now, type(cluster.actions[-1])) == (was_due + 42.5, Deliver)


def test_a_delayed_message_is_overtaken():
    cluster, flight = with_entry_2_on_its_way()
    cluster.delay(flight.number, 500)
    cluster.propose("y=1")
    cluster.run(300)
    assert flight in cluster.in_flight()
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1", "y": "1"}] * 3
    cluster.run(300)
    assert flight not in cluster.in_flight()
    assert not cluster.engine.world.alarms


def test_a_lost_message_that_is_delayed_is_lost_all_the_same():
    cluster = led(network=Network(loss=0.5))
    while not any(each.lost for each in cluster.in_flight()):
        cluster.step()
    lost = next(each for each in cluster.in_flight() if each.lost)
    ends_at = lost.ends_at
    cluster.delay(lost.number, 40)
    assert cluster.run_until(lambda each: lost not in each.in_flight(), 500)
    assert (cluster.now, type(cluster.actions[-1])) == (ends_at, Drop)


def test_a_message_to_a_node_that_is_down_can_be_delayed_until_it_is_up():
    cluster, flight = with_entry_2_on_its_way()
    cluster.crash("S2")
    cluster.delay(flight.number, 100)
    cluster.run(50)
    cluster.restart("S2")
    assert cluster.run_until(lambda each: flight not in each.in_flight(), 500)
    assert isinstance(cluster.actions[-1], Deliver)


def test_numbers_are_given_once():
    cluster = led(5, network=Network(duplication=0.3))
    seen = {}
    for _ in range(500):
        for each in cluster.in_flight():
            assert seen.setdefault(each.number, each) is each
        cluster.step()


def test_a_reader_who_touches_messages_is_recorded():
    cluster, flight = with_entry_2_on_its_way()
    cluster.duplicate(flight.number)
    cluster.delay(flight.number, 20)
    cluster.drop(flights(cluster, "S1", "S3")[-1].number)
    cluster.deliver(cluster.in_flight()[-1].number)
    cluster.run(200)
    assert standing(cluster.recording.replay()) == standing(cluster)


# Weather


def messages_and(cluster: Cluster) -> tuple[int, int]:
    """How many messages were sent, and how many of them were lost."""
    return cluster.engine.world.network.sent, sum(
        isinstance(action, Drop) for action in cluster.actions
    )


def test_everything_is_lost_if_loss_is_certain():
    cluster = Cluster(3, seed=1, network=Network(loss=1.0))
    cluster.run(3000)
    assert cluster.leader is None
    assert not any(isinstance(action, Deliver) for action in cluster.actions)


def test_losses_come_about_as_often_as_was_said():
    cluster = Cluster(5, seed=1, network=Network(loss=0.2))
    cluster.run(20_000)
    sent, lost = messages_and(cluster)
    assert sent > 2000
    assert 0.17 < lost / sent < 0.23


def test_without_loss_nothing_is_lost():
    cluster = Cluster(5, seed=1, network=Network(duplication=0.5, reordering=0.5))
    cluster.run(5000)
    assert messages_and(cluster)[1] == 0


def test_everything_comes_twice_if_duplication_is_certain():
    cluster = Cluster(3, seed=1, network=Network(duplication=1.0))
    leader = cluster.elect()
    cluster.propose("x+=1")
    cluster.run(500)
    assert cluster.leader == leader
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3


def test_a_link_keeps_its_order_unless_it_reorders():
    def overtakings(network: Network) -> int:
        cluster = Cluster(3, seed=1, network=network)
        cluster.run(20_000)
        newest: dict[tuple[str, str], int] = {}
        count = 0
        for action in deliveries(cluster, 0):
            ends = (action.sender, action.receiver)
            count += action.nth < newest.get(ends, 0)
            newest[ends] = max(action.nth, newest.get(ends, 0))
        return count

    wide = (1.0, 200.0)
    assert overtakings(Network(latency=wide)) == 0
    assert overtakings(Network(latency=wide, loss=0.2)) == 0
    assert overtakings(Network(latency=wide, reordering=0.5)) > 10


def test_latencies_lie_within_their_range():
    cluster = Cluster(3, seed=1, network=Network(latency=(30.0, 40.0)))
    seen = set()
    for _ in range(300):
        cluster.step()
        seen.update(each.arrives_at - each.sent_at for each in cluster.in_flight())
    assert 29.999 < min(seen) < 32
    assert 38 < max(seen) < 40.001


def test_a_network_may_take_no_time_at_all():
    cluster = Cluster(5, seed=1, network=Network(latency=(0.0, 0.0)), disks=Disks(write_ms=0.0))
    cluster.elect("S1")
    now = cluster.now
    index = cluster.propose("x=1")
    cluster.run(0)
    assert (cluster.now, cluster.commit_index) == (now, index)


def test_calm_ends_loss_duplication_and_reordering():
    network = Network(loss=0.4, duplication=0.3, reordering=0.5)
    cluster = Cluster(5, seed=1, network=network)
    cluster.run(1000)
    cluster.calm()
    cluster.run(100)
    since, sent = cluster.number, cluster.engine.world.network.sent
    cluster.run(3000)
    assert cluster.engine.world.network.sent > sent + 100
    assert not any(isinstance(action, Drop) for action in cluster.actions[since:])
    assert cluster.leader is not None
    assert standing(cluster.recording.replay()) == standing(cluster)


def test_calm_mends_no_link_and_loses_what_was_to_be_lost():
    cluster = led(network=Network(loss=0.5))
    cluster.cut("S1", "S2")
    cuts = cluster.frame().cuts
    while not any(each.lost for each in cluster.in_flight()):
        cluster.step()
    lost = next(each for each in cluster.in_flight() if each.lost)
    cluster.calm()
    assert cluster.frame().cuts == cuts
    assert cluster.run_until(lambda each: lost not in each.in_flight(), 100)
    assert isinstance(cluster.actions[-1], Drop)


def test_calm_may_be_asked_for_in_fine_weather():
    cluster, other = led(), led()
    cluster.calm()
    cluster.calm()
    assert (
        cluster.events(1)[0].text == "the network loses, doubles and reorders nothing from now on."
    )
    cluster.run(300)
    other.run(300)
    assert [a for a in cluster.actions if not isinstance(a, Calm)] == other.actions


@pytest.mark.parametrize("options", [Options(), Options.figure_2()])
def test_a_cluster_works_in_very_bad_weather(options):
    network = Network(latency=(5.0, 40.0), loss=0.3, duplication=0.3, reordering=0.5)
    cluster = Cluster(5, seed=1, network=network, options=options)
    for n in range(100):
        cluster.run(100)
        if cluster.leader:
            cluster.propose(f"x={n}")
    assert cluster.commit_index > 10
    assert not cluster.engine.world.alarms


# Settings that change while a run goes on


def lost_since(cluster: Cluster, number: int) -> set[tuple[str, str]]:
    drops = [each for each in cluster.actions[number:] if isinstance(each, Drop)]
    return {(each.sender, each.receiver) for each in drops}


def test_a_network_that_loses_everything_elects_nobody_until_it_is_better():
    cluster = led()
    cluster.set_network(loss=1)
    cluster.run(2000)
    assert cluster.leader is None
    cluster.set_network(loss=0)
    cluster.run(1000)
    assert cluster.leader is not None
    assert standing(cluster.recording.replay()) == standing(cluster)


def test_what_is_on_its_way_arrives_when_it_would_have():
    cluster = led()
    cluster.propose("x=1")
    coming = [Deliver(each.ends_at, *each.key) for each in cluster.in_flight()]
    assert coming
    cluster.set_network(latency=(500, 500), loss=1)
    number = cluster.number
    cluster.run(15)
    arrived = [each for each in cluster.actions[number:] if isinstance(each, Deliver)]
    assert sorted(arrived, key=repr) == sorted(coming, key=repr)


def test_a_link_may_have_settings_of_its_own_one_way_or_both_ways():
    cluster = led()
    cluster.set_network("S1", "S2", loss=1)
    cluster.set_network("S1", "S3", False, loss=1)
    since = cluster.number
    cluster.run(100)
    assert ("S1", "S2") in lost_since(cluster, since)
    assert ("S1", "S3") in lost_since(cluster, since)
    assert ("S3", "S1") not in lost_since(cluster, since)
    assert cluster.engine.world.network_between().loss == 0
    assert cluster.engine.world.network_between("S2", "S1").loss == 1
    assert cluster.engine.world.network_between("S3", "S1").loss == 0


def test_settings_for_all_take_the_place_of_those_of_single_links():
    cluster = led()
    cluster.set_network("S1", "S2", latency=(80, 90))
    assert [(each.sender, each.receiver) for each in cluster.frame().links] == [
        ("S1", "S2"),
        ("S2", "S1"),
    ]
    cluster.set_network(duplication=0.5)
    assert cluster.frame().links == ()
    assert cluster.engine.world.network_between("S1", "S2") == Network(duplication=0.5)
    cluster.calm()
    cluster.set_network("S1", "S2", loss=0.0)
    assert (cluster.frame().network, cluster.frame().links) == (None, ())


def test_what_is_not_named_stays_as_it_is():
    cluster = led(network=Network(latency=(1.0, 2.0), loss=0.1))
    cluster.set_network("S1", "S2", loss=0.5)
    cluster.set_network("S1", "S2", latency=(7, 8))
    assert cluster.engine.world.network_between("S1", "S2") == Network(latency=(7.0, 8.0), loss=0.5)
    assert cluster.engine.world.network_between() == Network(latency=(1.0, 2.0), loss=0.1)


def test_calm_calms_the_links_with_settings_of_their_own():
    cluster = led()
    cluster.set_network("S1", "S2", loss=1, latency=(80, 90))
    cluster.calm()
    assert cluster.engine.world.network_between("S1", "S2") == Network(latency=(80.0, 90.0))


def test_a_network_that_becomes_quick_waits_for_nothing_that_was_slow():
    cluster = led()
    cluster.set_network(latency=(10_000, 10_000))
    cluster.run(60)
    slow = {each.number for each in flights(cluster, "S1", "S2")}
    assert slow
    cluster.set_network(latency=(5, 15))

    def new() -> list[Flight]:
        return [each for each in flights(cluster, "S1", "S2") if each.number not in slow]

    assert cluster.run_until(lambda _: bool(new()), 100)
    assert all(5 <= each.arrives_at - each.sent_at <= 15 for each in new())
    index = cluster.propose("x=1")
    cluster.run(200)
    assert cluster.commit_index == index
    assert slow <= {each.number for each in cluster.in_flight()}


def test_messages_stay_in_order_where_only_their_fate_changes():
    cluster = led(network=Network(latency=(1.0, 60.0)))
    for place in range(200):
        cluster.set_network(duplication=place % 2 / 10**9)
        cluster.propose(f"x={place}")
        cluster.run(3)
        arrivals: dict[tuple[str, str], float] = {}
        for each in cluster.in_flight():
            assert each.arrives_at >= arrivals.get(each.key[:2], 0.0)
            arrivals[each.key[:2]] = each.arrives_at


def test_a_server_that_joins_later_has_the_settings_of_all():
    cluster = led()
    cluster.set_network(latency=(30, 30))
    cluster.add_learner("S6")
    cluster.run(300)
    assert cluster.engine.world.network_between("S1", "S6") == Network(latency=(30.0, 30.0))
    assert "S6" in cluster.configuration.members


def test_a_copy_and_its_original_have_each_its_own_weather():
    cluster = led()
    cluster.set_network("S1", "S2", loss=0.5)
    twin = cluster.at(cluster.number)
    twin.set_network(latency=(50, 60))
    cluster.run(300)
    twin.run(300)
    assert cluster.engine.world.network_between("S1", "S2").loss == 0.5
    assert standing(cluster.recording.replay()) == standing(cluster)
    assert standing(twin.recording.replay()) == standing(twin)


def test_a_change_of_the_network_is_told_in_a_sentence_and_in_the_frame():
    cluster = led()
    cluster.set_network(loss=0.3, latency=(10, 40))
    assert cluster.events(1)[0].text == "the network changes: latency 10 to 40 ms, loss 30%."
    cluster.set_network("S1", "S2", loss=0, duplication=0.125)
    assert (
        cluster.events(1)[0].text
        == "the link from S2 to S1 changes: latency 10 to 40 ms, duplication 12.5%."
    )
    cluster.set_network(loss=0, latency=(7, 7), duplication=0)
    assert cluster.events(1)[0].text == "the network changes: latency 7 ms, no loss."


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        (lambda c: c.set_network(), "Say what of the network changes: latency, loss,"),
        (lambda c: c.set_network("S1", loss=0.5), "a link is named by both its ends"),
        (lambda c: c.set_network(receiver="S1", loss=0.5), "a link is named by both its ends"),
        (lambda c: c.set_network("S1", "S1", loss=0.5), "S1 has no link to itself"),
        (lambda c: c.set_network("S1", "S9", loss=0.5), "There is no node 'S9'"),
        (lambda c: c.set_network(loss=1.5), "loss is a chance between 0 and 1, not 1.5"),
        (lambda c: c.set_network(latency=(9, 5)), "latency must be"),
        (lambda c: c.set_network(latency=5), "latency must be"),
        (lambda c: c.set_network(duplication="x"), "duplication is a chance between 0 and 1"),
        (lambda c: c.engine.world.network_between("S1"), "a link is named by both its ends"),
    ],
)
def test_a_network_that_cannot_be_is_refused(verb, said):
    cluster = led()
    before = standing(cluster)
    with pytest.raises(Misuse, match=said):
        verb(cluster)
    assert standing(cluster) == before
