"""Going up at once and paying the difference, going down with the next period (B-07)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.arrears import queries as arrears
from storefront.demo.travel import live_through
from storefront.fulfilment.events import SupplyRevoked
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.instalments import queries as owed
from storefront.instalments import service as instalments
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.service import PaymentUnderWay
from storefront.invoicing.models import Invoice
from storefront.kernel.calendar import paris_date
from storefront.legal.models import Acceptance, AcceptanceKind
from storefront.notifications.models import Email
from storefront.payments import service as payments
from storefront.payments.models import Payment, Refund, RefundReason
from storefront.payments.providers.base import OutcomeStatus, RefundOutcome, RefundStatus
from storefront.refunds import service as giving
from storefront.refunds.service import Decision
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import (
    ChangeStatus,
    NoticeStatus,
    Subscription,
    SubscriptionStatus,
    VersionNotice,
)
from storefront.subscriptions.rules import Ground, Hindrance
from storefront.subscriptions.service import ChangeRecomputed, ChangeRefused
from storefront.subscriptions.service.months import open_month
from tests.subscriptions.plans import (
    changes,
    choice,
    choose,
    money_comes,
    page_closes,
    periods,
    product,
    provider_says,
    subscribe,
    subscription,
)

# Half of the period of 24 November to 24 December is over.
HALF = datetime.fromisoformat("2026-12-09T00:00:00+01:00")
EVE = datetime.fromisoformat("2026-12-23T23:50:00+01:00")
MIDNIGHT = datetime.fromisoformat("2026-12-24T00:10:00+01:00")
MORNING = datetime.fromisoformat("2026-12-24T06:00:00+01:00")


def may(right: str, now: datetime) -> bool:
    found = subscription()
    return queries.may(found.user_id, right, now)


def emails(kind: str) -> list[Email]:
    db.session.rollback()
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def invoices() -> list[Invoice]:
    db.session.rollback()
    return list(db.session.scalars(select(Invoice).order_by(Invoice.number)))


def refunds() -> list[Refund]:
    db.session.rollback()
    return list(db.session.scalars(select(Refund)))


def refused(slug: str, now: datetime) -> Hindrance:
    with pytest.raises(ChangeRefused) as why:
        choose(slug, now)
    reason: Hindrance = why.value.details["reason"]
    return reason


def upgraded(now: datetime, slug: str = "premium") -> None:
    """Claire goes up and pays at once."""
    money_comes(choose(slug, now).instalment_id, now)


# Up


def test_an_upgrade_changes_nothing_before_it_is_paid(app: Flask, now: datetime):
    subscribe("essentiel", now)

    change = choose("premium", HALF)

    assert (change.net_minor, change.vat_minor, change.gross_minor) == (1500, 300, 1800)
    assert change.status is ChangeStatus.AWAITING_PAYMENT
    assert subscription().name == "Essentiel"
    assert not may("calendar", HALF)


def test_a_paid_upgrade_opens_the_new_plan_at_once(app: Flask, now: datetime):
    subscribe("essentiel", now)

    upgraded(HALF)

    found = subscription()
    assert (found.name, found.net_minor, found.gross_minor) == ("Premium", 4900, 5880)
    assert found.version.features["rank"] == 2
    assert may("calendar", HALF)
    assert queries.limit(found.user_id, "photos", HALF) is None
    (change,) = changes()
    assert (change.status, change.done_at, change.effective_on) == (
        ChangeStatus.DONE,
        HALF,
        date(2026, 12, 9),
    )


def test_what_it_cost_is_invoiced_and_sent_once(app: Flask, now: datetime):
    subscribe("essentiel", now)

    upgraded(HALF)
    worker.run_due(HALF)

    assert len(invoices()) == 2
    invoice = invoices()[-1]
    line = invoice.lines[0]
    assert (invoice.net_minor, invoice.vat_minor, invoice.total_minor) == (1500, 300, 1800)
    assert line.name == "Passage à Premium (avant : Essentiel)"
    assert (line.supplied_from, line.supplied_to) == (date(2026, 12, 9), date(2026, 12, 23))
    (email,) = emails("plan_changed")
    assert "l’agenda" in email.text
    assert "58,80" in email.text
    assert len(email.attachments) == 1
    assert emails("subscription_month") == []
    assert list(journal.verify()) == []


def test_what_was_read_above_the_button_is_kept_each_time(app: Flask, now: datetime):
    subscribe("essentiel", now)
    upgraded(HALF)
    choose("essentiel", HALF)

    db.session.rollback()
    kept = db.session.scalars(
        select(Acceptance).where(Acceptance.kind == AcceptanceKind.PLAN_CHANGE)
    ).all()
    assert len(kept) == 2
    assert {one.about for one in kept} == {f"change:{one.id}" for one in changes()}
    order = subscription().order
    assert {one.version_id for one in kept} == {order.terms_version_id}
    assert {(one.sentence, one.ip) for one in kept} == {("Je change d’offre.", "127.0.0.1")}


def test_the_next_period_costs_the_new_price(app: Flask, now: datetime):
    subscribe("essentiel", now)
    upgraded(HALF)

    worker.run_due(MORNING)

    assert [one.gross_minor for one in periods()] == [2280, 5880]


def test_two_upgrades_in_one_period_add_up(app: Flask, now: datetime):
    """The document's example: 15.00, then 13.33; 47.33 in all for the period."""
    subscribe("essentiel", now)
    upgraded(HALF)

    upgraded(datetime.fromisoformat("2026-12-16T00:00:00+01:00"), "atelier")

    assert [one.net_minor for one in changes()] == [1500, 1333]
    assert subscription().name == "Atelier"


