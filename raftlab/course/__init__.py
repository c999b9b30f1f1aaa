"""Predictions, exercises and the tool that makes the notebooks.

For authors of notebooks
------------------------

Write the full notebook as a text file (anywhere outside the repository) in the percent
format, then make, execute and split it in one go:

    python -m raftlab.course.notebooks --from-text FILE.py 01_log_append
    python -m raftlab.course.notebooks --to-text FILE.py 01      # the other way, to edit
    python -m raftlab.course.notebooks                           # = make notebooks: all again
    python -m raftlab.course.notebooks --check                   # compare only

    # %% [markdown]
    # # The replicated log
    #
    # One sentence that promises something.

    # %%
    import raftlab as rl
    from raftlab.course import exercise, predict, show_source

It writes `notebooks/full/01_log_append.ipynb` (the source of truth, with solutions) and
`notebooks/01_log_append.ipynb` (the student's copy), both executed. Cells get stable ids.

Predict, then run. Two cells. The first ends in the question, whose choices are clicked; the
second, for those who would rather type, has the tag `answer`; in the student's copy it becomes
`question.answer()`, which says "Your prediction first" and reveals nothing:

    # %%
    question = predict.who_grants(cluster, candidate="S3")
    question

    # %% tags=["answer"]
    question.answer("S2", "S4")

Answers are the keys that the question lists ("none" where none of several is right), or
a number. The truth is computed by running a copy of the machine or of the cluster. Every
template takes `seed=` for a variant of its own making, and *Ask me another* makes the next. What
follows must not tell the answer: it stands in the verdict, or in a cell that ends in
`question.reveal(picture)`, or folded ("What to notice, once you have answered"). A notebook begins
with `review = predict.review("03")`, answered by `review.answer("c", ["S2", "S4"])`, and ends with
`predict.score()`. In a notebook first answers are kept, in `my_predictions.jsonl`. See
`raftlab.course.predict` for the list.

Exercises. Three or four cells: the statement in Markdown (with a hint in `<details>`), the
stub, `show` (where it has a picture; it may share a cell with the stub), `check`. The stub
cell has the tag `solution`; what stands between the markers becomes
`raise NotImplementedError("Exercise 1.2: conflict_index")` in the student's copy:

    # %% tags=["solution"]
    class MyRules(rl.Rules):
        def conflict_index(self, log, prev_log_index, entries):
            ### BEGIN SOLUTION 1.2
            for entry in entries:
                ...
            ### END SOLUTION

    # %%
    exercise("1.2").show(MyRules)

    # %%
    exercise("1.2").check(MyRules)

Exercises about a rule take a subclass of `Rules`, the others a function. `print(exercise)`
lists all of them, `exercise.report()` the marks. A Markdown cell with the tag
`solution` (a discussion of the answer) is left out of the student's copy.

Reading the code: `show_source(rl.Rules.conflict_index)` as the last line of a cell.

Situations, in few words (`raftlab.course.situations`): `cluster_of({"S1": "1 1 4", ...})` is
a real cluster that starts with these logs; `FIGURE_7` are the paper's seven logs;
`log_of("1 1 4")`, `entries_of("4 4", first=3)`.

Rules that `tests/notebooks/meta.py` holds you to: every code cell at most 12 lines and
executed; no trailing `;`; no output with an address, a path, a time of day; each picture as
SVG with a title, a description and a text twin; one h1, headings without jumps; 25 to 40
cells (fewer in 00); nothing on stderr.

For instructors
---------------

Notebooks 01, 03, 06 and 07 each set three exercises, of one, two and three stars (2, 3
and 5 points), and can be set as they are. A check is deterministic and needs no network; the
last cell of a student's notebook may be `exercise.report("01")`. To mark answers that were
collected in some other way:

    exercise.grade({"1.1": MyRules, "1.2": MyRules, "1.3": append_entries}, notebook="01")

`check` runs the learner's code in this process, under a budget of steps but with all rights:
mark strangers' code in a sandbox.
"""

from raftlab.course import predict, situations
from raftlab.course.exercises import exercise
from raftlab.course.joined import your_raft
from raftlab.course.reading import show_source

__all__ = ["exercise", "predict", "show_source", "situations", "your_raft"]
