"""Looking for what is wrong. Each part can be read alone:

* what clients saw: history/; and whether one object could have answered so: linearizability/
* every order of events: explore/
* the shortest failing run: shrink/
* random runs: campaign/
* who belongs to a cluster, seen from outside: members
* a file that keeps results while long work goes on: checkpoint_file
"""
