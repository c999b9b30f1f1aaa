"""Many machines, one virtual clock: four rooms and a door.

* `world/`: what there is and what happens to it: settings, actions, network, disk, client_sessions,
  application, host, hosts, handlers, engine
* `watch/`: what must hold at every moment: properties, watcher
* `frames/`: what one sees of it: frame, words, capture, trace
* `run/`: a run as a value: recording, checkpoints, digest, share, files, code, compare, load
* the door: fault_commands, client_commands, clients, cluster
* `scenarios/`: the named situations
"""
