"""What a declaration is about, and whether it is in time. Pure functions.

A declaration is never refused for what it says: these rules flag, staff decide (WDR-04, WDR-05).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from storefront.catalogue.rules import WithdrawalKind
from storefront.kernel.calendar import paris_date

# The law's own periods (C. conso. L221-18, L221-24), for a shop that has published no terms.
LEGAL_WITHDRAWAL_DAYS = 14
LEGAL_REFUND_DAYS = 14

_REFERENCE = re.compile(r"\bCMD[\s\-‐-–]*(\d{4})[\s\-‐-–]*(\d{1,6})\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_HONORIFICS = frozenset({"m", "mr", "mme", "mlle", "monsieur", "madame"})


class Happens(StrEnum):
    """What a declaration leads to."""

    WITHDRAWN = "withdrawn"
    TO_DECIDE = "withdrawal_to_decide"


class Timing(StrEnum):
    """Where a declaration stands against one line's withdrawal period."""

    IN_TIME = "in_time"
    LATE = "late"
    NOT_STARTED = "not_started"  # goods without proof of delivery: the period is open (WDR-02)
    NO_PERIOD = "no_period"  # none is recorded: a professional's order, or one never confirmed


@dataclass(frozen=True)
class LinePeriod:
    """What decides whether one line can still be withdrawn from."""

    name: str
    regime: WithdrawalKind | None  # None: a charge of its own (shipping)
    last_day: date | None


def order_reference(text: str) -> str | None:
    """The order reference in what was typed, however it is spaced; None without one or with two."""
    found = {f"CMD-{year}-{int(number):06d}" for year, number in _REFERENCE.findall(text)}
    return found.pop() if len(found) == 1 else None


def same_person(declared: str, known: str) -> bool:
    """Whether two written names can be one person's.

    Order, case, accents, hyphens and titles do not count. A further first name on either side
    does not either, as long as two words agree.
    """
    one, other = _words(declared), _words(known)
    common = one & other
    return bool(common) and (one == other or (len(common) >= 2 and common in (one, other)))


def _words(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return frozenset(_WORD.findall(letters)) - _HONORIFICS


def submission_key(token: str, content: Mapping[str, object]) -> str:
    """The name of one act: the same page sent twice is one declaration, a corrected one is another.

    `token` was drawn when the page was made, so nobody can guess the key. 64 hexadecimal digits.
    """
    text = json.dumps([token, content], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def timing(line: LinePeriod, declared_at: datetime) -> Timing:
    """Whether a declaration sent at this instant is in time for this line (WDR-03).

    The last day counts whole, in Paris: 23:59:59 is in time.
    """
    if line.last_day is not None:
        late = paris_date(declared_at) > line.last_day
        return Timing.LATE if late else Timing.IN_TIME
    return Timing.NOT_STARTED if line.regime is WithdrawalKind.GOODS else Timing.NO_PERIOD


def overall(timings: Collection[Timing]) -> Timing:
    """A whole declaration's standing: as good as its best line, since it may be about that one."""
    order = (Timing.IN_TIME, Timing.NOT_STARTED, Timing.LATE)
    return next((one for one in order if one in timings), Timing.NO_PERIOD)


def periods_that_count(lines: Iterable[LinePeriod]) -> list[LinePeriod]:
    """The lines that were sold: a charge such as shipping follows them."""
    return [line for line in lines if line.regime is not None]


def acknowledge_by(declared_at: datetime) -> date:
    """The day by whose end staff must see that the acknowledgement left.

    The law says "without undue delay" (L221-21); it leaves within the minute unless mail is down.
    """
    return paris_date(declared_at) + timedelta(days=1)


def refund_by(declared_at: datetime, refund_days: int = LEGAL_REFUND_DAYS) -> date:
    """The last day to refund: days from that on which the seller was told (WDR-12, L221-24).

    Never extended over a week-end: what is refunded on the Friday is not late on the Monday.
    """
    return paris_date(declared_at) + timedelta(days=refund_days)
