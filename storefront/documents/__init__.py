"""Documents: registry of kinds, templates and retention; stored bytes with their SHA-256."""
