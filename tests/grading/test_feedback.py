"""What students and instructors are told: it teaches, is safe to open, and is the same twice."""

import csv
import json
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import msgspec
import pytest

import raftlab
from raftlab.grading.feedback import file_name, student_page, student_text, write_feedback
from raftlab.grading.feedback.exports import canvas, gradescope, moodle
from raftlab.grading.feedback.words import findings, lines_of
from raftlab.grading.milestones import MILESTONES, milestone_of, milestones_of
from raftlab.grading.results import Check
from raftlab.grading.words import MOST, plain
from raftlab.grading.words import sentence as as_sentence
from raftlab.raft.vocabulary import Misuse
from tests.grading.marks import HOSTILE, hostile, marks, perfect, share_of, weak_tests

TEMPLATES = Path(raftlab.__file__).parent / "grading" / "feedback" / "templates"
ADDRESSES = r"#run-\d+$|https://example\.org/lab/#run=raftlab\.|data:image/|students/[\w.-]+$"
BASE = "https://example.org/lab/"
CLASS = (marks(), perfect(), weak_tests(), hostile(), marks("dora"))


class Parts(HTMLParser):
    """The tags of a page, its attributes, and what can be read."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feedback")
    return folder, write_feedback(CLASS, folder, BASE)


def test_a_finding_is_three_lines():
    (check,) = findings(marks().milestones[0])
    about = [line.about for line in lines_of(check)]
    assert about == ["What happened", "The rule", "Try"]
    happened, rule, advice = (line.says for line in lines_of(check))
    assert happened == "Broken: Election Safety: S1 and S4 are both leaders of term 1."
    assert "5.2" in rule and "half of the votes are not a majority" in rule
    assert advice == "Count the votes of 4 servers on paper: how many win?"


def test_the_page_and_the_text_say_the_same_of_each_finding():
    page, text = Parts(student_page(marks())), " ".join(student_text(marks()).split())
    said = " ".join(" ".join(page.words).split())
    for mark in marks().milestones:
        for check in findings(mark):
            for line in lines_of(check):
                assert line.says in said
                assert line.says in text


def test_each_run_has_its_picture_its_text_and_its_share_string():
    page, share = student_page(marks()), share_of("half-elects")
    parts = Parts(page)
    alternatives = [value for name, value in parts.attributes if name == "alt"]
    assert len(alternatives) == 4
    assert any("partition S1 S2 | S3 S4" in each for each in alternatives)
    assert f'raftlab.load("{share}").lab()' in "".join(parts.words)
    assert f'raftlab.load("{share}").lab()' in student_text(marks())


def test_a_run_is_a_link_where_an_address_is_configured():
    share = share_of("figure-8")
    addresses = [
        value for name, value in Parts(student_page(marks(), BASE)).attributes if name == "href"
    ]
    assert f"{BASE}#run={share}" in addresses
    assert "href" not in dict(Parts(student_page(marks())).attributes)
    with pytest.raises(Misuse):
        student_page(marks(), "javascript:alert(1)")


def test_a_run_that_two_findings_share_is_shown_once():
    first, _ = marks().milestones
    both = marks(milestones=(first, first))
    page = Parts(student_page(both))
    assert [value for name, value in page.attributes if name == "id"] == ["run-1"]
    assert "#run-1" in dict(page.attributes).values()
    assert student_text(both).count("Open it:") == 1


def test_a_run_with_a_class_of_the_students_own_says_how_it_is_opened():
    class Own(raftlab.Rules):
        """A student's."""

    cluster = raftlab.Cluster(3, rules=Own())
    cluster.elect()
    (check,) = findings(marks().milestones[0])
    share = cluster.recording.share()
    own = raftlab.load(share, rules=Own)
    part = marks().milestones[0]
    part = msgspec.structs.replace(part, checks=(msgspec.structs.replace(check, share=share),))
    page = student_page(marks(milestones=(part,)))
    assert "<img" not in page and "rules=YourClass" in page
    assert "<img" in student_page(marks(milestones=(part,)), opened=lambda text: own)


def test_pages_are_the_same_twice_and_in_any_order(written, tmp_path):
    folder, files = written
    again = write_feedback(reversed(CLASS), tmp_path, BASE)
    assert {each.relative_to(tmp_path) for each in again} == {
        each.relative_to(folder) for each in files
    }
    for each in files:
        assert each.read_bytes() == (tmp_path / each.relative_to(folder)).read_bytes()


