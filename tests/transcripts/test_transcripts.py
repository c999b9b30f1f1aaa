"""Every transcript prints what it printed when it was last read. See `script.py`.

`pytest tests/transcripts --rewrite` writes what is printed now; read the diff as code.
"""

import pytest

from tests.transcripts.script import RULE, Script, all_files, blocks, played

FILES = all_files()


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


def test_there_are_transcripts_of_every_scene():
    assert len(FILES) >= 15


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
