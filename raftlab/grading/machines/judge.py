"""What a whole machine is worth: trials in clusters of it, and the run that shows what fails.

Trials run with seeds of the class. What feedback shows is another run of the same trial, with a
seed that everybody may know.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from raftlab.check.campaign.run_state import MessageStorm
from raftlab.grading.box import Boxes
from raftlab.grading.judge import ADDRESS, Judged
from raftlab.grading.machines.boxed import PATIENCE_S, TOO_LONG, BoxedProcess
from raftlab.grading.machines.membership_trials import MEMBERSHIP_TRIALS
from raftlab.grading.machines.persistence_trials import PERSISTENCE_TRIALS
from raftlab.grading.machines.read_trials import READ_TRIALS
from raftlab.grading.machines.snapshot_trials import SNAPSHOT_TRIALS
from raftlab.grading.machines.transfer_trials import TRANSFER_TRIALS
from raftlab.grading.machines.trials import Setting, Trial
from raftlab.grading.milestones import M4, M5, MEMBERSHIP, SNAPSHOTS, TRANSFER, Milestone
from raftlab.grading.open_runs import MOST_ACTIONS, OPEN_SEEDS, shortest, told_run
from raftlab.grading.results import Check
from raftlab.grading.seeds import Seeds
from raftlab.grading.waited import Waited
from raftlab.grading.words import plain, sentence
from raftlab.process.faults import MachineFault
from raftlab.process.machine import ABILITIES
from raftlab.raft.vocabulary import REFUSALS, Millis
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import configuration_of
from raftlab.sim.world.violation import Violation
from raftlab.view.words import ms

Kind: TypeAlias = Literal["safety", "code", "liveness"]

ERROR = re.compile(r"(?:\w+|an error)(?: \(a box refuses (?:threads|this)\))? in line \d+")
"""What a box says of what a program has raised."""
WHO_STARTS = re.compile(r"^\w+ cannot start: ")
"""What a fault at a start begins with: which server it was may tell of the seed."""
ENDS_IT = frozenset(["hung", "flooded", "storm", "too much memory", "cannot start"])
"""After these, no other trial is begun: each would cost as much time."""
CHANGES = "change of voters"
SETTLED: Millis = 200.0
"""Until what a new leader has appended is committed."""
STRANGER = "its log says that a server has a vote, or is to learn, that there is not"
FORGETS = (
    "a process that was just started, and knows its disk alone, says something else: it must start"
    " from what it is told"
)
NO_ANSWER = "it answers nothing for {:g} s"
FAULTS = {
    "hung": "its program was stopped{text}",
    "storm": "its program was stopped{text}",
    "flooded": "its program was stopped: it says more than a megabyte in one line",
    "died": "its program ended{text}",
    "too much memory": "its program was stopped: it takes too much memory",
    "cannot start": "its program cannot be started",
}
"""What ended a program, without numbers that differ from run to run."""


EVERY: Mapping[str, Sequence[Trial]] = {
    M4.name: PERSISTENCE_TRIALS,
    M5.name: READ_TRIALS,
    SNAPSHOTS.name: SNAPSHOT_TRIALS,
    TRANSFER.name: TRANSFER_TRIALS,
    MEMBERSHIP.name: MEMBERSHIP_TRIALS,
}
"""The trials of each milestone, and of each option of one."""
ABILITIES_ASKED: Mapping[str, frozenset[str]] = {
    M4.name: frozenset(["campaign"]),
    M5.name: frozenset(["campaign", "read"]),
    SNAPSHOTS.name: frozenset(["campaign", "compact"]),
    TRANSFER.name: frozenset(["campaign", "transfer_leadership"]),
    MEMBERSHIP.name: frozenset(["campaign"]),
}
"""What a machine is asked for there, of all that it can offer."""


class Trouble(NamedTuple):
    """What went wrong in a trial: its kind, a sentence, the property that was broken, if one was.

    `cluster` is where it happened, `fault` the kind of a `MachineFault`.
    """

    kind: Kind
    text: str
    cluster: Cluster | None = None
    broke: str = ""
    fault: str = ""


class MachineJudge:
    """Judges programs with the seeds of a class, each in boxes of its own."""

    def __init__(self, boxes: Boxes, seeds: Seeds) -> None:
        self._boxes = boxes
        self._seeds = seeds

    def judge(
        self, milestone: Milestone, source: str | None, waited: Waited | None = None
    ) -> Judged:
        """What a program is worth in M4 or M5, or in an option of M7. `waited` bounds it."""
        if source is None:
            return Judged(tuple(_untried(milestone, each, "no program") for each in _of(milestone)))
        abilities = ABILITIES_ASKED[milestone.name]
        with self._boxed(source, waited or Waited(), abilities) as machine:
            return self._judged(milestone, machine)

    def offers(self, source: str, waited: Waited) -> frozenset[str]:
        """What a program offers, one of three servers; and `CHANGES`, if it takes one of them.

        Raises: MachineFault; Misuse.
        """
        with self._boxed(source, waited) as machine:
            cluster = Cluster(3, seed=OPEN_SEEDS[0], machine=machine, watched=False)
            started = cluster.hosts["S1"].machine
            offers = {each for each in ABILITIES if hasattr(started, each)}
            return frozenset(offers | ({CHANGES} if _takes_a_change(cluster) else set()))

    @contextmanager
    def _boxed(
        self, source: str, waited: Waited, abilities: frozenset[str] = ABILITIES
    ) -> Iterator[BoxedProcess]:
        with TemporaryDirectory(prefix="program-", dir=self._boxes.path) as folder:
            Path(folder).chmod(0o755)
            machine = BoxedProcess(source, self._boxes, Path(folder) / "own", waited, abilities)
            try:
                yield machine
            finally:
                machine.end()

    def _judged(self, milestone: Milestone, machine: BoxedProcess) -> Judged:
        checks: list[Check] = []
        found: dict[Kind, str] = {}
        ended = ""
        for trial in _of(milestone):
            if ended:
                checks.append(_untried(milestone, trial, f"not tried any more: {ended}"))
                continue
            seed = self._seeds.number("machine", milestone.name, trial.name)
            trouble = tried(trial, machine, seed, again=True)
            if trouble is None:
                checks.append(_passed(milestone, trial))
                continue
            ended = trouble.text if trouble.fault in ENDS_IT else ""
            shown = None if ended else _shown(trial, machine, trouble)
            check = _failed(milestone, trial, trouble, shown)
            checks.append(check)
            found.setdefault(trouble.kind, plain(f"{trial.name}: {check.property or trouble.text}"))
        return Judged(tuple(checks), found.get("safety", ""), found.get("liveness", ""))


def tried(trial: Trial, machine: BoxedProcess, seed: int, again: bool = False) -> Trouble | None:
    """What goes wrong in a trial. With `again`, new processes are asked, too."""
    setting = Setting(machine, seed)
    machine.another_run()
    try:
        stuck = trial.run(setting)
    except Violation as violation:
        broken = violation.frame
        text = f"{broken.name} is broken: {broken.text}"
        return Trouble("safety", text, setting.last, broken.name)
    except MachineFault as fault:
        return Trouble("code", told(fault), setting.last, fault=fault.kind)
    except MessageStorm:
        return Trouble("liveness", "messages breed messages", setting.last)
    except REFUSALS as refusal:  # somebody cannot be elected, say
        return Trouble("liveness", str(refusal).removesuffix("."), setting.last)
    except KeyError:  # whoever drives the run looks for a server that the program made up
        if not _names_strangers(setting.last):
            raise
        return Trouble("code", STRANGER, setting.last)
    if stuck:
        return Trouble("liveness", stuck, setting.last)
    if again and setting.last is not None and not _says_the_same(setting.last, machine):
        return Trouble("code", FORGETS, setting.last)
    return None


def _names_strangers(cluster: Cluster | None) -> bool:
    """Whether a configuration in a log names a server that there is not."""
    hosts = cluster.hosts if cluster is not None else {}
    return any(
        node not in hosts for host in hosts.values() for node in configuration_of(host).members
    )


def _takes_a_change(cluster: Cluster) -> bool:
    """Whether a leader of three servers takes a fourth as a voter."""
    try:
        cluster.elect()
        cluster.run(SETTLED)
        cluster.add_node("S4")
        cluster.reconfigure("S1 S2 S3 S4")
    except (MachineFault, *REFUSALS):
        return False
    return True


def _says_the_same(cluster: Cluster, machine: BoxedProcess) -> bool:
    """Whether new processes do, in which nothing is left of before; a long run is let be."""
    if len(cluster.actions) > MOST_ACTIONS:
        return True
    try:
        return bool(cluster.recording.ask_again(machine).is_same)
    except (MachineFault, *REFUSALS):
        return False


def told(fault: MachineFault) -> str:
    """What a program did wrong as a program, in words that are the same each time."""
    said = ERROR.search(fault.text)
    words = WHO_STARTS.sub("", fault.text)
    text = {
        "died": f": {said[0]}" if said else ", by itself, or for what it used",
        "hung": f": {TOO_LONG if words == TOO_LONG else NO_ANSWER.format(PATIENCE_S)}",
        "storm": f": {words}",
    }.get(fault.kind, "")
    form = FAULTS.get(fault.kind)
    return form.format(text=text) if form else ADDRESS.sub("", str(fault))


def _shown(trial: Trial, machine: BoxedProcess, trouble: Trouble) -> Trouble | None:
    """The same trouble in a run that may be shown, and as short as it was found.

    It is looked for in processes that have not heard of the seeds of the class.
    """
    machine.end()
    for seed in OPEN_SEEDS:
        other = tried(trial, machine, seed)
        if other is None or (other.kind, other.broke) != (trouble.kind, trouble.broke):
            continue
        if other.cluster is None:
            return other
        recording = other.cluster.recording
        machine.another_run()
        if other.kind == "safety":
            recording = shortest(recording)
        return other._replace(cluster=recording.attempt())
    return None


def _failed(milestone: Milestone, trial: Trial, trouble: Trouble, shown: Trouble | None) -> Check:
    cluster = shown.cluster if shown else None
    violation = cluster.violation if cluster is not None else None
    happened = shown.text if shown else _unseen(trouble)
    if cluster is not None:
        count = len(cluster.nodes)
        happened = f"{count} server{'s' * (count > 1)}, {ms(cluster.now)}: {happened}"
    return msgspec.structs.replace(
        _nothing(milestone, trial, f"{trial.run.__doc__} {sentence(happened)}"),
        property=plain(f"{violation.name}: {violation.text}") if violation else trouble.broke,
        mistake=trial.mistake if trouble.kind == "safety" else "",
        share=told_run(cluster.recording) if cluster is not None else "",
    )


def _unseen(trouble: Trouble) -> str:
    """What is told of a run that only the class's seeds lead to: nothing that a program said."""
    if trouble.kind == "code":
        if trouble.text in (FORGETS, STRANGER) or trouble.fault in ENDS_IT:
            return trouble.text
        return FAULTS.get(trouble.fault, "it says what no machine may say").format(text="")
    if trouble.kind == "safety":
        return f"{trouble.broke} is broken, in a run that takes other timing than may be shown"
    return "it does not go on, in a run that takes other timing than may be shown"


def _of(milestone: Milestone) -> tuple[Trial, ...]:
    return tuple(each for each in EVERY[milestone.name] if each.name in milestone.parts)


def _passed(milestone: Milestone, trial: Trial) -> Check:
    points = milestone.parts[trial.name]
    return Check(
        name=trial.name, exercise="", points=points, of=points, passed=True, section=trial.section
    )


def _untried(milestone: Milestone, trial: Trial, why: str) -> Check:
    return msgspec.structs.replace(_nothing(milestone, trial, why), ran=False)


def _nothing(milestone: Milestone, trial: Trial, why: str) -> Check:
    return Check(
        name=trial.name,
        exercise="",
        points=0.0,
        of=milestone.parts[trial.name],
        passed=False,
        sentence=plain(why),
        section=trial.section,
        advice=trial.advice,
    )
