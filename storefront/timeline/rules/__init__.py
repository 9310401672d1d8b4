"""What is to come of a contract, placed or only thought of: pure functions (X-03, X-04)."""

from storefront.timeline.rules.coming import (
    BY,
    MONTHS_AHEAD,
    Day,
    Entry,
    Facts,
    by_day,
    coming,
    horizon,
    in_order,
    next_of_each,
)
from storefront.timeline.rules.drafts import Draft, begun, minutes_of

__all__ = [
    "BY",
    "MONTHS_AHEAD",
    "Day",
    "Draft",
    "Entry",
    "Facts",
    "begun",
    "by_day",
    "coming",
    "horizon",
    "in_order",
    "minutes_of",
    "next_of_each",
]
