"""What is right in other words, and what is nearly right: where a check is easily mistaken."""

import heapq
import math
import statistics

from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.raft.votes import ElectionResult
from tests.course.answers import answer_vote, append, by_method, conflict, stray, tally

WON, LOST, UNKNOWN = ElectionResult.WON, ElectionResult.LOST, ElectionResult.UNKNOWN
FOLLOWER, CANDIDATE, LEADER = Role

# 0.1


def leaders(frame):
    return sorted((each for each in frame.nodes if each.role is LEADER), key=lambda each: each.term)


def last_of(found):
    return found[-1].node if found else None


# 1.3


def append_one_by_one(log, prev_log_index, prev_log_term, entries):
    prev = prev_log_index
    if prev and (prev > log.last_index or log[prev].term != prev_log_term):
        return None
    for entry in entries:
        if entry.index <= log.last_index and log[entry.index].term != entry.term:
            log.truncate_uncommitted(entry.index)
        log.append_as_follower((entry,))
    return entries[-1].index if entries else prev


def append_what_differs(log, prev_log_index, prev_log_term, entries):
    """Of "2 2" after a log "1 2" only the first differs: the second is cut and never put back."""
    if not log.match_term(prev_log_index, prev_log_term):
        return None
    new = [each for each in entries if log.term_for_index(each.index) != each.term]
    if new and new[0].index <= log.last_index:
        log.truncate_uncommitted(new[0].index)
    log.append_as_follower(new)
    return prev_log_index + len(entries)


def append_and_cut_what_follows(log, prev_log_index, prev_log_term, entries):
    end = append(log, prev_log_index, prev_log_term, entries)
    if end is not None and log.last_index > end:
        log.truncate_uncommitted(end + 1)
    return end


def append_and_cut_what_is_refused(log, prev_log_index, prev_log_term, entries):
    if not log.match_term(prev_log_index, prev_log_term) and prev_log_index <= log.last_index:
        log.truncate_uncommitted(prev_log_index)
        return None
    return append(log, prev_log_index, prev_log_term, entries)


def heartbeats_vouch_for_all(log, prev_log_index, prev_log_term, entries):
    end = append(log, prev_log_index, prev_log_term, entries)
    return log.last_index if end is not None and not entries else end


def append_says_yes_or_no(*arguments):
    return append(*arguments) is not None


# 2.2

FIGURE_4 = {
    (FOLLOWER, Cause.ELECTION_TIMEOUT): CANDIDATE,
    (CANDIDATE, Cause.ELECTION_TIMEOUT): CANDIDATE,
    (CANDIDATE, Cause.MAJORITY_GRANTED): LEADER,
    (CANDIDATE, Cause.LEADER_SEEN): FOLLOWER,
    (CANDIDATE, Cause.HIGHER_TERM): FOLLOWER,
    (LEADER, Cause.HIGHER_TERM): FOLLOWER,
}
"""The arrows between two roles, and the one from a candidate to itself."""

WHO_STAYS = {(FOLLOWER, Cause.LEADER_SEEN): FOLLOWER, (FOLLOWER, Cause.HIGHER_TERM): FOLLOWER}
WAITS_ON = {(CANDIDATE, Cause.ELECTION_LOST): CANDIDATE}


def table(*parts):
    rows = {key: role for part in parts for key, role in part.items()}
    return lambda role, cause: rows.get((role, cause))


def figure_4_but(role, cause, after):
    return table(FIGURE_4, WHO_STAYS, {(role, cause): after})


# 3.3


def answer_in_three_lines(term, voted_for, log, request):
    vote = voted_for if request.term <= term else None
    fits = log.is_up_to_date(request.last_log_index, request.last_log_term)
    granted = request.term >= term and vote in (None, request.sender) and fits
    return granted, max(term, request.term), request.sender if granted else vote


def answer_voting_for_every_newer_term(term, voted_for, log, request):
    granted, new_term, vote = answer_vote(term, voted_for, log, request)
    return granted, new_term, request.sender if request.term > term else vote


def answer_going_back_in_term(term, voted_for, log, request):
    granted, _, vote = answer_vote(term, voted_for, log, request)
    return granted, request.term, vote


def answer_keeping_the_vote_when_refusing(term, voted_for, log, request):
    granted, new_term, vote = answer_vote(term, voted_for, log, request)
    return granted, new_term, vote if granted else voted_for


def answer_by(key):
    """Two logs are compared by `key` of the index and the term of their ends."""

    def answer(term, voted_for, log, request):
        if request.term > term:
            term, voted_for = request.term, None
        its, own = (request.last_log_index, request.last_log_term), (log.last_index, log.last_term)
        may = request.term == term and voted_for in (None, request.sender)
        granted = may and key(*its) >= key(*own)
        return granted, term, request.sender if granted else voted_for

    return answer


