"""Versions of plans and of the terms, and who is told of them."""