def test_nothing_of_a_hostile_submission_becomes_a_tag_or_an_address(written):
    for file in written[1]:
        if file.suffix != ".html":
            continue
        parts = Parts(file.read_text(encoding="utf-8"))
        assert "script" not in parts.tags
        assert not [name for name, _ in parts.attributes if name.startswith("on")]
        for name, value in parts.attributes:
            if name in ("href", "src"):
                assert re.match(ADDRESSES, value)


def test_what_cannot_be_seen_is_replaced(written):
    for file in written[1]:
        text = file.read_text(encoding="utf-8")
        assert not {"\u202e", "\x00", "{{ 7*7 }}49"} & {*text}
        assert "49" not in student_page(hostile())


def test_a_text_is_on_one_line_and_not_endless():
    assert plain("a\n\tb  c") == "a b c"
    assert plain("نام\u200cها") == "نام\u200cها"
    assert len(plain("x" * 10**6)) == MOST
    assert len(student_page(hostile())) < 10_000


def test_no_template_lets_anything_through_unescaped():
    for file in TEMPLATES.iterdir():
        assert not re.search(r"\|\s*safe|autoescape\s+false|Markup", file.read_text(), re.I), file
        assert "<script" not in file.read_text()


def test_pages_forbid_their_browser_to_run_or_load_anything(written):
    for file in written[1]:
        if file.suffix == ".html":
            assert "default-src 'none'; img-src data:;" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "submission",
    ["../../etc/passwd", "..", "", "a/b", "A", "a", "con\x00", "ä", "x" * 300, "\ud800"],
)
def test_files_stay_in_their_folder(submission):
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,75}", file_name(submission))


def test_names_that_differ_have_files_that_differ_even_where_letters_have_no_case():
    names = ["Ann", "ann", "an-n", "an n", "an/n", "ann.", "-ann"]
    assert len({file_name(each).lower() for each in names}) == len(names)


def test_two_submissions_of_one_name_are_refused(tmp_path):
    with pytest.raises(Misuse, match="two submissions are called 'ann'"):
        write_feedback([marks(), marks()], tmp_path)


def test_the_class_page_counts_mistakes_survivors_and_predictions(written):
    text = (written[0] / "class.txt").read_text(encoding="utf-8")
    assert re.search(r"half of the votes are not a majority +4\.2 +2\n", text)
    assert re.search(r"old-votes +M6 +1\n", text)
    assert re.search(r"who_grants +M0 +1\n", text)
    assert re.search(r"ann +– +3 +4 +– +7 of 12 +–\n", text)
    page = (written[0] / "class.html").read_text(encoding="utf-8")
    assert '<a href="students/ann.html">ann</a>' in page


def test_what_did_not_run_missed_no_rule_and_is_no_mistake(tmp_path):
    first, _ = marks().milestones
    wrong, stub = (
        Check(name="cases", exercise=number, points=0, of=1, passed=False, section="5.2", ran=ran)
        for number, ran in (("4.2", True), ("4.3", False))
    )
    assert [each.says for each in lines_of(wrong)] == ["Probably missed: 5.2."]
    assert [each.says for each in lines_of(stub)] == ["Read: 5.2."]
    told = [marks()]
    for student in ("bob", "cleo", "dan"):
        mark = msgspec.structs.replace(first, checks=(wrong, stub))
        told.append(marks(student, milestones=(mark,)))
    write_feedback(told, tmp_path)
    text = (tmp_path / "class.txt").read_text(encoding="utf-8")
    mistakes, _, missing = text.partition("Answers that are missing, or do not run")
    assert mistakes.index("half of the votes are not") < mistakes.index("a mistake that has no")
    assert "4.3" not in mistakes
    assert re.search(r"no answer that runs +4\.3 +3\n", missing)


def test_who_hands_in_twice_is_named(tmp_path):
    write_feedback([marks(), marks(submission="ann-late")], tmp_path)
    told = (tmp_path / "class.txt").read_text(encoding="utf-8")
    assert "More than one file was handed in by ann: the best" in told
    assert "ann (ann)" in told and "ann (ann-late)" in told


def test_gradescope_reads_its_form():
    told = json.loads(gradescope(marks()))
    assert told["score"] == 7
    assert [each["status"] for each in told["tests"]] == [
        "passed",
        "failed",
        "passed",
        "passed",
        "failed",
    ]
    allowed = {"name", "score", "max_score", "status", "output", "output_format", "visibility"}
    for each in told["tests"]:
        assert set(each) == allowed
        assert each["visibility"] == "visible" and each["output_format"] == "text"
    assert "Broken: Election Safety" in told["tests"][1]["output"]
    assert told["tests"][0]["output"] == ""


