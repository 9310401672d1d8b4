"""Somebody with the database's password rewrites proof: refused, or found and named (X-02)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits.models import CreditEntry
from storefront.fulfilment import service as fulfilment
from storefront.fulfilment.models import Access, AccessEvent
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.infra.guards import append_only_tables
from storefront.infra.journal import JournalEntry
from storefront.instalments import queries as instalments
from storefront.invoicing.models import Invoice, InvoiceLine
from storefront.legal.models import Acceptance, AcceptanceKind, TermsVersion
from storefront.orders.models import Order, OrderLine
from storefront.payments import service as payments
from storefront.payments.models import Arrival, ArrivalWay, Payment
from storefront.tickets.models import TicketMessage
from tests.evidence.orders import used_up
from tests.invoicing.buying import place
from tests.tampering import tamper
from tests.tickets.desk import Desk


@pytest.fixture
def shop(app: Flask, now: datetime) -> Flask:
    """Hours bought, used and expired; a file paid by transfer and downloaded."""
    used_up(now)
    waiver = {"consents": (AcceptanceKind.DIGITAL_WAIVER,), "provider": "offline"}
    order_id = place(ProductKind.DIGITAL_PRODUCT, now=now, order=waiver)
    with transaction():
        order = db.session.get_one(Order, order_id)
        payment = payments.reserve(
            order_id=order.id,
            user_id=order.user_id,
            provider="offline",
            amount=order.total,
            order_reference=order.reference,
            description="Essai",
            instalment_id=instalments.of_order(order.id)[0].id,
            now=now,
        )
        seen = payments.Seen(1, ArrivalWay.TRANSFER, order.total_minor, now.date())
        payments.record_arrival(payment.id, seen, recorded_by=None, now=now)
    worker.run_due(now + timedelta(hours=1))
    with transaction():
        access = db.session.scalars(select(Access)).one()
        fulfilment.use_access(access, ip="192.0.2.7", user_agent="Un navigateur", now=now)
    return app


def found(app: Flask) -> str:
    """What the verification says; empty when all holds."""
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["journal", "verify"])
    return done.output if done.exit_code else ""


# What is done to which row, and the words that name it.
CHANGED: dict[type[Any], tuple[dict[str, Any], str]] = {
    Acceptance: ({"sentence": "J’accepte tout."}, "acceptance {id}"),
    TermsVersion: ({"parameters": "{}"}, "terms cgv-1"),
    Invoice: ({"buyer": "{}"}, "invoice F-"),
    InvoiceLine: ({"name": "Autre chose"}, "invoice F-"),
    CreditEntry: ({"reason": "autre chose"}, "credit_entries {id}"),
    Payment: ({"amount_minor": 1}, "payments {id}"),
    Arrival: ({"amount_minor": 1}, "arrivals {id}"),
    AccessEvent: ({"ip": "203.0.113.9"}, "access_events {id}"),
    Order: ({"total_minor": 1}, "order CMD-"),
    OrderLine: ({"name": "Autre chose"}, "order CMD-"),
    JournalEntry: ({"payload": "{}"}, "content was altered"),
}


def test_whatever_is_changed_or_deleted_is_found_and_named(shop: Flask) -> None:
    assert found(shop) == ""
    for model, (changes, words) in CHANGED.items():
        table = model.__table__
        key = next(iter(table.primary_key.columns))
        row = db.session.execute(select(table).limit(1)).one()._asdict()
        this = key == row[key.name]
        db.session.rollback()

        tamper(update(table).where(this).values(changes))
        said = found(shop)
        assert words.format(id=row[key.name]) in said, (table.name, said)

        tamper(delete(table).where(this))
        said = found(shop)
        assert "The proof is broken, first at entry" in said, table.name
        if model not in (JournalEntry, InvoiceLine, OrderLine):
            assert f"{table.name} {row['id']} was deleted" in said, said

        tamper(insert(table).values(row))
        assert found(shop) == "", table.name


def test_a_row_that_was_slipped_in_is_found(shop: Flask) -> None:
    for model in (Acceptance, CreditEntry, Payment):
        table = model.__table__
        row = db.session.execute(select(table).limit(1)).one()._asdict()
        unlike = {"id": uuid.uuid4()}
        unlike |= {"about": "faux"} if model is Acceptance else {}
        unlike |= {"number": 99, "cause_id": uuid.uuid4()} if model is CreditEntry else {}
        if model is Payment:
            unlike |= {"attempt": 99, "page_reference": None, "charge_reference": None}
        db.session.rollback()
        tamper(insert(table).values(row | unlike))
        assert f"{table.name} {unlike['id']} was never recorded" in found(shop).replace(
            "acceptance ", "acceptances "
        )
        tamper(delete(table).where(table.c.id == unlike["id"]))


def test_the_database_itself_refuses_on_every_table_of_proof_that_has_a_row(shop: Flask) -> None:
    refused = set()
    for table in append_only_tables():
        if db.session.execute(select(table).limit(1)).first() is None:
            continue
        column = next(iter(table.columns))
        for statement in (update(table).values({column.name: column}), delete(table)):
            with pytest.raises(DatabaseError, match="append-only"):
                db.session.execute(statement)
            db.session.rollback()
        refused.add(table.name)
    assert refused >= {
        *("journal", "acceptances", "terms_versions", "invoices", "invoice_lines", "documents"),
        *("credit_entries", "arrivals", "access_events"),
    }


def test_words_are_erased_by_an_event_and_the_chain_stays_whole(app: Flask, now: datetime) -> None:
    """law.md DAT-03: who asks for it is forgotten, the proof is not."""
    Desk(now)
    with transaction() as session:
        session.execute(update(TicketMessage).values(body=""))
    assert "message 1 of TK-2026-000001 was altered" in found(app)
    with transaction() as session:
        for message in session.scalars(select(TicketMessage)):
            journal.record("ticket.erased", message, {}, now=now)
    assert found(app) == ""
