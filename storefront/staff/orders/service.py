"""The list of orders as a spreadsheet reads it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from storefront.infra.spreadsheet import as_amount, as_text, spreadsheet
from storefront.kernel.calendar import PARIS
from storefront.orders.models import Order
from storefront.staff.orders.forms import STATUS_NAMES

COLUMNS = (
    "Référence",
    "Passée le",
    "État",
    "Nom",
    "Société",
    "E-mail",
    "Contenu",
    "Hors taxe",
    "TVA",
    "Total",
    "Payé",
    "Devise",
)


def orders_csv(orders: Sequence[Order], paid: Mapping[uuid.UUID, int]) -> str:
    """One line an order; `paid` in minor units by order."""
    return spreadsheet(COLUMNS, (_row(order, paid.get(order.id, 0)) for order in orders))


def _row(order: Order, paid: int) -> tuple[str, ...]:
    amounts = (order.net_minor, order.vat_minor, order.total_minor, paid)
    return (
        order.reference,
        f"{order.placed_at.astimezone(PARIS):%d/%m/%Y %H:%M}",
        STATUS_NAMES[order.status],
        as_text(order.name),
        as_text(order.company),
        as_text(order.email),
        as_text(", ".join(line.name for line in order.lines)),
        *(as_amount(minor, order.currency) for minor in amounts),
        order.currency,
    )
