"""Raft, as Figure 2 of the paper has it, in one file of plain Python.

It is told one JSON object a line and answers with one: docs/machine-protocol.md says what is in
them. Elections, a log that is replicated and repaired, commitment, restarts: nothing else. It
stands on Python's library alone, so that it can be copied and changed.

    rl.Cluster(3, machine=rl.Process("python3 raft.py"))
"""

import json
import random
import sys
from typing import Any

Line = dict[str, Any]
"""A line, or a part of one: {"term": 1, …}."""

Entry = dict[str, Any]
"""{"term": 1, "index": 1, "payload": {"type": "command", "data": "x=1"}}"""

BEFORE_ALL: Entry = {"term": 0, "index": 0}
"""What stands in the log before entry 1, so that `log[index]` is the entry at `index`."""


class Raft:
    """One server. Each method named `on_…` is told a line; `reply` is what it will answer."""

    def __init__(self, line: Line) -> None:
        """Start, or start again, with what is on the disk and nothing else. Figure 2, State."""
        self.node: str = line["node"]
        self.now: float = line["now"]
        self.options: Line = line["options"]
        self.random = random.Random(line["seed"])
        self.voters: list[str] = line["configuration"]["voters"]
        self.peers = [each for each in self.voters if each != self.node]
        self.reply: Line = {}

        # On the disk
        self.term: int = line["term"]
        self.voted_for: str | None = line["voted_for"]
        self.log: list[Entry] = [BEFORE_ALL, *line["log"]]

        # In memory
        self.role = "follower"
        self.leader: str | None = None
        self.commit_index = 0
        self.wake_at: float | None = None
        self.votes: dict[str, bool] = {}  # of a candidate
        self.next_index: dict[str, int] = {}  # of a leader
        self.match_index: dict[str, int] = {}  # of a leader
        self.wait_for_a_leader()

    # What is written. The messages of a reply leave when the rest of it is on the disk.

    def set_term_and_vote(self, term: int, voted_for: str | None) -> None:
        """Both are written together."""
        self.term, self.voted_for = term, voted_for
        self.reply |= {"term": term, "voted_for": voted_for}

    def append(self, entry: Entry) -> None:
        """Put an entry at the end of the log."""
        self.log.append(entry)
        self.reply.setdefault("log_entries", []).append(entry)

    def cut(self, index: int) -> None:
        """Take away the entry at `index` and all that follow it."""
        del self.log[index:]
        self.reply["truncate_from"] = index

    def send(self, kind: str, receiver: str, **fields: object) -> None:
        """Send a message, in this server's term."""
        message = {"type": kind, "term": self.term, "sender": self.node, "receiver": receiver}
        self.reply.setdefault("messages", []).append(message | fields)

    def note(self, rule: str, text: str) -> None:
        """Say why, for whoever looks at the run."""
        self.reply.setdefault("notes", []).append({"rule": rule, "text": text})

    @property
    def last_index(self) -> int:
        """The index of the last entry, or 0."""
        return len(self.log) - 1

    @property
    def last_term(self) -> int:
        """The term of the last entry, or 0."""
        return int(self.log[-1]["term"])

    # Rules for all servers

    def on_message(self, line: Line) -> None:
        """A higher term is adopted, whatever it comes with. 5.1"""
        message = line["message"]
        if message["term"] > self.term:
            self.note("newer_term", f"adopts term {message['term']} from {message['sender']}")
            self.set_term_and_vote(message["term"], None)
            self.follow(None)
        receive = {
            "RequestVote": self.on_request_vote,
            "RequestVoteReply": self.on_request_vote_reply,
            "AppendEntries": self.on_append_entries,
            "AppendEntriesReply": self.on_append_entries_reply,
        }.get(message["type"])
        if receive is not None:
            receive(message)

    def follow(self, leader: str | None) -> None:
        """Become a follower: of the leader of this term, or of nobody yet."""
        was_leader, self.role, self.leader = self.role == "leader", "follower", leader
        if was_leader or leader is not None:
            self.wait_for_a_leader()

    def wait_for_a_leader(self) -> None:
        """Reset the election timer: a new time at random, so that few stand at once. 5.2"""
        timeout = self.random.uniform(*self.options["election_timeout"])
        self.wake_at = self.now + timeout if self.node in self.voters else None  # never stands

    def on_tick(self, line: Line) -> None:
        """The time `wake_at` has come."""
        if self.wake_at is None or self.now < self.wake_at:
            return
        if self.role == "leader":
            self.send_to_all()
        else:
            self.campaign()

    def on_campaign(self, line: Line) -> None:
        """Somebody wants to see an election. The host asks only servers that do not lead."""
        self.campaign()

    def on_saved(self, line: Line) -> None:
        """A write has ended: an own vote and an own copy count when they are on the disk."""
        if self.role == "candidate" and line["term"] == self.term:
            self.votes[self.node] = True
            self.count_votes()
        elif self.role == "leader" and self.log[line["last_index"]]["term"] == line["last_term"]:
            self.match_index[self.node] = line["last_index"]
            self.advance_commit_index()

    # Elections. 5.2, 5.4.1

    def campaign(self) -> None:
        """Nobody leads: stand for election, and vote for oneself. 5.2"""
        self.role, self.leader, self.votes = "candidate", None, {}
        self.set_term_and_vote(self.term + 1, self.node)
        self.note("campaign", f"stands for election in term {self.term}")
        self.wait_for_a_leader()
        last = {"last_log_index": self.last_index, "last_log_term": self.last_term}
        for peer in self.peers:
            self.send("RequestVote", peer, **last)

    def on_request_vote(self, request: Line) -> None:
        """One vote in a term, for a log at least as up to date as this one."""
        candidate = request["sender"]
        theirs = (request["last_log_term"], request["last_log_index"])
        granted = (
            request["term"] == self.term
            and self.voted_for in (None, candidate)
            and theirs >= (self.last_term, self.last_index)  # at least as up to date: 5.4.1
        )
        if granted:
            self.set_term_and_vote(self.term, candidate)
            self.wait_for_a_leader()
        self.note("vote", f"{'votes' if granted else 'does not vote'} for {candidate}")
        self.send("RequestVoteReply", candidate, vote_granted=granted)

    def on_request_vote_reply(self, answer: Line) -> None:
        """Somebody has voted; an answer from an earlier term counts for nothing."""
        if self.role == "candidate" and answer["term"] == self.term:
            self.votes[answer["sender"]] = answer["vote_granted"]
            self.count_votes()

    def count_votes(self) -> None:
        """More than half of all voters: no two candidates have that."""
        if sum(self.votes.values()) > len(self.voters) / 2:
            self.lead()

    def lead(self) -> None:
        """Won: guess where the others are, and append an entry with nothing in it. 5.3, 8"""
        self.role, self.leader = "leader", self.node
        self.next_index = dict.fromkeys(self.peers, self.last_index + 1)
        self.match_index = dict.fromkeys(self.voters, 0)
        self.note("lead", f"leads term {self.term}")
        self.append({"term": self.term, "index": self.last_index + 1, "payload": {"type": "empty"}})
        self.send_to_all()

    # The leader's log goes to the others. 5.3

    def on_add_entry(self, line: Line) -> None:
        """A client asks for something. Members stay who they are."""
        if line["payload"]["type"] == "configuration":
            self.reply["refused"] = {"reason": "this machine does not change its members"}
            return
        if self.role != "leader":
            self.reply["refused"] = {"reason": "not_leader", "leader": self.leader}
            return
        self.reply["index"] = self.last_index + 1
        self.append({"term": self.term, "index": self.last_index + 1, "payload": line["payload"]})
        self.send_to_all()

    def send_to_all(self) -> None:
        """Send everybody what comes next: so they hear who leads, too."""
        self.wake_at = self.now + self.options["heartbeat_interval"]
        for peer in self.peers:
            self.send_entries(peer)

    def send_entries(self, peer: str) -> None:
        """What comes next for `peer`, and what must stand before it; nothing: a heartbeat."""
        first = self.next_index[peer]
        self.send(
            "AppendEntries",
            peer,
            prev_log_index=first - 1,
            prev_log_term=self.log[first - 1]["term"],
            entries=self.log[first : first + self.options["max_entries_per_append"]],
            leader_commit=self.commit_index,
        )

    def on_append_entries(self, request: Line) -> None:
        """Take the entries of a leader, where they follow what is here. Figure 2"""
        prev, entries = request["prev_log_index"], request["entries"]
        if request["term"] < self.term:
            self.answer(request, self.rejection(request))
            return
        self.follow(request["sender"])
        if prev > self.last_index or self.log[prev]["term"] != request["prev_log_term"]:
            self.note("consistency", f"has no entry {prev} of term {request['prev_log_term']}")
            self.answer(request, self.rejection(request))
            return
        for entry in entries:
            index = entry["index"]
            if index <= self.last_index and self.log[index]["term"] != entry["term"]:
                self.note("conflict", f"cuts its log from entry {index}")
                self.cut(index)
            if index > self.last_index:
                self.append(entry)
        last_new = prev + len(entries)
        self.commit_index = max(self.commit_index, min(request["leader_commit"], last_new))
        self.answer(request, {"type": "Accepted", "last_new_index": last_new})

    def rejection(self, request: Line) -> Line:
        """No; and the last entry that may be the leader's, too. 5.3, last part"""
        index = min(request["prev_log_index"], self.last_index)
        while self.log[index]["term"] > request["prev_log_term"]:
            index -= 1
        return {
            "type": "Rejected",
            "non_matching_index": request["prev_log_index"],
            "last_index": self.last_index,
            "hint_index": index,
            "hint_term": self.log[index]["term"],
        }

    def answer(self, request: Line, result: Line) -> None:
        """Answer a leader."""
        leader = request["sender"]
        self.send("AppendEntriesReply", leader, commit_index=self.commit_index, result=result)

    def on_append_entries_reply(self, answer: Line) -> None:
        """A follower has the entries, or they did not fit."""
        peer, result = answer["sender"], answer["result"]
        if self.role != "leader" or answer["term"] != self.term:
            return
        if result["type"] == "Rejected":
            if result["non_matching_index"] == self.next_index[peer] - 1:  # else it is an old one
                self.step_back(peer, result)
        elif result["last_new_index"] > self.match_index[peer]:
            self.match_index[peer] = result["last_new_index"]
            self.next_index[peer] = result["last_new_index"] + 1
            self.advance_commit_index()
            if self.next_index[peer] <= self.last_index:
                self.send_entries(peer)

    def step_back(self, peer: str, rejected: Line) -> None:
        """The logs differ there: try where they may be equal. 5.3, last part"""
        index = min(rejected["hint_index"], rejected["non_matching_index"] - 1)
        while self.log[index]["term"] > rejected["hint_term"]:
            index -= 1
        self.next_index[peer] = max(index, self.match_index[peer]) + 1
        self.note("repair", f"tries {peer} from entry {self.next_index[peer]}")
        self.send_entries(peer)

    def advance_commit_index(self) -> None:
        """What a majority holds is committed, if it is of this term. 5.3, 5.4.2, Figure 8"""
        held = sorted(self.match_index.values(), reverse=True)
        index = held[len(self.voters) // 2]
        if index > self.commit_index and self.log[index]["term"] == self.term:
            self.commit_index = index
            self.note("commit", f"committed up to entry {index}")

    # The reply

    def take_reply(self) -> Line:
        """What was collected, and what this server believes now."""
        reply, self.reply = self.reply, {}
        reply |= {"role": self.role, "leader": self.leader, "commit_index": self.commit_index}
        reply["wake_at"] = self.wake_at
        if self.role == "candidate":
            reply["votes"] = self.votes
        if self.role == "leader":
            reply["progress"] = {
                peer: {"next_index": self.next_index[peer], "match_index": self.match_index[peer]}
                for peer in self.peers
            }
        return reply


def answer_lines() -> None:
    """The loop: one line in, one line out. One process may be several servers."""
    servers: dict[str, Raft] = {}
    for text in sys.stdin:
        line: Line = json.loads(text)
        if line["do"] == "start":
            server = servers[line["node"]] = Raft(line)
            server.reply["offers"] = ["campaign"]
        else:
            server = servers[line["node"]]
            server.now = line["now"]
            getattr(server, f"on_{line['do']}")(line)
        print(json.dumps(server.take_reply()), flush=True)


if __name__ == "__main__":
    answer_lines()
