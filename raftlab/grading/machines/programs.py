"""What students begin with in M4, M5 and M7, and the reference: both are made of the sample.

The sample is a whole Raft. M4 takes its persistence away; M5 gives it, and asks for reads; M7
asks for snapshots, for pre-vote and the transfer of leadership, or for membership.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import cache

from raftlab.grading.machines.more import NOT_OFFERED, NOT_YET, WITH_ALL
from raftlab.grading.milestones import MILESTONES
from raftlab.process.samples import sample

ON_DISK = """\
        self.term: int = line["term"]
        self.voted_for: str | None = line["voted_for"]
        self.log: list[Entry] = [BEFORE_ALL, *line["log"]]
"""
NOT_READ = """\
        self.term: int = 0  # what does the disk hold? `line` says it
        self.voted_for: str | None = None
        self.log: list[Entry] = [BEFORE_ALL]
"""
READS = '''\
    # Reads that never show the past, without an entry in the log. Thesis, 6.4

    def on_read(self, line: Line) -> None:
        """A client asks for a read: it waits until a majority has said that this server leads.

        The reply later has "reads": [{"read_id": line["read_id"], "index": 5}]: the read shows
        what is there once entry 5 is applied. A server that does not lead refuses, as it does an
        entry. Each question to the others has a number, `self.round`; they say it back.
        """
        if self.role != "leader":
            self.reply["refused"] = {"reason": "not_leader", "leader": self.leader}
            return
        self.round += 1
        self.reads[line["read_id"]] = self.round
        self.send_to_all()
        self.answer_reads()

    def answer_reads(self) -> None:
        """Answer the reads that can be answered now. It is called whenever something has changed.

        `self.rounds` says for each of the others the latest round that it has answered.
        """
        if self.role != "leader" or self.log[self.commit_index]["term"] != self.term:
            return  # it does not know yet what was committed before
        rounds = sorted([self.round, *self.rounds.values()], reverse=True)
        answered = rounds[len(self.voters) // 2]
        for read_id, asked in list(self.reads.items()):
            if asked <= answered:
                del self.reads[read_id]
                ready = {"read_id": read_id, "index": self.commit_index}
                self.reply.setdefault("reads", []).append(ready)

    def fail_reads(self) -> None:
        """It leads no more: its clients ask again. The reply has "failed_reads": [their ids]."""
        if self.reads:
            self.reply["failed_reads"] = list(self.reads)
        self.reads = {}

    # The reply
'''
WITH_READS: Sequence[tuple[str, str]] = (
    (
        "        self.wait_for_a_leader()\n\n    # What is written",
        "        self.round = 0  # of the latest question whether it still leads\n"
        "        self.rounds: dict[str, int] = {}  # of a leader\n"
        "        self.reads: dict[int, int] = {}  # by their id, the round that each waits for\n"
        "        self.wait_for_a_leader()\n\n    # What is written",
    ),
    (
        '"follower", leader\n        if was_leader',
        '"follower", leader\n        if was_leader:\n            self.fail_reads()\n'
        "        if was_leader",
    ),
    (
        "        self.match_index = dict.fromkeys(self.voters, 0)\n",
        "        self.match_index = dict.fromkeys(self.voters, 0)\n"
        "        self.rounds = dict.fromkeys(self.peers, 0)\n",
    ),
    (
        "            leader_commit=self.commit_index,\n",
        "            leader_commit=self.commit_index,\n            read_round=self.round,\n",
    ),
    (
        '        leader = request["sender"]\n'
        '        self.send("AppendEntriesReply", leader, commit_index=self.commit_index,'
        " result=result)\n",
        '        said = {"commit_index": self.commit_index, "result": result}\n'
        '        said["read_round"] = request.get("read_round", 0)\n'
        '        self.send("AppendEntriesReply", request["sender"], **said)\n',
    ),
    (
        "            return\n        if result[",
        "            return\n"
        '        self.rounds[peer] = max(self.rounds[peer], answer.get("read_round", 0))\n'
        "        self.answer_reads()\n"
        "        if result[",
    ),
    (
        '            self.note("commit", f"committed up to entry {index}")\n',
        '            self.note("commit", f"committed up to entry {index}")\n'
        "            self.answer_reads()\n",
    ),
    ("    # The reply\n", READS),
    ('["offers"] = ["campaign"]', '["offers"] = ["campaign", "read"]'),
    ('machine=rl.Process("python3 raft.py")', 'machine=rl.Process("python3 machine.py")'),
)
ASKED: Mapping[str, Sequence[str]] = {
    "M4": ("set_term_and_vote", "append", "cut", "on_saved"),
    "M5": ("on_read", "answer_reads", "fail_reads"),
    "snapshots": (
        *("on_compact", "keep_snapshot", "send_snapshot"),
        *("on_install_snapshot", "on_install_snapshot_reply"),
    ),
    "pre-vote and transfer": (
        *("stand", "on_prevote_request", "on_prevote_reply", "count_chances"),
        *("on_transfer_leadership", "hand_over", "on_timeout_now"),
    ),
    "membership": ("on_change", "take_voters", "may_stand", "leave"),
}
"""The methods that a milestone asks for, or an option of one."""
ADDED: Mapping[str, Sequence[tuple[str, str]]] = {"M4": (), "M5": WITH_READS, "M7": WITH_ALL}
"""What the reference has beyond the sample."""
TAKEN_AWAY: Mapping[str, Sequence[tuple[str, str]]] = {
    "M4": ((ON_DISK, NOT_READ),),
    "M5": (),
    "M7": NOT_OFFERED,
}
"""What students find otherwise, besides those methods."""


@cache
def reference(milestone: str) -> str:
    """The program that has all points."""
    return replaced(sample("python").read_text(encoding="utf-8"), ADDED[milestone])


@cache
def given(milestone: str) -> str:
    """What students begin with: the reference without what is asked for."""
    text = replaced(reference(milestone), TAKEN_AWAY[milestone])
    asked = [milestone, *(each.name for each in MILESTONES[milestone].options)]
    methods = [method for each in asked for method in ASKED.get(each, ())]
    return emptied(text, methods)


def replaced(text: str, changes: Sequence[tuple[str, str]]) -> str:
    """A text in which each of these stands once, and has been replaced. Raises: ValueError."""
    for written, instead in changes:
        if text.count(written) != 1:
            raise ValueError(f"this stands there {text.count(written)} times: {written}")
        text = text.replace(written, instead)
    return text


def emptied(text: str, methods: Sequence[str]) -> str:
    """A program in which these methods say what they do, and do nothing yet, or too little."""
    lines = text.splitlines()
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(nodes, key=lambda each: -each.lineno):
        if node.name in methods:
            start, end = node.body[1].lineno - 1, node.end_lineno
            body = NOT_YET.get(node.name, f'raise NotImplementedError("write {node.name}")')
            lines[start:end] = [f"        {body}"] if body else []
    return "\n".join(lines) + "\n"
