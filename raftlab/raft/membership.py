"""Changing who belongs to the cluster. Paper: 6, Figures 10 and 11. Thesis: 4.

A configuration is in force from the moment it is in the log. Voters change through a
joint configuration, which the leader leaves by itself; learners come and go at once.
"""

from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Leader
from raftlab.raft.transfer import NO_DEADLINE, LeadershipTransfer
from raftlab.raft.vocabulary import Configuration, Index, Misuse, NotNow


class Membership(LeadershipTransfer):
    """How voters and learners come and go."""

    __slots__ = ()

    def change_configuration(self, target: Configuration) -> Index:
        """Append the configuration that leads to `target`; returns its index.

        Raises: what `check_change` raises.
        """
        self.check_change(target)
        configuration = self.rules.next_configuration(self.configuration, target, self.options)
        entry = self.log.append_as_leader(self.term, configuration)
        self.note("next_configuration", "appends {}", describe(configuration))
        self.adopt_configuration()
        return entry.index

    def check_change(self, target: Configuration) -> None:
        """Whether this leader would change the configuration to `target` now; changes nothing.

        Raises: NotLeader; NotNow, while an earlier change is not through, leadership is handed
        over, a new voter has not caught up, or one change does not lead there; Misuse, for a
        configuration that cannot be.
        """
        leader = self.leader_taking_commands()
        target.check()
        node, current, log, rules = self.node_id, self.configuration, self.log, self.rules
        if target.is_joint:
            raise Misuse("name the voters that the cluster shall have; it gets there by itself")
        if rules.change_is_pending(current, log.configuration_index, self.commit_index):
            raise NotNow(
                f"{node} cannot change the configuration now: the change at entry"
                f" {log.configuration_index} ({describe(current)}) is not through"
            )
        if not rules.may_change_in_term(log, self.commit_index, self.term, self.options):
            raise NotNow(
                f"{node} cannot change the configuration now: it has committed no entry of its"
                f" own term {self.term} yet"
            )
        if same_members(current, target):
            raise NotNow(f"that is the configuration already: {describe(current)}")
        changed = set(current.voters) ^ set(target.voters)
        if self.options.single_server_changes and len(changed) > 1:
            raise NotNow(f"one voter at a time: {', '.join(sorted(changed))} would change")
        if self.options.catch_up_first:
            self._check_caught_up(leader, target)

    def _check_caught_up(self, leader: Leader, target: Configuration) -> None:
        for voter in target.voters:
            if voter in self.configuration.voters:
                continue
            progress = leader.tracker.progress.get(voter)
            if progress is None:
                raise NotNow(
                    f"{voter} is no member: add it as a learner first, so that it catches up"
                )
            if not self.has_caught_up(progress):
                raise NotNow(f"{voter} has not caught up yet: {self._what_it_lacks(progress)}")

    def has_caught_up(self, progress: FollowerProgress) -> bool:
        """Whether a learner may become a voter now: it has caught up, and still answers.

        Thesis: 4.2.1.
        """
        since = self.now - progress.round_since
        return progress.caught_up and self.rules.has_caught_up(since, self.options)

    def _what_it_lacks(self, progress: FollowerProgress) -> str:
        lacks = self.log.last_index - progress.match_index
        if not lacks:
            return f"it was last heard {self.now - progress.last_reply_at:.0f} ms ago"
        return "it lacks 1 entry" if lacks == 1 else f"it lacks {lacks} entries"

    def adopt_configuration(self) -> None:
        """A leader also begins to send to newcomers, from this entry on. Paper: 6."""
        super().adopt_configuration()
        leader = self.role_data
        if isinstance(leader, Leader):
            next_index = max(self.log.configuration_index, 1)
            leader.tracker.set_configuration(self.configuration, next_index, self.now)

    def after_accepted(self, leader: Leader, progress: FollowerProgress) -> None:
        """Measure the rounds in which a learner catches up. Thesis: 4.2.1."""
        super().after_accepted(leader, progress)
        if progress.match_index >= progress.round_end:
            took = self.now - progress.round_since
            progress.caught_up = self.rules.has_caught_up(took, self.options)
            progress.round_end = self.log.last_index
            progress.round_since = self.now

    def configuration_may_be_committed(self) -> None:
        """Leave the joint configuration; go, if the new one is without this leader.

        While it hands over it appends nothing: its successor leaves the joint configuration,
        or this leader does when it has given up.
        Paper: 6, Figure 11 and its second and third problem. Thesis: 3.10.
        """
        self.adopt_configuration()
        leader, log, rules = self.role_data, self.log, self.rules
        if not isinstance(leader, Leader):
            return
        if rules.leaves_joint(self.configuration, log.configuration_index, self.commit_index):
            if not self.may_append(leader):
                return
            configuration = self.configuration.without_old()
            log.append_as_leader(self.term, configuration)
            self.note("leaves_joint", "leaves the joint configuration: {}", describe(configuration))
            self.adopt_configuration()
            self.maybe_commit(leader.tracker, log.last_index)
        elif leader.transfer is None and rules.hands_over_when_removed(
            self.node_id, self.configuration, log.configuration_index, self.commit_index
        ):
            self.begin_transfer(None, NO_DEADLINE)


def describe(configuration: Configuration) -> str:
    """A configuration in a few words: "S1 S2 S3", or "joint S1 S2 → S2 S3, learners S4"."""
    groups = " ".join(configuration.voters)
    if configuration.is_joint:
        groups = f"joint {' '.join(configuration.old_voters)} → {groups}"
    learners = " ".join(configuration.learners)
    return f"{groups}, learners {learners}" if learners else groups


def same_members(one: Configuration, other: Configuration) -> bool:
    """Whether two configurations have the same voters and the same learners, in any order."""
    voters = set(one.voters) == set(other.voters)
    return voters and set(one.learners) == set(other.learners)
