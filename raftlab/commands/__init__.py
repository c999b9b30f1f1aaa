"""The command line: `raftlab run`, `replay`, `explore` and the others, one module each.

`arguments` is how they read what was typed, `answers` what they say in the end. A command
loads the checkers and the pictures it needs when it is carried out, so that help comes at once.
"""
