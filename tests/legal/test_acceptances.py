"""Acceptance: everything that proves it is recorded, and nothing of it can change (R-03)."""

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.legal import queries, service
from storefront.legal.models import Acceptance, TermsVersion
from storefront.legal.rules import AcceptanceKind, TermsNotAccepted
from storefront.orders.models import Order
from tests import factories
from tests.tampering import tamper

TABLE = Acceptance.__table__


@pytest.fixture
def order_id(app: Flask, now: datetime) -> uuid.UUID:
    """An order placed under the first version, whose buyer also asked for an early start."""
    with transaction():
        factories.terms(now)
        pack = factories.product(ProductKind.HOUR_PACK)
        consents = (AcceptanceKind.EARLY_START,)
        return factories.order(pack, now=now, consents=consents).id


def verified(app: Flask) -> tuple[int, str]:
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["journal", "verify"])
    return done.exit_code, done.output


def boxes(kind: AcceptanceKind) -> list[service.AcceptedBox]:
    version = queries.by_reference("cgv")
    assert version
    return [service.AcceptedBox(kind, version, "J’accepte.")]


def test_everything_that_proves_an_acceptance_is_recorded(order_id: uuid.UUID, now: datetime):
    early, terms = sorted(queries.acceptances_of(order_id), key=lambda one: one.kind)
    order = db.session.get_one(Order, order_id)
    assert (early.kind, terms.kind) == (AcceptanceKind.EARLY_START, AcceptanceKind.TERMS)
    assert terms.order_id == order.id
    assert terms.user_id == order.user_id
    assert terms.version.reference == "cgv-1"
    assert terms.pdf_sha256 == terms.version.pdf_sha256
    assert terms.sentence == queries.parameters_of(terms.version).acceptance_sentence
    assert terms.accepted_at == now
    assert terms.ip == "127.0.0.1"
    assert terms.user_agent == "test"


def test_each_box_is_an_entry_of_the_journal_without_personal_data(order_id: uuid.UUID):
    entries = db.session.scalars(
        select(JournalEntry).where(JournalEntry.kind == "terms.accepted")
    ).all()
    assert len(entries) == 2
    assert all(entry.seal for entry in entries)
    assert not any("127.0.0.1" in entry.payload for entry in entries)


def place_without_the_terms(now: datetime, accepted: list[service.AcceptedBox]) -> None:
    with transaction():
        order = factories.order(factories.product(ProductKind.HOUR_PACK), now=now)
        service.record_acceptances(order.id, order.user_id, accepted, "127.0.0.1", "test", now=now)


@pytest.mark.parametrize("kind", [None, *list(AcceptanceKind)[1:]])
def test_no_order_exists_without_the_box_of_the_terms(
    order_id: uuid.UUID, now: datetime, kind: AcceptanceKind | None
):
    with pytest.raises(TermsNotAccepted):
        place_without_the_terms(now, boxes(kind) if kind else [])
    assert db.session.scalars(select(Order.id)).all() == [order_id]


def test_the_same_box_twice_is_one_acceptance(order_id: uuid.UUID, now: datetime):
    order = db.session.get_one(Order, order_id)
    user_id = order.user_id
    with transaction():
        service.record_acceptances(
            order_id, user_id, boxes(AcceptanceKind.TERMS), "10.0.0.1", "other", now=now
        )
    [terms] = [one for one in queries.acceptances_of(order_id) if one.kind == "terms"]
    assert terms.ip == "127.0.0.1"


@pytest.mark.parametrize(
    "statement",
    [update(TABLE).values(sentence="Rien."), update(TABLE).values(ip="::1"), delete(TABLE)],
    ids=["its sentence", "its address", "the row"],
)
def test_the_database_refuses_to_change_an_acceptance(order_id: uuid.UUID, statement: object):
    db.session.rollback()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(statement)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sentence", "Autre phrase."),
        ("ip", "10.0.0.1"),
        ("user_agent", "Autre"),
        ("pdf_sha256", "0" * 64),
        ("user_id", uuid.UUID(int=1)),
        ("order_id", uuid.UUID(int=1)),
    ],
)
def test_an_acceptance_altered_past_the_guards_is_named(
    app: Flask, order_id: uuid.UUID, column: str, value: object
):
    [terms] = [one for one in queries.acceptances_of(order_id) if one.kind == "terms"]
    accepted = terms.id
    tamper(update(TABLE).where(TABLE.c.id == accepted).values({column: value}))
    code, said = verified(app)
    assert code == 1
    assert f"acceptance {accepted} was altered after terms.accepted" in said


def test_an_acceptance_removed_past_the_guards_is_named(app: Flask, order_id: uuid.UUID):
    accepted = queries.acceptances_of(order_id)[0].id
    tamper(delete(TABLE).where(TABLE.c.id == accepted))
    code, said = verified(app)
    assert code == 1
    assert f"acceptances {accepted} was deleted" in said


def test_an_acceptance_made_up_past_the_guards_is_named(app: Flask, order_id: uuid.UUID):
    db.session.rollback()
    row = db.session.execute(select(TABLE)).first()
    assert row
    forged = uuid.uuid4()
    tamper(TABLE.insert().values(row._asdict() | {"id": forged, "kind": "digital_waiver"}))
    code, said = verified(app)
    assert code == 1
    assert f"acceptance {forged} was never recorded" in said


def test_the_accepted_pdfs_are_ready_to_travel_with_every_message(
    order_id: uuid.UUID, now: datetime
):
    version = db.session.scalars(select(TermsVersion)).one()
    assert queries.accepted_documents(order_id) == [version.pdf_id]


def test_an_order_keeps_the_terms_that_it_accepted(order_id: uuid.UUID, now: datetime):
    """R-01, R-02: a figure changed since binds later orders only."""
    later = now + timedelta(days=10)
    with transaction():
        factories.terms(later, hour_pack_validity_months=6, withdrawal_days=30)
        newer = factories.order(factories.product(ProductKind.HOUR_PACK), now=later).id

    before = db.session.get_one(Order, order_id).terms_version
    after = db.session.get_one(Order, newer).terms_version
    assert queries.parameters_of(before).hour_pack_validity_months == 12
    assert queries.parameters_of(after).hour_pack_validity_months == 6
    assert queries.accepted_documents(order_id) == [before.pdf_id]
    assert queries.accepted_documents(newer) == [after.pdf_id]
    assert "de 30\u00a0jours" in queries.parameters_of(after).early_start_sentence
