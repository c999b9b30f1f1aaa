"""One seed of a campaign: the run that it gives, and the verdict on it."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import msgspec

from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import FAULTS, NETWORK_CHANGES
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import MessageStorm, RandomRun
from raftlab.check.campaign.timed_faults import PLANS
from raftlab.check.shrink.steps import NOT_DETERMINISTIC, NonDeterminism
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Millis, Misuse, NodeId, listed, shown
from raftlab.sim.commands.client_commands import made_up
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.arguments import RulesGiven, machine_of, node_names, setting
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Disks, Network

Verdict: TypeAlias = Literal["ok", "violation", "stuck", "raised", "killed"]

VERDICTS: Mapping[Verdict, str] = {
    "ok": "ok",
    "violation": "a property was broken",
    "stuck": "peace did not mend it",
    "raised": "a machine raised an error",
    "killed": "its process died, every time",
}
"""What can come of a seed, the best first."""

FEWEST_NODES = 3  # that a seed would choose
KINDS: Mapping[str, type] = {"disks": Disks, "network": Network, "options": Options}
SWITCHES = {"change_network": False, "change_members": True}
"""What can be switched, and how it stands if nobody says."""
GIVEN = frozenset([*KINDS, *SWITCHES, "nodes"])
"""What a campaign can be given, beside rules and a machine."""

FAULT_NAMES = tuple(verb.__name__ for verb, _ in FAULTS + PLANS)
"""The names of all faults that a run can meet."""

NETWORK_FAULT_NAMES = tuple(verb.__name__ for verb, _ in NETWORK_CHANGES)
"""The names of those that it meets besides, where the network changes while it goes on."""

NO_SUCH_SERVER = (KeyError, Misuse)
"""What comes of it when a server is looked for that a machine made up."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # where an object lies is chance


class SeedResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one seed: always the same, wherever it was run.

    `broke` is the property of a violation, `frame` where it fell; `text` says what is wrong.
    `events` is how many actions happened, `settled_after` how long the healed cluster needed
    until all was well (ms of virtual time; None if it never was). `faults` are those that really
    happened, and how often.
    """

    seed: int
    verdict: Verdict
    text: str = ""
    broke: str = ""
    frame: int | None = None
    events: int = 0
    settled_after: Millis | None = None
    faults: tuple[tuple[str, int], ...] = ()


class Conditions(msgspec.Struct, frozen=True):
    """What all seeds of a campaign share, in place of what a seed would choose.

    `rules` and `machine` as in `Cluster`; `given` are more of its arguments.
    """

    rules: RulesGiven = None
    machine: MachineFactory | None = None
    given: Mapping[str, Any] = {}

    @property
    def arguments(self) -> dict[str, Any]:
        """Those that differ from what a seed would choose, as `random_run.start` takes them."""
        named = {"rules": self.rules, "machine": self.machine}
        return {**{k: v for k, v in named.items() if v is not None}, **self.given}

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of all faults that a run can meet under them."""
        return FAULT_NAMES + NETWORK_FAULT_NAMES if "change_network" in self.given else FAULT_NAMES


def checked(
    rules: RulesGiven, machine: MachineFactory | None, given: Mapping[str, Any]
) -> Conditions:
    """What is given to a campaign, as its conditions. Raises: Misuse, before anything is run."""
    for name in given:
        if name not in GIVEN:
            raise Misuse(f"a campaign can be given {', '.join(sorted(GIVEN))}, and not {name}")
    kept = {name: value for name, value in given.items() if value is not None}
    for name, kind in KINDS.items():
        setting(name, kept.get(name), kind)
    for name, usual in SWITCHES.items():
        switched = kept.pop(name, usual)
        if not isinstance(switched, bool):
            raise Misuse(f"{name} is True or False, not {shown(switched)}")
        kept |= {name: switched} if switched != usual else {}
    nodes = kept.get("nodes")
    if nodes is not None and not isinstance(nodes, int):
        kept["nodes"] = node_names(nodes)
    names = node_names(FEWEST_NODES if nodes is None else nodes)
    _check_rules(rules, names, chosen=nodes is not None)
    if machine is not None:
        machine_of(machine)
    return Conditions(rules, machine, kept)


