"""What payments must survive, one number each; `tests/mutations.py` breaks the code for each.

Each goes through the real SDKs and the shop's own ways in. Refunds (11) and disputes (13) stand in
`test_refunds.py` and `tests/refunds/test_disputes.py`.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import make_transient

from benchmarks.debtors import due_morning, make_debtors
from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.instalments import jobs as billing
from storefront.instalments import service as instalments
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.invoicing.models import Invoice
from storefront.kernel.money import Money
from storefront.notifications.models import Email
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.payments import jobs, service
from storefront.payments.models import (
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SavedMethod,
    WebhookReceipt,
)
from storefront.payments.providers.base import (
    PAGE_LIFETIME,
    ChargeRequest,
    Outcome,
    OutcomeStatus,
    PageRequest,
    SavedReference,
)
from tests import factories
from tests.parallel import at_once
from tests.payments.colliding import collide
from tests.plans import (
    CHALLENGED_LATER,
    REFUSED_LATER,
    buy,
    emails,
    hear,
    live_until,
    second,
    second_id,
    taken,
)

SHOP = "http://127.0.0.1:8000"
CHALLENGED = "4000002500003155"


def place(now: datetime, price: int = 15900, provider: str = "stripe") -> Order:
    """An order of hours that waits for its payment."""
    with transaction():
        factories.terms(now)
        return factories.order(factories.product(price=price), now=now, provider=provider)


def reserved(order: Order, now: datetime, **changed: object) -> Payment:
    """A first attempt, within the caller's transaction."""
    first = db.session.scalars(select(Instalment).where(Instalment.order_id == order.id)).one()
    given = {
        "order_id": order.id,
        "user_id": order.user_id,
        "provider": order.payment_provider,
        "amount": order.total,
        "order_reference": order.reference,
        "description": order.reference,
        "instalment_id": first.id,
        "expires_at": now + PAGE_LIFETIME,
        "now": now,
        **changed,
    }
    return service.reserve(**given)  # type: ignore[arg-type]


def opened(order: Order, now: datetime) -> tuple[Payment, str]:
    """A first attempt and the page on which it is paid."""
    with transaction():
        payment = reserved(order, now)
    return payment, jobs.open_page(
        payment.id,
        email="claire@exemple.example",
        return_url=f"{SHOP}/retour",
        cancel_url=f"{SHOP}/annulation",
        now=now,
    )


def confirmed(order: Order) -> bool:
    """Whether the order runs, as the database says now."""
    db.session.rollback()
    return db.session.get_one(Order, order.id).status is OrderStatus.CONFIRMED


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def together(app: Flask, act: Callable[[], object], people: int = 3) -> list[Exception]:
    """The same act by several at once; what they were refused."""
    given = at_once(app, lambda _: act(), people)
    db.session.rollback()
    return [one for one in given if isinstance(one, Exception)]


def post(client: FlaskClient, sandbox: RunningSandbox, event: dict[str, str]) -> int:
    headers, body = sandbox.signed("stripe", event["id"])
    return client.post("/webhooks/stripe", headers=headers, data=body).status_code


def test_scenario_01_events_five_times_and_shuffled_have_one_effect(
    client: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now)
    _, url = opened(order, now)
    sandbox.pay_by_card(url)
    told = sandbox.events("stripe") * 5
    random.Random(4).shuffle(told)  # noqa: S311
    for event in told:
        assert post(client, sandbox, event) == 200
        worker.run_due(now)

    assert confirmed(order)
    assert emails("order_confirmation") == 1
    assert count(Invoice) == 1
    assert count(WebhookReceipt) == len(told) // 5
    succeeded = select(JournalEntry).where(JournalEntry.kind == "payment.succeeded")
    assert len(db.session.scalars(succeeded).all()) == 1


