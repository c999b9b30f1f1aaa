"""Clients with sessions: a command that is repeated is executed once. Thesis: 6.3."""

import pytest

from raftlab import Cluster, Misuse, NotLeader, NotNow, Options
from raftlab.sim.world.application import SESSIONS


def counting_cluster() -> Cluster:
    """Three servers and a leader."""
    cluster = Cluster(3, seed=4)
    cluster.elect()
    return cluster


def values(cluster: Cluster) -> set[str | None]:
    """What `x` is on every living node."""
    hosts = cluster.hosts.values()
    return {host.application.get("x") for host in hosts if host.alive}


def test_a_client_opens_a_session_and_learns_what_its_command_gave():
    cluster = counting_cluster()
    client = cluster.client("c1")
    cluster.run(100)
    assert (client.serial, client.answer) == (0, "")
    client.send("x+=5")
    assert (client.serial, client.answer) == (1, None)
    cluster.run(100)
    assert client.answer == "5"
    assert "c1" in repr(client)


def test_a_retry_is_not_executed_again_and_gives_the_first_answer():
    cluster = counting_cluster()
    client = cluster.client("c1")
    cluster.run(100)
    client.send("x+=1")
    client.retry()
    cluster.run(200)
    client.retry()
    cluster.run(200)
    assert values(cluster) == {"1"}
    assert client.answer == "1"


def test_without_a_session_a_retry_is_executed_twice():
    cluster = counting_cluster()
    cluster.propose("x+=1")
    cluster.propose("x+=1")
    cluster.run(200)
    assert values(cluster) == {"2"}


def test_a_retry_at_the_next_leader_is_not_executed_again():
    cluster = counting_cluster()
    client = cluster.client("c1")
    cluster.run(100)
    first = cluster.leader
    client.send("x+=1")
    cluster.run_until(lambda cluster: cluster.hosts[first].application.get("x") == "1")
    cluster.crash(first)
    cluster.elect()
    client.retry()
    cluster.run(500)
    assert values(cluster) == {"1"}


def test_a_retry_is_known_even_if_the_first_try_is_in_a_snapshot():
    cluster = counting_cluster()
    client = cluster.client("c1")
    cluster.run(100)
    client.send("x+=1")
    cluster.run(100)
    for node in cluster.nodes:
        cluster.compact(node)
    cluster.run(100)
    for node in cluster.nodes:
        cluster.crash(node)
    for node in cluster.nodes:
        cluster.restart(node)
    cluster.elect()
    client.retry()
    cluster.run(300)
    assert values(cluster) == {"1"}


def test_a_refused_command_uses_up_no_number():
    cluster = counting_cluster()
    client = cluster.client("c1")
    cluster.run(100)
    follower = next(node for node in cluster.nodes if node != cluster.leader)
    with pytest.raises(NotLeader):
        client.send("x+=1", to=follower)
    assert client.serial == 0
    client.send("x+=1")
    assert client.serial == 1


@pytest.mark.parametrize("name", ["", "c 1", "c#1", None, 7])
def test_a_client_has_a_name_that_can_stand_in_a_command(name):
    cluster = Cluster(1, seed=1, options=Options())
    cluster.elect()
    before = cluster.number
    with pytest.raises(Misuse, match="a client's name is made of"):
        cluster.client(name)
    assert cluster.number == before


def test_a_client_has_one_command_under_way_at_a_time():
    cluster = counting_cluster()
    client = cluster.client("c1")
    with pytest.raises(NotNow, match="'open c1' is not answered yet: run on, or retry it"):
        client.send("x+=1")
    cluster.run(100)
    client.send("x+=1")
    with pytest.raises(NotNow, match="'c1#1 x\\+=1' is not answered yet"):
        client.send("x+=1")
    cluster.run(100)
    client.send("x+=1")
    cluster.run(100)
    assert client.answer == "2"


def test_a_client_whose_session_was_ended_by_others_learns_that_and_executes_nothing():
    cluster = counting_cluster()
    client = cluster.client("c0")
    cluster.run(100)
    for number in range(SESSIONS):
        assert not client.has_expired
        cluster.client(f"other{number}")
        cluster.run(100)
    assert client.has_expired
    with pytest.raises(Misuse, match="the session of c0 has expired"):
        client.send("x+=1")
    assert values(cluster) == {None}
