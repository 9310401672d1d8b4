"""The texts that the shop sells under: written, looked at, published, attached to products."""
