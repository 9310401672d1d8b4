"""The end of a committed term: told in the law's window, refused, asked for (B-09, SUB-02)."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.demo.travel import live_through
from storefront.infra.db import db, transaction
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import add_months
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import service
from storefront.subscriptions.models import RenewalNotice, SubscriptionStatus
from storefront.subscriptions.rules import Answer, Outcome
from storefront.subscriptions.service import DecisionClosed
from tests.subscriptions import running
from tests.subscriptions.telling import at, days, emails, live, notice, paid, subscribe, the, told

# Twelve months from 31 March 2027: no until 1 March 2028, told from 1 December to 1 February.
START = at("2027-03-31")
TERM = date(2028, 3, 31)
YEARLY = {"billing_interval": "year", "commitment_months": 12, "renewal": "tacit"}
EXPRESS = {**YEARLY, "renewal": "express"}


def consumer(features: dict = YEARLY):
    return subscribe(START, features, buyer=BuyerKind.CONSUMER, kind=ProductKind.SUPPORT_CONTRACT)


def row() -> RenewalNotice:
    db.session.rollback()
    return db.session.scalars(select(RenewalNotice)).one()


def say(one, answer: Answer, day: str) -> None:
    with transaction():
        service.answer(one, answer, today=date.fromisoformat(day), now=at(day))
    live(at(day))


def test_the_message_leaves_as_the_window_opens_and_once(app: Flask) -> None:
    consumer()
    live(at("2027-11-30"))
    assert emails("renewal_tacit") == []

    live(at("2027-12-01"))
    live(at("2027-12-02"))

    (message,) = emails("renewal_tacit")
    text = message.text.replace("\u202f", " ").replace("\xa0", " ")
    assert "Date limite pour ne pas reconduire : | mercredi 1er mars 2028 inclus" in " ".join(
        text.split()
    )
    assert "159,00 € TTC seront prélevés en une fois" in text
    assert "plus tard que la loi" not in text
    assert row().sent_on == date(2027, 12, 1)


def test_told_in_time_it_is_renewed_for_the_same_term(app: Flask) -> None:
    one = consumer()
    live(at("2027-12-01"))

    live(at("2028-03-31"))

    assert the(one).committed_until == date(2029, 3, 31)
    assert (the(one).free_exit_since, row().outcome) == (None, Outcome.RENEWED)
    assert paid(one) == [("2027-03-31", 15900), ("2028-03-31", 15900)]
    assert the(one).renewal_notice_on == date(2028, 12, 1)
    assert "jusqu’au samedi 31 mars 2029" in emails("subscription_renewed")[0].text


def test_a_no_ends_it_at_its_term_and_can_be_taken_back_until_the_deadline(app: Flask) -> None:
    one = consumer()
    say(one, Answer.NO, "2027-06-01")
    assert the(one).ends_on == TERM
    live(at("2027-12-05"))
    assert emails("renewal_tacit") == []
    say(one, Answer.YES, "2028-01-15")
    assert the(one).ends_on is None
    # It goes on after all: the message is due again, in the window still.
    assert len(emails("renewal_tacit")) == 1
    say(one, Answer.NO, "2028-03-01")
    with transaction(), pytest.raises(DecisionClosed):
        service.answer(one, Answer.YES, today=date(2028, 3, 2), now=at("2028-03-02"))

    live(at("2028-03-31"))

    assert the(one).status is SubscriptionStatus.ENDED
    assert len(paid(one)) == 1
    assert "jeudi 30 mars 2028" in emails("subscription_left")[0].text


def test_the_online_cancellation_has_the_same_way_out(app: Flask) -> None:
    one = consumer()
    live(at("2028-03-31"))

    with transaction():
        service.schedule_end(
            one,
            notified_on=date(2028, 5, 2),
            wanted_on=date(2028, 5, 20),
            cause_id=one,
            now=at("2028-05-02"),
        )

    assert the(one).ends_on == date(2028, 5, 20)


def test_a_professional_is_bound_again_all_the_same(app: Flask) -> None:
    one = subscribe(START, YEARLY)

    live(at("2028-03-31"))

    assert the(one).committed_until == date(2029, 3, 31)
    with transaction(), pytest.raises(DecisionClosed):
        service.leave_now(one, today=date(2028, 4, 1), now=at("2028-04-01"))


def test_who_owes_a_month_renews_nothing_and_is_told_why(app: Flask) -> None:
    """O-07: the card of the last month is refused; the term comes before it is settled."""
    one = running.hold(START, running.TACIT, buyer=BuyerKind.CONSUMER)
    for number in range(2, 12):
        day = add_months(date(2027, 3, 31), number - 1)
        worker.run_due(morning_of(day))
        running.pay_month(number, morning_of(day))
    assert len(emails("renewal_tacit")) == 1

    running.travel(at("2028-02-29"), at("2028-03-31"))

    assert the(one).status is SubscriptionStatus.ENDED
    assert len(paid(one)) == 12
    assert row().outcome is Outcome.OVERDUE
    assert emails("subscription_renewed") == []
    (message,) = emails("subscription_not_renewed")
    assert "le vendredi 31 mars 2028" in message.text
    assert "/compte/echeances" in message.text


def test_an_express_renewal_that_nobody_answers_ends(app: Flask) -> None:
    one = consumer(EXPRESS)
    assert the(one).ends_on == TERM

    days("2028-02-29", "2028-03-31")

    assert len(emails("renewal_express")) == 1
    assert the(one).status is SubscriptionStatus.ENDED
    assert len(paid(one)) == 1


def test_an_express_renewal_is_asked_for_and_said_yes_to(app: Flask) -> None:
    one = consumer(EXPRESS)
    live(at("2028-03-01"))
    (message,) = emails("renewal_express")
    assert "jeudi 30 mars 2028 inclus pour dire oui" in message.text
    say(one, Answer.YES, "2028-03-30")

    live(at("2028-03-31"))

    assert the(one).committed_until == the(one).ends_on == date(2029, 3, 31)
    assert len(paid(one)) == 2


def test_the_price_that_was_announced_is_the_one_that_the_renewal_says_and_debits(
    app: Flask,
) -> None:
    """A year paid up front: the whole price, told twice before it is taken."""
    one = consumer()
    told(one, at("2027-10-01"), price=19900)
    live(at("2027-12-01"))
    assert "199,00" in emails("renewal_tacit")[0].text

    live(at("2028-03-31"))

    assert paid(one)[-1] == ("2028-03-31", 19900)


def test_a_price_announced_after_the_opt_out_still_opens_the_way_out(app: Flask) -> None:
    one = consumer()
    live(at("2027-12-01"))
    told(one, at("2028-03-01", "09:00"), price=19900)
    with transaction(), pytest.raises(DecisionClosed):
        service.answer(one, Answer.NO, today=date(2028, 3, 5), now=at("2028-03-05"))

    with transaction():
        service.stop_before(notice(one).id, today=date(2028, 3, 5), now=at("2028-03-05"))
    live(at("2028-03-31"))

    assert the(one).status is SubscriptionStatus.ENDED


def test_two_terms_in_a_row_are_each_told(app: Flask) -> None:
    one = consumer()

    for day in ("2027-12-01", "2028-03-31", "2028-12-01", "2029-03-31"):
        live(at(day))

    assert len(emails("renewal_tacit")) == 2
    assert the(one).committed_until == date(2030, 3, 31)


def test_the_clock_stops_at_the_days_that_matter(app: Flask, sandbox: RunningSandbox) -> None:
    """Time travel lives through the day on which the message is due."""
    consumer()

    for _ in live_through(START, at("2028-01-01")):
        pass

    assert row().sent_on == date(2027, 12, 1)
