"""What passes at one look is what no property can object to: else each of them is asked."""

from typing import Any

import pytest

from raftlab import Command, Configuration, LogEntry, Role
from raftlab.museum.commitment import CommitsWithHalf
from raftlab.raft.messages import Accepted, AppendEntriesReply
from raftlab.raft.progress import Tracker
from raftlab.raft.roles import Leader
from raftlab.sim.watch import watcher as watching
from raftlab.sim.watch.watcher import Watcher
from tests.sim.test_invariants import FIRST, NEW, Stage, log
from tests.sim.whole_run import random_run

HELD = log(1, 1, 1, 1)
"""The entries of all: the very same, as they are when a leader's message has brought them."""

Y = Command(b"y")
LOOKS = ("grew_in_order", "follows_in_order", "believes_in_order", "acknowledges_in_order")


class AsksEverything(Watcher):
    """It lets nothing pass at one look, and counts how often the properties are asked."""

    __slots__ = ("asked",)
    lets_pass = False

    def __init__(self, hosts):
        super().__init__(hosts)
        self.asked = 0

    def _check(self, checks, host):
        self.asked += 1
        super()._check(checks, host)

    def _check_about(self, checks, host, what):
        self.asked += 1
        super()._check_about(checks, host, what)


class Counts(AsksEverything):
    """It lets pass what every watch does."""

    __slots__ = ()
    lets_pass = True


def stage_of(kind: type[Watcher]) -> Stage:
    """S1 leads term 1 and knows entries 1 and 2 to be committed; S2 and S3 do, too."""
    stage = Stage()
    stage.watch = kind(stage.hosts)
    stage.write("S1", "S2", "S3", term=1, log=HELD[:2])
    stage.move("S1", term=1, role=Role.LEADER, log=HELD[:2], commit=2)
    for node in ("S2", "S3"):
        stage.move(node, term=1, log=HELD[:2], commit=2)
    assert stage.broken is None
    return stage


def commit_third(stage: Stage, **more: Any) -> None:
    """S1 commits entry 3, which S2 and S3 have; `more` is what else S2 does when it appends."""
    stage.move("S1", log=HELD[:3])
    stage.write("S1", "S2", "S3", term=1, log=HELD[:3])
    stage.move("S1", commit=3)
    stage.move("S2", log=HELD[:3], **more)


def believe(stage: Stage, match: int, following: int) -> None:
    """S1 has heard S2 and believes this of it."""
    leader = stage.hosts["S1"].machine
    leader.role_data = Leader(Tracker(FIRST, 1, 0.0), 0.0)
    progress = leader.role_data.tracker.progress["S2"]
    progress.match_index, progress.next_index = match, following
    stage.watch.replied(
        stage.hosts["S1"],
        AppendEntriesReply(
            term=1, sender="S2", receiver="S1", commit_index=0, result=Accepted(match)
        ),
    )


def acknowledge(stage: Stage, index: int, term: int = 1) -> None:
    stage.say(
        AppendEntriesReply(
            term=term, sender="S2", receiver="S1", commit_index=0, result=Accepted(index)
        )
    )


# What is in order


def test_what_is_in_order_is_passed_at_one_look():
    stage = stage_of(Counts)
    commit_third(stage)
    stage.watch.asked = 0
    stage.move("S3", log=HELD[:3])
    stage.move("S3", commit=3)
    stage.move("S2", log=HELD, commit=3)  # both at once
    believe(stage, 3, 4)
    stage.write("S2", term=1, log=HELD)
    acknowledge(stage, 4)
    assert (stage.watch.asked, stage.broken) == (0, None)


def test_a_watch_that_lets_nothing_pass_asks_at_each_of_them():
    stage = stage_of(AsksEverything)
    commit_third(stage)
    stage.watch.asked = 0
    stage.move("S3", log=HELD[:3])
    stage.move("S3", commit=3)
    believe(stage, 3, 4)
    acknowledge(stage, 3)
    assert (stage.watch.asked, stage.broken) == (4, None)


# One step away from it


def adds_and_overwrites(stage: Stage) -> None:
    stage.move("S1", log=HELD[:3])
    stage.move("S1", log=(*HELD[:2], LogEntry(1, 3, Y), HELD[3]))


def takes_back_what_it_added(stage: Stage) -> None:
    stage.move("S1", log=HELD[:3])
    stage.move("S1", log=HELD[:2])


def adds_at_a_wrong_place(stage: Stage) -> None:
    log = stage.hosts["S2"].machine.log
    log._entries.append(LogEntry(1, 4, Y))
    log.last_entry, log.last_index = log._entries[-1], 3
    stage.watch.moved(stage.hosts["S2"])


