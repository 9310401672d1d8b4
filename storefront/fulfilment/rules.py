"""When what was bought can be used. Pure functions (W-02, W-03, PRE-05, WDR-10)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from storefront.kernel.calendar import add_months, end_of_day

# C. conso. L216-1: where no other delay was announced.
DELIVERED_WITHIN = timedelta(days=30)


class AccessKind(StrEnum):
    """What an access opens: a file to keep, or a course to follow."""

    DOWNLOAD = "download"
    COURSE = "course"


def opens_at(
    *, confirmed_to_customer_at: datetime, consented: bool, withdrawal_until: date | None
) -> datetime:
    """When an access opens, once the confirmation with its consents was sent.

    At once when the customer asked for it (digital waiver, early start) or has no right to
    withdraw; else when the period has ended, at midnight in Paris.
    """
    if consented or withdrawal_until is None:
        return confirmed_to_customer_at
    return max(confirmed_to_customer_at, end_of_day(withdrawal_until))


def hours_expire_on(bought_on: date, validity_months: int) -> date:
    """The last day on which hours can be used: to the day, months after the purchase (K-02)."""
    return add_months(bought_on, validity_months)


class Happens(StrEnum):
    """What happens to what was sold by the calendar, and what became of it."""

    OPENING = "opening"
    TO_DELIVER = "to_deliver"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


def deliver_by(concluded_on: date) -> date:
    """The last day for goods to arrive (C. conso. L216-1)."""
    return concluded_on + DELIVERED_WITHIN
