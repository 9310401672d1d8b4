"""Terms of sale as text plus typed parameters, and their acceptance."""
