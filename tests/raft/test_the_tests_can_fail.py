"""A test that cannot fail proves nothing: each decision is broken once, and a test must notice.

Every mutant overrides one method of `Rules`. The test named beside it is run with that
mutant in place of the rules, and has to fail by an assertion, not by an accident.
"""

from random import Random

import pytest

from raftlab.raft.log import Empty
from raftlab.raft.messages import Rejected, TimeoutNow
from raftlab.raft.quorum import is_quorum, quorum_index
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import ElectionResult
from tests.paper import test_section_5_1 as section_5_1
from tests.paper import test_section_5_2 as section_5_2
from tests.paper import test_section_5_3 as section_5_3
from tests.paper import test_section_5_4 as section_5_4
from tests.paper import test_section_5_5 as section_5_5
from tests.paper import test_section_8 as section_8
from tests.paper import test_thesis_4 as thesis
from tests.raft import test_async_persistence as async_persistence
from tests.raft import test_check_quorum as check_quorum
from tests.raft import test_elections as elections
from tests.raft import test_flow_control as flow_control
from tests.raft import test_leases as leases
from tests.raft import test_lost_messages as lost_messages
from tests.raft import test_membership as membership
from tests.raft import test_pre_vote as pre_vote
from tests.raft import test_properties as properties
from tests.raft import test_reads as reads
from tests.raft import test_repair as repair
from tests.raft import test_replication as replication
from tests.raft import test_restart as restart
from tests.raft import test_rules as rules
from tests.raft import test_snapshots as snapshots
from tests.raft import test_stickiness as stickiness
from tests.raft import test_transfer as transfer
from tests.raft import world
from tests.raft.members import Crowd
from tests.raft.world import FIGURE_2, World, append, leader, machine

WON, UNKNOWN = ElectionResult.WON, ElectionResult.UNKNOWN


class NeverSeesANewerTerm(Rules):
    def is_newer_term(self, message_term, term):
        return False


class TakesStaleMessages(Rules):
    def is_stale_term(self, message_term, term):
        return False


class SameTimeoutForAll(Rules):
    def election_timeout(self, options, rng):
        return options.election_timeout[0]


class AnythingResetsTheTimer(Rules):
    def resets_election_timer(self, granted_vote, heard_leader):
        return True


class NothingResetsTheTimer(Rules):
    def resets_election_timer(self, granted_vote, heard_leader):
        return False


class LearnersCampaign(Rules):
    def campaigns(self, node, configuration, previous):
        return True


class OnlyTheNewConfigurationCampaigns(Rules):
    def campaigns(self, node, configuration, previous):
        return configuration.can_vote(node)


class NobodyIsSticky(Rules):
    def leader_is_alive(self, request, options, leads, since_leader):
        return False


class ForceIsIgnored(Rules):
    def leader_is_alive(self, request, options, leads, since_leader):
        return leads or since_leader < options.election_timeout[0]


class OnlyTheStickyRefusePreVotes(Rules):
    def leader_is_alive(self, request, options, leads, since_leader):
        return options.leader_stickiness and super().leader_is_alive(
            request, options, leads, since_leader
        )


class VotesTwice(Rules):
    def has_vote_left(self, request, term, voted_for, leader):
        return True


class VotesForAnyLog(Rules):
    def candidate_is_up_to_date(self, request, log):
        return True


class LongerLogWins(Rules):
    def candidate_is_up_to_date(self, request, log):
        return request.last_log_index >= log.last_index


class CountsOldAnswers(Rules):
    def is_about_the_present(self, reply_term, asked_term):
        return True


class CountsAnswersForVotes(Rules):
    def tally_vote(self, votes):
        counts = [each.granted + each.refused for each in votes.trackers]
        sizes = [len(each.voters) for each in votes.trackers]
        won = all(2 * count > size for count, size in zip(counts, sizes, strict=True))
        return WON if won else UNKNOWN


class HalfIsEnough(Rules):
    def tally_vote(self, votes):
        won = all(2 * each.granted >= len(each.voters) for each in votes.trackers)
        return WON if won else votes.tally_vote()


class NewVotersAlone(Rules):
    def tally_vote(self, votes):
        return votes.trackers[0].tally_vote()


class NoConsistencyCheck(Rules):
    def accepts_append(self, log, prev_log_index, prev_log_term):
        return prev_log_index <= log.last_index


