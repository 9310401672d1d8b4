"""An oracle: French public holidays from first principles, without the library the kernel uses."""

from datetime import date, timedelta
from functools import cache

EVERYWHERE_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
EVERYWHERE_FROM_EASTER = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday

# The further days of Alsace-Moselle and of each overseas territory.
SOMEWHERE_FIXED = (
    (12, 26),  # Alsace-Moselle
    (4, 27),  # Mayotte
    (5, 22),  # Martinique
    (5, 27),  # Guadeloupe
    (5, 28),  # Saint-Martin
    (6, 10),  # Guyane
    (7, 21),  # Guadeloupe, Martinique, Saint-Martin
    (10, 9),  # Saint-Barthélemy
    (12, 20),  # La Réunion
    (9, 24),  # Nouvelle-Calédonie
    (3, 5),  # Polynésie
    (4, 28),  # Wallis-et-Futuna
    (6, 29),  # Wallis-et-Futuna
    (7, 29),  # Wallis-et-Futuna
)
SOMEWHERE_FROM_EASTER = (-2, -24)  # Good Friday, Mi-Carême
POLYNESIAN_NEW_YEAR = (11, 20)  # since 2025


def easter(year: int) -> date:
    """Return Easter Sunday by the epact and the golden number (Meeus, Jones, Butcher)."""
    golden = year % 19
    century, in_century = divmod(year, 100)
    leap_centuries, century_left = divmod(century, 4)
    moon_drift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - moon_drift + 15) % 30
    leaps, years_left = divmod(in_century, 4)
    to_sunday = (32 + 2 * century_left + 2 * leaps - epact - years_left) % 7
    correction = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


@cache
def metropolitan(year: int) -> frozenset[date]:
    """Return the eleven holidays of a year."""
    return _days(year, EVERYWHERE_FIXED, EVERYWHERE_FROM_EASTER)


@cache
def anywhere(year: int) -> frozenset[date]:
    """Return every day of a year that is a holiday somewhere in France."""
    days = metropolitan(year) | _days(year, SOMEWHERE_FIXED, SOMEWHERE_FROM_EASTER)
    return days | {date(year, *POLYNESIAN_NEW_YEAR)} if year >= 2025 else days


def _days(
    year: int, fixed: tuple[tuple[int, int], ...], from_easter: tuple[int, ...]
) -> frozenset[date]:
    sunday = easter(year)
    return frozenset(date(year, month, day) for month, day in fixed) | {
        sunday + timedelta(days=days) for days in from_easter
    }
