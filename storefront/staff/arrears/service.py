"""What is overdue, as a spreadsheet reads it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from storefront.arrears.models import ArrearsCase
from storefront.instalments.models import Instalment
from storefront.kernel.money import Money
from storefront.orders.rules import BuyerKind
from storefront.staff.arrears.forms import STEP_NAMES

COLUMNS = (
    "Commande",
    "Échéance",
    "À payer le",
    "Jours de retard",
    "Nom",
    "Société",
    "E-mail",
    "Qualité",
    "Dernière étape",
    "Prochaine étape le",
    "Montant",
    "Devise",
)
# A spreadsheet would run what begins like this: a customer's name must stay a name.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def overdue_csv(rows: Sequence[tuple[Instalment, ArrearsCase | None]], today: date) -> str:
    """One line a sum. Semicolons, decimal commas, with a BOM."""
    file = io.StringIO()
    file.write("\ufeff")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for part, case in rows:
        order = part.order
        last = case.acts[-1].step if case and case.acts else None
        professional = order.buyer_kind is BuyerKind.PROFESSIONAL
        writer.writerow(
            (
                order.reference,
                _text(part.label) or f"{part.rank} sur {order.instalment_count}",
                f"{part.owed_on:%d/%m/%Y}",
                (today - part.owed_on).days,
                _text(order.name),
                _text(order.company),
                _text(order.email),
                "professionnel" if professional else "particulier",
                STEP_NAMES[last] if last else "",
                f"{case.next_on:%d/%m/%Y}" if case and case.next_on else "",
                Money(part.amount_minor, part.currency).major_string().replace(".", ","),
                part.currency,
            )
        )
    return file.getvalue()


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value
