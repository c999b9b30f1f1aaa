"""Exercises of notebook 02: terms, roles and the election timer."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case
from raftlab.course.exercises.running import RulesExercise
from raftlab.raft.roles import ROLE_AFTER, Cause, Role


def role_after(role: Role, cause: Cause) -> Role | None:
    """The role after `cause`, as the machine's own table has it; None if it cannot happen."""
    return ROLE_AFTER.get((role, cause))


ASKED = (
    Cause.ELECTION_TIMEOUT,
    Cause.MAJORITY_GRANTED,
    Cause.ELECTION_LOST,
    Cause.LEADER_SEEN,
    Cause.HIGHER_TERM,
)
"""The causes that the paper has; the others came with the thesis."""

ALSO_RIGHT: Mapping[tuple[Role, Cause], tuple[Role | None, ...]] = {
    (Role.FOLLOWER, Cause.LEADER_SEEN): (None,),
    (Role.FOLLOWER, Cause.HIGHER_TERM): (None,),
    (Role.CANDIDATE, Cause.ELECTION_LOST): (Role.CANDIDATE, None),
}
"""Where Figure 4 has no arrow: who stays a follower, and who may as well wait for its timer."""


class RolesExercise(Exercise):
    """The table is Figure 4's; where the paper leaves something open, so does the check."""

    def accepts(self, case: Case, want: Any, got: Any) -> bool:
        """Whether the machine's own table or the paper's figure answers so."""
        also = ALSO_RIGHT.get(case.arguments, ())
        return any(guard.same(each, got) for each in (want, *also))


EXERCISES = (
    RulesExercise(
        "2.1",
        "Terms are a clock",
        1,
        "is_newer_term",
        "Write is_newer_term(message_term, term): whether a message of message_term makes a node"
        " in `term` adopt that term and become a follower.",
        lambda: [Case(message, term) for message, term in product(range(6), repeat=2)],
        Case(5, 4),
        "Figure 2, All servers, second rule; 5.1",
    ),
    RolesExercise(
        "2.2",
        "The roles as a table",
        2,
        "role_after",
        "Write role_after(role, cause): the role of a node after `cause`, or None where that cause"
        " cannot occur in that role. Asked are the causes of the paper: ELECTION_TIMEOUT,"
        " MAJORITY_GRANTED, ELECTION_LOST, LEADER_SEEN, HIGHER_TERM."
        " (from raftlab.raft.roles import Cause, Role)",
        "5.1; Figure 4",
        role_after,
        lambda: [Case(role, cause) for role, cause in product(Role, ASKED)],
        Case(Role.CANDIDATE, Cause.LEADER_SEEN),
        None,
        str,
    ),
    RulesExercise(
        "2.3",
        "What makes a node wait anew",
        2,
        "resets_election_timer",
        "Write resets_election_timer(granted_vote, heard_leader). The machine asks it after every"
        " vote request (with granted_vote True if it voted) and when it hears the leader of its"
        " term (with heard_leader True). True makes the node wait for a whole timeout again.",
        lambda: [Case(*both) for both in product((False, True), repeat=2)],
        Case(False, False),
        "Figure 2, Followers, second rule; 5.2",
    ),
)
