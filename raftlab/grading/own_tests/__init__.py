"""M6: a learner's scenarios and invariant, marked by the mistakes that they find.

    def late_vote(start):
        cluster = start(3)          # a cluster with the machine under test
        cluster.timeout("S1")
        cluster.run(100)

    def invariant(frames):          # all frames of such a run, from the first to the last
        return all(leaders_differ_in_term(frame) for frame in frames)

    marked([late_vote], invariant)

A test fails where an `assert` in a scenario fails, or where the invariant is False (or its own
`assert` fails). Nobody watches the properties meanwhile: what is found, the learner's code finds.
First, the tests run with correct machines; a scenario that fails with one of them finds nothing
any more. Then each mistake of the museum that is in the list is to make some scenario fail.
"""

from raftlab.grading.own_tests.judge import marked
from raftlab.grading.own_tests.machines import CORRECT, MISTAKES

__all__ = ["CORRECT", "MISTAKES", "marked"]