def _check_rules(rules: RulesGiven, names: tuple[NodeId, ...], chosen: bool) -> None:
    """Raises: Misuse, for what are no rules, and for nodes that a run may be without."""
    each = rules if isinstance(rules, Mapping) else {names[0]: Rules if rules is None else rules}
    for node, its in each.items():
        if not (isinstance(its, Rules) or (isinstance(its, type) and issubclass(its, Rules))):
            raise Misuse(f"rules are a subclass of Rules, or an instance of one, not {shown(its)}")
        if node not in names:
            hint = "" if chosen else "; a seed may choose three: say how many with nodes=…"
            raise Misuse(f"rules are given for {shown(node)}; the nodes are {listed(names)}{hint}")


def try_seed(seed: int, conditions: Conditions) -> SeedResult:
    """Let one seed's faults happen, then heal; what came of it."""
    return _tried(seed, conditions)[1]


def _tried(seed: int, conditions: Conditions) -> tuple[RandomRun | None, SeedResult]:
    """A seed's run, if it could begin, and what came of it."""
    run: RandomRun | None = None
    try:
        run = start(seed, **conditions.arguments)
        inject_faults(run)
        heal_and_converge(run)
        wrong = complaint(run)
    except Exception as error:
        return run, _stopped(seed, run, error)
    return run, SeedResult(
        seed,
        "ok" if wrong is None else "stuck",
        text=ADDRESS.sub("", wrong.text if wrong else ""),
        events=run.cluster.number,
        settled_after=run.settled_after,
        faults=_faults(run),
    )


def _faults(run: RandomRun) -> tuple[tuple[str, int], ...]:
    """What has happened of all the faults that can be chosen."""
    names = FAULT_NAMES + NETWORK_FAULT_NAMES
    return tuple((name, run.happened[name]) for name in names if run.happened[name])


def try_seeds(seeds: Iterable[int], conditions: Conditions) -> tuple[SeedResult, ...]:
    """One seed after the other."""
    return tuple(try_seed(seed, conditions) for seed in seeds)


def _stopped(seed: int, run: RandomRun | None, error: Exception) -> SeedResult:
    """The verdict on a run that could not go on."""
    events = run.cluster.number if run else 0
    if run is not None and isinstance(error, MessageStorm):
        return SeedResult(seed, "stuck", str(error), events=events, faults=_faults(run))
    if run is not None and (fallen := run.cluster.violation) is not None:
        broke, frame = fallen.name, fallen.frame
        return SeedResult(seed, "violation", fallen.text, broke, frame, events, faults=_faults(run))
    why = run.cluster.stopped if run else None
    if why is None and run is not None and isinstance(error, NO_SUCH_SERVER):
        why = made_up(run.cluster.hosts)
    text = ADDRESS.sub("", why or f"{type(error).__name__}: {error}")
    return SeedResult(seed, "raised", text, events=events, faults=_faults(run) if run else ())


def replayed(seed: int, conditions: Conditions, heal: bool = True) -> RandomRun:
    """A seed's run once more, to look at: up to where it stopped, or to the end of its faults.

    With `heal`, what came after the faults too. Raises: whatever a machine raises when it is
    made; nothing that happens later.
    """
    run = start(seed, **conditions.arguments)
    with suppress(Exception):
        inject_faults(run)
        if heal:
            heal_and_converge(run)
            complaint(run)
    return run


def recorded(counted: SeedResult, conditions: Conditions) -> Recording:
    """The run that came to what was `counted`, found by running its seed and playing it once more.

    Raises: NonDeterminism, if that is another run; whatever a machine raises when it is made.
    """
    run, again = _tried(counted.seed, conditions)
    if run is None:
        run = start(counted.seed, **conditions.arguments)  # raises what it raised
    if _what_happened(again) != _what_happened(counted):
        raise NonDeterminism(
            f"{NOT_DETERMINISTIC}: seed {counted.seed} came to {_told(counted)}, and now to"
            f" {_told(again)}"
        )
    recording = run.cluster.recording
    played = recording.attempt()
    if played.recording != recording or played.violation != run.cluster.violation:
        raise NonDeterminism(
            f"{NOT_DETERMINISTIC}: the run of seed {counted.seed} takes another course when it"
            " is played again"
        )
    return recording


def _what_happened(result: SeedResult) -> tuple[object, ...]:
    """All but the words, in which chance may have a part."""
    return (result.verdict, result.broke, result.frame, result.events, result.settled_after)


def _told(result: SeedResult) -> str:
    return f'"{result.broke or result.verdict}" after {result.events} actions'
