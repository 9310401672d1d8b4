"""The contract's clock: what was done, what comes by itself, what waits for whom (X-03, X-04)."""
