"""How subscriptions end and stand still, for staff: recorded, announced, taken back."""
