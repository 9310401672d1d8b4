"""From the cart to the paid order."""
