"""Months counted from an anchor day (SUB-03): the 31st comes back after a short month."""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date

from storefront.kernel.errors import DateOutOfRange


def add_months(anchor: date, months: int) -> date:
    """Return the day `months` after the anchor, before it if negative.

    The day of the month is the anchor's, or the month's last when it has no such day: from 31
    January, 28 February then 31 March. Always count from the anchor; adding to a result would lose
    the 31st for good. Raises `DateOutOfRange`.
    """
    year, month_index = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise DateOutOfRange(anchor=anchor, months=months)
    month = month_index + 1
    return date(year, month, min(anchor.day, monthrange(year, month)[1]))


def months_between(anchor: date, day: date) -> int:
    """Return how many whole months have passed from the anchor to the day.

    A month has passed on the day `add_months` gives: one month from 31 January to 28 February.
    Raises `ValueError` for a day before the anchor.
    """
    if day < anchor:
        raise ValueError(f"{day} is before {anchor}")
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    return months if add_months(anchor, months) <= day else months - 1


def month_anchor_dates(anchor: date, count: int) -> tuple[date, ...]:
    """Return `count` monthly dates, the anchor first: instalments, debits of a commitment.

    Raises `ValueError` for a negative count and `DateOutOfRange`.
    """
    if count < 0:
        raise ValueError(f"a schedule has no negative number of dates: {count}")
    return tuple(add_months(anchor, months) for months in range(count))
