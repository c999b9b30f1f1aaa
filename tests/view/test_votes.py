import random

import pytest

from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import Votes
from raftlab.sim.frames.frame import Frame
from raftlab.view.decisions.votes import describe_votes, scene_tally, scene_votes
from tests.view.builders import FIVE, flying, make_frame, node, nodes_named, vote
from tests.view.sound import check_scene, check_text, mark, of_role, words

FIVE_VOTERS = Configuration(FIVE)
JOINT = Configuration(("S1", "S2", "S3"), old_voters=("S1", "S4", "S5"))


def campaign(answers: dict[str, bool], *, role: str = "candidate", **more) -> Frame:
    """S2 counts `answers` in term 4."""
    votes = answers if role == "candidate" else None
    flight = [flying(3, vote("S5", "S2", 4)), flying(4, vote("S1", "S2", 4, granted=False))]
    held = {"in_flight": flight} | more
    return make_frame(5, S2=node("S2", role=role, term=4, votes=votes), **held)


def test_each_voter_has_one_seat_in_the_order_of_the_cluster():
    scene = scene_tally({"S4": False, "S1": True}, FIVE_VOTERS)
    seats = of_role(scene, "vote")
    assert [seat.data["voter"] for seat in seats] == list(FIVE)
    assert [seat.x for seat in seats] == sorted(seat.x for seat in seats)


def test_granted_refused_and_silent_differ_in_picture_and_in_text():
    scene = scene_tally({"S1": True, "S2": False}, FIVE_VOTERS)
    granted, refused, silent = (mark(scene, f"seat-S{place}") for place in (1, 2, 3))
    assert len({granted.ink.fill, refused.ink.fill, silent.ink.fill}) == 3
    assert silent.ink.dash and not granted.ink.dash and not refused.ink.dash
    assert mark(scene, "seat-S1-tick").role == "tick"
    assert mark(scene, "seat-S2-cross-a").role == "cross"
    assert mark(scene, "seat-S3-open").text == "?"
    lines = scene.description.split("\n")
    assert "S1     granted" in lines
    assert "S2     refused" in lines
    assert "S3     silent" in lines


def test_one_answer_turned_round_changes_the_svg():
    yes, no = (scene_tally({"S1": True, "S2": answer}, FIVE_VOTERS) for answer in (True, False))
    assert yes.svg != no.svg
    assert yes.description != no.description


@pytest.mark.parametrize(
    ("answers", "bar", "result", "outlook"),
    [
        ({}, "???|??", "UNKNOWN", "3 more granted would win it, 3 more refused would lose it."),
        (
            {"S1": True, "S2": False},
            "+??|?-",
            "UNKNOWN",
            "2 more granted would win it, 2 more refused would lose it.",
        ),
        ({"S1": True, "S2": True, "S5": True}, "+++|??", "WON", "A majority has granted"),
        ({"S1": True, "S2": False, "S3": False, "S4": False}, "+?-|--", "LOST", "cannot bring 3"),
    ],
)
def test_the_tally_is_told_with_its_result_and_what_would_decide_it(answers, bar, result, outlook):
    text = scene_tally(answers, FIVE_VOTERS, candidate="S1", term=3).description
    assert text.startswith("S1 asks for votes for term 3: ")
    assert text.partition("\n")[0].endswith(f"3 needed, {result}.")
    assert f"\n{bar}\n" in text
    assert f"3 of 5 voters needed: {result}." in text
    assert outlook in text
    scene = scene_tally(answers, FIVE_VOTERS, candidate="S1", term=3)
    assert mark(scene, "result").text == result
    assert mark(scene, "needed").text == "3 of 5 needed"
    check_scene(scene)


def test_granted_votes_fill_the_bar_up_to_the_majority_line():
    scene = scene_tally({"S5": True, "S2": True, "S4": True}, FIVE_VOTERS)
    line = mark(scene, "majority").points[0][0]
    cells = of_role(scene, "granted")[-3:]
    assert [cell.id for cell in cells] == ["cell-S5", "cell-S2", "cell-S4"], "in order of arrival"
    assert cells[-1].x + cells[-1].w == pytest.approx(line, abs=2)


def test_refused_votes_fill_the_bar_from_the_right():
    scene = scene_tally({"S1": False, "S4": False}, FIVE_VOTERS)
    assert mark(scene, "cell-S1").x > mark(scene, "cell-S4").x > mark(scene, "cell-S5").x


def test_the_result_drawn_is_the_result_the_machine_finds():
    rng = random.Random(7)
    for _ in range(200):
        voters = nodes_named(rng.randint(1, 9))
        old = tuple(rng.sample(voters, rng.randint(0, len(voters))))
        configuration = Configuration(voters, old)
        answers = {voter: rng.random() < 0.6 for voter in voters if rng.random() < 0.7}
        votes = Votes(configuration)
        for voter, granted in answers.items():
            votes.register_vote(voter, granted)
        first = scene_tally(answers, configuration).description.partition("\n")[0]
        assert votes.tally_vote().name in first


