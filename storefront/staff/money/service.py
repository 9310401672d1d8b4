"""Money as a spreadsheet reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from storefront.infra.spreadsheet import as_amount, as_text, spreadsheet
from storefront.kernel.calendar import PARIS
from storefront.refunds.queries import LedgerEntry, Matter, MoneyItem

MATTER_NAMES = {
    Matter.DISPUTE: "Contestation",
    Matter.REFUSED: "Remboursement refusé",
    Matter.RETURNED: "Remboursement revenu",
    Matter.PROPOSED: "Remboursement à décider",
    Matter.TO_GIVE: "Remboursement à faire",
    Matter.UNDERPAID: "Paiement incomplet",
    Matter.MISMATCHED: "Montant inattendu",
    Matter.UNCERTAIN: "Paiement incertain",
    Matter.FAILED: "Échéance impayée",
}
ENTRY_NAMES = {
    "invoice": "Facture",
    "credit_note": "Avoir",
    "payment": "Paiement reçu",
    "refund": "Remboursement",
    "refund_returned": "Remboursement revenu",
    "taken_back": "Repris par une contestation",
}


def queue_csv(items: Sequence[MoneyItem]) -> str:
    """One line for each thing that waits."""
    return _csv(
        ("Nature", "Depuis", "Commande", "Client", "Prestataire", "Détail", "Échéance", "Montant"),
        (
            (
                MATTER_NAMES[item.matter],
                _instant(item.since),
                item.order.reference,
                item.order.name,
                item.provider,
                item.code,
                _day(item.deadline),
                as_amount(item.amount.minor, item.amount.currency),
            )
            for item in items
        ),
    )


def ledger_csv(entries: Sequence[LedgerEntry]) -> str:
    """One line for each movement, with the balance after it."""
    return _csv(
        ("Le", "Mouvement", "Pièce", "Commande", "Débit", "Crédit", "Solde", "Devise"),
        (
            (
                _instant(entry.at),
                ENTRY_NAMES[entry.kind],
                entry.label,
                entry.order_reference,
                as_amount(entry.owed_minor, entry.currency) if entry.owed_minor > 0 else "",
                as_amount(-entry.owed_minor, entry.currency) if entry.owed_minor < 0 else "",
                as_amount(entry.balance_minor, entry.currency),
                entry.currency,
            )
            for entry in entries
        ),
    )


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """What a spreadsheet would run stays text; amounts may be negative."""
    return spreadsheet(columns, ([_text(value) for value in row] for row in rows))


def _text(value: str) -> str:
    amount = value.removeprefix("-").replace(",", "", 1).isdecimal()
    return value if amount else as_text(value)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%d/%m/%Y %H:%M}"


def _day(value: object) -> str:
    if isinstance(value, datetime):
        return _instant(value)
    return f"{value:%d/%m/%Y}" if value else ""
