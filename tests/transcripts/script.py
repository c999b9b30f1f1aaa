"""Runs a transcript: commands for a cluster, each with the text that it prints.

    # a comment
    new 3 seed=7
    ----

    elect S1
    ----
      0.0 ms  S1's election timer is made to run out (by force): …

A command stands on one line, "----" under it, what it prints under that, then a blank line.
A verb prints what happened, step by step. `quiet` before it prints the last line of that only,
and `only WORDS` the lines in which one of the words stands ("commit|lost").

    new N [option=value …]       a cluster: see `settings.py`
    elect [NODE]                 until there is a leader, or until NODE leads
    timeout NODE                 its election timer runs out now
    propose TEXT [NODE]          hand a command to the leader, or to NODE
    step [N]                     the next N things that happen
    run MS                       let time pass
    crash, restart, pause, resume, isolate, wipe NODE
    forget-leader NODE           let it follow nobody
    clock NODE RATE              let its clock run RATE times as fast
    slow-disk NODE MS            let its writes take MS
    compact NODE [INDEX]         let a snapshot stand for its log
    transfer [NODE]              let the leader hand over
    read KEY [NODE]              ask for a value; `show reads` says what came of it
    get KEY [NODE]               ask, and run until there is an answer
    add-node, add-learner, promote, remove NODE
    reconfigure VOTERS [LEARNERS]
                                 "S1 S2 S4" "S5"
    open-sessions NAME …         a client session for each name
    partition NODES | NODES …    cut the network into groups
    cut SENDER RECEIVER [one-way], heal, calm
    network [SENDER RECEIVER [one-way]] [latency=MS] [loss=CHANCE] …
                                 change how messages are carried from now on
    deliver, drop, duplicate, delay MESSAGE [MS]
                                 MESSAGE is its number, or SENDER RECEIVER for the oldest there
    show [cluster | logs | flights | applied | members | reads | NODE …]
    answers NODE [FIRST]         what its application said to each command, from entry FIRST
    committed, vote …            tables of majorities, without a cluster: see `tables.py`
    events [N]                   the last N steps
    expect-error COMMAND         print what is wrong with that
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from raftlab.raft.vocabulary import REFUSALS, Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Event
from raftlab.sim.world.host import Reading
from raftlab.sim.world.violation import Violation
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.logs.description import describe_logs
from raftlab.view.words import flight_text
from tests.transcripts import looking, tables
from tests.transcripts.settings import new_cluster

RULE = "----"


def told(event: Event) -> str:
    """A step with its time."""
    return f"{event.at:8.1f} ms  {event.text}"


class Script:
    """The cluster of one transcript, and its commands."""

    def __init__(self) -> None:
        self.made: Cluster | None = None
        self.readings: list[Reading] = []

    @property
    def cluster(self) -> Cluster:
        assert self.made is not None, "a transcript starts with: new N"
        return self.made

    def run(self, line: str) -> str:
        """Carry out one command; what it prints, without blank lines."""
        command, *about = shlex.split(line)
        if command == "expect-error":
            return self._expect_error(line.removeprefix("expect-error").strip())
        if command == "quiet":
            return "\n".join(self._lines(about)[-1:])
        if command == "only":
            words = re.compile(about[0])
            return "\n".join(filter(words.search, self._lines(about[1:])))
        before = self.made.number if self.made else 0
        printed = getattr(self, f"do_{command.replace('-', '_')}")(*about)
        happened = self.made.number - before if self.made else 0
        steps = [told(event) for event in self.cluster.events(happened)] if happened else []
        return "\n".join(filter(None, [*steps, *(printed or "").splitlines()]))

    def _lines(self, words: list[str]) -> list[str]:
        return self.run(" ".join(map(shlex.quote, words))).splitlines()

    def _expect_error(self, line: str) -> str:
        try:
            printed = self.run(line)
        except REFUSALS as error:
            return f"error: {error}"
        except Violation as violation:
            return f"violation: {violation}"
        raise AssertionError(f"{line!r} was expected to fail, and printed\n{printed}")

    def do_new(self, size: str, *settings: str) -> None:
        self.made, self.readings = new_cluster(size, *settings), []

    # Letting time pass

    def do_elect(self, node: str | None = None) -> None:
        self.cluster.elect(node)

    def do_timeout(self, node: str) -> None:
        self.cluster.timeout(node)

    def do_propose(self, text: str, to: str | None = None) -> None:
        self.cluster.propose(text, to)

    def do_open_sessions(self, *clients: str) -> None:
        for client in clients:
            self.cluster.propose(f"open {client}")

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

    def do_wipe(self, node: str) -> None:
        self.cluster.wipe(node)

    def do_forget_leader(self, node: str) -> None:
        self.cluster.forget_leader(node)

    def do_clock(self, node: str, rate: str) -> None:
        self.cluster.set_clock_rate(node, float(rate))

    def do_slow_disk(self, node: str, ms: str) -> None:
        self.cluster.slow_disk(node, float(ms))

    def do_compact(self, node: str, up_to: str | None = None) -> None:
        self.cluster.compact(node, int(up_to) if up_to else None)

    def do_transfer(self, to: str | None = None) -> None:
        self.cluster.transfer(to)

    # Reads

    def do_read(self, key: str, of: str | None = None) -> None:
        self.readings.append(self.cluster.read(key, of))

    def do_get(self, key: str, of: str | None = None) -> str:
        value = self.cluster.get(key, of)
        return f"{key} has no value" if value is None else f"{key} is {value}"

    # Members

    def do_add_node(self, node: str) -> None:
        self.cluster.add_node(node)

    def do_add_learner(self, node: str) -> None:
        self.cluster.add_learner(node)

    def do_promote(self, node: str) -> None:
        self.cluster.promote(node)

    def do_remove(self, node: str) -> None:
        self.cluster.remove(node)

    def do_reconfigure(self, voters: str, learners: str = "") -> None:
        self.cluster.reconfigure(voters, learners)

    # The network

    def do_partition(self, *sides: str) -> None:
        self.cluster.partition(*" ".join(sides).split(" | "))

    def do_isolate(self, node: str) -> None:
        self.cluster.isolate(node)

    def do_cut(self, sender: str, receiver: str, one_way: str = "") -> None:
        self.cluster.cut(sender, receiver, both_ways=not one_way)

    def do_heal(self) -> None:
        self.cluster.heal()

    def do_network(self, *words: str) -> None:
        ends = [word for word in words if "=" not in word and word != "one-way"]
        said = dict(word.split("=") for word in words if "=" in word)
        settings: dict[str, Any] = {name: float(value) for name, value in said.items()}
        if "latency" in said:
            settings["latency"] = (settings["latency"], settings["latency"])
        self.cluster.set_network(*ends, both_ways="one-way" not in words, **settings)

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
        match what:
            case ():
                logs = describe_logs(frame).split("\n", 1)[1]
                return f"{describe_cluster(frame)}\n{logs}"
            case ("cluster",):
                return describe_cluster(frame)
            case ("logs",):
                return describe_logs(frame)
            case ("flights",):
                flights = [flight_text(each, frame.at) for each in frame.in_flight]
                return "\n".join(flights) or "nothing is on its way"
            case ("applied",):
                return looking.applied_table(frame)
            case ("members",):
                return looking.members_table(frame)
            case ("reads",):
                return looking.reads_table(self.readings)
            case _:
                return "\n".join(looking.node_text(frame[node]) for node in what)

    def do_answers(self, node: str, first: str = "1") -> str:
        return looking.answers_table(self.cluster, node, int(first))

    def do_committed(self, *words: str) -> str:
        return tables.committed(*words)

    def do_vote(self, *words: str) -> str:
        return tables.vote(*words)

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
