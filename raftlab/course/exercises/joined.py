"""The reader's answers joined into one Raft; what is missing is lent by the shipped rules."""

import os
from collections.abc import Callable, Mapping
from html import escape
from types import FunctionType
from typing import Any, NamedTuple, cast

from raftlab.course import my_raft
from raftlab.course.exercises import exercise
from raftlab.course.exercises.running import MachineExercise, RulesExercise
from raftlab.course.my_raft_names import Names, names_in
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import RequestVote
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, NotNow
from raftlab.view.words import table

LENT = "lent by the package"
FEW = 4
"""How many of the methods that no exercise asks for are named."""
INSTEAD = {"1.1": "1.3", "1.2": "1.3", "3.1": "3.3", "3.2": "3.3"}
"""Decisions that nobody is asked for once a whole one is the reader's."""
OF_CLASS = {"__slots__": (), "__module__": "__main__"}
"""The joined classes are the reader's."""


class Part(NamedTuple):
    """One decision of the joined Raft: the exercise that asks for it, and whose it is."""

    number: str
    title: str
    name: str
    whose: str
    """The reader's class or function, or "" where the package lends its own."""
    instead: str = ""
    """The exercise whose answer is the reader's and decides this, too, so that it is not asked."""

    @property
    def asked(self) -> str:
        """Who is asked, in words."""
        return f"not asked: {self.instead} decides" if self.instead else self.whose or LENT


class Whole(NamedTuple):
    """A decision that an answer takes as a whole: its method, and the machine that asks it."""

    name: str
    function: FunctionType
    machine: type[RaftStateMachine]


class WithoutSnapshots(RaftStateMachine):
    """The shipped machine as far as the course has come: its log is kept from the first entry."""

    __slots__ = ()

    def compact(self, up_to: Index, data: bytes = b"") -> None:
        """Not yet: no answer so far had to think of a log that begins later. Raises: NotNow."""
        raise NotNow(f"{self.node_id} keeps its whole log: snapshots come in notebook 14.")


class YourRaft:
    """One Raft of the reader's answers: `rules` and `machine` are arguments of `Cluster`.

        mine = your_raft()
        cluster = rl.Cluster(5, rules=mine.rules, machine=mine.machine)

    `parts` says of each decision whose it is. Where `append_entries` (1.3) is the reader's, it
    decides by itself, and 1.1 and 1.2 are not asked; likewise `answer_vote` (3.3) for 3.1 and 3.2.
    """

    def __init__(
        self, parts: tuple[Part, ...], rules: type[Rules], whole: Mapping[str, Whole]
    ) -> None:
        self.parts = parts
        self.rules = rules
        self.machine = _machine_of(whole)
        self._whole = whole

    def but(self, mistake: type[Rules]) -> "YourRaft":
        """The same Raft with what `mistake` decides in the place of what this one decides.

        A whole answer (1.3, 3.3) that would decide it by itself gives way, and is lent.
        """
        decided = {part.number for part in self.parts if part.name in vars(mistake)}
        instead = {INSTEAD[number] for number in decided if number in INSTEAD}
        whole = {number: each for number, each in self._whole.items() if number not in instead}
        parts = tuple(
            part._replace(whose=mistake.__name__, instead="")
            if part.number in decided
            else part._replace(whose="")
            if part.number in instead
            else part._replace(instead="" if part.instead in instead else part.instead)
            for part in self.parts
        )
        rules = type(mistake.__name__, (mistake, self.rules), OF_CLASS)
        return YourRaft(parts, rules, whole)

    @property
    def yours(self) -> tuple[Part, ...]:
        """The decisions that the reader has written."""
        return tuple(part for part in self.parts if part.whose)

    @property
    def lent(self) -> tuple[Part, ...]:
        """The decisions that the package lends."""
        return tuple(part for part in self.parts if not (part.whose or part.instead))

    @property
    def sentence(self) -> str:
        """How many of the decisions are the reader's."""
        of = len(self.parts)
        if not self.yours:
            return f"None of the {of} decisions is yours yet: all are lent."
        if len(self.yours) == of:
            return f"All {of} that the exercises ask for are yours."
        unasked = any(each.instead and not each.whose for each in self.parts)
        others = " or not asked" if unasked else ""
        return f"{len(self.yours)} of {of} decisions are yours, the others are lent{others}."

    @property
    def besides(self) -> str:
        """What the package lends in any case."""
        asked = {part.name for part in self.parts}
        rest = [name for name, each in vars(Rules).items() if callable(each) and name[0] != "_"]
        rest = [name for name in rest if name not in asked]
        return (
            f"No exercise asks for the other {len(rest)} methods of Rules, which are lent, too:"
            f" {', '.join(rest[:FEW])} and so on."
        )

    def _rows(self) -> list[list[str]]:
        return [[each.number, each.title, each.name, each.asked] for each in self.parts]

    def __repr__(self) -> str:
        rows = table(["exercise", "", "decides", "whose"], self._rows())
        return f"{self.sentence}\n\n{rows}\n\n{self.besides}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        head = "<tr><th>exercise</th><th></th><th>decides</th><th>whose</th></tr>"
        said, besides = f"<p>{escape(self.sentence)}</p>", f"<p>{escape(self.besides)}</p>"
        html = f"{said}<table>{head}{rows}</table>{besides}"
        return {"text/plain": repr(self), "text/html": html}


