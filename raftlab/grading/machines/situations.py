"""What the trials of M7 have in common: options, spans of time, faults that end."""

from collections.abc import Sequence

from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import Verb
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.run_state import RandomRun
from raftlab.grading.machines.trials import NOT_MENDED, Setting
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis

PATIENT = Options.figure_2(election_timeout=(500.0, 800.0))
"""Nobody's timer runs out while a situation is brought about."""
AT_ONCE: Millis = 140.0
"""Less than any election timeout: what happens within it was asked for."""


def faults_end(setting: Setting, run: RandomRun, verbs: Sequence[Verb]) -> str:
    """What peace does not mend after these faults, and what is wrong then."""
    setting.last = run.cluster
    inject_faults(run, only=[(verb, 1) for verb in verbs])
    if not heal_and_converge(run):
        return NOT_MENDED
    wrong = complaint(run, operator=False)
    return wrong.text if wrong else ""