def adds_of_a_lower_term(stage: Stage) -> None:
    stage.move("S2", term=2, log=(*HELD[:2], LogEntry(2, 3, Y)))
    stage.move("S2", log=(*HELD[:2], stage.hosts["S2"].machine.log[3], HELD[3]))


def adds_of_a_term_to_come(stage: Stage) -> None:
    stage.move("S2", log=(*HELD[:2], LogEntry(2, 3, Y)))


def adds_another_command(stage: Stage) -> None:
    stage.move("S1", log=HELD[:3])
    stage.move("S2", log=(*HELD[:2], LogEntry(1, 3, Y)))


def adds_after_another_term(stage: Stage) -> None:
    fourth = LogEntry(3, 4, Y)
    stage.move("S1", term=3, role=Role.FOLLOWER, log=(*HELD[:3], fourth))
    stage.move("S2", term=3, log=(*HELD[:2], LogEntry(2, 3, Y)))
    stage.move("S2", log=(*HELD[:2], stage.hosts["S2"].machine.log[3], fourth))


def adds_and_takes_its_commit_back(stage: Stage) -> None:
    stage.move("S2", log=HELD[:3], commit=1)


def adds_a_second_change(stage: Stage) -> None:
    first, second = LogEntry(1, 3, NEW), LogEntry(1, 4, FIRST)
    stage.move("S2", log=(*HELD[:2], first))
    stage.move("S2", log=(*HELD[:2], first, second))


def adds_a_change_and_does_not_use_it(stage: Stage) -> None:
    machine = stage.hosts["S2"].machine
    machine.log.append_as_follower([LogEntry(1, 3, NEW)])
    stage.watch.moved(stage.hosts["S2"])


def adds_and_changes_its_configuration(stage: Stage) -> None:
    machine = stage.hosts["S2"].machine
    machine.log.append_as_follower([HELD[2]])
    machine.configuration = Configuration(("S2",))
    stage.watch.moved(stage.hosts["S2"])


def commits_and_goes_back(stage: Stage) -> None:
    stage.move("S2", commit=1)


def commits_what_no_leader_did(stage: Stage) -> None:
    stage.move("S1", log=HELD[:3])
    stage.move("S2", log=HELD[:3], commit=3)


def commits_by_a_snapshot_what_no_leader_did(stage: Stage) -> None:
    stage.install("S3", 3, 1)


def commits_past_its_end(stage: Stage) -> None:
    commit_third(stage)
    stage.move("S3", commit=3)


def commits_another_entry(stage: Stage) -> None:
    commit_third(stage)
    stage.move("S3", term=2, log=(*HELD[:2], LogEntry(2, 3, Y)))
    stage.move("S3", commit=3)


def commits_what_it_has_lost(stage: Stage) -> None:
    commit_third(stage)
    stage.move("S3", log=(HELD[0], LogEntry(1, 2, Y), HELD[2]), commit=3)


def commits_as_leader_what_no_disk_holds(stage: Stage) -> None:
    commit_third(stage)
    stage.write("S1", "S2", "S3", term=2, log=())
    stage.move("S3", term=2, role=Role.LEADER, log=HELD[:3], commit=2)
    stage.move("S3", commit=3)


def commits_under_a_later_leader_without_it(stage: Stage) -> None:
    commit_third(stage)
    stage.move("S3", term=2, role=Role.LEADER)
    assert stage.broken[0] == "Leader Completeness"
    stage.watch.broken = None
    stage.move("S2", commit=3)


def believes_in_an_entry_that_is_not_there(stage: Stage) -> None:
    stage.move("S1", log=HELD[:3])
    believe(stage, 3, 4)


def believes_in_another_term(stage: Stage) -> None:
    stage.write("S2", term=1, log=(HELD[0], LogEntry(0, 2, Y)))
    believe(stage, 2, 3)


def believes_and_sends_it_again(stage: Stage) -> None:
    believe(stage, 2, 2)


def believes_and_sends_what_is_not(stage: Stage) -> None:
    believe(stage, 2, 4)


def says_what_is_not_on_its_disk(stage: Stage) -> None:
    stage.move("S2", log=HELD[:3])
    acknowledge(stage, 3)


def says_what_its_disk_has_of_another_term(stage: Stage) -> None:
    stage.write("S2", term=1, log=(HELD[0], LogEntry(0, 2, Y)))
    acknowledge(stage, 2)


def says_more_than_its_disk_ends_with(stage: Stage) -> None:
    acknowledge(stage, 3)


def says_so_in_a_term_that_is_not_on_its_disk(stage: Stage) -> None:
    stage.move("S2", term=2)
    acknowledge(stage, 2, term=2)


