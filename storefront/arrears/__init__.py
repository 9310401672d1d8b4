"""What was not paid on its day: what follows, what it costs, and what stops it (M-04, M-05)."""
