"""Refusals: what the shop says no to, named after the reason.

A refusal is an expected answer, not a bug: a view with a form catches its own, one handler shows
the rest. It carries facts (`details`), never French sentences: the wording lives in templates. A
bug in our own code raises `TypeError` or `ValueError` instead and is allowed to be a 500.
"""

import re
from typing import ClassVar

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


class Refusal(Exception):
    """Base of every refusal.

    `status` is the HTTP status of the page that shows it: 422 when what was asked cannot be done,
    409 when it could have been a moment ago. `name` is the snake_case form of the class name, under
    which the wording is found.
    """

    status: ClassVar[int] = 422
    name: ClassVar[str] = "refusal"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = _WORD_START.sub("_", cls.__name__).lower()

    def __init__(self, **details: object) -> None:
        self.details: dict[str, object] = details
        super().__init__(details)

    def __str__(self) -> str:
        facts = ", ".join(f"{key}={value!s}" for key, value in self.details.items())
        return f"{type(self).__name__}({facts})"


class StaleWrite(Refusal):
    """Somebody else changed the thing between reading and writing it."""

    status = 409


class WrongMove(Refusal):
    """The thing is in a state that does not allow this. Details: lifecycle, current, wanted."""

    status = 409


class CurrencyMismatch(Refusal):
    """Amounts of two currencies were mixed. Details: left, right."""


class UnreadableAmount(Refusal):
    """The text is not an amount in this currency. Details: text, currency."""


class AmbiguousInput(Refusal):
    """What was typed can be read in two ways, and a guess could cost money. Details: text."""


class NonexistentTime(Refusal):
    """The clocks skip this time of day in spring. Details: day, at."""


class DateOutOfRange(Refusal):
    """The date is beyond the years this calendar can vouch for. Details: what is known of it."""


class NoOpeningDay(Refusal):
    """A whole year holds no opening hour, so no deadline can be promised. Details: after."""
