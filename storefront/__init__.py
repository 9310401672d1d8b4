"""storefront: a shop whose terms of sale run themselves."""
