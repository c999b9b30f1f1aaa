"""Log compaction: snapshots, taken and sent. Paper: 7, Figures 12 and 13.

The bytes of a snapshot are the host's; the machine knows where it ends, in which term,
and which configuration holds there.
"""

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

from raftlab.raft.log import Snapshot
from raftlab.raft.messages import InstallSnapshot, InstallSnapshotReply
from raftlab.raft.options import is_count
from raftlab.raft.progress import SNAPSHOT, FollowerProgress
from raftlab.raft.roles import LEADER, Leader
from raftlab.raft.thesis.membership import Membership
from raftlab.raft.vocabulary import Index, Misuse, NodeId, NotNow, Term, shown


class Snapshots(Membership):
    """How a log is cut short, and how a follower gets what was cut away."""

    __slots__ = ("_new_snapshot",)

    _HANDLERS: ClassVar[Mapping[type, str]] = {
        InstallSnapshot: "_on_install_snapshot",
        InstallSnapshotReply: "_on_install_snapshot_reply",
    }
    _STALE_HANDLERS: ClassVar[Mapping[type, str]] = {InstallSnapshot: "_refuse_stale_snapshot"}

    def _on_start(self) -> None:
        super()._on_start()
        self._new_snapshot: Snapshot | None = None

    def fingerprint(self) -> tuple[Hashable, ...]:
        """Also: the snapshot that is to be written."""
        return (*super().fingerprint(), self._new_snapshot)

    def _before_output(self) -> dict[str, Any]:
        more, snapshot = super()._before_output(), self._new_snapshot
        if snapshot is not None:
            self._new_snapshot = None
            more |= {"snapshot": snapshot, "first_index": self.log.first_index}
        return more

    # All servers

    def compact(self, up_to: Index, data: bytes = b"") -> None:
        """Let a snapshot stand for the log up to `up_to`; `data` is the application there.

        `Options.trailing_entries` of what it covers stay in the log. Paper: 7.

        Raises: NotNow, for entries that were not handed out as committed, or are in the
        snapshot already; Misuse, for what is no index.
        """
        log = self.log
        base = log.snapshot.index if log.snapshot else 0
        if not is_count(up_to) or not base < up_to <= self._committed_out:
            kind = NotNow if is_count(up_to) else Misuse
            raise kind(
                f"{self.node_id} cannot compact its log up to {shown(up_to)}: it has committed up"
                f" to {self._committed_out}, and its snapshot stands for what is up to {base}"
            )
        if self.role is LEADER:
            self._count_committed()
        term = log.term_for_index(up_to)
        assert term is not None, "committed entries above the snapshot are in the log"
        configuration = log.configuration_at(up_to) or self._first_configuration
        self._keep_snapshot(Snapshot(up_to, term, configuration, data))
        self._note("compact", "keeps a snapshot up to entry {}", up_to)

    def _keep_snapshot(self, snapshot: Snapshot) -> None:
        """Let it stand for the head of the log, and be written with the next output."""
        self.log.compact(snapshot, self._options.trailing_entries)
        self._new_snapshot, self._has_more = snapshot, True

    # Leaders: sending

    def _send_without_term(self, progress: FollowerProgress) -> None:
        """What is not in the log any more is in the snapshot; anything else was never there."""
        if progress.match_index < progress.next_index <= self.log.last_index + 1:
            self._send_what_was_compacted(progress)
        else:
            super()._send_without_term(progress)

    def _send_what_was_compacted(self, progress: FollowerProgress) -> None:
        """Send the snapshot; while it is under way, a heartbeat that asks nothing.

        Paper: 7, "the leader uses a new RPC called InstallSnapshot".
        """
        snapshot, node = self.log.snapshot, progress.node
        assert snapshot is not None, "only a snapshot hides the term of an entry"
        if progress.state is SNAPSHOT:
            self._send(self._append_to(node, 0, 0, (), 0))
            return
        progress.become_snapshot(snapshot.index, self._now + self._options.snapshot_timeout)
        self._note("compact", "sends {} its snapshot up to entry {}", node, snapshot.index)
        self._send(
            InstallSnapshot(term=self.term, sender=self.node_id, receiver=node, snapshot=snapshot)
        )

    def _on_heartbeat(self) -> None:
        super()._on_heartbeat()
        leader = self.role_data
        assert isinstance(leader, Leader)
        for progress in leader.tracker.progress.values():
            if progress.state is SNAPSHOT:
                self._wait_for_snapshot(progress)

    def _wait_for_snapshot(self, progress: FollowerProgress) -> None:
        """A snapshot that nobody answers for long is taken for lost: probe again."""
        if self._now >= progress.retry_at:
            progress.become_probe()

    def _on_install_snapshot_reply(self, reply: InstallSnapshotReply) -> None:
        """A snapshot has arrived, or was refused: go on from there. Paper: 7."""
        leader = self.role_data
        if type(leader) is not Leader:
            return
        progress = leader.tracker.progress.get(reply.sender)
        if progress is None:
            return
        progress.last_reply_at = self._now
        if reply.success:
            self._on_accepted(leader, progress, reply.last_index)
        else:
            self._lose_snapshot(progress)
        if progress.next_index <= self.log.last_index:
            self._replicate_if_member(leader, progress)

    def snapshot_failed(self, node: NodeId) -> None:
        """The host knows that the snapshot to `node` did not arrive: try again at the next chance.

        For a host that carries snapshots outside of messages; without this, a snapshot
        counts as lost after `Options.snapshot_timeout`.
        """
        leader = self.role_data
        progress = leader.tracker.progress.get(node) if isinstance(leader, Leader) else None
        if progress is not None:
            self._lose_snapshot(progress)

    def _lose_snapshot(self, progress: FollowerProgress) -> None:
        """Probe again, with the next heartbeat."""
        if progress.state is SNAPSHOT:
            progress.become_probe()
            progress.probe_sent = True

    # Followers: receiving

    def _on_install_snapshot(self, request: InstallSnapshot) -> None:
        """Take the leader's snapshot if it brings anything new. Paper: 7, Figure 13."""
        if not self._accept_leader(request.sender):
            return
        snapshot = request.snapshot
        if not is_sound(snapshot, request.term):
            self._alarm(f"{request.sender} sent a snapshot that no leader can have")
            self._reply_snapshot(request, False)
            return
        if self._rules.takes_snapshot(snapshot, self.commit_index):
            self._install(snapshot)
        else:
            self._note("takes_snapshot", "has all that the snapshot up to {} says", snapshot.index)
        self._reply_snapshot(request, True)

    def _refuse_stale_snapshot(self, request: InstallSnapshot) -> None:
        """An old leader hears of the term that this node is in. Paper: 7, Figure 13, rule 1."""
        self._reply_snapshot(request, False)

    def _reply_snapshot(self, request: InstallSnapshot, success: bool) -> None:
        self._send(
            InstallSnapshotReply(
                term=self.term,
                sender=self.node_id,
                receiver=request.sender,
                last_index=request.snapshot.index,
                success=success,
            )
        )

    def _install(self, snapshot: Snapshot) -> None:
        """Put it in the place of what it stands for; keep what follows if the log agrees."""
        log = self.log
        base = log.snapshot.index if log.snapshot else 0
        keeps = self._rules.keeps_tail(log, snapshot)
        if keeps and base < snapshot.index <= log.last_index:
            self._keep_snapshot(snapshot)
            self._note(
                "keeps_tail", "takes a snapshot up to {} and keeps what follows", snapshot.index
            )
        else:
            after = snapshot.index + 1
            earlier = self._truncate_from
            self._truncate_from = after if earlier is None else min(earlier, after)
            log.restore(snapshot)
            self._new_snapshot, self._has_more = snapshot, True
            self._note("keeps_tail", "starts from a snapshot up to {}", snapshot.index)
        self.commit_index = max(self.commit_index, snapshot.index)
        self._committed_out = snapshot.index
        self._adopt_configuration()


def is_sound(snapshot: Snapshot, term: Term) -> bool:
    """Whether a leader of `term` can have this snapshot."""
    if not (snapshot.index >= 1 and 1 <= snapshot.term <= term):
        return False
    try:
        snapshot.configuration.check()
    except Misuse:
        return False
    return True
