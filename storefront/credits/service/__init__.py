"""Hours granted, held, used, given back, expired: every movement by one way in (K-01).

Every function locks the lots it moves first, by raising their version in ascending order of id:
what it reads after that is the truth on both databases. The same cause moves hours once.
"""

from storefront.credits.service.ledger import (
    GrantingLine,
    deduct,
    expire,
    give_back,
    grant,
    hold,
    release,
    remind,
    use,
)
from storefront.credits.service.lines import prolong, resume, revoke, suspend

__all__ = [
    "GrantingLine",
    "deduct",
    "expire",
    "give_back",
    "grant",
    "hold",
    "prolong",
    "release",
    "remind",
    "resume",
    "revoke",
    "suspend",
    "use",
]
