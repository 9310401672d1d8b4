"""People: sign-in, passwords, second factor."""