class CutsAfterPrev(Rules):
    def conflict_index(self, log, prev_log_index, entries):
        return prev_log_index + 1 if prev_log_index < log.last_index else None


class NeverCuts(Rules):
    def conflict_index(self, log, prev_log_index, entries):
        return None


class AcknowledgesItsWholeLog(Rules):
    def verified_index(self, log, prev_log_index, count):
        return log.last_index


class CommitsWhatIsNotVerified(Rules):
    def follower_commit_index(self, leader_commit, verified, log, commit_index):
        return max(commit_index, min(leader_commit, log.last_index))


class GivesNoHint(Rules):
    def rejection(self, log, prev_log_index, prev_log_term):
        return Rejected(
            non_matching_index=prev_log_index,
            last_index=log.last_index,
            hint_index=prev_log_index - 1,
            hint_term=10**9,
        )


class NoEmptyEntry(Rules):
    def appends_at_term_start(self):
        return False


class StartsFromTheBeginning(Rules):
    def next_index_at_term_start(self, last_index):
        return 1


class TakesSentForReceived(Rules):
    def match_index_after(self, log, last_new_index, next_index):
        return min(next_index, log.last_index)


class BelievesStrayRejections(Rules):
    def is_stray_rejection(self, rejected, progress):
        return False


class AllRejectionsAreStray(Rules):
    def is_stray_rejection(self, rejected, progress):
        return True


class OneStepBack(Rules):
    def next_index_after(self, rejected, log, progress):
        return max(rejected.non_matching_index, progress.match_index + 1)


