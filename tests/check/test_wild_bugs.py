"""Stock campaigns find bugs that they were not made for, and soon enough for every run of CI."""

import pytest

from raftlab.check.campaign.trial import checked, try_seed
from tests.check.wild_bugs import (
    BUGS,
    HELD_BACK,
    TUNING,
    AsksFirst,
    CandidatesGoBack,
    CandidatesHearNoPreVote,
    CommitsAtStart,
    CutsOnlyTheLog,
    DeafToReplies,
    DropsEarlyReads,
    DropsItsTail,
    KeepsItsMembers,
    LeadersFreeVotes,
    OldMembersInSnapshots,
    OnlyEntriesPromote,
    OwnMembersInSnapshots,
    PreVotesBind,
    SpeaksOnceMore,
    wrong,
)

# How many stock seeds are more than enough. Six of these were not found in 300 before verbs
# knew their moment and an operator had to be served.
ENOUGH = {
    KeepsItsMembers: 30,
    CutsOnlyTheLog: 20,
    OnlyEntriesPromote: 15,
    OldMembersInSnapshots: 30,
    OwnMembersInSnapshots: 30,
    PreVotesBind: 10,
    LeadersFreeVotes: 10,
    CandidatesGoBack: 10,
    CandidatesHearNoPreVote: 20,
    SpeaksOnceMore: 10,
    DropsItsTail: 40,
    DeafToReplies: 20,
    CommitsAtStart: 10,
    AsksFirst: 10,
    DropsEarlyReads: 10,
}


@pytest.mark.parametrize("bug", ENOUGH, ids=lambda bug: bug.__name__)
def test_a_stock_campaign_finds_a_bug_that_it_was_not_made_for(bug):
    given = wrong(bug)
    conditions = checked(given.get("rules"), given.get("machine"), {})
    assert any(try_seed(seed, conditions).verdict != "ok" for seed in range(ENOUGH[bug]))


def test_every_bug_cites_its_source_and_belongs_to_one_half():
    assert set(TUNING) | set(HELD_BACK) == set(BUGS) and not set(TUNING) & set(HELD_BACK)
    for bug in BUGS:
        assert "#" in bug.__doc__ or "RATIS-" in bug.__doc__
