"""Every exhibit is one mistake with a source, and its run shows it; the kill table is measured."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from raftlab import PROPERTIES, Cluster, Disks, Misuse, Options, Rules, Violation
from raftlab.check.campaign import campaign
from raftlab.check.campaign.complaints import Complaint, complaint
from raftlab.check.campaign.faults import crash, isolate
from raftlab.check.campaign.random_run import heal_and_converge
from raftlab.check.campaign.random_start import start
from raftlab.museum import EXHIBITS, HALLS, Exhibit, exhibit
from raftlab.museum import __main__ as command
from raftlab.museum import table as tables
from raftlab.museum.exhibit import REGISTERED, STOCK, Tuning, exhibited
from raftlab.museum.page import HEAD, catalogue, label
from raftlab.museum.seeds import (
    ALARMS,
    ANSWERS,
    CHECKERS,
    HEALING,
    INVARIANTS,
    RAISED,
    failure,
    first_failure,
    random_start,
    stock_failure,
    verbs_of,
)
from raftlab.museum.table import KillTable, Row, kill_table

SAFETY = tuple(each for each in EXHIBITS if each.breaks)
STUCK = tuple(each for each in EXHIBITS if not each.breaks)
TUNED = tuple(each for each in EXHIBITS if each.tuning != STOCK)

every = pytest.mark.parametrize("each", EXHIBITS, ids=lambda each: each.name)
unsafe = pytest.mark.parametrize("each", SAFETY, ids=lambda each: each.name)
stuck = pytest.mark.parametrize("each", STUCK, ids=lambda each: each.name)
tuned = pytest.mark.parametrize("each", TUNED, ids=lambda each: each.name)

REAL = re.compile(r"\b[HESMF]\d+\b")


# The exhibits


@every
def test_an_exhibit_is_one_override_with_a_source_and_a_story_of_two_sentences(each: Exhibit):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each.name)
    assert each.title == each.title.strip(" .") != ""
    assert len(each.wrong) == 1
    assert set(each.wrong) <= {"rules", "machine", "disks", "options"}
    assert REAL.search(each.source) or re.search(r"paper|thesis", each.source)
    assert re.fullmatch(r"[A-Z][^.]*\. [A-Z][^.]*\.", each.story)
    assert each.mistake.endswith(".") and each.shows_in.endswith(".")
    assert each.breaks is None or (each.breaks in PROPERTIES and each.is_safety)


def test_names_and_titles_are_unique_and_stories_too():
    for what in ("name", "title", "story"):
        assert len({getattr(each, what) for each in EXHIBITS}) == len(EXHIBITS)


def test_the_museum_is_large_enough_and_mostly_of_real_bugs():
    assert len(SAFETY) >= 45
    assert sum(bool(REAL.search(each.source)) for each in EXHIBITS) >= 60
    odd = {each.breaks.name for each in SAFETY} ^ {each.name for each in PROPERTIES}
    assert not odd, f"raftlab/museum/ wants an exhibit with breaks= this property: {odd}"


@unsafe
def test_a_recording_breaks_the_property_when_it_is_played_from_scratch(each: Exhibit):
    recording = each.recording()
    with pytest.raises(Violation) as caught:
        recording.replay()
    assert caught.value.frame.name == each.breaks.name
    assert recording == each.recording()


@every
def test_the_same_run_without_the_mistake_breaks_nothing(each: Exhibit):
    cluster = each.recording(wrong=False).replay()
    assert cluster.violation is None
    assert not cluster.engine.world.alarms
    if not each.breaks:
        assert each.run(each.cluster(wrong=False)) is True


@stuck
def test_what_breaks_no_property_goes_nowhere(each: Exhibit):
    cluster = each.recording().replay()
    assert cluster.violation is None
    assert each.run(each.cluster()) is False


def test_an_exhibit_is_found_by_its_name():
    assert exhibit("figure-8").breaks.name == "Leader Completeness"
    with pytest.raises(Misuse, match="did you mean 'figure-8'"):
        exhibit("figure8")
    with pytest.raises(Misuse, match="see EXHIBITS"):
        exhibit("qqqqqqqq")


def test_a_cluster_takes_further_arguments_and_can_do_without_the_mistake():
    each = exhibit("figure-8")
    assert isinstance(each.cluster(seed=5), Cluster)
    assert each.cluster(seed=5).setup.seed == 5
    assert not each.cluster(watched=False).setup.watched
    assert each.cluster().setup.rules != each.cluster(wrong=False).setup.rules
    assert each.cluster().setup.options == Options.figure_2()


# How a class becomes an exhibit


def test_exhibits_stand_hall_by_hall_in_the_order_of_the_page():
    assert list(EXHIBITS) == [each for hall in HALLS for each in REGISTERED[hall.__name__]]
    assert {hall.__name__ for hall in HALLS} <= set(REGISTERED)
    page = (Path(__file__).parents[2] / "docs" / "museum.md").read_text()
    labels = "\n## The exhibits\n\n" + "\n".join(map(label, EXHIBITS))
    as_written = page.startswith(HEAD) and page.endswith(labels)
    assert as_written, "docs/museum.md tells of other exhibits than there are: run make museum"


def test_a_decorated_class_is_an_exhibit_with_what_its_docstrings_say():
    def nothing_happens(cluster):
        """Nothing happens."""

    class Mute(Rules):
        """Nobody campaigns.

        A timer runs out, and nobody asks for
        votes. There is never a leader.

        Source: folklore.
        """

        def campaigns(self, node, configuration, previous):
            """Not even a voter
            stands.
            """
            return False

    class Slow:
        """Disks are slow.

        Each write takes long. All wait.

        Source: paper 5.
        """

        disks = Disks(write_ms=50.0)

    assert exhibited("mute", nothing_happens, nodes=5, options=Options())(Mute) is Mute
    exhibited("slow", nothing_happens, breaks=PROPERTIES[0])(Slow)
    mute, slow = REGISTERED[__name__][-2:]
    assert mute.title == "nobody campaigns" and mute.source == "folklore"
    assert mute.story == "A timer runs out, and nobody asks for votes. There is never a leader."
    assert mute.mistake == "Not even a voter stands." and mute.shows_in == "Nothing happens."
    assert isinstance(mute.wrong["rules"], Mute)
    assert not mute.is_safety and slow.is_safety
    assert mute.cluster().nodes[-1] == "S5" and mute.cluster().setup.options == Options()
    assert slow.wrong == {"disks": Disks(write_ms=50.0)} and slow.mistake == "Disks are slow."
    assert mute not in EXHIBITS


def test_a_docstring_without_a_story_or_a_source_is_refused():
    class Mute(Rules):
        """Nobody campaigns."""

    with pytest.raises(Misuse, match=r"docstring of .*Mute has not three paragraphs"):
        exhibited("mute", lambda _: None)(Mute)


# Random runs


@tuned
def test_a_random_run_so_set_finds_nothing_wrong_without_the_mistake(each: Exhibit):
    right = Exhibit(
        name=each.name,
        title="",
        source="",
        story="",
        wrong={},
        run=each.run,
        tuning=each.tuning,
    )
    for seed in range(4):
        assert failure(right, seed) == ("", "")


def test_what_is_raised_or_reported_by_the_machine_itself_is_no_find(monkeypatch):
    said = iter([(RAISED, "AssertionError: x"), (ALARMS, "alarms: x"), ("", ""), (HEALING, "y")])
    monkeypatch.setattr("raftlab.museum.seeds.failure", lambda *_: next(said))
    find = first_failure(EXHIBITS[0], 10, 9)
    assert (find.seed, find.runs, find.checker, find.said) == (13, 4, HEALING, "y")


SAID = {
    "settle": Complaint(HEALING, "no new command on every member within 9000 ms of peace"),
    "disturbance": Complaint(HEALING, "S1 led term 3 in all quiet, and does not any more"),
    "wrong_answer": Complaint(ANSWERS, "c1 sent 1 commands, and 2 were executed"),
    "alarms": Complaint(ALARMS, "alarms: ['x']"),
}


@pytest.mark.parametrize("what", SAID)
def test_complaints_are_told_apart(what, monkeypatch):
    run = start(1, 3, options=Options())
    assert what == "settle" or heal_and_converge(run)
    assert what == "settle" or complaint(run) is None
    if what in ("disturbance", "wrong_answer"):
        monkeypatch.setattr(f"raftlab.check.campaign.complaints.{what}", lambda _: SAID[what].text)
    if what == "alarms":
        run.cluster.engine.world.alarms.append("x")
    assert complaint(run) == SAID[what]


def test_a_campaign_decides_what_chance_would_have():
    each = Exhibit(
        name="x",
        title="x",
        source="x",
        story="x",
        wrong={},
        run=lambda _: None,
        tuning=Tuning(nodes=3, options=Options.figure_2(), verbs=(crash, isolate)),
    )
    run = random_start(each, 5)
    assert len(run.cluster.nodes) == 3
    assert run.cluster.setup.options == Options.figure_2()
    assert {"crash", "isolate", "restart", "heal"} <= {verb.__name__ for verb, _ in verbs_of(each)}
    assert "transfer" not in {verb.__name__ for verb, _ in verbs_of(each)}
    assert verbs_of(EXHIBITS[0]) is None or EXHIBITS[0].tuning != STOCK


# The table

FAST = ("votes-again", "half-commits", "commits-on-receipt", "last-entry-waits", "retry-runs-twice")


@pytest.fixture(scope="module")
def quick() -> KillTable:
    return kill_table(FAST, quick=True)


def test_the_quick_table_says_what_its_runs_say(quick):
    assert [row.name for row in quick.rows] == list(FAST)
    assert not quick.survivors
    for row in quick.rows:
        (runs,) = row.runs
        assert row.seeds == runs <= quick.limit
        each = exhibit(row.name)
        checker, said = failure(each, runs - 1)
        assert checker in row.killed_by
        assert row.said == (said if checker == INVARIANTS else checker,)
        assert all(failure(each, seed)[0] in ("", RAISED, ALARMS) for seed in range(runs - 1))


def test_the_shortest_run_is_no_longer_than_the_exhibits_own(quick):
    for row in quick.rows:
        each = exhibit(row.name)
        if each.breaks is None:
            assert row.events is None
        else:
            assert 0 < row.events <= len(each.recording())


def test_what_is_nonsense_is_not_told_as_nothing_found():
    other = dataclasses.replace(exhibit("votes-again"), breaks=exhibit("log-not-saved").breaks)
    with pytest.raises(Misuse, match="This run ends in One Vote Per Term, and not in Durable"):
        tables.shortest(other, 1)


def test_the_healing_phase_and_the_answers_catch_what_breaks_no_property(quick):
    assert HEALING in quick["last-entry-waits"].killed_by
    assert ANSWERS in quick["retry-runs-twice"].killed_by
    assert INVARIANTS in quick["votes-again"].killed_by


ROWS = (
    Row(
        "a-b", "a is b", True, "Election Safety", (INVARIANTS,), ("Election Safety",), (1, 7, 4), 9
    ),
    Row("c", "c", False, None, (), (), (None, 3, None)),
)
TABLE = KillTable(ROWS, (0, 1, 2), 50)


def test_a_row_knows_its_median():
    assert TABLE["a-b"].seeds == 4
    assert TABLE["c"].seeds is None
    assert TABLE.survivors == (ROWS[1],)
    with pytest.raises(KeyError):
        TABLE["d"]


def test_the_table_as_text():
    assert str(TABLE).splitlines() == [
        "1 of 1 mistakes that do something wrong are caught, and 0 of 1 that get nowhere; at most"
        " 50 random runs from each of 3 starts.",
        "",
        "exhibit  breaks           caught by   runs (median)  stock seed  shortest run"
        "  states searched",
        "-" * 94,
        "a-b      Election Safety  invariants  4              –           9             –",
        "c        liveness         nothing     > 50           –           –             –",
    ]


def test_the_table_as_markdown_and_json():
    first, second, *rows = TABLE.as_markdown().splitlines()
    assert first.startswith("| exhibit | breaks |") and set(second) == set("| -")
    assert rows[0] == "| a-b | Election Safety | invariants | 4 | – | 9 | – |"
    assert json.loads(TABLE.encode())["rows"][1]["runs"] == [None, 3, None]


def test_the_table_tells_which_seed_of_a_stock_campaign_is_the_first():
    found, missed = replace(ROWS[0], stock=17), ROWS[1]
    table = KillTable((found, missed), (0, 1, 2), 50, stock_limit=1800)
    assert table.summary.endswith("1 of 2 are found by a stock campaign of 1,800 seeds.")
    first, second = table.as_markdown().splitlines()[2:]
    assert first == "| a-b | Election Safety | invariants | 4 | 17 | 9 | – |"
    assert second == "| c | liveness | nothing | > 50 | ≥ 1800 | – | – |"


def test_a_stock_campaign_is_given_the_mistake_and_nothing_else():
    seed = stock_failure(exhibit("votes-again"), 10)
    assert campaign(seed + 1, **exhibit("votes-again").wrong).failures[0].seed == seed
    assert stock_failure(exhibit("votes-again"), seed) is None


def test_a_search_fills_its_column():
    (row,) = kill_table(["half-commits"], quick=True, searched=lambda _: 321).rows
    assert row.searched == 321
    assert row.killed_by[-1] == "search"
    assert tables.with_search(row, None) == row


def test_the_page_has_a_label_for_every_exhibit_and_every_checker(quick):
    page = catalogue(quick)
    for name in FAST:
        assert f"### {name}\n" in page
        assert exhibit(name).story in page and exhibit(name).source in page
    assert all(f"**{checker}**" in page for checker in CHECKERS)


def test_the_command_prints_the_table_and_writes_the_page(tmp_path, capsys):
    page = tmp_path / "docs" / "museum.md"
    assert command.main(["--quick", "--write", str(page), "half-commits"]) == 0
    assert "half-commits" in capsys.readouterr().out
    assert "### half-commits" in page.read_text()


def test_a_table_that_was_interrupted_goes_on_where_it_stood(tmp_path, monkeypatch):
    measured = []

    def measure(each, starts, limit, budget):
        measured.append(each.name)
        if len(measured) == 2:
            raise KeyboardInterrupt
        return Row(each.name, each.title, True, None, ("invariants",), ("é",), (1,))

    monkeypatch.setattr(tables, "measure", measure)
    monkeypatch.setattr(tables, "stock_failure", lambda each, limit: 7)
    monkeypatch.setattr(command, "states_searched", lambda each: None)
    file = tmp_path / "rows.jsonl"
    names = ["half-commits", "votes-again", "figure-8"]
    with pytest.raises(KeyboardInterrupt):
        command.main(["--keep", str(file), *names])
    with file.open("ab") as half:
        half.write(b'{"name":"figure-8","ti')
    assert [row.name for row in command.kept_rows(file).results] == ["half-commits"]
    assert command.main(["--keep", str(file), *names]) == 0
    assert measured == ["half-commits", "votes-again", "votes-again", "figure-8"]
    rows = {row.name: row for row in command.kept_rows(file).results}
    assert rows["figure-8"].stock == 7
    monkeypatch.setattr(command, "code_checksum", lambda *_: "another source")
    assert not command.kept_rows(file).results
    assert file.read_text() == '{"museum":"another source"}\n'


def test_a_file_that_keeps_no_rows_is_refused_and_left_alone(tmp_path, capsys):
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary\n")
    with pytest.raises(SystemExit):
        command.main(["--keep", str(diary), "half-commits"])
    assert "diary.txt is no file of a kill table" in capsys.readouterr().err
    assert diary.read_text() == "Dear diary\n"


def test_rows_of_a_quick_table_are_not_kept(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["--quick", "--keep", str(tmp_path / "rows.jsonl"), "half-commits"])
    assert "leave --quick out" in capsys.readouterr().err


@pytest.mark.parametrize("killed_by", [(), (INVARIANTS,)])
def test_the_command_fails_if_a_mistake_was_missed(monkeypatch, killed_by):
    row = Row("a", "a", True, "Election Safety", killed_by, (), (None,))
    monkeypatch.setattr(command, "kill_table", lambda *_: KillTable((row,), (0,), 5))
    assert command.main([]) == (0 if killed_by else 1)


def test_an_acknowledgement_that_does_not_wait_loses_what_was_counted():
    each = exhibit("acknowledges-unwritten")
    recording = each.recording()
    assert recording.actions != exhibit("speaks-before-writing").recording().actions
    assert "S2 acknowledged entry 2" in recording.attempt().violation.text
    cluster = each.cluster(watched=False)
    each.run(cluster)
    assert cluster.machine("S1").commit_index == 2
    cluster.restart("S2")
    assert cluster.machine("S2").log.last_index == 1


def test_a_source_is_cited_only_where_it_matches_the_catalogue():
    cited = {each.name: each.source for each in EXHIBITS}
    assert "E39" not in cited["silent-during-snapshot"]
    assert "E5:" not in cited["hands-to-learner"] and "E29" in cited["hands-to-learner"]
    assert "E7" not in cited["two-changes"]
    for name in ("read-waits-for-all", "stays-joint", "late-ack-confirms"):
        assert "after " in cited[name]


def test_the_page_says_how_to_look_at_an_end_quietly(quick):
    assert ".attempt().violation" in catalogue(quick)
    assert "attempt" in Exhibit.__doc__
    assert exhibit("figure-8").recording().attempt().violation.name == "Leader Completeness"
