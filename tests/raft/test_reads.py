"""Reads without an entry in the log: the leader asks whether it still leads. Thesis: 6.4."""

import pytest

from raftlab.raft.messages import AppendEntries, AppendEntriesReply, ReadIndex, ReadIndexReply
from raftlab.raft.options import Options
from raftlab.raft.output import ReadReady
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Misuse, NotLeader
from tests.raft.members import (
    NEITHER_OR_BOTH,
    Members,
    leading,
    members,
    questions,
    told,
)
from tests.raft.world import (
    accepted,
    accepted_by_all,
    append,
    candidate,
    drain,
    leader,
    let_time_out,
    machine,
    propose,
    tell,
    vote,
    vote_request,
)

CHECKED = Options.figure_2(check_quorum=True)


def ready(**about):
    """S1 leads, and everything is committed and acknowledged."""
    return accepted_by_all(leader(**about))


def reads_of(said):
    """The reads that were answered, as (number, index)."""
    return [(each.read_id, each.index) for out in said.outputs for each in out.reads]


def failed_of(said):
    """The numbers of the reads that failed."""
    return [each for out in said.outputs for each in out.failed_reads]


def hear(node, message):
    """Give a message to a machine; everything that comes out then."""
    node.advance(message, node.now)
    return drain(node)


# At the leader


def test_a_leader_asks_everyone_and_answers_when_a_majority_has_said_that_it_leads():
    node = ready(nodes=5)
    read = node.read()
    asking = drain(node)
    assert questions(asking.messages) == [(peer, 1) for peer in ("S2", "S3", "S4", "S5")]
    assert reads_of(asking) == []
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == []
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == [], "one node is one voice"
    assert reads_of(hear(node, told("S4", 1, 1, 1))) == [(read, 1)]
    assert reads_of(hear(node, told("S5", 1, 1, 1))) == [], "a read is answered once"


def test_a_read_waits_until_an_entry_of_the_own_term_is_committed():
    """H15: before that a leader does not know what its predecessors committed."""
    node = leader(terms=(1, 1))
    read = node.read()
    said = drain(node)
    assert (said.messages, reads_of(said)) == ([], [])
    said = hear(node, accepted("S2", 2, 2))
    assert (questions(said.messages), reads_of(said)) == ([], [])
    said = hear(node, accepted("S2", 2, 3))
    assert (questions(said.messages), reads_of(said)) == ([("S2", 1), ("S3", 1)], [])
    assert reads_of(hear(node, told("S3", 2, 2, 1))) == [(read, 3)]


def test_a_read_is_answered_at_the_commit_index_of_the_moment_of_asking():
    node = ready()
    read = node.read()
    drain(node)
    propose(node)
    said = hear(node, told("S3", 1, 2))
    assert (node.commit_index, reads_of(said)) == (2, [])
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == [(read, 1)]


def test_one_round_answers_all_reads_that_wait():
    node = ready()
    reads = [node.read() for _ in range(5)]
    assert questions(drain(node).messages) == [("S2", 1), ("S3", 1)]
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == [(read, 1) for read in reads]


def test_a_read_that_comes_later_waits_for_the_next_round():
    node = ready()
    first = node.read()
    drain(node)
    propose(node)
    hear(node, accepted("S2", 1, 2))
    later = [node.read(), node.read()]
    assert drain(node).messages == [], "a question is under way already"
    said = hear(node, told("S2", 1, 2, 1))
    assert reads_of(said) == [(first, 1)]
    assert questions(said.messages) == [("S2", 2), ("S3", 2)]
    assert reads_of(hear(node, told("S3", 1, 2, 2))) == [(each, 2) for each in later]


def test_rounds_only_grow_within_a_term():
    node = ready()
    rounds = []
    for _ in range(4):
        node.read()
        asked = questions(drain(node).messages)
        rounds.append(asked[0][1])
        hear(node, told("S2", 1, 1, rounds[-1]))
    assert rounds == [1, 2, 3, 4]


