"""Which products are sold under which particular terms (R-04)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.infra.db import db


def products_to_attach() -> Sequence[Product]:
    """Every product, sold today or not, in the order of their names."""
    return db.session.scalars(select(Product).order_by(Product.name, Product.slug)).all()


def names_by_particular_terms() -> dict[str, list[tuple[str, str]]]:
    """By document, the (slug, name) of each product that is sold under it."""
    rows = db.session.execute(
        select(Product.particular_terms, Product.slug, Product.name)
        .where(Product.particular_terms.is_not(None))
        .order_by(Product.name)
    )
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for document, slug, name in rows:
        found[str(document)].append((slug, name))
    return dict(found)