def test_canvas_reads_its_form():
    heads, possible, *rows = csv.reader(StringIO(canvas([marks(), perfect()], "M2")))
    assert heads == ["Student", "ID", "SIS Login ID", "Section", "M2"]
    assert possible[0].strip() == "Points Possible" and possible[-1] == "12"
    assert [(row[2], row[-1]) for row in rows] == [("ann", "7"), ("bob", "5")]


def test_moodle_reads_its_form():
    heads, *rows = csv.reader(StringIO(moodle([marks(), perfect()], "M2")))
    assert heads == ["Username", "M2 (Real)", "M2 (Feedback)"]
    assert rows == [
        ["ann", "7", "Not yet: 4.2 tally_vote, 7.3 leader_commit_index."],
        ["bob", "5", "All is right."],
    ]


def test_a_student_has_one_line_with_the_best_of_each_milestone(tmp_path):
    first, second = marks().milestones
    more = msgspec.structs.replace(second, points=7, checks=())
    less = msgspec.structs.replace(first, points=1)
    twice = [marks(), perfect(), marks(submission="ann-2", milestones=(less, more))]
    _, _, *rows = csv.reader(StringIO(canvas(twice, "course")))
    assert [(row[2], row[-1]) for row in rows] == [("ann", "10"), ("bob", "5")]
    _, *rows = csv.reader(StringIO(moodle(twice, "course")))
    assert [row[:2] for row in rows] == [["ann", "10"], ["bob", "5"]]
    assert rows[0][2] == "Not yet: 4.2 tally_vote."
    files = write_feedback(twice, tmp_path)
    told = [json.loads(each.read_text()) for each in files if each.name.endswith(".results.json")]
    assert sorted(each["score"] for each in told) == [5, 10, 10]
    assert "3 submissions, on average 7.5 points" in (tmp_path / "class.txt").read_text()


FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\u22121"]
FORMULAS += ["x;=1+1", 'x";"=1+1', "x\t=1", "x|@SUM(1)", "x,=1+1", "x\n=1", "x; \u200c=1", "';=1"]


@pytest.mark.parametrize("sign", ",;\t|")
@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_is_a_formula_whatever_ends_one(name, sign):
    for make in (canvas, moodle):
        rows = csv.reader(StringIO(make([marks(name)], "M2")), delimiter=sign)
        signs = r"[\s\"\u200c]*[=+@\-\uff1d\uff0b\uff0d\uff20\u2212]"
        assert not [cell for row in rows for cell in row if re.match(signs, cell)]


def test_feedback_says_no_seed_of_a_run():
    said = "".join(Parts(student_page(marks())).words) + student_text(marks())
    assert not re.search(r"seed[ =]\d", said)


def test_the_milestones_have_the_points_of_the_course():
    points = {name: each.points for name, each in MILESTONES.items()}
    assert points == {"M0": 5, "M1": 15, "M2": 15, "M3": 20, "M4": 15, "M5": 10, "M6": 15, "M7": 5}


def test_every_exercise_of_notebooks_01_to_07_is_in_one_milestone():
    from raftlab.course import exercise

    for each in exercise:
        assert (milestone_of(each.number) is not None) == (not each.number.startswith("0."))
    exercises = [part for name in ("M1", "M2", "M3") for part in MILESTONES[name].parts]
    assert len(exercises) == len(set(exercises)) == len([*exercise]) - 2


def test_an_unknown_assignment_names_those_there_are():
    assert milestones_of("course") == tuple(MILESTONES.values())
    with pytest.raises(Misuse, match="M0, M1, M2, M3, M4, M5, M6, M7, course"):
        milestones_of("M9")


def test_hostile_text_is_what_it_claims_to_be():
    assert {"\u202e", "\x00", "\ud800", "<"} <= {*HOSTILE}


def test_what_the_judge_says_in_small_letters_becomes_sentences():
    (check,) = findings(marks().milestones[1])
    happened = lines_of(check)[0].says
    assert happened == (
        "Broken: Leader Completeness: S2 leads term 4 without entry 1 of term 1."
        " Expected None, but it answers 1."
    )
    advised = msgspec.structs.replace(check, advice="try f(1)")
    assert lines_of(advised)[-1].says == "f(1)"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("is_newer_term: expected False", "is_newer_term: expected False."),
        ("majority: expected 2", "majority: expected 2."),
        ("an assert fails", "An assert fails."),
        ("3 servers, 7 ms: it stops", "3 servers, 7 ms: it stops."),
        ("", ""),
    ],
)
def test_a_text_is_told_as_a_sentence_and_a_name_keeps_its_letters(text, sentence):
    assert as_sentence(text) == sentence
