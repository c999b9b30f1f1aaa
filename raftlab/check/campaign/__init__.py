"""Campaigns: many seeds, each a random run that must survive its faults and recover.

Read `faults` and `timed_faults` (what is done to a cluster), `random_run` (what one seed means),
`after_healing` (what must then work), `trial` (one seed and the verdict on it), `executors` (who
runs the seeds), `heading` (of the file that keeps results), and `results`, where `campaign` is.
"""

from raftlab.check.campaign.results import CampaignResult, campaign

__all__ = ["CampaignResult", "campaign"]
