"""Withdrawals and cancellations as staff see them."""
