"""Speed and endurance, measured: each module is one command that prints its figures."""
