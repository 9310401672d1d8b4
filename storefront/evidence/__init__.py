"""The evidence file: everything that proves one order, for anybody to check (X-01)."""
