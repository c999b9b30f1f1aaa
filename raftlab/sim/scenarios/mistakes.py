"""The rules that some scenarios change: each leaves out, or gets wrong, one thing."""

from collections.abc import Mapping, Sequence

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term


class AppendsNothingItself(Rules):
    """A new leader waits for a client's command, as in the figures of the paper's section 5."""

    def appends_at_term_start(self) -> bool:
        """Never."""
        return False


class CountsCopies(AppendsNothingItself):
    """What a majority holds is taken for committed, whichever term it is of."""

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        """Whatever a majority holds."""
        return max(matched, commit_index)


class CutsAlways(Rules):
    """Whatever follows the entry that the leader names is cut away, conflict or not."""

    def conflict_index(
        self, log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
    ) -> Index | None:
        """The first entry after the one that the leader names."""
        return prev_log_index + 1 if prev_log_index < log.last_index else None


class SwitchesAtOnce(Rules):
    """From the old voters straight to the new ones, without a joint configuration."""

    def next_configuration(
        self, current: Configuration, target: Configuration, options: Options
    ) -> Configuration:
        """The one that was asked for."""
        return target


class ChangesInAnyTerm(Rules):
    """Servers come and go before anything of the leader's own term is committed."""

    def may_change_in_term(
        self, log: RaftLog, commit_index: Index, term: Term, options: Options
    ) -> bool:
        """Always."""
        return True


class KeepsEveryTail(Rules):
    """What follows a snapshot in the log stays, whether or not the log agrees with it."""

    def keeps_tail(self, log: RaftLog, snapshot: Snapshot) -> bool:
        """Always."""
        return True


class AsksNobody(Rules):
    """A leader takes its own word for it that it still leads."""

    def still_led_at(self, acked: Mapping[NodeId, int], configuration: Configuration) -> int:
        """The round of whoever answered last, itself for one."""
        return max(acked.values())


class ReadsTooSoon(Rules):
    """A new leader answers reads before it knows what is committed."""

    def may_read(self, log: RaftLog, commit_index: Index, term: Term) -> bool:
        """Always."""
        return True
