"""Looking for what is wrong. Each part can be read alone; within a part, in this order:

* what clients saw: history, events, models, steps, search, linearizability, recorded
* every order of events: explore/
* random runs: random_verbs, random_runs, trial, crews, ledger, campaign
* the shortest failing run: playing, shrink, stuck
* real mistakes: museum/
"""
