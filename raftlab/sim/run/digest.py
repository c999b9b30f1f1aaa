"""What the machines of a run did, in a few bytes: a replay that does something else is noticed.

The actions of a run do not say it: rules that use chance, that count, or that somebody has edited
may answer the same messages otherwise. So a run carries a checksum of where every node stood at
its end, and shorter ones of some frames before. They are made when somebody keeps the run, passes
it on or plays it again, and never while it goes on.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from zlib import crc32

import msgspec

from raftlab.raft.roles import Candidate, Leader
from raftlab.raft.vocabulary import Misuse, NotNow, shortened
from raftlab.sim.world.arguments import full_name
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.host import Host

Known: TypeAlias = Mapping[int, bytes]
"""What is known of a run: the checksums of some of its frames, or the first bytes of them."""

SCHEME = 1
"""What a digest covers: those of another number are not compared. Raise it when `_told` changes."""

WHOLE = 4
"""How many bytes a checksum has; of a frame on the way, one is kept."""

MOST_MARKS = 16
LEAST_SPACING = 32
STRETCH = 512
"""So many entries of a log are read at once: what several disks hold is read only once."""

POSSIBLE_REASONS = (
    "its rules may have been edited, use chance, a counter, or iterate over a set (or another"
    " version of raftlab has made it)"
)


class RunDiffers(Misuse):
    """A run plays otherwise than it went: from which frame on, and what may be the reason."""

    def __init__(self, since: str, said: str = "") -> None:
        super().__init__(f"{since} this run plays otherwise than it went{said}; {POSSIBLE_REASONS}")


def digest_of(cluster: Engine) -> bytes:
    """The checksum of where a cluster stands: equal in every process for equal runs.

    It covers what each node holds in memory and on its disk, commands, timers, counted votes,
    what leaders know of others and what was applied included, every message on its way, and
    those that moved in the last steps, so that a detour that led back to the same end shows, too.
    """
    logs = _Logs()
    told = (
        SCHEME,
        cluster.number,
        cluster.now,
        [_told(host, logs) for host in cluster.hosts.values()],
        [(*each.key, each.ends_at, each.lost, each.message) for each in cluster.in_flight()],
        cluster.world.network.cuts,
        [message for _, _, message, _ in cluster.recent if message is not None],
        cluster.violation and (cluster.violation.name, cluster.violation.frame),
    )
    return crc32(_bytes(told)).to_bytes(WHOLE, "big")


def _told(host: Host, logs: "_Logs") -> Sequence[object]:
    disk = host.disk
    held = (disk.term, disk.voted_for, logs.crc(disk.log), disk.snapshot, len(disk.writes))
    if not host.alive:
        return (host.node, held)
    machine = host.machine
    data = getattr(machine, "role_data", None)
    return (
        host.node,
        held,
        host.paused,
        machine.role,
        machine.term,
        machine.voted_for,
        getattr(machine, "leader", None),
        machine.commit_index,
        machine.next_deadline,
        logs.crc(list(machine.log)),
        machine.log.snapshot,
        data.votes.answers if isinstance(data, Candidate) else None,
        [_match(each) for each in data.tracker.progress.values()]
        if isinstance(data, Leader)
        else None,
        host.applied_index,
        host.application.encode(),
        len(host.inbox),
        len(host.readings),
    )


def _match(progress: Any) -> Sequence[object]:
    return (progress.node, progress.match_index, progress.next_index)


class _Logs:
    """Checksums of logs, a stretch at a time; a stretch that was seen before is not read again."""

    def __init__(self) -> None:
        self._seen: dict[int, list[tuple[list[Any], bytes]]] = {}

    def crc(self, entries: list[Any]) -> int:
        """The checksum of a log, with every command in it."""
        total = len(entries)
        for start in range(0, len(entries), STRETCH):
            total = crc32(self._bytes_of(start, entries[start : start + STRETCH]), total)
        return total

    def _bytes_of(self, start: int, entries: list[Any]) -> bytes:
        seen = self._seen.setdefault(start, [])
        for known, crc in seen:
            if known == entries:
                return crc
        crc = crc32(_bytes(entries)).to_bytes(WHOLE, "big")
        seen.append((entries, crc))
        return crc


# A name stands for what only the reader's own machine knows, and for a long number.
_bytes = msgspec.json.Encoder(order="deterministic", enc_hook=full_name).encode


# Which frames


def marked_frames(length: int) -> range:
    """The frames on the way of a run of this length whose checksums travel with it."""
    spacing = LEAST_SPACING
    while length > spacing * (MOST_MARKS + 1):
        spacing *= 2
    return range(spacing, length, spacing)


def packed(known: Known, length: int) -> bytes:
    """What a text or a file holds of them: a byte of each marked frame, and the end's own."""
    if length not in known:
        return b""
    marks = b"".join(known[each][:1] for each in marked_frames(length) if each in known)
    complete = len(marks) == len(marked_frames(length))
    return bytes([SCHEME]) + (marks if complete else b"") + known[length]


def unpacked(data: bytes, length: int) -> Known:
    """What `packed` has written of a run; nothing, if it was written by another version."""
    if len(data) <= WHOLE or data[0] != SCHEME:
        return {}
    marks, end = data[1:-WHOLE], data[-WHOLE:]
    known = {each: marks[place : place + 1] for place, each in enumerate(marked_frames(length))}
    return {**({} if len(marks) != len(known) else known), length: end}


# Comparing


class Comparison:
    """Follows a run that is played again, and refuses to go on as another one.

    Raises: Otherwise, which is a Misuse.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self._agreed = 0

    def look(self, cluster: Engine) -> None:
        """Compare a frame, if anything is known of it."""
        known = self.known.get(cluster.number)
        if known is None:
            return
        if not digest_of(cluster).startswith(known):
            since, number = self._agreed, cluster.number
            before = f", or from one after {since:,}," if number > since + 1 else ""
            raise RunDiffers(f"from frame {number:,} on{before}")
        self._agreed = cluster.number

    def stopped(self, cluster: Engine, error: Exception) -> None:
        """The run cannot go on, by `error`; it may have gone on when it was made."""
        if any(number > cluster.number for number in self.known):
            said = shortened(str(error).removesuffix("."))
            raise RunDiffers(f"from frame {cluster.number + 1:,} on", f" ({said})") from error
        self.look(cluster)
        if isinstance(error, NotNow) and cluster.stopped is None:  # to ask again is in vain
            raise Misuse(str(error)) from error

    def ended(self, cluster: Engine) -> None:
        """All actions of the run were tried, and those that could happen have happened."""
        last = max(self.known, default=cluster.number)
        if last != cluster.number:
            raise RunDiffers(f"from frame {min(last, cluster.number):,} on, or before,")
        self.look(cluster)


def check_same_run(live: Engine, played: Engine) -> None:
    """Compare a run with itself, played again up to some frame, as far as both remember steps.

    Steps are compared with their messages and with what the rules said, and the ends, if they
    are at the same frame. Raises: Otherwise, with the first step that differs.
    """
    known = {step[0]: step for step in live.recent}
    for step in played.recent:
        if known.get(step[0], step) != step:
            raise RunDiffers(f"from frame {step[0]:,} on")
    if live.number == played.number and not live.is_mid_step:
        Comparison({live.number: digest_of(live)}).look(played)
