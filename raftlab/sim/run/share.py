"""A run as a short text with a checksum, and back again.

The text holds the setup, what somebody did, and how many scheduled steps lie in between; so
whoever opens it plays it, and finds out whether the same run comes out.
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from raftlab.raft.options import Options, is_count
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.cost import work_of
from raftlab.sim.run.delta_encoding import Segment, segments
from raftlab.sim.run.digest import Known, packed
from raftlab.sim.run.tape import Said
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import Join, any_kind
from raftlab.sim.world.arguments import LONGEST_NAME, MOST_NODES, full_name, node_names
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.settings import Disks, Network, Setup

VERSION = 1
PREFIX = "raftlab"
RUN = "#run="
PUBLISHED = ""
"""The address of the published page, https://…/, or "" until there is one; README tells it, too."""

MOST_BYTES = 1 << 24
USUAL_STEPS = 200_000
"""How many steps a text may stand for (`work_of`), unless more are asked for: some seconds."""

MOST_ACTIONS = 5_000_000
PRESET_DICTIONARY = (
    b"torn snapshot_every async_persistence write_ms latency loss duplication reordering watched"
    b" logs disks network options rules nodes seed joinreconfigurewipeclockdiskcompactreaddeliver"
    b"cutpartitionhealrestartpausedroptimeoutcrashproposewaitS1S2S3S4S5\xa5setup\xa8x=1"
)
"""What short texts often hold: told by its place, it is shorter still.

It never changes: a text that was made with another one cannot be read.
"""

Steps = Annotated[int, msgspec.Meta(ge=1)]
Part = TypeVar("Part")


class TooManySteps(Misuse):
    """A text stands for `steps` steps, and more than `most` are not played unasked.

    `what` says so, and not how to ask for them.
    """

    def __init__(self, steps: int, most: int) -> None:
        self.steps = steps
        self.what = (
            f"this text stands for {steps:,} steps, and more than {most:,} are played only"
            " if they are asked for"
        )
        super().__init__(f"{self.what}, with most_steps={steps}")


class Shared(msgspec.Struct, Generic[Part], array_like=True, omit_defaults=True):
    """What the text says: the setup where it differs from the defaults, the run, its checksum.

    `digest` is what its machines did (`raftlab.sim.run.digest.packed`); older texts have none.
    """

    setup: dict[str, Any]
    segments: list[Part]
    crc: int
    digest: bytes = b""


class SharedWithTape(Shared[Part], Generic[Part], array_like=True):
    """The same of a run whose machines are processes: `said` is what they said."""

    said: Said = []


def encoded(
    setup: Setup,
    actions: Sequence[Action],
    known: Known,
    start: Engine,
    said: Callable[[], Said] = list,
) -> str:
    """A run as a text of letters, digits, "-", "_" and two dots; it is played on `start`.

    After that, `said` is what its machines said, where they are processes.

    Raises: Misuse, if the run does not play again as it went, as far as that is `known`.
    """
    noted: dict[int, bytes] = {}
    run, crc = list(segments(start, actions, known, noted)), crc_of(actions)
    told = Shared(_told(setup), run, crc, packed(noted, len(actions)))
    if words := said():
        told = SharedWithTape(told.setup, told.segments, told.crc, told.digest, words)
    zipping = zlib.compressobj(9, wbits=-zlib.MAX_WBITS, zdict=PRESET_DICTIONARY)
    zipped = zipping.compress(msgspec.msgpack.encode(told)) + zipping.flush()
    sealed = zipped + zlib.crc32(zipped).to_bytes(4, "big")
    return f"{PREFIX}.{VERSION}.{urlsafe_b64encode(sealed).decode().rstrip('=')}"


def decoded(text: str, most_steps: int = USUAL_STEPS) -> tuple[Setup, SharedWithTape[Segment]]:
    """What a text of `encoded` says: its setup, and its run in segments, not played yet.

    Raises: Misuse, saying what is wrong: no such text, a text that was cut short or altered,
    another version, or a text that stands for more than `most_steps`.
    """
    told = _unzipped("".join(text.split()))  # a mail breaks lines where it likes
    setup = _setup(told.setup)
    _check_work(told, setup, most_steps)
    return setup, told


def _check_work(told: Shared[Segment], setup: Setup, most_steps: int) -> None:
    """Refuse what a short text can make endless, before any of it is played. Raises: Misuse."""
    if not is_count(most_steps):
        raise Misuse(f"most_steps is a number of steps, not {shown(most_steps)}")
    steps = work_of(setup, told.segments)
    if steps > MOST_ACTIONS:
        raise Misuse(f"this text stands for more than {MOST_ACTIONS:,} steps")
    if steps > most_steps:
        raise TooManySteps(steps, most_steps)
    names = [name for each in told.segments if not isinstance(each, int) for name in _names(each)]
    if (longest := max(names, key=len, default="")) and len(longest) > LONGEST_NAME:
        raise Misuse(f"a node's name has at most {LONGEST_NAME} characters, not {shown(longest)}")
    newcomers = sum(isinstance(each, Join) for each in told.segments)
    if len(setup.nodes) + newcomers > MOST_NODES:
        raise Misuse(f"a cluster has 1 to {MOST_NODES} nodes, not {len(setup.nodes) + newcomers}")


