"""Invoices: one a cause, numbered without gaps, frozen, and found when tampered with (V-01)."""

import io
import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.documents import queries as documents
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.infra.numbering import Counter
from storefront.instalments import queries as instalments
from storefront.invoicing import queries, service
from storefront.invoicing.events import InvoiceIssued
from storefront.invoicing.models import Invoice, InvoiceLine
from storefront.kernel.money import Money
from storefront.notifications.models import Email
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import Order, OrderLine
from storefront.orders.rules import BuyerKind
from tests import factories
from tests.invoicing.buying import buy, pay, place
from tests.parallel import at_once
from tests.tampering import tamper

INVOICES = Invoice.__table__
LINES = InvoiceLine.__table__


def verified(app: Flask) -> tuple[int, str]:
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["journal", "verify"])
    return done.exit_code, done.output


def sentences(invoice: Invoice) -> str:
    said = "\n".join(queries.mentions_of(invoice).values())
    return said.replace("\u00a0", " ").replace("\u202f", " ")


def pdf_text(invoice: Invoice) -> str:
    stored = queries.pdf_of(invoice)
    assert stored
    reader = PdfReader(io.BytesIO(documents.with_content(stored.id).content))
    assert len(reader.pages) == 1
    text = "\n".join(page.extract_text() for page in reader.pages)
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def confirmed_orders(count: int, now: datetime) -> list[uuid.UUID]:
    """Orders whose payment is recorded and whose invoice is still to be issued."""
    with transaction():
        factories.terms(now)
        variant = factories.product(ProductKind.HOUR_PACK)
        ids = []
        for _ in range(count):
            order = factories.order(variant, now=now)
            order.confirmed_at = now
            ids.append(order.id)
    return ids


def issue(order_id: uuid.UUID, now: datetime) -> str:
    with transaction():
        service.issue_for_order(OrderConfirmed(order_id), now=now)
        invoice = queries.for_cause(order_id)
        assert invoice
        return invoice.number


@pytest.mark.usefixtures("app")
def test_a_paid_order_is_invoiced_with_what_it_sold(now: datetime):
    invoice = buy(now=now, price=15900, name="Forfait 3 heures")
    order = db.session.get_one(Order, invoice.order_id)
    [line] = invoice.lines
    assert invoice.number == "F-2026-000001"
    assert invoice.issued_on == date(2026, 11, 24)
    assert (invoice.net_minor, invoice.vat_minor, invoice.total_minor) == (13250, 2650, 15900)
    assert invoice.total == order.total
    assert (line.name, line.quantity, line.vat_rate_bp) == ("Forfait 3 heures", 1, 2000)
    assert (line.net_minor, line.vat_minor, line.gross_minor) == (13250, 2650, 15900)


@pytest.mark.usefixtures("app")
def test_seller_and_buyer_stand_as_they_were_that_day(now: datetime):
    invoice = buy(now=now)
    with transaction() as session:
        session.get_one(Order, invoice.order_id).name = "Autre Nom"
    shop, buyer = queries.parties_of(queries.get(invoice.id))
    assert buyer["name"] == "Claire Essai"
    assert buyer["postcode"] == "75011"
    assert shop["name"] == "L’Établi"
    assert shop["siren"] == "123456782"
    assert shop["vat_number"] == "FR11123456782"
    assert shop["address"]["city"] == "Angers"