@pytest.mark.parametrize("way", ["webhook first", "return first", "no return"])
def test_scenario_02_whatever_tells_first_confirms_once(
    client: FlaskClient, sandbox: RunningSandbox, now: datetime, way: str
) -> None:
    order = place(now)
    payment, url = opened(order, now)
    sandbox.pay_by_card(url)
    if way == "return first":
        jobs.refresh(payment.id, now)
    hear(client, sandbox)
    if way == "webhook first":
        jobs.refresh(payment.id, now)
    worker.run_due(now)

    assert confirmed(order)
    assert emails("order_confirmation") == 1


def test_scenario_03_an_event_before_our_own_commit_is_kept_until_it_is_there(
    client: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now)
    with db.session.no_autoflush:
        payment = reserved(order, now)
        request = PageRequest(
            payment.id,
            payment.amount,
            order.reference,
            order.reference,
            "claire@exemple.example",
            False,
            f"{SHOP}/retour",
            f"{SHOP}/annulation",
            now + PAGE_LIFETIME,
        )
        db.session.rollback()
    page = jobs.providers()["stripe"].open_page(request)
    sandbox.pay_by_card(page.url)
    hear(client, sandbox, "checkout.session.completed")
    worker.run_due(now)
    assert not confirmed(order)

    with transaction() as session:
        make_transient(payment)
        session.add(payment)
        service.record_page(payment, page, now=now)
    worker.run_due(now + timedelta(minutes=5))

    assert confirmed(order)


