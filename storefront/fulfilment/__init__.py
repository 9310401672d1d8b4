"""What a paid order opens: one handler a product kind."""
