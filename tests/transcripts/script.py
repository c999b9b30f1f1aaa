"""Runs a transcript: commands for a cluster, each with the text that it prints.

    # a comment
    new 3 seed=7
    ----

    elect S1
    ----
      0.0 ms  S1's election timer is made to run out (by force): …

A command stands on one line, "----" under it, what it prints under that, then a blank line.
A verb prints what happened, step by step; `quiet` before it prints the last line of that only.

    new N [option=value …]       a cluster: see OPTIONS
    elect [NODE]                 until there is a leader, or until NODE leads
    timeout NODE                 its election timer runs out now
    propose TEXT [NODE]          hand a command to the leader, or to NODE
    step [N]                     the next N things that happen
    run MS                       let time pass
    crash, restart, pause, resume, isolate NODE
    partition NODES | NODES …    cut the network into groups
    cut SENDER RECEIVER [one-way], heal, calm
    deliver, drop, duplicate, delay MESSAGE [MS]
                                 MESSAGE is its number, or SENDER RECEIVER for the oldest there
    show [cluster | logs | flights | applied | NODE …]
    events [N]                   the last N steps
    expect-error COMMAND         print what is wrong with that
"""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.frame import Event
from raftlab.sim.invariants import Violation
from raftlab.sim.settings import Disks, Network
from raftlab.view.describe import describe_cluster, describe_logs, flight_text

RULE = "----"


class NoEmptyEntry(Rules):
    """Nothing is appended when a term starts, as in the paper's Figure 8."""

    def appends_at_term_start(self) -> bool:
        return False


