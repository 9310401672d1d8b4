"""The demo's catalogue: shelves, products, variants, sessions. Loading again adds nothing."""

from __future__ import annotations

import uuid
from datetime import time, timedelta
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import BundleItem, Category, CourseSession, Product, Variant
from storefront.catalogue.rules import PriceBasis, ProductKind, VatClass, WithdrawalKind
from storefront.demo.content import FirstDay, lessons_of, read
from storefront.infra.db import db
from storefront.infra.templating import date_short_fr
from storefront.kernel.calendar import paris_instant

# What the models keep as it stands in the file.
PLAIN = (
    "slug",
    "position",
    "name",
    "summary",
    "description",
    "highlights",
    "included",
    "price_minor",
    "vat_justification",
    "instalments_max",
)
OPTIONAL = {
    "validity": "",
    "particular_terms": None,
    "currency": "EUR",
    "tax_credit_note": False,
    "illustration": "",
    "illustration_alt": "",
}


def fill(first_day: FirstDay) -> None:
    """Put everything on its shelf."""
    shelves = {given["slug"]: _category(given) for given in read("categories.toml")["categories"]}
    products = _whole(read("products.toml")["products"])
    made = {
        given["slug"]: _product(given, shelves[given["category"]], products) for given in products
    }
    db.session.flush()
    for given in products:
        product = made[given["slug"]]
        if not product.variants:
            _offer(product, given, first_day)
            for position, slug in enumerate(given.get("contains", [])):
                item = BundleItem(item_id=made[slug].id, position=position)
                product.bundle_items.append(item)
    db.session.flush()


def _whole(products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each product says once what it shares with the one it is `like` is filled in."""
    by_slug = {given["slug"]: given for given in products}
    whole = []
    for given in products:
        shared = by_slug.get(given.get("like", ""), {})
        features = {**shared.get("features", {}), **given.get("features", {})}
        if "limits" in features:
            features["limits"] = {
                code: None if most == "unlimited" else most
                for code, most in features["limits"].items()
            }
        whole.append({**shared, **given, "features": features})
    return whole


def _category(given: dict[str, Any]) -> Category:
    known = db.session.scalar(select(Category).where(Category.slug == given["slug"]))
    if known is not None:
        return known
    category = Category(id=uuid.uuid4(), **given)
    db.session.add(category)
    return category


def _product(given: dict[str, Any], shelf: Category, products: list[dict[str, Any]]) -> Product:
    known = db.session.scalar(select(Product).where(Product.slug == given["slug"]))
    if known is not None:
        return known
    features = dict(given.get("features", {}))
    if contained := given.get("contains"):
        # An order line copies the features, and so all that the bundle gives (C-05).
        features["lessons"] = lessons_of(products, contained)
        # Each product's share of the price, for when it is supplied in part (W-07).
        features["items"] = [
            {"price_minor": one["price_minor"], "lessons": one["features"].get("lessons", [])}
            for one in products
            if one["slug"] in contained
        ]
    product = Product(
        id=uuid.uuid4(),
        category=shelf,
        kind=ProductKind(given["kind"]),
        price_basis=PriceBasis(given["price_basis"]),
        vat_class=VatClass(given["vat_class"]),
        withdrawal_kind=WithdrawalKind(given["withdrawal_kind"]),
        characteristics=[[one["label"], one["value"]] for one in given["characteristics"]],
        features=features,
        **{name: given[name] for name in PLAIN},
        **{name: given.get(name, default) for name, default in OPTIONAL.items()},
    )
    db.session.add(product)
    return product


def _offer(product: Product, given: dict[str, Any], first_day: FirstDay) -> None:
    """What can be put in a cart: the sessions, the variants, or the product itself."""
    for position, session in enumerate(given.get("sessions", [])):
        product.variants.append(_seats(session, position, first_day))
    for position, variant in enumerate(given.get("variants", [])):
        product.variants.append(_variant(position=position, **variant))
    if not product.variants:
        product.variants.append(_variant())


def _variant(
    *,
    label: str = "",
    price_minor: int | None = None,
    capacity: int | None = None,
    weight_g: int = 0,
    position: int = 0,
) -> Variant:
    return Variant(
        id=uuid.uuid4(),
        label=label,
        price_minor=price_minor,
        capacity=capacity,
        available=capacity,
        weight_g=weight_g,
        position=position,
    )


def _seats(session: dict[str, Any], position: int, first_day: FirstDay) -> Variant:
    first = first_day.open_day(session["in_days"], session["days"])
    last = first + timedelta(days=session["days"] - 1)
    variant = _variant(
        label=f"Session du {date_short_fr(first)}", capacity=session["seats"], position=position
    )
    variant.session = CourseSession(
        starts_at=paris_instant(first, time.fromisoformat(session["start"])),
        ends_at=paris_instant(last, time.fromisoformat(session["end"])),
        place=session["place"],
    )
    return variant