def your_raft() -> YourRaft:
    """The answers in `my_raft.py`, in the folder of the notebook, as one Raft.

    Raises: Misuse, if the file cannot be read or run, with the line.
    """
    if my_raft.is_on() and os.path.lexists(my_raft.path()):
        return joined(*names_in(my_raft.path()))
    return joined({})


def joined(names: Names, sections: Mapping[str, Names] = {}) -> YourRaft:
    """The answers of the sections, by the number of the exercise, as one Raft.

    Where a section has none, `names` are looked through. Of several of one kind it is the last.
    """
    methods: dict[str, Callable[..., Any]] = {}
    whole: dict[str, Whole] = {}
    parts = []
    for each in exercise:
        whose = ""
        own = sections.get(each.number, {})
        if isinstance(each, RulesExercise):
            kind = _rules_with(each.name, own) or _rules_with(each.name, names)
            if kind is not None:
                methods[each.name], whose = _asking(kind, each.name), kind.__name__
        elif isinstance(each, MachineExercise):
            whose, function = _last_function(own) or (each.name, names.get(each.name))
            if isinstance(function, FunctionType):
                whole[each.number] = Whole(each.name, function, each.machine)
            else:
                whose = ""
        else:
            continue
        parts.append(Part(each.number, each.title, each.name, whose))
    yours = {part.number for part in parts if part.whose}
    parts = [
        part._replace(instead=INSTEAD[part.number]) if INSTEAD.get(part.number) in yours else part
        for part in parts
    ]
    return YourRaft(tuple(parts), type("MyRaft", (Rules,), {**methods, **OF_CLASS}), whole)


def _machine_of(whole: Mapping[str, Whole]) -> type[RaftStateMachine]:
    bases = (*(each.machine for each in whole.values()), WithoutSnapshots)
    methods = {each.name: staticmethod(each.function) for each in whole.values()}
    machine: Any = type("MyMachine", bases, {**methods, **OF_CLASS})
    return cast(type[RaftStateMachine], machine)


def _asking(kind: type[Rules], name: str) -> Callable[..., Any]:
    """A method that asks the reader's class, which so keeps helpers of its own.

    Pre-vote comes in notebook 11: until then the shipped rules say who has a vote left there.
    """
    theirs = kind()

    def asked(shipped: Rules, *arguments: Any, **named: Any) -> Any:
        if any(isinstance(each, RequestVote) and each.is_prevote for each in arguments):
            return getattr(Rules, name)(shipped, *arguments, **named)
        return getattr(theirs, name)(*arguments, **named)

    asked.__name__, asked.__doc__ = name, f"As {kind.__name__} in my_raft.py has it."
    return asked


def _last_function(names: Names) -> tuple[str, FunctionType] | None:
    found = [(name, each) for name, each in names.items() if isinstance(each, FunctionType)]
    return found[-1] if found else None


def _rules_with(name: str, names: Names) -> type[Rules] | None:
    found = [
        each
        for each in names.values()
        if isinstance(each, type)
        and issubclass(each, Rules)
        and getattr(each, name) is not getattr(Rules, name)
    ]
    return found[-1] if found else None
