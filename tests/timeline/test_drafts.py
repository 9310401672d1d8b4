"""An order that nobody placed comes to the same as one that somebody did (X-04)."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask

from sandbox.testing import RunningSandbox
from storefront.catalogue.models import Product
from storefront.catalogue.queries import product_page
from storefront.checkout import queries as checkout
from storefront.infra.db import db, transaction
from storefront.kernel.moments import Moment
from storefront.legal.queries import in_force, parameters_of
from storefront.orders.models import Order
from storefront.timeline import queries
from storefront.timeline.rules import horizon
from tests import factories
from tests.timeline import living

pytestmark = pytest.mark.once


def drafted(order_id: object, sale: living.Sale, now: datetime) -> list[Moment]:
    """What the shop says of the same product before anybody orders it."""
    order = db.session.get_one(Order, order_id)
    product = db.session.get_one(Product, order.lines[0].product_id)
    page = product_page(product.slug, now)
    assert page is not None
    assert page.card.first is not None
    terms = parameters_of(in_force("cgv", now))
    plans = checkout.payable_in(page, page.card.first, terms, sale.buyer, now)
    return checkout.foreseen(
        page,
        page.card.first,
        terms,
        next(plan for plan in plans if plan.count == sale.count),
        buyer=sale.buyer,
        consented=bool(sale.consents),
        at=now,
        until=horizon(now),
    )


def test_a_draft_of_each_kind_is_what_its_order_begins_with(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now)
    # An individual's training is not paid at once (FOR-03), as this one is.
    sales = {name: sale for name, sale in living.SALES.items() if name != "course"}
    for name, sale in sales.items():
        order_id = living.buy(sandbox, name, sale, now)

        # What the order sets off at once is done by now.
        said = [one for one in drafted(order_id, sale, now) if one.at > now]
        ordered = [entry.moment for entry in queries.of_order(order_id, now).coming]
        assert said == ordered, name
