"""M7: one of several. A program says what it offers; the best of that has the points.

Who offers more than one loses nothing by it: each option is marked for itself, also where a
property of safety is broken, and all but the best one earn a bonus.
"""

from collections.abc import Mapping, Sequence

import msgspec

from raftlab.grading.machines.judge import CHANGES, MachineJudge, what_went_wrong
from raftlab.grading.milestones import MEMBERSHIP, SNAPSHOTS, TRANSFER, Milestone
from raftlab.grading.results import Check, MilestoneMark
from raftlab.grading.waited import Waited
from raftlab.grading.words import plain
from raftlab.process.faults import MachineFault
from raftlab.raft.vocabulary import Misuse

BONUS_PART = 0.4
"""What of an option's points is a bonus, if it is not the best one."""
OFFERED_BY: Mapping[str, str] = {
    SNAPSHOTS.name: "compact",
    TRANSFER.name: "transfer_leadership",
    MEMBERSHIP.name: CHANGES,
}
"""What a program offers that has an option."""
SAYS: Mapping[str, str] = {
    SNAPSHOTS.name: 'it offers "compact" at its start',
    TRANSFER.name: 'it offers "transfer_leadership" at its start',
    MEMBERSHIP.name: "it does not refuse a change of voters",
}
"""How a program says that it has an option."""


def chosen(
    judge: MachineJudge, milestone: Milestone, source: str | None, waited: Waited
) -> Sequence[Milestone]:
    """The options that a program offers. Raises: Misuse, saying why there are none."""
    if source is None:
        raise Misuse("no program")
    try:
        offers = judge.offers(source, waited)
    except MachineFault as fault:
        raise Misuse(what_went_wrong(fault)) from None
    options = [each for each in milestone.options if OFFERED_BY[each.name] in offers]
    if not options:
        wanted = "; ".join(f"{each.name}: {SAYS[each.name]}" for each in milestone.options)
        raise Misuse(f"it has nothing of what is marked. {wanted}")
    return options


def best_of(milestone: Milestone, marks: Sequence[MilestoneMark]) -> MilestoneMark:
    """The mark of the best option, with what the others add to it."""
    best = max(marks, key=lambda each: each.points)
    others = [each for each in marks if each is not best]
    return MilestoneMark(
        milestone=milestone.name,
        title=milestone.title,
        points=best.points,
        of=milestone.points,
        checks=(
            *(_named(best.milestone, each) for each in best.checks),
            *(_as_bonus(other.milestone, each) for other in others for each in other.checks),
        ),
        capped=_joined("capped", marks),
        liveness=_joined("liveness", marks),
        bonus=round(sum(BONUS_PART * each.points for each in others), 2),
    )


def none_of(milestone: Milestone, why: str) -> MilestoneMark:
    """The mark of a program that offers no option."""
    of = milestone.points
    check = Check(
        name="an option",
        exercise="",
        points=0.0,
        of=of,
        passed=False,
        sentence=plain(why),
        advice="Write one of these, and let your program say so.",
    )
    return MilestoneMark(
        milestone=milestone.name, title=milestone.title, points=0.0, of=of, checks=(check,)
    )


def _named(option: str, check: Check) -> Check:
    return msgspec.structs.replace(check, name=f"{option}: {check.name}")


def _as_bonus(option: str, check: Check) -> Check:
    points, of = (round(BONUS_PART * each, 2) for each in (check.points, check.of))
    named = _named(f"bonus, {option}", check)
    return msgspec.structs.replace(named, points=points, of=of)


def _joined(what: str, marks: Sequence[MilestoneMark]) -> str:
    """What is to be said of each option, with its name."""
    found = {each.milestone: getattr(each, what) for each in marks}
    return "; ".join(f"{name}: {text}" for name, text in found.items() if text)
