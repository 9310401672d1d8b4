"""What a password and a name must be like. Pure functions."""

from __future__ import annotations

import re

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200


def normal_email(email: str) -> str:
    """The one form under which an address is stored and looked for."""
    return email.strip().lower()


def password_too_weak(password: str, email: str) -> bool:
    """Whether a password is too short, endless, made of one letter, or the address itself."""
    return (
        not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD
        or len(set(password)) < 4
        or password.strip().lower() in (email, email.split("@")[0])
    )


# What mail readers turn into a link: nobody signs somebody else up to write to them through us.
_LINK = re.compile(r"[/@:<>\n\r]|\w{2,}\.\w{2,}")


def looks_like_a_name(text: str) -> bool:
    """Whether this can be a person's name, and holds nothing that an e-mail would link to."""
    return any(letter.isalpha() for letter in text) and not _LINK.search(text)
