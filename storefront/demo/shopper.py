"""A buyer on the provider's hosted page, over HTTP as anybody's browser would."""

from __future__ import annotations

import requests

TIMEOUT_SECONDS = 20
CARDS = ("4242424242424242", "5555555555554444")
REFUSED_LATER = "4000000000000341"


class PaymentRefused(Exception):
    """The hosted page did not send the buyer back to the shop."""


def pay(page: str, provider: str, *, name: str, card: int = 0, refused_later: bool = False) -> None:
    """Pay what the page asks for. `card` chooses one of the test cards that are accepted;
    `refused_later` is accepted on the page, and refused at each debit that follows.

    Raises `PaymentRefused`, and requests' errors when the page cannot be reached.
    """
    number = REFUSED_LATER if refused_later else CARDS[card % len(CARDS)]
    answer = requests.post(
        page,
        data=_card(name, number) if provider == "stripe" else _account(),
        allow_redirects=False,
        timeout=TIMEOUT_SECONDS,
    )
    if not answer.is_redirect:
        raise PaymentRefused(f"{provider} answered {answer.status_code} at {page}")


def _card(name: str, number: str) -> dict[str, str]:
    return {"name": name, "number": number, "expiry": "12/34", "cvc": "123"}


def _account() -> dict[str, str]:
    return {"source": "account"}
