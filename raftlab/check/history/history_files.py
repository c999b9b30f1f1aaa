"""Files of histories: JSON, an operation or an event of one in each line, or all in one array.

Other tools write such files in several ways, so it is looked at what a file is, and what
cannot be read is refused with the way to convert it.
"""

import pathlib
import re
from typing import Any

import msgspec

from raftlab.check.history.jepsen_events import Told, event_of, operations_in
from raftlab.check.history.operations import Operation
from raftlab.raft.vocabulary import Misuse, shortened

UTF_8, UTF_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
EDN = re.compile(rb"\s*[\[(]?\s*(#[\w./-]+\s*)?\{\s*:")
LOG = re.compile(rb".*?\S\s+:(invoke|ok|fail|info)\s+:")
SPREAD = re.compile(rb"\{\s*|\[\s*\{\s*|\{\s*\"\w+\"\s*:\s*[^{}]*,\s*")
EXACT = 2**53
"""From here on, not every whole number is a float."""

Item = tuple[str, bytes | msgspec.Raw]
_ANY, _ARRAY = msgspec.json.Decoder(), msgspec.json.Decoder(list[msgspec.Raw])
_OPERATION = msgspec.json.Decoder(Operation)


def read_file(path: pathlib.Path, ms_per_unit: float, cas_sees: bool) -> list[Operation]:
    """The operations in a file, in the order in which they stand. Raises: Misuse; OSError."""
    try:
        items = _items(_text(path.read_bytes()))
        if not items:
            return []
        first = _decoded(_ANY, *items[0])
        if isinstance(first, dict) and ("type" in first or ":type" in first):
            return operations_in([_event(*item) for item in items], ms_per_unit, cas_sees)
        return _in_ms([_decoded(_OPERATION, *item) for item in items], ms_per_unit)
    except Misuse as error:
        raise Misuse(f"{path}, {error}") from None


def _text(data: bytes) -> bytes:
    """The bytes of a file as UTF-8, without a byte order mark. Raises: Misuse."""
    if data.startswith(UTF_16):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError:
            raise Misuse("line 1: this is no text") from None
    return data.removeprefix(UTF_8)


def _items(text: bytes) -> list[Item]:
    """The objects in a file, and where each stands. Raises: Misuse."""
    if EDN.match(text):
        raise Misuse(
            "line 1: this is EDN, not JSON: `jet --from edn --to json < history.edn >"
            " history.jsonl` converts it (jet is at https://github.com/borkdude/jet)"
        )
    if LOG.match(text):
        raise Misuse(
            "line 1: this is a log, not JSON: Jepsen keeps the same history in history.edn,"
            " and `jet --from edn --to json` converts that"
        )
    if text.lstrip().startswith(b"["):
        items: list[msgspec.Raw] = _decoded(_ARRAY, "line 1", text)
        return [(f"element {number}", item) for number, item in enumerate(items, start=1)]
    lines = enumerate(text.split(b"\n"), start=1)
    found: list[Item] = [(f"line {number}", line) for number, line in lines if line.strip()]
    if len(found) > 1 and isinstance(found[0][1], bytes) and SPREAD.fullmatch(found[0][1]):
        raise Misuse(
            f"{found[0][0]}: an object stands in several lines: `jq -c .` writes each in one"
        )
    return found


def _decoded(decoder: msgspec.json.Decoder[Any], where: str, item: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(item)
    except RecursionError:
        raise Misuse(f"{where}: lists or objects are nested too deeply") from None
    except ValueError as error:
        raise Misuse(f"{where}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """What an error says, as the end of a sentence."""
    said = shortened(str(error))
    return said if said[:2].isupper() else f"{said[0].lower()}{said[1:]}"


def _event(where: str, item: bytes | msgspec.Raw) -> Told:
    try:
        return where, event_of(_decoded(_ANY, where, item))
    except msgspec.ValidationError as error:
        raise Misuse(f"{where}: {_reason(error)}") from None


def _in_ms(operations: list[Operation], ms_per_unit: float) -> list[Operation]:
    """The operations with their times in ms.

    Where whole numbers are too large to be told apart as floats, as those of ns since 1970
    are, times are counted from the first.
    """
    if ms_per_unit == 1.0 or not operations:
        return operations
    first = min(operation.start for operation in operations)
    origin = first if abs(first) >= EXACT else 0
    return [
        msgspec.structs.replace(
            each,
            start=(each.start - origin) * ms_per_unit,
            end=None if each.end is None else (each.end - origin) * ms_per_unit,
        )
        for each in operations
    ]
