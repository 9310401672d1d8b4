"""For the staff: every deadline of the shop, and what an order will come to."""