def test_scenario_04_an_answer_lost_after_the_charge_is_asked_for_with_the_same_key(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    morning = morning_of(second().due_on)
    sandbox.control(
        "faults", provider="stripe", kind="lost_answer", path="/v1/payment_intents", count=3
    )
    live_until(sandbox, morning)
    assert second().status is InstalmentStatus.CHARGING
    live_until(sandbox, morning + timedelta(minutes=10))

    assert second().status is InstalmentStatus.PAID
    assert taken(sandbox) == [19501, 19500]


def test_scenario_05_a_crash_between_the_charge_and_its_record_charges_once(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    morning = morning_of(second().due_on)
    sandbox.control("clock", now=morning.isoformat())
    with transaction():
        (payment,) = instalments.claim([second_id()], now=morning).debits
    card = db.session.get_one(SavedMethod, payment.saved_method_id)
    kept = SavedReference(card.customer_reference, card.method_reference, card.label)
    jobs.providers()["stripe"].charge(
        ChargeRequest(
            payment.id,
            payment.attempt,
            payment.amount,
            payment.order_reference,
            payment.description,
            kept,
            "instalment",
        )
    )
    # The process dies here: the money moved and nobody wrote it down.
    live_until(sandbox, morning + timedelta(minutes=2))

    assert second().status is InstalmentStatus.PAID
    assert taken(sandbox) == [19501, 19500]


def test_scenario_06_two_browsers_that_pay_one_instalment_share_one_attempt(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    owed = second_id()

    def click() -> None:
        with transaction():
            instalments.pay_now(owed, "stripe", expires_at=now + PAGE_LIFETIME, now=now)

    together(app, click)

    attempts = db.session.scalars(select(Payment).where(Payment.instalment_id == owed)).all()
    assert len(attempts) == 1


def test_scenario_07_two_billing_runs_at_once_charge_once(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    morning = morning_of(second().due_on)
    sandbox.control("clock", now=morning.isoformat())

    raised = together(app, lambda: billing.charge_due(morning))
    worker.run_due(morning)

    assert raised == []
    assert taken(sandbox) == [19501, 19500]


def test_scenario_08_another_amount_settles_nothing_and_stays_visible(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now)
    payment, url = opened(order, now)
    sandbox.pay_by_card(url)
    with transaction() as session:
        session.get_one(Payment, payment.id).amount_minor += 1

    assert jobs.refresh(payment.id, now).mismatch == "asked 15901, took 15900"
    worker.run_due(now)
    assert not confirmed(order)


def test_scenario_08_another_orders_cheaper_payment_settles_nothing(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    dear, cheap = place(now), place(now, price=100)
    payment, _ = opened(dear, now)
    other, url = opened(cheap, now)
    sandbox.pay_by_card(url)
    with transaction() as session:  # an attacker's return address names the other page
        swapped = session.get_one(Payment, other.id).page_reference
        session.get_one(Payment, other.id).page_reference = None
        session.flush()
        session.get_one(Payment, payment.id).page_reference = swapped

    jobs.refresh(payment.id, now)
    worker.run_due(now)

    assert not confirmed(dear)


def test_scenario_09_an_authentication_given_up_pays_nothing_and_the_order_ends(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now)
    _, url = opened(order, now)
    sandbox.pay_by_card(url, CHALLENGED, agree=False)
    live_until(sandbox, now + timedelta(days=1))

    assert db.session.get_one(Order, order.id).status is OrderStatus.CANCELLED
    assert taken(sandbox) == []


@pytest.mark.parametrize("end", ["cancelled", "sold out"])
def test_scenario_09_money_for_what_ended_is_visible_and_confirms_nothing(
    app: Flask, sandbox: RunningSandbox, now: datetime, end: str
) -> None:
    from storefront.orders.queries import paid_but_cancelled

    with transaction() as session:
        factories.terms(now)
        variant = factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=1)
        order = factories.order(variant, now=now)
    payment, url = opened(order, now)
    with transaction() as session:
        if end == "cancelled":
            orders.cancel(order, "unpaid", now=now)
        else:
            from storefront.catalogue import service as catalogue

            catalogue.release_holds(order.id)
            session.get_one(Variant, variant.id).available = 0
    sandbox.pay_by_card(url)
    jobs.refresh(payment.id, now)
    worker.run_due(now)

    assert db.session.get_one(Order, order.id).status is OrderStatus.CANCELLED
    assert len(paid_but_cancelled()) == 1
    assert db.session.scalars(select(Refund)).one().status is RefundStatus.PROPOSED


def test_scenario_09_a_late_cancellation_never_undoes_a_payment(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now)
    payment, url = opened(order, now)
    sandbox.pay_by_card(url)
    jobs.refresh(payment.id, now)
    jobs.close_page(payment.id, now)
    with transaction():
        service.record_unopened(service.locked(payment.id), now=now + timedelta(hours=2))
        late = Outcome(OutcomeStatus.CANCELLED)
        service.record_outcome(service.locked(payment.id), late, now=now + timedelta(hours=2))
    worker.run_due(now)

    assert db.session.get_one(Payment, payment.id).status is PaymentStatus.SUCCEEDED
    assert confirmed(order)


def test_scenario_10_what_needs_the_customer_is_asked_of_the_customer_only(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, card=CHALLENGED_LATER)
    morning = morning_of(second().due_on)
    live_until(sandbox, morning)
    live_until(sandbox, morning + timedelta(days=10))

    assert second().status is InstalmentStatus.UNPAID
    assert len(db.session.scalars(select(Payment).where(Payment.attempt > 1)).all()) == 0
    assert emails("instalment_failed") == 1


def test_scenario_10_a_soft_decline_is_tried_again_and_a_hard_one_is_not(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, card=REFUSED_LATER)
    morning = morning_of(second().due_on)
    live_until(sandbox, morning)
    assert second().status is InstalmentStatus.FAILED

    (card,) = db.session.scalars(select(SavedMethod)).all()
    sandbox.control(f"stripe/payment_methods/{card.method_reference}/detach", "POST")
    live_until(sandbox, morning + timedelta(days=3))
    assert second().status is InstalmentStatus.UNPAID
    assert second().attempts == 2


def test_scenario_12_paypal_is_captured_once_whoever_asks(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now, provider="paypal")
    payment, url = opened(order, now)
    sandbox.pay_by_paypal(url)

    raised = together(app, lambda: jobs.refresh(payment.id, now))
    worker.run_due(now + timedelta(minutes=2))

    assert len(raised) < 3
    assert taken(sandbox, "paypal") == [15900]
    assert confirmed(order)


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_scenario_14_a_currency_without_cents_is_asked_in_whole_units(
    app: Flask, sandbox: RunningSandbox, now: datetime, provider: str
) -> None:
    order = place(now, provider=provider)
    with transaction():
        payment = reserved(order, now, amount=Money(1001, "JPY"))
    url = jobs.open_page(
        payment.id, email="a@exemple.example", return_url=SHOP, cancel_url=SHOP, now=now
    )
    sandbox.pay_by_card(url) if provider == "stripe" else sandbox.pay_by_paypal(url)

    assert jobs.refresh(payment.id, now).mismatch is None
    assert taken(sandbox, provider) == [1001]


def test_scenario_14_instalments_make_the_price_to_the_cent(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, count=4)
    live_until(sandbox, morning_of(second().due_on) + timedelta(days=70))

    assert taken(sandbox) == [9751, 9750, 9750, 9750]
    assert sum(taken(sandbox)) == 39001


@pytest.mark.parametrize(
    "forged", ["wrong secret", "replayed", "too old", "from the future", "written anew"]
)
def test_scenario_15_a_forged_webhook_changes_nothing(
    app: Flask, client: FlaskClient, sandbox: RunningSandbox, now: datetime, forged: str
) -> None:
    order = place(now)
    _, url = opened(order, now)
    sandbox.pay_by_card(url)
    (event,) = sandbox.events("stripe", "checkout.session.completed")
    if forged == "too old":
        sandbox.control("clock", now=(now - timedelta(minutes=6)).isoformat())
    if forged == "from the future":
        sandbox.control("clock", now=(now + timedelta(minutes=6)).isoformat())
    if forged == "wrong secret":
        sandbox.control("settings", stripe_webhook_secret="whsec_of_a_stranger")
    headers, body = sandbox.signed("stripe", event["id"])
    if forged == "written anew":
        body = json.dumps(json.loads(body)).encode()
    if forged == "replayed":
        app.extensions["clock"].move_to(now + timedelta(minutes=6))
    answer = client.post("/webhooks/stripe", headers=headers, data=body)

    assert answer.status_code == 400
    assert count(WebhookReceipt) == 0
    assert not confirmed(order)


def test_scenario_15_another_paypal_body_of_the_same_checksum_only_makes_us_ask(
    app: Flask, client: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    order = place(now, provider="paypal")
    payment, _ = opened(order, now)
    other = place(now, provider="paypal")
    _, url = opened(other, now)
    sandbox.pay_by_paypal(url)
    (event,) = sandbox.events("paypal", "CHECKOUT.ORDER.APPROVED")
    headers, body = sandbox.signed("paypal", event["id"])
    reference = db.session.get_one(Payment, payment.id).page_reference
    claim = {
        "id": "WH-FORGED",
        "event_type": "CHECKOUT.ORDER.APPROVED",
        "resource": {"id": reference, "status": "COMPLETED"},
    }
    forged = collide(claim, zlib.crc32(body))
    client.post("/webhooks/paypal", headers=headers, data=forged)
    worker.run_due(now)

    assert not confirmed(order)
    assert taken(sandbox, "paypal") == []


def test_scenario_16_nothing_is_guessed_while_the_provider_is_out_of_reach(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    """A thousand of them are tried by `benchmarks/billing.py`."""
    debtors = make_debtors(12, sandbox, now, only_good_cards=True)
    morning = due_morning(now)
    sandbox.control("clock", now=morning.isoformat())
    sandbox.control("faults", provider="stripe", kind="closed", path="*", count=-1)
    billing.charge_due(morning)
    owed = select(Instalment.status).where(Instalment.id.in_([d.instalment_id for d in debtors]))
    assert set(db.session.scalars(owed)) == {InstalmentStatus.CHARGING}
    assert taken(sandbox) == []

    sandbox.control("faults", "DELETE")
    worker.run_due(morning + timedelta(minutes=10))
    db.session.rollback()
    assert set(db.session.scalars(owed)) == {InstalmentStatus.PAID}
    assert taken(sandbox) == [10000] * 12


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_scenario_17_a_means_of_payment_taken_away_in_the_middle_of_a_plan(
    client: FlaskClient, sandbox: RunningSandbox, now: datetime, provider: str
) -> None:
    buy(sandbox, now, provider=provider)
    (method,) = db.session.scalars(select(SavedMethod)).all()
    kind = "payment_methods" if provider == "stripe" else "payment-tokens"
    act = "detach" if provider == "stripe" else "revoke"
    sandbox.control(f"{provider}/{kind}/{method.method_reference}/{act}", "POST")
    for event in sandbox.events(provider):
        headers, body = sandbox.signed(provider, event["id"])
        assert client.post(f"/webhooks/{provider}", headers=headers, data=body).status_code == 200
    db.session.rollback()
    assert db.session.get_one(SavedMethod, method.id).revoked_at is not None

    live_until(sandbox, morning_of(second().due_on))
    assert second().status is InstalmentStatus.UNPAID
    assert emails("instalment_failed") == 1
    assert taken(sandbox, provider) == [19501]


def test_scenario_18_a_debit_on_the_31st_falls_on_the_last_day_and_comes_back(
    app: Flask, sandbox: RunningSandbox
) -> None:
    ordered = morning_of(date(2027, 1, 31)) + timedelta(hours=4)
    sandbox.control("clock", now=ordered.isoformat())
    buy(sandbox, ordered, count=4)
    days = db.session.scalars(select(Instalment.due_on).order_by(Instalment.rank)).all()
    assert days == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]

    live_until(sandbox, morning_of(date(2027, 2, 28)) - timedelta(minutes=1))
    assert len(taken(sandbox)) == 1
    live_until(sandbox, morning_of(date(2027, 2, 28)))
    assert len(taken(sandbox)) == 2
    live_until(sandbox, morning_of(date(2027, 3, 30)))
    assert len(taken(sandbox)) == 2
    live_until(sandbox, morning_of(date(2027, 3, 31)))
    assert len(taken(sandbox)) == 3


@pytest.mark.parametrize(("word", "ends"), [("DENIED", False), ("COMPLETED", True)])
def test_scenario_19_a_pending_capture_confirms_nothing_until_paypal_decides(
    app: Flask, sandbox: RunningSandbox, now: datetime, word: str, ends: bool
) -> None:
    order = place(now, provider="paypal")
    payment, url = opened(order, now)
    sandbox.pay_by_paypal(url, "account_pending")
    assert jobs.refresh(payment.id, now).status is PaymentStatus.PENDING
    worker.run_due(now)
    assert not confirmed(order)

    capture = db.session.get_one(Payment, payment.id).charge_reference
    sandbox.control(f"paypal/captures/{capture}/settle", status=word)
    worker.run_due(now + timedelta(minutes=5))
    assert confirmed(order) is ends


def test_scenario_20_a_provider_that_says_401_for_ever_is_asked_rarely_and_it_is_seen(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    morning = morning_of(second().due_on)
    sandbox.control("clock", now=morning.isoformat())
    sandbox.control("faults", provider="stripe", kind="error", path="*", status=401, count=-1)
    assert sandbox.log is not None
    before = len(sandbox.log.read_text().splitlines())
    for minutes in range(0, 24 * 60, 10):
        worker.run_due(morning + timedelta(minutes=minutes))
        assert len(sandbox.log.read_text().splitlines()) - before <= 20

    assert second().status is InstalmentStatus.CHARGING
    assert taken(sandbox) == [19501]
    assert db.session.scalars(select(Email).where(Email.kind == "instalment_paid")).all() == []
