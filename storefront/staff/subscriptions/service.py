"""Subscriptions as a spreadsheet reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from storefront.infra.spreadsheet import as_amount, as_text, spreadsheet
from storefront.kernel.calendar import paris_date
from storefront.orders.rules import BuyerKind
from storefront.staff.subscriptions.forms import STATUS_NAMES
from storefront.subscriptions.models import Subscription

COLUMNS = (
    "Abonnement",
    "Famille",
    "Commande",
    "Nom",
    "Société",
    "E-mail",
    "Qualité",
    "État",
    "Depuis le",
    "Engagé jusqu’au",
    "Prochaine période le",
    "Se termine le",
    "Mois par période",
    "Hors taxes",
    "TTC",
    "Devise",
)


def subscriptions_csv(found: Sequence[Subscription]) -> str:
    """One line a subscription; what the next period costs."""
    return spreadsheet(COLUMNS, (_row(one) for one in found))


def _row(one: Subscription) -> tuple[object, ...]:
    order = one.order
    professional = order.buyer_kind is BuyerKind.PROFESSIONAL
    return (
        as_text(one.name),
        as_text(one.family or ""),
        order.reference,
        as_text(order.name),
        as_text(order.company),
        as_text(order.email),
        "professionnel" if professional else "particulier",
        STATUS_NAMES.get(one.status, one.status.value),
        _day(paris_date(one.created_at)),
        _day(one.committed_until),
        _day(one.next_period_on),
        _day(one.ends_on),
        one.billing_months,
        as_amount(one.net_minor, one.currency),
        as_amount(one.gross_minor, one.currency),
        one.currency,
    )


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