def test_a_late_answer_to_an_earlier_round_takes_no_later_one_back():
    node = ready(nodes=5)
    for latest in (1, 2):
        node.read()
        drain(node)
        hear(node, told("S2", 1, 1, latest))
        answered = hear(node, told("S3" if latest == 1 else "S2", 1, 1, 1))
    assert reads_of(answered) == []
    assert reads_of(hear(node, told("S4", 1, 1, 2))) == [(2, 1)]


def test_an_answer_to_an_earlier_round_confirms_nothing_later():
    """H16: it says that this node led then, and not that it leads now."""
    node = ready()
    node.read()
    drain(node)
    late = told("S3", 1, 1, 1)
    hear(node, told("S2", 1, 1, 1))
    second = node.read()
    drain(node)
    for stale in (late, told("S2", 1, 1, 1), told("S3", 1, 1, 0)):
        assert reads_of(hear(node, stale)) == []
    assert reads_of(hear(node, told("S3", 1, 1, 2))) == [(second, 1)]


def test_an_answer_of_an_earlier_term_confirms_nothing():
    node = ready()
    node.read()
    drain(node)
    tell(node, append("S2", 2, (1, 1)))
    node.campaign(node.now, force=True)
    first_words = tell(node, vote("S3", 3))
    assert questions(first_words) == [], "the rounds of an earlier term are over"
    accepted_by_all(node)
    again = node.read()
    assert questions(drain(node).messages) == [("S2", 1), ("S3", 1)]
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == []
    assert reads_of(hear(node, told("S2", 3, 2, 1))) == [(again, 2)]


def test_a_rejection_confirms_too_because_it_is_an_answer_of_the_term():
    node = ready()
    read = node.read()
    drain(node)
    assert reads_of(hear(node, told("S2", 1, 1, 1, agrees=False))) == [(read, 1)]


def test_the_question_also_travels_with_entries():
    node = ready()
    read = node.read()
    drain(node)
    carried = [each for each in propose(node) if isinstance(each, AppendEntries)]
    assert {each.read_round for each in carried} == {1}
    assert reads_of(hear(node, told("S2", 1, 2, 1))) == [(read, 1)]


def test_a_follower_answers_with_the_round_that_it_was_asked():
    node = machine()
    for kind in (append("S2", 1), append("S2", 1, (7, 1))):
        asked = AppendEntries(**{each: getattr(kind, each) for each in FIELDS}, read_round=5)
        (said,) = tell(node, asked)
        assert said.read_round == 5


FIELDS = (
    "term",
    "sender",
    "receiver",
    "prev_log_index",
    "prev_log_term",
    "entries",
    "leader_commit",
)


def test_a_heartbeat_asks_only_while_a_read_waits():
    node = ready()
    assert questions(let_time_out(node)) == []
    node.read()
    drain(node)
    assert questions(let_time_out(node)) == [("S2", 1), ("S3", 1)]
    hear(node, told("S2", 1, 1, 1))
    assert questions(let_time_out(node)) == []


def test_a_question_that_was_lost_is_asked_again_with_the_next_heartbeat():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        read = world.read("S1")
        world.lose_all()
        world.tick("S1")
        world.lose(AppendEntries, "S1", "S2")
        world.deliver(AppendEntries, "S1", "S3")
        world.lose(AppendEntriesReply, "S3", "S1")
        assert world.reads["S1"] == []
        world.heartbeat("S1")
        assert world.reads["S1"] == [ReadReady(read, 1)]


def test_a_question_takes_the_place_of_the_next_heartbeat():
    node = ready()
    node.tick(20.0)
    node.read()
    drain(node)
    assert node.next_deadline == 20.0 + node._options.heartbeat_interval


def test_an_answer_that_comes_twice_answers_one_round():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        first = world.read("S1")
        world.deliver(AppendEntries, "S1", "S2")
        again = world.deliver(AppendEntriesReply, "S2", "S1")
        world.read("S1")
        world.hand(again)
        assert world.reads["S1"] == [ReadReady(first, 1)]
        world.lose_all()


