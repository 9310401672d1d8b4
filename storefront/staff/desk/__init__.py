"""The day's work: what is late, what is next, who waits."""
