"""What learners write: for each exercise some right answers, and the usual wrong ones."""

from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.raft.rules import Rules
from raftlab.raft.votes import ElectionResult


def rules(name, function):
    """A learner's subclass of `Rules` with this one method."""
    return type("MyRules", (Rules,), {name: lambda self, *a, **k: function(*a, **k)})


def by_method(name, functions):
    return [rules(name, function) for function in functions]


# 0.1


def leader_by_loop(frame):
    best = None
    for node in frame.nodes:
        if node.alive and node.role is Role.LEADER and (best is None or node.term > best.term):
            best = node
    return best and best.node


def first_leader(frame):
    return next((node.node for node in frame.nodes if node.role is Role.LEADER), None)


def leader_or_empty(frame):
    return frame.leader.node if frame.leader else ""


# 0.2


def state(commands):
    held = {}
    for command in commands:
        name, value = command.split("=")
        held[name] = int(value)
    return held


def state_keeping_first(commands):
    held = {}
    for command in commands:
        name, value = command.split("=")
        held.setdefault(name, int(value))
    return held


def state_by_adding(commands):
    held = {}
    for command in commands:
        name, value = command.split("=")
        held[name] = held.get(name, 0) + int(value)
    return held


# 1.2


def conflict(log, prev_log_index, entries):
    for entry in entries:
        if entry.index <= log.last_index and log[entry.index].term != entry.term:
            return entry.index
    return None


def always_after_prev(log, prev_log_index, entries):
    return prev_log_index + 1 if log.last_index > prev_log_index else None


def after_the_message(log, prev_log_index, entries):
    found = conflict(log, prev_log_index, entries)
    end = prev_log_index + len(entries)
    return found or (end + 1 if log.last_index > end else None)


def only_the_first(log, prev_log_index, entries):
    return conflict(log, prev_log_index, entries[:1])


def last_conflict(log, prev_log_index, entries):
    return conflict(log, prev_log_index, tuple(reversed(entries)))


def newer_is_kept(log, prev_log_index, entries):
    for entry in entries:
        held = log.term_for_index(entry.index)
        if held is not None and held < entry.term:
            return entry.index
    return None


def zero_for_none(log, prev_log_index, entries):
    return conflict(log, prev_log_index, entries) or 0


# 1.3


def append(log, prev_log_index, prev_log_term, entries):
    if not log.match_term(prev_log_index, prev_log_term):
        return None
    found = conflict(log, prev_log_index, entries)
    if found is not None:
        log.truncate_uncommitted(found)
    log.append_as_follower(entries)
    return prev_log_index + len(entries)


def append_and_claim_all(log, prev_log_index, prev_log_term, entries):
    answer = append(log, prev_log_index, prev_log_term, entries)
    return None if answer is None else log.last_index


def append_cutting_always(log, prev_log_index, prev_log_term, entries):
    if not log.match_term(prev_log_index, prev_log_term):
        return None
    log.truncate_uncommitted(prev_log_index + 1)
    log.append_as_follower(entries)
    return log.last_index


def append_without_checking(log, prev_log_index, prev_log_term, entries):
    if prev_log_index > log.last_index:
        return None
    return append(log, prev_log_index, log.term_for_index(prev_log_index), entries)


def append_never_cutting(log, prev_log_index, prev_log_term, entries):
    if not log.match_term(prev_log_index, prev_log_term):
        return None
    log.append_as_follower(entries)
    return prev_log_index + len(entries)


def append_heartbeats_say_nothing(log, prev_log_index, prev_log_term, entries):
    return append(log, prev_log_index, prev_log_term, entries) if entries else None


def append_cutting_before_checking(log, prev_log_index, prev_log_term, entries):
    found = conflict(log, prev_log_index, entries)
    if found is not None:
        log.truncate_uncommitted(found)
    return append(log, prev_log_index, prev_log_term, entries)


# 2.2


