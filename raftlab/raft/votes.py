"""Counting the votes of one campaign. Paper: 5.2; while joint: 6."""

from enum import Enum

from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Configuration, NodeId


class ElectionResult(Enum):
    """What the votes so far say. UNKNOWN: more answers could still decide either way."""

    UNKNOWN = "unknown"
    WON = "won"
    LOST = "lost"


class ElectionTracker:
    """The answers of one set of voters. Each voter's first answer counts, and no other."""

    __slots__ = ("answers", "voters")

    def __init__(self, voters: tuple[NodeId, ...]) -> None:
        self.voters = voters
        self.answers: dict[NodeId, bool] = {}

    @property
    def granted(self) -> int:
        """How many voters have said yes."""
        return sum(self.answers.values())

    @property
    def refused(self) -> int:
        """How many voters have said no."""
        return len(self.answers) - self.granted

    @property
    def silent(self) -> int:
        """How many voters have not answered."""
        return len(self.voters) - len(self.answers)

    def register_vote(self, voter: NodeId, granted: bool) -> bool:
        """Note an answer; False if `voter` has no vote here. A second answer changes nothing."""
        if voter not in self.voters:
            return False
        self.answers.setdefault(voter, granted)
        return True

    def tally_vote(self) -> ElectionResult:
        """Won with a majority of all voters; lost once the silent ones cannot bring one."""
        needed = majority(len(self.voters))
        if self.granted >= needed:
            return ElectionResult.WON
        if self.granted + self.silent >= needed:
            return ElectionResult.UNKNOWN
        return ElectionResult.LOST


class Votes:
    """The answers of one campaign: one tracker per voter set, two while joint."""

    __slots__ = ("trackers", "voters")

    def __init__(self, configuration: Configuration) -> None:
        self.voters = configuration.all_voters
        self.trackers = tuple(ElectionTracker(voters) for voters in configuration.voter_sets)

    @property
    def answers(self) -> dict[NodeId, bool]:
        """Every answer so far: who, and whether it was granted."""
        return {voter: yes for each in self.trackers for voter, yes in each.answers.items()}

    def register_vote(self, voter: NodeId, granted: bool) -> bool:
        """Note an answer in every set that `voter` belongs to; False if in none."""
        registered = [each.register_vote(voter, granted) for each in self.trackers]
        return any(registered)

    def tally_vote(self) -> ElectionResult:
        """Won if won in every set, lost if lost in any. Paper: 6, second rule."""
        results = [each.tally_vote() for each in self.trackers]
        if ElectionResult.LOST in results:
            return ElectionResult.LOST
        if ElectionResult.UNKNOWN in results:
            return ElectionResult.UNKNOWN
        return ElectionResult.WON

    def copy(self) -> "Votes":
        """An independent count with the same answers."""
        twin = Votes.__new__(Votes)
        twin.voters = self.voters
        twin.trackers = tuple(ElectionTracker(each.voters) for each in self.trackers)
        for mine, its in zip(self.trackers, twin.trackers, strict=True):
            its.answers = mine.answers.copy()
        return twin
