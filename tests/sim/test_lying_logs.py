"""A log that answers wrongly: what is watched stands in its entries and its snapshot."""

import msgspec
import pytest

from raftlab import Cluster, Options, RaftLog, RaftStateMachine, Rules, Violation
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.raft.log import Command, LogEntry, Snapshot
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.watch.properties import entry_at, has_committed, newest_held, term_at
from raftlab.sim.world.actions import Reconfigure
from raftlab.sim.world.settings import Disks


class SaysYes(RaftLog):
    """It holds whatever it is asked for."""

    __slots__ = ()

    def match_term(self, index, term):
        return True


class KnowsNoSnapshot(RaftLog):
    """It does not know the term that its snapshot ends with."""

    __slots__ = ()

    def term_for_index(self, index):
        if self.snapshot is not None and index == self.snapshot.index:
            return None
        return super().term_for_index(index)


class ForgetsTerms(RaftLog):
    """Of the terms of its entries it knows nothing but the last."""

    __slots__ = ()

    def term_for_index(self, index):
        return super().term_for_index(index) if index in (0, self.last_index) else None


class SaysItBegan(RaftLog):
    """It says that it holds no configuration: its server's is the one that it began with."""

    __slots__ = ()
    configuration_index = property(lambda self: 0, lambda self, index: None)


class SaysTheLast(RaftLog):
    """It says that its last entry is a configuration."""

    __slots__ = ()
    configuration_index = property(lambda self: self.last_index, lambda self, index: None)


def with_log(kind: type[RaftLog]) -> type[RaftStateMachine]:
    """A machine that keeps its entries in such a log."""

    class Machine(RaftStateMachine):
        __slots__ = ()

        def __init__(self, *given, **settings):
            super().__init__(*given, **settings)
            self.log.__class__ = kind

    return Machine


def cluster(kind: type[RaftLog], **given) -> Cluster:
    plain = {"options": Options.figure_2(), "disks": Disks(write_ms=0.0), "seed": 3}
    return Cluster(3, machine=with_log(kind), **{**plain, **given})


class AnybodyLeads(Rules):
    def candidate_is_up_to_date(self, request, log):
        return True


def test_a_loss_is_seen_though_the_log_denies_it():
    """S3 has nothing, leads, and its log says that it holds all that is committed."""
    run = cluster(SaysYes, rules=AnybodyLeads)
    run.elect("S1")
    run.isolate("S3")
    run.propose("x=1")
    run.run(100)
    run.heal()
    with pytest.raises(Violation, match="S3 leads term 2 without entry 2 of term 1"):
        run.timeout("S3")
        run.run(40)


def test_what_a_snapshot_stands_for_is_held_though_the_log_denies_it():
    """S2 holds a snapshot up to entry 2 and nothing after it, and comes to lead."""
    run = cluster(KnowsNoSnapshot)
    run.elect("S1")
    run.propose("x=1")
    run.run(200)
    for node in run.nodes:
        run.compact(node, 2)
    assert run.machine("S2").log.match_term(2, 1) is False
    run.crash("S1")
    run.timeout("S2")
    run.run(30)
    assert (run.leader, run.violation) == ("S2", None)


def test_terms_are_those_of_entries_and_of_the_end_of_a_snapshot():
    snapshot = Snapshot(2, 1, Configuration(("S1",)))
    log = RaftLog([LogEntry(3, 3, Command(b"x=1"))], snapshot)
    assert [term_at(log, index) for index in range(5)] == [0, None, 1, 3, None]
    assert [entry_at(log, index) for index in (2, 4)] == [None, None]
    longer = RaftLog([LogEntry(1, index, Command(b"x=1")) for index in (1, 2, 3)])
    longer.__class__ = ForgetsTerms
    assert [longer.term_for_index(2), term_at(longer, 2)] == [None, 1]
    held = [LogEntry(1, 1, Command(b"")), LogEntry(1, 2, Command(b"")), *log]
    assert all(has_committed(log, entry) for entry in held)
    assert not has_committed(log, LogEntry(2, 2, Command(b"")))
    assert not has_committed(log, LogEntry(3, 4, Command(b"")))


# The newest configuration


@pytest.mark.parametrize("kind", [SaysItBegan, SaysTheLast])
@pytest.mark.parametrize("snapshot_every", [0, 2])
def test_who_uses_the_newest_configuration_is_not_accused_by_its_log(kind, snapshot_every):
    run = cluster(RaftLog, disks=Disks(write_ms=0.0, snapshot_every=snapshot_every))
    run.elect("S1")
    run.reconfigure(["S1", "S2"])
    run.run(200)
    run.machine("S2").log.__class__ = kind
    run.propose("x=1")
    run.run(200)
    assert (run.stopped, run.machine("S2").commit_index) == (None, run.commit_index)


def test_who_misses_the_newest_configuration_is_found_though_its_log_denies_it():
    run = cluster(RaftLog)
    run.elect("S1")
    run.run(100)
    run.machine("S2").log.__class__ = SaysItBegan
    with pytest.raises(Violation, match="S2 does not use the configuration at 2, the newest"):
        run.reconfigure(["S1", "S2"])
        run.run(100)


class SaysWhatIsInForce(Rules):
    """It says itself which configuration is in force: the newest, as usual."""

    def configuration_in_force(self, log, commit_index, first):
        return super().configuration_in_force(log, commit_index, first)


def test_two_changes_at_a_time_are_found_though_the_log_denies_them():
    """A leader whose log denies a change ends it before it is committed."""
    run = cluster(SaysItBegan, rules=SaysWhatIsInForce)
    run.elect("S1")
    with pytest.raises(Violation, match="S1 holds uncommitted configurations at 2 and 3"):
        run.reconfigure(["S1", "S2"])
        run.run(100)


def test_what_is_kept_of_configurations_is_what_an_honest_log_says():
    places = set()
    for seed in range(40):
        run = start(seed)
        for ms in range(30, 2400, 30):
            inject_faults(run, ms)
            for host in run.cluster.hosts.values():
                log = host.machine.log
                if host.alive:
                    held = log.configuration_at(log.last_index) or host.configuration
                    assert newest_held(host) == (log.configuration_index, held)
                    places.add((seed, log.configuration_index, log.snapshot is None))
    assert len(places) > 200


def test_a_configuration_that_gives_way_to_a_snapshot_of_its_own_index_is_in_force_no_more():
    options = Options.figure_2()
    cluster = Cluster(3, seed=0, options=msgspec.structs.replace(options, catch_up_first=False))
    cluster.elect("S2")
    cluster.run(200)
    cluster.isolate("S2")
    cluster.apply(Reconfigure(cluster.now, "S2", ("S4",)))  # S2 alone holds it, at entry 2
    cluster.elect("S3")
    cluster.run(100)
    cluster.compact("S3")
    assert cluster.frame()["S3"].snapshot.index == 2
    cluster.heal()
    cluster.run(300)
    cluster.elect("S2")
    cluster.propose("x=1")
    cluster.run(200)
    assert cluster.frame()["S2"].commit_index == cluster.frame()["S2"].last_index
