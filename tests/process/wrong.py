"""Machines that keep to the protocol and break Raft: `python wrong.py WAY`. They speak lines."""

import json
import sys

from elects import answer

WAY = sys.argv[1]


def commits_alone(line, said):
    """A leader calls committed what nobody else holds."""
    if said.get("role") == "leader":
        entry = {"term": 1, "index": 1, "payload": {"type": "command", "data": "x=1"}}
        return said | {"log_entries": [entry], "commit_index": 1}
    return said


WAYS = {"commits alone": commits_alone}

for text in sys.stdin:
    line = json.loads(text)
    print(json.dumps(WAYS[WAY](line, answer(line))), flush=True)
