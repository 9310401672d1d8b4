"""What was invoiced, owed, paid, given back and contested."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import or_, select

from storefront.arrears.models import ArrearsCase, Deferral, DunningAct
from storefront.evidence.queries.items import Exhibit, items
from storefront.infra.templating import date_short_fr, money_fr
from storefront.instalments.models import Instalment
from storefront.invoicing.models import CreditNote, Invoice
from storefront.payments.models import (
    Arrival,
    Dispute,
    Payment,
    Refund,
    SavedMethod,
    WebhookReceipt,
)


def _amount(row: Any) -> str:
    return money_fr(row.amount_minor, row.currency)


def _total(row: Invoice | CreditNote) -> str:
    return f"{row.number}, {money_fr(row.total)}"


def invoices(order_id: uuid.UUID) -> Exhibit:
    """Invoices and credit notes with their lines, as they were sealed."""
    issued = select(Invoice).where(Invoice.order_id == order_id)
    corrected = select(CreditNote).where(CreditNote.order_id == order_id)
    return Exhibit(
        "factures",
        [
            *items(issued.order_by(Invoice.issued_at, Invoice.number), _total),
            *items(corrected.order_by(CreditNote.issued_at, CreditNote.number), _total),
        ],
    )


def payments(order_id: uuid.UUID) -> Exhibit:
    """What was asked of whom under which reference, what came, what providers sent us."""
    attempts = select(Payment).where(Payment.order_id == order_id)
    ids = attempts.with_only_columns(Payment.id)
    came = select(Arrival).where(Arrival.payment_id.in_(ids))
    back = select(Refund).where(Refund.order_id == order_id)
    contested = select(Dispute).where(Dispute.order_id == order_id)
    kept = select(SavedMethod).where(
        SavedMethod.id.in_(attempts.with_only_columns(Payment.saved_method_id))
    )
    told = select(WebhookReceipt).where(
        or_(
            WebhookReceipt.payment_id.in_(ids),
            WebhookReceipt.reference.in_(attempts.with_only_columns(Payment.page_reference)),
            WebhookReceipt.reference.in_(attempts.with_only_columns(Payment.charge_reference)),
            WebhookReceipt.dispute.in_(contested.with_only_columns(Dispute.asked_by_reference)),
        )
    )
    return Exhibit(
        "paiements",
        [
            *items(
                attempts.order_by(Payment.created_at, Payment.id),
                lambda row: ", ".join(
                    (_amount(row), row.provider, row.charge_reference or "")
                ).removesuffix(", "),
            ),
            *items(came.order_by(Arrival.recorded_at, Arrival.id), _amount),
            *items(back.order_by(Refund.asked_at, Refund.id), _amount),
            *items(contested.order_by(Dispute.opened_at, Dispute.id), _amount),
            *items(kept.order_by(SavedMethod.saved_at, SavedMethod.id), lambda row: row.label),
            *items(
                told.order_by(WebhookReceipt.received_at, WebhookReceipt.id), lambda row: row.kind
            ),
        ],
    )


def instalments(order_id: uuid.UUID) -> Exhibit:
    """What is owed on which day, what was done when it was not paid, what was put off."""
    owed = select(Instalment).where(Instalment.order_id == order_id)
    ids = owed.with_only_columns(Instalment.id)
    cases = select(ArrearsCase).where(ArrearsCase.order_id == order_id)
    acts = select(DunningAct).where(DunningAct.case_id.in_(cases.with_only_columns(ArrearsCase.id)))
    deferred = select(Deferral).where(Deferral.instalment_id.in_(ids))
    return Exhibit(
        "echeances",
        [
            *items(
                owed.order_by(Instalment.due_on, Instalment.schedule, Instalment.rank),
                lambda row: f"{_amount(row)}, {date_short_fr(row.due_on)}",
            ),
            *items(cases.order_by(ArrearsCase.opened_at, ArrearsCase.id)),
            *items(acts.order_by(DunningAct.at, DunningAct.id)),
            *items(
                deferred.order_by(Deferral.granted_at, Deferral.id),
                lambda row: date_short_fr(row.until_on),
            ),
        ],
    )
