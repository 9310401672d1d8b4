"""The journal, read and verified."""