def role_by_hand(role, cause):
    if cause is Cause.HIGHER_TERM:
        return Role.FOLLOWER
    if cause in (Cause.QUORUM_LOST, Cause.REMOVED):
        return Role.FOLLOWER if role is Role.LEADER else None
    if cause is Cause.LEADER_FORGOTTEN:
        return Role.FOLLOWER if role is Role.FOLLOWER else None
    if role is Role.LEADER:
        return None
    if cause is Cause.LEADER_SEEN:
        return Role.FOLLOWER
    if cause is Cause.ELECTION_TIMEOUT:
        return Role.CANDIDATE
    if role is Role.FOLLOWER:
        return None
    return {
        Cause.MAJORITY_GRANTED: Role.LEADER,
        Cause.PREVOTE_GRANTED: Role.CANDIDATE,
        Cause.ELECTION_LOST: Role.FOLLOWER,
    }[cause]


def role_changed(*key_and_value):
    *key, value = key_and_value

    def role_after(role, cause):
        return value if [role, cause] == key else ROLE_AFTER.get((role, cause))

    return role_after


# 2.3


def waits(granted_vote, heard_leader):
    return granted_vote or heard_leader


# 3.1


def up_to_date(request, log):
    mine = (log.last_term, log.last_index)
    return (request.last_log_term, request.last_log_index) >= mine


# 3.2


def vote_left(request, term, voted_for, leader):
    return voted_for in (None, request.sender)


# 3.3


def answer_vote(term, voted_for, log, request):
    if request.term < term:
        return False, term, voted_for
    if request.term > term:
        term, voted_for = request.term, None
    fits = log.is_up_to_date(request.last_log_index, request.last_log_term)
    if voted_for in (None, request.sender) and fits:
        return True, term, request.sender
    return False, term, voted_for


def answer_keeping_old_vote(term, voted_for, log, request):
    if request.term < term:
        return False, term, voted_for
    fits = log.is_up_to_date(request.last_log_index, request.last_log_term)
    granted = voted_for in (None, request.sender) and fits
    return granted, request.term, request.sender if granted else voted_for


def answer_forgetting_vote(term, voted_for, log, request):
    granted, term, _ = answer_vote(term, voted_for, log, request)
    return granted, term, None


def answer_forgetting_term(term, voted_for, log, request):
    granted, _, vote = answer_vote(term, voted_for, log, request)
    return granted, term, vote


def answer_without_log(term, voted_for, log, request):
    from raftlab.course.situations import log_of

    return answer_vote(term, voted_for, log_of(""), request)


def answer_adopting_only_when_granting(term, voted_for, log, request):
    granted, new_term, vote = answer_vote(term, voted_for, log, request)
    return (granted, new_term, vote) if granted else (False, term, voted_for)


def answer_stale_too(term, voted_for, log, request):
    granted, new_term, vote = answer_vote(min(term, request.term), voted_for, log, request)
    return granted, max(term, new_term), vote


# 4.2


def tally(votes):
    granted = sum(votes.answers.values())
    silent = len(votes.voters) - len(votes.answers)
    if 2 * granted > len(votes.voters):
        return ElectionResult.WON
    if 2 * (granted + silent) > len(votes.voters):
        return ElectionResult.UNKNOWN
    return ElectionResult.LOST


def tally_of_answers(votes):
    granted = sum(votes.answers.values())
    if 2 * granted > len(votes.answers):
        return ElectionResult.WON
    return ElectionResult.UNKNOWN


def tally_half_is_enough(votes):
    if 2 * sum(votes.answers.values()) >= len(votes.voters):
        return ElectionResult.WON
    return tally(votes)


def tally_never_lost(votes):
    result = tally(votes)
    return ElectionResult.UNKNOWN if result is ElectionResult.LOST else result


def tally_lost_by_majority_of_refusals(votes):
    refused = len(votes.answers) - sum(votes.answers.values())
    if 2 * refused > len(votes.voters):
        return ElectionResult.LOST
    result = tally(votes)
    return ElectionResult.UNKNOWN if result is ElectionResult.LOST else result


def tally_as_text(votes):
    return tally(votes).value


# 5.1


