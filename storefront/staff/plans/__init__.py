"""Which payment plans each product can be bought by, and why no other."""
