"""Time cut into slices: what is billed of the time worked, and when the next slot begins."""

from datetime import UTC, datetime, timedelta

_MINUTES_IN_AN_HOUR = 60


def billed_minutes(worked_minutes: int, slice_minutes: int) -> int:
    """Return the minutes billed for the minutes worked: every slice begun is due in full (K-03).

    With slices of 60, 61 minutes worked are 120 billed. No work is no slice begun: 0 stays 0.
    Raises `ValueError` for negative work or a slice that is not positive.
    """
    if worked_minutes < 0:
        raise ValueError(f"worked minutes cannot be negative: {worked_minutes}")
    if slice_minutes <= 0:
        raise ValueError(f"a slice is at least one minute: {slice_minutes}")
    slices_begun = -(-worked_minutes // slice_minutes)
    return slices_begun * slice_minutes


def next_slot_boundary(instant: datetime, slot_minutes: int) -> datetime:
    """Return the first instant at or after `instant` that starts a slot, in UTC.

    Slots are counted from the full hour, so their length divides the hour: the clock in Paris is
    always whole hours away from UTC, and the grid is the same on both sides of a clock change.
    Raises `ValueError` for a naive instant or a length that does not divide 60.
    """
    if instant.tzinfo is None:
        raise ValueError(f"an instant carries its timezone: {instant.isoformat()}")
    if slot_minutes <= 0 or _MINUTES_IN_AN_HOUR % slot_minutes:
        raise ValueError(f"a slot divides the hour: {slot_minutes}")
    at = instant.astimezone(UTC)
    full_hour = at.replace(minute=0, second=0, microsecond=0)
    slot = timedelta(minutes=slot_minutes)
    slots_begun = -((full_hour - at) // slot)
    return full_hour + slots_begun * slot
