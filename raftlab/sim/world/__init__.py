"""The world of a run: nodes and their disks, the network, and one heap of what is due."""
