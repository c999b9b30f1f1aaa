"""Three small, honest mistakes in the sample: what is written there, and what a student wrote."""

PYTHON = {
    "votes twice": (
        "            and self.voted_for in (None, candidate)\n",
        "",
    ),
    "the longer log wins": (
        "theirs >= (self.last_term, self.last_index)",
        "theirs[1] >= self.last_index",
    ),
    "cuts its log at every append": (
        """        for entry in entries:
            index = entry["index"]
            if index""",
        """        if entries and prev < self.last_index:
            self.cut(prev + 1)
        for entry in entries:
            index = entry["index"]
            if index""",
    ),
}

JAVASCRIPT = {
    "votes twice": (
        "      (this.votedFor === null || this.votedFor === candidate) &&\n",
        "",
    ),
    "the longer log wins": (
        "    if (last_log_term !== this.lastTerm) return last_log_term > this.lastTerm;\n",
        "",
    ),
    "cuts its log at every append": (
        "    for (const entry of entries) {\n",
        """    if (entries.length && prev < this.lastIndex) this.cut(prev + 1);
    for (const entry of entries) {
""",
    ),
}

BROKEN = {
    "votes twice": {"One Vote Per Term", "Election Safety"},
    "the longer log wins": {"Leader Completeness"},
    "cuts its log at every append": {"Match Is True", "Durable Before Said"},
}
"""The properties that each of them breaks first, in one run or another."""
