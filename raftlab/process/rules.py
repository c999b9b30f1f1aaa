"""Rules alone, in a process: a question a line, an answer a line.

    {"do": "rule", "rule": "has_vote_left", "arguments": [null, "S2"]}   ->   {"answer": true}

The child is any `Child`: its command may begin with a sandbox, and its limits are its own.
"""

from typing import Any

import msgspec

from raftlab.process.child import Child
from raftlab.process.faults import MachineFault, shown_line


class RuleLine(msgspec.Struct, frozen=True, tag_field="do", tag="rule"):
    """What a process is asked: a method of `Rules`, and its arguments in their order."""

    rule: str
    arguments: list[Any]


class RuleReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it says: its answer; or which exception its rule raised, in `error`."""

    answer: Any = msgspec.UNSET
    error: str | None = None


class RuleRaised(Exception):
    """The rule raised an exception where it is: the text says which."""


_DECODE = msgspec.json.Decoder(RuleReply).decode


def ask_rule(child: Child, rule: str, *arguments: Any) -> Any:
    """What a rule in a process answers: anything that JSON holds.

    Raises: RuleRaised, if the rule itself failed there, which can then be asked again;
    MachineFault, if the process did not keep to one line for a line.
    """
    said = child.ask(msgspec.json.encode(RuleLine(rule, list(arguments))))
    try:
        reply = _DECODE(said)
    except msgspec.ValidationError as error:
        child.end()
        raise MachineFault("wrong shape", f"it said what is no answer: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        child.end()
        raise MachineFault("not JSON", f"it said {shown_line(said)}, which is no JSON") from None
    if reply.error is not None:
        raise RuleRaised(reply.error)
    if reply.answer is msgspec.UNSET:
        child.end()
        raise MachineFault("wrong shape", f"it said {shown_line(said)}, in which is no answer")
    return reply.answer
