"""Pages of HTML from templates in which everything that is put in is escaped."""

from functools import cache
from typing import TYPE_CHECKING, Any

from raftlab.grading.feedback import words
from raftlab.grading.words import plain
from raftlab.raft.vocabulary import Misuse

if TYPE_CHECKING:
    from jinja2 import Environment


def page(template: str, **given: Any) -> str:
    """A page of HTML: the same values, the same bytes. Raises: Misuse, without Jinja."""
    return _templates().get_template(template).render(**given).rstrip("\n") + "\n"


@cache
def _templates() -> "Environment":
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ModuleNotFoundError:
        raise Misuse(
            'pages of feedback need Jinja, which JupyterLab brings: pip install "raftlab[course]"'
        ) from None
    templates = Environment(
        loader=PackageLoader("raftlab.grading.feedback"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "plain": plain,
        "name": words.name_of,
        "points": words.points,
    }
    return templates
