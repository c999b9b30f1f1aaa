"""What is handed in, whatever it is called and whatever it is: all of it is listed, none stops."""

import os
from collections import Counter

import pytest

from raftlab.grading.batch import Batch, grade
from raftlab.grading.box import best_kind, kind_for
from raftlab.grading.handed_in import (
    LARGEST,
    MOST_FILES,
    content_of,
    file_name,
    folders_of_folders,
    submissions_in,
)
from raftlab.grading.results import from_json
from raftlab.grading.seeds import Seeds
from raftlab.raft.vocabulary import Misuse

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")

NAMES = [
    b"caf\xe9.py",
    b"x" * 252 + b".py",
    b"\x1b[31mred.py",
    b"eve: M1 0 of 15\nalice: M1 15 of 15\nzed.py",
    "\u202egnp.py".encode(),
    b"Bob.py",
    b"bob.py",
    b"bob-81b637d8fcd2c6da.py",
    b"=1+1.py",
    b"   .py",
]


def whose(*paths):
    """Names and students, by name."""
    return sorted((each.name, each.student) for each in submissions_in(paths))


def make(*files):
    """Empty files."""
    for each in files:
        each.parent.mkdir(parents=True, exist_ok=True)
        each.touch()


def test_names_of_strangers_are_plain_and_differ(tmp_path):
    for each in NAMES:
        with open(os.fsencode(tmp_path) + b"/" + each, "w"):
            pass
    found = submissions_in([tmp_path])
    assert len(found) == len(NAMES)
    assert all((each.name + each.student).isprintable() for each in found)
    assert all(len(each.name) < 100 for each in found)
    assert len({each.name.casefold() for each in found}) == len(NAMES)
    assert len({file_name(each.name) for each in found}) == len(NAMES)
    assert len({each.student for each in found}) == len(NAMES)


def test_a_folder_says_whose_a_file_is(tmp_path):
    make(tmp_path / "alice" / "bob.py", tmp_path / "bob" / "my_raft.py")
    expected = [("alice-bob", "alice"), ("bob-my_raft", "bob")]
    assert whose(tmp_path) == expected
    assert whose(tmp_path / "alice" / "bob.py", tmp_path / "bob" / "my_raft.py") == expected


def test_a_folder_that_is_named_holds_the_files_of_many(tmp_path):
    """Sections, or those that came late: whose a file is, is said below the folder."""
    for section in ("a", "b"):
        make(*(tmp_path / section / f"ann{number}.py" for number in range(25)))
    make(tmp_path / "late" / "ann1.py", tmp_path / "late" / "eve" / "my_raft.py")
    found = submissions_in([tmp_path / "a", tmp_path / "b", tmp_path / "late"])
    students = Counter(each.student for each in found)
    assert students == Counter({f"ann{number}": 2 for number in range(25)}) + Counter(
        ["ann1", "eve"]
    )
    assert len({each.name for each in found}) == 52
    assert ("a-ann1", "ann1") in {(each.name, each.student) for each in found}


@pytest.mark.parametrize("eve", ["eve", "eve.lee", "eve.py"])
@pytest.mark.parametrize("named", [["a"], ["a", "b"], ["a/eve", "a"]], ids=" and ".join)
def test_of_a_students_folder_the_first_files_are_marked(named, eve, tmp_path):
    named = [each.replace("eve", eve) for each in named]
    make(*(tmp_path / "a" / eve / f"{number}.py" for number in range(400)))
    make(tmp_path / "a" / "bob.py", tmp_path / "b" / "zoe.py")
    found = submissions_in([tmp_path / each for each in named])
    hers = [each.path for each in found if each.student == eve]
    assert (len(hers), hers[-1]) == (MOST_FILES + 1, tmp_path / "a" / eve)
    assert "bob" in {each.student for each in found}
    with pytest.raises(Misuse, match="more than 20 files"):
        content_of(hers[-1])


