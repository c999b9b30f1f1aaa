"""How much a process may take, hold and do.

The first three can be given to `Process`. The others are a part of the protocol: a run in which
they were passed comes to the same wherever it is played, so nobody can choose them.
"""

PATIENCE_S = 10.0
"""Seconds of real time in which a line is answered; after them it counts as hung."""

LONGEST_LINE = 1 << 22
"""Bytes of a line."""

MEMORY_MB = 1024
"""Megabytes of memory, where the system tells how much a process holds."""

WINDOW_MS = 100.0
"""Ms of virtual time in which ticks and messages are counted; a heartbeat interval, if shorter."""

MOST_TICKS = 1_000
"""Ticks of a node in that time: a sound machine needs two or three, and a hundred for a timer that
runs out every ms. Each tick moves `wake_at` on; one that hardly does so would stop time.
"""

MOST_MESSAGES = 5_000
"""Messages of a node in that time, beyond one for each that it was sent and one to each member for
whatever else it was told. A sound machine stays near none, however much clients ask of it; where
each message is answered with two, there are twice as many with every trip, and no end.
"""
