"""The catalogue: what is sold, for how much, how many are left."""