def test_files_of_one_student_with_one_stem_are_two(tmp_path):
    make(tmp_path / "alice" / "my_raft.py", tmp_path / "alice" / "my_raft.ipynb")
    assert whose(tmp_path) == [
        ("alice-my_raft.ipynb", "alice"),
        ("alice-my_raft.py", "alice"),
    ]


BESIDE = {
    "imported": ({"a.ipynb": "from mycode import *", "mycode.py": "x = 1"}, ["a"], ["mycode.py"]),
    "by a module": (
        {"a.ipynb": "import mycode", "mycode.py": "import more", "more.py": "import mycode"},
        ["a"],
        ["more.py", "mycode.py"],
    ),
    "by my_raft.py": (
        {"my_raft.py": "import json, mycode\nexercise('1.1').check(Mine)", "mycode.py": "x = 1"},
        ["my_raft"],
        ["mycode.py"],
    ),
    "with answers of its own": (
        {"a.ipynb": "import mycode", "mycode.py": "exercise('1.1').check(Mine)"},
        ["a", "mycode"],
        ["mycode.py"],
    ),
    "not imported": (
        {"M4.ipynb": "%%writefile machine.py\\nimport json, sys", "machine.py": "import json"},
        ["M4", "machine"],
        [],
    ),
    "only spoken of": (
        {"M4.ipynb": '"import sys\\n", "run(machine)"', "machine.py": "import json"},
        ["M4", "machine"],
        [],
    ),
}
"""Files of a student's folder; those that are submissions, and the modules of the first."""


@pytest.mark.parametrize("kind", BESIDE)
def test_a_module_that_a_notebook_imports_belongs_to_it(kind, tmp_path):
    files, marked, modules = BESIDE[kind]
    make(*(tmp_path / "gil" / each for each in files), tmp_path / "mycode.py")
    for name, text in files.items():
        (tmp_path / "gil" / name).write_text(text)
    found = submissions_in([tmp_path])
    hers = [each for each in found if each.student == "gil"]
    assert [each.path.stem for each in hers] == marked
    assert [each.name for each in hers[0].beside] == modules
    assert "mycode" in {each.student for each in found}  # in the folder of many, it is one's own


