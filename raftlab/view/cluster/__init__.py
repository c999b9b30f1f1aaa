"""The cluster on a ring: its servers, what is beside them, and what is between them."""
