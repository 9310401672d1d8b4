"""Money that waits for somebody, refunds, and the account of each customer."""
