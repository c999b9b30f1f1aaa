"""Three small, honest mistakes in the sample: what is written there, and what a student wrote."""

PYTHON = {
    "votes twice": (
        "            and self.voted_for in (None, candidate)\n",
        "",
    ),
    "commits an earlier term's entry by counting": (
        'if index > self.commit_index and self.log[index]["term"] == self.term:',
        "if index > self.commit_index:",
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
    "commits an earlier term's entry by counting": (
        "if (index > this.commitIndex && this.log[index].term === this.term) {",
        "if (index > this.commitIndex) {",
    ),
    "cuts its log at every append": (
        "    for (const entry of entries) {\n",
        """    if (entries.length && prev < this.lastIndex) this.cut(prev + 1);
    for (const entry of entries) {
""",
    ),
}
