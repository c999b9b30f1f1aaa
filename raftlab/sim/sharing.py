"""A run as a short text with a checksum, and back again.

The text holds the setup, what somebody did, and how many scheduled steps lie in between; so
whoever opens it plays it, and finds out whether the same run comes out.
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from raftlab.raft.options import Options, is_count
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse, shortened, shown
from raftlab.sim.actions import Action, Join
from raftlab.sim.digest import Comparison, Otherwise, packed, unpacked
from raftlab.sim.given import LONGEST_NAME, MOST_NODES, RulesGiven, full_name, node_names
from raftlab.sim.host import MachineFactory
from raftlab.sim.resolving import recording_of
from raftlab.sim.segments import played, segments
from raftlab.sim.settings import Disks, Network, Setup
from raftlab.sim.work import work_of

if TYPE_CHECKING:
    from raftlab.sim.recording import Recording

VERSION = 1
MARK = "raftlab"
MOST_BYTES = 1 << 24
USUAL_STEPS = 200_000
"""How many steps a text may stand for (`work_of`), unless more are asked for: some seconds."""

MOST_ACTIONS = 5_000_000
OFTEN = (
    b"torn snapshot_every async_persistence write_ms latency loss duplication reordering watched"
    b" logs disks network options rules nodes seed joinreconfigurewipeclockdiskcompactreaddeliver"
    b"cutpartitionhealrestartpausedroptimeoutcrashproposewaitS1S2S3S4S5\xa5setup\xa8x=1"
)
"""What short texts often hold: told by its place, it is shorter still."""

Steps = Annotated[int, msgspec.Meta(ge=1)]


class TooManySteps(Misuse):
    """A text stands for `steps` steps, and more than `most` are not played unasked."""

    def __init__(self, steps: int, most: int) -> None:
        self.steps = steps
        super().__init__(
            f"this text stands for {steps:,} steps, and more than {most:,} are played only"
            f" if they are asked for, with most_steps={steps}"
        )


class Shared(msgspec.Struct, array_like=True, omit_defaults=True):
    """What the text says: the setup where it differs from the defaults, the run, its checksum.

    `digest` is what its machines did (`raftlab.sim.digest.packed`); older texts have none.
    """

    setup: dict[str, Any]
    segments: list[Steps | Action]
    crc: int
    digest: bytes = b""


def shared(recording: "Recording") -> str:
    """The run as a text of letters, digits, "-", "_" and two dots.

    Raises: Misuse, if the run does not play again as it went.
    """
    known: dict[int, bytes] = {}
    run, crc = list(segments(recording, known)), crc_of(recording)
    told = Shared(_told(recording.setup), run, crc, packed(known, len(recording)))
    zipping = zlib.compressobj(9, wbits=-zlib.MAX_WBITS, zdict=OFTEN)
    zipped = zipping.compress(msgspec.msgpack.encode(told)) + zipping.flush()
    sealed = zipped + zlib.crc32(zipped).to_bytes(4, "big")
    return f"{MARK}.{VERSION}.{urlsafe_b64encode(sealed).decode().rstrip('=')}"


def opened(
    text: str,
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    most_steps: int = USUAL_STEPS,
) -> "Recording":
    """The run that a text of `shared` stands for.

    `rules` and `machine` are needed where the run used classes that are not raftlab's own. A text
    that stands for more than `most_steps` is not played. If the text has no digest, neither has
    the recording.
    Raises: Misuse, saying what is wrong: no such text, a text that was cut short or altered,
    another version, classes that are missing, too many steps, a run that comes out differently
    here, and from which frame on.
    """
    told = _unpacked("".join(text.split()))  # a mail breaks lines where it likes
    setup = _setup(told.setup)
    _check_work(told, setup, most_steps)
    length = sum(each if isinstance(each, int) else 1 for each in told.segments)
    known = unpacked(told.digest, length)
    try:
        cluster = recording_of(setup, (), rules, machine).start()
        recording = played(cluster, told.segments, Comparison(known)).recording
    except Otherwise as error:
        raise Misuse(f"this run comes out differently here: {error}") from error
    except Misuse as error:
        raise Misuse(f"this run cannot be played here: {error}") from None
    except Exception as error:  # of actions that no verb makes, or of the reader's own classes
        what = f"{type(error).__name__}: {shortened(str(error))}"
        raise Misuse(f"this run cannot be played here: {what}") from error
    if crc_of(recording) != told.crc:
        raise Misuse(
            "this run comes out differently here: it was made by another version of raftlab,"
            " or with other rules"
        )
    return recording.knowing(known)


def _check_work(told: Shared, setup: Setup, most_steps: int) -> None:
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
    return re.match(rf"{MARK}\.\d+\.", "".join(text.split())) is not None


def crc_of(recording: "Recording") -> int:
    """The checksum of a run: of its actions, whatever the classes in it are called."""
    encode, crc = msgspec.json.Encoder().encode, zlib.crc32(b"[")
    for place, action in enumerate(recording.actions):
        crc = zlib.crc32(encode(action), zlib.crc32(b",", crc) if place else crc)
    return zlib.crc32(b"]", crc)


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
    zipped, crc = data[:-4], data[-4:]
    as_written = urlsafe_b64encode(data).decode().rstrip("=") == sealed
    if not as_written or zlib.crc32(zipped).to_bytes(4, "big") != crc:
        raise Misuse("this text was altered or cut short: its checksum does not fit")
    try:
        unzipping = zlib.decompressobj(-zlib.MAX_WBITS, OFTEN)
        raw = unzipping.decompress(zipped, MOST_BYTES)
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
        return msgspec.convert({**rest, **made}, Setup)
    except msgspec.ValidationError as error:
        raise Misuse(f"this text holds no setup of a cluster: {error}") from None
