"""Questions about terms and roles."""

import random
from collections.abc import Callable, Sequence

from raftlab.course.predict.asking import (
    THREE,
    append_message,
    campaign,
    hand_over,
    vote_reply,
)
from raftlab.course.question import Question, template
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import (
    Accepted,
    AppendEntriesReply,
    Message,
    Rejected,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.options import Options
from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.raft.vocabulary import Misuse, Term
from raftlab.view import Scene, scene_roles

NOTHING_HELD = Rejected(non_matching_index=1, last_index=0, hint_index=0, hint_term=0)
MESSAGES: dict[str, Callable[[Term], Message]] = {
    "heartbeat": lambda term: append_message("S3", "S2", term),
    "vote request": lambda term: RequestVote(
        term=term, sender="S3", receiver="S2", last_log_index=0, last_log_term=0
    ),
    "refused vote": lambda term: RequestVoteReply(
        term=term, sender="S3", receiver="S2", vote_granted=False
    ),
    "acknowledgement": lambda term: AppendEntriesReply(
        term=term, sender="S3", receiver="S2", commit_index=0, result=Accepted(0)
    ),
    "refused append": lambda term: AppendEntriesReply(
        term=term, sender="S3", receiver="S2", commit_index=0, result=NOTHING_HELD
    ),
}
WORDS = {
    "heartbeat": "a heartbeat",
    "vote request": "a vote request",
    "refused vote": "the refusal of a vote",
    "acknowledgement": "an acknowledgement",
    "refused append": "the refusal of an AppendEntries",
}


def machine_in(role: Role, term: Term) -> RaftStateMachine:
    """S2 of three servers in this role and term, brought there by campaigns and votes."""
    before = term if role is Role.FOLLOWER else term - 1
    machine = RaftStateMachine(
        "S2", configuration=THREE, term=before, options=Options.figure_2(), now=0.0
    )
    if role is Role.FOLLOWER:
        return machine
    campaign(machine)
    machine.poll()
    if role is Role.LEADER:
        hand_over(machine, vote_reply("S3", "S2", term))
    return machine


@template
def term_after(
    role: str | None = None,
    term: Term = 4,
    message: str = "heartbeat",
    message_term: Term = 5,
    *,
    seed: int = 0,
) -> Question:
    """In which role and term is a server after a message?

    `role`: "follower", "candidate" or "leader"; `message`: "heartbeat", "vote request",
    "refused vote", "refused append" or "acknowledgement".
    """
    if role is None:
        rng = random.Random(f"raftlab term {seed}")
        role = rng.choice(["follower", "candidate", "leader"])
        message = rng.choice(list(MESSAGES))
        message_term = term + rng.choice([-1, 0, 1, 3])
        if message == "acknowledgement":  # only who leads a term is sent one of that term
            role, message_term = "leader", term
    numbers = type(term) is type(message_term) is int
    if message not in tuple(MESSAGES) or not numbers or term < 1 or message_term < 0:
        raise Misuse(f"message is one of {', '.join(MESSAGES)}, and term at least 1")
    if role not in (each.value for each in Role):
        raise Misuse(f"role is one of {', '.join(each.value for each in Role)}")
    if (role, message) == ("leader", "heartbeat") and message_term == term:
        message_term += 1  # two leaders in one term: that is what cannot happen
    if message == "refused append" and role != "leader" and message_term == term:
        message_term += 1  # nor is a leader's message refused to somebody else
    machine = machine_in(Role(role), term)
    output = hand_over(machine, MESSAGES[message](message_term))
    terms = sorted({term, message_term})
    choices = [
        f"{each} {number}" for number in terms for each in ("follower", "candidate", "leader")
    ]
    why = [f"S2 {note}" for note in output.debug_log]
    why.append(_rule_words(Role(role), message, term, message_term))
    why.append(f"S2 is then a {machine.role.value} in term {machine.term}")
    return Question(
        f"S2 is a {role} in term {term}{_alone(role, message, message_term - term)}."
        f" {_sentence(message)} arrives from S3, with term {message_term}."
        " In which role and term is S2 then?",
        choices,
        f"{machine.role.value} {machine.term}",
        why,
        then=lambda: _drawn(_change(Role(role), message, message_term - term)),
    )


def _change(role: Role, message: str, ahead: int) -> tuple[Role, Cause] | None:
    """The row of the table of roles that a message of a term so far `ahead` asks for."""
    if ahead > 0:
        return role, Cause.HIGHER_TERM
    if ahead == 0 and message == "heartbeat" and role is Role.CANDIDATE:
        return role, Cause.LEADER_SEEN
    return None


def _rule_words(role: Role, message: str, term: Term, message_term: Term) -> str:
    """The rule that decides, with its numbers."""
    if message_term > term:
        return f"term {message_term} is above {term}: whoever sees it adopts it and follows (5.1)"
    if message_term < term:
        return f"term {message_term} is below {term}: what is over changes nothing (5.1)"
    if message == "heartbeat" and role is Role.CANDIDATE:
        return f"who sends heartbeats of term {term} was elected in it: a candidate follows (5.2)"
    what = WORDS[message]
    if message == "refused vote" and role is Role.CANDIDATE:
        return f"term {term} is its own: after one refusal of three voters it may still win (5.2)"
    return f"term {message_term} is its own: {what} changes neither role nor term (5.1, 5.2)"


def _drawn(change: tuple[Role, Cause] | None) -> Sequence[Scene]:
    """That one row of the table, if there is one: the whole table is an exercise of its own."""
    return [] if change is None else [scene_roles(change, {change: ROLE_AFTER[change]})]


def _alone(role: str, message: str, ahead: int) -> str:
    """Who has answered, where that decides."""
    counts = (role, message, ahead) == ("candidate", "refused vote", 0)
    return ", one of three servers, and nobody has answered yet" if counts else ""


def _sentence(message: str) -> str:
    words = WORDS[message]
    return words[0].upper() + words[1:]
