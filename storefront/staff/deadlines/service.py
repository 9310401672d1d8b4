"""The queue of deadlines as a spreadsheet reads it."""

from __future__ import annotations

from collections.abc import Sequence

from storefront.infra.spreadsheet import as_amount, as_text, spreadsheet
from storefront.kernel.calendar import PARIS
from storefront.staff.deadlines.forms import BY_NAMES, KIND_NAMES
from storefront.timeline.queries import Deadline

COLUMNS = (
    "Date",
    "Heure",
    "Nature",
    "Qui agit",
    "Objet",
    "Commande",
    "Nom",
    "Société",
    "E-mail",
    "Montant",
    "Devise",
)


def deadlines_csv(found: Sequence[Deadline]) -> str:
    """One line a deadline; a day without an hour lasts until its end."""
    return spreadsheet(COLUMNS, (_row(one) for one in found))


def _row(one: Deadline) -> tuple[object, ...]:
    moment, order = one.moment, one.order
    exact = moment.at == moment.when
    return (
        f"{moment.day:%d/%m/%Y}",
        f"{moment.at.astimezone(PARIS):%H:%M}" if exact else "",
        KIND_NAMES[moment.kind],
        BY_NAMES[one.by],
        as_text(moment.name),
        order.reference,
        as_text(order.name),
        as_text(order.company),
        as_text(order.email),
        as_amount(moment.amount.minor, moment.amount.currency) if moment.amount else "",
        moment.amount.currency if moment.amount else "",
    )
