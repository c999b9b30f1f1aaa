"""What the rest of the paper and the thesis add to Figure 2, one idea a file. In this order:

protections, flow_control, transfer, membership, snapshots, reads, persistence.
"""
