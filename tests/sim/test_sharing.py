"""A run as a short text: whoever opens it has the same run, or learns why not."""

import sys
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest

import raftlab
from raftlab import Cluster, Disks, Misuse, Network, Options, RaftStateMachine, Rules, Violation
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.sim.run import share
from raftlab.sim.run.share import PRESET_DICTIONARY, Shared, crc_of, without_defaults
from raftlab.sim.world.actions import Cut, Delay, Propose, Reconfigure, SetClockRate, Timeout, Wait
from raftlab.sim.world.arguments import MOST_ENTRIES, RulesGiven
from raftlab.sim.world.call import exact_difference
from tests.sim.looking import drive, faulty_cluster, standing
from tests.sim.test_mutants import UNSAFE
from tests.sim.toy_machine import ToyMachine


def session() -> Cluster:
    """What somebody types in a first hour."""
    cluster = Cluster(5, seed=7)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S2")
    cluster.elect()
    cluster.propose("y=2")
    return cluster.run(50)


def sealed(told: object, mark: str = "raftlab.1.") -> str:
    """A text with a checksum that fits, whatever it says."""
    raw = told if isinstance(told, bytes) else msgspec.msgpack.encode(told)
    zipping = zlib.compressobj(9, wbits=-15, zdict=PRESET_DICTIONARY)
    packed = zipping.compress(raw) + zipping.flush()
    data = packed + zlib.crc32(packed).to_bytes(4, "big")
    return mark + urlsafe_b64encode(data).decode().rstrip("=")


def told(segments: Sequence[object], **setup: Any) -> str:
    """A text that says this."""
    return sealed([{"nodes": 3, "seed": 1, **setup}, segments, 0])


# There and back


@pytest.mark.parametrize("seed", range(30))
def test_a_random_run_comes_back_as_it_was(seed):
    run = start(seed)
    inject_faults(run, 900.0)
    recording = run.cluster.recording
    opened = raftlab.load(recording.share())
    assert opened == recording
    assert opened.encode() == recording.encode()
    assert standing(opened.replay()) == standing(run.cluster)


def test_a_run_of_every_verb_comes_back_as_it_was():
    recording = drive(faulty_cluster()).recording
    assert raftlab.load(recording.share()).encode() == recording.encode()


def test_a_run_that_settled_comes_back_and_can_go_on():
    run = start(3)
    inject_faults(run, 500.0)
    assert heal_and_converge(run)
    opened = raftlab.load(run.cluster.recording.share()).replay()
    assert standing(opened.run(300)) == standing(run.cluster.run(300))


@pytest.mark.parametrize("mutant", UNSAFE, ids=lambda mutant: mutant.name)
def test_a_run_that_ended_in_a_violation_comes_back_with_it(mutant):
    cluster = mutant.cluster()
    with pytest.raises(Violation):
        mutant.run(cluster)
    given = cluster.recording
    opened = raftlab.load(given.share(), rules=given._rules, machine=given._factory)
    assert opened == given
    with pytest.raises(Violation) as broken:
        opened.replay()
    assert broken.value.frame == cluster.violation


@pytest.mark.parametrize(
    "cluster",
    [
        Cluster(1),
        Cluster(51, seed=-5),
        Cluster(["a b", "ä", 'S"1'], seed=1 << 60),
        Cluster(["S1", "S3", "S2"]),
        Cluster(3, options=Options.figure_2(), network=Network(loss=0.1, latency=(1.0, 2.0))),
        Cluster(3, disks=Disks(torn=True, keeps=("log",)), watched=False),
        Cluster(3, logs={"S1": [1, 1, 4], "S2": [1]}),
    ],
)
def test_every_setup_comes_back_as_it_was(cluster):
    opened = raftlab.load(cluster.recording.share())
    assert opened == cluster.recording
    cluster.run(200)
    assert raftlab.load(cluster.recording.share()) == cluster.recording


