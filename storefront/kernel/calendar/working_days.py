"""Public holidays, working days, and the withdrawal period that is extended over them."""

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

import holidays

from storefront.kernel.calendar.months import add_months
from storefront.kernel.errors import DateOutOfRange


class Place(StrEnum):
    """A part of France with its own public holidays."""

    METROPOLE = "metropole"
    ALSACE_MOSELLE = "alsace_moselle"
    GUADELOUPE = "guadeloupe"
    MARTINIQUE = "martinique"
    GUYANE = "guyane"
    REUNION = "reunion"
    MAYOTTE = "mayotte"
    SAINT_BARTHELEMY = "saint_barthelemy"
    SAINT_MARTIN = "saint_martin"
    SAINT_PIERRE_ET_MIQUELON = "saint_pierre_et_miquelon"
    WALLIS_ET_FUTUNA = "wallis_et_futuna"
    POLYNESIE = "polynesie"
    NOUVELLE_CALEDONIE = "nouvelle_caledonie"


EVERYWHERE = frozenset(Place)

# How `holidays` calls each part; the eleven days of the metropole are holidays in all of them.
_SUBDIVISIONS = {
    Place.METROPOLE: None,
    Place.ALSACE_MOSELLE: "57",
    Place.GUADELOUPE: "971",
    Place.MARTINIQUE: "972",
    Place.GUYANE: "973",
    Place.REUNION: "974",
    Place.MAYOTTE: "976",
    Place.SAINT_BARTHELEMY: "BL",
    Place.SAINT_MARTIN: "MF",
    Place.SAINT_PIERRE_ET_MIQUELON: "PM",
    Place.WALLIS_ET_FUTUNA: "WF",
    Place.POLYNESIE: "PF",
    Place.NOUVELLE_CALEDONIE: "NC",
}
_SATURDAY = 5
_MONTHS_WHEN_NOT_TOLD = 12


def is_public_holiday(day: date, place: Place = Place.METROPOLE) -> bool:
    """Whether the day is a public holiday there.

    Sundays are not by themselves. Raises `DateOutOfRange` for a year whose holidays are unknown:
    a deadline computed as if there were none would be wrong without a word.
    """
    return day in _holidays_of(place, day.year)


def is_business_day(day: date, place: Place = Place.METROPOLE) -> bool:
    """Whether the day is neither Saturday, Sunday nor a public holiday. Raises `DateOutOfRange`."""
    return day.weekday() < _SATURDAY and not is_public_holiday(day, place)


def add_business_days(day: date, count: int, place: Place = Place.METROPOLE) -> date:
    """Return the `count`-th business day after the day, which is itself never counted.

    With 0 it is the day itself, or the next business day if it is none. Raises `ValueError` for a
    negative count and `DateOutOfRange`.
    """
    if count < 0:
        raise ValueError(f"business days are counted forward: {count}")
    if not count:
        return _next_working_day(day, (place,))
    for _ in range(count):
        day = _next_working_day(day + timedelta(days=1), (place,))
    return day


def withdrawal_last_day(
    event: date, days: int = 14, places: Collection[Place] = EVERYWHERE
) -> date:
    """Return the last day on which the customer may withdraw (WDR-03).

    `event` is the Paris day of what starts the period: conclusion of the contract or receipt of the
    goods (WDR-02). It is not counted; the period ends with the last hour of day `days`, or of the
    first working day after it when that is a Saturday, a Sunday or a public holiday. A holiday in
    any of `places` extends: by default all of France, since nothing is lost by a day too many and
    a contract may be by a day too few.

    Sources: Code de la consommation L221-18 and L221-19; regulation 1182/71 art. 3. Raises
    `ValueError` for fewer than one day and `DateOutOfRange`. See
    docs/algorithms/withdrawal-deadline.md.
    """
    if days < 1:
        raise ValueError(f"a withdrawal period lasts at least one day, not {days}")
    try:
        last = event + timedelta(days=days)
    except OverflowError as error:
        raise DateOutOfRange(event=event, days=days) from error
    return _next_working_day(last, places)


def informed_last_day(
    last_day: date,
    informed_on: date | None,
    days: int = 14,
    places: Collection[Place] = EVERYWHERE,
) -> date:
    """Return the last day to withdraw once it is known when the customer was told of it (WDR-04).

    `last_day` is that of a customer told in time, `informed_on` the Paris day on which this one had
    the information on a durable medium. Never: twelve months more. Late: the days counted from
    then, never sooner than `last_day` nor later than those twelve months.

    Sources: Code de la consommation L221-20; directive 2011/83 art. 10. Raises as
    `withdrawal_last_day` does.
    """
    never_told = _next_working_day(add_months(last_day, _MONTHS_WHEN_NOT_TOLD), places)
    if informed_on is None:
        return never_told
    return max(last_day, min(never_told, withdrawal_last_day(informed_on, days, places)))


def _next_working_day(day: date, places: Collection[Place]) -> date:
    """Return the first day from `day` on, itself included, that is worked in all these places."""
    while not all(is_business_day(day, place) for place in places):
        day += timedelta(days=1)
    return day


@lru_cache(maxsize=1024)
def _holidays_of(place: Place, year: int) -> frozenset[date]:
    days = frozenset(holidays.country_holidays("FR", subdiv=_SUBDIVISIONS[place], years=year))
    if not days:
        raise DateOutOfRange(year=year)
    return days
