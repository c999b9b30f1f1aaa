"""docs/checking.md: what it shows runs, and prints what it says."""

import contextlib
import io
import pathlib
import re

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "checking.md"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\nprints\n\n```text\n(.*?)```)?", re.DOTALL)


def test_every_block_of_the_page_runs_and_prints_what_it_says():
    names: dict[str, object] = {"__name__": "checking"}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) > 6
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, PAGE.name, "exec"), names)
        assert printed.getvalue() == expected
