"""Civil time in France: days and instants, months, holidays, legal deadlines, opening hours.

Instants are aware and in UTC; deadlines are civil dates in Europe/Paris (G-0).
"""

from storefront.kernel.calendar.instants import (
    PARIS,
    end_of_day,
    happens_twice,
    paris_date,
    paris_instant,
    start_of_day,
)
from storefront.kernel.calendar.months import add_months, month_anchor_dates, months_between
from storefront.kernel.calendar.opening_hours import (
    OpeningHours,
    add_business_minutes,
    business_deadline,
)
from storefront.kernel.calendar.working_days import (
    Place,
    add_business_days,
    informed_last_day,
    is_business_day,
    is_public_holiday,
    withdrawal_last_day,
)

__all__ = [
    "PARIS",
    "OpeningHours",
    "Place",
    "add_business_days",
    "add_business_minutes",
    "add_months",
    "business_deadline",
    "end_of_day",
    "happens_twice",
    "informed_last_day",
    "is_business_day",
    "is_public_holiday",
    "month_anchor_dates",
    "months_between",
    "paris_date",
    "paris_instant",
    "start_of_day",
    "withdrawal_last_day",
]
