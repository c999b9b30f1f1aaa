"""What the lab knows: moments, moves, and runs that branch off."""

import gc

import pytest

from raftlab import Cluster, Disks, Misuse, NotNow
from raftlab.lab.session import MOST_MS, Session
from tests.lab.clusters import Failing, hasty, working


def test_it_begins_at_the_end_of_what_has_happened():
    cluster = working()
    session = Session(cluster)
    assert session.position == cluster.number
    assert session.is_live
    assert session.frame == cluster.frame()
    assert session.previous is not None
    assert session.previous.number == cluster.number - 1


def test_a_fresh_cluster_has_nothing_before_it():
    session = Session(Cluster(3))
    assert session.previous is None
    assert session.events(5) == ()
    with pytest.raises(Misuse, match="frame 0"):
        session.back()


def test_a_step_is_the_next_thing_that_happens():
    session = Session(Cluster(5, seed=7))
    session.step()
    assert session.position == session.number == 1
    assert session.previous.number == 0


def test_stepping_in_the_past_shows_what_happened_next():
    cluster = working()
    session = Session(cluster)
    end = cluster.number
    session.go_to(4)
    session.step()
    assert (session.position, cluster.number) == (5, end)
    assert session.frame == cluster.at(5).frame()
    assert len(session.branches) == 1


def test_to_go_to_a_frame_beyond_the_run_is_to_go_to_its_end():
    session = Session(working())
    session.go_to(10**9)
    assert session.is_live
    session.go_to(-3)
    assert session.position == 0


@pytest.mark.parametrize("ms", [0, -1, MOST_MS + 1, float("nan"), float("inf")])
def test_an_impossible_time_cannot_pass(ms):
    session = Session(working())
    with pytest.raises(Misuse, match="can pass at once"):
        session.run(ms)


def test_running_lets_just_that_time_pass():
    session = Session(working())
    start = session.frame.at
    session.run(40)
    assert session.frame.at == start + 40


def test_running_in_the_past_goes_on_beyond_the_end_of_the_run():
    cluster = working()
    session, end = Session(cluster), cluster.number
    session.go_to(3)
    start = session.frame.at
    session.run(20)
    assert session.position < end
    assert session.frame.at <= start + 20 or session.position == 4
    start = session.frame.at
    session.run(5000)
    assert session.is_live
    assert session.frame.at == start + 5000
    assert len(session.branches) == 1


def test_a_tick_makes_at_least_one_step_and_no_more_than_it_must():
    session = Session(Cluster(5, seed=7))
    assert session.tick(1.0)
    assert session.position == 1  # nothing happens for 150 ms, and is not waited for
    at = session.frame.at
    assert session.tick(10.0)
    assert session.frame.at >= at + 10.0
    assert session.previous.number == 1


def test_a_tick_in_the_past_goes_along_the_run_and_then_on():
    cluster = working()
    session, end = Session(cluster), cluster.number
    session.go_to(0)
    for _ in range(end):
        assert session.tick(5.0)
    assert session.number > end
    assert len(session.branches) == 1


def test_jump_to_an_election_then_to_another():
    session = Session(Cluster(5, seed=7))
    assert session.jump("election")
    first = session.frame.leader
    assert first is not None
    session.do(lambda cluster: cluster.crash(first.node))
    assert session.jump("election")
    assert session.frame.leader.node != first.node


def test_jump_to_a_commit():
    session = Session(Cluster(5, seed=7))
    session.jump("election")
    session.do(lambda cluster: cluster.propose("x=1"))
    assert session.jump("commit")
    assert session.jump("commit")
    assert session.cluster.commit_index == 2


def test_a_jump_in_the_past_finds_what_happened():
    cluster = working()
    session, end = Session(cluster), cluster.number
    session.go_to(0)
    assert session.jump("election")
    assert session.position < end == cluster.number
    assert session.frame.leader is not None
    assert cluster.at(session.position - 1).leader is None
    assert session.jump("commit")
    assert cluster.at(session.position).commit_index == 1


def test_a_jump_that_finds_nothing_says_so():
    session = Session(working())
    assert not session.jump("election")
    assert session.note == (
        "Nobody was elected within 10,000 ms. S2 leads, and its heartbeats keep it there:"
        " crash or isolate it first."
    )
    assert not session.jump("violation")
    assert session.note.startswith("Every watched property held within 10,000 ms. Make trouble")
    session.step()
    assert session.note == ""


