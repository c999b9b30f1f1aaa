"""One count of votes: which one a picture shows, what it has come to, and that in words."""

from collections.abc import Mapping

import msgspec

from raftlab.raft.messages import RequestVoteReply
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, NodeId, Term
from raftlab.raft.votes import ElectionResult, ElectionTracker, Votes
from raftlab.sim.frames.frame import Frame, NodeFrame, VotesFrame
from raftlab.view.checked import checked
from raftlab.view.words import clean, ms, table


class VoteCount(msgspec.Struct, frozen=True):
    """One count of votes, as it is drawn. `fresh` are those whose answer has just come.

    `candidate` is "" and `term` None where there is no cluster behind the count.
    """

    votes: Votes
    candidate: NodeId = ""
    term: Term | None = None
    is_prevote: bool = False
    fresh: frozenset[NodeId] = frozenset()


def count_at(frame: Frame, candidate: NodeId | None, previous: Frame | None) -> VoteCount | None:
    """The count at `candidate`, or at the newest node that counts; None if there is none."""
    nodes = [each for each in frame.nodes if each.alive and candidate in (None, each.node)]
    before = {each.node: each.votes for each in previous.nodes if each.votes} if previous else {}
    counting = [(each.node, each.votes) for each in nodes if each.votes]
    if counting:
        node, votes = max(counting, key=lambda each: (each[1].term, not each[1].is_prevote))
        return _as_count(node, votes, _fresh(votes, before.get(node), previous))
    for each in nodes:
        ended = before.get(each.node)
        if ended and previous and ended.term == each.term and each.role is not Role.CANDIDATE:
            return _just_ended(each, ended, frame, previous)
    return None


def _fresh(
    votes: VotesFrame, before: VotesFrame | None, previous: Frame | None
) -> frozenset[NodeId]:
    """Whose answers were not there in `previous`."""
    if previous is None:
        return frozenset()
    same = before and (before.term, before.is_prevote) == (votes.term, votes.is_prevote)
    return frozenset(votes.answers) - frozenset(before.answers if before and same else ())


def _just_ended(
    node: NodeFrame, ended: VotesFrame, frame: Frame, previous: Frame
) -> VoteCount | None:
    """The last count of a campaign that this step has decided, with the answer that did it."""
    left = {each.number for each in frame.in_flight}
    arrived = {
        reply.sender: reply.vote_granted
        for reply in (each.message for each in previous.in_flight if each.number not in left)
        if isinstance(reply, RequestVoteReply)
        and (reply.receiver, reply.term) == (node.node, ended.term)
    }
    if node.role is Role.LEADER:  # what it leads by may also be its own vote, now on its disk
        arrived = arrived or {node.node: True}
    late = {voter: yes for voter, yes in arrived.items() if voter not in ended.answers}
    answers = {**ended.answers, **late}
    count = msgspec.structs.replace(ended, answers=answers)
    return _as_count(node.node, count, _fresh(count, ended, previous)) if arrived else None


def _as_count(node: NodeId, votes: VotesFrame, fresh: frozenset[NodeId]) -> VoteCount:
    counted = count_votes(votes.answers, votes.configuration)
    return VoteCount(counted, node, votes.term, votes.is_prevote, fresh)


def count_votes(answers: Mapping[NodeId, bool], configuration: Configuration) -> Votes:
    """The count, by the very rule that the machine uses."""
    votes = Votes(configuration)
    for voter, granted in answers.items():
        votes.register_vote(voter, granted)
    return votes


# In words


def nobody_counts(frame: Frame, candidate: NodeId | None) -> str:
    """Why there is no count to show."""
    if candidate is not None:
        node = frame[candidate]
        what = f"is a {node.role.value} in term {node.term}" if node.alive else "is down"
        return f"{ms(frame.at)}: {clean(candidate)} {what} and counts no votes."
    leader = frame.leader
    now = f"{leader.node} leads term {leader.term}" if leader else "nobody campaigns"
    return f"{ms(frame.at)}: no votes are being counted; {now}."


def count_headline(count: VoteCount) -> str:
    """Who asks for what, and what it has come to, in a sentence."""
    result, trackers = count.votes.tally_vote().name, count.votes.trackers
    kind = "pre-vote" if count.is_prevote else "vote"
    who = f"{clean(count.candidate)} asks for {kind}s" if count.candidate else f"The {kind}s"
    when = f" for term {count.term}" if count.term is not None else ""
    if len(trackers) == 1:
        granted, voters = trackers[0].granted, len(trackers[0].voters)
        return f"{who}{when}: {granted} of {voters} granted, {majority(voters)} needed, {result}."
    return f"{who}{when}: {result}; both groups must grant."


@checked
def describe_count(count: VoteCount) -> str:
    """The tally in a sentence, each voter's answer, and the bar in letters."""
    votes = count.votes
    rows = []
    for voter in votes.voters:
        new = "new" if voter in count.fresh else ""
        rows.append([clean(voter), answer_word(votes.answers.get(voter)), new])
        if len(votes.trackers) > 1:
            rows[-1].insert(1, " and ".join(_groups_of(voter, votes)))
    header = ["voter", "answer", *([""] if count.fresh else [])]
    if len(votes.trackers) > 1:
        header.insert(1, "votes in")
    parts = [count_headline(count), table(header, [row[: len(header)] for row in rows])]
    for place, tracker in enumerate(votes.trackers):
        name = group_name(place, votes)
        head = f"{name}: " if name else ""
        parts.append(f"{head}{_bar(tracker)}\n{_tally(name, tracker)}\n{outlook(tracker)}")
    return "\n\n".join(parts)


def answer_word(answer: bool | None) -> str:
    """An answer in a word; None is a voter that has not answered."""
    return {True: "granted", False: "refused", None: "silent"}[answer]


def _groups_of(voter: NodeId, votes: Votes) -> list[str]:
    trackers = enumerate(votes.trackers)
    return [group_name(place, votes) for place, each in trackers if voter in each.voters]


def group_name(place: int, votes: Votes) -> str:
    """What a set of voters is called: "" for the only one, "new" and "old" while joint."""
    return ("new", "old")[place] if len(votes.trackers) > 1 else ""


def _bar(tracker: ElectionTracker) -> str:
    """The bar in letters: granted "+" from the left, refused "-" from the right, "|" the line."""
    cells = "+" * tracker.granted + "?" * tracker.silent + "-" * tracker.refused
    needed = majority(len(tracker.voters))
    return f"{cells[:needed]}|{cells[needed:]}"


def vote_totals(tracker: ElectionTracker) -> str:
    """How the voters have answered, in words."""
    return f"{tracker.granted} granted, {tracker.refused} refused, {tracker.silent} silent"


def _tally(name: str, tracker: ElectionTracker) -> str:
    voters = f"{len(tracker.voters)} {name + ' ' if name else ''}voters"
    needed = majority(len(tracker.voters))
    result = tracker.tally_vote().name
    return f"{vote_totals(tracker)}; {needed} of {voters} needed: {result}."


def outlook(tracker: ElectionTracker) -> str:
    """What it would take, from here, to decide the count."""
    needed = majority(len(tracker.voters))
    match tracker.tally_vote():
        case ElectionResult.WON:
            return "A majority has granted; no answer still to come can change it."
        case ElectionResult.LOST:
            return f"The silent ones cannot bring {needed} any more."
        case _:
            lacking = needed - tracker.granted
            spare = tracker.granted + tracker.silent - needed + 1
            return f"{lacking} more granted would win it, {spare} more refused would lose it."