class UpperMedian(Rules):
    def majority_match_index(self, match_indexes, configuration):
        reached = sorted(match_indexes.values())
        return reached[len(reached) // 2]


class CountsOldTerms(Rules):
    def leader_commit_index(self, matched, log, term, commit_index):
        return max(matched, commit_index)


class LeadsForEver(Rules):
    def keeps_leading(self, heard, configuration, options):
        return True


class MajorityOfTheUnion(Rules):
    """E44: both sets of a joint configuration thrown together."""

    def tally_vote(self, votes):
        granted = {who for each in votes.trackers for who, yes in each.answers.items() if yes}
        return WON if 2 * len(granted) > len(votes.voters) else UNKNOWN

    def majority_match_index(self, match_indexes, configuration):
        return quorum_index(match_indexes, Configuration(configuration.all_voters))

    def keeps_leading(self, heard, configuration, options):
        return is_quorum(heard, Configuration(configuration.all_voters))

    def still_led_at(self, acked, configuration):
        return quorum_index(acked, Configuration(configuration.all_voters))


class NewSetAlone(Rules):
    def majority_match_index(self, match_indexes, configuration):
        return quorum_index(match_indexes, configuration.without_old())

    def still_led_at(self, acked, configuration):
        return quorum_index(acked, configuration.without_old())


class InForceWhenCommitted(Rules):
    """E9: a configuration that is used only once it is applied."""

    def configuration_in_force(self, log, commit_index, first):
        return log.configuration_at(commit_index) or first


class ForgetsItsConfiguration(Rules):
    def configuration_in_force(self, log, commit_index, first):
        held = [each.payload for each in log if isinstance(each.payload, Configuration)]
        return held[-1] if held else first


class AnyNumberOfChanges(Rules):
    def change_is_pending(self, configuration, configuration_index, commit_index):
        return False


class OneChangeForEver(Rules):
    def change_is_pending(self, configuration, configuration_index, commit_index):
        return configuration_index > 0


class ChangesBeforeItsTerm(Rules):
    """H1."""

    def may_change_in_term(self, log, commit_index, term, options):
        return True


class NothingIsJoint(Rules):
    def next_configuration(self, current, target, options):
        return target


class LearnersAreJointToo(Rules):
    def next_configuration(self, current, target, options):
        return target if options.single_server_changes else current.joint_with(target)


class StaysJoint(Rules):
    """E8."""

    def leaves_joint(self, configuration, configuration_index, commit_index):
        return False


class LeavesJointAtOnce(Rules):
    def leaves_joint(self, configuration, configuration_index, commit_index):
        return configuration.is_joint


class RemovedLeaderStays(Rules):
    def hands_over_when_removed(self, node, configuration, configuration_index, commit_index):
        return False


class RemovedLeaderGoesAtOnce(Rules):
    """E47."""

    def hands_over_when_removed(self, node, configuration, configuration_index, commit_index):
        return not configuration.can_vote(node)


class EveryoneHasCaughtUp(Rules):
    def has_caught_up(self, round_ms, options):
        return True


class NobodyEverCatchesUp(Rules):
    def has_caught_up(self, round_ms, options):
        return False


class ReadsBeforeItsTerm(Rules):
    """H15."""

    def may_read(self, log, commit_index, term):
        return True


class AsksNobody(Rules):
    """H14."""

    def still_led_at(self, acked, configuration):
        return 10**9


class AnyAnswerConfirms(Rules):
    """H16: one answer to any round, of any node, will do for all."""

    def still_led_at(self, acked, configuration):
        return max(acked.values()) if sum(each > 0 for each in acked.values()) > 1 else 0


class HandingOverKeepsTheLease(Rules):
    """H17."""

    def lease_holds(self, lease_from, now, handed_over, options):
        return super().lease_holds(lease_from, now, False, options)


class LeaseForEver(Rules):
    def lease_holds(self, lease_from, now, handed_over, options):
        return True


class PerfectClocks(Rules):
    def lease_holds(self, lease_from, now, handed_over, options):
        return not handed_over and now - lease_from < options.election_timeout[0]


class NoLeaseHolds(Rules):
    def lease_holds(self, lease_from, now, handed_over, options):
        return False


class VotesRightAfterItsStart(Rules):
    def waits_after_start(self, options):
        return False


class ForgetsItsPromise(Rules):
    def keeps_promise(self, voted_for, options):
        return False


class AllWaitAfterTheirStart(Rules):
    def waits_after_start(self, options):
        return True


class ReadsWhatItHas(Rules):
    def may_serve_read(self, index, commit_index):
        return True


class ProbesWithEverything(Rules):
    def entries_for_one_message(self, log, next_index, probing, options):
        return super().entries_for_one_message(log, next_index, False, options)


class MessagesOfAnySize(Rules):
    def entries_for_one_message(self, log, next_index, probing, options):
        end = next_index + (1 if probing else options.max_entries_per_append)
        return log.entries(next_index, end)


class NothingTooLongIsSent(Rules):
    def entries_for_one_message(self, log, next_index, probing, options):
        entries = super().entries_for_one_message(log, next_index, probing, options)
        return entries if sum(e.size for e in entries) <= options.max_bytes_per_append else ()


class CollectsWithoutEnd(Rules):
    def takes_command(self, size, uncommitted_bytes, options):
        return True


class RefusesALongCommandForEver(Rules):
    def takes_command(self, size, uncommitted_bytes, options):
        return uncommitted_bytes + size <= options.max_uncommitted_bytes


class ConfirmsByPlaceAlone(Rules):
    """E16."""

    def is_still_there(self, written, log):
        return written.index <= log.last_index


class NothingWrittenLateCounts(Rules):
    def is_still_there(self, written, log):
        return False


class HandsOverToAnyone(Rules):
    """E29."""

    def may_be_handed_leadership(self, node, configuration):
        return True


class HandsOverTooEarly(Rules):
    """E35."""

    def may_take_over(self, match_index, last_index):
        return True


class HandsOverToNobody(Rules):
    def may_take_over(self, match_index, last_index):
        return False


class TakesCommandsToTheEnd(Rules):
    """E22."""

    def takes_commands_while_handing_over(self):
        return True


class TakesAnySnapshot(Rules):
    """H18."""

    def takes_snapshot(self, snapshot, commit_index):
        return True


class TakesNoSnapshot(Rules):
    def takes_snapshot(self, snapshot, commit_index):
        return False


class KeepsAnyTail(Rules):
    """H19."""

    def keeps_tail(self, log, snapshot):
        return True


class KeepsNoTail(Rules):
    def keeps_tail(self, log, snapshot):
        return False


ONE_OF_THE_UNION = {"others": ("S2", "S3"), "enough": False}
"""Three of the five voters, and no majority of the new set."""

TALK = properties.test_machines_stay_safe_through_any_talk_and_agree_after_it


def a_crowd_until_it_breaks(options, *, clocks=False, seeds=200, **deeds):
    """The crowds of `test_membership.py` and `test_leases.py`, one after another."""
    for seed in range(seeds):
        crowd = Crowd(1 + seed % 5, seed, options, clocks, **deeds)
        for _ in range(800):
            crowd.happen()
        crowd.heal()


NOTICED = [
    (
        NeverSeesANewerTerm,
        section_5_1.test_a_server_whose_term_is_smaller_updates_it,
        {"make": machine, "message": append("S2", 9)},
    ),
    (
        TakesStaleMessages,
        section_5_1.test_a_request_with_a_stale_term_is_rejected,
        {"make": machine},
    ),
    (
        TakesStaleMessages,
        elections.test_a_vote_for_an_earlier_term_is_refused_with_the_own_term,
        {},
    ),
    (
        SameTimeoutForAll,
        section_5_2.test_in_most_cases_only_a_single_server_times_out,
        {"make": machine},
    ),
    (SameTimeoutForAll, elections.test_a_campaign_draws_a_new_timeout, {}),
    (
        AnythingResetsTheTimer,
        elections.test_a_grant_lets_the_voter_wait_anew_and_a_refusal_does_not,
        {},
    ),
    (
        NothingResetsTheTimer,
        section_5_2.test_a_server_stays_follower_as_long_as_it_hears_a_leader_or_candidate,
        {"message": append("S2", 1)},
    ),
    (LearnersCampaign, elections.test_a_learner_whose_timer_runs_out_waits_again, {}),
    (
        NobodyIsSticky,
        thesis.test_a_server_that_hears_a_leader_does_not_grant_votes_or_update_its_term,
        {},
    ),
    (
        ForceIsIgnored,
        stickiness.test_a_candidate_that_the_leader_itself_sent_is_listened_to,
        {"make": stickiness.follower},
    ),
    (
        OnlyTheStickyRefusePreVotes,
        pre_vote.test_a_leader_refuses_a_pre_vote_and_leads_on,
        {"sticky": False},
    ),
    (VotesTwice, elections.test_the_second_to_ask_in_a_term_is_refused, {}),
    (VotesTwice, restart.test_a_vote_outlives_a_restart, {}),
    (VotesTwice, TALK, None),
    (
        VotesForAnyLog,
        section_5_4.test_nobody_without_all_committed_entries_is_elected,
        {"late": "S5"},
    ),
    (VotesForAnyLog, TALK, None),
    (
        LongerLogWins,
        elections.test_a_vote_is_refused_to_a_candidate_with_an_older_log,
        {"last": (99, 3)},
    ),
    (CountsOldAnswers, elections.test_a_grant_of_an_earlier_campaign_does_not_count, {}),
    (
        CountsAnswersForVotes,
        section_5_2.test_if_votes_are_split_candidates_time_out_and_begin_another_round,
        {},
    ),
    (CountsAnswersForVotes, TALK, None),
    (
        HalfIsEnough,
        section_5_2.test_a_candidate_wins_with_votes_from_a_majority_of_the_full_cluster,
        {"size": 4},
    ),
    (HalfIsEnough, elections.test_two_candidates_of_one_term_split_the_vote_and_neither_leads, {}),
    (NewVotersAlone, elections.test_while_joint_a_leader_needs_both_majorities, {}),
    (
        NoConsistencyCheck,
        section_5_3.test_a_follower_refuses_entries_if_it_does_not_hold_the_preceding_one,
        {"prev": (2, 1), "accepts": False},
    ),
    (NoConsistencyCheck, TALK, None),
    (
        CutsAfterPrev,
        replication.test_a_late_shorter_append_cuts_nothing_and_is_acknowledged_as_far_as_it_goes,
        {},
    ),
    (CutsAfterPrev, lost_messages.test_an_old_append_that_comes_last_cuts_nothing, {}),
    (
        NeverCuts,
        section_5_3.test_conflicting_entries_are_overwritten_with_the_leader_s,
        {"follower": (1, 2), "prev": (1, 1), "sent": (3, 4), "after": (1, 3, 4)},
    ),
    (NeverCuts, TALK, None),
    (
        AcknowledgesItsWholeLog,
        replication.test_a_heartbeat_cuts_nothing_and_vouches_only_for_what_it_names,
        {},
    ),
    (
        CommitsWhatIsNotVerified,
        replication.test_a_stale_tail_beyond_the_verified_index_is_never_committed,
        {},
    ),
    (
        GivesNoHint,
        repair.test_each_log_of_figure_7_is_repaired_by_the_leader_for_term_8,
        {"follower": "f", "rejections": 1},
    ),
    (
        NoEmptyEntry,
        section_8.test_each_leader_appends_an_empty_entry_at_the_start_of_its_term,
        {"terms": (1,)},
    ),
    (NoEmptyEntry, section_8.test_a_new_leader_does_not_know_which_entries_are_committed, {}),
    (
        StartsFromTheBeginning,
        section_5_3.test_a_new_leader_starts_with_next_index_just_after_its_last_entry,
        {},
    ),
    (
        TakesSentForReceived,
        replication.test_an_acknowledgement_is_what_the_leader_knows_of_a_follower,
        {},
    ),
    (
        BelievesStrayRejections,
        lost_messages.test_a_rejection_of_another_place_than_the_probe_s_is_stray,
        {"at": 2},
    ),
    (
        AllRejectionsAreStray,
        section_5_5.test_append_entries_to_a_crashed_follower_are_retried_until_it_restarts,
        {},
    ),
    (
        OneStepBack,
        repair.test_a_divergence_of_50_entries_is_repaired_in_a_handful_of_round_trips,
        {"name": "", "leader_terms": (1,) * 50, "follower_terms": (), "rejections": 1},
    ),
    (UpperMedian, replication.test_an_even_cluster_commits_with_more_than_half, {}),
    (
        UpperMedian,
        section_5_3.test_an_entry_is_committed_once_its_leader_replicated_it_on_a_majority,
        {"size": 4, "acknowledged": 1, "committed": False},
    ),
    (CountsOldTerms, replication.test_an_old_entry_on_a_majority_is_not_committed, {}),
    (LeadsForEver, check_quorum.test_a_leader_that_hears_less_than_a_majority_does_not, {}),
    (
        OnlyTheNewConfigurationCampaigns,
        membership.test_a_removed_server_stands_if_nobody_else_holds_the_entry_that_removes_it,
        {},
    ),
    (
        LearnersCampaign,
        membership.test_it_does_not_stand_once_its_removal_is_known_to_be_committed,
        {},
    ),
    (
        MajorityOfTheUnion,
        membership.test_while_joint_a_candidate_needs_both_majorities_and_not_one_of_the_union,
        ONE_OF_THE_UNION,
    ),
    (
        MajorityOfTheUnion,
        membership.test_while_joint_an_entry_needs_both_majorities_and_not_one_of_the_union,
        ONE_OF_THE_UNION,
    ),
    (
        MajorityOfTheUnion,
        membership.test_while_joint_a_leader_must_hear_both_majorities_and_not_one_of_the_union,
        ONE_OF_THE_UNION,
    ),
    (
        MajorityOfTheUnion,
        reads.test_while_joint_a_read_needs_both_majorities_and_not_one_of_the_union,
        ONE_OF_THE_UNION,
    ),
    (
        NewSetAlone,
        membership.test_leaving_the_joint_configuration_may_commit_more_without_another_answer,
        {},
    ),
    (NewSetAlone, reads.test_while_joint_a_demoted_voter_is_asked_and_counts, {}),
    (
        InForceWhenCommitted,
        membership.test_a_configuration_is_in_force_for_the_leader_that_appends_it,
        {},
    ),
    (
        InForceWhenCommitted,
        membership.test_a_configuration_is_in_force_for_the_follower_that_receives_it,
        {},
    ),
    (
        ForgetsItsConfiguration,
        membership.test_a_configuration_outlives_the_compaction_of_its_entry,
        {},
    ),
    (InForceWhenCommitted, a_crowd_until_it_breaks, {"options": FIGURE_2}),
    (AnyNumberOfChanges, membership.test_no_change_begins_while_another_is_uncommitted, {}),
    (AnyNumberOfChanges, membership.test_no_change_begins_while_the_cluster_is_joint, {}),
    (OneChangeForEver, membership.test_no_change_begins_while_another_is_uncommitted, {}),
    (
        ChangesBeforeItsTerm,
        membership.test_two_single_changes_in_turn_lose_nothing_with_the_rule_of_2015,
        {},
    ),
    (
        NothingIsJoint,
        membership.test_a_change_of_voters_enters_a_joint_configuration_and_leaves_it_by_itself,
        {},
    ),
    (NothingIsJoint, a_crowd_until_it_breaks, {"options": FIGURE_2}),
    (LearnersAreJointToo, membership.test_learners_come_and_go_at_once, {}),
    (
        StaysJoint,
        membership.test_a_leader_that_takes_over_while_joint_leaves_it,
        {"knows": True},
    ),
    (
        LeavesJointAtOnce,
        membership.test_the_joint_configuration_is_left_when_it_is_committed_and_not_when_something_else_is,
        {},
    ),
    (StaysJoint, a_crowd_until_it_breaks, {"options": FIGURE_2}),
    (RemovedLeaderStays, a_crowd_until_it_breaks, {"options": FIGURE_2}),
    (RemovedLeaderStays, membership.test_its_step_down_says_why, {}),
    (
        RemovedLeaderGoesAtOnce,
        rules.test_a_leader_goes_once_a_configuration_in_which_it_has_no_vote_is_committed,
        {"node": "S9", "at": 6, "goes": False},
    ),
    (
        EveryoneHasCaughtUp,
        membership.test_a_learner_that_caught_up_once_and_fell_silent_is_not_made_a_voter,
        {},
    ),
    (NobodyEverCatchesUp, membership.test_a_learner_whose_round_was_short_is_made_a_voter, {}),
    (
        ReadsBeforeItsTerm,
        reads.test_a_read_waits_until_an_entry_of_the_own_term_is_committed,
        {},
    ),
    (ReadsBeforeItsTerm, a_crowd_until_it_breaks, {"options": FIGURE_2}),
    (AsksNobody, a_crowd_until_it_breaks, {"options": FIGURE_2}),
    (AsksNobody, reads.test_a_leader_that_was_deposed_without_knowing_it_answers_nothing, {}),
    (
        AnyAnswerConfirms,
        reads.test_a_leader_asks_everyone_and_answers_when_a_majority_has_said_that_it_leads,
        {},
    ),
    (
        HandingOverKeepsTheLease,
        leases.test_a_lease_ends_when_leadership_is_handed_over_and_never_comes_back_in_that_term,
        {},
    ),
    (
        HandingOverKeepsTheLease,
        a_crowd_until_it_breaks,
        {"options": leases.OPTIONS[1], "clocks": True, **leases.READERS},
    ),
    (
        LeaseForEver,
        a_crowd_until_it_breaks,
        {"options": leases.PLAIN, "clocks": True, **leases.READERS},
    ),
    (PerfectClocks, leases.test_a_lease_is_shorter_the_more_clocks_may_differ, {"bound": 1.25}),
    (NoLeaseHolds, leases.test_a_leader_with_a_lease_answers_and_asks_nobody, {}),
    (
        ForgetsItsPromise,
        leases.test_a_voter_keeps_its_promise_in_a_term_that_it_heard_of_by_the_way,
        {},
    ),
    (
        VotesRightAfterItsStart,
        leases.test_a_voter_that_has_restarted_listens_to_no_candidate_for_a_minimum_timeout,
        {},
    ),
    (
        AllWaitAfterTheirStart,
        leases.test_without_leases_a_voter_that_has_restarted_listens_at_once,
        {},
    ),
    (
        ProbesWithEverything,
        rules.test_one_message_carries_a_probe_or_what_is_allowed_and_never_less_than_one_entry,
        {"probing": True, "most": 64, "room": 1000, "sent": [2]},
    ),
    (
        MessagesOfAnySize,
        flow_control.test_a_message_has_at_most_so_many_bytes_but_always_one_entry,
        {"limit": 10, "batches": [[2], [3], [4], [5]]},
    ),
    (NothingTooLongIsSent, flow_control.test_one_long_entry_travels_alone, {}),
    (
        CollectsWithoutEnd,
        flow_control.test_commands_are_taken_up_to_the_limit_and_refused_beyond_it,
        {},
    ),
    (
        RefusesALongCommandForEver,
        flow_control.test_the_first_command_is_always_taken_however_long,
        {},
    ),
    (
        ConfirmsByPlaceAlone,
        async_persistence.test_the_confirmation_of_an_old_write_never_confirms_what_stands_there_now,
        {},
    ),
    (
        NothingWrittenLateCounts,
        async_persistence.test_a_leader_counts_its_own_copy_when_it_is_written_and_not_before,
        {},
    ),
    (HandsOverToAnyone, transfer.test_a_learner_is_never_chosen, {}),
    (
        HandsOverTooEarly,
        transfer.test_who_lacks_something_is_told_when_it_has_everything_and_not_before,
        {},
    ),
    (HandsOverToNobody, transfer.test_who_has_everything_is_told_at_once_to_campaign, {}),
    (
        TakesCommandsToTheEnd,
        transfer.test_a_leader_that_hands_over_takes_nothing_and_says_so,
        {"payload": Empty(), "to": "S2", "whom": "S2"},
    ),
    (
        TakesAnySnapshot,
        snapshots.test_an_older_snapshot_rolls_nothing_back_and_is_answered_with_success,
        {"index": 2},
    ),
    (TakesNoSnapshot, snapshots.test_a_snapshot_beyond_the_log_takes_its_place, {}),
    (
        KeepsAnyTail,
        snapshots.test_a_tail_that_disagrees_with_a_snapshot_is_discarded,
        {"trailing": 0},
    ),
    (
        KeepsNoTail,
        snapshots.test_a_tail_that_agrees_with_a_snapshot_is_kept,
        {"trailing": 0, "left": [5]},
    ),
    (
        ReadsWhatItHas,
        reads.test_a_follower_answers_itself_once_it_has_applied_as_much_as_the_leader_said,
        {},
    ),
]


@pytest.mark.parametrize(
    ("mutant", "test", "about"),
    NOTICED,
    ids=[f"{mutant.__name__}-{test.__name__}" for mutant, test, _ in NOTICED],
)
def test_a_broken_rule_is_noticed(monkeypatch, mutant, test, about):
    monkeypatch.setattr(world, "RULES", mutant)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        if about is None:
            talk_until_it_breaks()
        else:
            test(**about)


def talk_until_it_breaks():
    """The talks of `test_properties.py`, without the search for a shorter one."""
    for seed in range(60):
        talk = properties.Talk(3 + seed % 3, Random(seed), FIGURE_2)
        for _ in range(300):
            talk.happen()
        talk.logs_match()
        talk.heal()


def test_every_decision_is_broken_at_least_once():
    decisions = {name for name in vars(Rules) if not name.startswith("_")}
    broken = {name for mutant, *_ in NOTICED for name in vars(mutant) if name in decisions}
    odd = sorted(broken ^ decisions)
    assert not odd, f"NOTICED wants a mutant that breaks it, and the test that notices it: {odd}"


def test_the_machine_guards_its_commit_index_even_from_its_rules():
    """A rule that lies about what is committed never takes the index beyond the log, or back."""

    class Boasts(Rules):
        def follower_commit_index(self, leader_commit, verified, log, commit_index):
            return leader_commit

        def leader_commit_index(self, matched, log, term, commit_index):
            return 99 if matched else -1

    node = machine(terms=(1, 1), rules=Boasts())
    world.tell(node, append("S2", 1, (2, 1), commit=7))
    assert node.commit_index == 2
    leading = leader(rules=Boasts())
    world.tell(leading, world.accepted("S2", 1, 1))
    assert leading.commit_index == 1


def test_a_term_that_is_neither_newer_nor_stale_nor_its_own_is_handled_as_its_own():
    """What the two mutants of the terms lead to, and what the properties are there to catch."""

    class KnowsNoTerms(NeverSeesANewerTerm, TakesStaleMessages):
        pass

    for term in (2, 9):
        node = machine(term=5, rules=KnowsNoTerms())
        (said,) = world.tell(node, append("S2", term, (0, 0), (1,)))
        assert (said.term, node.term, node.log.last_index) == (5, 5, 1)


def test_an_old_answer_that_a_rule_takes_for_a_new_one_is_counted():
    """The mistake that `is_about_the_present` is there to prevent: two leaders in one term."""
    node = world.candidate(rules=CountsOldAnswers(), term=4)
    world.tell(node, world.vote("S2", 3))
    assert node.role is Role.LEADER


def test_the_network_of_these_tests_fails_on_what_nobody_expected():
    with pytest.raises(AssertionError, match="nobody expected RequestVote"), World(3) as talking:
        talking.timeout("S1")
    with World(3) as talking, pytest.raises(AssertionError, match="no TimeoutNow from S1 to S2"):
        talking.take(TimeoutNow, "S1", "S2")
