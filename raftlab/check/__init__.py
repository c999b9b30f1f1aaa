"""Looking for what is wrong. Each part can be read alone:

* what clients saw: history, history_files, jepsen_events, client_history; and whether one
  object could have answered so: linearizability/
* every order of events: explore/
* random runs: campaign/
* the shortest failing run: shrink_steps, shrink, shrink_stuck
* real mistakes: museum/
"""