@pytest.mark.parametrize("goal", ["election", "commit", "violation"])
@pytest.mark.parametrize("back", [0, 5])
def test_a_jump_that_finds_nothing_leaves_the_run_where_it_was(goal, back):
    cluster = working(commands=0)
    cluster.run(300)
    session, recording = Session(cluster), cluster.recording
    session.go_to(session.number - back)
    frame = session.frame
    assert not session.jump(goal)
    assert cluster.recording == recording
    assert session.frame == frame
    assert session.position == len(recording) - back


def test_a_jump_says_what_would_bring_it_about():
    cluster = working(commands=0)
    cluster.run(300)
    session = Session(cluster)
    session.jump("commit")
    assert "propose a command first" in session.note
    for node in ("S1", "S3", "S4"):
        cluster.crash(node)
    cluster.propose("x=1")
    session.jump("commit")
    assert "reaches no majority" in session.note
    cluster.crash("S2")
    session.jump("commit")
    assert "go to the next election first" in session.note
    session.jump("election")
    assert "restart servers, or heal" in session.note


def test_a_jump_finds_the_violation_that_a_copy_found_and_stops_there():
    session = Session(hasty())
    assert session.jump("violation")
    assert session.violation


# Undo


def test_undo_goes_back_over_the_last_thing_done():
    session = Session(working())
    start, known = session.position, session.previous
    assert not session.can_undo
    session.run(200)
    session.do(lambda cluster: cluster.crash("S2"))
    crashed = session.position
    session.undo()
    assert session.position == crashed - 1
    assert session.frame["S2"].alive
    assert "another run" in session.note
    session.undo()
    assert (session.position, session.previous) == (start, known)
    assert not session.can_undo
    with pytest.raises(Misuse, match="Nothing has been done"):
        session.undo()
    assert session.number == crashed


def test_undo_goes_back_to_the_run_that_was_left():
    session = Session(working())
    end = session.position
    session.go_to(5)
    session.do(lambda cluster: cluster.crash("S1"))
    assert session.branch.number == 2
    session.undo()
    assert (session.branch.number, session.position) == (1, 5)
    session.undo()
    assert (session.branch.number, session.position) == (1, end)
    assert len(session.branches) == 2


def test_looking_around_and_playing_are_one_thing_each():
    session = Session(working())
    start = session.position
    for number in (9, 8, 3):
        session.go_to(number)
    for _ in range(4):
        session.tick(5)
    session.undo()
    assert session.position == 3
    session.undo()
    assert session.position == start


def test_what_is_refused_is_nothing_to_undo():
    session = Session(working())
    with pytest.raises(NotNow):
        session.do(lambda cluster: cluster.restart("S1"))
    assert not session.can_undo


def test_the_leader_is_crashed_and_whatever_is_down_is_restarted():
    session = Session(working())
    session.do(lambda cluster: cluster.crash("S5"))
    session.crash_leader()
    assert [node.node for node in session.frame.nodes if not node.alive] == ["S2", "S5"]
    with pytest.raises(NotNow, match="Nobody leads"):
        session.crash_leader()
    session.restart_all()
    assert all(node.alive for node in session.frame.nodes)
    with pytest.raises(NotNow, match="No server is down"):
        session.restart_all()


def test_nobody_looks_for_a_violation_where_nothing_is_watched():
    with pytest.raises(Misuse, match="Nothing is watched"):
        Session(Cluster(3, watched=False)).jump("violation")


def test_a_run_stops_at_a_violation_and_can_be_slid_back():
    session = Session(hasty())
    assert session.jump("violation")
    broken = session.violation
    assert broken.name == "Commit Follows Quorum"
    assert broken.frame == session.position
    with pytest.raises(NotNow, match="The run stopped at frame"):
        session.step()
    session.back()
    assert session.violation is None
    session.step()
    assert session.violation == broken
    with pytest.raises(NotNow, match="The run stopped at frame"):
        session.tick(10.0)


def test_playing_ends_at_a_violation():
    session = Session(hasty())
    for _ in range(1000):
        if not session.tick(5.0):
            break
    assert session.violation is not None
    session.go_to(0)
    while session.tick(5.0):
        pass
    assert session.violation is not None


def test_playing_ends_where_nothing_can_happen():
    session = Session(Cluster(1))
    session.do(lambda cluster: cluster.crash("S1"))
    with pytest.raises(NotNow, match="Nothing is going to happen"):
        session.tick(5.0)


# Branches


def test_to_act_in_the_past_starts_a_run_and_loses_none():
    cluster = working()
    before = cluster.recording
    session = Session(cluster)
    session.go_to(30)
    session.do(lambda now: now.crash("S1"))
    assert session.cluster is not cluster
    assert session.position == 31
    assert session.previous.number == 30
    assert not session.frame["S1"].alive
    assert cluster.recording == before
    assert [branch.label for branch in session.branches] == [
        "run 1: the first",
        "run 2: from frame 30 of run 1",
    ]
    assert session.note == "You went on from frame 30: this is run 2. Run 1 is kept."
    session.choose(1)
    assert session.cluster is cluster
    assert session.is_live


