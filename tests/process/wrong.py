"""Machines that speak as they should and say what is wrong: `python wrong.py WAY`."""

import json
import sys

from elects import answer  # type: ignore[import-not-found]

WAY = sys.argv[1]


def commits_alone(line, said):
    """A leader calls committed what nobody else holds."""
    if said.get("role") == "leader":
        entry = {"term": 1, "index": 1, "payload": {"type": "command", "data": "x=1"}}
        return said | {"log_entries": [entry], "commit_index": 1}
    return said


def makes_up_a_server(line, said):
    """A leader writes a configuration with a server that nobody has told it of."""
    if said.get("role") == "leader":
        members = {"type": "configuration", "voters": ["S1", "S2", "S3", "S9"]}
        return said | {"log_entries": [{"term": 1, "index": 1, "payload": members}]}
    return said


WAYS = {"commits alone": commits_alone, "makes up a server": makes_up_a_server}

for text in sys.stdin:
    line = json.loads(text)
    print(json.dumps(WAYS[WAY](line, answer(line))), flush=True)
