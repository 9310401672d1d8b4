"""Every message of the shop, as it was sent."""
