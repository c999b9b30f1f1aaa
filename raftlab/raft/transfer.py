"""Handing leadership over. Thesis: 3.10.

The leader takes no more commands, waits until its successor holds all that it holds, and
tells it to campaign at once. If that does not work in time, it goes on leading.
"""

from raftlab.raft.messages import TimeoutNow
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Cause, Leader, Role, Transfer
from raftlab.raft.snapshots import Snapshots
from raftlab.raft.vocabulary import Millis, NodeId, NotLeader, NotNow

NO_DEADLINE: Millis = float("inf")
"""How long a leader that was removed tries to hand over: until it works."""


class LeadershipTransfer(Snapshots):
    """How a leader gives its place to another voter."""

    __slots__ = ()

    def transfer_leadership(self, to: NodeId | None = None) -> None:
        """Hand leadership over to `to`, or to the voter that holds everything and was heard last.

        It is done when a higher term arrives, and given up after `Options.transfer_timeout`.
        Until then commands are refused. A new call takes the place of an earlier one.
        Thesis: 3.10.

        Raises: NotLeader; NotNow, for a node that cannot lead, and if there is no other.
        """
        if self.role is not Role.LEADER:
            what = "hand leadership over"
            raise NotLeader.of(self.node_id, self.role.value, self.term, self.leader, what)
        if to == self.node_id:
            raise NotNow(f"{to} leads already")
        if to is not None and not self.rules.may_be_handed_leadership(to, self.configuration):
            voters = ", ".join(self.configuration.voters)
            raise NotNow(f"{to} cannot lead: the voters are {voters}")
        if all(voter == self.node_id for voter in self.configuration.voters):
            raise NotNow(f"there is no other voter to whom {self.node_id} could hand over")
        self.begin_transfer(to, self.now + self.options.transfer_timeout)

    def leader_taking_commands(self) -> Leader:
        """What this node knows as a leader that takes commands now.

        Raises: NotLeader; NotNow, while it hands its leadership over.
        """
        leader = self.role_data
        if not isinstance(leader, Leader):
            raise NotLeader.of(self.node_id, self.role.value, self.term, self.leader)
        if not self.may_append(leader):
            to = (leader.transfer and leader.transfer.to) or "another node"
            raise NotNow(f"{self.node_id} is handing leadership over to {to}: ask again soon")
        return leader

    def may_append(self, leader: Leader) -> bool:
        """Whether it may append anything now: its successor is to lack nothing. Thesis: 3.10."""
        return leader.transfer is None or self.rules.takes_commands_while_handing_over()

    def begin_transfer(self, to: NodeId | None, deadline: Millis) -> None:
        """Take no more commands, and hand over as soon as a successor has everything."""
        leader = self.role_data
        assert isinstance(leader, Leader)
        leader.transfer = Transfer(to, deadline)
        leader.has_handed_over = True
        self.note("transfer_leadership", "hands leadership over to {}", to or "the first that can")
        self.tell_best_successor(leader, leader.transfer)

    def tell_best_successor(self, leader: Leader, transfer: Transfer) -> None:
        """Tell whoever has everything and was heard last; after a try in vain, rather another."""
        best = sorted(
            (each for each in leader.tracker.progress.values() if self.can_succeed(transfer, each)),
            key=lambda each: (each.node == transfer.sent, -each.last_reply_at),
        )
        transfer.sent, transfer.resend_at = None, transfer.deadline
        if best:
            self.tell_to_campaign(transfer, best[0].node)

    def can_succeed(self, transfer: Transfer, progress: FollowerProgress) -> bool:
        """Whether this member is one to hand over to, and has everything."""
        node, rules = progress.node, self.rules
        if node == self.node_id or transfer.to not in (None, node):
            return False
        may = rules.may_be_handed_leadership(node, self.configuration)
        return may and rules.may_take_over(progress.match_index, self.log.last_index)

    def tell_to_campaign(self, transfer: Transfer, node: NodeId) -> None:
        """Send TimeoutNow; a leader without a vote is done with that. Thesis: 3.10, 4.2.2."""
        transfer.sent = node
        transfer.resend_at = self.now + self.options.heartbeat_interval
        self.note("may_take_over", "tells {} to campaign at once", node)
        self.send(TimeoutNow(self.term, self.node_id, node))
        if not self.configuration.can_vote(self.node_id):
            self.become_follower(None, Cause.REMOVED)

    def after_accepted(self, leader: Leader, progress: FollowerProgress) -> None:
        """A member that has just caught up may be the successor. Thesis: 3.10, second step."""
        transfer = leader.transfer
        if transfer is None or transfer.sent is not None:
            return
        if self.can_succeed(transfer, progress):
            self.tell_to_campaign(transfer, progress.node)

    def tick_leader(self) -> None:
        """Ask the successor again, or give up when it takes too long. Thesis: 3.10, last part."""
        super().tick_leader()
        leader = self.role_data
        if not isinstance(leader, Leader) or leader.transfer is None:
            return
        transfer = leader.transfer
        if self.now >= transfer.deadline:
            leader.transfer = None
            self.note("transfer_leadership", "gives up handing over, and takes commands again")
            self.configuration_may_be_committed()  # what had to wait: leaving a joint one, or going
        elif transfer.sent is not None and self.now >= transfer.resend_at:
            self.tell_best_successor(leader, transfer)
