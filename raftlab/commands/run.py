"""`raftlab run`: a cluster for a while, or a named situation."""

import argparse
from collections.abc import Callable
from typing import Any

import msgspec

from raftlab.commands.answers import Answer, Exit, about_run, share_of
from raftlab.commands.arguments import (
    Parser,
    add_classes,
    add_settings,
    classes,
    near,
    number,
    settings,
    span,
    typed,
    whole,
    written_to,
)
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.share import PUBLISHED
from raftlab.sim.world.settings import Disks, Network

NAME = "run"
HELP = "run a cluster, or a named situation, and show where it stands"
ABOUT = """\
Run a cluster for some virtual time and show where it stands. The same command gives the same run,
always and everywhere. With --propose, a leader is elected first."""
EXAMPLE = """\
  raftlab run 5 --seed 7 --propose x=1 --ms 100
  raftlab run --scenario figure_8 --panel c"""
ELSEWHERE = (
    "nodes",
    "options",
    "figure_2",
    "disks",
    "rules",
    "machine",
    *Network.__struct_fields__,
)
FOR_MS = 1000.0
MOST_MS = 10_000_000.0  # some hours of virtual time: half a gigabyte of recording


def add_arguments(parser: Parser) -> None:
    """What `raftlab run` takes."""
    parser.add_argument(
        "nodes", nargs="?", type=whole(), help="how many nodes, from 1 to 51 (default: 5)"
    )
    parser.add_argument("--seed", type=whole(), help="what chance hangs on (default: 0)")
    parser.add_argument(
        "--ms",
        type=for_ms,
        help=f"how much virtual time passes (default: {FOR_MS:g}; none in a scenario)",
    )
    parser.add_argument(
        "--propose", metavar="COMMAND", action="append", default=[], help="like x=1; repeatable"
    )
    parser.add_argument(
        "--save", metavar="FILE", help="write the run to a file, for raftlab replay"
    )
    parser.add_argument(
        "--share", action="store_true", help="print the run as a text that raftlab replay opens"
    )
    parser.add_argument(
        "--link",
        metavar="BASE",
        nargs="?",
        const=PUBLISHED,
        help="print a link that opens it in the published lab, or in the one at this address",
    )
    add_classes(parser)
    scenes = parser.add_argument_group("named situations")
    scenes.add_argument("--scenario", metavar="NAME", help="such as figure_8, split_vote")
    scenes.add_argument("--panel", metavar="P", help="which picture of the situation, such as c")
    scenes.add_argument("--list-scenarios", action="store_true", help="list them, and their panels")
    world = parser.add_argument_group("the world around the nodes")
    world.add_argument("--loss", type=number, metavar="P", help="chance that a message is lost")
    world.add_argument("--duplication", type=number, metavar="P", help="… comes twice")
    world.add_argument("--reordering", type=number, metavar="P", help="… may be overtaken")
    world.add_argument(
        "--latency", type=span, metavar="MIN-MAX", help="ms from sender to receiver (5-15)"
    )
    every_node = "settings of every node, like pre_vote=false election_timeout=150-300: "
    add_settings(world, "--options", every_node + ", ".join(Options.__struct_fields__))
    world.add_argument(
        "--figure-2",
        action="store_true",
        help="as the paper's Figure 2 has it, without the protections of the thesis",
    )
    every_disk = "settings of every disk: "
    add_settings(world, "--disks", every_disk + ", ".join(Disks.__struct_fields__))


def for_ms(text: str) -> float:
    """A reader of how long a run goes on."""
    return number(text, MOST_MS)


def carry_out(given: argparse.Namespace) -> Answer:
    """Run, save, show."""
    if given.list_scenarios:
        return scenarios()
    save = None if given.save is None else written_to(given.save)
    cluster = scene(given) if given.scenario is not None else made(given)
    ms = given.ms if given.ms is not None else (0.0 if given.scenario else FOR_MS)
    attempt(cluster, lambda: go_on(cluster, given.propose, ms))
    if save is not None:
        cluster.recording.save(save)
    answer = about_run(cluster)
    if given.share:
        text = share_of(cluster.recording) or cluster.recording.share()
        answer = answer._replace(text=f"{answer.text}\n\n{text}")
    if given.link is not None:
        link = cluster.recording.link(given.link)
        answer = Answer(answer.code, f"{answer.text}\n\n{link}", {**answer.document, "link": link})
    return answer


def made(given: argparse.Namespace) -> Cluster:
    """The cluster that was described."""
    refuse_lone_panel(given)
    return Cluster(
        5 if given.nodes is None else given.nodes,
        seed=given.seed or 0,
        options=options(given),
        network=Network(**typed(Network, given)),
        disks=Disks(**settings(Disks, given.disks)),
        **classes(given),
    )


def refuse_lone_panel(given: argparse.Namespace) -> None:
    """Raises: Misuse, if a panel was named and no scenario."""
    if given.panel is not None:
        raise Misuse("a panel is one of a scenario: name it with --scenario")


def options(given: argparse.Namespace) -> Options:
    """The options that were typed."""
    changes = settings(Options, given.options)
    return Options.figure_2(**changes) if given.figure_2 else Options(**changes)


def scene(given: argparse.Namespace) -> Cluster:
    """The named situation. Raises: Misuse, for what is not there, or what it does not take."""
    from raftlab.sim.scenarios import SCENARIOS, scenario

    for name in ELSEWHERE:
        if getattr(given, name, None) not in (None, [], False):
            said = name if name == "nodes" else f"--{name.replace('_', '-')}"
            raise Misuse(f"a scenario brings its own cluster: leave out {said}")
    if given.scenario not in SCENARIOS:
        hint = near(given.scenario, SCENARIOS) or ": raftlab run --list-scenarios lists them"
        raise Misuse(f"there is no scenario {shown(str(given.scenario))}{hint}")
    found = scenario(given.scenario)
    chosen: dict[str, Any] = {} if given.seed is None else {"seed": given.seed}
    if given.panel is None:
        return found(**chosen)
    if not found.panels:
        raise Misuse(f"{found.name} has no panels: leave out --panel")
    if given.panel not in found.panels:
        raise Misuse(f"{found.name} has the panels {', '.join(found.panels)}")
    return found(given.panel, **chosen)


def attempt(cluster: Cluster, something: Callable[[], object]) -> None:
    """Let something happen; where a property falls or a machine fails, the cluster has it."""
    try:
        something()
    except Exception:
        if cluster.stopped is None:
            raise


def go_on(cluster: Cluster, commands: list[str], ms: float) -> None:
    """Propose the commands to a leader, and let time pass. A run that has stopped stays so."""
    if cluster.stopped is not None:
        return
    if commands:
        cluster.elect()
    for command in commands:
        cluster.propose(command)
    if ms:
        cluster.run(ms)


def scenarios() -> Answer:
    """The list of named situations."""
    from raftlab.sim.scenarios import SCENARIOS

    lines, listed = [], []
    for each in SCENARIOS.values():
        panels = f" ({', '.join(each.panels)})" if each.panels else ""
        lines.append(f"{each.name}{panels}\n    {each.title}")
        told = msgspec.structs.asdict(each)
        listed.append({key: told[key] for key in ("name", "title", "source", "panels", "breaks")})
    return Answer(Exit.FINE, "\n".join(lines), {"scenarios": listed})
