"""Changing who belongs to the cluster. Paper: 6, Figures 10 and 11. Thesis: 4.

A configuration is in force from the moment it is in the log. Voters change through a
joint configuration, which the leader leaves by itself; learners come and go at once.
"""

from raftlab.raft.log import Payload
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Cause, Follower, Leader
from raftlab.raft.thesis.transfer import NO_DEADLINE, LeadershipTransfer
from raftlab.raft.vocabulary import Configuration, Index, Misuse, NotNow


class Membership(LeadershipTransfer):
    """How voters and learners come and go."""

    __slots__ = ("_configuration_index",)

    def _on_start(self) -> None:
        super()._on_start()
        self._configuration_index: Index = self.log.configuration_index

    # Leaders

    def add_entry(self, payload: Payload) -> Index:
        """Append a command, an empty entry or a configuration as leader; returns its index.

        The entry is not committed yet: it is once it comes out as `Output.committed`
        with the same term. A `Configuration` names the voters and learners that the
        cluster shall have; the machine gets there by itself. Paper: 5.3, 6.

        Raises: NotLeader, which names the leader this node knows; NotNow, if the leader
        cannot take it at this moment; Misuse, for anything that is not a payload.
        """
        if isinstance(payload, Configuration):
            return self._change_configuration(payload)
        return super().add_entry(payload)

    def _change_configuration(self, target: Configuration) -> Index:
        """Append the configuration that leads to `target`; returns its index.

        Raises: what `_check_change` raises.
        """
        self._check_change(target)
        configuration = self._rules.next_configuration(self.configuration, target, self._options)
        entry = self.log.append_as_leader(self.term, configuration)
        self._note("next_configuration", "appends {}", describe(configuration))
        self._adopt_configuration()
        return entry.index

    def _check_change(self, target: Configuration) -> None:
        """Whether this leader would change the configuration to `target` now; changes nothing.

        Raises: NotLeader; NotNow, while an earlier change is not through, leadership is handed
        over, a new voter has not caught up, or one change does not lead there; Misuse, for a
        configuration that cannot be.
        """
        leader = self._leader_taking_commands()
        target.check()
        node, current, log, rules = self.node_id, self.configuration, self.log, self._rules
        if target.is_joint:
            raise Misuse("name the voters that the cluster shall have; it gets there by itself")
        if rules.change_is_pending(current, log.configuration_index, self.commit_index):
            raise NotNow(
                f"{node} cannot change the configuration now: the change at entry"
                f" {log.configuration_index} ({describe(current)}) is not through"
            )
        if not rules.may_change_in_term(log, self.commit_index, self.term, self._options):
            raise NotNow(
                f"{node} cannot change the configuration now: it has committed no entry of its"
                f" own term {self.term} yet"
            )
        if same_members(current, target):
            raise NotNow(f"that is the configuration already: {describe(current)}")
        changed = set(current.voters) ^ set(target.voters)
        if self._options.single_server_changes and len(changed) > 1:
            raise NotNow(f"one voter at a time: {', '.join(sorted(changed))} would change")
        if self._options.catch_up_first:
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
            if not self._has_caught_up(progress):
                raise NotNow(f"{voter} has not caught up yet: {self._what_it_lacks(progress)}")

    def _has_caught_up(self, progress: FollowerProgress) -> bool:
        """Whether a learner may become a voter now: it has caught up, and still answers.

        Thesis: 4.2.1.
        """
        since = self._now - progress.round_since
        return progress.caught_up and self._rules.has_caught_up(since, self._options)

    def _what_it_lacks(self, progress: FollowerProgress) -> str:
        lacks = self.log.last_index - progress.match_index
        if not lacks:
            return f"it was last heard {self._now - progress.last_reply_at:.0f} ms ago"
        return "it lacks 1 entry" if lacks == 1 else f"it lacks {lacks} entries"

    def _wants_acceptances(self) -> bool:
        return bool(self.configuration.learners) or super()._wants_acceptances()

    def _after_accepted(self, leader: Leader, progress: FollowerProgress) -> None:
        """Measure the rounds in which a learner catches up. Thesis: 4.2.1."""
        super()._after_accepted(leader, progress)
        if progress.match_index >= progress.round_end:
            took = self._now - progress.round_since
            progress.caught_up = self._rules.has_caught_up(took, self._options)
            progress.round_end = self.log.last_index
            progress.round_since = self._now

    def _settle_configuration(self) -> None:
        """Leave the joint configuration; go, if the new one is without this leader.

        While it hands over it appends nothing: its successor leaves the joint configuration,
        or this leader does when it has given up.
        Paper: 6, Figure 11 and its second and third problem. Thesis: 3.10.
        """
        self._adopt_configuration()
        leader, log, rules = self.role_data, self.log, self._rules
        if not isinstance(leader, Leader):
            return
        if rules.leaves_joint(self.configuration, log.configuration_index, self.commit_index):
            if not self._may_append():
                return
            configuration = self.configuration.without_old()
            log.append_as_leader(self.term, configuration)
            self._note(
                "leaves_joint", "leaves the joint configuration: {}", describe(configuration)
            )
            self._adopt_configuration()
            self._maybe_commit(leader.tracker, log.last_index)
        elif self._transfer is None and rules.hands_over_when_removed(
            self.node_id, self.configuration, log.configuration_index, self.commit_index
        ):
            self._begin_transfer(None, NO_DEADLINE)

    def _go_on_leading(self) -> None:
        """Leaving a joint configuration may have had to wait, and so may going."""
        super()._go_on_leading()
        self._settle_configuration()

    # Everyone

    def _adopt_configuration(self) -> None:
        """Use the configuration that the log says, from the moment it is there.

        A leader also begins to send to newcomers, from this entry on. Paper: 6.
        """
        self._configuration_index = self.log.configuration_index
        self.configuration = self._rules.configuration_in_force(
            self.log, self.commit_index, self._first_configuration
        )
        leader = self.role_data
        if isinstance(leader, Leader):
            next_index = max(self.log.configuration_index, 1)
            leader.tracker.set_configuration(self.configuration, next_index, self._now)
        self._hears_acceptances = self._wants_acceptances()
        self._on_configuration()

    def _on_log_change(self) -> None:
        if self.log.configuration_index != self._configuration_index:
            self._adopt_configuration()

    def _on_commit(self, before: Index) -> None:
        passed = before < self.log.configuration_index <= self.commit_index
        if passed or self.configuration.old_voters:
            self._settle_configuration()

    def _may_stand(self) -> bool:
        """Whether this node has a vote, or had one before a change that may not last."""
        previous: Configuration | None = None
        changed_at = self.log.configuration_index
        if changed_at > self.commit_index:
            previous = self.log.configuration_at(changed_at - 1) or self._first_configuration
        return self._rules.campaigns(self.node_id, self.configuration, previous)

    def _wait_on(self) -> None:
        """Who may not stand waits on, and takes the leader for gone."""
        super()._wait_on()
        if self.leader is not None:
            self._change_role(Cause.LEADER_FORGOTTEN, Follower())


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