def answer_never_twice(term, voted_for, log, request):
    if request.term <= term and voted_for is not None:
        return False, term, voted_for
    return answer_vote(term, voted_for, log, request)


# 4.2


def tally_by_halves(votes):
    size, granted = len(votes.voters), sum(votes.answers.values())
    refused = len(votes.answers) - granted
    return WON if 2 * granted > size else LOST if 2 * refused >= size else UNKNOWN


def tally_when_all_have_answered(votes):
    return tally(votes) if len(votes.answers) == len(votes.voters) else UNKNOWN


def tally_of_two(votes):
    return WON if tally(votes) is WON else LOST


def tally_by_comparing(votes):
    granted = sum(votes.answers.values())
    refused = len(votes.answers) - granted
    return WON if granted > refused else LOST if refused > granted else UNKNOWN


def tally_with_one_vote_too_many(votes):
    return WON if 2 * sum(votes.answers.values()) + 2 > len(votes.voters) else tally(votes)


def tally_lost_at_last(votes):
    result = tally(votes)
    return result if result is WON or len(votes.answers) == len(votes.voters) else UNKNOWN


# 5.1


def span(options):
    low, high = options.election_timeout
    return high - low


# 5.2


def last_and_first(timeouts, heard_ms):
    first = min(timeouts, key=timeouts.get)
    return first if max(timeouts.values()) - timeouts[first] >= heard_ms else None


def stands_alone_for_a_round_trip(timeouts, heard_ms):
    first, second, *_ = sorted(timeouts.values())
    return min(timeouts, key=timeouts.get) if second - first >= 2 * heard_ms else None


# 6.2

PROBE = ProgressState.PROBE


def asks_elsewhere(rejected, progress):
    return progress.state is PROBE and rejected.non_matching_index != progress.next_index - 1


def denies_what_matches(rejected, progress):
    return rejected.non_matching_index <= progress.match_index


def ends_before_what_matches(rejected, progress):
    return rejected.last_index < progress.match_index


# 6.3


def first_of_its_term(log, index):
    while index > 1 and log.term_for_index(index - 1) == log.term_for_index(index):
        index -= 1
    return index


def hint_of_an_honest_follower(rejected, log, progress):
    hint = log.last_index_of_term_at_most(rejected.hint_index, rejected.hint_term)
    return max(hint, progress.match_index) + 1


def one_entry_more(rejected, log, progress):
    hint = log.last_index_of_term_at_most(rejected.hint_index, rejected.hint_term)
    return max(hint, progress.match_index + 1)


def term_by_term(rejected, log, progress):
    """One question for each term in which the logs differ. Paper: 5.3, last part."""
    hint = rejected.hint_index
    place = hint + 1
    if log.term_for_index(hint) != rejected.hint_term:
        place = first_of_its_term(log, max(hint, 1))
    return max(min(place, rejected.non_matching_index), progress.match_index + 1)


def hinted_by_term(rejected, log, progress):
    asked = rejected.non_matching_index
    hint = log.last_index_of_term_at_most(asked, rejected.hint_term)
    return max(min(hint + 1, asked), progress.match_index + 1)


def after_what_matches(rejected, log, progress):
    return progress.match_index + 1


def from_the_follower_s_end(rejected, log, progress):
    place = min(rejected.non_matching_index, rejected.last_index + 1)
    return max(place, progress.match_index + 1)


def ten_back(rejected, log, progress):
    return max(rejected.non_matching_index - 10, progress.match_index + 1)


def beyond_the_hint(rejected, log, progress):
    hint = log.last_index_of_term_at_most(rejected.last_index, rejected.hint_term)
    return max(min(hint, rejected.non_matching_index - 1), progress.match_index) + 1


