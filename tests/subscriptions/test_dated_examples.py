"""Each rule of subscriptions as an example with its dates (B-01 to B-09, MRE-01 to MRE-06).

What happens around them, page by page and row by row, is tested beside this file.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import (
    ProductKind,
    SellerVat,
    VatClass,
    VatRate,
    territory_of,
    vat_rate,
)
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import PARIS
from storefront.orders import service as orders
from storefront.orders.rules import BuyerKind
from storefront.payments.models import Payment, RefundReason, RefundStatus
from storefront.subscriptions import queries, rules, service
from storefront.subscriptions.models import ChangeStatus, Subscription, SubscriptionStatus
from storefront.subscriptions.rules import Direction, Ground, Notice, Outcome, Renewal
from storefront.subscriptions.rules.outages import Price, Span, credits, in_a_row, whole_days
from tests import factories, paying
from tests.subscriptions import plans, running
from tests.subscriptions.telling import at

YEARLY = {"billing_interval": "year", "commitment_months": 12, "renewal": "tacit"}


def starts(anchor: date, count: int) -> list[date]:
    return [rules.month(anchor, number).starts_on for number in range(1, count + 1)]


def test_b01_every_month_on_the_day_of_the_order() -> None:
    """B-01: 10 January, 10 February, and each month lasts until the next begins."""
    assert starts(date(2027, 1, 10), 2) == [date(2027, 1, 10), date(2027, 2, 10)]
    assert rules.month(date(2027, 1, 10), 1).ends_on == date(2027, 2, 10)


@pytest.mark.parametrize(
    ("anchor", "days"),
    [
        (date(2027, 1, 31), [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]),
        (date(2028, 1, 31), [date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]),
        (date(2028, 2, 29), [date(2028, 3, 29), date(2028, 4, 29), date(2028, 5, 29)]),
    ],
)
def test_b01_a_short_month_does_not_move_the_ones_after_it(anchor: date, days: list[date]) -> None:
    """B-01, SUB-03: the 31st is the last day of February, then the 31st again."""
    assert starts(anchor, 4) == [anchor, *days]


def test_b02_twelve_months_from_the_tenth_of_january_end_on_the_next_tenth() -> None:
    """B-02: twelve debits, the last one on 10 December; before the term nobody ends it."""
    anchor, term = date(2027, 1, 10), date(2028, 1, 10)

    assert rules.committed_until(anchor, 12) == term
    assert starts(anchor, 12)[-1] == date(2027, 12, 10)
    assert rules.debits_left(date(2027, 4, 10), term) == 9
    assert rules.ends_on(anchor, date(2027, 4, 10), term, notified_on=date(2027, 3, 15)) == term
    assert rules.committed_until(anchor, 0) is None


def test_b03_a_holder_stops_with_the_month_that_is_paid() -> None:
    """B-03, MRE-03: told on 20 January, open until 9 February, and nothing goes back."""
    anchor, following = date(2027, 1, 10), date(2027, 2, 10)

    assert rules.ends_on(anchor, following, None, notified_on=date(2027, 1, 20)) == following
    assert not Ground.WISH.gives_back


@pytest.mark.parametrize(
    ("failed", "suspended"),
    [
        ("2027-02-28T18:00+01:00", "2027-03-07T18:00+01:00"),
        ("2028-02-28T18:00+01:00", "2028-03-06T18:00+01:00"),
        # The clocks go forward, or back, in between: the same hour of the day in Paris.
        ("2027-03-25T18:00+01:00", "2027-04-01T18:00+02:00"),
        ("2026-10-23T06:00+02:00", "2026-10-30T06:00+01:00"),
    ],
)
def test_b04_a_month_that_fails_is_served_seven_days_to_the_hour(
    failed: str, suspended: str
) -> None:
    """B-04, MRE-02: failed on 28 February at 18:00, suspended on 7 March at 18:00, in Paris."""
    failed_at = datetime.fromisoformat(failed)

    until = rules.suspends_at(failed_at.astimezone(UTC), 7)

    assert until == datetime.fromisoformat(suspended)
    assert until.astimezone(PARIS).hour == failed_at.astimezone(PARIS).hour


@pytest.mark.parametrize(
    ("notified", "ends"),
    [
        ("2027-02-10T14:37+01:00", "2027-02-12T14:37+01:00"),
        # 48 real hours: the clocks went forward, or back, in between.
        ("2027-03-27T18:00+01:00", "2027-03-29T19:00+02:00"),
        ("2026-10-24T18:00+02:00", "2026-10-26T17:00+01:00"),
    ],
)
def test_b05_forty_eight_hours_to_the_minute(notified: str, ends: str) -> None:
    """B-05, MRE-03: told on 10 February at 14:37, over on 12 February at 14:37."""
    terms = Notice(hours=48, platform_days=0, cure_days=15)
    notified_at = datetime.fromisoformat(notified)

    found = rules.announced(Ground.MISCONDUCT, terms, notified_at, None)
    assert found.effective_at == datetime.fromisoformat(ends)
    at_once = rules.announced(Ground.SERIOUS_FAULT, terms, notified_at, None)
    assert at_once.effective_at == notified_at


@pytest.mark.parametrize(
    ("ended", "credit"),
    [
        ("2027-06-13T22:09+02:00", None),
        ("2027-06-13T22:10+02:00", None),
        # 159,00 × 72 h 01 ÷ 720 h = 15,9037
        ("2027-06-13T22:11+02:00", Price(1325, 265, 1590)),
        # 159,00 × 80 h ÷ 720 h = 17,6667
        ("2027-06-14T06:10+02:00", Price(1472, 295, 1767)),
    ],
)
def test_b06_more_than_72_hours_in_a_row_give_their_part_of_the_price(
    ended: str, credit: Price | None
) -> None:
    """B-06, MRE-04: down since 10 June, 22:10. 72:00 gives nothing, 72:01 gives 72:01."""
    down = Span(datetime.fromisoformat("2027-06-10T22:10+02:00"), datetime.fromisoformat(ended))
    june = whole_days(date(2027, 6, 10), date(2027, 7, 10))
    price = Price(13250, 2650, 15900)

    lengths = [one.seconds for one in in_a_row([down], 72)]

    expected = [] if credit is None else [credit]
    assert credits(price, june.seconds, lengths, most=price.gross) == expected


def test_b07_going_down_hides_with_the_next_period_and_deletes_nothing(
    app: Flask, now: datetime
) -> None:
    """B-07, MRE-01: chosen on 9 December, hidden on the 24th, all there again on the 25th."""
    chosen, morning = at("2026-12-09"), at("2026-12-24", "06:00")
    plans.subscribe("premium", now)
    holder = plans.subscription().user_id

    change = plans.choose("essentiel", chosen)
    worker.run_due(chosen)

    assert (change.direction, change.status) == (Direction.DOWN, ChangeStatus.SCHEDULED)
    assert (change.effective_on, change.gross_minor) == (date(2026, 12, 24), 0)
    assert queries.may(holder, "calendar", chosen)
    (letter,) = running.mails("plan_change_scheduled")
    assert "Ne sera plus ouvert : l’agenda" in letter.text
    assert "jeudi 24 décembre 2026" in letter.text
    assert queries.next_gross(plans.subscription(), date(2026, 12, 24)) == 2280

    worker.run_due(morning)

    assert not queries.may(holder, "calendar", morning)
    assert queries.limit(holder, "photos", morning) == 12
    assert [one.gross_minor for one in plans.periods()] == [5880, 2280]
    assert plans.changes()[0].status is ChangeStatus.DONE
    (letter,) = running.mails("plan_changed")
    assert "vos photographies restent conservées, 12 visibles" in letter.text

    plans.money_comes(plans.periods()[1].instalment_id, morning)
    again = at("2026-12-25")
    plans.money_comes(plans.choose("premium", again).instalment_id, again)
    assert queries.may(holder, "calendar", again)
    assert queries.limit(holder, "photos", again) is None


def test_b08_fifteen_days_to_put_it_right() -> None:
    """B-08: told on 20 March, until 4 April included, over at the midnight that follows."""
    terms = Notice(hours=48, platform_days=0, cure_days=15)

    found = rules.announced(Ground.SELLER_BREACH, terms, at("2027-03-20", "09:00"), None)

    assert found.cure_until == date(2027, 4, 4)
    assert found.effective_at == at("2027-04-05", "00:00")


def test_b09_the_law_says_from_when_to_when_a_renewal_is_announced() -> None:
    """B-09, L215-1: a term to 31 March 2028 is told from 1 December to 1 February."""
    window = rules.window(date(2028, 3, 31), 30)

    assert (window.opens_on, window.closes_on) == (date(2027, 12, 1), date(2028, 2, 1))
    assert rules.told_in_time(date(2028, 2, 1), window)
    assert not rules.told_in_time(date(2028, 2, 2), window)
    told_late = rules.outcome(Renewal.TACIT, None, in_time=False, protected=True, owes=False)
    assert told_late is Outcome.FREE


def test_b09_told_too_late_a_consumer_leaves_any_day_and_is_given_back_the_rest(
    app: Flask, sandbox: RunningSandbox
) -> None:
    """B-09, L215-1: told on 15 February for a term to 31 March 2028, left on 29 April: 335 of the
    365 days of the year that was debited go back, by 29 May."""
    ordered, renewed, left = at("2027-03-31"), at("2028-03-31"), at("2028-04-29")
    order_id = paying.bought(
        sandbox, ProductKind.SUPPORT_CONTRACT, ordered, price=36500, features=YEARLY
    )
    one = db.session.scalars(select(Subscription.id)).one()
    worker.run_due(at("2028-02-15"))
    assert "plus tard que la loi" in running.mails("renewal_tacit")[0].text

    sandbox.control("clock", now=renewed.isoformat())
    worker.run_due(renewed)
    found = running.the(one)
    assert (found.committed_until, found.free_exit_since) == (None, date(2028, 3, 31))
    assert "plus engagé" in running.mails("subscription_renewed")[0].text
    (debit,) = running.months()
    assert (debit.status.value, debit.amount_minor) == ("paid", 36500)

    sandbox.control("clock", now=left.isoformat())
    with transaction():
        service.leave_now(one, today=date(2028, 4, 29), now=left)
    worker.run_due(left)
    worker.run_due(at("2028-04-30"))

    found = running.the(one)
    assert (found.status, found.ends_on) == (SubscriptionStatus.ENDED, date(2028, 4, 30))
    (refund,) = running.refunds()
    assert (refund.order_id, refund.amount_minor) == (order_id, 33500)
    assert (refund.status, refund.reason) == (RefundStatus.PROPOSED, RefundReason.NOT_SUPPLIED)
    assert refund.due_on == date(2028, 5, 29)
    assert "335,00" in running.mails("subscription_left")[0].text


def test_mre05_thirty_days_are_enough_and_twenty_nine_are_not() -> None:
    """MRE-05, R-06: told on 31 March the price is new on 30 April; on 1 April it is the old one."""
    renewal = date(2027, 4, 30)

    assert rules.may_apply(renewal, date(2027, 3, 31), 30, committed_until=None)
    assert not rules.may_apply(renewal, date(2027, 4, 1), 30, committed_until=None)
    assert not rules.may_apply(renewal, None, 30, committed_until=None)


def test_mre01_the_free_plan_asks_for_no_card(app: Flask, now: datetime) -> None:
    """MRE-01: ordered on 24 November, still free on 24 December, and nobody is asked for money."""
    with transaction():
        factories.terms(now)
        plan = factories.product(ProductKind.PLAN, price=0, features=running.PLAN)
        order = factories.order(plan, now=now, who=factories.buyer(BuyerKind.PROFESSIONAL))
        orders.confirm(order, now=now)
    worker.run_due(now)

    worker.run_due(at("2026-12-24"))

    assert [one.starts_on for one in plans.periods()] == [date(2026, 11, 24), date(2026, 12, 24)]
    assert queries.may(plans.subscription().user_id, "messaging", at("2026-12-24"))
    assert running.months() == []
    assert db.session.scalars(select(Payment)).all() == []


def test_mre06_a_business_of_morocco_pays_no_french_tax() -> None:
    """MRE-06, VAT-07: CGI, article 259, 1°, which the invoice names."""
    rate = vat_rate(
        ProductKind.PLAN,
        VatClass.STANDARD,
        territory=territory_of("MA", "30000"),
        professional=True,
        seller=SellerVat(),
    )

    assert rate == VatRate(0, "third_country")