def test_the_only_voter_asks_nobody():
    node = machine(nodes=1)
    let_time_out(node)
    read = node.read()
    said = drain(node)
    assert (said.messages, reads_of(said)) == ([], [(read, 1)])


def test_learners_are_no_majority():
    node = leading(members("S1 S2 S3", learners="S4 S5"))
    accepted_by_all(node)
    node.read()
    assert questions(drain(node).messages)[:2] == [("S2", 1), ("S3", 1)]
    for peer in ("S4", "S5"):
        assert reads_of(hear(node, told(peer, 1, 1, 1))) == []
    assert reads_of(hear(node, told("S3", 1, 1, 1))) == [(1, 1)]


@pytest.mark.parametrize(("others", "enough"), NEITHER_OR_BOTH)
def test_while_joint_a_read_needs_both_majorities_and_not_one_of_the_union(others, enough):
    node = ready()
    node.add_entry(members("S3 S4 S5"))
    drain(node)
    assert node.configuration == members("S3 S4 S5", old="S1 S2 S3")
    read = node.read()
    drain(node)
    answered = [reads_of(hear(node, told(peer, 1, 1, 1))) for peer in others]
    assert [each for each in answered if each] == ([[(read, 1)]] if enough else [])


def test_while_joint_a_demoted_voter_is_asked_and_counts():
    """E18: it has a vote in the old set; without it the read would never be answered."""
    node = ready()
    node.add_entry(members("S1", learners="S2 S3"))
    drain(node)
    read = node.read()
    assert questions(drain(node).messages) == [("S2", 1), ("S3", 1)]
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == [(read, 1)]


def test_a_read_under_way_when_new_voters_come_needs_them_too():
    node = ready()
    read = node.read()
    drain(node)
    node.add_entry(members("S1 S4 S5"))
    drain(node)
    assert reads_of(hear(node, told("S2", 1, 1, 1))) == []
    assert ("S4", 1) in questions(let_time_out(node))
    assert reads_of(hear(node, told("S4", 1, 1, 1))) == [(read, 1)]


def test_a_read_under_way_is_answered_when_the_leader_is_left_alone():
    """The last other voter goes, and with it everyone who could still answer."""
    with Members("S1 S2") as world:
        world.elect("S1")
        world.change("S1", "S1")
        world.deliver(AppendEntries, "S1", "S2")
        read = world.read("S1")
        world.deliver(AppendEntriesReply, "S2", "S1")
        world.lose_all()
        assert world["S1"].configuration == members("S1")
        assert world.reads["S1"] == [ReadReady(read, 1)]


def test_a_read_under_way_is_answered_when_one_change_leaves_the_leader_alone():
    with Members("S1 S2", options=Options.figure_2(single_server_changes=True)) as world:
        world.elect("S1")
        read = world.read("S1")
        world.change("S1", "S1")
        world.lose_all()
        assert world.reads["S1"] == [ReadReady(read, 1)]


def test_a_leader_outside_its_configuration_does_not_count_itself():
    node = ready()
    node.add_entry(members("S2 S3"))
    drain(node)
    for peer in ("S2", "S3"):
        tell(node, accepted(peer, 1, 2))
    assert node.configuration == members("S2 S3")
    read = node.read()
    drain(node)
    assert reads_of(hear(node, told("S2", 1, 2, 1))) == []
    assert reads_of(hear(node, told("S3", 1, 2, 1))) == [(read, 2)]


# A leader that is none any more


def waiting_leader(**about):
    """S1 leads; its read 1 is being asked, and its read 2 waits for the next round."""
    node = ready(**about)
    node.read()
    drain(node)
    node.read()
    assert drain(node).messages == []
    return node


