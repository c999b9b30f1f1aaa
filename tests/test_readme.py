"""The README promises what the code does."""

import contextlib
import io
import pathlib
import re

from raftlab.sim.run.share import PUBLISHED

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_words_after_the_picture_are_the_place_of_the_published_page():
    after = README.partition("](docs/lab.gif)\n\n")[2].partition("\n\n")[0]
    assert after.startswith("The same lab is a page")
    assert re.findall(r"https?://[^\s)]+", after) == ([PUBLISHED] if PUBLISHED else [])


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no {language} block"
    return found[1]


def test_the_quick_start_prints_what_the_readme_says():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), "README.md", "exec"), {})
    assert printed.getvalue() == block("text")


def test_the_quick_start_is_eight_lines_long():
    assert len(block("python").strip().splitlines()) <= 9


def test_every_file_that_the_readme_names_is_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(links) > 10
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_every_make_target_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z]+)\b", README)) - {"it"}
    assert {"lab", "test", "notebooks"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
