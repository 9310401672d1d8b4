"""Hours bought ahead, in an append-only ledger."""