@pytest.mark.parametrize(
    "message",
    [append("S2", 5), vote_request("S2", 5, (9, 4)), told("S2", 5, 1, 1)],
    ids=["append", "vote request", "answer"],
)
def test_a_leader_that_meets_a_higher_term_answers_nothing_and_says_which_reads_failed(message):
    node = waiting_leader()
    said = hear(node, message)
    assert (reads_of(said), failed_of(said)) == ([], [1, 2])
    assert reads_of(hear(node, told("S3", 1, 1, 1))) == []


def test_a_leader_that_hears_nobody_answers_nothing_and_says_which_reads_failed():
    node = waiting_leader(options=CHECKED)
    node.tick(node.now + 150)
    said = drain(node)
    assert node.role is Role.FOLLOWER
    assert (reads_of(said), failed_of(said)) == ([], [1, 2])
    assert failed_of(drain(node)) == [], "said once"


def test_a_leader_that_was_deposed_without_knowing_it_answers_nothing():
    """H14: it is cut off, and the others have moved on."""
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        world.elect("S2", "S2", "S3")
        world.propose("S2", "x=2")
        world.settle("S2", "S3")
        read = world.read("S1")
        world.heartbeat("S1", "S1")
        assert (world["S1"].role, world.reads["S1"]) == (Role.LEADER, [])
        world.heartbeat("S1")
        assert (world.reads["S1"], world.failed["S1"]) == ([], [read])


def test_reads_of_others_are_not_among_the_failed_reads_of_the_leader():
    node = ready()
    hear(node, ReadIndex(term=1, sender="S2", receiver="S1", read_id=77, asked_at=0.0))
    assert failed_of(hear(node, append("S3", 2))) == []


# At a follower


def follower(**about):
    """S1, which follows S2 in term 1, and holds and has committed entry 1."""
    node = machine(**about)
    tell(node, append("S2", 1, (0, 0), (1,), commit=1), after=5.0)
    return node


def test_a_follower_asks_its_leader():
    node = follower()
    read = node.read()
    said = drain(node)
    assert said.messages == [
        ReadIndex(term=1, sender="S1", receiver="S2", read_id=read, asked_at=5.0)
    ]
    assert reads_of(said) == []


def test_a_follower_answers_itself_once_it_has_applied_as_much_as_the_leader_said():
    node = follower()
    read = node.read()
    drain(node)
    assert (
        reads_of(
            hear(
                node,
                ReadIndexReply(
                    term=1, sender="S2", receiver="S1", read_id=read, asked_at=5.0, index=3
                ),
            )
        )
        == []
    )
    assert reads_of(hear(node, append("S2", 1, (1, 1), (1, 1), commit=2))) == []
    said = hear(node, append("S2", 1, (3, 1), commit=3))
    assert reads_of(said) == [(read, 3)]
    (out,) = [each for each in said.outputs if each.reads]
    assert [each.index for each in out.committed] == [3], "applied with the same output"


def test_a_follower_that_has_applied_enough_answers_at_once():
    node = follower()
    read = node.read()
    drain(node)
    assert reads_of(
        hear(
            node,
            ReadIndexReply(term=1, sender="S2", receiver="S1", read_id=read, asked_at=5.0, index=1),
        )
    ) == [(read, 1)]


def test_a_leader_answers_a_follower_only_after_asking_whether_it_leads():
    node = ready()
    said = hear(node, ReadIndex(term=1, sender="S2", receiver="S1", read_id=7, asked_at=3.5))
    assert questions(said.messages) == [("S2", 1), ("S3", 1)]
    assert not any(isinstance(each, ReadIndexReply) for each in said.messages)
    said = hear(node, told("S3", 1, 1, 1))
    assert (
        ReadIndexReply(term=1, sender="S1", receiver="S2", read_id=7, asked_at=3.5, index=1)
        in said.messages
    )
    assert reads_of(said) == []


def test_a_follower_reads_in_an_idle_cluster_without_waiting_for_a_heartbeat():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        world.propose("S1")
        world.settle()
        assert world["S2"].commit_index < 2
        read = world.read("S2")
        world.settle()
        assert world.reads["S2"] == [ReadReady(read, 2)]