def test_what_is_refused_in_the_past_starts_no_run():
    session = Session(working())
    session.go_to(2)
    with pytest.raises(NotNow, match="No node leads"):
        session.do(lambda cluster: cluster.propose("x=1"))
    assert len(session.branches) == 1
    assert session.position == 2


def test_a_violation_in_the_past_is_a_run_of_its_own():
    session = Session(hasty())
    session.jump("election")
    session.run(1)
    session.back()
    session.do(lambda cluster: cluster.run(2000))
    assert session.violation is not None
    assert len(session.branches) == 2


def test_to_go_on_from_the_past_without_acting():
    session = Session(working())
    session.go_to(12)
    at_twelve = session.frame
    session.go_on_from_here()
    assert session.is_live
    assert session.frame == at_twelve
    with pytest.raises(Misuse, match="goes on from here anyway"):
        session.go_on_from_here()


def test_a_run_that_is_not_looked_at_is_played_again_when_it_is():
    session = Session(working())
    session.go_to(12)
    session.go_on_from_here()
    session.run(50)
    frame = session.frame
    session.choose(1)
    gc.collect()
    assert session.branches[1]._cluster is None
    session.choose(2)
    assert session.frame == frame


def test_a_run_that_somebody_holds_is_the_same_object_again():
    session = Session(working())
    session.go_to(12)
    session.go_on_from_here()
    held = session.cluster
    session.choose(1)
    held.step()
    session.choose(2)
    assert session.cluster is held
    assert session.position == 13


def test_there_is_no_run_that_was_not_begun():
    with pytest.raises(Misuse, match="no run 2"):
        Session(working()).choose(2)


def test_a_read_that_is_given_up_is_told_apart_from_one_that_is_answered():
    session = Session(working())
    session.do(lambda cluster: cluster.read("x"))
    session.run(100)
    assert [answer.is_answered for answer in session.answers(9)] == [True]
    old = session.cluster.leader
    session.do(lambda cluster: cluster.isolate(old))
    session.do(lambda cluster: cluster.read("x", old))
    assert session.jump("election")
    session.do(lambda cluster: cluster.heal())
    session.run(200)
    failed, answered = session.answers(9)
    assert (failed.is_answered, answered.is_answered) == (False, True)
    assert "cannot answer the read of x" in failed.text
    assert "answers the read of x with 2" in answered.text


# Elsewhere


def test_what_another_cell_does_is_noticed():
    cluster = working()
    session, known = Session(cluster), cluster.number
    cluster.crash("S2")
    session.step()
    assert session.position == known + 2
    assert "cluster went on from frame" in session.note


def test_who_looks_at_the_past_stays_there():
    cluster = working()
    session = Session(cluster)
    session.go_to(5)
    cluster.step()
    assert session.notice()
    assert session.position == 5


def test_a_machine_changed_by_hand_is_seen_after_a_refresh():
    cluster = working()
    session = Session(cluster)
    cluster.machine("S1").term = 99
    assert session.frame["S1"].term == 1
    session.refresh()
    assert session.frame["S1"].term == 99


def test_a_failing_rule_leaves_the_run_standing_where_it_failed():
    session = Session(Cluster(3, seed=1, rules=Failing()))
    session.jump("election")
    with pytest.raises(ZeroDivisionError):
        session.run(500)
    assert session.is_live
    with pytest.raises(NotNow, match="ZeroDivisionError"):
        session.step()
    session.back()
    with pytest.raises(ZeroDivisionError):
        session.do(lambda cluster: cluster.run(500))
    assert len(session.branches) == 2
    assert session.is_live


def test_a_note_is_gone_when_another_run_is_chosen():
    session = Session(working())
    session.go_to(4)
    session.go_on_from_here()
    assert "this is run 2" in session.note
    session.choose(1)
    assert session.note == ""


def test_lost_writes_and_restarts_play_again():
    cluster = Cluster(3, seed=5, disks=Disks(write_ms=4.0, torn=True))
    session = Session(cluster)
    session.jump("election")
    session.do(lambda now: now.propose("x=1"))
    session.do(lambda now: now.crash(now.leader))
    session.run(30)
    session.do(lambda now: now.restart(next(n for n in now.nodes if not now.hosts[n].alive)))
    session.run(400)
    end = session.frame
    session.go_to(0)
    session.go_to(session.number - 1)
    session.step()
    session._frames.forget()
    assert session.frame == end