def timeout(options, rng):
    low, high = options.election_timeout
    return rng.uniform(low, high)


def timeout_in_steps(options, rng):
    low, high = map(int, options.election_timeout)
    return (
        low + rng.randrange(1000 * (high - low)) // 1000
        if high - low > 50
        else timeout(options, rng)
    )


def timeout_global(options, rng):
    import random

    return random.uniform(*options.election_timeout)


# 5.2


def alone(timeouts, heard_ms):
    first, second = sorted(timeouts.values())[:2]
    return min(timeouts, key=timeouts.get) if second - first >= heard_ms else None


def alone_by_place(timeouts, heard_ms):
    times = list(timeouts.values())
    return "S1" if times[1] - times[0] >= heard_ms else None


# 6.2


def stray(rejected, progress):
    if max(rejected.non_matching_index, 0) <= progress.match_index:
        return True
    if progress.match_index > rejected.last_index:
        return True
    probing = progress.state is ProgressState.PROBE
    return probing and rejected.non_matching_index + 1 != progress.next_index


# 6.3


def hinted(rejected, log, progress):
    place = min(rejected.hint_index, rejected.non_matching_index - 1)
    while place > 0 and (log.term_for_index(place) or 0) > rejected.hint_term:
        place -= 1
    return max(place, progress.match_index) + 1


def hinted_by_index(rejected, log, progress):
    return max(min(rejected.hint_index, rejected.non_matching_index - 1), progress.match_index) + 1


def one_back(rejected, log, progress):
    return max(rejected.non_matching_index, progress.match_index + 1)


# 7.1


