"""What a program earns that lacks what is asked for, and what it does not lose by doing more."""

import pytest

from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.machines.judge import MachineJudge
from raftlab.grading.machines.programs import reference, replaced
from raftlab.grading.milestones import M4, M5, MEMBERSHIP, SNAPSHOTS, TRANSFER
from raftlab.grading.seeds import Seeds

pytestmark = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")


@pytest.fixture(scope="module")
def judge():
    boxes = Boxes(kind_for())
    yield MachineJudge(boxes, Seeds(b"class one" + b"." * 20))
    boxes.close()


def passed(judged):
    return [each.name for each in judged.checks if each.passed]


BEGUN = """\
    def on_compact(self, line):
        raise NotImplementedError("not yet")

    on_transfer_leadership = on_forget_leader = on_compact

    # The reply
"""
ANSWERS = """\
            getattr(server, f"on_{line['do']}")(line)
"""
NOT_YET = f"""\
            wanted = line.get("payload", {{}})
            if server.options["pre_vote"] or "voters" in wanted:
                raise NotImplementedError("not yet")
{ANSWERS}"""
OFFERED = {M4.name: '["campaign"]', M5.name: '["campaign", "read"]'}


@pytest.mark.parametrize("milestone", [M4, M5], ids=lambda each: each.name)
def test_what_has_been_begun_of_m7_costs_nothing(milestone, judge):
    """Snapshots, transfer, pre-vote and changes of voters are offered, and each ends it."""
    offered = OFFERED[milestone.name]
    more = offered.replace("]", ', "compact", "transfer_leadership", "forget_leader"]')
    changes = [("    # The reply\n", BEGUN), (ANSWERS, NOT_YET), (offered, more)]
    program = replaced(reference(milestone.name), changes)
    assert passed(judge.judge(milestone, program)) == [*milestone.parts]


FORGETS_ALL = (
    ('self.term: int = line["term"]', "self.term: int = 0"),
    ('str | None = line["voted_for"]', "str | None = None"),
    ('[BEFORE_ALL, *line["log"]]', "[BEFORE_ALL]"),
)
FORGETS_THE_LOG = FORGETS_ALL[2:]
OWN_TERM = ' or self.log[self.commit_index]["term"] != self.term:'
ROUNDS = "if asked <= answered:"
AT_ONCE = (
    (
        "self.successor, self.give_up_at = to, self.now",
        'self.send("TimeoutNow", to)\n        _ = self.now',
    ),
)
NO_PREVOTE = (('if not self.options["pre_vote"]:', "if True:"),)
NO_SUCCESSOR = (("and self.match_index[peer] == self.last_index:", "and False:"),)
NEVER_SENT = (('self.send("InstallSnapshot", peer, snapshot=self.snapshot)', "pass"),)
NEVER_TAKEN = (
    (
        'if success and snapshot["index"] > self.commit_index:',
        "success = False\n        if success:",
    ),
)
VOTERS_STAY = (('self.voters = self.configuration_at(self.last_index)["voters"]', "pass"),)
FIRST_ALONE = (
    (
        "elif self.changed_at > self.commit_index or",
        "elif self.changed_at > 0 or",
    ),
)


ALL_IN_ONE = (("!= 1 or wanted", "< 1 or wanted"),)
NOBODY_STANDS = (("self.node in self.voters or (pending", "(pending"),)
ALL_BUT_ONE = [each for each in MEMBERSHIP.parts if each != "one change at a time"]


@pytest.mark.parametrize(
    ("milestone", "name", "changes", "earned"),
    [
        (M4, "M4", FORGETS_ALL, ["a cluster works"]),
        (M4, "M4", FORGETS_THE_LOG, ["a cluster works", "a voter restarts"]),
        (M5, "M5", ((ROUNDS, "if True:"), (OWN_TERM, ":")), []),
        (M5, "M5", ((ROUNDS, "if True:"),), ["a leader that is new"]),
        (M5, "M5", (("rounds[len(self.voters) // 2]", "rounds[1]"),), [*M5.parts][1:]),
        (SNAPSHOTS, "M7", NEVER_SENT, ["the log shrinks"]),
        (SNAPSHOTS, "M7", NEVER_TAKEN, ["the log shrinks"]),
        (TRANSFER, "M7", (*AT_ONCE, *NO_PREVOTE), []),
        (TRANSFER, "M7", AT_ONCE, ["a server that comes back", "the leader is gone"]),
        (TRANSFER, "M7", NO_SUCCESSOR, ["a server that comes back", "the leader is gone"]),
        (TRANSFER, "M7", NO_PREVOTE, ["leadership moves", "a transfer that fails"]),
        (MEMBERSHIP, "M7", VOTERS_STAY, []),
        (MEMBERSHIP, "M7", ALL_IN_ONE, ALL_BUT_ONE),
        (MEMBERSHIP, "M7", NOBODY_STANDS, [*MEMBERSHIP.parts][1:4]),
        (MEMBERSHIP, "M7", FIRST_ALONE, ["a server comes", "the leader goes"]),
    ],
    ids=[
        *("forgets all", "forgets the log", "reads at once", "asks nobody", "asks one"),
        *("never sent", "never taken", "lazy", "at once", "never", "no pre-vote"),
        *("voters stay", "three changes in one", "nobody stands", "one change for ever"),
    ],
)
def test_what_is_not_there_earns_no_points(milestone, name, changes, earned, judge):
    assert passed(judge.judge(milestone, replaced(reference(name), changes))) == earned
