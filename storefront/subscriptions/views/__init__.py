"""What customers do about their subscriptions: one blueprint a subject."""
