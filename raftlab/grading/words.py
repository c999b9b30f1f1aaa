"""Texts of strangers, made fit to be shown: on one line, printable, and not without an end."""

from raftlab.raft.vocabulary import shortened
from raftlab.view.words import clean

MOST = 600
"""How many characters of a text are shown."""
NON_JOINER = "\u200c"
"""Persian names are written with it; every other character that cannot be seen is replaced."""


def plain(text: str, most: int = MOST) -> str:
    """A text on one line, printable, and not longer than `most`."""
    parts = " ".join(text.split()).split(NON_JOINER)
    return shortened(NON_JOINER.join(clean(part, len(part) + 1) for part in parts), most)


def sentence(text: str) -> str:
    """A text as a sentence: its first letter a capital, a full stop at its end; "" stays so.

    A name of code before a colon keeps its letters.
    """
    said = plain(text)
    if said and not said.partition(":")[0].isidentifier():
        said = said[:1].upper() + said[1:]
    return ended(said) if said else ""


def ended(said: str) -> str:
    """With a full stop, where nothing else ends it."""
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."
