"""The exercise about Figure 4, in notebook 02: the roles as a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.view import Scene

FIGURE_4: Mapping[tuple[Role, Cause], Role] = {
    (Role.FOLLOWER, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
    (Role.CANDIDATE, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
    (Role.CANDIDATE, Cause.MAJORITY_GRANTED): Role.LEADER,
    (Role.CANDIDATE, Cause.LEADER_SEEN): Role.FOLLOWER,
    (Role.CANDIDATE, Cause.HIGHER_TERM): Role.FOLLOWER,
    (Role.LEADER, Cause.HIGHER_TERM): Role.FOLLOWER,
    (Role.FOLLOWER, Cause.LEADER_SEEN): Role.FOLLOWER,
    (Role.FOLLOWER, Cause.HIGHER_TERM): Role.FOLLOWER,
}
"""The paper's six arrows, and the two causes that leave a follower one: eight in all."""

NO_ARROW = (
    (Role.FOLLOWER, Cause.MAJORITY_GRANTED),
    (Role.LEADER, Cause.ELECTION_TIMEOUT),
    (Role.LEADER, Cause.MAJORITY_GRANTED),
    (Role.LEADER, Cause.LEADER_SEEN),
)
"""What cannot occur: nobody who does not ask is elected, and a term has one leader."""


def role_after(role: Role, cause: Cause) -> Role | None:
    """The role after `cause`, as Figure 4 has it; None if it cannot happen."""
    return FIGURE_4.get((role, cause))


def arrow(role: Role, cause: Cause, after: Role | None) -> Callable[[Role, Cause], Role | None]:
    """Figure 4 with one arrow that leads elsewhere."""
    changed = {**FIGURE_4, (role, cause): after}
    return lambda role, cause: changed.get((role, cause))


class RolesExercise(Exercise):
    """The table is Figure 4's; that a role stays may be told by None or by the role."""

    def accepts(self, case: Case, want: Any, got: Any) -> bool:
        """Whether the paper's figure answers so."""
        role = case.arguments[0]
        stays = want is None or want is role is Role.FOLLOWER
        return guard.same(want, got) or (stays and (got is None or got is role))

    def leans_on(self, function: Callable[..., Any]) -> str:
        """The table of the package, if the answer or a helper of it can see it, or names it."""
        return "ROLE_AFTER" if _sees_table(function, set()) else super().leans_on(function)


def _sees_table(function: Any, looked: set[int]) -> bool:
    """Whether a function reads the machine's table: by its name, or as a value that it holds."""
    if not isinstance(function, FunctionType) or id(function) in looked:
        return False
    looked.add(id(function))
    names = set(_names_in(function.__code__))
    held = [function.__globals__.get(name) for name in names]
    held += [cell.cell_contents for cell in function.__closure__ or ()]
    held += function.__defaults__ or ()
    return "ROLE_AFTER" in names or any(
        each is ROLE_AFTER or each is FIGURE_4 or _sees_table(each, looked) for each in held
    )


def _names_in(code: CodeType) -> Iterator[str]:
    """The names of globals and attributes that a code reads, or a code inside it."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names_in(each)


def draw_role(case: Case, got: Any) -> Sequence[Scene]:
    """The role, what happens, and the role then."""
    role, cause = case.arguments
    facts = {"role": role.value, "what happens": cause.value, "role then": said(got, role_word)}
    return (scene_facts(facts, "One arrow of Figure 4", "role then"),)


def role_word(got: Any) -> str:
    """A role as it is called; "no arrow" for None."""
    return "no arrow" if got is None else str(getattr(got, "value", got))


EXERCISES = (
    RolesExercise(
        "2.2",
        "The roles as a table",
        2,
        "role_after",
        Statement(
            "Write role_after, the arrows of the paper's Figure 4. What a server becomes depends on"
            " its role and on what happens to it. You are asked about the figure's four causes, in"
            " each of the three roles. (from raftlab.raft.roles import Cause, Role)",
            {
                "role": "Role: Role.FOLLOWER, Role.CANDIDATE or Role.LEADER",
                "cause": "Cause: Cause.ELECTION_TIMEOUT, Cause.MAJORITY_GRANTED,"
                " Cause.LEADER_SEEN (it hears the leader of its own term) or Cause.HIGHER_TERM",
            },
            "Role or None: the role afterwards; None, where the figure has no arrow, because this"
            " cannot happen or changes nothing; the server's present role is accepted there, too.",
            "whoever can write this table from memory knows Figure 4.",
            (
                "One cause has the same answer in all roles. Of the others, ask for each: can a"
                " follower meet it? A candidate? A leader?",
                "A dict from (role, cause) to the role afterwards, and its get, will do. A"
                " candidate has four arrows, one of them back to itself.",
            ),
        ),
        paper="5.1; Figure 4",
        reference=role_after,
        cases=lambda: [Case(*each) for each in (*FIGURE_4, *NO_ARROW)],
        example=Case(Role.FOLLOWER, Cause.ELECTION_TIMEOUT),
        telling=Case(Role.CANDIDATE, Cause.LEADER_SEEN),
        picture=draw_role,
        says=str,
        mistakes=(
            Mistake(
                "this candidate never stands for election again after a split vote",
                "candidate-gives-up",
                arrow(Role.CANDIDATE, Cause.ELECTION_TIMEOUT, None),
            ),
            Mistake(
                "this candidate gives up when its timer runs out, and waits once more",
                answers=arrow(Role.CANDIDATE, Cause.ELECTION_TIMEOUT, Role.FOLLOWER),
            ),
            Mistake(
                "this candidate goes on against the leader of its own term",
                answers=arrow(Role.CANDIDATE, Cause.LEADER_SEEN, Role.CANDIDATE),
            ),
            Mistake(
                "this leader does not step down in a higher term",
                answers=arrow(Role.LEADER, Cause.HIGHER_TERM, Role.LEADER),
            ),
            Mistake(
                "this leader hears of a higher term, and nothing happens",
                answers=arrow(Role.LEADER, Cause.HIGHER_TERM, None),
            ),
            Mistake(
                "this leader yields to a second leader of its term: there is none",
                answers=arrow(Role.LEADER, Cause.LEADER_SEEN, Role.FOLLOWER),
            ),
            Mistake(
                "this follower leads without having asked for votes",
                answers=arrow(Role.FOLLOWER, Cause.MAJORITY_GRANTED, Role.LEADER),
            ),
        ),
    ),
)