def half_way(rejected, log, progress):
    known = progress.match_index
    return (
        max((rejected.non_matching_index + known) // 2, known) + 1
        if known + 1 < (rejected.non_matching_index)
        else known + 1
    )


def over_its_own_term(rejected, log, progress):
    return max(first_of_its_term(log, rejected.non_matching_index), progress.match_index + 1)


# 7.3


def newest_of_its_term(matched, log, term, commit_index):
    fitting = [index for index in range(commit_index + 1, matched + 1) if log[index].term == term]
    return max(fitting, default=commit_index)


def oldest_of_its_term(matched, log, term, commit_index):
    fitting = [index for index in range(commit_index + 1, matched + 1) if log[index].term == term]
    return min(fitting, default=commit_index)


RIGHT = {
    "0.1": [
        lambda frame: last_of(leaders(frame)),
        lambda frame: frame.leader and frame.leader.node,
    ],
    "1.1": by_method(
        "accepts_append",
        [
            lambda log, index, term: (index, term) == (0, 0)
            or any(each.index == index and each.term == term for each in log),
            lambda log, index, term: [each.term for each in log.entries(index, index + 1)]
            == ([term] if index else []),
        ],
    ),
    "1.2": by_method(
        "conflict_index",
        [
            lambda log, prev, entries: min(
                [each.index for each in entries if log.term_for_index(each.index)
                 not in (None, each.term)], default=None,
            ),
            lambda log, prev, entries: next(
                (each.index for each in entries
                 if each.index <= log.last_index and log[each.index] != each), None,
            ),
        ],
    ),
    "1.3": [append_one_by_one],
    "2.1": by_method("is_newer_term", [lambda message, term: max(message, term) != term]),
    "2.2": [
        table(FIGURE_4),
        lambda role, cause: table(FIGURE_4)(role, cause) or role,
        table(FIGURE_4, WHO_STAYS),
        table(FIGURE_4, WHO_STAYS, WAITS_ON),
        table(ROLE_AFTER),
    ],
    "2.3": by_method("resets_election_timer", [lambda voted, heard: any((voted, heard))]),
    "3.1": by_method(
        "candidate_is_up_to_date",
        [
            lambda request, log: request.last_log_term > log.last_term
            or (request.last_log_term == log.last_term
                and request.last_log_index >= log.last_index),
        ],
    ),
    "3.2": by_method(
        "has_vote_left",
        [
            lambda request, term, vote, leader: (vote or request.sender) == request.sender,
            lambda request, term, vote, leader: vote == request.sender
            or (vote is None and leader is None),
        ],
    ),
    "3.3": [answer_in_three_lines],
    "4.1": [
        lambda size: math.ceil((size + 1) / 2),
        lambda size: size - (size - 1) // 2,
        lambda size: min(count for count in range(size + 1) if 2 * count > size),
    ],
    "4.2": by_method("tally_vote", [tally_by_halves]),
    "5.1": by_method(
        "election_timeout",
        [
            lambda options, rng: options.election_timeout[1] - span(options) * rng.random(),
        ],
    ),
    "6.1": by_method(
        "match_index_after",
        [
            lambda log, last_new, following: min(last_new, following - 1),
            lambda log, last_new, following: min(last_new, log.last_index),
        ],
    ),
    "6.2": by_method(
        "is_stray_rejection",
        [
            lambda rejected, progress: asks_elsewhere(rejected, progress)
            or min(rejected.non_matching_index - 1, rejected.last_index) < progress.match_index,
        ],
    ),
    "6.3": by_method(
        "next_index_after", [hint_of_an_honest_follower, one_entry_more, term_by_term]
    ),
    "7.1": by_method(
        "majority_match_index",
        [
            lambda match, configuration: statistics.median_low(match.values()),
            lambda match, configuration: heapq.nlargest(
                len(match) // 2 + 1, match.values()
            )[-1],
            lambda match, configuration: max(
                index for index in match.values()
                if 2 * sum(each >= index for each in match.values()) > len(match)
            ),
        ],
    ),
    "7.2": by_method(
        "follower_commit_index",
        [
            lambda leader, verified, log, own: own if leader <= own
            else max(own, min(leader, verified)),
        ],
    ),
    "7.3": by_method("leader_commit_index", [newest_of_its_term]),
}  # fmt: skip

WRONG = {
    "0.1": [
        lambda frame: max(frame.nodes, key=lambda each: each.term).node,
        lambda frame: leaders(frame)[0].node if leaders(frame) else None,
    ],
    "1.1": by_method(
        "accepts_append",
        [
            lambda log, index, term: index <= log.last_index and log.last_term >= term,
            lambda log, index, term: index == 0 or any(each.term == term for each in log),
            lambda log, index, term: not log.last_index or log.term_for_index(index) == term,
        ],
    ),
    "1.2": by_method(
        "conflict_index",
        [
            lambda log, prev, entries: prev + 1 if conflict(log, prev, entries) else None,
            lambda log, prev, entries: next(
                (each.index for each in entries if log.term_for_index(each.index) != each.term),
                None,
            ),
        ],
    ),
    "1.3": [
        append_what_differs, append_and_cut_what_follows, append_and_cut_what_is_refused,
        heartbeats_vouch_for_all, append_says_yes_or_no,
    ],
    "2.1": by_method("is_newer_term", [lambda message, term: message - term]),
    "2.2": [
        figure_4_but(FOLLOWER, Cause.ELECTION_TIMEOUT, FOLLOWER),
        figure_4_but(CANDIDATE, Cause.ELECTION_TIMEOUT, FOLLOWER),
        figure_4_but(CANDIDATE, Cause.HIGHER_TERM, CANDIDATE),
        figure_4_but(LEADER, Cause.LEADER_SEEN, FOLLOWER),
        figure_4_but(FOLLOWER, Cause.MAJORITY_GRANTED, LEADER),
        figure_4_but(FOLLOWER, Cause.HIGHER_TERM, CANDIDATE),
        figure_4_but(LEADER, Cause.HIGHER_TERM, LEADER),
        figure_4_but(LEADER, Cause.ELECTION_TIMEOUT, CANDIDATE),
    ],
    "2.3": by_method("resets_election_timer", [lambda voted, heard: voted != heard]),
    "3.1": by_method(
        "candidate_is_up_to_date",
        [
            lambda request, log: request.last_log_term >= log.last_term
            and request.last_log_index >= log.last_index,
            lambda request, log: request.last_log_term > log.last_term
            or request.last_log_index >= log.last_index,
            lambda request, log: (request.term, request.last_log_index)
            >= (log.last_term, log.last_index),
        ],
    ),
    "3.2": by_method(
        "has_vote_left",
        [
            lambda request, term, vote, leader: vote == request.sender or leader is None,
            lambda request, term, vote, leader: vote in (None, request.receiver),
            lambda request, term, vote, leader: vote in (None, request.sender, leader),
            lambda request, term, vote, leader: vote is None and leader is None,
        ],
    ),
    "3.3": [
        answer_voting_for_every_newer_term, answer_going_back_in_term,
        answer_keeping_the_vote_when_refusing, answer_never_twice,
        answer_by(lambda index, term: index), answer_by(lambda index, term: (index, term)),
        answer_by(lambda index, term: term),
    ],
    "4.1": [lambda size: size - size // 2, lambda size: 2 * size // 3 + 1],
    "4.2": by_method(
        "tally_vote",
        [
            tally_when_all_have_answered, tally_of_two, tally_by_comparing,
            tally_with_one_vote_too_many, tally_lost_at_last,
        ],
    ),
    "5.1": by_method(
        "election_timeout",
        [
            lambda options, rng: options.election_timeout[0] + rng.random(),
            lambda options, rng: rng.triangular(*options.election_timeout),
            lambda options, rng: options.election_timeout[0] + span(options) * rng.random() / 2,
            lambda options, rng: options.election_timeout[0] * (1 + rng.random()),
        ],
    ),
    "5.2": [last_and_first, stands_alone_for_a_round_trip],
    "6.1": by_method(
        "match_index_after",
        [
            lambda log, last_new, following: max(last_new, following - 1),
            lambda log, last_new, following: max(last_new - 1, 0),
        ],
    ),
    "6.2": by_method(
        "is_stray_rejection",
        [
            lambda *those: denies_what_matches(*those) or asks_elsewhere(*those),
            lambda *those: denies_what_matches(*those) or ends_before_what_matches(*those),
            lambda *those: ends_before_what_matches(*those) or asks_elsewhere(*those),
            lambda rejected, progress: stray(rejected, progress)
            or rejected.non_matching_index != progress.next_index - 1,
            ends_before_what_matches,
            lambda rejected, progress: progress.state is PROBE
            and rejected.non_matching_index < progress.next_index - 1,
        ],
    ),
    "6.3": by_method(
        "next_index_after",
        [
            hinted_by_term, after_what_matches, from_the_follower_s_end, ten_back, half_way,
            over_its_own_term, beyond_the_hint,
        ],
    ),
    "7.1": by_method(
        "majority_match_index",
        [
            lambda match, configuration: statistics.median_high(match.values()),
            lambda match, configuration: sorted(match.values())[len(match) // 2 - 1],
            lambda match, configuration: max(
                index for index in match.values()
                if 2 * sum(each >= index for each in match.values()) >= len(match)
            ),
            lambda match, configuration: statistics.median_low(set(match.values())),
        ],
    ),
    "7.2": by_method(
        "follower_commit_index",
        [
            lambda leader, verified, log, own: min(leader, verified) if leader > own else own,
            lambda leader, verified, log, own: sorted((own, leader, verified))[1],
            lambda leader, verified, log, own: min(max(leader, own), verified),
            lambda leader, verified, log, own: leader if own < leader <= verified else own,
            lambda leader, verified, log, own: max(own, min(leader, verified))
            if verified >= log.last_index else own,
        ],
    ),
    "7.3": by_method(
        "leader_commit_index",
        [
            oldest_of_its_term,
            lambda matched, log, term, own: matched
            if matched > own and log.last_term == term else own,
        ],
    ),
}  # fmt: skip
