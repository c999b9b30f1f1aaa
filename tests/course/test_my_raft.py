"""`my_raft.py` keeps right answers, and everything else that the reader wrote into it."""

import re
import sys
from types import SimpleNamespace

import pytest

from raftlab.course import exercise, kernels, my_raft
from raftlab.course.own_code import NotWritten, standing_alone
from tests.course.kept import Notebook

MAJORITY = "def majority(size):\n    return size // 2 + 1\n"
TALLY = '''
from raftlab.raft.votes import ElectionResult as Result
HALF = 2
class Tally(rl.Rules):
    """Mine."""
    def tally_vote(self, votes):
        granted = sum(votes.answers.values())
        silent = len(votes.voters) - len(votes.answers)
        needed = majority(len(votes.voters)) + HALF - 2
        if granted >= needed:
            return Result.WON
        return Result.UNKNOWN if granted + silent >= needed else Result.LOST
'''
HALF_WRONG = "def majority(size):\n    return (size + 1) // 2\n"


@pytest.fixture
def notebook():
    notebook = Notebook()
    notebook.run(MAJORITY)
    notebook.run(TALLY)
    return notebook


def kept():
    return my_raft.path().read_text()


def imported():
    names = {"__name__": "my_raft"}
    exec(compile(kept(), "my_raft.py", "exec"), names)
    return names


def test_a_right_answer_is_kept_and_says_so(folder, notebook):
    result = exercise("4.1").check(notebook["majority"])
    assert result.passed
    assert result.text.splitlines()[-1].strip() == "Kept in my_raft.py."
    assert imported()["majority"](5) == 3
    assert [each.name for each in folder.iterdir()] == ["my_raft.py"]


def test_a_wrong_answer_is_not_kept(folder, notebook):
    notebook.run(HALF_WRONG)
    exercise("4.1").check(notebook["majority"])
    assert not my_raft.path().exists()


