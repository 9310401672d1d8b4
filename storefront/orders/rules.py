"""What is decided about an order: amounts, taxes, dates. Pure functions."""

from __future__ import annotations

from enum import StrEnum


class BuyerKind(StrEnum):
    """As whom the customer buys: many rules differ by this (O-03, PRE-08)."""

    CONSUMER = "consumer"
    PROFESSIONAL = "professional"
