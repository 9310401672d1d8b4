"""The list of orders as a spreadsheet reads it."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping, Sequence

from storefront.kernel.calendar import PARIS
from storefront.kernel.money import Money
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
# A spreadsheet would run what begins like this: a customer's name must stay a name.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def orders_csv(orders: Sequence[Order], paid: Mapping[uuid.UUID, int]) -> str:
    """One line an order; `paid` in minor units by order. Semicolons, decimal commas, with a BOM."""
    file = io.StringIO()
    file.write("\ufeff")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for order in orders:
        amounts = (order.net_minor, order.vat_minor, order.total_minor, paid.get(order.id, 0))
        writer.writerow(
            (
                order.reference,
                f"{order.placed_at.astimezone(PARIS):%d/%m/%Y %H:%M}",
                STATUS_NAMES[order.status],
                _text(order.name),
                _text(order.company),
                _text(order.email),
                _text(", ".join(line.name for line in order.lines)),
                *(_amount(minor, order.currency) for minor in amounts),
                order.currency,
            )
        )
    return file.getvalue()


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


def _amount(minor: int, currency: str) -> str:
    return Money(minor, currency).major_string().replace(".", ",")