def test_what_was_given_back_is_not_credited_again(app: Flask, now: datetime):
    """The first period was refunded: its unused half is worth nothing any more."""
    subscribe("essentiel", now)
    order_id = subscription().order_id
    with transaction():
        decision = Decision(2280, RefundReason.GOODWILL, uuid.uuid4(), None)
        (refund,) = giving.refund_order(order_id, decision, asked_by=None, now=now)
        told = RefundOutcome(RefundStatus.SUCCEEDED, "re_1", refund.amount)
        payments.record_refund(refund, told, now=now)
    worker.run_due(now)

    assert choose("premium", HALF).net_minor == 2450


def test_an_upgrade_in_the_last_minute_costs_nothing_and_is_done_at_once(app: Flask, now: datetime):
    subscribe("essentiel", now)

    change = choose("premium", MIDNIGHT - timedelta(minutes=10, seconds=30))
    worker.run_due(MIDNIGHT)

    assert (change.status, change.instalment_id) == (ChangeStatus.DONE, None)
    assert subscription().name == "Premium"
    assert len(invoices()) == 1
    (email,) = emails("plan_changed")
    assert email.attachments == []


def test_the_amount_that_was_shown_is_the_amount_that_is_paid(app: Flask, now: datetime):
    subscribe("essentiel", now)

    change = choose("premium", HALF + timedelta(minutes=29), shown=HALF)

    assert (change.net_minor, change.counted_from) == (1500, HALF)


@pytest.mark.parametrize(
    "shown", [HALF - timedelta(minutes=30), HALF + timedelta(seconds=1), HALF - timedelta(days=20)]
)
def test_an_old_page_or_a_second_to_come_is_shown_anew(app: Flask, now: datetime, shown: datetime):
    subscribe("essentiel", now)

    with pytest.raises(ChangeRecomputed):
        choose("premium", HALF, shown=shown)

    assert changes() == []


def test_a_price_that_changed_since_the_page_is_shown_anew(app: Flask, now: datetime):
    subscribe("essentiel", now)
    seen = choice("premium", HALF)
    with transaction():
        product("premium").price_minor = 5900

    with pytest.raises(ChangeRecomputed), transaction():
        service.choose(subscription_id(), seen, expires_at=HALF, now=HALF)


def subscription_id() -> Any:
    return db.session.scalars(select(Subscription.id)).one()


def test_a_later_price_of_the_catalogue_does_not_touch_what_was_accepted(app: Flask, now: datetime):
    """C-05: the scheduled plan costs what was shown."""
    subscribe("premium", now)
    choose("essentiel", HALF)
    with transaction():
        product("essentiel").price_minor = 9900
        product("essentiel").on_sale = False

    worker.run_due(MORNING)

    assert subscription().net_minor == 1900


