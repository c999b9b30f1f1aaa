"""The gallery of the page: named situations and the museum's exhibits, each a link to the lab."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from raftlab.museum import EXHIBITS
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.share import RUN
from raftlab.sim.scenarios import SCENARIOS
from raftlab.view import Scene
from raftlab.view.cluster.cluster import scene_cluster

PICTURES = "pictures"


class Card(NamedTuple):
    """One thing to open: its name, what it shows, where it comes from, its picture and its link."""

    name: str
    told: str
    source: str
    scene: Scene
    link: str


def situations() -> Iterator[Card]:
    """Every named situation, in its first panel."""
    for name, each in SCENARIOS.items():
        title = f"{each.title.rstrip('.')}."
        yield Card(name, title, each.source, picture(each()), f"#scenario={name}")


def exhibits() -> Iterator[Card]:
    """Every exhibit, at the end of its run."""
    for each in EXHIBITS:
        run = each.recording()
        told = f"{each.title.rstrip('.')}."
        yield Card(each.name, told, each.source, picture(run.attempt()), f"{RUN}{run.share()}")


def picture(cluster: Cluster) -> Scene:
    """The servers as they stand."""
    return scene_cluster(cluster.frame())


def write(target: Path, template: str) -> None:
    """Write the gallery and its pictures into the folder of the page."""
    (target / PICTURES).mkdir()
    page = template.replace("<!-- SITUATIONS -->", section(target, situations()))
    (target / "gallery.html").write_text(
        page.replace("<!-- EXHIBITS -->", section(target, exhibits()))
    )


def section(target: Path, cards: Iterable[Card]) -> str:
    """Cards as HTML; their pictures are written to files."""
    return "\n".join(card_html(target, card) for card in cards)


def card_html(target: Path, card: Card) -> str:
    """A card, whose picture is written to a file."""
    path = f"{PICTURES}/{card.name}.svg"
    (target / path).write_text(card.scene.svg)
    wide, high = round(card.scene.width), round(card.scene.height)
    return (
        f'<li><a href="./{escape(card.link)}">'
        f'<img src="{path}" alt="" width="{wide}" height="{high}" loading="lazy">'
        f"<b>{escape(card.name.replace('_', ' ').replace('-', ' '))}</b></a>"
        f"<p>{escape(card.told)}</p><small>{escape(card.source)}</small></li>"
    )
