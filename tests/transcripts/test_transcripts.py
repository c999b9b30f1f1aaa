"""Every transcript prints what it printed when it was last read. See `script.py`.

`pytest tests/transcripts --rewrite` writes what is printed now; read the diff as code.
"""

import re
from pathlib import Path

import pytest

from tests.transcripts import tables
from tests.transcripts.script import RULE, Script, all_files, blocks, played
from tests.transcripts.settings import OPTIONS, RULES

FILES = all_files()
README = Path(__file__).with_name("README.md")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_transcript_prints_what_it_says(file, rewrite):
    expected = file.read_text(encoding="utf-8")
    printed = played(expected, file.name)
    if rewrite and printed != expected:
        file.write_text(printed, encoding="utf-8")
    else:
        assert printed == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_transcript_prints_the_same_every_time(file):
    text = file.read_text(encoding="utf-8")
    assert played(text) == played(text)


def test_the_readme_names_every_scene_and_no_other():
    named = set(re.findall(r"\w+\.txt", README.read_text(encoding="utf-8")))
    assert named == {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_transcript_begins_by_saying_what_it_shows(file):
    first, *_ = file.read_text(encoding="utf-8").splitlines()
    assert re.match(r"# [A-Z]", first)


@pytest.mark.parametrize("name", RULES)
def test_a_planted_rule_is_planted_somewhere_and_says_what_is_wrong_with_it(name):
    assert any(f"rules={name}" in file.read_text(encoding="utf-8") for file in FILES)
    assert RULES[name].__doc__


def test_what_is_expected_to_fail_must_fail():
    script = Script()
    script.run("new 3")
    assert script.run("expect-error restart S1").startswith("error: S1 is running")
    with pytest.raises(AssertionError, match="was expected to fail"):
        script.run("expect-error crash S1")


def test_an_unexpected_error_names_the_file_and_the_command():
    with pytest.raises(Exception, match="There is no node") as raised:
        played("new 3\n----\n\ncrash S9\n----\n", "some.txt")
    assert raised.value.__notes__ == ["in some.txt, at the command 'crash S9'"]


def test_comments_and_blank_lines_stay_and_what_was_printed_is_replaced():
    text = f"# first\n\nnew 3\n{RULE}\nnonsense\n\n# last\nrun 1\n{RULE}\n"
    assert (
        played(text)
        == f"# first\n\nnew 3\n{RULE}\n\n# last\nrun 1\n{RULE}\n     1.0 ms  time passes.\n"
    )
    assert [kind for kind, _ in blocks(text)].count("command") == 2


def test_a_changed_machine_changes_a_transcript():
    """These files can fail: other rules print other words."""
    text = "new 3\n----\n\nelect S1\n----\n\nrun 100\n----\n\nshow\n----\n"
    assert played(text) != played(text.replace("new 3", "new 3 rules=no-empty-entry"))


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_used_somewhere(name):
    assert any(re.search(rf"new \d.* {name}=", file.read_text(encoding="utf-8")) for file in FILES)


def test_only_prints_the_lines_with_one_of_the_words():
    script = Script()
    script.run("new 3")
    script.run("elect S1")
    printed = script.run("only 'committed|lost' run 100").splitlines()
    assert len(printed) == 3
    assert all("committed" in line for line in printed)


def test_reads_are_remembered_until_the_next_cluster():
    script = Script()
    script.run("new 1")
    script.run("quiet elect")
    script.run("propose x=1")
    assert script.run("get x").splitlines()[-1] == "x is 1"
    assert script.run("quiet get y") == "y has no value"
    script.run("read x")
    assert "x at S1" in script.run("show reads")
    script.run("new 1")
    assert script.run("show reads") == "nothing was read"


def test_tables_need_no_cluster():
    assert Script().run("committed voters=S1,S2 S1=3 S2=1").endswith("committed up to 1")
    assert tables.vote("voters=S1,S2", "old=S3", "S1=yes", "S2=yes").endswith("together: unknown")
