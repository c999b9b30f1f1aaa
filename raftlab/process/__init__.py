"""Machines in processes of their own: any language takes a place in a cluster.

One JSON object a line goes to the machine and one comes back (`docs/machine-protocol.md`).

* `child`: a process that answers lines within limits; `guard`: who ends it when we are gone
* `wire`: what a line holds; `forms`: from our entries and messages to those of a line, and back
* `tape`: what was said, as a tree; `machine`: a node that stands at a place of it, `as_said`
* `checks`: what no node can mean; `pace`: what never lets time pass; `limits`: how much is too much
* `pool`: the live processes; `machines`: `Process`; `run_machines`: the machines of one run
* `again`: whether they say the same once more
"""

from raftlab.process.faults import MachineFault
from raftlab.process.machines import Process

__all__ = ["MachineFault", "Process"]