def test_commands_of_any_bytes_come_back_as_they_were():
    cluster = session()
    for command in (b"", b"\x00\xff\xfe", "x=ä\u2028", 'x="\\', "raftlab.1."):
        cluster.propose(command)
        cluster.run(20)
    assert raftlab.load(cluster.recording.share()) == cluster.recording


def test_times_come_back_to_the_last_bit():
    cluster = session()
    for ms in (0.1, 1 / 3, 1e-9, 1e6 / 7, 2.0**40):
        cluster.apply(Wait(cluster.now + ms))
        cluster.apply(SetClockRate(cluster.now + ms, "S1", 1 + ms % 1))
    opened = raftlab.load(cluster.recording.share())
    assert [each.at for each in opened.actions] == [each.at for each in cluster.actions]


@pytest.mark.parametrize("start", [0.0, 0.1, 123.456, 1e9 + 0.3])
@pytest.mark.parametrize("ms", [0, 1, 100, 0.5, 33.3, 1 / 3, 1e-7])
def test_a_difference_of_times_leads_exactly_to_the_second(start, ms):
    found = exact_difference(start, start + ms)
    assert found is not None
    assert start + found == start + ms
    assert len(repr(found)) <= len(repr((start + ms) - start))


def test_there_is_no_difference_to_the_past():
    assert exact_difference(2.0, 1.0) is None


def test_a_hand_made_session_is_a_line_of_text():
    text = session().recording.share()
    assert len(text) < 120
    assert text.startswith("raftlab.1.")
    assert text == session().recording.share()


def test_a_long_run_that_nobody_touched_is_as_short():
    cluster = Cluster(5, seed=1)
    cluster.run(30_000)
    assert cluster.number > 5_000
    assert len(cluster.recording.share()) < 100


def test_what_is_as_usual_is_not_said():
    assert without_defaults(Options()) == {}
    assert without_defaults(Network(loss=0.5)) == {"loss": 0.5}
    setup = Cluster(3, seed=4, disks=Disks(torn=True)).setup
    assert without_defaults(setup)["disks"] == {"torn": True}
    assert "network" not in without_defaults(setup)


# Ways through the mail


@pytest.mark.parametrize("width", [1, 2, 5, 13, 72])
@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\n\t  ", "\u00a0\n"])
def test_lines_may_be_broken_on_the_way(width, end):
    recording = session().recording
    text = recording.share()
    broken = end.join(text[place : place + width] for place in range(0, len(text), width))
    assert raftlab.load(f"  {broken}\n\n") == recording


def test_no_single_letter_can_be_changed_unnoticed():
    text = session().recording.share()
    for place, old in enumerate(text):
        for new in "A_-z9.+/=!é\u200b":
            if new != old:
                with pytest.raises((Misuse, FileNotFoundError)):
                    raftlab.load(text[:place] + new + text[place + 1 :])


def test_no_letter_can_be_lost_doubled_or_exchanged_unnoticed():
    text = session().recording.share()
    body = len("raftlab.1.")
    for place in range(body, len(text)):
        swapped = text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
        for other in (
            text[:place] + text[place + 1 :],
            text[:place] + text[place:][:1] * 2,
            swapped,
        ):
            if other != text:
                with pytest.raises(Misuse):
                    raftlab.load(other)