@pytest.mark.usefixtures("app")
def test_instalments_stand_on_the_invoice_with_what_was_paid(now: datetime):
    invoice = buy(
        ProductKind.E_LEARNING,
        now=now,
        price=39001,
        order={"count": 3},
    )
    first, second, third = queries.schedule_of(invoice)
    assert [part.amount_minor for part in (first, second, third)] == [13001, 13000, 13000]
    assert [part.due_on for part in (first, second, third)] == [
        date(2026, 11, 24),
        date(2026, 12, 24),
        date(2027, 1, 24),
    ]
    assert (first.paid_on, second.paid_on, third.paid_on) == (date(2026, 11, 24), None, None)
    text = pdf_text(invoice)
    assert "jeudi 24 décembre 2026" in text
    assert "À prélever à cette date" in text


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("kind", "buyer", "expected", "absent"),
    [
        (
            ProductKind.E_LEARNING,
            {},
            ["article 261, 4, 4° a du CGI", "sous le numéro 52 49 00000 49", "prestation de"],
            ["pénalités", "propriété"],
        ),
        (
            ProductKind.PAPER_GUIDE,
            {},
            ["livraison de biens", "Réserve de propriété"],
            ["Exonération", "pénalités"],
        ),
        (ProductKind.PAPER_GUIDE, {"postcode": "97110"}, ["article 262, I du CGI"], ["261"]),
        (ProductKind.TEMPLATE, {"postcode": "97300"}, ["article 294, 1 du CGI"], []),
    ],
    ids=["training", "guide", "guide overseas", "template in Guyane"],
)
def test_the_invoice_says_what_the_law_wants(
    now: datetime,
    kind: ProductKind,
    buyer: dict[str, str],
    expected: list[str],
    absent: list[str],
):
    invoice = buy(kind, now=now, order={"who": factories.buyer(**buyer)})
    for words in expected:
        assert words in sentences(invoice)
    for words in absent:
        assert words not in sentences(invoice)


@pytest.mark.usefixtures("app")
def test_a_professional_reads_what_late_payment_costs_by_the_terms_they_accepted(now: datetime):
    with transaction():
        factories.terms(now, professional_interest_multiplier=4, recovery_fee_minor=3000)
        guide = factories.product(ProductKind.PAPER_GUIDE, price=3500)
        company = factories.buyer(
            BuyerKind.PROFESSIONAL, company="Ormes SAS", siren="123456782", vat_number="FR1"
        )
        order_id = factories.order(guide, now=now, quantity=3, who=company).id
    pay(order_id, now=now)
    worker.run_due(now)
    invoice = queries.for_cause(order_id)
    assert invoice
    said = sentences(invoice)
    assert "Escompte pour paiement anticipé : néant" in said
    assert "4 fois le taux de l’intérêt légal" in said
    assert "30,00 €" in said
    text = pdf_text(invoice)
    assert "Ormes SAS" in text
    assert "SIREN du client" in text


@pytest.mark.usefixtures("app")
def test_a_new_law_or_new_terms_do_not_reach_an_issued_invoice(now: datetime):
    invoice = buy(ProductKind.E_LEARNING, now=now)
    before, pdf = sentences(invoice), pdf_text(invoice)
    with transaction():
        factories.terms(now + timedelta(days=1), professional_interest_multiplier=9)
    assert sentences(queries.get(invoice.id)) == before
    assert pdf_text(queries.get(invoice.id)) == pdf


@pytest.mark.usefixtures("app")
def test_the_pdf_is_one_page_that_says_everything(now: datetime):
    invoice = buy(ProductKind.PAPER_GUIDE, now=now, price=3500, order={"quantity": 3})
    text = pdf_text(invoice)
    for words in (
        "F-2026-000001",
        "mardi 24 novembre 2026",
        "Claire Essai",
        "1 rue de l’Essai",
        "RCS Angers 123 456 782",
        "TVA FR11123456782",
        "5,5 %",
        "Total TTC",
        "111,90 €",
        "Facture acquittée",
        "SIMULATION",
        "Réserve de propriété",
    ):
        assert words in text


@pytest.mark.usefixtures("app")
def test_the_pdf_is_drawn_once_whoever_asks_again(now: datetime):
    invoice = buy(now=now)
    stored = queries.pdf_of(invoice)
    assert stored
    with transaction():
        service.store_pdf(InvoiceIssued(invoice.id), now=now + timedelta(days=300))
    again = queries.pdf_of(queries.get(invoice.id))
    assert again
    assert (again.id, again.sha256) == (stored.id, stored.sha256)
    assert again.kept_until == date(2036, 12, 31)


@pytest.mark.usefixtures("app")
def test_the_confirmation_carries_the_invoice_and_the_accepted_terms(now: datetime):
    """R-05, O-04."""
    invoice = buy(now=now)
    email = db.session.scalars(select(Email).where(Email.kind == "order_confirmation")).one()
    names = [attachment.document.filename for attachment in email.attachments]
    assert names == [f"facture-{invoice.number}.pdf", "cgv-1.pdf"]


