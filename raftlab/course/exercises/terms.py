"""Exercises of notebook 02: terms, roles and the election timer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from types import CodeType, FunctionType
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.raft.rules import Rules
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
    """The table is Figure 4's; that a follower remains one may be told as None, too."""

    def accepts(self, case: Case, want: Any, got: Any) -> bool:
        """Whether the paper's figure answers so."""
        stays = case.arguments[0] is Role.FOLLOWER and want is Role.FOLLOWER
        return guard.same(want, got) or (stays and got is None)

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


def draw_terms(case: Case, got: Any) -> Sequence[Scene]:
    """The two terms, and whether the node moves."""
    message, own = case.arguments
    facts = {"term in the message": str(message), "its own term": str(own), ADOPTS: said(got)}
    return (scene_facts(facts, "A message reaches a server", ADOPTS),)


def draw_role(case: Case, got: Any) -> Sequence[Scene]:
    """The role, what happens, and the role then."""
    role, cause = case.arguments
    facts = {"role": role.value, "what happens": cause.value, "role then": said(got, role_word)}
    return (scene_facts(facts, "One arrow of Figure 4", "role then"),)


def role_word(got: Any) -> str:
    """A role as it is called; "no arrow" for None."""
    return "no arrow" if got is None else str(getattr(got, "value", got))


def draw_timer(case: Case, got: Any) -> Sequence[Scene]:
    """The two facts, and whether the timer is reset."""
    granted, heard = case.arguments
    facts = {"it has granted a vote": str(granted), "it heard its leader": str(heard)}
    return (scene_facts(facts | {RESETS: said(got)}, "What has just happened", RESETS),)


ADOPTS, RESETS = "adopts the message's term", "resets its timer"

EXERCISES = (
    RulesExercise(
        "2.1",
        "Terms are a clock",
        1,
        "is_newer_term",
        Statement(
            "Write is_newer_term: does a message of this term make a server adopt the term, and"
            " become a follower?",
            {
                "message_term": "int: the term that the message carries",
                "term": "int: the server's own term",
            },
            "bool: True, if the server moves to the message's term.",
            "it is the first thing that every server decides about every message.",
            (
                "There are three cases: lower, equal, higher. Only one of them moves the server.",
                "Terms never go down.",
            ),
        ),
        cases=lambda: [Case(message, term) for message, term in product(range(6), repeat=2)],
        example=Case(3, 4),
        telling=Case(5, 4),
        paper="Figure 2, All servers, second rule; 5.1",
        shipped=(Rules.is_stale_term, Rules.may_serve_read),
        picture=draw_terms,
        mistakes=(
            Mistake("this lets a server go back in term", "term-falls"),
            Mistake("this never adopts a term", "term-never-rises"),
            Mistake(
                "this makes a server step down in its own term: a leader, too",
                answers=lambda message_term, term: message_term >= term,
            ),
            Mistake(
                "this adopts the next term only: who missed two terms never catches up",
                answers=lambda message_term, term: message_term == term + 1,
            ),
        ),
    ),
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
            "Role or None: the role afterwards; None, where the figure has no arrow because this"
            " cannot happen. Where a follower stays one, either answer is right.",
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
    RulesExercise(
        "2.3",
        "What resets the timer",
        1,
        "resets_election_timer",
        Statement(
            "Write resets_election_timer: does a server wait for a whole election timeout again?"
            " The machine asks after every request for a vote, and whenever the server hears the"
            " leader of its own term.",
            {
                "granted_vote": "bool: it has just granted its vote",
                "heard_leader": "bool: it has just heard the leader of its own term",
            },
            "bool: True, if the timer starts afresh.",
            "reset too seldom, healthy leaders are deposed; reset too often, nobody ever stands for"
            " election.",
            (
                "A request that is refused is no reason to wait: whoever asked may never win.",
                "Two things reset the timer. One of them is enough.",
            ),
        ),
        cases=lambda: [Case(*both) for both in product((False, True), repeat=2)],
        example=Case(True, False),
        telling=Case(False, False),
        paper="Figure 2, Followers, second rule; 5.2",
        picture=draw_timer,
        mistakes=(
            Mistake("this lets any request reset the timer", "anything-resets-timer"),
            Mistake("this does not hear the leader", "deaf-timer"),
            Mistake("this never resets the timer", "deaf-timer", lambda *_: False),
            Mistake(
                "this stands against the candidate that it has just voted for",
                answers=lambda granted_vote, heard_leader: heard_leader,
            ),
            Mistake(
                "this asks for both at once, which hardly ever happens",
                "deaf-timer",
                lambda granted_vote, heard_leader: granted_vote and heard_leader,
            ),
        ),
    ),
)
