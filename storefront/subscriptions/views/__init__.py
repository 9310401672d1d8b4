"""What subscribers and visitors see of subscriptions, and do with them."""
