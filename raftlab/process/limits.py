"""What a process is given for one line, and how much it may hold, if nobody says otherwise."""

PATIENCE_S = 10.0
"""Seconds of real time in which a line is answered; after them it counts as hung."""

LONGEST_LINE = 1 << 22
"""Bytes of a line."""

MEMORY_MB = 1024
"""Megabytes of memory, where the system tells how much a process holds."""