def test_a_follower_that_missed_the_question_still_hears_what_is_committed():
    with Members("S1 S2 S3") as world:
        world.elect("S1")
        world.propose("S1")
        world.settle()
        read = world.read("S2")
        world.deliver(ReadIndex, "S2", "S1")
        world.lose(AppendEntries, "S1", "S2")
        world.settle()
        assert world.reads["S2"] == [ReadReady(read, 2)]


def test_a_learner_reads_too():
    with Members("S1 S2 S3", learners="S4") as world:
        world.elect("S1")
        world.propose("S1")
        world.settle()
        read = world.read("S4")
        world.settle()
        assert world.reads["S4"] == [ReadReady(read, 2)]


def test_a_question_that_was_lost_is_repeated_when_the_leader_is_heard():
    node = follower()
    read = node.read()
    asked = drain(node).messages
    for _ in range(2):
        assert tell(node, append("S2", 1, (1, 1)), after=50.0)[1:] == asked, (
            "asked at the same time"
        )
    tell(
        node,
        ReadIndexReply(term=1, sender="S2", receiver="S1", read_id=read, asked_at=5.0, index=9),
    )
    assert len(tell(node, append("S2", 1, (1, 1)))) == 1, "the leader has said what it has to say"


def test_a_question_is_not_repeated_at_once():
    node = follower()
    node.read()
    drain(node)
    interval = node._options.heartbeat_interval
    assert len(tell(node, append("S2", 1, (1, 1)), after=interval - 1)) == 1
    assert len(tell(node, append("S2", 1, (1, 1)), after=1.0)) == 2


def test_a_question_that_comes_twice_is_one_question():
    node = ready()
    asked = ReadIndex(term=1, sender="S2", receiver="S1", read_id=7, asked_at=3.5)
    hear(node, asked)
    hear(node, asked)
    said = hear(node, told("S3", 1, 1, 1))
    assert [type(each) for each in said.messages].count(ReadIndexReply) == 1
    assert questions(let_time_out(node)) == [], "nothing waits any more"


def test_a_question_that_comes_twice_while_another_is_under_way_is_one_question():
    node = waiting_leader()
    asked = ReadIndex(term=1, sender="S2", receiver="S1", read_id=7, asked_at=3.5)
    for _ in range(2):
        hear(node, asked)
    hear(node, told("S3", 1, 1, 1))
    said = hear(node, told("S3", 1, 1, 2))
    assert [type(each) for each in said.messages].count(ReadIndexReply) == 1


def test_an_answer_that_comes_twice_is_one_answer():
    node = follower()
    read = node.read()
    drain(node)
    answer = ReadIndexReply(term=1, sender="S2", receiver="S1", read_id=read, asked_at=5.0, index=1)
    assert reads_of(hear(node, answer)) == [(read, 1)]
    assert reads_of(hear(node, answer)) == []


def test_answers_to_nothing_that_was_asked_are_ignored():
    node = follower()
    before = node.fingerprint()
    assert (
        tell(
            node,
            ReadIndexReply(term=1, sender="S2", receiver="S1", read_id=1, asked_at=5.0, index=1),
        )
        == []
    )
    assert node.fingerprint() == before


def test_an_answer_to_a_read_from_before_a_restart_is_told_apart():
    node = follower(now=100.0)
    read = node.read()
    drain(node)
    assert node.now == 105.0
    before_the_restart = ReadIndexReply(
        term=1, sender="S2", receiver="S1", read_id=read, asked_at=40.0, index=1
    )
    assert reads_of(hear(node, before_the_restart)) == []
    assert reads_of(
        hear(
            node,
            ReadIndexReply(
                term=1, sender="S2", receiver="S1", read_id=read, asked_at=105.0, index=1
            ),
        )
    ) == [(read, 1)]


