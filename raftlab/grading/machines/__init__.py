"""M4, M5 and M7: a whole machine, which is a program that speaks lines, in a box of its own.

* `programs`: what students begin with, and the reference, both made of the sample
* `boxed`: processes of it, which begin with nothing but what their disk holds
* `trials`: what a run is that a machine must stand; `persistence_trials` are those of M4, with
  what `replication_trials` adds for programs of one's own; `read_trials` are those of M5, and
  `snapshot_trials`, `transfer_trials`, `membership_trials` those of M7
* `judge`: what a machine is worth; `options`: what M7 is worth, where one of several is enough
* `more`: what M7 adds to the sample
"""
