"""Refunds and disputes as each provider tells them, through its real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    DisputeOutcome,
    DisputeStatus,
    Provider,
    ProviderRejected,
    RefundStatus,
    WebhookNotice,
)
from storefront.payments.providers.registry import build_providers
from tests.payments.provider_requests import NOW, page_request, refund_request, settings_for

SLOW_REFUNDS = "4000000000007726"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.control("reset", "POST")
    running.control("clock", now=NOW.isoformat())
    return running


@dataclass
class Till:
    """One provider, its dashboard, and what its two vocabularies call the same things."""

    provider: Provider
    sandbox: RunningSandbox

    @property
    def is_stripe(self) -> bool:
        return self.provider.key == "stripe"

    def paid(self, card: str = "4242424242424242") -> str:
        page = self.provider.open_page(page_request())
        pay = self.sandbox.pay_by_card if self.is_stripe else self.sandbox.pay_by_paypal
        pay(page.url, card) if self.is_stripe else pay(page.url)
        charge = self.provider.fetch_page(page.reference).charge_reference
        assert charge is not None
        return charge

    def refund_by_hand(self, charge: str, minor: int) -> None:
        if self.is_stripe:
            self.sandbox.control("stripe/refunds", payment_intent=charge, amount=minor)
        else:
            amount = {"currency_code": "EUR", "value": Money(minor).major_string()}
            self.sandbox.control(f"paypal/captures/{charge}/refund", amount=amount)

    def contest(self, charge: str) -> str:
        what = "payment_intents" if self.is_stripe else "captures"
        path = f"{self.provider.key}/{what}/{charge}/dispute"
        dispute = self.sandbox.control(path, "POST")
        return str(dispute["id"])

    def close(self, dispute: str, ending: str) -> None:
        self.sandbox.control(f"{self.provider.key}/disputes/{dispute}/close", status=ending)

    def notice(self, kind: str) -> WebhookNotice:
        event = self.sandbox.events(self.provider.key, kind)[-1]
        headers, body = self.sandbox.signed(self.provider.key, event["id"])
        return self.provider.read_webhook(headers, body, NOW)

    def told(self, what: str) -> DisputeOutcome:
        """The dispute that the webhook of this kind (opened, closed) made us ask about."""
        kinds: dict[str, Any] = {
            "opened": ("charge.dispute.created", "CUSTOMER.DISPUTE.CREATED"),
            "closed": ("charge.dispute.closed", "CUSTOMER.DISPUTE.RESOLVED"),
        }
        notice = self.notice(kinds[what][0 if self.is_stripe else 1])
        assert notice.dispute is not None
        return self.provider.fetch_dispute(notice.dispute)


@pytest.fixture(params=["stripe", "paypal"])
def till(sandbox: RunningSandbox, request: pytest.FixtureRequest) -> Till:
    return Till(build_providers(settings_for(sandbox))[request.param], sandbox)


def test_the_refunds_of_a_charge_are_listed_with_whose_they_are(till):
    charge, other = till.paid(), till.paid()
    ours = refund_request(charge, 5000)
    made = till.provider.refund(ours)
    till.refund_by_hand(charge, 300)
    till.refund_by_hand(other, 700)

    found = {refund.reference: refund for refund in till.provider.refunds_of(charge)}

    assert sorted(refund.amount.minor for refund in found.values()) == [300, 5000]
    assert found[made.reference] == made
    assert made.refund_id == ours.refund_id
    assert [refund.refund_id for refund in found.values() if refund != made] == [None]


def test_no_refund_is_an_empty_list_and_no_charge_a_mistake(till):
    assert till.provider.refunds_of(till.paid()) == ()
    if not till.is_stripe:  # Stripe lists nothing of what it does not know
        with pytest.raises(ProviderRejected):
            till.provider.refunds_of("2GG279541U471931P")


def test_more_refunds_than_one_page_holds_are_all_listed(till):
    charge = till.paid()
    for _ in range(12):
        till.refund_by_hand(charge, 100)

    assert len(till.provider.refunds_of(charge)) == 12


def test_the_webhook_of_a_refund_names_its_charge_and_no_payment_of_ours(till):
    charge = till.paid()
    till.provider.refund(refund_request(charge, 5000))

    notice = till.notice("charge.refunded" if till.is_stripe else "PAYMENT.CAPTURE.REFUNDED")

    assert notice.reference == charge
    assert notice.dispute is None


def test_a_refund_can_wait_and_then_go_or_fail(sandbox):
    till = Till(build_providers(settings_for(sandbox))["stripe"], sandbox)
    charge = till.paid(SLOW_REFUNDS)
    first = till.provider.refund(refund_request(charge, 5000))
    second = till.provider.refund(refund_request(charge, 13000))
    sandbox.control(f"stripe/refunds/{first.reference}/settle", status="succeeded")
    sandbox.control(f"stripe/refunds/{second.reference}/settle", status="failed")

    found = {refund.reference: refund for refund in till.provider.refunds_of(charge)}

    assert (first.status, second.status) == (RefundStatus.PENDING, RefundStatus.PENDING)
    assert found[first.reference].status is RefundStatus.SUCCEEDED
    assert found[second.reference].status is RefundStatus.REFUSED
    assert found[second.reference].reason == "expired_or_canceled_card"
    assert sandbox.control("ledger")["stripe"]["totals"]["EUR"]["refunded"] == 5000


@pytest.mark.parametrize(
    ("ending", "status"), [("won", DisputeStatus.WON), ("lost", DisputeStatus.LOST)]
)
def test_a_dispute_is_told_with_its_charge_its_amount_and_its_end(till, ending, status):
    charge = till.paid()
    till.refund_by_hand(charge, 3000)
    reference = till.contest(charge)

    opened = till.told("opened")
    till.close(reference, ending)

    assert (opened.reference, opened.charge_reference) == (reference, charge)
    assert (opened.status, opened.amount) == (DisputeStatus.OPEN, Money(15000))
    assert opened.evidence_due_at is not None
    assert opened.evidence_due_at > NOW + timedelta(days=5)
    closed = till.told("closed")
    assert (closed.reference, closed.status) == (reference, status)
    lost = till.sandbox.control("ledger")[till.provider.key]["totals"]["EUR"]["lost"]
    assert lost == (15000 if ending == "lost" else 0)


def test_a_disputed_payment_is_not_given_back_twice(till):
    charge = till.paid()
    reference = till.contest(charge)
    while_open = till.provider.refund(refund_request(charge, 100))
    till.close(reference, "lost")
    after = till.provider.refund(refund_request(charge, 100))

    assert while_open.status is RefundStatus.REFUSED
    assert after.status is RefundStatus.REFUSED


def test_a_transfer_has_neither_a_list_of_refunds_nor_disputes(sandbox):
    offline = build_providers(settings_for(sandbox))["offline"]

    assert offline.refunds_of("VIR-1") == ()
    with pytest.raises(ProviderRejected):
        offline.fetch_dispute("du_1")
