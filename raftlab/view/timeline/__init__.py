"""Runs and histories in time, from left to right."""