@pytest.mark.parametrize(
    "loses",
    [
        lambda node: hear(node, append("S3", 2)),
        lambda node: hear(node, vote_request("S3", 2, (9, 1))),
        lambda node: (node.tick(node.next_deadline), drain(node))[1],
        lambda node: (node.forget_leader(), drain(node))[1],
    ],
    ids=["another leader", "a candidate", "a timeout", "it forgets"],
)
def test_a_read_fails_when_the_follower_loses_its_leader(loses):
    node = follower()
    read = node.read()
    drain(node)
    said = loses(node)
    assert (reads_of(said), failed_of(said)) == ([], [read])
    assert (
        reads_of(
            hear(
                node,
                ReadIndexReply(
                    term=node.term, sender="S3", receiver="S1", read_id=read, asked_at=5.0, index=1
                ),
            )
        )
        == []
    )


def test_a_read_that_has_its_answer_needs_no_leader_any_more():
    node = follower()
    read = node.read()
    drain(node)
    hear(
        node,
        ReadIndexReply(term=1, sender="S2", receiver="S1", read_id=read, asked_at=5.0, index=2),
    )
    assert failed_of(hear(node, append("S3", 2, (1, 1), (2,)))) == []
    assert reads_of(hear(node, append("S3", 2, (2, 2), commit=2))) == [(read, 2)]


@pytest.mark.parametrize("make", [machine, candidate])
def test_who_knows_no_leader_cannot_ask(make):
    node = make()
    before = node.fingerprint()
    with pytest.raises(NotLeader, match="cannot answer a read; it knows no leader") as refused:
        node.read()
    assert refused.value.leader is None
    assert node.fingerprint() == before


def test_a_stranger_s_question_is_ignored():
    node = ready()
    before = node.fingerprint()
    assert tell(node, ReadIndex(term=1, sender="S9", receiver="S1", read_id=1, asked_at=0.0)) == []
    assert node.fingerprint() == before


def test_only_a_leader_of_the_term_listens_to_the_question():
    for node in (follower(), candidate()):
        before = node.fingerprint()
        assert (
            tell(node, ReadIndex(term=1, sender="S3", receiver="S1", read_id=1, asked_at=0.0)) == []
        )
        assert node.fingerprint() == before
    leads = ready(term=4)
    before = leads.fingerprint()
    assert tell(leads, ReadIndex(term=4, sender="S3", receiver="S1", read_id=1, asked_at=0.0)) == []
    assert leads.fingerprint() == before


def test_reads_of_one_node_have_numbers_that_grow():
    node = follower()
    assert [node.read() for _ in range(3)] == [1, 2, 3]


def test_a_host_that_restarts_nodes_names_the_reads_itself():
    node = follower()
    assert [node.read(read_id=7), node.read()] == [7, 8]
    with pytest.raises(Misuse, match=r"has named a read 8; 8 is not new"):
        node.read(read_id=8)


def test_reads_go_on_while_leadership_is_handed_over():
    node = ready()
    node.transfer_leadership("S2")
    drain(node)
    read = node.read()
    drain(node)
    assert reads_of(hear(node, told("S3", 1, 1, 1))) == [(read, 1)]


def test_a_learner_that_hears_nothing_forgets_its_leader_and_its_reads_fail():
    node = machine("S4", configuration=Configuration(("S1", "S2", "S3"), learners=("S4",)))
    tell(node, append("S1", 1, to="S4"))
    read = node.read(node.now)
    drain(node)
    assert node.leader == "S1"
    node.tick(node.next_deadline)
    output = node.poll()
    assert (node.role, node.leader) == (Role.FOLLOWER, None)
    assert output.failed_reads == (read,)


def test_two_leaders_with_a_read_that_differ_only_in_time_have_one_fingerprint():
    prints = []
    for now in (10.0, 20.0):
        node = leader()
        node.now = now
        node.read(now)
        prints.append(node.fingerprint())
    assert prints[0] == prints[1]
