"""Assignments: what they ask, how they are marked, and what students are told."""