def test_a_wrong_answer_leaves_the_right_one_that_was_kept(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    before = kept()
    notebook.run(HALF_WRONG)
    exercise("4.1").check(notebook["majority"])
    assert kept() == before


def test_an_answer_is_kept_with_its_imports_its_values_and_its_helpers(folder, notebook):
    exercise("4.2").check(notebook["Tally"])
    assert exercise("4.2").check(imported()["Tally"]).passed
    assert "import raftlab as rl\n" in kept()
    assert "from raftlab.raft.votes import ElectionResult as Result\n" in kept()
    assert "HALF = 2\n" in kept()
    assert '"""Mine."""' in kept()


def test_a_helper_that_another_section_has_is_not_written_twice(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    exercise("4.2").check(notebook["Tally"])
    assert kept().count("def majority(") == 1
    assert exercise("4.2").check(imported()["Tally"]).passed


def test_sections_stand_in_the_order_of_the_exercises(folder, notebook):
    exercise("4.2").check(notebook["Tally"])
    exercise("4.1").check(notebook["majority"])
    assert kept().index("# Exercise 4.1, ") < kept().index("# Exercise 4.2, ")
    assert imported()


def test_running_twice_changes_nothing_and_again_replaces_one_section_only(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    exercise("4.2").check(notebook["Tally"])
    once = kept()
    exercise("4.1").check(notebook["majority"])
    exercise("4.2").check(notebook["Tally"])
    assert kept() == once
    notebook.run("def majority(size):\n    return (size + 2) // 2\n")
    exercise("4.1").check(notebook["majority"])
    assert unmarked(kept()) == unmarked(once.replace("size // 2 + 1", "(size + 2) // 2"))
    assert [each.name for each in folder.iterdir()] == ["my_raft.py"]


def test_what_the_reader_has_changed_in_a_section_stays_in_a_copy_that_is_named(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    for name in ("my_raft.py.bak", "my_raft.py.bak2"):
        mine = kept().replace("    return size", "    # an hour's work\n    return size")
        my_raft.path().write_bytes(mine.encode())
        text = exercise("4.1").check(notebook["majority"]).text
        assert f"You had changed its section: the file as it was is {name}." in text
        assert (folder / name).read_bytes() == mine.encode()
        assert "hour" not in kept()


def test_no_copy_is_made_of_what_is_still_there(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    once = kept()
    my_raft.path().write_bytes(f"# mine\n{unmarked(once)}".replace("\n", "\r\n").encode())
    assert exercise("4.1").check(notebook["majority"]).text.endswith("Kept in my_raft.py.")
    assert kept() == f"# mine\n{once}"
    assert [each.name for each in folder.iterdir()] == ["my_raft.py"]


def unmarked(text):
    return re.sub(r"(# End of exercise .*) \[.*\]", r"\1", text)


def test_what_the_reader_wrote_by_hand_stays_byte_for_byte(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    mine = kept().replace('"""My Raft:', '# mine: ä\n"""My Raft:') + "\n\nNOTE = 'mine'  \n\n\n#end"
    my_raft.path().write_text(mine)
    exercise("4.1").check(notebook["majority"])
    assert kept() == mine
    exercise("4.2").check(notebook["Tally"])
    without = my_raft.SECTION.sub("", kept()).split()
    assert without == my_raft.SECTION.sub("", mine).split()
    assert imported()["NOTE"] == "mine"


def test_a_file_with_other_line_ends_keeps_them(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    my_raft.path().write_bytes(kept().replace("\n", "\r\n").encode())
    exercise("4.2").check(notebook["Tally"])
    data = my_raft.path().read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > 20


def test_in_a_file_of_two_line_ends_each_line_keeps_its_own(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    mixed = kept().encode().replace(b"+ 1\n", b"+ 1\r\n")
    my_raft.path().write_bytes(mixed)
    exercise("4.2").check(notebook["Tally"])
    assert my_raft.path().read_bytes().startswith(mixed)
    assert my_raft.path().read_bytes().count(b"\r\n") == 1


@pytest.mark.parametrize("head", ["# Exercise 4.1: mine", "# Exercise 4.1", "# Exercise 4.1 mine"])
def test_a_section_is_found_again_whatever_the_reader_calls_it(folder, notebook, head):
    exercise("4.1").check(notebook["majority"])
    first = next(line for line in kept().splitlines() if line.startswith("# Exercise"))
    my_raft.path().write_text(kept().replace(first, head))
    exercise("4.1").check(notebook["majority"])
    assert kept().count("def majority(") == 1


def test_of_two_sections_of_one_number_the_last_is_replaced(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    once = kept()
    section = my_raft.SECTION.search(once)[0]
    my_raft.path().write_text(once + section)
    notebook.run("def majority(size):\n    return (size + 2) // 2\n")
    exercise("4.1").check(notebook["majority"])
    new = once + section.replace("size // 2 + 1", "(size + 2) // 2")
    assert unmarked(kept()) == unmarked(new)


@pytest.mark.parametrize("line", ["# End of exercise 4.1", "# Exercise 1.2, see there"])
def test_an_answer_with_a_line_that_would_end_its_section_is_not_kept(folder, notebook, line):
    notebook.run(f'def majority(size):\n    """Half.\n{line}\n"""\n    return size // 2 + 1\n')
    text = exercise("4.1").check(notebook["majority"]).text
    assert 'could not be kept in my_raft.py: a line of it begins with "# E' in text
    assert not my_raft.path().exists()


def test_a_section_without_its_last_line_is_the_reader_s(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    torn = kept()[: kept().index("# End of exercise 4.1")] + "\n"
    my_raft.path().write_text(torn)
    exercise("4.1").check(notebook["majority"])
    assert kept().startswith(torn)
    assert kept().count("# End of exercise 4.1") == 1


def test_a_write_that_fails_leaves_the_file_and_says_so(folder, notebook, monkeypatch):
    exercise("4.1").check(notebook["majority"])
    before = kept()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    text = exercise("4.2").check(notebook["Tally"]).text
    assert "It could not be kept in my_raft.py: No space left on device." in text
    assert kept() == before
    assert [each.name for each in folder.iterdir()] == ["my_raft.py"]


def test_a_disk_that_takes_nothing_is_left_with_no_other_file(folder, notebook, monkeypatch):
    def unwritable(_):
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr("os.fsync", unwritable)
    text = exercise("4.1").check(notebook["majority"]).text
    assert "could not be kept in my_raft.py: Bad file descriptor" in text
    assert not list(folder.iterdir())


def test_a_folder_or_a_loop_of_links_in_its_place_is_left_alone_and_said(folder, notebook):
    my_raft.path().mkdir()
    assert "could not be kept" in exercise("4.1").check(notebook["majority"]).text
    my_raft.path().rmdir()
    my_raft.path().symlink_to(my_raft.path())
    assert "could not be kept" in exercise("4.1").check(notebook["majority"]).text
    assert [each.name for each in folder.iterdir()] == ["my_raft.py"]


def test_a_file_that_is_no_text_is_left_alone(folder, notebook):
    my_raft.path().write_bytes(b"\xff\xfe\x00")
    assert "could not be kept" in exercise("4.1").check(notebook["majority"]).text
    assert my_raft.path().read_bytes() == b"\xff\xfe\x00"


def test_a_file_that_is_no_python_still_takes_an_answer(folder, notebook):
    my_raft.path().write_text("this is no Python\n")
    exercise("4.1").check(notebook["majority"])
    assert kept().startswith("this is no Python\n")
    assert "def majority(" in kept()


def test_a_section_that_is_no_python_any_more_is_replaced_like_any_other(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    right = kept()
    my_raft.path().write_text(right.replace("return size", "return ("))
    exercise("4.2").check(notebook["Tally"])
    exercise("4.1").check(notebook["majority"])
    assert kept().startswith(right)


def test_a_function_with_a_name_of_its_own_and_a_lambda_are_kept(folder, notebook):
    notebook.run("my_own = lambda size: size // 2 + 1\n")
    assert "Kept" in exercise("4.1").check(notebook["my_own"]).text
    assert imported()["my_own"](4) == 3


def test_a_lambda_without_a_name_cannot_be_kept_and_is_right_all_the_same(folder, notebook):
    notebook.run("answers = [lambda size: size // 2 + 1]\n")
    result = exercise("4.1").check(notebook["answers"][0])
    assert result.passed
    assert "could not be kept" in result.text


def test_a_helper_that_cannot_be_written_down_is_named(notebook):
    notebook.run("table = object()\ndef odd(size):\n    return table\n")
    with pytest.raises(NotWritten, match="it uses table, which cannot be written down"):
        standing_alone(notebook["odd"])


def test_a_parameter_and_a_local_name_are_not_taken_for_a_global_one(notebook):
    notebook.run("log = object()\nentry = object()\nterm = object()\n")
    notebook.run(
        "def first(log, entries):\n"
        "    found = [entry for entry in entries if log]\n"
        "    term = len(found)\n"
        "    return (lambda log: log + term)(term)\n"
    )
    assert standing_alone(notebook["first"]).startswith("def first(log, entries):")


def test_a_class_that_extends_one_of_its_own_name_is_kept_with_it(folder, notebook):
    clock = "    def is_newer_term(self, message_term, term):\n        return message_term > term\n"
    resets = (
        "    def resets_election_timer(self, granted_vote, heard_leader):\n"
        "        return granted_vote or heard_leader\n"
    )
    notebook.run(f"class MyRules(rl.Rules):\n{clock}")
    notebook.run(f"class MyRules(MyRules):\n{resets}")
    exercise("2.3").check(notebook["MyRules"])
    assert exercise("2.1").check(imported()["MyRules"]).passed


def test_a_helper_of_a_known_name_that_differs_is_written_too(folder, notebook):
    exercise("4.1").check(notebook["majority"])
    notebook.run(MAJORITY.replace("size // 2 + 1", "size - (size - 1) // 2"))
    exercise("4.2").check(notebook["Tally"])
    assert kept().count("def majority(") == 2
    notebook.run(MAJORITY)
    exercise("4.2").check(notebook["Tally"])
    assert kept().count("def majority(") == 1


def test_a_helper_that_is_equal_but_needs_another_one_is_written_with_it(folder, notebook):
    notebook.run("K = 1\ndef majority(size):\n    return size // 2 + K\n")
    exercise("4.1").check(notebook["majority"])
    notebook.run("K = True\n")
    exercise("4.2").check(notebook["Tally"])
    assert kept().count("def majority(") == kept().count("\nK = ") == 2


SUM = "def sum(answers):\n    return len([each for each in answers if each])\n"


def test_a_helper_with_the_name_of_a_builtin_is_kept_with_each_answer_that_reads_it(
    folder, notebook
):
    notebook.run(f"{SUM}def majority(size):\n    return sum([True] * size) // 2 + 1\n")
    exercise("4.1").check(notebook["majority"])
    exercise("4.2").check(notebook["Tally"])
    assert kept().count(SUM) == 2
    assert "len(" in kept() and "def len" not in kept()


def test_what_every_module_has_is_not_written(notebook):
    notebook.run("def first(x):\n    return __name__, __doc__\n")
    assert standing_alone(notebook["first"]).startswith("def first")


def test_a_set_is_written_in_one_order(notebook):
    notebook.run(f"NAMES = [{{{', '.join(f'{chr(97 + i)!r}' for i in range(20))}}}, set(), (1,)]")
    notebook.run("def first(x):\n    return NAMES\n")
    letters = ", ".join(repr(chr(97 + i)) for i in range(20))
    assert f"NAMES = [{{{letters}}}, set(), (1,)]\n" in standing_alone(notebook["first"])


def test_where_notebooks_are_made_or_compared_nothing_is_written_or_read(
    folder, notebook, monkeypatch, tmp_path
):
    (tmp_path / "home").mkdir()
    for name, value in kernels.own_folders(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    assert exercise("4.1").check(notebook["majority"]).text == "Exercise 4.1: correct (51 cases)"
    assert not my_raft.path().exists()


def test_outside_a_notebook_and_in_marking_nothing_is_written(folder, notebook, monkeypatch):
    exercise.grade({"4.1": notebook["majority"]})
    assert not my_raft.path().exists()
    monkeypatch.setattr(my_raft, "in_notebook", lambda: False)
    exercise("4.1").check(notebook["majority"])
    assert not my_raft.path().exists()


@pytest.mark.parametrize(
    ("shell", "is_one"),
    [
        (None, False),
        (SimpleNamespace(), False),
        (SimpleNamespace(kernel=None), False),
        (SimpleNamespace(kernel=object()), True),
    ],
    ids=["no shell", "IPython in a terminal", "without a kernel", "a kernel"],
)
def test_a_notebook_is_where_a_kernel_runs(monkeypatch, shell, is_one):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert my_raft.in_notebook() is is_one
