"""The stories that notebooks tell under a right machine and a wrong one."""

import raftlab as rl
from raftlab.course.stories import LOGS, resent_after_return
from raftlab.raft.roles import Leader


class KeepsItsNotes(rl.RaftStateMachine):
    """As notebook 06 has it."""

    def _meet_newer_term(self, message):
        if self.role is rl.Role.LEADER:
            self._handle(message)
        super()._meet_newer_term(message)

    def _change_role(self, cause, data):
        if isinstance(data, Leader):
            for node, old in vars(self).get("kept", {}).items():
                data.tracker.progress[node].next_index = old.next_index
            self.kept = data.tracker.progress
        super()._change_role(cause, data)


def test_a_leader_that_is_elected_again_sends_its_empty_entry_alone():
    assert resent_after_return(rl.RaftStateMachine) == 1


def test_one_that_moved_its_next_index_by_a_refusal_for_the_term_sends_all_once_more():
    two_elections = 2
    assert resent_after_return(KeepsItsNotes) == len(LOGS["S1"]) - 1 + two_elections
