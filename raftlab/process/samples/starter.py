"""The beginning of a Raft: the loop, and what is told in it. Nobody leads yet.

It is told one JSON object a line and answers with one: docs/machine-protocol.md says what is in
them. Write print(…, file=sys.stderr) to look at something: standard output belongs to the loop.

    rl.Cluster(3, machine=rl.Process("python3 starter.py"))
"""

import json
import random
import sys
from typing import Any

Line = dict[str, Any]
"""A line, or a part of one: {"term": 1, …}."""

Entry = dict[str, Any]
"""{"term": 1, "index": 1, "payload": {"type": "command", "data": "x=1"}}"""

# The four messages of Figure 2. Each has "type", "term", "sender" and "receiver", and:
#
# RequestVote          last_log_index, last_log_term
# RequestVoteReply     vote_granted
# AppendEntries        prev_log_index, prev_log_term, entries, leader_commit
# AppendEntriesReply   commit_index, result: {"type": "Accepted", "last_new_index": 3}, or
#                      {"type": "Rejected", "non_matching_index": 3 (what did not fit),
#                       "last_index": 2 (of the follower's log), "hint_index": 0, "hint_term": 0}


class Raft:
    """One server. Each method named `on_…` is told a line; `reply` is what it will answer."""

    def __init__(self, line: Line) -> None:
        """Start, or start again, with what is on the disk and nothing else. Figure 2, State."""
        self.node: str = line["node"]
        self.now: float = line["now"]  # ms
        self.options: Line = line["options"]  # "election_timeout": [150, 300], …
        self.random = random.Random(line["seed"])
        self.voters: list[str] = line["configuration"]["voters"]
        self.reply: Line = {}

        # On the disk
        self.term: int = line["term"]
        self.voted_for: str | None = line["voted_for"]
        self.log: list[Entry] = line["log"]

        # In memory
        self.role = "follower"
        self.leader: str | None = None
        self.commit_index = 0
        self.wake_at: float | None = None  # when it wants to be told the time; None is never

    # Into `reply` goes what is to be written: "term" and "voted_for" (both), "truncate_from": 4
    # (entry 4 and all that follow are gone), "log_entries": […]; and "messages": […], which leave
    # when that is on the disk.

    def on_message(self, line: Line) -> None:
        """line["message"] has arrived."""

    def on_tick(self, line: Line) -> None:
        """The time `wake_at` has come."""

    def on_saved(self, line: Line) -> None:
        """A write has ended. The disk holds line["term"], ["voted_for"], a log to ["last_index"].

        An own vote and an own copy of an entry count from now on.
        """

    def on_add_entry(self, line: Line) -> None:
        """A client asks for an entry with line["payload"]: reply its "index", or refuse."""
        if line["payload"]["type"] == "configuration":
            self.reply["refused"] = {"reason": "this machine does not change its members"}
            return
        self.reply["refused"] = {"reason": "not_leader", "leader": self.leader}

    def take_reply(self) -> Line:
        """What was collected, and what this server believes now."""
        reply, self.reply = self.reply, {}
        reply |= {"role": self.role, "leader": self.leader, "commit_index": self.commit_index}
        reply["wake_at"] = self.wake_at
        return reply


def answer_lines() -> None:
    """The loop: one line in, one line out. One process may be several servers."""
    servers: dict[str, Raft] = {}
    for text in sys.stdin:
        line: Line = json.loads(text)
        if line["do"] == "start":
            server = servers[line["node"]] = Raft(line)
            server.reply["offers"] = []
        else:
            server = servers[line["node"]]
            server.now = line["now"]
            getattr(server, f"on_{line['do']}")(line)
        print(json.dumps(server.take_reply()), flush=True)


if __name__ == "__main__":
    answer_lines()
