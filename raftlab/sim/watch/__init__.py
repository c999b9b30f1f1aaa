"""What must hold at every moment of every run, and when each property is looked at."""