@pytest.mark.usefixtures("app")
def test_an_order_is_invoiced_once_whoever_asks_again(now: datetime):
    [order_id] = confirmed_orders(1, now)
    assert issue(order_id, now) == issue(order_id, now + timedelta(days=2)) == "F-2026-000001"


def test_one_order_asked_for_at_the_same_moment_is_invoiced_once(app: Flask, now: datetime):
    [order_id] = confirmed_orders(1, now)
    at_once(app, lambda _: issue(order_id, now), 6)
    assert [invoice.number for invoice in queries.of_order(order_id)] == ["F-2026-000001"]
    [other] = confirmed_orders(1, now)
    assert issue(other, now) == "F-2026-000002"


def test_fifty_at_once_are_numbered_without_gaps(app: Flask, now: datetime):
    ids = confirmed_orders(50, now)
    given = at_once(app, lambda number: issue(ids[number], now), 50)
    assert sorted(map(str, given)) == [f"F-2026-{number:06d}" for number in range(1, 51)]
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 50


class Crash(Exception):
    pass


def issue_then_crash(order_id: uuid.UUID, now: datetime) -> None:
    with transaction():
        service.issue_for_order(OrderConfirmed(order_id), now=now)
        raise Crash


@pytest.mark.usefixtures("app")
def test_failing_half_way_consumes_no_number(now: datetime):
    first, second = confirmed_orders(2, now)
    with pytest.raises(Crash):
        issue_then_crash(first, now)
    assert issue(second, now) == "F-2026-000001"
    assert issue(first, now) == "F-2026-000002"


def test_failing_half_way_among_many_leaves_no_hole(app: Flask, now: datetime):
    ids = confirmed_orders(20, now)

    def work(number: int) -> str:
        if number % 4 == 0:
            issue_then_crash(ids[number], now)
        return issue(ids[number], now)

    numbers = [given for given in at_once(app, work, 20) if isinstance(given, str)]
    assert sorted(numbers) == [f"F-2026-{number:06d}" for number in range(1, 16)]


@pytest.mark.usefixtures("app")
def test_a_new_year_in_paris_begins_a_new_series(now: datetime):
    eve = datetime(2026, 12, 31, 22, 59, tzinfo=UTC)
    first, second = confirmed_orders(2, now)
    assert issue(first, eve) == "F-2026-000001"
    assert issue(second, eve + timedelta(minutes=1)) == "F-2027-000001"


@pytest.mark.usefixtures("app")
def test_dates_never_go_back_while_numbers_go_on(now: datetime):
    """Two transactions around midnight: the one that began before gets the later number."""
    midnight = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    first, second = confirmed_orders(2, now)
    issue(first, midnight + timedelta(seconds=1))
    issue(second, midnight - timedelta(seconds=1))
    dates = db.session.scalars(select(Invoice.issued_on).order_by(Invoice.sequence)).all()
    assert dates == [date(2026, 11, 25), date(2026, 11, 25)]


@pytest.mark.usefixtures("app")
def test_what_does_not_add_up_is_not_invoiced_and_takes_no_number(now: datetime):
    [order_id] = confirmed_orders(1, now)
    with transaction():
        instalments.of_order(order_id)[0].amount_minor += 1
    with pytest.raises(ValueError, match="another sum is scheduled"):
        issue(order_id, now)
    assert db.session.scalar(select(Counter).where(Counter.series == "F-2026")) is None


def month(order_id: uuid.UUID, number: int, now: datetime) -> Invoice:
    with transaction():
        line = db.session.scalars(select(OrderLine).where(OrderLine.order_id == order_id)).one()
        period = service.BilledPeriod(
            period_id=uuid.UUID(int=number),
            order_line=line,
            name="Assistance mensuelle",
            starts_on=date(2026, 12, 24),
            ends_on=date(2027, 1, 24),
            net_minor=line.net_minor,
            vat_minor=line.vat_minor,
            gross_minor=line.gross_minor,
            paid_on=date(2026, 12, 24),
        )
        return service.issue_for_period(period, now=now)


