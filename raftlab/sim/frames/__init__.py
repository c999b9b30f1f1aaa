"""Frames and traces: what one sees of a cluster. Nothing here runs unless somebody looks."""
