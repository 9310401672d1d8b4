"""What becomes of a change of plan: paid and done, done on its day, lapsed (B-07).

Every function locks the subscription first, so that a payment, a second tab and the day on which
the next period opens decide one after the other.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments.events import InstalmentPaid, MoneyNotDue
from storefront.invoicing import service as invoicing
from storefront.invoicing.service import BilledPeriod
from storefront.kernel.calendar import paris_date
from storefront.payments import queries as payments
from storefront.payments.events import PaymentFailed
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PlanChanged
from storefront.subscriptions.models import ChangeStatus, PlanChange, Subscription
from storefront.subscriptions.service.lapsing import drop, move_change
from storefront.subscriptions.service.revisions import void_left
from storefront.subscriptions.service.states import locked


def note_change_paid(event: InstalmentPaid, *, now: datetime) -> None:
    """An upgrade was paid: it takes effect; money for one that is over is proposed for refund."""
    known = queries.change_of_instalment(event.instalment_id)
    if known is None:
        return
    subscription = locked(known.subscription_id)
    change = db.session.get_one(PlanChange, known.id, populate_existing=True)
    if change.status is ChangeStatus.DONE:
        return
    if change.status is ChangeStatus.AWAITING_PAYMENT:
        follow(subscription, change, paris_date(now), now=now)
        return
    journal.record("plan_change.paid_too_late", change, {"status": change.status}, now=now)
    for payment in payments.of_order(subscription.order_id):
        came = payment.status is PaymentStatus.SUCCEEDED and payment.taken_minor
        if payment.instalment_id == change.instalment_id and came:
            publish(MoneyNotDue(payment.id), now=now)


def follow(subscription: Subscription, change: PlanChange, on: date, *, now: datetime) -> None:
    """From this day on the locked subscription follows the version and the price of this change.

    What was announced of the plan that it leaves does not come any more (R-06).
    """
    move_change(change, ChangeStatus.DONE)
    change.done_at, change.effective_on = now, on
    subscription.version_id, subscription.version = change.to_version_id, change.to_version
    subscription.name = change.to_version.name
    subscription.net_minor = change.price_net_minor
    subscription.vat_minor = change.price_vat_minor
    subscription.gross_minor = change.price_gross_minor
    void_left(subscription, now=now)
    facts = {
        "subscription": subscription.id,
        "from": change.from_version_id,
        "to": change.to_version_id,
        "on": on,
        "paid": change.gross_minor,
        "price": change.price_gross_minor,
    }
    journal.record("plan_change.done", change, facts, now=now)
    publish(PlanChanged(change.id), now=now)
    db.session.flush()


def note_page_closed(event: PaymentFailed, *, now: datetime) -> None:
    """The page of an upgrade was closed or is over: nothing changed, it can be chosen again."""
    payment = db.session.get_one(Payment, event.payment_id)
    change = queries.change_of_instalment(payment.instalment_id)
    if change is not None:
        lapse_change(change.id, now=now)


def lapse_change(change_id: uuid.UUID, *, now: datetime) -> bool:
    """An upgrade that cannot be paid any more lapses; says whether it did."""
    known = db.session.get_one(PlanChange, change_id)
    locked(known.subscription_id)
    change = db.session.get_one(PlanChange, change_id, populate_existing=True)
    if not queries.is_hopeless(change_id):
        return False
    drop(change, ChangeStatus.LAPSED, "unpaid", now=now)
    return True


def invoice_change(event: PlanChanged, *, now: datetime) -> None:
    """What an upgrade cost is invoiced on its own, once (B-07, V-01)."""
    change = db.session.get_one(PlanChange, event.change_id)
    if change.gross_minor == 0:
        return
    subscription, period = change.subscription, change.period
    billed = BilledPeriod(
        period_id=period.id,
        instalment_id=change.instalment_id,
        order_line=subscription.order_line,
        name=f"Passage à {change.to_version.name} (avant : {change.from_version.name})",
        starts_on=paris_date(change.counted_from),
        ends_on=period.ends_on,
        net_minor=change.net_minor,
        vat_minor=change.vat_minor,
        gross_minor=change.gross_minor,
        paid_on=paris_date(change.done_at or now),
        cause=rules.change_schedule(change.id),
    )
    invoicing.issue_for_period(billed, now=now)
