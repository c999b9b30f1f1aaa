"""Words in a picture: never on each other, and on as few lines as there is room for."""

import pytest

from raftlab.view.labels import Labels, runs_through, text_box
from raftlab.view.marks import Text

BOX = (10.0, 10.0, 20.0, 20.0)


@pytest.mark.parametrize(
    ("start", "end", "runs"),
    [
        ((0.0, 0.0), (30.0, 30.0), True),  # across
        ((15.0, 12.0), (16.0, 13.0), True),  # inside
        ((15.0, 15.0), (99.0, 15.0), True),  # out of it
        ((15.0, 0.0), (15.0, 99.0), True),  # straight down
        ((0.0, 0.0), (9.0, 30.0), False),  # beside
        ((0.0, 0.0), (9.0, 9.0), False),  # it ends before
        ((10.0, 0.0), (10.0, 99.0), False),  # along the edge
        ((0.0, 15.0), (5.0, 15.0), False),
        ((25.0, 0.0), (0.0, 12.0), False),  # past a corner
        ((15.0, 15.0), (15.0, 15.0), True),  # a point
        ((25.0, 15.0), (25.0, 15.0), False),
    ],
)
def test_whether_a_line_runs_through_a_rectangle(start, end, runs):
    assert runs_through(start, end, BOX) is runs
    assert runs_through(end, start, BOX) is runs


def words(*xs: float) -> list[Text]:
    return [Text("word", x, 50.0, "x=1") for x in xs]


def labels(**lines: int) -> Labels:
    """So many lines, top down, at each place: `at100=2`."""
    room = Labels(400.0)
    for place, count in lines.items():
        x = float(place.removeprefix("at"))
        for each in range(count):
            room.spare((x + each, 0.0), (x + each, 99.0))
    return room


def test_the_first_word_that_lies_on_no_line_is_taken():
    assert labels(at100=1).place(words(100, 200, 300)) == words(200)[0]
    assert labels().place(words(100, 200)) == words(100)[0]


def test_where_each_lies_on_a_line_the_one_on_the_fewest_is_taken_and_the_first_of_those():
    assert labels(at100=3, at200=1, at300=1).place(words(100, 200, 300)) == words(200)[0]


def test_a_word_on_a_line_is_better_than_none_and_a_word_on_a_word_is_not():
    room = labels(at100=1, at200=1)
    room.take(text_box(words(200)[0]))
    assert room.place(words(200, 100)) == words(100)[0]
    assert room.place(words(200, 100)) is None
