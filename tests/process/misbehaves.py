"""The machine that holds elections, with one mistake: `python misbehaves.py WAY`."""

import json
import os
import random
import signal
import subprocess
import sys
import time

from elects import answer, nodes  # type: ignore[import-not-found]

WAY = sys.argv[1]


def say(text, end="\n"):
    sys.stdout.write(text + end)
    sys.stdout.flush()


def say_bytes(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def hold_memory():
    held = [bytearray(b"x") * (1 << 24) for _ in range(40)]
    time.sleep(60)
    return held


def leave_a_child_behind():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    os._exit(5)


def entry(index, term=1):
    return {"term": term, "index": index, "payload": {"type": "command", "data": "x=1"}}


def message(line, **changed):
    me = line["node"]
    fields = {"sender": me, "receiver": "S1" if me != "S1" else "S2", "term": 1}
    fields |= {"type": "RequestVote", "last_log_index": 0, "last_log_term": 0}
    return {"messages": [fields | changed]}


# What is done at a tick in place of an answer, and what is said in its place.

DONE = {
    "exits": lambda: os._exit(3),
    "raises": lambda: dict[str, str]()["no such key"],
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "closes its output": lambda: (os.close(1), time.sleep(60)),
    "sleeps": lambda: time.sleep(60),
    "loops": lambda: any(iter(int, 1)),
    "stops half way": lambda: (say('{"term": ', end=""), time.sleep(60)),
    "ends half way": lambda: (say('{"term": ', end=""), os._exit(0)),
    "stops itself": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "one endless line": lambda: [say("x" * 65536, end="") for _ in iter(int, 1)],
    "endless lines": lambda: [say("{}\n" * 1000, end="") for _ in iter(int, 1)],
    "too long a line": lambda: say(json.dumps({"notes": ["x" * 100_000]})),
    "two lines": lambda: say("{}\n{}"),
    "prints": lambda: say("here\n{}"),
    "an empty line": lambda: say(""),
    "no UTF-8": lambda: say_bytes(b'{"notes": ["\xff\xfe"]}\n'),
    "a zero byte": lambda: say_bytes(b"\0\n"),
    "half a JSON": lambda: say('{"term": 1'),
    "deep JSON": lambda: say("[" * 50_000),
    "holds memory": hold_memory,
    "leaves a child": leave_a_child_behind,
}

SAID = {
    "a list": lambda line: [],
    "a field unknown": lambda line: {"comit_index": 0},
    "text for a number": lambda line: {"term": "1"},
    "a negative term": lambda line: {"term": -1},
    "a huge term": lambda line: {"term": 10**30},
    "a role unknown": lambda line: {"role": "boss"},
    "a message unknown": lambda line: message(line, type="RequestVotes"),
    "a message without a field": lambda line: {"messages": [{"type": "RequestVote", "term": 1}]},
    "a message of another": lambda line: message(line, sender="S9"),
    "a message with a negative index": lambda line: message(line, last_log_index=-1),
    "a hole in the log": lambda line: {"term": 1, "log_entries": [entry(3)]},
    "an entry twice": lambda line: {"term": 1, "log_entries": [entry(1), entry(1)]},
    "a commit beyond the log": lambda line: {"commit_index": 7},
    "no base64": lambda line: {"term": 1, "log_entries": [no_base64()]},
    "an event refused": lambda line: {"refused": {"reason": "not today"}},
    "a time that is over": lambda line: {"wake_at": line["now"] - 1},
    "hardly moves on": lambda line: {"wake_at": line["now"] + 1e-9},
    "begins a storm": lambda line: storm(line, 1000) | {"wake_at": None},
}


def storm(line, times):
    """So many requests to every other node."""
    others = {"S1", "S2", "S3"} - {line["node"]}
    sent = [message(line, receiver=each, term=0)["messages"][0] for each in sorted(others)]
    return {"messages": sent * times}


def no_base64():
    return entry(1) | {"payload": {"type": "command", "data": {"base64": "§"}}}


ADDED = {
    "no index": {},
    "a wrong index": {"index": 4},
    "refuses and does": {"refused": {"reason": "no"}, "term": 9, "voted_for": None},
}


def answered(line):
    if WAY == "other protocol" and line["do"] == "start":
        return {"refused": {"reason": "it speaks protocol 7"}}
    if WAY == "dies at its start" and line["do"] == "start":
        sys.exit("cannot find my_config.json")
    if line["do"] == "tick" and line["node"] == "S1" and WAY in SAID:
        return SAID[WAY](line)
    if line["do"] == "add_entry" and WAY in ADDED:
        return ADDED[WAY]
    if WAY == "begins a storm" and line["do"] == "message":
        return storm(line, 1) if line["message"]["type"] == "RequestVote" else {}
    if WAY == "rolls dice" and line["do"] == "message":
        return answer(line) | {"notes": [str(random.random())]}
    if WAY == "says much on stderr":
        sys.stderr.write("noise " * 30_000)
    return answer(line)


if WAY == "ignores signals":
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
if WAY == "a greeting":
    say("Raft, version 1")
for text in sys.stdin:
    line = json.loads(text)
    if line["do"] == "tick" and line["node"] == "S1" and WAY in DONE:
        DONE[WAY]()
    else:
        say(json.dumps(answered(line)))
assert nodes
if WAY == "ignores signals":
    time.sleep(600)
