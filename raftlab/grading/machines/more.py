"""What M7 adds to the sample: snapshots, pre-vote with the transfer of leadership, membership.

Each is a list of changes: what stands in the sample, and what takes its place.
"""

from collections.abc import Mapping, Sequence

Changes = Sequence[tuple[str, str]]

LOG = '''\
class Log:
    """Entries by their index. Before the first stands a snapshot, or BEFORE_ALL: `base` is its end.

    `term(index)` is 0 below the base, where all is committed and nothing is held any more.
    """

    def __init__(self, before: Line, entries: list[Entry]) -> None:
        self.base: int = before["index"]
        self.held = [before, *entries]

    def term(self, index: int) -> int:
        """The term of the entry at `index`."""
        return int(self.held[index - self.base]["term"]) if index >= self.base else 0

    def after(self, index: int, most: int | None = None) -> list[Entry]:
        """The entries that follow the one at `index`, or the first so many of them."""
        first = index - self.base + 1
        return self.held[first:] if most is None else self.held[first : first + most]

    def append(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self.held.append(entry)

    def cut(self, index: int) -> None:
        """Take away the entry at `index` and all that follow it."""
        del self.held[index - self.base :]


class Raft:
'''
WITH_LOG: Changes = (
    ("class Raft:\n", LOG),
    (
        "before entry 1, so that `log[index]` is the entry at `index`.",
        "before entry 1, where there is no snapshot.",
    ),
    (
        '        self.log: list[Entry] = [BEFORE_ALL, *line["log"]]\n',
        '        self.snapshot: Line | None = line["snapshot"]\n'
        '        self.log = Log(self.snapshot or BEFORE_ALL, line["log"])\n',
    ),
    ("        self.commit_index = 0\n", "        self.commit_index = self.log.base\n"),
    ("        del self.log[index:]\n", "        self.log.cut(index)\n"),
    ("        return len(self.log) - 1\n", '        return int(self.log.held[-1]["index"])\n'),
    ('int(self.log[-1]["term"])', 'int(self.log.held[-1]["term"])'),
    (
        'self.log[line["last_index"]]["term"] == line["last_term"]:',
        'self.log.term(line["last_index"]) == line["last_term"]:',
    ),
    (
        "        first = self.next_index[peer]\n",
        "        first = self.next_index[peer]\n"
        "        if first <= self.log.base:\n"
        "            self.send_snapshot(peer)\n"
        "            return\n",
    ),
    ('self.log[first - 1]["term"],', "self.log.term(first - 1),"),
    (
        'self.log[first : first + self.options["max_entries_per_append"]],',
        'self.log.after(first - 1, self.options["max_entries_per_append"]),',
    ),
    (
        'prev > self.last_index or self.log[prev]["term"] != request["prev_log_term"]:\n',
        "prev > self.last_index or (\n"
        '            prev >= self.log.base and self.log.term(prev) != request["prev_log_term"]\n'
        "        ):\n",
    ),
    (
        '            if index <= self.last_index and self.log[index]["term"] != entry["term"]:\n',
        "            if index <= self.log.base:\n"
        "                continue  # a snapshot stands for it\n"
        '            if index <= self.last_index and self.log.term(index) != entry["term"]:\n',
    ),
    (
        '        while self.log[index]["term"] > request["prev_log_term"]:\n',
        '        while self.log.term(index) > request["prev_log_term"]:\n',
    ),
    (
        '            "hint_term": self.log[index]["term"],\n',
        '            "hint_term": self.log.term(index),\n',
    ),
    (
        '        while self.log[index]["term"] > rejected["hint_term"]:\n',
        '        while self.log.term(index) > rejected["hint_term"]:\n',
    ),
    (
        'index > self.commit_index and self.log[index]["term"] == self.term:',
        "index > self.commit_index and self.log.term(index) == self.term:",
    ),
)
"""Entries that can be forgotten: the log is a class of its own."""

