"""Money back: never above what came, once whatever is asked or told twice (M-10, scenario 11)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.infra.db import db, transaction
from storefront.kernel.errors import WrongMove
from storefront.payments import jobs, service
from storefront.payments.models import Payment, Refund, RefundReason, RefundStatus
from storefront.payments.providers.base import ProviderUnavailable
from storefront.payments.service import RefundTooHigh
from tests.parallel import at_once
from tests.payments.paid import Counter, cause, refunds, the


@pytest.fixture(params=["stripe", "paypal"])
def counter(
    app: Flask, sandbox: RunningSandbox, now: datetime, request: pytest.FixtureRequest
) -> Counter:
    return Counter(sandbox, request.param, now)


@pytest.fixture
def cards(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "stripe", now)


def reserve(payment_id: uuid.UUID, minor: int, now: datetime, **changed) -> uuid.UUID:
    with transaction():
        return service.reserve_refund(payment_id, minor, cause(), now=now, **changed).id


def test_a_refund_goes_back_the_way_the_money_came(counter, now):
    paid = counter.sold()
    refund = jobs.send_refund(reserve(paid, 5000, now), now)

    assert refund.status is RefundStatus.SUCCEEDED
    assert (refund.provider, refund.settled_at) == (counter.provider, now)
    assert counter.given_back() == [5000]
    assert the(Payment, paid).refundable.minor == 13000


def test_parts_go_back_until_nothing_is_left_and_never_more(counter, now):
    paid = counter.sold()
    for part in (5000, 12999, 1):
        jobs.send_refund(reserve(paid, part, now), now)
    with pytest.raises(RefundTooHigh) as refusal:
        reserve(paid, 1, now)

    assert refusal.value.details["left"].minor == 0
    assert counter.given_back() == [1, 5000, 12999]


def test_two_who_give_the_same_money_back_at_once_do_it_once(app, cards, now):
    paid = cards.sold()
    given = at_once(app, lambda _: reserve(paid, 12000, now), 4)

    assert sorted(type(one).__name__ for one in given) == ["RefundTooHigh"] * 3 + ["UUID"]
    assert [refund.amount_minor for refund in refunds(paid)] == [12000]
    assert the(Payment, paid).refunded_minor == 12000


def test_the_database_itself_refuses_more_than_came(cards, now):
    paid = cards.sold()
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(update(Payment).where(Payment.id == paid).values(refunded_minor=18001))


def test_the_same_decision_sent_twice_asks_once(cards, now):
    paid, decision = cards.sold(), cause()
    for _ in range(2):
        with transaction():
            refund_id = service.reserve_refund(paid, 5000, decision, now=now).id
        jobs.send_refund(refund_id, now)

    assert len(refunds(paid)) == 1
    assert cards.given_back() == [5000]


def test_money_that_did_not_come_is_not_given_back(cards, now):
    paid = cards.sold()
    order_id = the(Payment, paid).order_id
    unpaid, _ = cards.reserve(order_id)
    with pytest.raises(RefundTooHigh):
        reserve(unpaid, 1, now)


# Doubt


@pytest.mark.parametrize("fault", ["lost_answer", "error_after", "timeout"])
def test_an_answer_lost_after_the_refund_is_looked_up_not_sent_anew(counter, now, fault):
    paid = counter.sold()
    refund_id = reserve(paid, 5000, now)
    path = "/v1/refunds" if counter.provider == "stripe" else "*/refund"
    # More often than the SDKs try again by themselves.
    counter.sandbox.control(
        "faults", kind=fault, method="POST", path=path, count=4, status=500, seconds=0
    )
    with pytest.raises(ProviderUnavailable):
        jobs.send_refund(refund_id, now)
    assert the(Refund, refund_id).status is RefundStatus.RESERVED
    counter.sandbox.control("faults", "DELETE")
    # Long after the provider has forgotten the key.
    later = now + timedelta(days=60)
    counter.sandbox.control("clock", now=later.isoformat())
    worker.run_due(later)

    assert the(Refund, refund_id).status is RefundStatus.SUCCEEDED
    assert counter.given_back() == [5000]


def test_a_crash_before_the_answer_was_written_down_gives_back_once(counter, now):
    paid = counter.sold()
    refund_id = reserve(paid, 5000, now)
    refund = the(Refund, refund_id)
    request = jobs.RefundRequest(refund_id, refund.payment.charge_reference, refund.amount)
    db.session.rollback()
    jobs.providers()[counter.provider].refund(request)  # and the process is gone
    worker.run_due(now + timedelta(minutes=2))

    assert the(Refund, refund_id).status is RefundStatus.SUCCEEDED
    assert counter.given_back() == [5000]


def test_a_provider_that_is_down_leaves_everything_as_it_is_until_it_is_back(counter, now):
    paid = counter.sold()
    refund_id = reserve(paid, 5000, now)
    counter.sandbox.control("faults", kind="error", count=-1, status=503, path="/v*")
    worker.run_due(now + timedelta(minutes=2))
    assert the(Refund, refund_id).status is RefundStatus.RESERVED
    assert the(Payment, paid).refunded_minor == 5000
    counter.sandbox.control("faults", "DELETE")
    worker.run_due(now + timedelta(days=1))

    assert the(Refund, refund_id).status is RefundStatus.SUCCEEDED
    assert counter.given_back() == [5000]


def test_a_refund_can_wait_at_the_provider_then_go_or_fail(cards, now):
    paid = cards.sold(card="4000000000007726")
    first, second = (reserve(paid, part, now) for part in (5000, 6000))
    for refund_id in (first, second):
        assert jobs.send_refund(refund_id, now).status is RefundStatus.PENDING
    for refund_id, ending in ((first, "succeeded"), (second, "failed")):
        reference = the(Refund, refund_id).provider_reference
        cards.sandbox.control(f"stripe/refunds/{reference}/settle", status=ending)
    worker.run_due(now + timedelta(hours=7))

    assert the(Refund, first).status is RefundStatus.SUCCEEDED
    assert the(Refund, second).status is RefundStatus.REFUSED
    assert the(Refund, second).refusal_code == "expired_or_canceled_card"
    assert the(Payment, paid).refundable.minor == 13000


# Told by webhook


def test_the_webhook_before_the_answer_records_it_once(counter, now):
    paid = counter.sold()
    refund_id = reserve(paid, 5000, now)
    path = "/v1/refunds" if counter.provider == "stripe" else "*/refund"
    counter.sandbox.control("faults", kind="lost_answer", method="POST", path=path, count=4)
    with pytest.raises(ProviderUnavailable):
        jobs.send_refund(refund_id, now)
    counter.sandbox.control("faults", "DELETE")
    counter.tell("refund", times=5)
    assert the(Refund, refund_id).status is RefundStatus.SUCCEEDED
    jobs.send_refund(refund_id, now)

    assert [refund.id for refund in refunds(paid)] == [refund_id]
    assert counter.given_back() == [5000]


def test_a_refund_made_on_the_dashboard_is_adopted_once(counter, now):
    paid = counter.sold()
    counter.refund_by_hand(paid, 700)
    counter.tell("refund", times=3)
    counter.refund_by_hand(paid, 300)
    counter.tell("refund", times=2)

    adopted = refunds(paid)
    assert sorted(refund.amount_minor for refund in adopted) == [300, 700]
    assert {refund.status for refund in adopted} == {RefundStatus.SUCCEEDED}
    assert {refund.reason for refund in adopted} == {RefundReason.BY_PROVIDER}
    assert the(Payment, paid).refunded_minor == 1000


def test_the_same_dashboard_refund_told_at_once_is_adopted_once(app, cards, now):
    paid = cards.sold()
    cards.refund_by_hand(paid, 700)
    assert at_once(app, lambda _: jobs.sync_refunds(paid, now), 4) == [True] * 4
    assert [refund.amount_minor for refund in refunds(paid)] == [700]
    assert the(Payment, paid).refunded_minor == 700


def test_a_dashboard_refund_that_leaves_no_room_for_ours_is_adopted_once_ours_has_failed(
    cards, now
):
    paid = cards.sold()
    ours = reserve(paid, 18000, now)
    cards.refund_by_hand(paid, 700)
    cards.tell("refund")
    assert [refund.id for refund in refunds(paid)] == [ours]
    worker.run_due(now + timedelta(hours=2))

    by_amount = {refund.amount_minor: refund.status for refund in refunds(paid)}
    assert by_amount == {18000: RefundStatus.REFUSED, 700: RefundStatus.SUCCEEDED}
    assert the(Payment, paid).refunded_minor == 700
    assert cards.given_back() == [700]


def test_a_refund_of_another_charge_is_not_ours(cards, now):
    paid, other = cards.sold(), cards.sold()
    cards.refund_by_hand(other, 700)
    jobs.sync_refunds(paid, now)

    assert refunds(paid) == []


# Proposals and transfers


def test_a_proposal_holds_the_money_and_waits_for_staff(cards, now):
    paid = cards.sold()
    proposed = reserve(paid, 18000, now, proposed=True)
    worker.run_due(now + timedelta(days=3))
    assert the(Refund, proposed).status is RefundStatus.PROPOSED
    assert cards.given_back() == []
    with pytest.raises(RefundTooHigh):
        reserve(paid, 1, now)
    for _ in range(2):
        with transaction():
            service.approve(service.locked_refund(proposed), asked_by=None, now=now)
    worker.run_due(now + timedelta(days=3))

    assert the(Refund, proposed).status is RefundStatus.SUCCEEDED
    assert cards.given_back() == [18000]


def test_a_proposal_that_is_dismissed_frees_the_money(cards, now):
    paid = cards.sold()
    proposed = reserve(paid, 18000, now, proposed=True)
    for _ in range(2):
        with transaction():
            service.dismiss(service.locked_refund(proposed), now=now)

    assert the(Payment, paid).refundable.minor == 18000
    sent = reserve(paid, 1000, now)
    with pytest.raises(WrongMove), transaction():
        service.dismiss(service.locked_refund(sent), now=now)


def test_a_transfer_back_is_done_once_staff_say_so(app, sandbox, now):
    paid = Counter(sandbox, "offline", now).sold()
    refund_id = reserve(paid, 5000, now)
    worker.run_due(now + timedelta(days=3))
    assert the(Refund, refund_id).status is RefundStatus.RESERVED
    for _ in range(2):
        with transaction():
            service.record_transfer(service.locked_refund(refund_id), "VIR-42", now=now)

    assert the(Refund, refund_id).status is RefundStatus.SUCCEEDED
    assert the(Refund, refund_id).provider_reference == "VIR-42"


def test_only_a_transfer_is_recorded_by_hand(cards, now):
    refund_id = reserve(cards.sold(), 5000, now)
    with pytest.raises(WrongMove), transaction():
        service.record_transfer(service.locked_refund(refund_id), "", now=now)


def test_what_the_provider_refused_can_go_back_by_transfer(cards, now):
    paid = cards.sold()
    cards.contest(paid)
    refused = jobs.send_refund(reserve(paid, 5000, now), now)
    assert refused.status is RefundStatus.REFUSED
    assert the(Payment, paid).refundable.minor == 18000
    by_hand = reserve(paid, 5000, now, by_hand=True)
    worker.run_due(now + timedelta(days=3))
    assert the(Refund, by_hand).status is RefundStatus.RESERVED
    with transaction():
        service.record_transfer(service.locked_refund(by_hand), "", now=now)

    assert the(Refund, by_hand).status is RefundStatus.SUCCEEDED
    assert cards.given_back() == []
