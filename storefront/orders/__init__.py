"""Orders: the contract and its lines."""
