"""What goes back: refunds of orders, orders refused, payments contested."""
