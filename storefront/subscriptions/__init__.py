"""Monthly contracts and plans."""