def test_no_text_can_be_cut_short_or_go_on_unnoticed():
    text = session().recording.share()
    for place in range(len("raftlab.1."), len(text)):
        with pytest.raises(Misuse):
            raftlab.load(text[:place])
        with pytest.raises(Misuse):
            raftlab.load(text + text[-place:])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text[:-7], "altered or cut short"),
        (lambda text: "> " + text * 4, r"is the name of no file, and no shared run"),
        (lambda text: text[:40] + "\n> " + text[40:], "has a '>' in it"),
        (lambda text: text.replace("raftlab.1", "raftlab.2"), "is of version 2; this raftlab"),
        (lambda text: text.replace("raftlab.1", "raftlab.99999999999"), "is of version 99999999;"),
        (lambda text: "raftlab.1.", "a shared run begins with"),
        (lambda text: "raftlab.1.A", "altered or cut short"),
        (lambda text: "raftlab.1.AAAA", "altered or cut short"),
        (lambda text: text[5:] * 9, "is the name of no file, and no shared run"),
        (lambda text: "a\0b", "is the name of no file, and no shared run"),
        (lambda text: "https://example.org/#run=", "is the name of no file, and no shared run"),
        (lambda text: "https://example.org/#nodes=3", "is the name of no file, and no shared run"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(change, why):
    with pytest.raises(Misuse, match=why):
        raftlab.load(change(session().recording.share()))


@pytest.mark.parametrize("source", [None, 3, b"raftlab.1.", ["raftlab.1."]])
def test_a_run_is_opened_from_text_or_a_file(source):
    with pytest.raises(Misuse, match="a file's name or from a shared text"):
        raftlab.load(source)


def test_a_file_may_be_called_like_a_shared_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recording = session().recording
    for name in ("raftlab.json", "raftlab.1.jsonl"):
        recording.save(name)
        assert raftlab.load(name) == recording


# Texts that somebody made up


def test_a_text_that_says_the_same_in_other_words_is_the_same_run():
    recording = session().recording
    segments = share.decoded(recording.share())[1].segments
    split = [
        part for each in segments for part in ([1] * each if isinstance(each, int) else [each])
    ]
    assert (
        raftlab.load(sealed(Shared({"nodes": 5, "seed": 7}, split, crc_of(recording.actions))))
        == recording
    )


@pytest.mark.parametrize(
    "made_up",
    [
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        b"\x93\x81\xa1x" + b"\x91" * 100_000,
        b"\x93\x80\x90\x00 and more",
        "run",
        [],
        [{}, [], 0],
        [{"nodes": 3}, [], 0],
        [{"nodes": 3, "seed": 1}, [1.5], 0],
        [{"nodes": 3, "seed": 1}, [0], 0],
        [{"nodes": 3, "seed": 1}, [10**12, -(10**12)], 0],
        [{"nodes": 3, "seed": 1}, [["explode", 0]], 0],
        [{"nodes": 3, "seed": 1}, [["crash", 0, 5]], 0],
        [{"nodes": 3, "seed": "one"}, [], 0],
        [{"nodes": 52, "seed": 1}, [], 0],
        [{"nodes": 0, "seed": 1}, [], 0],
        [{"nodes": -1, "seed": 1}, [], 0],
        [{"nodes": True, "seed": 1}, [], 0],
        [{"nodes": ["a", "a"], "seed": 1}, [], 0],
        [{"nodes": [""], "seed": 1}, [], 0],
        [{"nodes": 3, "seed": 1, "network": 4}, [], 0],
        [{"nodes": 3, "seed": 1, "network": {"loss": 7}}, [], 0],
        [{"nodes": 3, "seed": 1, "logs": [["S9", [1]]]}, [], 0],
        [{"nodes": 3, "seed": 1, "logs": [["S1", [2, 1]]]}, [], 0],
        [{"nodes": 3, "seed": 1, "rules": [["S9", "raftlab.raft.rules:Rules"]]}, [], 0],
    ],
)
def test_what_is_no_run_is_refused(made_up):
    with pytest.raises(Misuse):
        raftlab.load(sealed(made_up))


@pytest.mark.parametrize(
    "action",
    [
        Timeout(0, "S9"),
        Propose(0, "S1", b"x=1"),
        Reconfigure(0, "S1", ("S1", "S9")),
        Cut(float("nan"), "S1", "S2"),
        SetClockRate(0, "S1", 0.0),
        Delay(0, "S1", "S2", 1, 5.0),
    ],
)
def test_what_cannot_happen_is_refused(action):
    with pytest.raises(Misuse, match=r"this run (cannot be played|comes out differently) here"):
        raftlab.load(told([action]))


def test_more_is_not_counted_than_can_be_played():
    with pytest.raises(Misuse, match="more than 5,000,000 steps"):
        raftlab.load(told([10**18]))
    with pytest.raises(Misuse, match="more than 5,000,000 steps"):
        raftlab.load(told([4_000_000] * 3))


def test_nothing_is_unpacked_that_is_too_large():
    with pytest.raises(Misuse, match="unpacks to more than 16 MB"):
        raftlab.load(sealed(b"\x00" * (1 << 27)))


def test_no_logs_are_made_that_are_too_long():
    with pytest.raises(Misuse, match="at most 250,000 entries, and not 250,001"):
        raftlab.load(told([], logs=[["S1", [1] * (MOST_ENTRIES + 1)]]))


def test_steps_that_nothing_leads_to_are_refused():
    cluster = Cluster(3, seed=1)
    for node in cluster.nodes:
        cluster.crash(node)
    segments = [*share.decoded(cluster.recording.share())[1].segments, 5]
    with pytest.raises(Misuse, match="nothing is due at frame"):
        raftlab.load(told(segments))


def test_a_run_that_comes_out_differently_is_refused():
    recording = session().recording
    segments, crc = share.decoded(recording.share())[1].segments, crc_of(recording.actions)
    with pytest.raises(Misuse, match="comes out differently here"):
        raftlab.load(
            sealed(Shared({"nodes": 5, "seed": 7}, segments[:-1], crc_of(recording.actions)))
        )
    with pytest.raises(Misuse, match=r"cannot be played here: .* cannot accept entries"):
        raftlab.load(sealed(Shared({"nodes": 5, "seed": 8}, segments, crc)))


def test_a_recording_that_does_not_play_is_not_shared():
    recording = session().recording
    with pytest.raises(Misuse):
        recording.of([*recording.actions[5:], Timeout(0.0, "S1")]).share()


# Whose classes


class Mine(Rules):
    """Rules of a learner."""


class Hasty(Rules):
    """Everybody waits half as long."""

    def election_timeout(self, options, rng):
        return super().election_timeout(options, rng) / 2


@pytest.mark.parametrize("rules", [Hasty, Hasty(), {"S1": Hasty}, {"S1": Hasty(), "S3": Mine}])
def test_rules_of_a_learner_are_handed_over(rules):
    cluster = Cluster(3, seed=1, rules=rules)
    cluster.run(300)
    text = cluster.recording.share()
    opened = raftlab.load(text, rules=rules)
    assert opened == cluster.recording
    assert standing(opened.replay()) == standing(cluster)
    with pytest.raises(Misuse, match=r"which is not raftlab's own: hand the class over, as rules="):
        raftlab.load(text)
    with pytest.raises(Misuse, match="comes out differently here"):
        raftlab.load(text, rules=Mine)


def test_a_machine_of_a_learner_is_handed_over():
    cluster = Cluster(3, seed=1, machine=ToyMachine, options=Options.figure_2())
    cluster.elect()
    for place in range(5):
        cluster.propose(f"x={place}")
        cluster.run(5)
    opened = raftlab.load(cluster.recording.share(), machine=ToyMachine)
    assert standing(opened.replay()) == standing(cluster)
    with pytest.raises(Misuse, match=r"'tests\.sim\.toy_machine', which is not raftlab's own"):
        raftlab.load(cluster.recording.share())
    with pytest.raises(Misuse, match="comes out differently here"):
        raftlab.load(cluster.recording.share(), machine=RaftStateMachine)


def test_rules_under_another_name_will_do():
    cluster = Cluster(3, seed=1, rules=Mine)
    cluster.run(300)
    opened = raftlab.load(cluster.recording.share(), rules=Rules)
    assert opened.actions == cluster.recording.actions
    assert opened.setup.rules[0] == ("S1", "raftlab.raft.rules:Rules")


def test_a_newcomer_has_the_same_rules_after_the_way_there_and_back():
    every: dict[str, Rules | type[Rules]] = {"S1": Hasty, "S2": Hasty, "S3": Hasty()}
    some: list[RulesGiven] = [Hasty, every, {"S1": Hasty}]
    for rules in some:
        cluster = Cluster(3, seed=1, rules=rules)
        cluster.elect()
        cluster.add_learner("S4")
        cluster.run(300)
        opened = raftlab.load(cluster.recording.share(), rules=rules)
        assert opened == cluster.recording
        assert standing(opened.replay()) == standing(cluster)
        kinds = {type(cluster.hosts[node].rules) for node in ("S2", "S4")}
        assert len(kinds) == 1


def broken_rules() -> type[Rules]:
    class Broken(Rules):
        def election_timeout(self, options, rng):
            raise KeyError("nobody knows")

    return Broken


def test_rules_that_fail_are_no_reason_to_fall_over():
    with pytest.raises(Misuse, match="cannot be played here: KeyError"):
        raftlab.load(session().recording.share(), rules=broken_rules())
    with pytest.raises(Misuse, match="the rules of S1 are no subclass of Rules"):
        raftlab.load(session().recording.share(), rules=cast(Any, int))


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "antigravity:Rules",
        "raftlabber:Rules",
        "tests.sim.test_sharing:Mine",
        "__main__:Mine",
        "raftlab.raft.rules:Mine.<locals>.Rules",
        ":",
        "",
        "Rules",
    ],
)
@pytest.mark.parametrize("what", ["rules", "machine"])
def test_no_class_of_anybody_else_is_looked_up(name, what):
    value = [["S1", name]] if what == "rules" else name
    with pytest.raises(Misuse, match=f"not raftlab's own: hand the class over, as {what}="):
        raftlab.load(told([], **{what: value}))
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "name",
    [
        "raftlab.raft.rules:",
        "raftlab.raft.rules:NoSuchClass",
        "raftlab.raft.rules:Rules.__init__.__globals__",
        "raftlab.raft.rules:RaftLog",
        "raftlab.raft.no_such_module:Rules",
        "raftlab.:Rules",
        "raftlab..raft:Rules",
        "raftlab.\0:Rules",
        "raftlab:load",
        "raftlab.sim.run.files:Path",
        "raftlab.sim.run.files:os.system",
        "raftlab:Rules",
        "raftlab.raft.vocabulary:Misuse",
    ],
)
@pytest.mark.parametrize("what", ["rules", "machine"])
def test_only_rules_and_machines_are_found_in_raftlab(name, what):
    value = [["S1", name]] if what == "rules" else name
    with pytest.raises(Misuse, match=r"this raftlab has no|cannot be the (rules|machine)"):
        raftlab.load(told([], **{what: value}))


