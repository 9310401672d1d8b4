"""Moments: what has its time in the life of a contract, done or to come (X-03, X-04).

Every room says in its rules which moments its facts lead to. What the shop then does is read back
from the journal as the same moments, so that both can be compared.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from storefront.kernel.calendar import end_of_day, paris_date
from storefront.kernel.money import Money


class By(StrEnum):
    """Who makes a moment happen; TIME: nobody, a day is over."""

    SOFTWARE = "software"
    CUSTOMER = "customer"
    STAFF = "staff"
    TIME = "time"


@dataclass(frozen=True)
class Moment:
    """One thing that was done, or will be.

    `when` is an instant, or a day in Paris until whose end something holds. `kind` is a member of
    a room's `Happens`; `name` says of what, `number` which one, or how many.
    """

    when: date | datetime
    kind: StrEnum
    name: str = ""
    amount: Money | None = None
    number: int | None = None

    @property
    def at(self) -> datetime:
        """The instant of it: a day counts by its end."""
        return self.when if isinstance(self.when, datetime) else end_of_day(self.when)

    @property
    def day(self) -> date:
        """The day in Paris on which it stands."""
        return paris_date(self.when) if isinstance(self.when, datetime) else self.when
