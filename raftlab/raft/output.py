"""What the machine asks of its host: persist this, then send that and apply those."""

from typing import TypeAlias

import msgspec

from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Index, NodeId, Term

Detail: TypeAlias = str | int | float | bool | None


class Note(msgspec.Struct, frozen=True, gc=False):
    """What was decided, and by which rule; put into words only when somebody reads it.

    `rule` is the name of a method of `Rules`, or of the machine (without the underscore it may
    have); what a host adds of its own is under "read", "restart" or "note". It tells decisions
    apart: no one need read the words. A vote that no rule refuses is granted by `on_request_vote`.
    """

    rule: str
    text: str
    details: tuple[Detail, ...] = ()

    def __str__(self) -> str:
        return self.text.format(*self.details)


class RoleChange(msgspec.Struct, frozen=True, gc=False):
    """A step in Figure 4, and the term in which the node arrived."""

    before: Role
    cause: Cause
    after: Role
    term: Term


class ReadReady(msgspec.Struct, frozen=True, gc=False):
    """A read that may be answered now: `index` is applied with this output. Thesis: 6.4."""

    read_id: int
    index: Index


class Output(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Everything the host must now do, in this order. Paper: Figure 2, persistent state.

    1. Write `term` and `voted_for` together, if `term` is not None (`voted_for` may be
       None: the vote was given back by a new term). Store `snapshot`. Cut the stored log
       at `truncate_from`, and drop what it holds below `first_index`, if they are not None.
       Write `log_entries`. All of it must be safe on disk before anything else happens.
    2. Send `messages`.
    3. Load `snapshot` into the application if it is ahead of it. Apply `committed`, in
       order. Then answer `reads`, and tell the clients of `failed_reads` to ask again.

    `messages_at_once` need not wait for step 1: a leader's messages to its followers, under
    `Options.async_persistence`; otherwise it is empty. With several writes under way,
    `messages` wait for those of the earlier outputs, too.

    `role_changes` lists every step since the last poll; `role_change` is the newest.
    `debug_log` says what was decided and why; `alarms` reports what should be impossible.
    """

    term: Term | None = None
    voted_for: NodeId | None = None
    truncate_from: Index | None = None
    log_entries: tuple[LogEntry, ...] = ()
    snapshot: Snapshot | None = None
    messages: tuple[Message, ...] = ()
    committed: tuple[LogEntry, ...] = ()
    reads: tuple[ReadReady, ...] = ()
    role_changes: tuple[RoleChange, ...] = ()
    debug_log: tuple[Note, ...] = ()
    alarms: tuple[str, ...] = ()
    first_index: Index | None = None
    failed_reads: tuple[int, ...] = ()
    messages_at_once: tuple[Message, ...] = ()

    @property
    def role_change(self) -> RoleChange | None:
        """The newest change of role since the last poll, or None."""
        return self.role_changes[-1] if self.role_changes else None

    @property
    def must_be_written(self) -> bool:
        """Whether something must reach the disk before the messages may leave."""
        return (
            self.term is not None
            or bool(self.log_entries)
            or self.truncate_from is not None
            or self.snapshot is not None
        )


NOTHING = Output()
"""What `poll` returns when there is nothing to do."""