def _names(action: Action) -> Iterator[str]:
    """The names of nodes in an action."""
    for field in action.__struct_fields__:
        value = getattr(action, field)
        if isinstance(value, str) and field != "key":
            yield value
        if isinstance(value, tuple):
            for each in value:
                yield from (each,) if isinstance(each, str) else each


def is_shared(text: str) -> bool:
    """Whether a text begins as that of a shared run does, however it was broken into lines."""
    return re.match(rf"{PREFIX}\.\d+\.", "".join(text.split())) is not None


def linked(base: str, text: str) -> str:
    """The address at which the page at `base`, one with a lab, opens a shared run.

    Raises: Misuse, for what is no address of a page.
    """
    if base == PUBLISHED == "":
        raise Misuse("no page is published yet: name the address of a page, such as https://…")
    if not isinstance(base, str) or not re.match(r"(https?|file)://[^\s#]+(#|\Z)", base, re.I):
        raise Misuse(
            f"a link begins with the address of a page, such as https://…, not {shown(base)}"
        )
    return f"{base.partition('#')[0]}{RUN}{text}"


def text_in(link: str) -> str:
    """The shared text in an address that `linked` made; any other text as it is."""
    return link.partition(RUN)[2] or link


def crc_of(actions: Iterable[Action]) -> int:
    """The checksum of a run: of its actions, whatever the classes in it are called."""
    encode, crc = msgspec.json.Encoder().encode, zlib.crc32(b"[")
    for place, action in enumerate(actions):
        crc = zlib.crc32(encode(action), zlib.crc32(b",", crc) if place else crc)
    return zlib.crc32(b"]", crc)


def without_defaults(setup: msgspec.Struct) -> dict[str, Any]:
    """The fields of settings that differ from their defaults, settings within settings too."""
    told: dict[str, Any] = {}
    for field in msgspec.structs.fields(setup):
        value = getattr(setup, field.name)
        if value == field.default:
            continue
        told[field.name] = without_defaults(value) if isinstance(value, msgspec.Struct) else value
    return told


def _unzipped(text: str) -> SharedWithTape[Segment]:
    mark, _, rest = text.partition(".")
    version, _, sealed = rest.partition(".")
    if mark != PREFIX or not sealed:
        raise Misuse(f'a shared run begins with "{PREFIX}.{VERSION}.", not with {text[:12]!r}')
    if version != str(VERSION):
        raise Misuse(f"this run is of version {version[:8]}; this raftlab reads version {VERSION}")
    if (strange := re.search(r"[^A-Za-z0-9_-]", sealed)) is not None:
        raise Misuse(f"this text has a {strange[0]!r} in it, which no shared run has")
    data = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)) if len(sealed) % 4 != 1 else b""
    zipped, crc = data[:-4], data[-4:]
    as_written = urlsafe_b64encode(data).decode().rstrip("=") == sealed
    if not as_written or zlib.crc32(zipped).to_bytes(4, "big") != crc:
        raise Misuse("this text was altered or cut short: its checksum does not fit")
    try:
        unzipping = zlib.decompressobj(-zlib.MAX_WBITS, PRESET_DICTIONARY)
        raw = unzipping.decompress(zipped, MOST_BYTES)
        if unzipping.unconsumed_tail:
            raise Misuse(f"this text unpacks to more than {MOST_BYTES >> 20} MB")
        kind: Any = SharedWithTape  # of the actions that there are now
        opened: SharedWithTape[Segment] = msgspec.msgpack.decode(raw, type=kind[Steps | any_kind()])
        return opened
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misuse(f"this text holds no run: {error}") from None


def _told(setup: Setup) -> dict[str, Any]:
    """The setup where it differs from the defaults: usual names are counted, usual rules go."""
    told = without_defaults(setup)
    if setup.nodes == node_names(len(setup.nodes)):
        told["nodes"] = len(setup.nodes)
    if {name for _, name in setup.rules} == {full_name(Rules)}:
        del told["rules"]
    return told


def _setup(told: dict[str, Any]) -> Setup:
    if isinstance(told.get("nodes"), int):
        told = {**told, "nodes": node_names(told["nodes"])}
    parts = {"options": Options, "network": Network, "disks": Disks}
    try:
        made = {name: msgspec.convert(told.get(name, {}), kind) for name, kind in parts.items()}
        rest = {name: value for name, value in told.items() if name not in parts}
        return msgspec.convert({**rest, **made}, Setup)
    except msgspec.ValidationError as error:
        raise Misuse(f"this text holds no setup of a cluster: {error}") from None
