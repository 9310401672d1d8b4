"""The back office; it owns no rule and no query of its own."""
