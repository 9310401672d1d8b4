"""Withdrawing from a contract and ending one: what was declared, when, and what it is about."""
