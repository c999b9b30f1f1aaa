"""Handing leadership over. Thesis: 3.10.

The leader takes no more commands, waits until its successor holds all that it holds, and
tells it to campaign at once. If that does not work in time, it goes on leading.
"""

from collections.abc import Hashable, Mapping
from copy import copy
from random import Random
from typing import ClassVar, Self

import msgspec

from raftlab.raft.log import RaftLog
from raftlab.raft.messages import TimeoutNow
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Cause, Leader, Role, RoleData
from raftlab.raft.thesis.flow_control import FlowControl
from raftlab.raft.vocabulary import Millis, NodeId, NotLeader, NotNow

NO_DEADLINE: Millis = float("inf")
"""How long a leader that was removed tries to hand over: until it works."""


class Transfer(msgspec.Struct):
    """Leadership that is being handed over: to `to`, or to any voter if None. Thesis: 3.10.

    `deadline` (ms) is when the leader gives up and takes commands again, `resend_at` when it
    asks once more; `sent` is who was told to campaign at once, if anyone was.
    """

    to: NodeId | None
    deadline: Millis
    resend_at: Millis
    sent: NodeId | None = None


class LeadershipTransfer(FlowControl):
    """How a leader gives its place to another voter.

    `_transfer` while it hands over; `_has_handed_over` from the first attempt of its term on:
    a TimeoutNow may still be under way when the leader has given up.
    """

    __slots__ = ("_has_handed_over", "_transfer")

    _HANDLERS: ClassVar[Mapping[type, str]] = {TimeoutNow: "_on_timeout_now"}

    def _on_start(self) -> None:
        super()._on_start()
        self._transfer: Transfer | None = None
        self._has_handed_over = False

    def _on_role_change(self, lost: RoleData) -> None:
        super()._on_role_change(lost)
        self._transfer = None
        self._has_handed_over = False

    def _copy_with(self, rng: Random, log: RaftLog) -> Self:
        """Also: to whom leadership is handed."""
        twin = super()._copy_with(rng, log)
        twin._transfer = copy(self._transfer)
        return twin

    def fingerprint(self) -> tuple[Hashable, ...]:
        """Also: to whom leadership is handed, and whether it ever was."""
        transfer = self._transfer
        handing = (transfer.to, transfer.sent) if transfer else None
        return (*super().fingerprint(), handing, self._has_handed_over)

    # Leaders

    def transfer_leadership(self, to: NodeId | None = None) -> None:
        """Hand leadership over to `to`, or to the voter that holds everything and was heard last.

        It is done when a higher term arrives, and given up after `Options.transfer_timeout`.
        Until then commands are refused. A new call takes the place of an earlier one.
        Thesis: 3.10.

        Raises: NotLeader; Misuse, for a node that cannot lead, and if there is no other.
        """
        if self.role is not Role.LEADER:
            what = "hand leadership over"
            raise NotLeader.of(self.node_id, self.role.value, self.term, self.leader, what)
        if to == self.node_id:
            raise NotNow(f"{to} leads already")
        if to is not None and not self._rules.may_be_handed_leadership(to, self.configuration):
            voters = ", ".join(self.configuration.voters)
            raise NotNow(f"{to} cannot lead: the voters are {voters}")
        if all(voter == self.node_id for voter in self.configuration.voters):
            raise NotNow(f"there is no other voter to whom {self.node_id} could hand over")
        self._begin_transfer(to, self._now + self._options.transfer_timeout)

    def _leader_taking_commands(self) -> Leader:
        """What this node knows as a leader that takes commands now.

        Raises: NotLeader; NotNow, while it hands its leadership over.
        """
        leader = super()._leader_taking_commands()
        if not self._may_append():
            to = (self._transfer and self._transfer.to) or "another node"
            raise NotNow(f"{self.node_id} is handing leadership over to {to}: ask again soon")
        return leader

    def _may_append(self) -> bool:
        """Whether it may append anything now: its successor is to lack nothing. Thesis: 3.10."""
        return self._transfer is None or self._rules.takes_commands_while_handing_over()

    def _begin_transfer(self, to: NodeId | None, deadline: Millis) -> None:
        """Take no more commands, and hand over as soon as a successor has everything."""
        leader = self.role_data
        assert isinstance(leader, Leader)
        transfer = self._transfer = Transfer(to, deadline, resend_at=deadline)
        self._has_handed_over = self._hears_acceptances = True
        self._note("transfer_leadership", "hands leadership over to {}", to or "the first that can")
        self._tell_best_successor(leader, transfer)
        self._note_deadline()

    def _tell_best_successor(self, leader: Leader, transfer: Transfer) -> None:
        """Tell whoever has everything and was heard last; after a try in vain, rather another."""
        members = leader.tracker.progress.values()
        best = sorted(
            (each for each in members if self._can_succeed(transfer, each)),
            key=lambda each: (each.node == transfer.sent, -each.last_reply_at),
        )
        transfer.sent, transfer.resend_at = None, transfer.deadline
        if best:
            self._tell_to_campaign(transfer, best[0].node)

    def _can_succeed(self, transfer: Transfer, progress: FollowerProgress) -> bool:
        """Whether this member is one to hand over to, and has everything."""
        node, rules = progress.node, self._rules
        if node == self.node_id or transfer.to not in (None, node):
            return False
        may = rules.may_be_handed_leadership(node, self.configuration)
        return may and rules.may_take_over(progress.match_index, self.log.last_index)

    def _tell_to_campaign(self, transfer: Transfer, node: NodeId) -> None:
        """Send TimeoutNow; a leader without a vote is done with that. Thesis: 3.10, 4.2.2."""
        transfer.sent = node
        transfer.resend_at = self._now + self._options.heartbeat_interval  # it speaks before that
        self._note("may_take_over", "tells {} to campaign at once", node)
        self._send(TimeoutNow(term=self.term, sender=self.node_id, receiver=node))
        if not self.configuration.can_vote(self.node_id):
            self._become_follower(None, Cause.REMOVED)

    def _wants_acceptances(self) -> bool:
        return self._transfer is not None or super()._wants_acceptances()

    def _after_accepted(self, leader: Leader, progress: FollowerProgress) -> None:
        """A member that has just caught up may be the successor. Thesis: 3.10, second step."""
        super()._after_accepted(leader, progress)
        transfer = self._transfer
        if transfer is None or transfer.sent is not None:
            return
        if self._can_succeed(transfer, progress):
            self._tell_to_campaign(transfer, progress.node)

    def _earliest_deadline(self) -> Millis:
        """When the next `tick` can matter (ms): a leader that hands over waits for that, too."""
        due, transfer = super()._earliest_deadline(), self._transfer
        return due if transfer is None else min(due, transfer.resend_at, transfer.deadline)

    def _tick_leader(self) -> None:
        """Ask the successor again, or give up when it takes too long. Thesis: 3.10, last part."""
        super()._tick_leader()
        leader, transfer = self.role_data, self._transfer
        if not isinstance(leader, Leader) or transfer is None:
            return
        if self._now >= transfer.deadline:
            self._transfer = None
            self._hears_acceptances = self._wants_acceptances()
            self._note("transfer_leadership", "gives up handing over, and takes commands again")
            self._go_on_leading()
        elif transfer.sent is not None and self._now >= transfer.resend_at:
            self._tell_best_successor(leader, transfer)

    def _go_on_leading(self) -> None:
        """Handing over was given up: do what had to wait. Filled in by `membership`."""

    # Followers

    def _on_timeout_now(self, message: TimeoutNow) -> None:
        """The leader asks: stand at once, and say so to those who hear it. Thesis: 3.10."""
        if self.role is Role.FOLLOWER:
            self._election_timed_out(force=True)