# Not paid


def test_an_upgrade_that_is_not_paid_lapses_and_leaves_nothing(app: Flask, now: datetime):
    subscribe("essentiel", now)
    change = choose("premium", HALF)

    page_closes(change.instalment_id, HALF + timedelta(minutes=31))

    (lapsed,) = changes()
    assert lapsed.status is ChangeStatus.LAPSED
    owing = db.session.get_one(Instalment, change.instalment_id)
    assert owing.status is InstalmentStatus.CANCELLED
    assert subscription().name == "Essentiel"
    assert len(invoices()) == 1
    assert choose("premium", HALF + timedelta(hours=1)).status is ChangeStatus.AWAITING_PAYMENT


def test_it_is_never_debited_announced_or_chased(
    app: Flask, now: datetime, sandbox: RunningSandbox
):
    subscribe("essentiel", now)
    change = choose("premium", HALF, page=False)
    user_id = subscription().user_id

    assert owed.to_charge(date(2027, 1, 1)) == []
    assert owed.to_announce(date(2027, 1, 1)) == []
    assert owed.next_charge_at() is None
    assert owed.next_announcement_at() is None
    assert [part.schedule for part in owed.unsettled_of_user(user_id)] == []
    assert all(part.schedule == "price" for part in owed.of_user(user_id))
    with transaction():
        assert change.instalment_id
        claimed = instalments.claim([change.instalment_id], now=HALF + timedelta(days=1))
        assert not claimed.debits
        waiting = db.session.get_one(Instalment, change.instalment_id)
        assert waiting.status is InstalmentStatus.SCHEDULED
    for _ in live_through(HALF, MORNING - timedelta(hours=1)):
        pass
    assert changes()[0].status is ChangeStatus.LAPSED
    assert arrears.standing(user_id, MORNING).clear
    assert emails("instalment_announced") == []
    assert emails("arrears_reminder") == []


