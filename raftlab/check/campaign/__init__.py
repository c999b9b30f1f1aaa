"""Campaigns: many seeds, each a random run that must survive its faults and recover.

    result = campaign(1000)                            # seeds 0 to 999, on this core
    result = campaign(1000, cores=None)                # on all cores
    result = campaign(1000, scheduler="host:8786")     # on a Dask cluster
    result = campaign(range(50), rules=VotesTwice)     # what do wrong rules break?
    print(result)

What fails is printed as the shortest run that still fails, to be opened in the lab. The idea is
that of FoundationDB's simulation (Zhou et al., SIGMOD 2021) and of Jepsen: faults under watch,
then a healed cluster that must serve.

Read `faults` and `timed_faults` (what is done to a cluster), `random_start`, `run_state` and
`random_run` (what one seed means), `after_healing` and `complaints` (what must then work, and what
does not), `trial` (one seed and the verdict on it), `shrink_stuck` (for what only got stuck),
`executors` and `runner` (who runs the seeds), `heading` (of the file that keeps results),
`results`, and `shortest` (how a failure is shown).
"""

from raftlab.check.campaign.results import CampaignResult
from raftlab.check.campaign.runner import campaign

__all__ = ["CampaignResult", "campaign"]
