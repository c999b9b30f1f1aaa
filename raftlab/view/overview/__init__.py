"""The whole frame in one picture: the cluster, and the logs below it."""