class CountsOldTerms(NoEmptyEntry):
    """An entry on a majority is taken for committed, whatever its term."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return max(matched, commit_index)


RULES = {"no-empty-entry": NoEmptyEntry, "counts-old-terms": CountsOldTerms}


def numbers(text: str) -> tuple[float, float]:
    """ "5-15" or "10" as a range."""
    low, _, high = text.partition("-")
    return (float(low), float(high or low))


def logs(text: str) -> dict[str, list[int]]:
    """ "S1:1,1,4;S2:1" as terms for each node."""
    pairs = (each.split(":") for each in text.split(";"))
    return {node: [int(term) for term in terms.split(",") if term] for node, terms in pairs}


def switch(text: str) -> bool:
    """ "on" or "off"."""
    return {"on": True, "off": False}[text]


# name of an option -> (where it goes, what it is called there, how its value is read)
OPTIONS: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "pre-vote": ("options", "pre_vote", switch),
    "check-quorum": ("options", "check_quorum", switch),
    "stickiness": ("options", "leader_stickiness", switch),
    "window": ("options", "max_in_flight", int),
    "latency": ("network", "latency", numbers),
    "loss": ("network", "loss", float),
    "write": ("disks", "write_ms", float),
    "keeps": ("disks", "keeps", lambda text: tuple(text.split(","))),
    "seed": ("cluster", "seed", int),
    "logs": ("cluster", "logs", logs),
    "rules": ("cluster", "rules", RULES.__getitem__),
    "watched": ("cluster", "watched", switch),
}


def new_cluster(size: str, *settings: str) -> Cluster:
    """A cluster with a steady network and quick disks, unless told otherwise.

    Pre-vote, check-quorum and stickiness are off unless `complete` is among the settings:
    most scenes are scenes of the paper.
    """
    given: dict[str, dict[str, object]] = {
        "options": {},
        "network": {"latency": (10.0, 10.0)},
        "disks": {"write_ms": 0.0},
        "cluster": {},
    }
    plain = Options() if "complete" in settings else Options.figure_2()
    for name in ("pre_vote", "check_quorum", "leader_stickiness"):
        given["options"][name] = getattr(plain, name)
    for setting in settings:
        if setting != "complete":
            name, _, value = setting.partition("=")
            part, called, read = OPTIONS[name]
            given[part][called] = read(value)
    return Cluster(
        int(size),
        options=Options(**given["options"]),
        network=Network(**given["network"]),
        disks=Disks(**given["disks"]),
        **given["cluster"],
    )


def told(event: Event) -> str:
    """A step with its time."""
    return f"{event.at:8.1f} ms  {event.text}"


class Script:
    """The cluster of one transcript, and its commands."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None

    def run(self, line: str) -> str:
        """Carry out one command; what it prints, without blank lines."""
        command, *about = shlex.split(line)
        if command == "expect-error":
            return self._expect_error(line.removeprefix("expect-error").strip())
        if command == "quiet":
            return "\n".join(self.run(" ".join(map(shlex.quote, about))).splitlines()[-1:])
        if command == "new":
            self.cluster = new_cluster(*about)
            return ""
        assert self.cluster is not None, "a transcript starts with: new N"
        before = self.cluster.number
        printed = getattr(self, f"do_{command.replace('-', '_')}")(*about)
        happened = self.cluster.number - before
        steps = [told(event) for event in self.cluster.events(happened)] if happened else []
        return "\n".join(filter(None, [*steps, *(printed or "").splitlines()]))

    def _expect_error(self, line: str) -> str:
        try:
            printed = self.run(line)
        except Misuse as error:
            return f"error: {error}"
        except Violation as violation:
            return f"violation: {violation}"
        raise AssertionError(f"{line!r} was expected to fail, and printed\n{printed}")

    # Letting time pass

    def do_elect(self, node: str | None = None) -> None:
        self.cluster.elect(node)

    def do_timeout(self, node: str) -> None:
        self.cluster.timeout(node)

    def do_propose(self, text: str, to: str | None = None) -> None:
        self.cluster.propose(text, to)

    def do_step(self, times: str = "1") -> None:
        for _ in range(int(times)):
            self.cluster.step()

    def do_run(self, ms: str) -> None:
        self.cluster.run(float(ms))

    # Nodes

    def do_crash(self, node: str) -> None:
        self.cluster.crash(node)

    def do_restart(self, node: str) -> None:
        self.cluster.restart(node)

    def do_pause(self, node: str) -> None:
        self.cluster.pause(node)

    def do_resume(self, node: str) -> None:
        self.cluster.resume(node)

    # The network

    def do_partition(self, *sides: str) -> None:
        self.cluster.partition(*" ".join(sides).split(" | "))

    def do_isolate(self, node: str) -> None:
        self.cluster.isolate(node)

    def do_cut(self, sender: str, receiver: str, one_way: str = "") -> None:
        self.cluster.cut(sender, receiver, both_ways=not one_way)

    def do_heal(self) -> None:
        self.cluster.heal()

    def do_calm(self) -> None:
        self.cluster.calm()

    # Messages

    def number(self, *which: str) -> int:
        """The number of a message: given, or that of the oldest on a link."""
        if len(which) == 1:
            return int(which[0])
        for flight in self.cluster.frame().in_flight:
            if (flight.message.sender, flight.message.receiver) == which:
                return flight.number
        raise Misuse(f"No message from {which[0]} to {which[1]} is on its way.")

    def do_deliver(self, *which: str) -> None:
        self.cluster.deliver(self.number(*which))

    def do_drop(self, *which: str) -> None:
        self.cluster.drop(self.number(*which))

    def do_duplicate(self, *which: str) -> None:
        self.cluster.duplicate(self.number(*which))

    def do_delay(self, *which: str) -> None:
        *which, ms = which
        self.cluster.delay(self.number(*which), float(ms))

    # Looking

    def do_show(self, *what: str) -> str:
        frame = self.cluster.frame()
        if not what:
            logs = describe_logs(frame).split("\n", 1)[1]
            return f"{describe_cluster(frame)}\n{logs}"
        if what[0] in ("cluster", "logs"):
            return {"cluster": describe_cluster, "logs": describe_logs}[what[0]](frame)
        if what[0] == "flights":
            flights = [flight_text(each, frame.at) for each in frame.in_flight]
            return "\n".join(flights) or "nothing is on its way"
        if what[0] == "applied":
            return "\n".join(
                f"{node.node}  applied {node.applied_index}: "
                + (" ".join(f"{key}={value}" for key, value in node.values.items()) or "-")
                for node in frame.nodes
                if node.alive
            )
        return "\n".join(self._one(node) for node in what)

    def _one(self, name: str) -> str:
        node = next(each for each in self.cluster.frame().nodes if each.node == name)
        if not node.alive:
            return f"{name} is down"
        known = "".join(
            f"\n  {each.node}: match {each.match_index}, next {each.next_index},"
            f" {each.state.value}, in flight {each.in_flight}"
            for each in node.progress
            if each.node != name
        )
        terms = " ".join(str(entry.term) for entry in node.log) or "empty"
        return (
            f"{name} is a {node.role.value} in term {node.term}, vote {node.voted_for or '-'},"
            f" leader {node.leader or '-'}; log {terms}; commit {node.commit_index}{known}"
        )

    def do_events(self, last: str = "10") -> str:
        return "\n".join(told(event) for event in self.cluster.events(int(last)))


# Files


def blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of a transcript as ("comment", lines) and ("command", [command])."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.startswith("#"):
            yield "comment", [line]
            continue
        yield "command", [line]
        for rest in lines:
            if not rest.strip():
                yield "comment", [""]
                break


def played(text: str, name: str = "transcript") -> str:
    """A transcript with what its commands print now."""
    script, written = Script(), []
    for kind, (line,) in blocks(text):
        if kind == "comment":
            written.append(line)
            continue
        try:
            printed = script.run(line)
        except Exception as error:
            error.add_note(f"in {name}, at the command {line!r}")
            raise
        written += [line, RULE, *(each.rstrip() for each in printed.splitlines())]
    return "\n".join(written).rstrip() + "\n"


def all_files() -> list[Path]:
    """Every transcript in this folder."""
    return sorted(Path(__file__).parent.glob("*.txt"))
