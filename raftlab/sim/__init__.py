"""Many machines, one virtual clock: five rooms and a door.

* `world/`: what there is and what happens to it: arguments, settings, actions, network, disk,
  client_sessions, application, host, hosts, handlers, engine
* `watch/`: what must hold at every moment: properties, watcher
* `frames/`: what one sees of it: frame, words, capture, trace
* `commands/`: what people ask of it: fault_commands, client_commands, clients
* `run/`: a run as a value: recording, play, digest, share, files, code
* the door: cluster, load, compare
* `scenarios/`: the named situations
"""
