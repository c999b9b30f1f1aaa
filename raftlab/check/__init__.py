"""Looking for what is wrong. Each part can be read alone; within a part, in this order:

* what clients saw: history, models, steps, timeline, lookahead, search, culprit,
  linearizability; where histories come from: reading, events, recorded
* every order of events: explore/
* random runs: random_verbs, random_runs, trial, crews, ledger, campaign
* the shortest failing run: playing, shrink, stuck
"""
