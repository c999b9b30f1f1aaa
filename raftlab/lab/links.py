"""What the address of a page with a lab asks for, after its "#": a run, a situation, a cluster.

#run=raftlab.1.…              a run that somebody shared
#scenario=figure_8&panel=c    a named situation
#nodes=7&seed=3               a new cluster
"""

from urllib.parse import parse_qsl

from raftlab.lab import beginnings
from raftlab.lab.beginnings import USUAL_SIZE, Beginning, Situation
from raftlab.lab.front_end import FrontEnd
from raftlab.lab.lab import Lab
from raftlab.lab.pasted_text import opened_here
from raftlab.lab.saved_runs import branches_of, saved_lab_in
from raftlab.raft.options import PROTECTIONS, Options
from raftlab.raft.vocabulary import Misuse, listed, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.scenarios import SCENARIOS

USUAL_SEED = 7
ASKED_TOGETHER = ({"run"}, {"scenario", "panel"}, {"nodes", "seed"})
"""What an address can ask for at once; a panel needs its scenario."""

LOST = "The runs of this tab could not be taken up again"


def requested_by(fragment: str) -> str | Beginning:
    """What an address asks for: the text of a shared run, or what to begin with.

    Raises: Misuse, for what nobody can begin with.
    """
    asked = dict(parse_qsl(fragment, keep_blank_values=True))
    if not any(asked.keys() <= together for together in ASKED_TOGETHER) or (fragment and not asked):
        raise Misuse(
            f"This address asks for {shown(fragment)}: #run=…, #scenario=NAME and #nodes=7&seed=3"
            " can be asked for."
        )
    if "run" in asked:
        return asked["run"]
    if "panel" in asked and "scenario" not in asked:
        raise Misuse("A panel is of a situation: #scenario=figure_8&panel=c.")
    if "scenario" in asked:
        return _situation(asked.get("scenario", ""), asked.get("panel", ""))
    seed = beginnings.seed_in(asked.get("seed", str(USUAL_SEED)))
    usual = (getattr(Options(), name) for name in PROTECTIONS)
    return beginnings.new_cluster(_size(asked.get("nodes", str(USUAL_SIZE))), seed, *usual)


def _size(words: str) -> int:
    if not (words.isascii() and words.isdecimal() and len(words) < 9):
        raise Misuse(f"nodes is how many servers there are, for instance 5, not {shown(words)}.")
    return int(words)


def _situation(name: str, panel: str) -> Beginning:
    if name not in SCENARIOS:
        raise Misuse(f"There is no situation {shown(name)}; All controls, New… lists them.")
    panels = SCENARIOS[name].panels
    if panel and panel not in panels:
        there = f"has the panels {listed(panels)}" if panels else "has no panels"
        raise Misuse(f"The situation {name} {there}, and no {shown(panel)}.")
    return beginnings.situation(Situation(name, panel or next(iter(panels), "")))


def opened(fragment: str, front_end: FrontEnd, kept: str = "") -> Lab:
    """A lab of the page at this address; with the runs that were `kept` of it, if there are any.

    What cannot be opened is told in the lab, which then has a new cluster. A new cluster plays.
    """
    if kept:
        try:
            return _taken_up(kept, front_end)
        except Misuse as refusal:
            return _refusing(f"{LOST}: {refusal}", front_end)
    try:
        wish = requested_by(fragment)
        if isinstance(wish, str):
            return Lab(opened_here(wish, Cluster(USUAL_SIZE), front_end), front_end=front_end)
        return Lab(wish.make(), front_end=front_end, play="scenario" not in fragment)
    except Misuse as refusal:
        return _refusing(str(refusal), front_end)


def _taken_up(text: str, front_end: FrontEnd) -> Lab:
    kept = saved_lab_in(text)
    branches = branches_of(kept)
    cluster = branches[kept.chosen - 1].load()
    lab = Lab(cluster, frame=kept.frame, speed=kept.speed, full=kept.full, front_end=front_end)
    lab.session.take_up(branches, kept.chosen, kept.frame)
    lab.controller.redraw(0.0)
    return lab


def _refusing(sentence: str, front_end: FrontEnd) -> Lab:
    lab = Lab(Cluster(USUAL_SIZE, seed=USUAL_SEED), front_end=front_end)
    lab.controller.refuse(sentence)
    return lab


def followed(lab: Lab, fragment: str, run: int = 0) -> None:
    """The address of the page has changed: go to the `run` that it was of, or open another."""
    session = lab.session

    def follow() -> None:
        if 0 < run <= len(session.branches):
            return session.choose(run)
        wish = requested_by(fragment)
        if isinstance(wish, str):
            return session.open(wish)
        return session.begin_with(wish)

    lab.controller.act(follow, 0.0)
