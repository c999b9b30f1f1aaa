"""A run as a value: recorded, played again, shared, saved, told as code, compared."""
