"""docs/protocol.md names every rule and every option, where it is, and nothing else."""

import inspect
import re
from pathlib import Path

import pytest

import raftlab
from raftlab import Cluster, Options, Rules

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text()
MAP, _, VERBS = PAGE.partition("## To see it happen")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in MAP.splitlines()
    if line.startswith("|") and not line.startswith("|---")
][1:]


def code(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_rule_is_on_the_page():
    named = {rule for row in ROWS for rule in code(row[3])}
    rules = {name for name, _ in inspect.getmembers(Rules, inspect.isfunction)}
    odd = named ^ {name for name in rules if not name.startswith("_")}
    assert not odd, f"docs/protocol.md wants one row for each of Rules, and no other: {sorted(odd)}"


def test_every_option_is_on_the_page():
    odd = {option for row in ROWS for option in code(row[4])} ^ set(Options.__struct_fields__)
    assert not odd, f"docs/protocol.md wants every option in its last column: {sorted(odd)}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_a_file_that_is_there_and_the_rules_that_it_asks(row):
    (file,) = code(row[2])
    source = (ROOT / "raftlab" / "raft" / file).read_text()
    for rule in code(row[3]):
        assert f"rules.{rule}(" in source, f"{file} asks no self._rules.{rule}(...)"


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", PAGE))
def test_a_link_of_the_page_leads_somewhere(link):
    assert (ROOT / "docs" / link).resolve().is_file()


VERB_ROWS = [line.split("|")[1] for line in VERBS.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("cell", VERB_ROWS)
def test_what_the_page_says_to_type_can_be_typed_in_its_order(cell):
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(100)
    names = {"cluster": cluster, "rl": raftlab}
    for line in code(cell):
        if " or " in cell:
            cluster.run(500)
        before = cluster.number
        exec(line, names)
        assert line.startswith("rl.") or cluster.number > before


def test_the_sections_of_the_page_are_named_where_the_rules_stand():
    sources = {name: inspect.getdoc(rule) or "" for name, rule in inspect.getmembers(Rules)}
    for part, _, _, rules, _ in ROWS:
        for rule in code(rules):
            cites = (
                "Paper:" in sources[rule],
                "Thesis:" in sources[rule],
                "raft-dev" in sources[rule],
            )
            wanted = f"the docstring of {rule}, in the row “{part}”, wants its Paper: or Thesis:"
            assert any(cites) or rule == "takes_command", wanted
