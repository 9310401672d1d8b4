"""What is overdue, as a spreadsheet reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from storefront.arrears.models import ArrearsCase
from storefront.infra.spreadsheet import as_amount, as_text, spreadsheet
from storefront.instalments.models import Instalment
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


def overdue_csv(rows: Sequence[tuple[Instalment, ArrearsCase | None]], today: date) -> str:
    """One line a sum."""
    return spreadsheet(COLUMNS, (_row(part, case, today) for part, case in rows))


def _row(part: Instalment, case: ArrearsCase | None, today: date) -> tuple[object, ...]:
    order = part.order
    last = case.acts[-1].step if case and case.acts else None
    professional = order.buyer_kind is BuyerKind.PROFESSIONAL
    return (
        order.reference,
        as_text(part.label) or f"{part.rank} sur {order.instalment_count}",
        f"{part.owed_on:%d/%m/%Y}",
        (today - part.owed_on).days,
        as_text(order.name),
        as_text(order.company),
        as_text(order.email),
        "professionnel" if professional else "particulier",
        STEP_NAMES[last] if last else "",
        f"{case.next_on:%d/%m/%Y}" if case and case.next_on else "",
        as_amount(part.amount_minor, part.currency),
        part.currency,
    )
