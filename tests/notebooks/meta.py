"""What every notebook must be like: each rule is a function that yields what breaks it."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat

ROOT = Path(__file__).parents[2] / "notebooks"
FULL = ROOT / "full"

MOST_LINES = 12
CELLS = {"00": (12, 32), "07": (25, 33)}
"""07 has three exercises, each with a heading of its own, and one story more than the others."""
MOST_CELLS = (25, 32)
MOST_WORDS = 1200
MOST_WORDS_OF_A_PARAGRAPH = 65
TAGS = {"solution", "answer"}
NBVAL_TAGS_ALLOWED: set[tuple[str, str]] = set()
"""(notebook, cell id) of cells that nbval may skip or not compare. Empty on purpose."""

ROOM, LEAST = 934.0, 11.0
"""What an output has on a laptop (1366 px, the list of files open), and the least letters: px."""

RASTER = {"image/png", "image/jpeg", "image/gif"}
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{5,}|<[\w.]+ object at ")
ABSOLUTE_PATH = re.compile(r"(?<![\w/.<:\"'])/[A-Za-z_][\w.-]*/[\w.-]+|\b[A-Z]:\\\w")
OF_THE_TIME = re.compile(
    r"\b20\d\d-\d\d-\d\d\b|\b\d{1,2}:\d\d:\d\d\b|CPU times|Wall time|per loop|\b[nµu]s ±"
)
BARE_REPR = re.compile(r"<[^>]*>")
LETTERS = re.compile(r"<(?:svg|text)\b[^>]*\bfont-size='([\d.]+)")
MARKER = re.compile(r"^\s*### (BEGIN|END) SOLUTION")
WORD = re.compile(r"\w[\w'’.,()-]*")
LINKS = re.compile(r"^.*\.ipynb\).* · .*$", re.MULTILINE)
"""The line of links from notebook to notebook."""
SEED = re.compile(r"\bseed=(\d+)")
BETWEEN_PARAGRAPHS = re.compile(r"\n\s*\n|\n(?=\s*(?:[*|]|\d+\. ))")
QUESTION = re.compile(r"\bpredict\.\w+\([^)]*\)")
OPEN_QUESTION = re.compile(r"^\d+\. .*\?", re.MULTILINE)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            yield cell, output


def texts(output) -> Iterator[str]:
    """Every piece of text in an output, whatever its kind."""
    yield from [output.text] if "text" in output else []
    yield from (each for each in output.get("data", {}).values() if isinstance(each, str))


def unexecuted_cell(notebook, name):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    for cell, count in zip(code_cells(notebook), counts, strict=True):
        if count is None and cell.source.strip():
            yield f"{cell.id} was not executed"
    known = [count for count in counts if count is not None]
    if known != list(range(1, len(known) + 1)):
        yield f"the cells were not executed from top to bottom: {known}"


def error_output(notebook, name):
    for cell, output in outputs(notebook):
        if output.output_type == "error":
            yield f"{cell.id} ends in {output.ename}: {output.evalue}"


def stderr_output(notebook, name):
    for cell, output in outputs(notebook):
        if output.output_type == "stream" and output.name == "stderr":
            yield f"{cell.id} writes to stderr: {output.text[:60]}"


def raster_only_output(notebook, name):
    for cell, output in outputs(notebook):
        data = output.get("data", {})
        if RASTER & set(data) and "image/svg+xml" not in data:
            yield f"{cell.id} shows a picture that nbval does not compare"


def address_or_path(notebook, name):
    for cell, output in outputs(notebook):
        for text in texts(output):
            found = ADDRESS.search(text) or ABSOLUTE_PATH.search(text)
            if found:
                yield f"{cell.id} shows {found[0]!r}, which differs from run to run"


def text_of_the_time(notebook, name):
    for cell, output in outputs(notebook):
        for text in texts(output):
            found = OF_THE_TIME.search(text)
            if found:
                yield f"{cell.id} shows {found[0]!r}, which tells the time"


def long_code_cell(notebook, name):
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.split("\n") if not MARKER.match(line)]
        if len(lines) > MOST_LINES:
            yield f"{cell.id} has {len(lines)} lines of code, and {MOST_LINES} are enough"


def trailing_semicolon(notebook, name):
    for cell in code_cells(notebook):
        if any(line.rstrip().endswith(";") for line in cell.source.split("\n")):
            yield f"{cell.id} ends a line with a semicolon, which nbval cannot compare"


def figure_without_text(notebook, name):
    for cell, output in outputs(notebook):
        svg = output.get("data", {}).get("image/svg+xml")
        if svg is None:
            continue
        twin = output.data.get("text/plain", "").strip()
        if len(twin) < 20 or BARE_REPR.fullmatch(twin):
            yield f"{cell.id} shows a picture without a text twin"
        for part in ("title", "desc"):
            held = re.search(rf"<{part}\b[^>]*>(.*?)</{part}>", svg, re.DOTALL)
            if held is None or not unescape(held[1]).strip():
                yield f"{cell.id} shows a picture without a <{part}>"


def picture_without_alt(notebook, name):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            empty = re.search(r"!\[\s*\]\(", cell.source)
            bare = re.search(r"<img(?![^>]*\balt=\"[^\"]+\")[^>]*>", cell.source)
            if empty or bare:
                yield f"{cell.id} has a picture without alternative text"
    for cell, output in outputs(notebook):
        if "image/svg+xml" in output.get("data", {}):
            alt = re.search(r'<img alt="([^"]+)"', output.data.get("text/html", ""))
            if alt is None or not output.data["text/plain"].endswith(unescape(alt[1])[-20:]):
                yield f"{cell.id} shows a picture whose alternative is not its text twin"


def small_letters(notebook, name):
    """Of every picture, those of questions and exercises, too: as its `<img>` shows it."""
    for cell, output in outputs(notebook):
        for image in re.findall(r"<img ([^>]*)>", output.get("data", {}).get("text/html", "")):
            svg = unquote(image.partition("data:image/svg+xml,")[2])
            sizes = [
                float(each)
                for each in re.findall(r"<(?:svg|text)\b[^>]*\bfont-size='([\d.]+)", svg)
            ]
            natural = re.search(r"<svg\b[^>]*\bwidth='([\d.]+)", svg)
            if not sizes or natural is None:
                continue
            width = re.search(r'\bwidth="(\d+)"', image)
            shown = min(float((width or natural)[1]), ROOM)
            least = min(sizes) * shown / float(natural[1])
            if least < LEAST - 0.01:
                yield f"{cell.id} shows letters of {least:.1f} px, and {LEAST:g} are the least"


def headings_of(notebook) -> list[tuple[str, int]]:
    found = []
    for cell in notebook.cells:
        fenced = False
        for line in cell.source.split("\n") if cell.cell_type == "markdown" else ():
            fenced ^= line.startswith("```")
            mark = re.match(r"(#{1,6}) \S", line)
            if mark and not fenced:
                found.append((cell.id, len(mark[1])))
    return found


def headings_out_of_order(notebook, name):
    found = headings_of(notebook)
    if [level for _, level in found].count(1) != 1 or found[0][1] != 1:
        yield "there must be one heading of the first level, and first of all"
    for (_, before), (place, level) in pairwise(found):
        if level > before + 1:
            yield f"{place} has a heading of level {level} below one of level {before}"


def too_many_or_few_cells(notebook, name):
    fewest, most = CELLS.get(name[:2], MOST_CELLS)
    if not fewest <= len(notebook.cells) <= most:
        yield f"{len(notebook.cells)} cells, and {fewest} to {most} are right"


def unknown_tag(notebook, name):
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if tags - TAGS:
            yield f"{cell.id} has the tag {', '.join(sorted(tags - TAGS))}"
        if "NBVAL" in cell.source.upper() and (name, cell.id) not in NBVAL_TAGS_ALLOWED:
            yield f"{cell.id} tells nbval not to look"


def unstable_id(notebook, name):
    for cell in notebook.cells:
        if not re.fullmatch(rf"{name[:2]}-\d\d", cell.id):
            yield f"{cell.id} is not an id by place: run make notebooks"


def stray_metadata(notebook, name):
    extra = set(notebook.metadata) - {"kernelspec", "language_info"}
    if extra or "version" in notebook.metadata.get("language_info", {}):
        yield f"metadata that differs from run to run: {', '.join(sorted(extra)) or 'version'}"
    for cell in notebook.cells:
        if set(cell.metadata) - {"tags"}:
            yield f"{cell.id} has metadata {', '.join(sorted(set(cell.metadata) - {'tags'}))}"


def prose_of(cell) -> str:
    """What a Markdown cell says: without the line of links, addresses and tags."""
    said = LINKS.sub("", cell.source)
    return re.sub(r"<[^>]+>", " ", re.sub(r"\]\([^)]*\)", "]", said))


def told_in_prose(notebook) -> list[tuple[str, str]]:
    return [(cell.id, prose_of(cell)) for cell in notebook.cells if cell.cell_type == "markdown"]


def too_many_words(notebook, name):
    count = sum(len(WORD.findall(said)) for _, said in told_in_prose(notebook))
    if count > MOST_WORDS:
        yield f"{count} words of prose, and {MOST_WORDS} are enough"


def long_paragraph(notebook, name):
    for place, said in told_in_prose(notebook):
        for paragraph in BETWEEN_PARAGRAPHS.split(said):
            count = len(WORD.findall(paragraph))
            if count > MOST_WORDS_OF_A_PARAGRAPH:
                yield f"{place} has a paragraph of {count} words: {paragraph.strip()[:40]}"


def story_without_its_seed(notebook, name):
    """Only questions may be asked with another seed; a story says which one it tells."""
    said = " ".join(text for _, text in told_in_prose(notebook))
    for cell in code_cells(notebook):
        for seed in SEED.findall(QUESTION.sub("", cell.source)):
            if not re.search(rf"\bseeds? (?:\d+ and )?{seed}\b", said):
                yield f"{cell.id} tells a story with seed {seed}, and no text says so"


def question_without_answer(notebook, name):
    for cell in notebook.cells:
        _, _, asked = cell.source.partition("**Ask yourself.**")
        if cell.cell_type == "markdown":
            for question in OPEN_QUESTION.findall(asked):
                yield f"{cell.id} leaves a question open: {question[:40]}"


Rule = Callable[..., Iterator[str]]

RULES: list[Rule] = [
    unexecuted_cell,
    error_output,
    stderr_output,
    raster_only_output,
    address_or_path,
    text_of_the_time,
    long_code_cell,
    trailing_semicolon,
    figure_without_text,
    picture_without_alt,
    small_letters,
    headings_out_of_order,
    too_many_or_few_cells,
    too_many_words,
    long_paragraph,
    story_without_its_seed,
    question_without_answer,
    unknown_tag,
    unstable_id,
    stray_metadata,
]


def read(path: Path):
    return nbformat.read(path, as_version=4)
