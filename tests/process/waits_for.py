"""The machine that holds elections; at its tenth tick it waits until a file is there no more."""

import json
import sys
import time
from pathlib import Path

from elects import answer  # type: ignore[import-not-found]

ticks = 0
for text in sys.stdin:
    line = json.loads(text)
    ticks += line["do"] == "tick"
    while ticks == 10 and Path(sys.argv[1]).exists():
        time.sleep(0.05)
    print(json.dumps(answer(line)), flush=True)
