"""What is to come of a contract, placed or only thought of: pure functions (X-03, X-04)."""

from storefront.timeline.rules.coming import (
    BY,
    MONTHS_AHEAD,
    Facts,
    coming,
    horizon,
    in_order,
)
from storefront.timeline.rules.drafts import Draft, begun, minutes_of

__all__ = [
    "BY",
    "MONTHS_AHEAD",
    "Draft",
    "Facts",
    "begun",
    "coming",
    "horizon",
    "in_order",
    "minutes_of",
]
