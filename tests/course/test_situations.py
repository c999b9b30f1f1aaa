"""What a story breaks is told in words: the property, the frame, and how."""

import pytest

from raftlab.course.situations import broken_by
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster


class AnyVote(Rules):
    """Votes for everybody who asks, in the same term, too."""

    def has_vote_left(self, request, term, voted_for, leader):
        """Yes."""
        return True


def three(**settings):
    return Cluster(3, seed=7, options=Options.figure_2(), **settings)


def two_stand(cluster):
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.run(60)


def test_a_story_that_breaks_a_property_says_which_and_at_which_frame():
    cluster = three(rules=AnyVote)
    told = broken_by(two_stand, cluster)
    assert told.startswith(f"One Vote Per Term, frame {cluster.number}: ")
    assert max(map(len, told.splitlines())) <= 78


def test_a_story_that_breaks_nothing_says_so_and_has_happened():
    cluster = three()
    assert broken_by(two_stand, cluster) == "nothing"
    assert cluster.now == 60


def test_nobody_can_say_what_breaks_where_nobody_watches():
    with pytest.raises(Misuse, match="watched=True"):
        broken_by(two_stand, three(watched=False))