def test_the_worker_gives_up_a_page_that_nobody_opened(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("premium", HALF)

    worker.run_due(HALF + timedelta(minutes=32))

    assert changes()[0].status is ChangeStatus.LAPSED


def test_money_for_a_lapsed_change_is_proposed_for_refund(app: Flask, now: datetime):
    subscribe("essentiel", now)
    change = choose("premium", HALF)
    page_closes(change.instalment_id, HALF + timedelta(minutes=31))

    payment = money_comes(change.instalment_id, HALF + timedelta(hours=2))

    assert [one.payment_id for one in refunds()] == [payment.id]
    assert subscription().name == "Essentiel"
    assert changes()[0].status is ChangeStatus.LAPSED
    assert len(invoices()) == 1


def test_money_for_a_subscription_that_ended_meanwhile_is_proposed_for_refund(
    app: Flask, now: datetime
):
    subscribe("essentiel", now)
    change, order_id = choose("premium", HALF), subscription().order_id
    with transaction():
        service.end_revoked(SupplyRevoked(order_id, "refused"), now=HALF)
    assert changes()[0].status is ChangeStatus.LAPSED

    money_comes(change.instalment_id, HALF + timedelta(minutes=2))

    assert len(refunds()) == 1
    assert subscription().status is SubscriptionStatus.ENDED


def test_an_upgrade_is_taken_back_while_nobody_has_opened_its_page(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("premium", HALF)

    with transaction():
        service.keep_plan(subscription_id(), now=HALF)

    assert changes()[0].status is ChangeStatus.TAKEN_BACK
    assert emails("plan_change_taken_back") == []
    with transaction():
        assert service.keep_plan(subscription_id(), now=HALF) is None


def test_an_upgrade_that_was_just_paid_is_not_taken_back(app: Flask, now: datetime):
    subscribe("essentiel", now)
    change = choose("premium", HALF)
    provider_says(change.instalment_id, OutcomeStatus.SUCCEEDED, HALF)

    with pytest.raises(PaymentUnderWay), transaction():
        service.keep_plan(subscription_id(), now=HALF)
    worker.run_due(HALF)

    assert subscription().name == "Premium"
    assert refunds() == []


# The period turns


def test_paid_after_midnight_it_still_takes_effect_and_the_period_is_owed_once(
    app: Flask, now: datetime
):
    subscribe("essentiel", now)
    change = choose("premium", EVE - timedelta(minutes=10))
    worker.run_due(MIDNIGHT)
    assert len(periods()) == 1

    money_comes(change.instalment_id, MIDNIGHT)
    worker.run_due(MORNING)

    assert [one.gross_minor for one in periods()] == [2280, 5880]
    assert changes()[0].effective_on == date(2026, 12, 24)
    assert refunds() == []


def test_a_period_waits_for_a_payment_in_doubt_and_opens_at_the_old_price_when_none_came(
    app: Flask, now: datetime
):
    subscribe("essentiel", now)
    change = choose("premium", EVE - timedelta(minutes=10))
    payment_id = provider_says(change.instalment_id, OutcomeStatus.PENDING, EVE)
    with transaction():
        db.session.get_one(Payment, payment_id).check_at = None  # nobody answers
    worker.run_due(MORNING)
    assert len(periods()) == 1
    assert queries.next_opening_at() is None
    with transaction():
        assert not service.open_next_months([subscription_id()], now=MORNING)

    page_closes(change.instalment_id, MORNING + timedelta(hours=3))
    worker.run_due(MORNING + timedelta(hours=3))

    assert [one.gross_minor for one in periods()] == [2280, 2280]
    assert periods()[1].starts_on == date(2026, 12, 24)


def test_between_midnight_and_the_opening_one_is_asked_to_come_back(app: Flask, now: datetime):
    subscribe("essentiel", now)

    assert refused("premium", MIDNIGHT) is Hindrance.TURNING


# Refused


def test_nobody_goes_up_while_a_period_is_unpaid(app: Flask, now: datetime):
    subscribe("essentiel", now)
    worker.run_due(MORNING)

    assert refused("premium", MORNING) is Hindrance.UNPAID
    money_comes(periods()[1].instalment_id, MORNING)
    assert choose("premium", MORNING).status is ChangeStatus.AWAITING_PAYMENT


def test_an_end_that_is_set_is_taken_back_first(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        service.schedule_end(
            subscription_id(),
            notified_on=paris_date(now),
            wanted_on=None,
            cause_id=subscription_id(),
            now=now,
        )

    assert refused("premium", HALF) is Hindrance.ENDING
    assert refused("libre", HALF) is Hindrance.ENDING


def test_another_plan_is_refused_while_one_waits_for_its_payment(app: Flask, now: datetime):
    subscribe("essentiel", now)
    first = choose("premium", HALF)

    assert refused("atelier", HALF) is Hindrance.AWAITING
    assert refused("libre", HALF) is Hindrance.AWAITING
    assert choose("premium", HALF + timedelta(minutes=1)).id == first.id
    assert len(changes()) == 1


def test_who_owes_something_elsewhere_buys_no_dearer_plan(app: Flask, now: datetime):
    """O-07; going down is no purchase."""
    subscribe("essentiel", now)
    with transaction():
        order = subscription().order
        late = instalments.owe(
            order, "autre", 1, paris_date(now), order.total, label="Autre", now=now
        )
        late.status = InstalmentStatus.UNPAID

    assert refused("premium", HALF) is Hindrance.ARREARS
    assert choose("libre", HALF).status is ChangeStatus.SCHEDULED


def test_nothing_changes_once_its_customer_has_withdrawn(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        db.session.scalars(select(Subscription)).one().order.debits_stopped_at = now

    assert refused("premium", HALF) is Hindrance.WITHDRAWN
    assert refused("libre", HALF) is Hindrance.WITHDRAWN


def test_a_plan_that_is_not_sold_to_this_buyer_is_not_offered(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        product("premium").on_sale = False
        product("atelier").particular_terms = "conditions-formation"
        product("libre").features = {**product("libre").features, "commitment_months": 12}

    assert queries.offers(subscription()) == []
    assert refused("premium", HALF) is Hindrance.GONE
    assert refused("jamais-vue", HALF) is Hindrance.GONE


def test_from_a_free_plan_one_orders(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("libre", HALF)
    worker.run_due(MORNING)

    assert all(one.purchase for one in queries.offers(subscription()))
    assert refused("premium", MORNING) is Hindrance.GONE


# Down


def test_to_the_free_plan_nothing_more_is_debited(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("libre", HALF)

    worker.run_due(MORNING)

    found = subscription()
    assert (found.status, found.gross_minor) == (SubscriptionStatus.ACTIVE, 0)
    assert periods()[1].paid_at == MORNING
    assert queries.limit(found.user_id, "photos", MORNING) == 3
    assert db.session.scalars(select(Instalment).where(Instalment.schedule != "price")).all() == []


def test_after_an_outage_it_is_by_the_periods_own_day(app: Flask, now: datetime):
    subscribe("premium", now)
    choose("essentiel", HALF)

    worker.run_due(MORNING + timedelta(days=40))

    assert [(one.starts_on, one.gross_minor) for one in periods()] == [
        (date(2026, 11, 24), 5880),
        (date(2026, 12, 24), 2280),
        (date(2027, 1, 24), 2280),
    ]


def test_a_period_that_began_before_the_choice_keeps_its_price(app: Flask, now: datetime):
    """The worker was stopped: nobody goes back to a cheaper price for days gone by."""
    subscribe("premium", now)

    change = choose_late(MORNING + timedelta(days=3))

    assert change.effective_on == date(2027, 1, 24)
    assert [one.gross_minor for one in periods()] == [5880, 5880]


def choose_late(at: datetime) -> Any:
    """The page was shown once the periods were opened, as its own request does."""
    with pytest.raises(ChangeRecomputed):
        choose("essentiel", at)
    with transaction():
        service.open_next_months([subscription_id()], now=at)
    return choose("essentiel", at)


def test_on_the_first_day_before_the_opening_one_still_goes_down_with_it(app: Flask, now: datetime):
    subscribe("premium", now)

    assert choose("essentiel", MIDNIGHT).effective_on == date(2026, 12, 24)
    worker.run_due(MORNING)

    assert [one.gross_minor for one in periods()] == [5880, 2280]


def test_a_scheduled_change_is_taken_back(app: Flask, now: datetime):
    subscribe("premium", now)
    choose("essentiel", HALF)

    with transaction():
        service.keep_plan(subscription_id(), now=HALF)
    worker.run_due(MORNING)

    assert [one.gross_minor for one in periods()] == [5880, 5880]
    assert changes()[0].status is ChangeStatus.TAKEN_BACK
    assert len(emails("plan_change_taken_back")) == 1


def test_another_choice_takes_the_place_of_a_scheduled_one(app: Flask, now: datetime):
    subscribe("premium", now)
    first = choose("essentiel", HALF)
    again = choose("essentiel", HALF + timedelta(minutes=1))
    assert again.id == first.id

    choose("libre", HALF + timedelta(hours=1))

    assert [one.status for one in changes()] == [ChangeStatus.TAKEN_BACK, ChangeStatus.SCHEDULED]
    worker.run_due(MORNING)
    assert subscription().name == "Libre"


def test_an_upgrade_that_lapses_leaves_the_scheduled_change_as_it_was(app: Flask, now: datetime):
    subscribe("premium", now)
    choose("essentiel", HALF)
    up = choose("atelier", HALF + timedelta(hours=1))
    assert changes()[0].status is ChangeStatus.TAKEN_BACK

    page_closes(up.instalment_id, HALF + timedelta(hours=2))

    assert [one.status for one in changes()] == [ChangeStatus.SCHEDULED, ChangeStatus.LAPSED]
    worker.run_due(MORNING)
    assert subscription().name == "Essentiel"


def test_an_upgrade_that_is_paid_ends_the_scheduled_change(app: Flask, now: datetime):
    subscribe("premium", now)
    choose("essentiel", HALF)

    upgraded(HALF + timedelta(hours=1), "atelier")
    worker.run_due(MORNING)

    assert subscription().name == "Atelier"
    assert [one.status for one in changes()] == [ChangeStatus.TAKEN_BACK, ChangeStatus.DONE]


def test_a_commitment_does_not_go_down_before_its_term(app: Flask, now: datetime):
    subscribe("premium", now, commitment_months=2, renewal="tacit")

    assert refused("essentiel", HALF) is Hindrance.COMMITTED
    worker.run_due(MORNING)
    money_comes(periods()[1].instalment_id, MORNING)
    assert choose("essentiel", MORNING).effective_on == date(2027, 1, 24)


def test_a_committed_contract_goes_up_and_stays_bound(app: Flask, now: datetime):
    subscribe("essentiel", now, commitment_months=12)

    upgraded(HALF)

    found = subscription()
    assert (found.name, found.committed_until) == ("Premium", date(2027, 11, 24))
    assert found.ends_on == date(2027, 11, 24)


def test_an_end_takes_the_scheduled_change_with_it(app: Flask, now: datetime):
    subscribe("premium", now)
    choose("essentiel", HALF)
    with transaction():
        service.schedule_end(
            subscription_id(),
            notified_on=paris_date(HALF),
            wanted_on=None,
            cause_id=subscription_id(),
            now=HALF,
        )

    worker.run_due(MORNING)

    assert subscription().status is SubscriptionStatus.ENDED
    assert changes()[0].status is ChangeStatus.LAPSED
    assert emails("plan_changed") == []


def test_every_step_is_in_the_journal(app: Flask, now: datetime):
    subscribe("essentiel", now)
    upgraded(HALF)
    choose("libre", HALF)
    with transaction():
        service.keep_plan(subscription_id(), now=HALF)

    kinds = db.session.scalars(
        select(JournalEntry.kind)
        .where(JournalEntry.kind.startswith("plan_change."))
        .order_by(JournalEntry.seq)
    ).all()
    assert kinds == [
        "plan_change.chosen",
        "plan_change.done",
        "plan_change.chosen",
        "plan_change.taken_back",
    ]


# With what else can happen to a subscription


def test_what_was_announced_of_the_plan_before_does_not_come_any_more(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        product("essentiel").price_minor = 2500
        version = service.publish_version(product("essentiel"), now=now)
        by = db.session.scalars(select(Subscription)).one().user_id
        announced = service.announce(version, ["Le prix."], announced_by=by, now=now)
        service.tell(announced.id, subscription_id(), now=now)
    worker.run_due(now)

    upgraded(HALF)
    worker.run_due(MORNING + timedelta(days=120))

    assert {one.gross_minor for one in periods()[1:]} == {5880}
    db.session.rollback()
    assert {one.status for one in db.session.scalars(select(VersionNotice))} == {NoticeStatus.VOID}


def test_nothing_is_decided_while_it_cannot_be_supplied(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        by = db.session.scalars(select(Subscription)).one().user_id
        service.pause(subscription_id(), paris_date(HALF), "Une inondation.", by=by, now=HALF)

    assert refused("premium", HALF) is Hindrance.PAUSED
    assert refused("libre", HALF) is Hindrance.PAUSED


def test_nobody_goes_up_while_periods_to_come_are_paid_already(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        found = db.session.scalars(select(Subscription)).one()
        ahead = open_month(found, 2, now)
        ahead.paid_at = now

    assert refused("premium", HALF) is Hindrance.AHEAD


def test_when_the_seller_closes_the_rest_of_an_upgrade_goes_back_too(app: Flask, now: datetime):
    """Thirteen of thirty days of 22.80, and thirteen of the fifteen that 18.00 was paid for."""
    subscribe("essentiel", now)
    upgraded(HALF)
    noon = HALF + timedelta(hours=12)
    with transaction():
        by = db.session.scalars(select(Subscription)).one().user_id
        ended = service.give_notice(
            subscription_id(),
            Ground.CLOSURE,
            "Nous fermons l’annuaire pour de bon, faute de visiteurs.",
            recorded_by=by,
            now=noon,
        )
        ended.effective_at = noon + timedelta(days=1)
    with transaction():
        service.take_effect(db.session.merge(ended).id, now=noon + timedelta(days=1))
    worker.run_due(noon + timedelta(days=1))

    assert sorted(one.amount_minor for one in refunds()) == [988, 1560]
