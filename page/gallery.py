"""The gallery of the page: named situations and the museum's exhibits, each a link to the lab.

They stand in the order of the paper and of the museum, topic by topic.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from raftlab.lab.fitting import fitted_cluster
from raftlab.museum import HALLS
from raftlab.museum.exhibit import REGISTERED as EXHIBITS
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.share import RUN
from raftlab.sim.scenarios import TOPICS
from raftlab.sim.scenarios.registry import REGISTERED as SCENARIOS
from raftlab.view import Scene, style

PICTURES = "pictures"
WIDE, NARROW = 566.0, 326.0
"""The room of a picture (px), and what it has on a telephone; `gallery.css` has the columns."""

DARK = "".join(
    f'[fill="{light}"]:not(text[fill="{style.PAPER}"]) {{ fill: {dark}; }}\n'
    f'[stroke="{light}"] {{ stroke: {dark}; }}\n'
    for light, dark in style.DARK.items()
)
"""What a picture looks like where the page is dark; white words stand on dark nodes as they are."""

TELEPHONE = "(max-width: 619px)"
"""Where a column has no room for a wide picture."""


class Card(NamedTuple):
    """One thing to open: its name, what it shows, where it comes from, a cluster and its link."""

    name: str
    told: str
    source: str
    cluster: Cluster
    link: str


class Topic(NamedTuple):
    """Cards that belong together, and what they are about."""

    about: str
    cards: Sequence[Card]


def situations() -> Iterator[Topic]:
    """Every named situation, in its first panel."""
    for module in TOPICS:
        cards = [
            Card(each.name, sentence(each.title), each.source, each(), f"#scenario={each.name}")
            for each in SCENARIOS[module.__name__]
        ]
        yield Topic(about(module), cards)


def exhibits() -> Iterator[Topic]:
    """Every exhibit, at the end of its run."""
    for module in HALLS:
        cards = []
        for each in EXHIBITS[module.__name__]:
            run, told = each.recording(), sentence(each.title)
            link = f"{RUN}{run.share()}"
            cards.append(Card(each.name, told, each.source, run.attempt(), link))
        yield Topic(about(module), cards)


def sentence(title: str) -> str:
    """A title with its full stop."""
    return f"{title.rstrip('.')}."


def about(module: ModuleType) -> str:
    """What a module is about, by its first line, without sources: "Reads that show the past"."""
    first = (module.__doc__ or "").partition("\n")[0]
    words = first.removeprefix("Exhibits: ").partition(".")[0]
    return words[:1].upper() + words[1:]


def write(target: Path, template: str) -> None:
    """Write the gallery and its pictures into the folder of the page."""
    (target / PICTURES).mkdir()
    page = template.replace("<!-- SITUATIONS -->", sections(target, situations()))
    page = page.replace("<!-- EXHIBITS -->", sections(target, exhibits()))
    (target / "gallery.html").write_text(page)


def sections(target: Path, topics: Iterable[Topic]) -> str:
    """Topics as HTML; their pictures are written to files."""
    return "\n".join(
        f'<h3>{escape(topic.about)}</h3>\n<ul class="cards">\n'
        + "\n".join(card_html(target, card) for card in topic.cards)
        + "\n</ul>"
        for topic in topics
    )


def card_html(target: Path, card: Card) -> str:
    """A card, whose picture is written to two files: a telephone gets one without side notes."""
    wide, narrow = (drawn(target, card, room) for room in (WIDE, NARROW))
    return (
        f'<li><a href="./{escape(card.link)}"><picture>'
        f'<source media="{TELEPHONE}" srcset="{narrow[0]}"{narrow[1]}>'
        f'<img src="{wide[0]}" alt="" loading="lazy"{wide[1]}></picture>'
        f"<b>{escape(card.name.replace('_', ' ').replace('-', ' '))}</b></a>"
        f"<p>{escape(card.told)}</p><small>{escape(card.source)}</small></li>"
    )


def drawn(target: Path, card: Card, room: float) -> tuple[str, str]:
    """The servers of a card in so much room: a file, and its size as HTML."""
    scene: Scene = fitted_cluster(card.cluster.frame(), None, room)
    path = f"{PICTURES}/{card.name}-{round(room)}.svg"
    dark = f"<style>@media (prefers-color-scheme: dark) {{\n{DARK}}}</style>"
    (target / path).write_text(scene.svg.replace("</title>", f"</title>\n{dark}", 1))
    return path, f' width="{round(scene.width)}" height="{round(scene.height)}"'