def test_altered_texts_are_told_by_their_checksum_before_anything_is_unpacked():
    text = session().recording.share()
    body = text.removeprefix("raftlab.1.")
    data = bytearray(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    for place in range(len(data)):
        data[place] ^= 0x40
        with pytest.raises(Misuse, match="altered or cut short"):
            raftlab.load("raftlab.1." + urlsafe_b64encode(bytes(data)).decode().rstrip("="))
        data[place] ^= 0x40


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "rafalab.1.eNprXFKcWpSXmJsKACTOBXY",
        "Raftlab.1.eNprXFKcWpSXmJsKACTOBXY",
        "aftlab.1.eNprXFKcWpSXmJsKACTOBXY",
        ".1.eNprXFKcWpSXmJsKACTOBXY",
        "raftlab,1,eNprXFKcWpSXmJsKACTOBXY",
        "raftlab1" + 80 * "x",
        400 * "a",
    ],
)
def test_a_text_that_begins_with_a_slip_is_told_how_one_begins(text):
    with pytest.raises(Misuse, match=r'one begins with "raftlab\.1\."'):
        raftlab.load(text)


@pytest.mark.parametrize("name", ["no-such-run", "run.2.jsonl", "runs/figure-8.jsonl", "a b.txt"])
def test_a_file_that_is_not_there_is_missing_and_nothing_else(name):
    with pytest.raises(FileNotFoundError):
        raftlab.load(name)
