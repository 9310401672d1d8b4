"""Orders that were paid at a provider, and what happens there behind the shop's back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import PRICE, Instalment
from storefront.kernel.money import Money
from storefront.payments import jobs, queries, service
from storefront.payments.models import Dispute, Payment, PaymentStatus, Refund, RefundReason
from storefront.payments.providers.base import PAGE_LIFETIME, Outcome, OutcomeStatus
from storefront.payments.service import Cause
from tests import factories

GOOD_CARD = "4242424242424242"
SHOP = "http://127.0.0.1:8000"


def cause(reason: RefundReason = RefundReason.GOODWILL, **changed: Any) -> Cause:
    """A decision to give money back."""
    return Cause(**{"reason": reason, "request_id": uuid.uuid4(), "due_on": None, **changed})


@dataclass
class Counter:
    """The shop and one provider, with that provider's dashboard."""

    sandbox: RunningSandbox
    provider: str
    now: datetime

    def sold(self, price: int = 18000, *, card: str = GOOD_CARD, **order: Any) -> uuid.UUID:
        """An order of one thing whose first instalment was paid; its payment's id.

        Nobody has reacted yet: run the worker for that.
        """
        self.sandbox.control("clock", now=self.now.isoformat())
        with transaction():
            factories.terms(self.now)
            kind = order.pop("kind", ProductKind.HOUR_PACK)
            variant = order.pop("variant", None) or factories.product(kind, price=price)
            placed = factories.order(variant, now=self.now, provider=self.provider, **order)
            order_id = placed.id
        return self.pay(order_id, card=card)

    def pay(self, order_id: uuid.UUID, *, card: str = GOOD_CARD, rank: int = 1) -> uuid.UUID:
        """Somebody pays an instalment of this order; the payment's id."""
        payment_id, email = self.reserve(order_id, rank)
        if self.provider == "offline":
            with transaction():
                payment = service.locked(payment_id)
                paid = Outcome(OutcomeStatus.SUCCEEDED, amount=payment.amount)
                service.record_outcome(payment, paid, now=self.now)
            return payment_id
        url = jobs.open_page(
            payment_id,
            email=email,
            return_url=f"{SHOP}/retour",
            cancel_url=f"{SHOP}/annulation",
            now=self.now,
        )
        if self.provider == "stripe":
            self.sandbox.pay_by_card(url, card)
        else:
            self.sandbox.pay_by_paypal(url)
        assert jobs.refresh(payment_id, self.now).status is PaymentStatus.SUCCEEDED
        return payment_id

    def reserve(self, order_id: uuid.UUID, rank: int = 1) -> tuple[uuid.UUID, str]:
        with transaction():
            part = db.session.scalars(
                select(Instalment).where(
                    Instalment.order_id == order_id,
                    Instalment.schedule == PRICE,
                    Instalment.rank == rank,
                )
            ).one()
            order = part.order
            payment = service.reserve(
                order_id=order_id,
                user_id=order.user_id,
                provider=self.provider,
                amount=Money(part.amount_minor, part.currency),
                order_reference=order.reference,
                description=order.reference,
                instalment_id=part.id,
                save_method=order.instalment_count > 1 and self.provider != "offline",
                expires_at=self.now + PAGE_LIFETIME,
                now=self.now,
            )
            return payment.id, order.email

    # The provider's dashboard

    def refund_by_hand(self, payment_id: uuid.UUID, minor: int) -> None:
        """Somebody of the shop gives money back on the provider's own pages."""
        charge = the(Payment, payment_id).charge_reference
        if self.provider == "stripe":
            self.sandbox.control("stripe/refunds", payment_intent=charge, amount=minor)
        else:
            amount = {"currency_code": "EUR", "value": Money(minor).major_string()}
            self.sandbox.control(f"paypal/captures/{charge}/refund", amount=amount)

    def contest(self, payment_id: uuid.UUID) -> str:
        """The payer opens a dispute; the provider's reference of it."""
        charge = the(Payment, payment_id).charge_reference
        what = "payment_intents" if self.provider == "stripe" else "captures"
        dispute = self.sandbox.control(f"{self.provider}/{what}/{charge}/dispute", "POST")
        return str(dispute["id"])

    def close(self, dispute: str, ending: str) -> None:
        """The provider decides: "won" or "lost", seen from the shop."""
        self.sandbox.control(f"{self.provider}/disputes/{dispute}/close", status=ending)

    def tell(self, what: str, *, times: int = 1) -> None:
        """Post the last webhook about this ("refund", "opened", "closed") to the shop."""
        kinds = {
            "refund": ("charge.refunded", "PAYMENT.CAPTURE.REFUNDED"),
            "opened": ("charge.dispute.created", "CUSTOMER.DISPUTE.CREATED"),
            "closed": ("charge.dispute.closed", "CUSTOMER.DISPUTE.RESOLVED"),
        }[what]
        event = self.sandbox.events(self.provider, kinds[self.provider == "paypal"])[-1]
        client: FlaskClient = current_app.test_client()
        for _ in range(times):
            headers, body = self.sandbox.signed(self.provider, event["id"])
            answer = client.post(f"/webhooks/{self.provider}", headers=headers, data=body)
            assert answer.status_code == 200

    def given_back(self) -> list[int]:
        """The refunds in the provider's own ledger."""
        ledger = self.sandbox.control("ledger")[self.provider]
        return sorted(entry["amount"] for entry in ledger["refunded"])


def the(model: type[Any], row_id: uuid.UUID) -> Any:
    """The row as the database has it now."""
    db.session.rollback()
    return db.session.get_one(model, row_id, populate_existing=True)


def refunds(payment_id: uuid.UUID) -> list[Refund]:
    """Every refund of a payment, the first first."""
    db.session.rollback()
    order_id = db.session.get_one(Payment, payment_id).order_id
    return [one for one in queries.refunds_of_order(order_id) if one.payment_id == payment_id]


def disputes(payment_id: uuid.UUID) -> list[Dispute]:
    """Every dispute of a payment."""
    db.session.rollback()
    return list(db.session.scalars(select(Dispute).where(Dispute.payment_id == payment_id)))
