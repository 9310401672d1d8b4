"""The demo, once loaded: complete, in the past, true to the shop's own rules."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront import worker
from storefront.catalogue.models import Product, Variant
from storefront.catalogue.rules import ProductKind
from storefront.demo import people
from storefront.identity.models import User
from storefront.infra import clock, jobs, journal, outbox
from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.legal.models import TermsVersion
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders.models import Order, OrderStatus
from storefront.payments.models import Payment
from storefront.tickets.models import Ticket
from storefront.tickets.rules import TicketStatus
from tests.demo.conftest import Demo

pytestmark = [pytest.mark.slow, pytest.mark.once]


def steps_of(kind: str) -> int:
    return sum(kind in given for person in people.people() for given in person.story)


def test_it_sells_what_it_should(demo: Demo) -> None:
    kinds = Counter(db.session.scalars(select(Product.kind)))

    assert kinds[ProductKind.E_LEARNING] + kinds[ProductKind.CLASSROOM_TRAINING] == 8
    assert kinds[ProductKind.PAPER_GUIDE] == kinds[ProductKind.DIGITAL_PRODUCT] == 4
    assert kinds[ProductKind.TEMPLATE] == 2
    assert kinds[ProductKind.HOUR_PACK] == 4
    assert kinds[ProductKind.PLAN] == 5
    assert all(kinds[kind] for kind in ProductKind)
    bundle = db.session.scalars(select(Product).where(Product.kind == ProductKind.BUNDLE)).one()
    assert [item.item.kind for item in bundle.bundle_items] == [ProductKind.E_LEARNING] * 2
    assert len(bundle.features["lessons"]) == 2


def test_sessions_are_on_days_when_the_shop_is_open(demo: Demo) -> None:
    hours = demo.app.extensions["seller"].opening_hours
    sessions = [one.session for one in db.session.scalars(select(Variant)) if one.session]

    assert len(sessions) == 10
    for session in sessions:
        assert session.starts_at > clock.now()
        assert hours.is_open_on(session.starts_at.date())
        assert hours.is_open_on(session.ends_at.date())


def test_every_story_is_told_once_although_the_loading_was_interrupted(demo: Demo) -> None:
    statuses = Counter(db.session.scalars(select(Order.status)))
    assert statuses == {OrderStatus.CONFIRMED: steps_of("buys")}
    assert db.session.scalar(select(func.count()).select_from(Ticket)) == steps_of("subject")
    taken = demo.sandbox.control("ledger")
    assert len(taken["stripe"]["taken"]) + len(taken["paypal"]["taken"]) == db.session.scalar(
        select(func.count())
        .select_from(Payment)
        .where(Payment.provider != "offline", Payment.settled_at.is_not(None))
    )


def test_tickets_stand_in_every_state(demo: Demo) -> None:
    assert set(db.session.scalars(select(Ticket.status))) == set(TicketStatus)


def test_it_happened_in_order_of_time_and_in_the_past(demo: Demo) -> None:
    """An act that read the real clock would stand out of line in the journal."""
    instants = list(db.session.scalars(select(JournalEntry.at).order_by(JournalEntry.seq)))

    assert instants == sorted(instants)
    assert instants[0] < clock.now() - timedelta(days=500)
    assert instants[-1] <= clock.now()


def test_older_orders_keep_the_first_version_of_the_terms(demo: Demo) -> None:
    """R-02."""
    second = db.session.scalars(
        select(TermsVersion).where(TermsVersion.document == "cgv", TermsVersion.number == 2)
    ).one()
    orders = list(db.session.scalars(select(Order)))

    assert {order.terms_version.number for order in orders} == {1, 2}
    for order in orders:
        assert (order.placed_at >= second.published_at) == (order.terms_version_id == second.id)


def test_nothing_is_left_to_do(demo: Demo) -> None:
    due = [outbox.next_due(), *(job.next_due() for job in jobs.registered())]
    late = [instant for instant in due if instant is not None and instant <= clock.now()]

    assert late == []
    assert not worker.run_due(clock.now())
    assert set(db.session.scalars(select(OutboxEntry.status))) == {OutboxStatus.DONE}
    assert set(db.session.scalars(select(Email.status))) == {EmailStatus.SENT}
    assert demo.complaints.heard == []


def test_the_proof_holds(demo: Demo) -> None:
    assert list(journal.verify()) == []
    assert "every seal holds" in demo.run("journal", "verify")


def test_the_journal_names_nobody(demo: Demo) -> None:
    """Personal data by reference only, so that erasure leaves the chain whole (law.md DAT-03)."""
    told = "\n".join(db.session.scalars(select(JournalEntry.payload)))
    personal = {
        *db.session.scalars(select(User.name)),
        *db.session.scalars(select(User.email)),
        *db.session.scalars(select(Order.name)),
        *db.session.scalars(select(Order.street)),
        *db.session.scalars(select(Order.phone)),
    } - {""}

    assert len(personal) > 50
    assert "@" not in told
    assert {one for one in personal if one in told} == set()


def test_it_is_the_present_again_here_and_at_the_providers(demo: Demo) -> None:
    present = demo.sandbox.control("clock")["now"]

    assert present[:10] == clock.now().isoformat()[:10]
    assert demo.sandbox.control("webhooks")["mode"]["drop"] is False


def test_loading_again_changes_nothing(demo: Demo) -> None:
    before = journal.length()

    assert "there already" in demo.run("demo", "load")
    assert journal.length() == before


def test_whoever_is_printed_can_sign_in(demo: Demo) -> None:
    said = demo.run("demo", "sign-ins")
    known = [person for person in people.people() if person.signs_in]

    assert len(known) == 5
    for person in known:
        assert person.email in said
        browser = demo.app.test_client()
        form = {"email": person.email, "password": people.PASSWORD}
        answer = browser.post("/connexion", data=form)
        assert answer.status_code == 302, answer.text
        if person.user().is_staff:
            code = demo.run("demo", "code", person.email).strip()
            answer = browser.post("/connexion/code", data={"code": code})
            assert answer.location == "/gestion", answer.text
    assert people.PASSWORD in said


def test_the_code_of_somebody_without_one_is_refused_in_words(demo: Demo) -> None:
    done = demo.app.test_cli_runner().invoke(args=["demo", "code", "personne@exemple.example"])

    assert done.exit_code == 1
    assert "no second factor" in done.output


def test_every_plan_says_what_it_opens_in_french(demo: Demo) -> None:
    """C-08: no code shows on the page, in either currency."""
    browser = demo.app.test_client()
    for query in ("", "?devise=MAD"):
        page = browser.get(f"/offres{query}").text
        for plan in db.session.scalars(select(Product).where(Product.kind == ProductKind.PLAN)):
            for code in (*plan.features["entitlements"], *plan.features["limits"]):
                assert f">{code}<" not in page
