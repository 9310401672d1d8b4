"""Orders, seen whole and acted on."""