def median(match_indexes, configuration):
    reached = sorted((match_indexes[voter] for voter in configuration.voters), reverse=True)
    return reached[len(reached) // 2]


# 7.3


def commit(matched, log, term, commit_index):
    if matched > commit_index and log[matched].term == term:
        return matched
    return commit_index


RIGHT = {
    "0.1": [leader_by_loop],
    "0.2": [state, lambda commands: {k: int(v) for k, v in (c.split("=") for c in commands)}],
    "1.1": by_method(
        "accepts_append",
        [
            lambda log, index, term: log.term_for_index(index) == term,
            lambda log, index, term: not index
            or (index <= log.last_index and log[index].term == term),
        ],
    ),
    "1.2": by_method("conflict_index", [conflict]),
    "1.3": [append],
    "2.1": by_method("is_newer_term", [lambda message, term: message > term]),
    "2.2": [role_by_hand],
    "2.3": by_method("resets_election_timer", [waits]),
    "3.1": by_method("candidate_is_up_to_date", [up_to_date]),
    "3.2": by_method("has_vote_left", [vote_left]),
    "3.3": [answer_vote],
    "4.1": [lambda size: (size + 2) // 2, lambda size: size // 2 + 1],
    "4.2": by_method("tally_vote", [tally]),
    "4.3": by_method("is_about_the_present", [lambda reply_term, asked: reply_term == asked]),
    "5.1": by_method("election_timeout", [timeout, timeout_in_steps]),
    "5.2": [alone],
    "5.3": [
        lambda one_way_ms: (10 * one_way_ms, 20 * one_way_ms),
        lambda one_way_ms: (8.0 * one_way_ms, 24.0 * one_way_ms),
    ],
    "6.1": by_method("match_index_after", [lambda log, last_new, following: last_new]),
    "6.2": by_method("is_stray_rejection", [stray]),
    "6.3": by_method("next_index_after", [hinted]),
    "7.1": by_method("majority_match_index", [median]),
    "7.2": by_method(
        "follower_commit_index",
        [
            lambda leader, verified, log, own: max(own, min(leader, verified)),
            lambda leader, verified, log, own: sorted((own, min(leader, verified)))[1],
        ],
    ),
    "7.3": by_method("leader_commit_index", [commit]),
}  # fmt: skip

WRONG = {
    "0.1": [
        first_leader,
        leader_or_empty,
        lambda frame: next(node.leader for node in frame.nodes),
        lambda frame: frame.leader,
    ],
    "0.2": [
        state_keeping_first,
        state_by_adding,
        lambda commands: dict(command.split("=") for command in commands),
        lambda commands: state(sorted(commands)),
        lambda commands: state(commands[-1:]),
        lambda commands: {"x": 1},
    ],
    "1.1": by_method(
        "accepts_append",
        [
            lambda log, index, term: True,
            lambda log, index, term: index <= log.last_index,
            lambda log, index, term: log.last_index == index and log.last_term == term,
            lambda log, index, term: log.term_for_index(index) in (term, None),
            lambda log, index, term: (log.term_for_index(index) or 0) >= term,
            lambda log, index, term: 1 if log.match_term(index, term) else 0,
            lambda log, index, term: index > 0 and log.match_term(index, term),
        ],
    ),
    "1.2": by_method(
        "conflict_index",
        [
            always_after_prev, after_the_message, only_the_first, last_conflict, newer_is_kept,
            zero_for_none, lambda *_: None,
        ],
    ),
    "1.3": [
        append_and_claim_all, append_cutting_always, append_without_checking,
        append_never_cutting, append_heartbeats_say_nothing, append_cutting_before_checking,
        lambda *_: None,
    ],
    "2.1": by_method(
        "is_newer_term",
        [
            lambda message, term: message >= term,
            lambda message, term: message != term,
            lambda message, term: message == term + 1,
            lambda message, term: False,
        ],
    ),
    "2.2": [
        role_changed(Role.CANDIDATE, Cause.ELECTION_TIMEOUT, None),
        role_changed(Role.CANDIDATE, Cause.LEADER_SEEN, Role.CANDIDATE),
        role_changed(Role.LEADER, Cause.HIGHER_TERM, None),
        role_changed(Role.LEADER, Cause.LEADER_SEEN, Role.FOLLOWER),
        role_changed(Role.FOLLOWER, Cause.MAJORITY_GRANTED, Role.LEADER),
        role_changed(Role.FOLLOWER, Cause.ELECTION_TIMEOUT, "candidate"),
    ],
    "2.3": by_method(
        "resets_election_timer",
        [
            lambda granted_vote, heard_leader: True,
            lambda granted_vote, heard_leader: False,
            lambda granted_vote, heard_leader: heard_leader,
            lambda granted_vote, heard_leader: granted_vote and heard_leader,
        ],
    ),
    "3.1": by_method(
        "candidate_is_up_to_date",
        [
            lambda request, log: request.last_log_index >= log.last_index,
            lambda request, log: request.last_log_term >= log.last_term,
            lambda request, log: (request.last_log_term, request.last_log_index)
            > (log.last_term, log.last_index),
            lambda request, log: (request.last_log_index, request.last_log_term)
            >= (log.last_index, log.last_term),
            lambda request, log: request.term >= log.last_term,
            lambda request, log: True,
        ],
    ),
    "3.2": by_method(
        "has_vote_left",
        [
            lambda request, term, voted_for, leader: voted_for is None,
            lambda request, term, voted_for, leader: True,
            lambda request, term, voted_for, leader: leader is None,
            lambda request, term, voted_for, leader: voted_for == request.sender,
            lambda request, term, voted_for, leader: voted_for != "S1",
        ],
    ),
    "3.3": [
        answer_keeping_old_vote, answer_forgetting_vote, answer_forgetting_term,
        answer_without_log, answer_adopting_only_when_granting, answer_stale_too,
        lambda *arguments: answer_vote(*arguments)[0],
    ],
    "4.1": [
        lambda size: (size + 1) // 2,
        lambda size: size / 2 + 1,
        lambda size: round(size / 2 + 0.5),
        lambda size: 3,
    ],
    "4.2": by_method(
        "tally_vote",
        [
            tally_of_answers, tally_half_is_enough, tally_never_lost,
            tally_lost_by_majority_of_refusals, tally_as_text,
        ],
    ),
    "4.3": by_method(
        "is_about_the_present",
        [
            lambda reply_term, asked_term: True,
            lambda reply_term, asked_term: reply_term <= asked_term,
            lambda reply_term, asked_term: reply_term >= asked_term,
            lambda reply_term, asked_term: reply_term in (asked_term, asked_term - 1),
            lambda reply_term, asked_term: False,
        ],
    ),
    "5.1": by_method(
        "election_timeout",
        [
            lambda options, rng: options.election_timeout[0],
            lambda options, rng: sum(options.election_timeout) / 2,
            lambda options, rng: rng.choice(options.election_timeout),
            lambda options, rng: 150 + 150 * rng.random(),
            lambda options, rng: rng.random() * options.election_timeout[1],
            lambda options, rng: options.election_timeout,
            timeout_global,
        ],
    ),
    "5.2": [
        lambda timeouts, heard_ms: min(timeouts, key=timeouts.get),
        lambda timeouts, heard_ms: min(timeouts.values()),
        alone_by_place,
        lambda timeouts, heard_ms: alone(timeouts, 1),
        lambda timeouts, heard_ms: alone(timeouts, heard_ms + 1),
        lambda timeouts, heard_ms: alone(timeouts, 2 * heard_ms),
        lambda timeouts, heard_ms: alone(timeouts, heard_ms) or "",
    ],
    "5.3": [
        lambda one_way_ms: (150, 300),
        lambda one_way_ms: (one_way_ms, 2 * one_way_ms),
        lambda one_way_ms: (10 * one_way_ms, 10.5 * one_way_ms),
        lambda one_way_ms: (1000 * one_way_ms, 2000 * one_way_ms),
        lambda one_way_ms: (10 * one_way_ms, 10 * one_way_ms),
        lambda one_way_ms: 10 * one_way_ms,
        lambda one_way_ms: (20 * one_way_ms, 10 * one_way_ms),
    ],
    "6.1": by_method(
        "match_index_after",
        [
            lambda log, last_new, following: following - 1,
            lambda log, last_new, following: log.last_index,
            lambda log, last_new, following: following,
            lambda log, last_new, following: last_new + 1,
        ],
    ),
    "6.2": by_method(
        "is_stray_rejection",
        [
            lambda rejected, progress: False,
            lambda rejected, progress: rejected.non_matching_index <= progress.match_index,
            lambda rejected, progress: rejected.non_matching_index != progress.next_index - 1,
            lambda rejected, progress: stray(rejected, progress)
            or rejected.last_index == progress.match_index,
        ],
    ),
    "6.3": by_method(
        "next_index_after",
        [
            one_back, hinted_by_index,
            lambda rejected, log, progress: 1,
            lambda rejected, log, progress: rejected.non_matching_index + 1,
            lambda rejected, log, progress: rejected.hint_index,
            lambda rejected, log, progress: log.last_index + 1,
        ],
    ),
    "7.1": by_method(
        "majority_match_index",
        [
            lambda match, configuration: max(match.values()),
            lambda match, configuration: min(match.values()),
            lambda match, configuration: sorted(match.values())[len(match) // 2],
            lambda match, configuration: sum(match.values()) // len(match),
            lambda match, configuration: sorted(match.values(), reverse=True)[1:2],
        ],
    ),
    "7.2": by_method(
        "follower_commit_index",
        [
            lambda leader, verified, log, own: leader,
            lambda leader, verified, log, own: min(leader, verified),
            lambda leader, verified, log, own: max(own, min(leader, log.last_index)),
            lambda leader, verified, log, own: max(own, verified),
            lambda leader, verified, log, own: own,
        ],
    ),
    "7.3": by_method(
        "leader_commit_index",
        [
            lambda matched, log, term, own: max(matched, own),
            lambda matched, log, term, own: matched if log.term_for_index(matched) == term else own,
            lambda matched, log, term, own: max(own, matched) if log.last_term == term else own,
            lambda matched, log, term, own: own,
            lambda matched, log, term, own: log.last_index if log.last_term == term else own,
        ],
    ),
}  # fmt: skip
