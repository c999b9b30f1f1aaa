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

Exercises. A heading with one sentence, then `exercise("1.2")` and `exercise("1.2").show()`, which
show the whole statement (arguments, an example, what to return, why, two folded hints) and draw a
case before there is any code; then the stub, with `check` below it or in a cell of its own. The
stub cell has the tag `solution`; what stands between the markers becomes
`raise NotImplementedError("Exercise 1.2: conflict_index")` in the student's copy:

    # %%
    display(exercise("1.2"), exercise("1.2").show())

    # %% tags=["solution"]
    class MyRules(rl.Rules):
        def conflict_index(self, log, prev_log_index, entries):
            ### BEGIN SOLUTION 1.2
            for entry in entries:
                ...
            ### END SOLUTION

    exercise("1.2").check(MyRules)

Exercises about a rule take a subclass of `Rules`, the others a function. `print(exercise)`
lists all of them, `exercise.report()` the marks, `exercise("1.2").show(MyRules)` draws what an
answer does. A wrong answer is told with the smallest case that tells something and, if the mistake
is a known one, its name; `exercise("1.2").result.lab()`, or the button below, opens the run that it
leads to. An answer that asks the package's own rule is told so, and earns nothing. Nothing shown
before an exercise may contain the source of what it asks for (`tests/course/test_statements.py`).

What `check` finds right it keeps in `my_raft.py`, in the folder of the notebook: one section an
exercise, with the imports and helpers that it needs; all else in that file is the reader's.
A section that was changed by hand stays in `my_raft.py.bak` when it is replaced.
`your_raft()` joins the answers into one machine and names what the package lends. Where
RAFTLAB_MY_RAFT is "off", as where notebooks are made or compared, the file is neither written nor
read. A Markdown cell with the tag `solution` (a discussion of the answer) is left out of the
student's copy.

A new exercise: its `Statement`, cases, an example and a picture, in the file of its notebook in
`raftlab/course/exercises/`; its known mistakes, each with the exhibit of the museum that shows it.
Five wrong answers, at least, go into `tests/course/answers.py`, and what is said of them into
`tests/course/test_known_mistakes.py`.

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

`docs/instructors.md` tells how assignments are released and marked. In a notebook of your own:

Notebooks 00 to 07 set two or three exercises each, of one, two or three stars by effort (2, 3
and 5 points). A check is deterministic and needs no network; the last cell of a student's notebook
may be `exercise.report("01")`. To mark answers that were collected in some other way:

    exercise.grade({"1.1": MyRules, "1.2": MyRules, "1.3": append_entries}, notebook="01")

`check` runs the learner's code in this process, under a budget of steps but with all rights:
mark strangers' code in a sandbox.
"""

from raftlab.course import predict, situations
from raftlab.course.exercises import exercise
from raftlab.course.exercises.joined import your_raft
from raftlab.course.reading import show_source

__all__ = ["exercise", "predict", "show_source", "situations", "your_raft"]
