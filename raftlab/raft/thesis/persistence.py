"""Writing while sending: many writes may be under way. Thesis: 10.2.1."""

from typing import Any

from raftlab.raft.messages import AppendEntries, InstallSnapshot, ReadIndexReply, TimeoutNow
from raftlab.raft.output import Output
from raftlab.raft.roles import LEADER, Role
from raftlab.raft.thesis.reads import LinearizableReads
from raftlab.raft.vocabulary import Misuse

CLAIMING_NOTHING = (AppendEntries, InstallSnapshot, TimeoutNow, ReadIndexReply)
"""Messages of a leader, whose term was on its disk before it led. Thesis: 10.2.1."""


class AsynchronousPersistence(LinearizableReads):
    """How a node speaks while it writes, and what counts once it has written."""

    __slots__ = ()

    def _on_start(self) -> None:
        super()._on_start()
        self._has_more = self._options.async_persistence
        self._polling_confirms = not self._has_more

    def persisted(self, output: Output) -> None:
        """Everything that `output` asked to be written is on disk, and all before it.

        Only under `Options.async_persistence`, where many writes may be under way: a leader
        counts its own copy, and a candidate its own vote, from then on. An entry that was
        overwritten meanwhile counts for nothing. Thesis: 10.2.1.

        Raises: Misuse, where calling `poll` says so already.
        """
        if self._polling_confirms:
            raise Misuse("calling poll again says what is on disk: async_persistence is off")
        if output.log_entries and self.role is LEADER:
            written = output.log_entries[-1]
            if self._rules.is_still_there(written, self.log):
                self._count_own_copy(written.index)
        is_own_vote = output.term == self.term and output.voted_for == self.node_id
        if is_own_vote and self.role is Role.CANDIDATE:
            self._count_own_vote()

    def _before_output(self) -> dict[str, Any]:
        """What claims nothing to be on disk need not wait for it."""
        more = super()._before_output()
        if self._polling_confirms:
            return more
        self._has_more = True
        at_once = tuple(each for each in self._messages if isinstance(each, CLAIMING_NOTHING))
        if at_once:
            more["messages_at_once"] = at_once
            self._messages = [
                each for each in self._messages if not isinstance(each, CLAIMING_NOTHING)
            ]
        return more
