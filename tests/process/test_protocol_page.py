"""docs/machine-protocol.md and its schema say what the classes say."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import fields

from raftlab.process import wire
from raftlab.process.faults import KINDS
from raftlab.raft.messages import AppendEntriesReply, Message, RequestVote, RequestVoteReply
from raftlab.raft.options import Options

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "machine-protocol.md").read_text()
SCHEMA = DOCS / "machine-protocol.schema.json"
EXAMPLES = re.findall(r"^([→←]) (\{.*\})$", PAGE, re.MULTILINE)
KIND = {"→": wire.Line, "←": wire.Reply}


def schema():
    """The schema of what a machine is told, and of what it says."""
    kinds = [wire.Line, wire.Reply]
    (told, said), parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A machine of raftlab in a process, protocol {wire.PROTOCOL}",
        "anyOf": [{"title": "told", **told}, {"title": "said", **said}],
        "$defs": parts,
    }


def test_the_schema_is_that_of_the_classes(request):
    made = json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
    if request.config.getoption("--rewrite"):
        SCHEMA.write_text(made)
    assert SCHEMA.read_text() == made, "pytest tests/process/test_protocol_page.py --rewrite"


@pytest.mark.parametrize(("way", "line"), EXAMPLES)
def test_every_example_is_a_line(way, line):
    msgspec.json.decode(line, type=KIND[way])


def test_there_are_examples_of_all_ways():
    assert {way for way, _ in EXAMPLES} == set(KIND)


def rows(title):
    """The names in the first column of the table below a title."""
    table = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [name for cell in first for name in re.findall(r"`(\w+)`", cell)]


def test_the_page_has_every_field_and_every_line():
    assert sorted(rows("What a machine says")) == sorted(wire.Reply.__struct_fields__)
    tags = [kind.__struct_config__.tag for kind in wire.Line.__args__]
    assert rows("What a machine is told")[1:] == tags


def test_the_page_tells_what_goes_with_every_line():
    table = PAGE.partition("## What a machine is told\n")[2]
    for kind in wire.Line.__args__:
        row = next(
            line
            for line in table.splitlines()
            if line.startswith(f"| `{kind.__struct_config__.tag}`")
        )
        for name in set(kind.__struct_fields__) - {"node", "now"}:
            assert f"`{name}`" in row


@pytest.mark.parametrize("kind", Message.__args__, ids=lambda kind: kind.__name__)
def test_the_page_tells_the_fields_of_every_message(kind):
    part = PAGE.partition("## Messages, entries, snapshots\n")[2].partition("\n## ")[0]
    row = next(line for line in part.splitlines() if line.startswith(f"| `{kind.__name__}` |"))
    for each in fields(kind):
        if each.name not in ("term", "sender", "receiver"):
            assert f"`{each.name}`" in (row if each.required else part)


def test_the_page_has_every_ability_and_every_kind_of_fault():
    for ability in get_args(wire.Ability):
        assert f'`"{ability}"`' in PAGE
    table = PAGE.partition("## What goes wrong\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| ([\w ,-]+) \|", table, re.MULTILINE)
    assert {each for cell in named for each in cell.split(", ")} - {"kind"} == KINDS


def type_names(language, name):
    """The JSON names of the fields of a type in one of the texts that nobody runs here."""
    text = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]
    if language == "go":
        body = re.search(rf"^type {name} struct \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)[1]
        return re.findall(r'`json:"(\w+)', body)
    if language == "rust":
        body = re.search(rf"^(?:struct|enum) {name} \{{(.*?)\}}$", text, re.DOTALL | re.MULTILINE)
        if name == "Message":
            body = re.search(rf"^enum {name} \{{\n(.*?)^\}}", text, re.DOTALL | re.MULTILINE)
        return [each if each != "what" else "do" for each in re.findall(r"(\w+): ", body[1])]
    body = re.search(rf"static class {name} \{{(.*?)\}}$", text, re.DOTALL | re.MULTILINE)[1]
    fields = re.sub(r"//.*|@\w+\(.*?\)|<.*?>|\[\]", "", body)
    found = [each for part in fields.split(";") for each in part.split()[1:]]
    names = [each.strip(",") for each in " ".join(found).split()]
    return ["do" if each == "what" else each for each in names if each[0].islower()]


def fields_of(*kinds):
    return {name for kind in kinds for name in kind.__struct_fields__}


FOUR = (RequestVote, RequestVoteReply, wire.AppendEntriesLine, AppendEntriesReply)
THERE = {
    "Told": fields_of(*wire.Line.__args__) | {"do"},
    "Reply": fields_of(wire.Reply),
    "Message": fields_of(*FOUR) | {"type"},
    "Entry": fields_of(wire.EntryLine),
    "Progress": fields_of(wire.ProgressLine),
    "Refused": fields_of(wire.Refusal),
    "Options": fields_of(Options),
}
NEEDED = {
    "Told": {"do", "node", "now", "seed", "configuration", "term", "voted_for", "log", "options"}
    | {"message", "payload", "last_index", "last_term"},
    "Reply": fields_of(wire.Reply)
    - {"snapshot", "first_index", "messages_at_once", "reads", "failed_reads"}
    - {"election_deadline", "alarms"},
    "Message": {each.encode_name for kind in FOUR for each in fields(kind) if each.required},
    "Entry": THERE["Entry"],
    "Progress": {"next_index", "match_index"},
    "Refused": THERE["Refused"],
    "Options": {"election_timeout", "heartbeat_interval"},
}


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize("language", ["go", "rust", "java"])
def test_the_types_of_a_text_have_the_fields_of_the_protocol(language, name):
    names = type_names(language, name)
    assert set(names) <= THERE[name]
    assert set(names) >= NEEDED[name]
