"""A machine that holds elections and nothing else, as short as can be. It speaks lines."""

import json
import random
import sys

nodes = {}


class Node:
    def start(self, line):
        self.me = line["node"]
        self.others = [each for each in line["configuration"]["voters"] if each != self.me]
        self.term, self.voted_for = line["term"], line["voted_for"]
        self.role, self.votes = "follower", set()
        self.random = random.Random(line["seed"])
        self.options = line["options"]
        return self.waits(line["now"])

    def waits(self, now, **more):
        low, high = self.options["election_timeout"]
        return {**more, "wake_at": now + self.random.uniform(low, high)}

    def say(self, kind, to, **fields):
        return {"type": kind, "term": self.term, "sender": self.me, "receiver": to, **fields}

    def beat(self, now):
        beat = {"prev_log_index": 0, "prev_log_term": 0, "entries": [], "leader_commit": 0}
        return {
            "messages": [self.say("AppendEntries", to, **beat) for to in self.others],
            "wake_at": now + self.options["heartbeat_interval"],
        }

    def tick(self, line):
        if self.role == "leader":
            return self.beat(line["now"])
        self.term, self.voted_for = self.term + 1, self.me
        self.role, self.votes = "candidate", {self.me}
        ask = {"last_log_index": 0, "last_log_term": 0}
        return self.waits(
            line["now"],
            term=self.term,
            voted_for=self.me,
            role="candidate",
            votes={self.me: True},
            messages=[self.say("RequestVote", to, **ask) for to in self.others],
            notes=["stands for election"],
        )

    def message(self, line):
        message, out = line["message"], {}
        if message["term"] > self.term:
            self.term, self.voted_for, self.role = message["term"], None, "follower"
            out = {"term": self.term, "voted_for": None, "role": "follower"}
        mine = message["term"] == self.term
        match message["type"]:
            case "RequestVote":
                granted = mine and self.voted_for in (None, message["sender"])
                if granted:
                    self.voted_for = message["sender"]
                    out |= self.waits(line["now"], voted_for=self.voted_for)
                reply = self.say("RequestVoteReply", message["sender"], vote_granted=granted)
                out["messages"] = [reply]
            case "RequestVoteReply" if mine and self.role == "candidate":
                if message["vote_granted"]:
                    self.votes.add(message["sender"])
                if len(self.votes) > (len(self.others) + 1) // 2:
                    self.role = "leader"
                    return {"role": "leader", **self.beat(line["now"])}
                return {"votes": dict.fromkeys(sorted(self.votes), True)}
            case "AppendEntries" if mine:
                self.role = "follower"
                out |= self.waits(line["now"], role="follower", leader=message["sender"])
        return out

    def saved(self, line):
        return {}

    def add_entry(self, line):
        return {"refused": {"reason": "this machine keeps no log"}}


def answer(line):
    if line["do"] == "start":
        nodes[line["node"]] = Node()
    return getattr(nodes[line["node"]], line["do"])(line)


if __name__ == "__main__":
    for text in sys.stdin:
        print(json.dumps(answer(json.loads(text))), flush=True)
