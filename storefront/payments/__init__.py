"""Money asked of providers, and what they answered."""