def says_what_its_disk_has_at_another_place(stage: Stage) -> None:
    stage.move("S2", log=HELD[:3])
    stage.write("S2", term=1, log=(HELD[0], LogEntry(0, 3, Y), HELD[2], HELD[2]))
    stage.hosts["S2"].disk.log.pop(2)
    stage.hosts["S2"].disk.log[0] = LogEntry(1, 2, Y)
    acknowledge(stage, 3)


STEPS = [
    (adds_and_overwrites, "Leader Append-Only"),
    (takes_back_what_it_added, "Leader Append-Only"),
    (adds_at_a_wrong_place, "Log Terms Rise"),
    (adds_of_a_lower_term, "Log Terms Rise"),
    (adds_of_a_term_to_come, "Log Terms Rise"),
    (adds_another_command, "Log Matching"),
    (adds_after_another_term, "Log Matching"),
    (adds_and_takes_its_commit_back, "Committed Stays"),
    (adds_a_second_change, "One Change At A Time"),
    (adds_a_change_and_does_not_use_it, "Newest Configuration"),
    (adds_and_changes_its_configuration, "Newest Configuration"),
    (commits_and_goes_back, "Committed Stays"),
    (commits_what_no_leader_did, "Commit Follows Leader"),
    (commits_by_a_snapshot_what_no_leader_did, "Commit Follows Leader"),
    (commits_past_its_end, "State Machine Safety"),
    (commits_another_entry, "State Machine Safety"),
    (commits_what_it_has_lost, "Log Matching"),
    (commits_as_leader_what_no_disk_holds, "Commit Follows Quorum"),
    (commits_under_a_later_leader_without_it, "Leader Completeness"),
    (believes_in_an_entry_that_is_not_there, "Match Is True"),
    (believes_in_another_term, "Match Is True"),
    (believes_and_sends_it_again, "Match Is True"),
    (believes_and_sends_what_is_not, "Match Is True"),
    (says_what_is_not_on_its_disk, "Durable Before Said"),
    (says_what_its_disk_has_of_another_term, "Durable Before Said"),
    (says_more_than_its_disk_ends_with, "Durable Before Said"),
    (says_so_in_a_term_that_is_not_on_its_disk, "Durable Before Said"),
    (says_what_its_disk_has_at_another_place, "Durable Before Said"),
]


@pytest.mark.parametrize(("step", "name"), STEPS, ids=lambda each: getattr(each, "__name__", each))
def test_what_breaks_a_property_is_not_passed_at_one_look(step, name):
    """And what is said of it is what a watch says that asks every property."""
    looks, asks = stage_of(Watcher), stage_of(AsksEverything)
    step(looks)
    step(asks)
    assert looks.broken == asks.broken
    assert looks.broken is not None and looks.broken[0] == name


# In runs


OCCASIONS = {
    "grew_in_order": watching.WHEN_LOG_CHANGES,
    "follows_in_order": watching.WHEN_COMMIT_MOVES,
    "believes_in_order": watching.WHEN_REPLIED,
    "acknowledges_in_order": watching.WHEN_SAYING,
}


@pytest.mark.parametrize("seed", range(8))
def test_no_property_objects_to_what_is_passed_at_one_look_in_a_random_run(seed, monkeypatch):
    histories, passed = [], []
    begin = Watcher.__init__

    def remembered(watch, hosts):
        begin(watch, hosts)
        histories.append(watch.history)

    monkeypatch.setattr(Watcher, "__init__", remembered)
    looks = {name: getattr(watching, name) for name in LOOKS}
    for name in LOOKS:

        def asked_as_well(*given, look=looks[name], name=name):
            is_in_order = look(*given)
            if is_in_order:
                history = histories[-1]
                host = next(each for each in given if hasattr(each, "seen"))
                about = given[-1:] if name in LOOKS[2:] else ()
                if name == "grew_in_order":
                    host.seen.term_before_new = watching.term_before_new(host)
                before = (list(history.committed), dict(history.created), history.latest_term)
                for check, its_property in OCCASIONS[name]:
                    assert check(history, host, *about) is None, its_property.name
                after = (list(history.committed), dict(history.created), history.latest_term)
                assert before == after
                passed.append(name)
            return is_in_order

        monkeypatch.setattr(watching, name, asked_as_well)
    random_run(seed)
    assert {"grew_in_order", "follows_in_order"} <= set(passed)


def test_a_mutant_is_found_at_the_same_step_with_and_without_the_looks(monkeypatch):
    def fallen(lets_pass: bool) -> list[str]:
        monkeypatch.setattr(Watcher, "lets_pass", lets_pass)
        found = []
        for seed in range(6):
            with pytest.raises(AssertionError) as caught:
                random_run(seed, rules=CommitsWithHalf(), nodes=4)
            found.append(str(caught.value).splitlines()[0])
        return found

    with_looks = fallen(True)
    assert with_looks == fallen(False)
    assert any("Violation" in each for each in with_looks)
