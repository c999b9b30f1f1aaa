"""Every notebook keeps the rules of `meta.py`, and each rule sees what breaks it."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from raftlab.view.notebook import bundle
from tests.notebooks.meta import (
    FULL,
    ROOT,
    RULES,
    address_or_path,
    error_output,
    figure_without_text,
    headings_out_of_order,
    long_code_cell,
    long_paragraph,
    picture_without_alt,
    question_without_answer,
    raster_only_output,
    read,
    small_letters,
    stderr_output,
    story_without_its_seed,
    stray_metadata,
    text_of_the_time,
    too_many_or_few_cells,
    too_many_words,
    trailing_semicolon,
    unexecuted_cell,
    unknown_tag,
    unstable_id,
)

NAMES = [
    "00_start_here",
    "01_log_append",
    "02_terms_and_roles",
    "03_voting",
    "04_tallying",
    "05_random_timeouts",
    "06_replication",
    "07_commit",
    "08_your_raft",
]
PATHS = [folder / f"{name}.ipynb" for folder in (FULL, ROOT) for name in NAMES]


def test_all_notebooks_are_there_and_no_other():
    for folder in (FULL, ROOT):
        odd = {path.stem for path in folder.glob("*.ipynb")} ^ set(NAMES)
        assert not odd, f"{folder}: add to NAMES, or write it with make notebooks: {sorted(odd)}"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_notebook_keeps_every_rule(path):
    notebook = read(path)
    nbformat.validate(notebook)
    broken = [
        f"{rule.__name__}: {problem}" for rule in RULES for problem in rule(notebook, path.stem)
    ]
    assert not broken, "\n".join(broken)


# Each rule can fail

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><title>Votes</title>'
    "<desc>Three of five voters said yes.</desc></svg>"
)
TWIN = "Three of five voters said yes."


def picture(**data):
    html = f'<img alt="{TWIN}" src="x.svg">'
    shown = {"text/plain": TWIN, "image/svg+xml": SVG, "text/html": html}
    return new_output("display_data", shown | data)


def lettered(size, wide, shown):
    """A picture `wide` units wide, shown in `shown` px, with letters of one size."""
    words = f'<text x="1" y="9" font-size="{size}">S1</text>'
    svg = SVG.replace("<svg ", f'<svg width="{wide}" ').replace("</svg>", f"{words}</svg>")
    return picture(**bundle(svg, TWIN, wide, shown))


ANSWERED = "<details><summary>1. Why?</summary>Two majorities always meet.</details>"


def good():
    """A notebook that breaks no rule."""
    cells = [
        new_markdown_cell("# Title"),
        new_markdown_cell(
            "## One\n\n```\n#### not a heading\n```\n\n![alt](x.svg) " + "word " * 50
        ),
        new_markdown_cell(f"A story (seed 17).\n\n**Ask yourself.**\n\n{ANSWERED}"),
    ]
    cells += [new_code_cell(f"x = {n}\nx", execution_count=n) for n in range(1, 28)]
    cells[9].source = "rl.Cluster(5, seed=17)\npredict.splits(seed=3)"
    cells[3].outputs = [new_output("execute_result", {"text/plain": "S1 and/or S2: a/b"})]
    cells[4].outputs = [picture()]
    cells[7].outputs = [lettered(9, 600, 734), lettered(11, 934, 1142)]
    cells[5].outputs = [new_output("stream", name="stdout", text="raftlab/raft/rules.py\n")]
    cells[6].metadata["tags"] = ["solution"]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )
    for place, cell in enumerate(cells, start=1):
        cell.id = f"01-{place:02d}"
    return notebook


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_is_content_with_a_good_notebook(rule):
    assert list(rule(good(), "01_log_append")) == []


def set_output(output):
    def change(notebook):
        notebook.cells[4].outputs = [output]

    return change


def set_source(source, place=4):
    def change(notebook):
        notebook.cells[place].source = source

    return change


def text(words):
    return set_output(new_output("execute_result", {"text/plain": words}))


def forget_execution(notebook):
    notebook.cells[9].execution_count = None


def execute_twice(notebook):
    notebook.cells[9].execution_count = 77


def drop_cells(notebook):
    del notebook.cells[10:]


def add_cells(notebook):
    notebook.cells += [new_markdown_cell("more")] * 20


def tag(name):
    def change(notebook):
        notebook.cells[4].metadata["tags"] = [name]

    return change


def rename(notebook):
    notebook.cells[4].id = "a1b2c3"


def keep_version(notebook):
    notebook.metadata.language_info.version = "3.11.7"


def keep_times(notebook):
    notebook.cells[4].metadata["execution"] = {"iopub.status.busy": "now"}


def keep_widgets(notebook):
    notebook.metadata["widgets"] = {}


OFFENCES = [
    (unexecuted_cell, forget_execution),
    (unexecuted_cell, execute_twice),
    (error_output, set_output(new_output("error", ename="KeyError", evalue="S9", traceback=[]))),
    (stderr_output, set_output(new_output("stream", name="stderr", text="warning"))),
    (raster_only_output, set_output(new_output("display_data", {"image/png": "aGk="}))),
    (address_or_path, text("<raftlab.lab.Lab object at 0x7f2a1c>")),
    (address_or_path, text("id 0x7f2a1c0d")),
    (address_or_path, text("read /home/ada/raftlab/rules.py")),
    (address_or_path, text("in C:\\Users")),
    (text_of_the_time, text("at 2026-11-23")),
    (text_of_the_time, text("began 12:34:56")),
    (text_of_the_time, text("Wall time: 3 s")),
    (long_code_cell, set_source("\n".join(f"x{n} = {n}" for n in range(13)))),
    (trailing_semicolon, set_source("plot(x);")),
    (figure_without_text, set_output(picture(**{"text/plain": ""}))),
    (figure_without_text, set_output(picture(**{"text/plain": "<Figure size 640x480, 1 Axes>"}))),
    (figure_without_text, set_output(picture(**{"image/svg+xml": SVG.replace("Votes", " ")}))),
    (figure_without_text, set_output(picture(**{"image/svg+xml": "<svg><title>x</title></svg>"}))),
    (picture_without_alt, set_source("![](x.svg)", 1)),
    (picture_without_alt, set_source('<img src="x.svg">', 1)),
    (picture_without_alt, set_output(picture(**{"text/html": ""}))),
    (picture_without_alt, set_output(picture(**{"text/html": '<img alt="A" src="x.svg">'}))),
    (small_letters, set_output(lettered(9, 600, 600))),
    (small_letters, set_output(lettered(9, 800, 978))),
    (headings_out_of_order, set_source("no title", 0)),
    (headings_out_of_order, set_source("# A second title", 1)),
    (headings_out_of_order, set_source("### Too deep", 1)),
    (too_many_or_few_cells, drop_cells),
    (too_many_or_few_cells, add_cells),
    (too_many_words, set_source("* ten words and no more in every line of it\n" * 121, 1)),
    (long_paragraph, set_source("Word " * 66, 1)),
    (long_paragraph, set_source("Short.\n\n* " + "word " * 66, 1)),
    (story_without_its_seed, set_source("rl.Cluster(5, seed=8)")),
    (story_without_its_seed, set_source("rl.Cluster(5, seed=1)")),
    (question_without_answer, set_source("**Ask yourself.**\n\n1. Why?\n2. Why not?", 1)),
    (unknown_tag, tag("nbval-skip")),
    (unknown_tag, tag("raises-exception")),
    (unknown_tag, set_source("# NBVAL_IGNORE_OUTPUT\nx")),
    (unstable_id, rename),
    (stray_metadata, keep_version),
    (stray_metadata, keep_times),
    (stray_metadata, keep_widgets),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "change"), OFFENCES, ids=lambda each: getattr(each, "__name__", "")
)
def test_a_rule_sees_what_breaks_it(rule, change):
    notebook = good()
    change(notebook)
    assert list(rule(notebook, "01_log_append"))


def test_every_rule_is_shown_to_be_able_to_fail():
    assert {rule for rule, _ in OFFENCES} == set(RULES)
