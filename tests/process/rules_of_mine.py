"""Rules that answer lines: two of them, one of which fails."""

import json
import sys

RULES = {
    "has_vote_left": lambda voted_for, candidate: voted_for in (None, candidate),
    "is_newer_term": lambda term, mine: term / 0,
}

for text in sys.stdin:
    line = json.loads(text)
    try:
        said = {"answer": RULES[line["rule"]](*line["arguments"])}
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)
