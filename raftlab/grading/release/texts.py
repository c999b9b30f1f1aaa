"""The words of the notebooks of assignments, beside those of the exercises."""

from raftlab.grading.milestones import Milestone

HEAD = """\
# %% [markdown]
# # {name} {title}
#
# {what}
#
# | | |
# |---|---|
# | **Points** | {points} |
# | **Time** | {minutes} minutes |
# | **You need** | {needs} |
# | **Hand in** | this notebook, saved, under your own name |
#
# Write only in the cells that say so, and do not rename what they define. Each answer is marked
# for itself: what is missing, or does not run, costs its own points, and those of answers that use
# it. The tests are public; the seeds that the grader uses are not.
"""

WHAT = {
    "M0": "Five questions about Raft, made for you: look, think, and write down what will happen.",
    "M1": "The rules of the replicated log: what a follower takes, and what it cuts.",
    "M2": "The rules of elections: terms, votes, the tally, and timers.",
    "M3": "The rules of replication and commit: what an answer proves, and when it is safe.",
    "M4": "A machine that survives: what is written, when, and what a restart begins with.",
    "M5": "Reads that never show the past: a leader first makes sure that it still leads.",
    "M6": "Tests of your own: they pass with a correct Raft, and fail with a wrong one.",
    "M7": "What a Raft needs to last: snapshots, pre-vote and transfer, or membership.",
}
NEEDS = {
    "M0": "sections 5.1 to 5.4 of the paper",
    "M1": "notebook 01",
    "M2": "notebooks 02 to 05",
    "M3": "notebooks 06 and 07",
    "M4": "notebook 09, and docs/machine-protocol.md",
    "M5": "notebook 13, and docs/machine-protocol.md",
    "M6": "notebooks 01 to 07",
    "M7": "notebook 11, 14 or 17, and docs/machine-protocol.md",
}

EXERCISE = """\
# %% [markdown]
# ## Exercise {number}: {points} of this assignment

# %%
display(exercise("{number}"), exercise("{number}").show())

# %% tags=["solution", "exercise:{number}"]
{solution}
"""

MACHINE = """\
# %% [markdown]
# ## Your machine
#
# The cell below writes a program, `machine.py`: a whole Raft that is told one line and says one.
{asked}
#
# The grader takes this cell alone, and runs its program in a box: Python's own library is there,
# and nothing else. What your program needs there is the standard input and output; `asyncio`,
# `select` and `selectors` work with them.
#
# Refused are threads and executors of threads, other programs, signals after a time, networks,
# other files, names of users, `ctypes`, and limits. What you write into files goes nowhere: what
# your program must keep is in its replies.
#
# Clocks stand still, and `time.sleep` is over at once: your program is told the time. `random`,
# `secrets` and `uuid` draw the same in every process: use the chance that your program is told.

# %% tags=["solution", "exercise:{name}"]
%%writefile machine.py
{program}

# %% [markdown]
# ## See it
#
# This starts three servers, each in a process of its own.

# %%
import sys

import raftlab as rl

cluster = rl.Cluster(3, seed=1, machine=rl.Process([sys.executable, "machine.py"]))
try:
    cluster.elect()
except Exception as problem:
    print(problem)
cluster.lab()

# %% [markdown]
# ## Your points so far
#
# By the same trials with other seeds: in a box too, where there is one (on Linux). It takes a
# minute.

# %%
from raftlab.grading.batch.own_machine import marked
from raftlab.grading.own_marks import own_marks

own_marks(marked("{name}", "machine.py"))
"""

ASKED = """\
# {methods} say what they are for, and do nothing yet. Write them; change whatever else you like."""

OPTIONS = """\
# Choose one of these, or more. Each is worth {points} points. The best one counts; each other one
# gives two fifths of its points as a bonus, which stands in for points that are missing elsewhere.
#
{options}
#
# These methods say what they are for, and do nothing yet, or too little. Change whatever else you
# like. You may also go on with your program of M5: copy it into the cell.
#"""

