"""What the samples and starters do not offer is refused by name, and the run goes on."""

import pytest

import raftlab as rl
from raftlab.process.samples import sample, starter
from tests.process.languages import LANGUAGES


def follower(cluster):
    return next(node for node in cluster.nodes if node != cluster.leader)


MEMBERS = "refuses: this machine does not change its members"
REFUSED = {
    "read": (lambda cluster: cluster.read("x"), "has no method read"),
    "transfer": (lambda cluster: cluster.transfer(), "has no method transfer_leadership"),
    "forget the leader": (
        lambda cluster: cluster.forget_leader(follower(cluster)),
        "has no method forget_leader",
    ),
    "compact": (lambda cluster: cluster.compact(cluster.leader), "has no method compact"),
    "add a learner": (lambda cluster: cluster.add_learner("S4"), MEMBERS),
    "remove a follower": (lambda cluster: cluster.remove(follower(cluster)), MEMBERS),
    "remove the leader": (lambda cluster: cluster.remove(cluster.leader), MEMBERS),
    "reconfigure": (lambda cluster: cluster.reconfigure(["S1", "S2"]), MEMBERS),
}
SETTINGS = {
    "compact": {"disks": rl.Disks(snapshot_every=2)},
    "persisted": {"options": rl.Options(async_persistence=True)},
}
IGNORED = ("pre_vote", "check_quorum", "leader_stickiness", "lease_reads", "catch_up_first")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_verb_that_needs_more_is_refused_by_name(program, language):
    machine = program(language, sample(language), shared=True)
    cluster = rl.Cluster(3, seed=1, machine=machine)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(200)
    for verb, said in REFUSED.values():
        with pytest.raises((rl.Misuse, rl.NotNow), match=f"S[1-3] {said}"):
            verb(cluster)
        assert cluster.stopped is None
    cluster.propose("x=2")
    cluster.run(500)
    assert cluster.frame()[cluster.leader].values["x"] == "2"
    assert cluster.configuration.members == ("S1", "S2", "S3")
    assert cluster.violation is None
    assert cluster.recording.ask_again().is_same


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_setting_that_needs_more_stops_the_run_and_names_it(program, language, name):
    machine = program(language, sample(language), shared=True)
    cluster = rl.Cluster(3, seed=1, machine=machine, **SETTINGS[name])
    with pytest.raises(rl.Misuse, match=f"has no method {name}"):
        for number in range(4):
            cluster.elect()
            cluster.propose(f"x={number}")
            cluster.run(200)
    assert f"has no method {name}" in cluster.stopped


@pytest.mark.parametrize("option", IGNORED)
def test_a_protection_that_a_sample_does_not_have_changes_nothing(program, option):
    machine = program("python", sample("python"), shared=True)

    def course(has_it):
        cluster = rl.Cluster(3, seed=1, machine=machine, options=rl.Options(**{option: has_it}))
        cluster.elect()
        cluster.run(300)
        return cluster.frame().nodes

    assert course(True) == course(False)


@pytest.mark.parametrize("kind", [sample, starter])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_follower_refuses_and_the_run_goes_on(program, language, kind):
    cluster = rl.Cluster(3, seed=1, machine=program(language, kind(language), shared=True))
    if kind is sample:
        cluster.elect()
        cluster.run(200)
    with pytest.raises(rl.NotLeader, match=r"S[1-3] is a (follower|candidate) in term"):
        cluster.propose("x=1", to=follower(cluster))
    with pytest.raises(rl.NotNow, match=MEMBERS):
        cluster.hosts["S1"].machine.add_entry(cluster.configuration)
    assert cluster.stopped is None
    cluster.run(200)
    assert cluster.violation is None


def test_a_field_that_a_message_does_not_have_is_passed_over(program, tmp_path):
    text = sample("python").read_text(encoding="utf-8")
    written = 'message = {"type": kind, '
    assert text.count(written) == 1
    (tmp_path / "raft.py").write_text(text.replace(written, written + '"mine": [1], '))

    def course(file):
        cluster = rl.Cluster(3, seed=1, machine=program("python", file, shared=True))
        cluster.elect()
        cluster.propose("x=1")
        cluster.run(200)
        return cluster.frame()

    assert course(tmp_path / "raft.py") == course(sample("python"))