SNAPSHOTS = '''\
    # Snapshots: the log is cut short, and who needs what was cut away gets the snapshot. 7

    def on_compact(self, line: Line) -> None:
        """Let a snapshot stand for the log up to entry line["up_to"]; line["data"] is its data.

        A snapshot is {"index": …, "term": …, "configuration": …, "data": …}, the
        first two those of the last entry that it stands for, and the third in force there. An index
        that is not committed, or in a snapshot already, is refused: {"reason": "…"}.
        """
        index = line["up_to"]
        if not self.log.base < index <= self.commit_index:
            self.reply["refused"] = {"reason": f"entry {index} is not to be compacted"}
            return
        snapshot = {"index": index, "term": self.log.term(index), "data": line["data"]}
        self.keep_snapshot(snapshot | {"configuration": self.configuration_at(index)})

    def keep_snapshot(self, snapshot: Line) -> None:
        """Let a snapshot stand for the log up to its index.

        What follows stays if it belongs together: if the log has the very entry with which the
        snapshot ends. Else nothing of the log stays. Figure 13, rules 6 and 7. The reply says
        "snapshot", and "first_index", which is the first entry that may stay beside it.
        """
        index = snapshot["index"]
        fits = index <= self.last_index and self.log.term(index) == snapshot["term"]
        self.log = Log(snapshot, self.log.after(index) if fits else [])
        self.snapshot = snapshot
        self.take_voters()
        self.reply |= {"snapshot": snapshot, "first_index": index + 1}

    def send_snapshot(self, peer: str) -> None:
        """Send the snapshot to `peer`, which needs what it stands for: "InstallSnapshot".

        What follows the snapshot comes next. If it is lost, `peer` will say what it lacks.
        """
        self.next_index[peer] = self.log.base + 1
        self.note("snapshot", f"sends {peer} its snapshot up to entry {self.log.base}")
        self.send("InstallSnapshot", peer, snapshot=self.snapshot)

    def on_install_snapshot(self, request: Line) -> None:
        """A leader sends a snapshot: take it if it says more than is known to be committed here.

        The answer is an "InstallSnapshotReply", with "last_index" (that of the snapshot) and
        "success": whether all that it stands for is here now. A leader of an earlier term gets no.
        """
        snapshot = request["snapshot"]
        success = request["term"] == self.term
        if success:
            self.follow(request["sender"])
        if success and snapshot["index"] > self.commit_index:
            self.keep_snapshot(snapshot)
            self.commit_index = snapshot["index"]
        said = {"last_index": snapshot["index"], "success": success}
        self.send("InstallSnapshotReply", request["sender"], **said)

    def on_install_snapshot_reply(self, answer: Line) -> None:
        """A follower has all that a snapshot stands for: it matches up to there, and gets more."""
        peer, index = answer["sender"], answer["last_index"]
        if self.role != "leader" or answer["term"] != self.term or peer not in self.peers:
            return
        if not answer["success"]:
            return
        if index > self.match_index[peer]:
            self.match_index[peer] = index
            self.next_index[peer] = max(self.next_index[peer], index + 1)
            self.advance_commit_index()
            if self.next_index[peer] <= self.last_index:
                self.send_entries(peer)

'''
HANDING_OVER = '''\
    # Pre-vote: ask for a chance before the term rises. Thesis, 9.6

    def on_prevote_request(self, request: Line) -> None:
        """Would `request` get a vote? Nothing is promised: term, vote and timer stay as they are.

        Yes, if it is about a later term, its log is at least as up to date as this one, and no
        leader was heard for `options["election_timeout"][0]` ms (`self.heard_at`). The answer is a
        "RequestVoteReply" with is_prevote=True; a yes has the term that was asked for, as term=….
        """
        theirs = (request["last_log_term"], request["last_log_index"])
        granted = (
            request["term"] > self.term
            and self.role != "leader"
            and self.now - self.heard_at >= self.options["election_timeout"][0]
            and theirs >= (self.last_term, self.last_index)
        )
        term = request["term"] if granted else self.term
        said = {"term": term, "vote_granted": granted, "is_prevote": True}
        self.send("RequestVoteReply", request["sender"], **said)

    def on_prevote_reply(self, answer: Line) -> None:
        """Somebody would vote, or would not. With more than half of all voters it stands.

        `self.chances` are those that would. A no may have a higher term, which is adopted.
        """
        if not answer["vote_granted"]:
            if answer["term"] > self.term:
                self.set_term_and_vote(answer["term"], None)
                self.follow(None)
        elif self.chances and answer["term"] == self.term + 1:
            self.chances.add(answer["sender"])
            self.count_chances()

    def count_chances(self) -> None:
        """Whether more than half of all voters would vote: then it stands for election."""
        if len(self.chances & {*self.voters}) > len(self.voters) / 2:
            self.chances = set()
            self.campaign()

    # Leadership is handed over. Thesis, 3.10

    def on_transfer_leadership(self, line: Line) -> None:
        """Hand leadership over to line["to"]; None: to the follower with the longest match.

        Who does not lead refuses, as it does an entry; for one who has no vote there is another
        reason. `self.successor` is who shall lead, and `self.give_up_at` when it took too long:
        `options["transfer_timeout"]` ms from now. As long as there is a successor, `on_add_entry`
        refuses and each heartbeat calls `hand_over`.
        """
        if self.role != "leader":
            self.reply["refused"] = {"reason": "not_leader", "leader": self.leader}
            return
        to = line["to"] or max(self.peers, key=self.match_index.__getitem__, default=None)
        if to not in self.peers:
            self.reply["refused"] = {"reason": f"{to} cannot take over"}
            return
        self.successor, self.give_up_at = to, self.now + self.options["transfer_timeout"]
        self.hand_over()

    def hand_over(self) -> None:
        """Give up if it took too long; else tell a successor that has the whole log: "TimeoutNow".

        It is called again when the successor has taken entries.
        """
        peer = self.successor
        if self.now >= self.give_up_at:
            self.successor = None
        elif peer is not None and self.match_index[peer] == self.last_index:
            self.send("TimeoutNow", peer)

    def on_timeout_now(self, message: Line) -> None:
        """The leader of this term wants this server to take over: stand at once, unasked."""
        if message["term"] == self.term and self.role == "follower":
            self.campaign()

'''
MEMBERSHIP = '''\
    # Who has a vote. Thesis, 4.1, 4.2

    def configuration_at(self, index: int) -> Line:
        """The configuration in force at entry `index`: the newest up to there, committed or not."""
        found: Line = self.snapshot["configuration"] if self.snapshot else self.configuration
        for entry in self.log.after(self.log.base):
            if entry["index"] <= index and entry["payload"]["type"] == "configuration":
                found = entry["payload"]
        return found

    def on_change(self, line: Line) -> None:
        """A client asks for other voters: line["payload"]["voters"]. One comes, or one goes.

        A leader appends it, as any entry. It refuses if an earlier change is not committed, if no
        entry of its own term is, and if it is not one server that comes or goes; and learners.
        """
        wanted = line["payload"]
        if self.role != "leader":
            self.reply["refused"] = {"reason": "not_leader", "leader": self.leader}
        elif self.changed_at > self.commit_index or self.log.term(self.commit_index) != self.term:
            self.reply["refused"] = {"reason": "ask again when more is committed"}
        elif len({*wanted["voters"]} ^ {*self.voters}) != 1 or wanted["learners"]:
            self.reply["refused"] = {"reason": "one voter at a time, and no learners"}
        else:
            index = self.reply["index"] = self.last_index + 1
            self.append({"term": self.term, "index": index, "payload": wanted})
            self.send_to_all()

    def take_voters(self) -> None:
        """The log has changed: the newest configuration in it counts, committed or not.

        `self.voters` and `self.peers` follow it, and `self.changed_at`, which is its index. A
        leader begins to send to whoever is new, from the end of its log on: `self.next_index`.
        """
        self.voters = self.configuration_at(self.last_index)["voters"]
        self.peers = [each for each in self.voters if each != self.node]
        held = self.log.after(self.log.base)
        changes = [each for each in held if each["payload"]["type"] == "configuration"]
        self.changed_at = changes[-1]["index"] if changes else self.log.base
        for peer in self.peers if self.role == "leader" else ():
            self.next_index.setdefault(peer, self.last_index)
            self.match_index.setdefault(peer, 0)

    def may_stand(self) -> bool:
        """Whether this server has a vote; or had one before a change that may not be committed."""
        before = self.configuration_at(self.changed_at - 1)["voters"]
        pending = self.changed_at > max(self.commit_index, self.log.base)
        return self.node in self.voters or (pending and self.node in before)

    def leave(self) -> None:
        """Something was committed: a leader without a vote has no more to do, once that is."""
        if self.node not in self.voters and self.commit_index >= self.changed_at:
            self.send_to_all()  # so that they know of it
            self.follow(None)

'''
STANDS = '''\
    def stand(self) -> None:
        """The timer has run out. With options["pre_vote"], first ask who would vote. Thesis, 9.6

        That is a "RequestVote" with is_prevote=True, in the next term: term=self.term + 1.
        """
        if not self.options["pre_vote"]:
            self.campaign()
            return
        self.leader, self.chances = None, {self.node}
        self.note("prevote", f"asks who would vote for it in term {self.term + 1}")
        self.wait_for_a_leader()
        last = {"last_log_index": self.last_index, "last_log_term": self.last_term}
        for peer in self.peers:
            self.send("RequestVote", peer, term=self.term + 1, is_prevote=True, **last)
        self.count_chances()
'''
WITH_ALL: Changes = (
    *WITH_LOG,
    (
        "        self.reply: Line = {}\n",
        '        self.configuration: Line = line["configuration"]\n        self.reply: Line = {}\n',
    ),
    (
        "        self.wait_for_a_leader()\n\n    # What is written",
        '        self.heard_at = float("-inf")  # when it heard its leader\n'
        "        self.chances: set[str] = set()  # who would vote for it\n"
        "        self.successor: str | None = None  # of a leader: to whom it hands over\n"
        "        self.give_up_at = 0.0\n"
        "        self.changed_at = 0  # the index of the newest configuration\n"
        "        self.take_voters()\n"
        "        self.wait_for_a_leader()\n\n    # What is written",
    ),
    (
        '        message = line["message"]\n',
        '        message = line["message"]\n'
        '        if message.get("is_prevote"):  # it is about a term that nobody is in yet\n'
        '            asks = message["type"] == "RequestVote"\n'
        "            (self.on_prevote_request if asks else self.on_prevote_reply)(message)\n"
        "            return\n",
    ),
    (
        '            "AppendEntriesReply": self.on_append_entries_reply,\n',
        '            "AppendEntriesReply": self.on_append_entries_reply,\n'
        '            "InstallSnapshot": self.on_install_snapshot,\n'
        '            "InstallSnapshotReply": self.on_install_snapshot_reply,\n'
        '            "TimeoutNow": self.on_timeout_now,\n',
    ),
    (
        '"follower", leader\n',
        '"follower", leader\n'
        "        if leader is not None:\n"
        "            self.heard_at, self.chances = self.now, set()\n",
    ),
    (
        '        if self.role == "leader":\n            self.send_to_all()\n'
        "        else:\n            self.campaign()\n",
        '        if self.role != "leader":\n            self.stand()\n            return\n'
        "        if self.successor is not None:\n            self.hand_over()\n"
        "        self.send_to_all()\n\n" + STANDS,
    ),
    (
        'The host asks only servers that do not lead."""\n        self.campaign()\n',
        'The host asks only servers that do not lead."""\n'
        '        if line["force"]:\n            self.campaign()\n'
        "        else:\n            self.stand()\n",
    ),
    (
        "        self.match_index = dict.fromkeys(self.voters, 0)\n",
        "        self.match_index = dict.fromkeys(self.voters, 0)\n        self.successor = None\n",
    ),
    (
        '        self.reply["index"] = self.last_index + 1\n',
        "        if self.successor is not None:\n"
        '            self.reply["refused"] = {"reason": f"it hands over to {self.successor}"}\n'
        "            return\n"
        '        self.reply["index"] = self.last_index + 1\n',
    ),
    (
        "            if self.next_index[peer] <= self.last_index:\n",
        "            if peer == self.successor:\n                self.hand_over()\n"
        "            if self.next_index[peer] <= self.last_index:\n",
    ),
    (
        'self.reply["refused"] = {"reason": "this machine does not change its members"}\n',
        "self.on_change(line)\n",
    ),
    (
        '"leader" or answer["term"] != self.term:\n            return\n        if result["type"]',
        '"leader" or answer["term"] != self.term or peer not in self.peers:\n'
        "            return  # who was let go has no more to say\n"
        '        if result["type"]',
    ),
    (
        '"""A client asks for something. Members stay who they are."""',
        '"""A client asks for something."""',
    ),
    (
        "        self.log.append(entry)\n",
        "        self.log.append(entry)\n"
        '        if entry["payload"]["type"] == "configuration":\n'
        "            self.take_voters()\n",
    ),
    ("        self.log.cut(index)\n", "        self.log.cut(index)\n        self.take_voters()\n"),
    (
        "        if sum(self.votes.values()) > len(self.voters) / 2:\n",
        "        votes = [self.votes.get(each, False) for each in self.voters]\n"
        "        if sum(votes) > len(votes) / 2:\n",
    ),
    (
        "        held = sorted(self.match_index.values(), reverse=True)\n",
        "        held = sorted((self.match_index[each] for each in self.voters), reverse=True)\n",
    ),
    (
        '            self.note("commit", f"committed up to entry {index}")\n',
        '            self.note("commit", f"committed up to entry {index}")\n'
        "            self.leave()\n",
    ),
    (
        "self.now + timeout if self.node in self.voters else None  # never stands\n",
        "self.now + timeout if self.may_stand() else None\n",
    ),
    ("    # The reply\n", SNAPSHOTS + HANDING_OVER + MEMBERSHIP + "    # The reply\n"),
    (
        '            server.reply["offers"] = ["campaign"]\n',
        "            # What it offers is marked.\n"
        '            server.reply["offers"] = ["campaign", "compact", "transfer_leadership"]\n',
    ),
    ('machine=rl.Process("python3 raft.py")', 'machine=rl.Process("python3 machine.py")'),
)
NOT_OFFERED: Changes = (
    (
        "            # What it offers is marked.\n"
        '            server.reply["offers"] = ["campaign", "compact", "transfer_leadership"]\n',
        '            # What it offers is marked: "compact" says that it has snapshots, and\n'
        '            # "transfer_leadership" that it asks for pre-votes and hands over.\n'
        '            server.reply["offers"] = ["campaign"]\n',
    ),
)
"""What students begin with, besides methods that are to be written."""
NOT_YET: Mapping[str, str] = {
    "stand": "self.campaign()",
    "on_change": 'self.reply["refused"] = {"reason": "this machine does not change its members"}',
    "take_voters": "",
    "may_stand": "return self.node in self.voters",
    "leave": "",
}
"""What methods do that are to be written, and are needed before they are. Others raise."""
