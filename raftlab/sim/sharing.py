"""A run as a short text with a checksum, and back again.

The text holds the setup, what somebody did, and how many scheduled steps lie in between; so
whoever opens it plays it, and finds out whether the same run comes out.
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.actions import Action
from raftlab.sim.given import RulesGiven, full_name, node_names
from raftlab.sim.host import MachineFactory
from raftlab.sim.resolving import recording_of
from raftlab.sim.segments import played, segments
from raftlab.sim.settings import Disks, Network, Setup

if TYPE_CHECKING:
    from raftlab.sim.recording import Recording

VERSION = 1
MARK = "raftlab"
MOST_BYTES = 1 << 24
MOST_ACTIONS = 5_000_000
MOST_ENTRIES = 250_000
OFTEN = (
    b"torn snapshot_every async_persistence write_ms latency loss duplication reordering watched"
    b" logs disks network options rules nodes seed joinreconfigurewipeclockdiskcompactreaddeliver"
    b"cutpartitionhealrestartpausedroptimeoutcrashproposewaitS1S2S3S4S5\xa5setup\xa8x=1"
)
"""What short texts often hold: told by its place, it is shorter still."""

Steps = Annotated[int, msgspec.Meta(ge=1)]


class Shared(msgspec.Struct, array_like=True):
    """What the text says: the setup where it differs from the defaults, the run, its checksum."""

    setup: dict[str, Any]
    segments: list[Steps | Action]
    crc: int


def shared(recording: "Recording") -> str:
    """The run as a text of letters, digits, "-", "_" and two dots.

    Raises: Misuse, if the run does not play again as it went.
    """
    told = Shared(_told(recording.setup), list(segments(recording)), crc_of(recording))
    zipping = zlib.compressobj(9, wbits=-zlib.MAX_WBITS, zdict=OFTEN)
    packed = zipping.compress(msgspec.msgpack.encode(told)) + zipping.flush()
    sealed = packed + zlib.crc32(packed).to_bytes(4, "big")
    return f"{MARK}.{VERSION}.{urlsafe_b64encode(sealed).decode().rstrip('=')}"


def opened(
    text: str, rules: RulesGiven = None, machine: MachineFactory | None = None
) -> "Recording":
    """The run that a text of `shared` stands for.

    `rules` and `machine` are needed where the run used classes that are not raftlab's own.
    Raises: Misuse, saying what is wrong: no such text, a text that was cut short or altered,
    another version, classes that are missing, a run that comes out differently here.
    """
    told = _unpacked("".join(text.split()))  # a mail breaks lines where it likes
    if sum(each if isinstance(each, int) else 1 for each in told.segments) > MOST_ACTIONS:
        raise Misuse(f"this text stands for more than {MOST_ACTIONS:,} steps")
    setup = _setup(told.setup)
    try:
        recording = played(recording_of(setup, (), rules, machine).start(), told.segments).recording
    except Misuse as error:
        raise Misuse(f"this run cannot be played here: {error}") from None
    except Exception as error:  # of actions that no verb makes, or of the reader's own classes
        what = f"{type(error).__name__}: {error}"
        raise Misuse(f"this run cannot be played here: {what}") from error
    if crc_of(recording) != told.crc:
        raise Misuse(
            "this run comes out differently here: it was made by another version of raftlab,"
            " or with other rules"
        )
    return recording


def is_shared(text: str) -> bool:
    """Whether a text begins as that of a shared run does, however it was broken into lines."""
    return re.match(rf"{MARK}\.\d+\.", "".join(text.split())) is not None


def crc_of(recording: "Recording") -> int:
    """The checksum of a run: of its actions, whatever the classes in it are called."""
    return zlib.crc32(msgspec.json.encode(recording.actions))


def unusual(setup: msgspec.Struct) -> dict[str, Any]:
    """The fields of settings that differ from their defaults, settings within settings too."""
    told: dict[str, Any] = {}
    for field in msgspec.structs.fields(setup):
        value = getattr(setup, field.name)
        if value == field.default:
            continue
        told[field.name] = unusual(value) if isinstance(value, msgspec.Struct) else value
    return told


def _unpacked(text: str) -> Shared:
    mark, _, rest = text.partition(".")
    version, _, sealed = rest.partition(".")
    if mark != MARK or not sealed:
        raise Misuse(f'a shared run begins with "{MARK}.{VERSION}.", not with {text[:12]!r}')
    if version != str(VERSION):
        raise Misuse(f"this run is of version {version[:8]}; this raftlab reads version {VERSION}")
    if (strange := re.search(r"[^A-Za-z0-9_-]", sealed)) is not None:
        raise Misuse(f"this text has a {strange[0]!r} in it, which no shared run has")
    data = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)) if len(sealed) % 4 != 1 else b""
    packed, crc = data[:-4], data[-4:]
    as_written = urlsafe_b64encode(data).decode().rstrip("=") == sealed
    if not as_written or zlib.crc32(packed).to_bytes(4, "big") != crc:
        raise Misuse("this text was altered or cut short: its checksum does not fit")
    try:
        unzipping = zlib.decompressobj(-zlib.MAX_WBITS, OFTEN)
        raw = unzipping.decompress(packed, MOST_BYTES)
        if unzipping.unconsumed_tail:
            raise Misuse(f"this text unpacks to more than {MOST_BYTES >> 20} MB")
        return msgspec.msgpack.decode(raw, type=Shared)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Misuse(f"this text holds no run: {error}") from None


def _told(setup: Setup) -> dict[str, Any]:
    """The setup where it differs from the defaults: usual names are counted, usual rules go."""
    told = unusual(setup)
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
        setup = msgspec.convert({**rest, **made}, Setup)
    except msgspec.ValidationError as error:
        raise Misuse(f"this text holds no setup of a cluster: {error}") from None
    if sum(len(terms) for _, terms in setup.logs) > MOST_ENTRIES:
        raise Misuse(f"this text stands for logs of more than {MOST_ENTRIES:,} entries")
    return setup
