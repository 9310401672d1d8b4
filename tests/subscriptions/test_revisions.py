"""A new price or new terms: told, waited for, then applied to who was told (R-06, MRE-05)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront import worker
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.notifications.models import Email
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import jobs, queries, service
from storefront.subscriptions.models import (
    Announcement,
    NoticeStatus,
    Subscription,
    SubscriptionStatus,
    VersionNotice,
)
from storefront.subscriptions.rules import NotTold
from storefront.subscriptions.service import DecisionClosed
from tests import factories, paying
from tests.parallel import at_once
from tests.subscriptions.telling import (
    announced,
    at,
    emails,
    live,
    new_terms,
    notice,
    paid,
    staff,
    subscribe,
    the,
    told,
)

START = at("2027-01-10")


def test_nothing_changes_for_who_runs_when_the_catalogue_does(app: Flask) -> None:
    """C-05: a version that nobody announced reaches nobody."""
    one = subscribe(START)
    with transaction():
        product = db.session.get_one(
            factories.Product, db.session.get_one(Subscription, one).version.product_id
        )
        product.price_minor = 19900
        service.publish_version(product, now=START)

    live(at("2027-02-10"))

    assert paid(one) == [("2027-01-10", 15900), ("2027-02-10", 15900)]


@pytest.mark.parametrize(
    ("told_at", "prices"),
    [
        # Thirty days before 10 March is 8 February: to its last minute in Paris.
        (at("2027-02-08", "23:59"), [15900, 15900, 19900, 19900]),
        (at("2027-02-09", "00:00"), [15900, 15900, 15900, 19900]),
    ],
)
def test_a_new_price_waits_thirty_days_to_the_day(
    app: Flask, told_at: datetime, prices: list[int]
) -> None:
    one = subscribe(START)
    told(one, told_at, price=19900)

    live(at("2027-04-10"))

    assert [price for _, price in paid(one)] == prices
    assert notice(one).status is NoticeStatus.APPLIED


def test_the_message_says_the_day_the_prices_and_the_way_out(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)

    (message,) = emails("plan_change")
    text = message.text.replace("\u202f", " ").replace("\xa0", " ")
    assert "mercredi 10 mars 2027" in text
    assert "159,00 €" in text
    assert "199,00 €" in text
    assert "jusqu’au mardi 9 mars 2027 inclus" in text
    assert "Un changement." in text
    assert notice(one).sent_at == at("2027-01-20")


def test_a_message_that_left_late_moves_the_day(app: Flask) -> None:
    """The worker slept for three weeks: announced for 10 March, told on 20 February."""
    one = subscribe(START)
    announced(one, at("2027-01-30"), price=19900)
    jobs.announce_changes(at("2027-01-30"))
    assert notice(one).applies_on == date(2027, 3, 10)

    live(at("2027-02-20"))

    assert notice(one).applies_on == date(2027, 4, 10)
    live(at("2027-04-10"))
    assert [price for _, price in paid(one)] == [15900, 15900, 15900, 19900]


def test_who_was_not_told_keeps_the_old_price(app: Flask) -> None:
    """The mail server never took the message: its subscriber is not asked for more."""
    one = subscribe(START)
    with transaction():
        the_order = db.session.get_one(Subscription, one).order
        the_order.email = "claire\n@exemple.example"
    announced(one, at("2027-01-15"), price=19900)
    live(at("2027-01-15"))
    for hours in range(0, 60, 6):
        live(at("2027-01-16") + timedelta(hours=hours))
    with transaction():
        found = db.session.scalars(select(Email).where(Email.kind == "plan_change")).one()
        assert found.sent_at is None

    live(at("2027-05-10"))

    assert {price for _, price in paid(one)} == {15900}
    today = date(2027, 5, 10)
    assert queries.ahead(the(one), today) == []


def test_who_subscribes_in_between_keeps_the_price_of_their_order(app: Flask) -> None:
    one = subscribe(START)
    announced(one, at("2027-01-15"), price=19900)
    with transaction():
        db.session.get_one(Subscription, one).created_at = at("2027-01-16")

    live(at("2027-04-10"))

    assert {price for _, price in paid(one)} == {15900}
    assert emails("plan_change") == []


def test_two_announcements_one_after_the_other(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)
    told(one, at("2027-02-20"), price=21900)

    live(at("2027-05-10"))

    assert [price for _, price in paid(one)] == [15900, 15900, 19900, 21900, 21900]


def test_of_two_for_the_same_day_the_later_one_holds(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)
    told(one, at("2027-01-25"), price=17900)

    live(at("2027-04-10"))

    assert [price for _, price in paid(one)] == [15900, 15900, 17900, 17900]
    assert the(one).version.number == 3


def test_a_lower_price_is_told_and_holds_at_once(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-02-09"), price=9900)

    live(at("2027-02-10"))

    assert paid(one)[-1] == ("2027-02-10", 9900)
    (message,) = emails("plan_change")
    assert "Arrêtez sans frais" not in message.text
    with transaction(), pytest.raises(DecisionClosed):
        service.stop_before(notice(one).id, today=date(2027, 2, 9), now=at("2027-02-09"))


def test_a_subscriber_stops_before_the_change_at_no_cost(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)
    with transaction():
        service.stop_before(notice(one).id, today=date(2027, 3, 9), now=at("2027-03-09"))
        service.stop_before(notice(one).id, today=date(2027, 3, 9), now=at("2027-03-09"))
    live(at("2027-03-09"))
    assert the(one).ends_on == date(2027, 3, 10)
    assert "mardi 9 mars 2027" in emails("subscription_left")[0].text

    live(at("2027-03-10"))

    assert the(one).status is SubscriptionStatus.ENDED
    assert paid(one) == [("2027-01-10", 15900), ("2027-02-10", 15900)]


def test_a_subscriber_who_thinks_again_goes_on_with_the_change(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)
    today = date(2027, 2, 1)
    with transaction():
        service.stop_before(notice(one).id, today=today, now=at("2027-02-01"))
    with transaction():
        service.go_on_with(notice(one).id, today=today, now=at("2027-02-01"))

    assert the(one).ends_on is None
    live(at("2027-03-10"))
    assert paid(one)[-1] == ("2027-03-10", 19900)
    with transaction(), pytest.raises(DecisionClosed):
        service.stop_before(notice(one).id, today=date(2027, 3, 10), now=at("2027-03-10"))


def test_of_two_changes_refused_one_taken_back_still_ends_it(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)
    first = notice(one).id
    new_terms(at("2027-01-21"), subscription_grace_days=14)
    second = notice(one).id
    today, now = date(2027, 2, 1), at("2027-02-01")

    ends = []
    for act, which in (
        (service.stop_before, first),
        (service.stop_before, second),
        (service.go_on_with, first),
        (service.go_on_with, second),
    ):
        with transaction():
            act(which, today=today, now=now)
        ends.append(the(one).ends_on)

    stop = date(2027, 3, 10)
    assert ends == [stop, stop, stop, None]


def test_a_consumer_bound_to_a_term_without_renewal_is_not_told(app: Flask) -> None:
    """SUB-05, R212-1, 3°: the reason stands on the row."""
    one = subscribe(START, {"commitment_months": 12}, buyer=BuyerKind.CONSUMER)
    told(one, at("2027-02-01"), price=19900)

    assert (notice(one).status, notice(one).reason) == (NoticeStatus.VOID, NotTold.COMMITTED)
    assert emails("plan_change") == []


def test_a_term_that_is_renewed_takes_the_new_price_at_its_end_only(app: Flask) -> None:
    one = subscribe(START, {"commitment_months": 3, "renewal": "tacit"})
    told(one, at("2027-01-20"), price=19900)
    assert notice(one).applies_on == date(2027, 4, 10)

    live(at("2027-05-10"))

    assert [price for _, price in paid(one)] == [15900, 15900, 15900, 19900, 19900]
    assert the(one).committed_until == date(2027, 7, 10)


def test_what_was_free_stays_free(app: Flask) -> None:
    one = subscribe(START)
    with transaction():
        free = db.session.get_one(Subscription, one)
        free.net_minor = free.vat_minor = free.gross_minor = 0
    told(one, at("2027-01-20"), price=19900)

    assert notice(one).reason is NotTold.FREE


def test_who_could_not_be_told_is_looked_at_again_when_it_is_announced_once_more(
    app: Flask,
) -> None:
    one = subscribe(START)
    with transaction():
        db.session.get_one(Subscription, one).ends_on = date(2027, 2, 10)
    told(one, at("2027-01-20"), price=19900)
    assert notice(one).reason is NotTold.ENDING
    with transaction():
        db.session.get_one(Subscription, one).ends_on = None

    with transaction():
        version = db.session.get_one(VersionNotice, notice(one).id).to_version
        assert version is not None
        service.announce(version, ["Encore."], announced_by=staff(START), now=at("2027-01-25"))
    live(at("2027-01-25"))

    assert (notice(one).status, notice(one).reason) == (NoticeStatus.ANNOUNCED, None)
    live(at("2027-03-10"))
    assert paid(one)[-1] == ("2027-03-10", 19900)


def test_every_subscriber_is_told_once_whatever_is_killed(app: Flask) -> None:
    """Killed after one of three, then two workers at once: three rows, three messages."""
    first = subscribe(START, {"family": None})
    with transaction():
        model = db.session.get_one(Subscription, first)
        for _ in range(2):
            copy_of(model)
    announced(first, at("2027-01-20"), price=19900)
    announcement = db.session.scalars(select(Announcement)).one()
    announcement_id = announcement.id
    left = queries.left_of(announcement)
    assert len(left) == 3
    with transaction():
        service.tell(announcement_id, left[0], now=at("2027-01-20"))
    seen = queries.progress(db.session.get_one(Announcement, announcement_id))
    assert (seen.left, seen.told, seen.sent) == (2, 1, 0)
    db.session.rollback()

    at_once(app, lambda _number: jobs.announce_changes(at("2027-01-20")), 2)
    live(at("2027-01-20"))

    assert db.session.scalar(select(func.count()).select_from(VersionNotice)) == 3
    assert len(emails("plan_change")) == 3
    seen = queries.progress(db.session.get_one(Announcement, announcement_id))
    assert (seen.left, seen.told, seen.sent, seen.failed) == (0, 3, 3, 0)
    assert db.session.get_one(Announcement, announcement_id).completed_at is not None
    made = select(func.count()).where(JournalEntry.kind == "notice.announced")
    assert db.session.scalar(made) == 3


def copy_of(model: Subscription) -> None:
    """Another subscriber of the same plan."""
    variant = db.session.get_one(factories.Variant, model.order_line.variant_id)
    order = factories.order(variant, now=START, who=factories.buyer(BuyerKind.PROFESSIONAL))
    kept = {
        column.key: getattr(model, column.key)
        for column in Subscription.__table__.columns
        if column.key not in ("id", "order_id", "order_line_id")
    }
    db.session.add(
        Subscription(id=uuid.uuid4(), order_id=order.id, order_line_id=order.lines[0].id, **kept)
    )


def test_new_terms_reach_a_subscriber_with_their_next_renewal(app: Flask) -> None:
    """R-06: the grace days of the new version count from then on, and its PDF was attached."""
    one = subscribe(START)
    version = new_terms(at("2027-01-20"), subscription_grace_days=14)

    (message,) = emails("terms_change")
    assert [one.document_id for one in message.attachments] == [version.pdf_id]
    live(at("2027-02-10"))
    assert the(one).terms_version_id == the(one).order.terms_version_id
    live(at("2027-03-10"))

    assert the(one).terms_version_id == version.id
    assert the(one).order.terms_version_id != version.id


def test_new_terms_set_the_grace_of_what_is_unpaid_after_them(app: Flask) -> None:
    one = subscribe(START)
    new_terms(at("2027-01-11"), subscription_grace_days=14)

    worker.run_due(at("2027-02-10"))

    assert the(one).suspend_at == the(one).past_due_since + timedelta(days=14)


def test_a_plan_that_was_left_meanwhile_is_not_repriced(app: Flask) -> None:
    one = subscribe(START)
    told(one, at("2027-01-20"), price=19900)
    with transaction():
        other = factories.product(paying.ProductKind.PLAN).product
        subscription = db.session.get_one(Subscription, one)
        subscription.version = service.publish_version(other, now=at("2027-02-01"))

    live(at("2027-03-10"))

    assert {price for _, price in paid(one)} == {15900}
    assert notice(one).status is NoticeStatus.VOID