def test_while_joint_each_group_has_its_own_majority_line():
    scene = scene_tally({"S1": True, "S2": True, "S4": False, "S5": False}, JOINT)
    assert mark(scene, "new-result").text == "WON"
    assert mark(scene, "old-result").text == "LOST"
    assert len(of_role(scene, "majority")) == 2
    first = scene.description.partition("\n")[0]
    assert first == "The votes: LOST; both groups must grant."
    assert "S1     new and old  granted" in scene.description
    check_scene(scene)


def test_a_pre_vote_is_called_one():
    scene = scene_tally({"S1": True}, FIVE_VOTERS, candidate="S1", term=3, is_prevote=True)
    assert scene.title == "Pre-votes"
    assert scene.description.startswith("S1 asks for pre-votes for term 3")


def test_answers_of_those_who_have_no_vote_do_not_count():
    assert (
        scene_tally({"S9": True}, FIVE_VOTERS).description
        == scene_tally({}, FIVE_VOTERS).description
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 17, 18, 51])
def test_every_size_of_cluster_finds_room(size):
    voters = nodes_named(size)
    answers = {voter: place % 3 > 0 for place, voter in enumerate(voters) if place % 4 < 3}
    scene = scene_tally(answers, Configuration(voters), candidate="S1", term=12)
    assert len(of_role(scene, "vote")) == size
    check_scene(scene)


def test_long_and_strange_names_are_no_trouble():
    voters = ("a rather long name of a node", "<b>&", "tab\there")
    check_scene(scene_tally({"<b>&": True}, Configuration(voters), candidate="<b>&", term=1))


# From a frame


def test_the_newest_campaign_is_shown_unless_another_is_asked_for():
    frame = make_frame(
        S1=node("S1", role="candidate", term=2, votes={"S1": True}),
        S2=node("S2", role="candidate", term=4, votes={"S2": True}),
    )
    assert describe_votes(frame).startswith("100.0 ms: S2 asks for votes for term 4")
    assert describe_votes(frame, "S1").startswith("100.0 ms: S1 asks for votes for term 2")
    assert words(scene_votes(frame, "S1"))[0] == describe_votes(frame, "S1").partition("\n")[0]


def test_what_the_last_step_brought_is_marked_new():
    before, after = campaign({"S2": True}), campaign({"S2": True, "S5": True})
    text = describe_votes(after, previous=before)
    assert "S5     granted  new" in text
    assert "new" not in describe_votes(after)
    assert [each.id for each in of_role(scene_votes(after, previous=before), "changed")] == [
        "seat-S5-new"
    ]


def test_the_step_that_wins_an_election_still_shows_the_count():
    before = campaign({"S2": True, "S3": True})
    after = campaign({}, role="leader", in_flight=[flying(4, vote("S1", "S2", 4, granted=False))])
    text = describe_votes(after, previous=before)
    assert text.startswith("100.0 ms: S2 asks for votes for term 4: 3 of 5 granted, 3 needed, WON.")
    assert "S5     granted  new" in text
    check_scene(scene_votes(after, previous=before))


def test_the_step_that_loses_an_election_still_shows_the_count():
    before = campaign({"S2": True, "S3": False, "S4": False})
    after = campaign({}, role="follower", in_flight=[flying(3, vote("S5", "S2", 4))])
    assert describe_votes(after, previous=before).partition("\n")[0].endswith("needed, LOST.")


def test_a_candidate_that_wins_by_its_own_vote_shows_it():
    voters = ("S1",)
    before = make_frame(1, S1=node("S1", role="candidate", term=2, votes={}, voters=voters))
    after = make_frame(1, S1=node("S1", role="leader", term=2, voters=voters))
    assert "1 of 1 granted, 1 needed, WON" in describe_votes(after, previous=before)


def test_where_nobody_counts_the_picture_says_so():
    frame = make_frame(S2=node("S2", role="leader", term=4), S3=node("S3", alive=False))
    expected = "100.0 ms: no votes are being counted; S2 leads term 4."
    assert describe_votes(frame) == expected
    assert words(scene_votes(frame)) == [expected]
    assert describe_votes(make_frame()).endswith("nobody campaigns.")
    assert describe_votes(frame, "S1").endswith("S1 is a follower in term 1 and counts no votes.")
    assert describe_votes(frame, "S3").endswith("S3 is down and counts no votes.")
    check_text(describe_votes(frame))


def test_a_node_that_is_not_there_is_named():
    with pytest.raises(KeyError, match="no node 'S9'"):
        describe_votes(make_frame(), "S9")


def test_the_same_frame_gives_the_same_picture():
    one, other = (scene_votes(campaign({"S2": True, "S4": False})) for _ in range(2))
    assert one.svg == other.svg


def test_matplotlib_paints_it_into_the_axes_it_is_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert scene_votes(campaign({"S2": True})).plot(ax) is ax
    assert ax.get_xlim() == (0, scene_votes(campaign({"S2": True})).width)
    assert len(ax.get_children()) > 10