def test_names_that_would_be_joined_to_one_are_two(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    make(tmp_path / "a" / "b" / "c.py", tmp_path / "a" / "b-c.py")
    (first, _), (second, _) = whose(tmp_path)
    assert first.startswith("a-b-c.py-")
    assert first != second


def test_what_is_missing_is_refused(tmp_path):
    with pytest.raises(Misuse, match="there is no submission"):
        submissions_in([tmp_path / "nobody.py"])


DOWNLOADED = {
    "Moodle's folders": (
        ["Ann Example_12_assignsubmission_file_/M1.ipynb", "Bob_B_13_assignsubmission_file/x.py"],
        ["Ann Example", "Bob_B"],
    ),
    "Moodle's files": (["Ann Example_12_assignsubmission_file_M1.ipynb"], ["Ann Example"]),
    "Canvas's files": (
        ["doebob_98_43_M1-2.ipynb", "doeann_LATE_97_44_M1.ipynb", "doebob_98_45_M2.ipynb"],
        ["doeann", "doebob", "doebob"],
    ),
    "two of one name": (
        ["Ann_12_assignsubmission_file_/M1.ipynb", "Ann_13_assignsubmission_file_/M1.ipynb"],
        ["Ann 12", "Ann 13"],
    ),
    "and one without a number": (
        ["doeann_97_44_M1.ipynb", "doeann/M1.ipynb"],
        ["doeann", "doeann 97"],
    ),
    "others": (
        ["my_raft.py", "ann_1_2.py", "ann_b_1_2_x.py"],
        ["ann_1_2", "ann_b_1_2_x", "my_raft"],
    ),
}
"""Names as programs make them, and the students."""


@pytest.mark.parametrize("kind", DOWNLOADED)
def test_names_of_downloads_are_those_of_students(kind, tmp_path):
    files, students = DOWNLOADED[kind]
    make(*(tmp_path / each for each in files))
    assert sorted(each.student for each in submissions_in([tmp_path])) == students


SECTIONS = {
    "one each": (["ann/M1.ipynb", "bob.ipynb"], ["."], []),
    "sections": (["A/ann/M1.ipynb", "A/bob.ipynb", "B/zoe/M1.ipynb", "hal.py"], ["."], ["A", "B"]),
    "named": (["A/ann/M1.ipynb", "A/bob.ipynb", "B/zoe/M1.ipynb"], ["A", "B"], []),
    "hidden": (["ann/M1.ipynb", "ann/.ipynb_checkpoints/M1.ipynb"], ["."], []),
}
"""Files, what is named of them, and what may be sections."""


@pytest.mark.parametrize("kind", SECTIONS)
def test_folders_of_folders_may_be_sections(kind, tmp_path):
    files, named, sections = SECTIONS[kind]
    make(*(tmp_path / each for each in files))
    assert folders_of_folders([tmp_path / each for each in named]) == sections


def odd_files(folder):
    """Files that are none, each under the student that hands it in, and what is said of it."""
    make(folder / "alice" / "my_raft.py")
    (folder / "alice" / "my_raft.py").write_text("x = 1")
    told = {}
    for name, says in ODD.items():
        (folder / name).mkdir()
        told[name] = says
    (folder / "link" / "my_raft.py").symlink_to(folder / "alice" / "my_raft.py")
    (folder / "outside" / "my_raft.py").symlink_to("/etc/passwd")
    (folder / "nowhere" / "my_raft.py").symlink_to(folder / "nobody.py")
    (folder / "linked" / "inner").symlink_to(folder / "alice")
    os.mkfifo(folder / "pipe" / "my_raft.py")
    (folder / "empty" / "my_raft.py").touch()
    with open(folder / "large" / "my_raft.py", "wb") as file:
        file.truncate(LARGEST + 1)
    (folder / "bytes" / "my_raft.py").write_bytes(b"\xff\x00")
    return told


ODD = {
    "link": "the file is a link to another file",
    "outside": "the file is a link to another file",
    "nowhere": "the file is a link to another file",
    "linked": "the file is a link to another file",
    "pipe": "the file is a pipe",
    "empty": "the file is empty",
    "large": "the file has more than 10,000,000 bytes",
    "bytes": "the file is not text",
}


@in_a_box
def test_what_is_no_file_gets_a_sentence_and_no_mark(tmp_path):
    told = odd_files(tmp_path / "in")
    found = submissions_in([tmp_path / "in"])
    batch = Batch("M1", Seeds(b"x" * 20), kind_for(), tmp_path / "out")
    marks = [each.marks for each in grade(found, batch)]
    assert len(marks) == len(told) + 1
    for each in marks:
        assert each.total == 0
        if each.student in told:
            (sentence,) = each.told
            assert sentence.startswith(told[each.student])
    written = sorted((tmp_path / "out" / "marks").glob("*.json"))
    assert sorted(from_json(each.read_bytes()).student for each in written) == sorted(
        [*told, "alice"]
    )


def test_a_file_is_looked_at_once(tmp_path, monkeypatch):
    """What is read is what lies there, even where a link takes its place in between."""
    file = tmp_path / "a.py"
    file.write_text("x = 1")
    assert content_of(file) == b"x = 1"
    lstat = type(file).lstat

    def swapped(self):
        found = lstat(self)
        self.unlink()
        self.symlink_to("/etc/passwd")
        return found

    monkeypatch.setattr(type(file), "lstat", swapped)
    with pytest.raises(Misuse, match="cannot be read"):
        content_of(file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_file_gets_a_sentence(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("x = 1")
    file.chmod(0)
    with pytest.raises(Misuse, match="closed to us"):
        content_of(file)
