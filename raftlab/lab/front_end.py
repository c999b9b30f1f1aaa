"""What the lab says of the place in which it is shown: a notebook, or a page of its own."""

from typing import NamedTuple

from raftlab.sim.run.share import PUBLISHED


class FrontEnd(NamedTuple):
    """The words of a front end, where one differs from another.

    `base` is the address to which "#run=" and a shared text are added to make a link; where it is
    empty, no links are made. The others are sentences, or ends of them.
    """

    gone: str
    interrupted: str
    passed_on: str
    many_steps: str
    class_needed: str
    base: str = ""


NOTEBOOK = FrontEnd(
    gone="The kernel of this lab has stopped. Run its cell again to go on.",
    interrupted="The kernel was interrupted, and the run stands still: press Play to go on.",
    passed_on="Paste it below, in any lab, or <code>raftlab.load(text{needed}).lab()</code>.",
    many_steps="to play so many, use raftlab.load(text, most_steps={steps}).lab() in a cell",
    class_needed=("define the class in a cell, and use raftlab.load(text, {argument}=…).lab()"),
    base=PUBLISHED,
)

PAGE = FrontEnd(
    gone="Python has stopped.",
    interrupted="Python was interrupted, and the run stands still: press Play to go on.",
    passed_on="Paste it below, in any lab, or pass the link on: it opens this page with the run.",
    many_steps="that is more than this page plays; a notebook with raftlab can",
    class_needed="this page cannot be given that class; a notebook with raftlab can",
)
"""Of `page/`; its `base` is known when it is opened."""
