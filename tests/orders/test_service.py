"""The life of a contract: confirmed once, ended once, and what it held goes with it."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.catalogue import jobs as catalogue_jobs
from storefront.catalogue.models import Hold, HoldStatus, Variant
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.infra.outbox import OutboxEntry
from storefront.kernel.errors import WrongMove
from storefront.legal import service as legal
from storefront.legal.models import AcceptanceKind
from storefront.legal.service import AcceptedBox, record_acceptances
from storefront.orders import service
from storefront.orders.models import Order, OrderStatus
from storefront.orders.service import OrderEnded
from tests import factories


@pytest.fixture
def placed(app, now):
    """An order of the last copy of a guide."""
    with transaction():
        factories.terms(now)
        variant = factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=1)
        return factories.order(variant, now=now)


def left():
    available = db.session.scalar(select(Variant.available))
    db.session.rollback()
    return available


def published(name):
    return len(db.session.scalars(select(OutboxEntry).where(OutboxEntry.event == name)).all())


def confirm(order, now):
    with transaction():
        service.confirm(db.session.get_one(Order, order.id), now=now)
    return db.session.get_one(Order, order.id)


def cancel(order, now, reason="unpaid"):
    with transaction():
        service.cancel(db.session.get_one(Order, order.id), reason, now=now)
    return db.session.get_one(Order, order.id)


def test_references_count_on_within_the_year(app, now):
    with transaction():
        factories.terms(now)
        variant = factories.product()
        references = [factories.order(variant, now=now).reference for _ in range(3)]
    assert references == ["CMD-2026-000001", "CMD-2026-000002", "CMD-2026-000003"]


def test_tokens_cannot_be_guessed(app, now):
    with transaction():
        factories.terms(now)
        variant = factories.product()
        tokens = {factories.order(variant, now=now).token for _ in range(5)}
    assert len(tokens) == 5
    assert min(map(len, tokens)) >= 40


def test_confirming_settles_what_was_held_and_counts_the_withdrawal(app, now):
    with transaction():
        factories.terms(now)
        variant = factories.product(ProductKind.HOUR_PACK)
        order = factories.order(variant, now=now)
    order = confirm(order, now)
    assert order.confirmed_at == now
    assert order.lines[0].withdrawal_until == date(2026, 12, 8)


def test_the_later_period_of_the_accepted_training_terms_counts(app, now):
    with transaction():
        factories.terms(now)
        source = (factories.TERMS / "formation-1.md").read_text()
        version = legal.publish(
            source.replace("training_withdrawal_days = 10", "training_withdrawal_days = 40"),
            now=now - timedelta(hours=1),
        )
        variant = factories.product(ProductKind.E_LEARNING)
        order = factories.order(variant, now=now)
        box = AcceptedBox(AcceptanceKind.PARTICULAR_TERMS, version, "J’accepte.")
        terms = AcceptedBox(AcceptanceKind.TERMS, order.terms_version, "J’accepte.")
        record_acceptances(order.id, order.user_id, [terms, box], "127.0.0.1", "test", now=now)
    order = confirm(order, now)
    assert order.lines[0].withdrawal_until == date(2027, 1, 3)


def test_confirming_twice_changes_nothing(placed, now):
    confirm(placed, now)
    reactions = published("OrderConfirmed")
    order = confirm(placed, now + timedelta(hours=1))
    assert order.confirmed_at == now
    assert published("OrderConfirmed") == reactions > 0


def test_cancelling_gives_back_once(placed, now):
    assert left() == 0
    order = cancel(placed, now)
    assert (order.status, order.end_reason, left()) == (OrderStatus.CANCELLED, "unpaid", 1)
    reactions = published("OrderCancelled")
    order = cancel(placed, now)
    assert (order.status, left()) == (OrderStatus.CANCELLED, 1)
    assert published("OrderCancelled") == reactions > 0


def test_money_for_an_ended_order_confirms_nothing(placed, now):
    cancel(placed, now)
    order = confirm(placed, now)
    assert order.status is OrderStatus.CANCELLED
    kinds = list(db.session.scalars(select(journal.JournalEntry.kind)))
    assert "order.paid_after_end" in kinds


def test_a_lapsed_claim_is_taken_again_when_the_money_comes(placed, now):
    later = now + timedelta(hours=2)
    catalogue_jobs.release_expired_holds(later)
    assert left() == 1
    assert confirm(placed, later).status is OrderStatus.CONFIRMED
    assert left() == 0
    assert db.session.scalars(select(Hold.status)).one() is HoldStatus.SETTLED


def test_a_lapsed_claim_that_somebody_else_took_ends_the_order(placed, now):
    later = now + timedelta(hours=2)
    catalogue_jobs.release_expired_holds(later)
    with transaction() as session:
        variant = session.scalars(select(Variant)).one()
        other = factories.order(variant, now=later)
    confirm(other, later)
    ended = confirm(placed, later)
    assert (ended.status, ended.end_reason) == (OrderStatus.CANCELLED, "sold_out")
    assert left() == 0


def test_an_ended_order_is_not_kept_waiting(placed, now):
    cancel(placed, now)
    with pytest.raises(OrderEnded), transaction():
        service.wait_until(db.session.get_one(Order, placed.id), now + timedelta(hours=1))


def test_an_order_that_ran_gives_back_what_was_not_supplied(placed, now):
    confirm(placed, now)
    worker.run_due(now)
    with transaction():
        fulfilment.revoke(placed.id, "refused", now=now)
    cancel(placed, now, "customer")
    assert left() == 1


def test_a_refused_order_cannot_be_cancelled(placed, now):
    with transaction():
        db.session.get_one(Order, placed.id).status = OrderStatus.REFUSED
    with pytest.raises(WrongMove):
        cancel(placed, now)


def test_the_journal_holds_the_contracts_life_and_no_personal_data(placed, now):
    confirm(placed, now)
    entries = db.session.scalars(select(journal.JournalEntry)).all()
    assert {"order.placed", "order.confirmed"} <= {entry.kind for entry in entries}
    everything = " ".join(entry.payload for entry in entries)
    for personal in ("Claire", "exemple.example", "06 39", "1 rue"):
        assert personal not in everything
    assert list(journal.verify()) == []
