"""The plans of the shop, side by side and by country (C-08, MRE-06)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.catalogue.queries.products import Card, cards_of_kinds
from storefront.catalogue.rules import HOME_CURRENCY, ProductKind, sold_in
from storefront.infra.db import db


@dataclass(frozen=True)
class PlansPage:
    """The plans of one currency, side by side, and what they can be compared by (C-08).

    `entitlements` and `limits` are the codes that any of them has, simplest plan first; a limit
    of None has no end.
    """

    cards: list[Card]
    currency: str
    currencies: list[str]

    @property
    def entitlements(self) -> list[str]:
        """What a plan opens, or not."""
        found = (code for card in self.cards for code in card.features.get("entitlements", ()))
        return list(dict.fromkeys(found))

    @property
    def limits(self) -> list[str]:
        """What a plan counts."""
        found = (code for card in self.cards for code in card.features.get("limits", ()))
        return list(dict.fromkeys(found))


def plans(currency: str, now: datetime) -> PlansPage:
    """The plans that are sold in this currency, or in EUR when none is; what is free is free in
    every currency."""
    cards = [card for card in cards_of_kinds([ProductKind.PLAN], now) if card.first]
    currencies = sorted({card.currency for card in cards} | {HOME_CURRENCY}, key=_home_first)
    chosen = currency if currency in currencies else HOME_CURRENCY
    shown = [card for card in cards if card.currency == chosen or card.is_free]
    return PlansPage(shown, chosen, currencies)


def _home_first(currency: str) -> tuple[bool, str]:
    return currency != HOME_CURRENCY, currency


class Named(NamedTuple):
    """A product to point to."""

    slug: str
    name: str


def same_plan(features: Mapping[str, Any], country: str) -> Named | None:
    """The plan of the same family and rank that is meant for this country (MRE-06), if any."""
    family, rank = features.get("family"), features.get("rank")
    if family is None:
        return None
    rows = db.session.execute(
        select(Product.slug, Product.name, Product.features)
        .where(Product.kind == ProductKind.PLAN, Product.on_sale)
        .order_by(Product.position)
    )
    return next(
        (
            Named(row.slug, row.name)
            for row in rows
            if (row.features.get("family"), row.features.get("rank")) == (family, rank)
            and sold_in(row.features, country)
        ),
        None,
    )
