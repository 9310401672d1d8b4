"""Credit notes: one a refund, at the rates of the invoice, exact to the cent (M-10, INV-02)."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind, VatClass
from storefront.documents import queries as documents
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.invoicing import queries, rules, service
from storefront.invoicing.models import CreditNote, CreditNoteLine
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.payments import service as payments
from storefront.payments.events import RefundSucceeded
from storefront.payments.models import Payment, Refund
from tests import factories
from tests.parallel import at_once
from tests.payments.paid import Counter, cause, the


@pytest.fixture
def counter(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "stripe", now)


def given_back(payment_id: uuid.UUID, minor: int, now: datetime, **decision) -> uuid.UUID:
    """A refund, and everything that follows."""
    with transaction():
        decided = cause(**decision)
        refund_id = payments.reserve_refund(payment_id, minor, decided, now=now).id
    worker.run_due(now + timedelta(minutes=2))
    db.session.rollback()
    return refund_id


def notes() -> list[CreditNote]:
    db.session.rollback()
    return list(db.session.scalars(select(CreditNote).order_by(CreditNote.number)))


def emails(kind: str) -> list[Email]:
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def text_of(note: CreditNote) -> str:
    stored = queries.pdf_of_credit_note(note)
    reader = PdfReader(io.BytesIO(documents.with_content(stored.id).content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_refund_of_invoiced_money_ends_in_a_credit_note_sent_to_its_payer(counter, now):
    paid = counter.sold(15900)
    worker.run_due(now)
    refund_id = given_back(paid, 15900, now)

    [note] = notes()
    invoice = queries.for_cause(note.order_id)
    assert (note.number, note.cause) == ("A-2026-000001", f"refund:{refund_id}")
    assert (note.net_minor, note.vat_minor, note.total_minor) == (13250, 2650, 15900)
    assert note.total_minor == invoice.total_minor
    [email] = emails("refund_done")
    assert [one.document.filename for one in email.attachments] == ["avoir-A-2026-000001.pdf"]
    assert "159,00 €" in email.text.replace("\u202f", " ").replace("\u00a0", " ")
    said = text_of(note)
    for part in ("Avoir", "A-2026-000001", f"{invoice.number} du mardi 24 novembre 2026", "159,00"):
        assert part in said, part
    assert "SIMULATION" in said
    assert "Escompte" not in said


def test_the_news_told_again_issues_no_second_credit_note(app, counter, now):
    paid = counter.sold()
    worker.run_due(now)
    refund_id = given_back(paid, 5000, now)

    def again(_: int) -> None:
        with transaction():
            service.credit_refund(RefundSucceeded(refund_id), now=now)

    assert at_once(app, again, 3) == [None] * 3
    worker.run_due(now)
    assert len(notes()) == 1
    assert len(emails("refund_done")) == 1


def test_chosen_lines_are_credited_and_nothing_else(counter, now):
    paid = counter.sold(2400, kind=ProductKind.PAPER_GUIDE, quantity=2)
    worker.run_due(now)
    order_id = the(Payment, paid).order_id
    order = db.session.get_one(Order, order_id)
    shipping = next(line for line in order.lines if line.kind is None)
    line_id, amount = shipping.id, shipping.gross_minor
    given_back(paid, amount, now, parts=((line_id, amount),))

    [note] = notes()
    assert [line.name for line in note.lines] == ["Livraison"]
    assert (note.vat_minor, note.total_minor) == (shipping.vat_minor, shipping.gross_minor)


def test_credited_in_parts_an_invoice_ends_at_exactly_its_own_tax(counter, now):
    paid = counter.sold(2500, kind=ProductKind.PAPER_GUIDE, quantity=3)
    worker.run_due(now)
    left = the(Payment, paid).taken_minor
    while left:
        part = min(left, 1117)
        given_back(paid, part, now)
        left -= part

    issued = notes()
    invoice = queries.get(issued[0].invoice_id)
    assert sum(note.total_minor for note in issued) == invoice.total_minor
    assert sum(note.vat_minor for note in issued) == invoice.vat_minor
    assert [note.sequence for note in issued] == list(range(1, len(issued) + 1))
    by_line = queries.credited_by_line(invoice.id)
    assert by_line == {line.id: (line.gross_minor, line.vat_minor) for line in invoice.lines}


def test_pro_rata_shares_add_up_to_the_cent():
    lines = [
        rules.InvoicedLine(3333, 173),
        rules.InvoicedLine(1, 0),
        rules.InvoicedLine(6666, 1111),
    ]
    for amount in (1, 2, 3, 997, 4999, 9999, 10000, 12000):
        parts = rules.credit(lines, amount, [0, 0, 0])
        assert sum(gross for gross, _ in parts) == min(amount, 10000)
        for (gross, vat), line in zip(parts, lines, strict=True):
            assert 0 <= gross <= line.gross_minor
            assert 0 <= vat <= line.vat_minor


def test_what_was_chosen_beyond_a_line_goes_to_the_others():
    lines = [rules.InvoicedLine(1000, 0), rules.InvoicedLine(500, 0, credited_minor=400)]
    assert rules.credit(lines, 1100, [0, 300]) == [(1000, 0), (100, 0)]
    assert rules.credit(lines, 50, [900, 0]) == [(50, 0), (0, 0)]


def test_a_training_is_credited_without_tax_and_with_its_article(counter, now):
    paid = counter.sold(39000, kind=ProductKind.E_LEARNING)
    worker.run_due(now)
    given_back(paid, 10000, now)

    [note] = notes()
    assert (note.net_minor, note.vat_minor) == (10000, 0)
    assert "261" in text_of(note)


def test_numbers_follow_one_another_whatever_happens_at_once(app, counter, now):
    payments_made = [counter.sold(price=2000 + n) for n in range(4)]
    worker.run_due(now)
    for paid in payments_made:
        with transaction():
            payments.reserve_refund(paid, 1000, cause(), now=now)
    at_once(app, lambda _: worker.run_due(now + timedelta(minutes=2)), 3)
    worker.run_due(now + timedelta(minutes=10))

    assert [note.sequence for note in notes()] == [1, 2, 3, 4]


def test_a_refund_in_january_opens_the_year_s_own_series(counter, now):
    paid = counter.sold()
    worker.run_due(now)
    # 23:30 UTC on 31 December is January in Paris.
    given_back(paid, 1000, datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    assert [note.number for note in notes()] == ["A-2027-000001"]


def test_money_that_no_invoice_asked_for_goes_back_without_a_credit_note(counter, now):
    paid = counter.sold()
    worker.run_due(now)
    again = counter.pay(the(Payment, paid).order_id)
    worker.run_due(now)
    with transaction():
        [proposed] = db.session.scalars(select(Refund)).all()
        payments.approve(proposed, asked_by=None, now=now)
    worker.run_due(now + timedelta(minutes=2))

    assert the(Refund, proposed.id).payment_id == again
    assert notes() == []
    [email] = emails("refund_done")
    assert email.attachments == []


def test_a_credit_note_is_never_changed_and_its_seal_is_in_the_journal(app, counter, now):
    paid = counter.sold()
    worker.run_due(now)
    given_back(paid, 1000, now)
    [note] = notes()
    entry = db.session.scalars(
        select(JournalEntry).where(JournalEntry.kind == "credit_note.issued")
    ).one()
    assert entry.subject_id == note.id
    assert entry.seal
    for table in (CreditNote, CreditNoteLine):
        for statement in (delete(table), update(table).values(net_minor=0)):
            with pytest.raises(DatabaseError, match="append-only"), transaction() as session:
                session.execute(statement)
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["journal", "verify"])
    assert done.exit_code == 0


def test_no_tax_is_lost_on_a_line_with_the_standard_rate(counter, now):
    with transaction():
        factories.terms(now)
        variant = factories.product(price=999, vat_class=VatClass.STANDARD)
    paid = counter.sold(variant=variant)
    worker.run_due(now)
    for part in (333, 333, 333):
        given_back(paid, part, now)

    issued = notes()
    invoice = queries.get(issued[0].invoice_id)
    assert [note.vat_minor for note in issued] == [56, 55, 56]
    assert sum(note.vat_minor for note in issued) == invoice.vat_minor
