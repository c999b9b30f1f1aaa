"""From the entries, snapshots and messages of `raftlab.raft` to those of a line, and back."""

from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from raftlab.process.faults import MachineFault
from raftlab.process.wire import (
    AppendEntriesLine,
    Base64,
    CommandLine,
    EntryLine,
    InstallSnapshotLine,
    MessageLine,
    SnapshotLine,
    Text,
)
from raftlab.raft.log import Command, Empty, LogEntry, Snapshot
from raftlab.raft.messages import AppendEntries, InstallSnapshot, Message
from raftlab.raft.vocabulary import Configuration, shown

Told = TypeVar("Told")


def text_of(data: bytes) -> Text:
    """Bytes as a line holds them."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Base64(b64encode(data).decode())


def bytes_of(text: Text) -> bytes:
    """Bytes from a line. Raises: MachineFault."""
    if isinstance(text, str):
        return text.encode()
    try:
        return b64decode(text.base64, validate=True)
    except (NoBase64, ValueError):
        raise MachineFault("wrong shape", f"{shown(text.base64)} is no base64") from None


def payload_line(payload: Any) -> CommandLine | Configuration | Empty:
    """What an entry holds, for a line."""
    return CommandLine(text_of(payload.data)) if type(payload) is Command else payload


def entry_line(entry: LogEntry) -> EntryLine:
    """An entry, for a line."""
    return EntryLine(entry.term, entry.index, payload_line(entry.payload))


def entry_of(line: EntryLine) -> LogEntry:
    """An entry from a line. Raises: MachineFault."""
    payload = line.payload
    if type(payload) is CommandLine:
        return LogEntry(line.term, line.index, Command(bytes_of(payload.data)))
    return LogEntry(line.term, line.index, payload)  # type: ignore[arg-type]


def snapshot_line(snapshot: Snapshot) -> SnapshotLine:
    """A snapshot, for a line."""
    data = text_of(snapshot.data)
    return SnapshotLine(snapshot.index, snapshot.term, snapshot.configuration, data)


def snapshot_of(line: SnapshotLine) -> Snapshot:
    """A snapshot from a line. Raises: MachineFault."""
    return Snapshot(line.index, line.term, line.configuration, bytes_of(line.data))


def message_line(message: Message) -> Any:
    """A message, for a line."""
    if type(message) is AppendEntries and message.entries:
        entries = tuple(map(entry_line, message.entries))
        return _told_as(AppendEntriesLine, message, entries=entries)
    if type(message) is InstallSnapshot:
        return _told_as(InstallSnapshotLine, message, snapshot=snapshot_line(message.snapshot))
    return message


def message_of(line: MessageLine, entry_of: Callable[[EntryLine], LogEntry]) -> Message:
    """A message from a line, whose entries `entry_of` makes. Raises: MachineFault."""
    if type(line) is AppendEntriesLine:
        return _told_as(AppendEntries, line, entries=tuple(map(entry_of, line.entries)))
    if type(line) is InstallSnapshotLine:
        return _told_as(InstallSnapshot, line, snapshot=snapshot_of(line.snapshot))
    return line  # type: ignore[return-value]  # the others are told as they are


def _told_as(kind: type[Told], like: msgspec.Struct, **parts: Any) -> Told:
    """A message or a line with the fields of its counterpart, but for these parts."""
    return kind(**{**msgspec.structs.asdict(like), **parts})
