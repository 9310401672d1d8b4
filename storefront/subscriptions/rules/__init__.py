"""What subscriptions go by: months, commitment and grace; ends; pauses. Pure functions (B)."""

from storefront.subscriptions.rules.endings import (
    STATEMENT_AT_LEAST,
    Announced,
    Ground,
    Notice,
    Party,
    announced,
    first_unused_day,
    unused_minor,
)
from storefront.subscriptions.rules.months import (
    Contract,
    Month,
    Renewal,
    committed_until,
    contract_of,
    ends_on,
    goes_on,
    month,
    schedule_name,
    suspends_at,
)
from storefront.subscriptions.rules.pauses import Course, after_pause, later_by

__all__ = [
    "STATEMENT_AT_LEAST",
    "Announced",
    "Contract",
    "Course",
    "Ground",
    "Month",
    "Notice",
    "Party",
    "Renewal",
    "after_pause",
    "announced",
    "committed_until",
    "contract_of",
    "ends_on",
    "first_unused_day",
    "goes_on",
    "later_by",
    "month",
    "schedule_name",
    "suspends_at",
    "unused_minor",
]
