"""What people ask of a cluster: faults for nodes and links, and what clients and operators want."""
