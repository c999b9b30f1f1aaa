"""Grading: answers out of submissions, each judged in a boxed process of its own; marks.

What a submission says is data. The parent asks it questions over a pipe, compares the answers
with the shipped rules, and alone writes marks.
"""
