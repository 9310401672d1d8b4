"""storefront: a shop whose terms of sale run themselves."""

VERSION = "0.1.0"