@pytest.mark.usefixtures("app")
def test_a_later_month_has_its_own_invoice_with_its_days(now: datetime):
    bought = buy(ProductKind.SUPPORT_CONTRACT, now=now, price=2900)
    later = now + timedelta(days=30)
    first = month(bought.order_id, 2, later)
    assert month(bought.order_id, 2, later).id == first.id
    second = month(bought.order_id, 3, later)
    worker.run_due(later)

    invoice = queries.get(first.id)
    assert invoice.total == Money(2900)
    assert not invoice.is_of_order
    assert {invoice.number, queries.get(second.id).number} == {"F-2026-000002", "F-2026-000003"}
    assert "Du 24 déc. 2026 au 23 janv. 2027" in pdf_text(invoice)
    assert "Facture acquittée" in pdf_text(invoice)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("table", [INVOICES, LINES], ids=lambda table: table.name)
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_an_invoice(now: datetime, table: Any, verb: str):
    buy(now=now)
    column = "net_minor"
    statement = update(table).values({column: 1}) if verb == "update" else delete(table)
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(statement)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("buyer", '{"name":"Autre"}'),
        ("seller", "{}"),
        ("mentions", "{}"),
        ("schedule", "[]"),
        ("issued_on", date(2026, 11, 23)),
        ("supplied_on", date(2026, 11, 23)),
        ("number", "F-2026-000009"),
        ("user_id", uuid.UUID(int=1)),
    ],
)
def test_an_invoice_altered_past_the_guards_is_named(
    app: Flask, now: datetime, column: str, value: object
):
    number = buy(now=now).number
    assert verified(app)[0] == 0
    tamper(update(INVOICES).values({column: value}))
    code, said = verified(app)
    assert code == 1
    named = value if column == "number" else number
    assert f"invoice {named} was altered after invoice.issued" in said


@pytest.mark.parametrize(
    ("column", "value"),
    [("name", "Autre chose"), ("quantity", 2), ("exemption", "training"), ("unit_net_minor", 1)],
)
def test_a_line_altered_past_the_guards_is_named_with_its_invoice(
    app: Flask, now: datetime, column: str, value: object
):
    buy(now=now)
    tamper(update(LINES).values({column: value}))
    code, said = verified(app)
    assert code == 1
    assert "invoice F-2026-000001 was altered after invoice.issued" in said


def test_a_line_removed_or_added_past_the_guards_is_named(app: Flask, now: datetime):
    buy(now=now)
    row = db.session.execute(select(LINES)).one()._asdict()
    tamper(insert(LINES).values(row | {"id": uuid.uuid4(), "position": 2}))
    assert "invoice F-2026-000001 was altered" in verified(app)[1]
    tamper(delete(LINES))
    assert "invoice F-2026-000001 was altered" in verified(app)[1]


def test_an_invoice_removed_past_the_guards_is_named(app: Flask, now: datetime):
    invoice_id = buy(now=now).id
    tamper(delete(LINES), delete(INVOICES))
    code, said = verified(app)
    assert code == 1
    assert f"invoices {invoice_id} was deleted" in said


def test_an_invoice_made_up_past_the_guards_is_named(app: Flask, now: datetime):
    buy(now=now)
    row = db.session.execute(select(INVOICES)).one()._asdict()
    forged = {"id": uuid.uuid4(), "number": "F-2026-000002", "sequence": 2, "cause": "forged"}
    tamper(insert(INVOICES).values(row | forged))
    code, said = verified(app)
    assert code == 1
    assert "invoice F-2026-000002 was never recorded" in said


@pytest.mark.usefixtures("app")
def test_the_journal_says_the_amounts_and_no_name(now: datetime):
    buy(now=now)
    entry = db.session.scalars(
        select(JournalEntry).where(JournalEntry.kind == "invoice.issued")
    ).one()
    facts = json.loads(entry.payload)
    assert (facts["number"], facts["total"], facts["currency"]) == ("F-2026-000001", 15900, "EUR")
    assert "Claire" not in entry.payload


@pytest.mark.usefixtures("app")
def test_nothing_is_invoiced_before_the_first_payment(now: datetime):
    order_id = place(ProductKind.HOUR_PACK, now=now, order={})
    worker.run_due(now)
    assert queries.of_order(order_id) == []
