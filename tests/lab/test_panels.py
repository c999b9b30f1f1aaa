"""What stands around the picture: escaped, complete, and never by colour alone."""

from html.parser import HTMLParser

import msgspec
import pytest

from raftlab import FIGURE_3, PROPERTIES, Cluster
from raftlab.lab import panels
from raftlab.lab.control_table import KEYS
from raftlab.lab.nodes_table import nodes_table
from raftlab.sim.frames.frame import Event
from raftlab.sim.world.violation import ViolationFrame
from tests.lab.clusters import called_by, working

EVIL = "<script>alert(1)</script>\"'&\u202e\x00"
BROKEN = ViolationFrame("Log Matching", "entry 3 is not the same", "5.3", 41, ("S1", "S2"), 3)


class Words(HTMLParser):
    """The words of a piece of HTML, and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.tags = "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.words += " " * (tag in ("td", "th", "tr", "li"))

    def handle_data(self, data):
        self.words += data


def words(html: str) -> str:
    return " ".join(Words(html).words.split())


def test_lights_name_figure_3_and_count_the_others():
    told = words(panels.lights(working().frame(), watched=True))
    for each in FIGURE_3:
        assert f"✓ {each.name} holds" in told
    assert f"✓ {len(PROPERTIES) - 5} more hold" in told
    assert "✕" not in told


@pytest.mark.parametrize("broken", PROPERTIES, ids=lambda each: each.name)
def test_a_broken_property_is_a_sign_and_a_word(broken):
    properties = {each.name: each is not broken for each in PROPERTIES}
    frame = msgspec.structs.replace(working().frame(), properties=properties)
    told = words(panels.lights(frame, watched=True))
    assert f"✕ {broken.name} is broken" in told
    assert f"✓ {broken.name} holds" not in told


def test_lights_say_when_nothing_is_watched():
    told = words(panels.lights(Cluster(3, watched=False).frame(), watched=False))
    assert "✓" not in told
    assert "nothing is watched" in told


def test_a_violation_is_told_in_full():
    told = words(panels.banner(BROKEN))
    for fact in ("Log Matching is broken", "entry 3 is not", "nodes S1, S2", "index 3", "paper 5.3",
                 "frame 41", "slide back"):  # fmt: skip
        assert fact in told
    assert 'role="alert"' in panels.banner(BROKEN)
    assert panels.banner(None) == ""


def test_nothing_from_outside_becomes_markup():
    event = Event(1, 1.0, f"a client hands {EVIL} to S1")
    broken = msgspec.structs.replace(BROKEN, text=EVIL, nodes=(EVIL,))
    cluster = Cluster(["<b>one</b>", "two"], seed=1)
    pieces = [
        panels.events([event]),
        panels.alarm(EVIL, EVIL),
        panels.banner(broken),
        panels.note(EVIL),
        panels.text_twin(EVIL),
        nodes_table(cluster.frame(), None),
    ]
    for piece in pieces:
        assert "script" not in Words(piece).tags
        assert "<b>one" not in piece


def test_messages_are_listed_in_the_order_in_which_they_arrive():
    frame = working().frame()
    options = panels.message_options(frame)
    arrivals = {flight.number: flight.arrives_at for flight in frame.in_flight}
    assert [arrivals[number] for _, number in options] == sorted(arrivals.values())
    for line, number in options:
        assert line.startswith(f"#{number}  S")
        assert " in " in line


def test_the_table_tells_memory_disk_and_what_changed():
    cluster = working()
    before = cluster.frame()
    cluster.crash("S1")
    told = words(nodes_table(cluster.frame(), before))
    assert "S1 down lost lost lost lost" in told
    assert "term 1, vote S2, log" in told
    assert "heartbeat in" in told
    assert "election in" in told
    assert 'class="raftlab-new"' in nodes_table(cluster.frame(), before)


def test_events_have_the_newest_first():
    cluster = working()
    told = words(panels.events(cluster.events(3)))
    newest, oldest = cluster.events(3)[-1], cluster.events(3)[0]
    assert told.index(newest.text) < told.index(oldest.text)
    assert panels.events([]) != ""


def test_every_key_calls_something_and_is_shown():
    table = words(panels.keys_table())
    for name, control in KEYS.items():
        assert control.key.words in table
        assert control.key.key == name
        assert callable(called_by(control))


def test_menus_offer_what_a_node_can_be_told():
    cluster = working()
    cluster.crash("S1")
    cluster.pause("S3")
    menus = panels.menus(cluster.frame(), nodes=True)
    assert ("x", "Restart") in menus["node-S1"]
    assert ("p", "Resume") in menus["node-S3"]
    assert ("t", "Time out") not in menus["node-S2"]  # it leads
    assert all(key in KEYS for items in menus.values() for key, _ in items)
    assert set(panels.menus(cluster.frame(), nodes=False)) == {"message"}
