"""Predict, then run: questions whose right answer is computed by running the machine.

Two cells in a notebook. The first ends in the question, to be clicked; the second, tagged
`answer`, in `question.answer(...)`, for those who would rather type:

    question = predict.who_grants(cluster, candidate="S3")
    question

    question.answer("S2", "S4")

Every template takes what it asks about, or `seed=` for a variant made afresh, which can be
answered from what it shows. `again()` asks another of the kind that was asked last, and
`review("03")` asks two from the notebooks before 03. `score()` says how many predictions were
right at the first try.

01  append_result(log, prev, entries)    what a follower's log is after AppendEntries
    legal_log({"a": "1 1 2", …})         which logs can be (user study, Q1)
    possible_logs(leader, {…})           which logs can stand beside the leader's (Q3)
    possible_followers(leader, {…}, i)   who accepts what follows entry i; Figure 7
02  term_after(role, term, message, m)   role and term after a message of term m
    timer_reset("abd")                   which events make a follower wait anew
03  who_grants(cluster, candidate)       who votes for a candidate
    who_can_win(cluster)                 who could be elected now
    lost_vote("vote" or "log")           what a forgetful voter breaks (Q6)
04  tally(granted, refused, of=5)        won, lost or unknown
    majority_size(servers)               how many make a majority
    splits(cluster)                      candidates race: who wins, or nobody
05  next_leader(cluster)                 whose timer and votes come first
    wan_timeouts((150, 250))             which timeouts suit a slow network (Q5)
06  next_index_after(leader, follower)   where a leader tries next after a rejection
    messages_to_repair(leader, follower) how many AppendEntries until the logs are equal
    corrupt_next_index(wrong)            is a wrong next_index unsafe, or slow (Q4)
07  commit_after({"S2": 4, …}, log, term)  what match indexes commit
    acks_commit(cluster, ("S2",))        what the acknowledgements in flight commit
    which_committed({"S1": "1 1 2", …})  which entries no future leader can lack (Q2)
    deposed_leader("S3")                 what becomes of a deposed leader's entry
    deposed_leader_commits("S2", …)      can it still commit it, and is that safe (Q7)

A question of your own: `Question(statement, choices, truth, explain)`.
"""

from raftlab.course.predict.appends import append_result, possible_followers
from raftlab.course.predict.commit import (
    acks_commit,
    commit_after,
    which_committed,
)
from raftlab.course.predict.counting import majority_size, tally
from raftlab.course.predict.deposed import deposed_leader, deposed_leader_commits
from raftlab.course.predict.logs import legal_log, possible_logs
from raftlab.course.predict.lost import lost_vote
from raftlab.course.predict.races import splits
from raftlab.course.predict.repair import corrupt_next_index, messages_to_repair, next_index_after
from raftlab.course.predict.review import KINDS, Review, again, review
from raftlab.course.predict.terms import term_after
from raftlab.course.predict.timers import next_leader, timer_reset, wan_timeouts
from raftlab.course.predict.votes import who_can_win, who_grants
from raftlab.course.question import Question
from raftlab.course.score import Score, Verdict, score

__all__ = [
    "KINDS",
    "Question",
    "Review",
    "Score",
    "Verdict",
    "acks_commit",
    "again",
    "append_result",
    "commit_after",
    "corrupt_next_index",
    "deposed_leader",
    "deposed_leader_commits",
    "legal_log",
    "lost_vote",
    "majority_size",
    "messages_to_repair",
    "next_index_after",
    "next_leader",
    "possible_followers",
    "possible_logs",
    "review",
    "score",
    "splits",
    "tally",
    "term_after",
    "timer_reset",
    "wan_timeouts",
    "which_committed",
    "who_can_win",
    "who_grants",
]
