"""How the debits of each day go."""
