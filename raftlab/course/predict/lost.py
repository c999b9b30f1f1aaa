"""Questions about a voter that comes back without a part of its disk."""

import random

from raftlab.course.predict.asking import CREDIT
from raftlab.course.question import Question, template
from raftlab.raft.figure2.elections import REASONS
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.violation import Violation
from raftlab.view import scene_cluster

LOST = {
    "nothing": "with all that was on its disk",
    "vote": "without the vote it gave",
    "log": "with an empty log",
}
KEPT = {
    "nothing": "term, vote and log are on disk before a server answers: none is lost (Figure 2)",
    "vote": "S2 has voted twice in term 1: a vote must be on the disk before it is told (Figure 2)",
    "log": "S1 counted S2's copy, and 2 of 3 was a majority: what is acknowledged must stay (5.3)",
}


@template
def lost_vote(lost: str | None = None, *, seed: int = 0) -> Question:
    """A voter crashes and comes back without its vote ("vote") or log ("log"): what breaks?

    Three servers; S1 and S3 cannot hear each other. S2 restarts, and S3 stands for election.
    """
    if lost is None:
        lost = random.Random(f"raftlab lost {seed}").choice(sorted(LOST))
    if lost not in tuple(LOST):
        raise Misuse(f"lost is one of {', '.join(LOST)}, not {shown(lost)}")
    broken, why, end = _play_lost(lost)
    when = (
        "S2 has voted for S1 in term 1, and has no entry yet"
        if lost == "vote"
        else "S1 leads term 1, and entries 1 and 2 are on the disks of S1 and S2 and committed"
    )
    return Question(
        f"Three servers; S1 and S3 cannot hear each other. {when}. S1 and S2 crash, and S2 comes"
        f" back {LOST[lost]}. S3 stands for election, and again if it is refused. Which"
        " property breaks?",
        ("One Vote Per Term", "Leader Completeness", "Leader Append-Only", "none"),
        broken,
        (why, KEPT[lost]),
        then=(scene_cluster(end),),
        credit=CREDIT,
    )


def _play_lost(lost: str) -> tuple[str, str, Frame]:
    """Let S2 lose a part of its disk in a crash; which property broke, how, and the end."""
    cluster = Cluster(3, seed=0, options=Options.figure_2())
    cluster.cut("S1", "S3")
    cluster.timeout("S1")
    cluster.run_until(lambda each: each.leader == "S1", 100)
    if lost != "vote":
        cluster.propose("x=1")
        cluster.run(40)
    cluster.crash("S1")
    cluster.crash("S2")
    disk = cluster.hosts["S2"].disk
    if lost == "vote":
        disk.voted_for = None
    if lost == "log":
        disk.log = []
    try:
        cluster.restart("S2")
        for _ in range(3):
            cluster.timeout("S3")
            cluster.run(100)
    except Violation as violation:
        return violation.frame.name, violation.frame.text, cluster.frame()
    told = [event.text for event in cluster.events(40) if event.involves(REASONS)]
    return "none", told[-1], cluster.frame()
