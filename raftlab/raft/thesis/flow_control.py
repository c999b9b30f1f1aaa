"""A leader that cannot commit takes no commands without end."""

from raftlab.raft.log import Command, Payload
from raftlab.raft.roles import LEADER, Leader, RoleData
from raftlab.raft.thesis.protections import Protections
from raftlab.raft.vocabulary import Index, NotNow


class FlowControl(Protections):
    """How much may wait: `_uncommitted_bytes` counts the commands above `_counted_index`."""

    __slots__ = ("_counted_index", "_uncommitted_bytes")

    def _on_start(self) -> None:
        super()._on_start()
        self._counted_index: Index = 0
        self._uncommitted_bytes = 0

    def _on_role_change(self, lost: RoleData) -> None:
        super()._on_role_change(lost)
        if self.role is LEADER:
            waiting = self.log.entries(self.commit_index + 1, self.log.last_index + 1)
            self._counted_index = self.commit_index
            self._uncommitted_bytes = sum(each.size for each in waiting)

    def _admit(self, leader: Leader, payload: Payload) -> None:
        """Count a command that waits to be committed, or refuse it."""
        super()._admit(leader, payload)
        if not isinstance(payload, Command):
            return
        self._count_committed()
        size, waiting = len(payload.data) or 1, self._uncommitted_bytes
        if not self._rules.takes_command(size, waiting, self._options):
            raise NotNow(
                f"{self.node_id} has {waiting} bytes of commands that are not committed, and"
                f" takes no more than {self._options.max_uncommitted_bytes}: ask again later"
            )
        self._uncommitted_bytes += size

    def _count_committed(self) -> None:
        """What has been committed since the last count is no longer waiting."""
        committed = self.log.entries(self._counted_index + 1, self.commit_index + 1)
        self._uncommitted_bytes -= sum(each.size for each in committed)
        self._counted_index = self.commit_index