OPTION = """\
# - **{title}**: {methods}. Your program has it if {says}."""

OWN = """\
# %% [markdown]
# ## Your points so far
#
# By the checks above. Before you hand in, restart the kernel and run all cells: the grader runs
# them from top to bottom, and asks the same with other seeds. Python's own library and raftlab's
# words are there, and nothing else: no numpy and no files.

# %%
own_marks("{name}")
"""

PREDICT = """\
# %% [markdown]
# ## Who you are
#
# Your questions hang on it: write your name as your instructor knows it, and hand in under that
# name.

# %% tags=["student"]
student = {student}

# %%
from raftlab.grading.predictions import missing, sheet

questions = sheet({word}, student)
"""

QUESTION = """\
# %% [markdown]
# ## {title}: {points}

# %%
questions["{part}"]
"""

ANSWERS = """\
# %% [markdown]
# ## Your answers
#
# A choice such as "S2", several as a list, or a number. The grader reads this cell and never runs
# it, so write the values themselves.

# %% tags=["answer", "exercise:M0"]
answers = {{
{lines}
}}

# %% [markdown]
# ## Is anything missing?
#
# What is right, you will hear from your instructor.

# %%
missing(answers, {word}, student) or "Every question has an answer."
"""

OWN_TESTS = """\
# %% [markdown]
# ## What a test is
#
# A *scenario* is given a function `start`. `start(3)` is a cluster of three; drive it with the
# verbs that you know, and `assert` what must hold. The *invariant* is given all frames of that
# cluster, from the first to the last, and is True if nothing is wrong with them. Nobody watches
# the properties here: what is found, your tests find.
#
# They run with correct machines first, and must pass. Then they run with thirty machines, each
# with one mistake that somebody made: at least one must fail. A scenario that fails with a correct
# machine finds no mistake either.
#
# Correct machines are not all alike. Some have pre-vote, some have a slow disk. In some, a leader
# that hears no majority for a while steps down by itself, in the same term: it has check-quorum
# (thesis, 6.2). Until then it takes what a client hands it, and afterwards it refuses.
#
# Where the paper leaves a choice, they choose otherwise: in which order messages leave, how many
# entries one carries, how often a leader speaks (every 50 ms at least), how soon it says what is
# committed (its next message without entries says all), and how far it goes back after a rejection.
#
# A new leader always begins with an empty entry. So assert what the paper promises, and give it
# time.
#
# Here is one, with an invariant that looks at one thing.

# %%
def nobody_falls_back(frames):
    highest = {{}}
    for frame in frames:
        for node in frame.nodes:
            assert node.term >= highest.get(node.node, 0)
            highest[node.node] = node.term
    return True

def one_election(start):
    cluster = start(3)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(100)
    assert cluster.commit_index == 2

# %%
from raftlab.grading.own_marks import own_marks
from raftlab.grading.own_tests import marked

own_marks(marked([one_election], nobody_falls_back))

# %% [markdown]
# ## Your invariant and your scenarios
#
# At most twelve scenarios; what they start may be of any size up to seven. Which of Figure 3, and
# of the lines of Figure 2, can be seen in frames?

# %% tags=["solution", "exercise:M6"]
{solution}

# %% [markdown]
# ## Your points so far
#
# Here with one timing of the messages; the grader uses another.

# %%
own_marks(marked(scenarios, invariant))
"""

OWN_TESTS_STUB = """\
def invariant(frames):
    raise NotImplementedError("M6: invariant")

def first(start):
    raise NotImplementedError("M6: first")

scenarios = [first]
"""


def head(milestone: Milestone) -> str:
    """The first cell."""
    return HEAD.format(
        name=milestone.name,
        title=milestone.title,
        what=WHAT[milestone.name],
        points=milestone.points,
        minutes=milestone.minutes,
        needs=NEEDS[milestone.name],
    )


def worth(points: int) -> str:
    """Points in words."""
    return f"{points} point{'s' * (points != 1)}"
