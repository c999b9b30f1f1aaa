"""Which mistakes a run of the right rules would show; of the others it is the run itself.

A mistake that answers, in all of a run, as the right rules do, leads to the same run, frame by
frame: a test says of it what it has said already. (Testing by mutation calls this weak mutation.)
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from raftlab.grading.own_tests.machines import FIGURE_2, MISTAKES, Start, correct
from raftlab.museum import exhibit
from raftlab.raft.rules import Rules


class Noting(Rules):
    """The shipped rules; `shown` fills with the mistakes that would have answered otherwise."""

    __slots__ = ("shown",)

    def __init__(self) -> None:
        self.shown: set[str] = set()


def noting(seed: int) -> tuple[Start, Callable[[str], bool]]:
    """Starts of the machine of Figure 2, and whether a mistake shows in what was run with them."""
    rules = noting_rules()()
    return partial(correct(FIGURE_2, seed), rules=rules), partial(_shows, rules)


def _shows(rules: Noting, name: str) -> bool:
    return name in rules.shown or not isinstance(exhibit(name).wrong.get("rules"), Rules)


@cache
def noting_rules() -> type[Noting]:
    """The rules that note: of each method that a mistake has, what its rules say to the same."""
    wrong = {name: exhibit(name).wrong.get("rules") for name in MISTAKES}
    others: dict[str, dict[str, Callable[..., Any]]] = {}
    for name, rules in wrong.items():
        for method in vars(type(rules)) if isinstance(rules, Rules) else ():
            if callable(getattr(Rules, method, None)) and not method.startswith("__"):
                others.setdefault(method, {})[name] = getattr(rules, method)
    methods = {method: _noted(getattr(Rules, method), held) for method, held in others.items()}
    return type("Noting", (Noting,), {"__slots__": (), "__module__": __name__, **methods})


def _noted(right: Callable[..., Any], others: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    def method(self: Noting, *given: Any) -> Any:
        said = right(self, *given)
        for name, other in others.items():
            if name not in self.shown and not _says(other, given, said):
                self.shown.add(name)
        return said

    return method


def _says(other: Callable[..., Any], given: Any, said: Any) -> bool:
    try:
        answer = other(*given)
    except Exception:  # a mistake may raise anything
        return False
    return type(answer) is type(said) and bool(answer == said)
