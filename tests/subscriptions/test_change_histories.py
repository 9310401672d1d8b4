"""Any history of a subscriber who changes plans: nobody pays twice, nobody pays for nothing."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, pairwise

from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.models import Variant
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.service import NothingToPay, PaymentUnderWay
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.models import Payment, PaymentStatus, Refund
from storefront.payments.providers.base import PAGE_LIFETIME, Outcome, OutcomeStatus
from storefront.payments.queries import UNDECIDED
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import (
    ChangeStatus,
    PlanChange,
    Subscription,
    SubscriptionStatus,
)
from storefront.subscriptions.queries.changes import OPEN
from storefront.subscriptions.rules import contract_of
from storefront.subscriptions.service import ChangeRefused, Choice
from tests import factories
from tests.subscriptions.plans import FAMILY, shelf

START = datetime.fromisoformat("2027-01-31T15:00:00+01:00")

STEPS = st.one_of(
    st.tuples(st.just("choose"), st.sampled_from(sorted(FAMILY))),
    st.tuples(st.just("choose"), st.sampled_from(["premium", "atelier"])),
    st.tuples(st.just("paid"), st.none()),
    st.tuples(st.just("paid"), st.none()),
    st.tuples(st.just("closed"), st.none()),
    st.tuples(st.just("late"), st.none()),
    st.tuples(st.just("take_back"), st.none()),
    st.tuples(st.just("pay_period"), st.none()),
    st.tuples(st.just("pass"), st.integers(1, 500)),
)


@dataclass
class History:
    """One subscriber, whatever they do; `now` only grows."""

    subscription_id: uuid.UUID
    now: datetime

    @property
    def found(self) -> Subscription:
        return db.session.get_one(Subscription, self.subscription_id)

    def changes(self) -> list[PlanChange]:
        mine = PlanChange.subscription_id == self.subscription_id
        return list(db.session.scalars(select(PlanChange).where(mine)))

    def choose(self, slug: str) -> None:
        offer = queries.offer(self.found, slug)
        quote = queries.quote(self.found, offer, self.now) if offer else None
        choice = Choice(slug, self.now, quote.seen if quote else "", "Oui.", "127.0.0.1", "test")
        try:
            with transaction():
                made = service.choose(
                    self.subscription_id, choice, expires_at=self.now + PAGE_LIFETIME, now=self.now
                )
                if made.status is ChangeStatus.AWAITING_PAYMENT and made.instalment_id:
                    self._page(made.instalment_id)
        except (ChangeRefused, service.ChangeRecomputed, PaymentUnderWay):
            pass

    def _page(self, instalment_id: uuid.UUID) -> Payment:
        return instalments.pay_now(
            instalment_id, "stripe", expires_at=self.now + PAGE_LIFETIME, now=self.now
        )

    def paid(self, _: None) -> None:
        self._said(OutcomeStatus.SUCCEEDED, UNDECIDED)

    def closed(self, _: None) -> None:
        self._said(OutcomeStatus.CANCELLED, UNDECIDED)

    def late(self, _: None) -> None:
        self._said(OutcomeStatus.SUCCEEDED, (PaymentStatus.CANCELLED,))

    def _said(self, told: OutcomeStatus, of: tuple[PaymentStatus, ...]) -> None:
        """The provider's word on the last attempt at a change that stands so."""
        owed = [one.instalment_id for one in self.changes() if one.instalment_id]
        with transaction():
            attempt = db.session.scalars(
                select(Payment)
                .where(Payment.instalment_id.in_(owed), Payment.status.in_(of))
                .order_by(Payment.created_at.desc())
            ).first()
            if attempt is not None:
                self._tell(attempt, told)

    def _tell(self, attempt: Payment, told: OutcomeStatus) -> None:
        came = told is OutcomeStatus.SUCCEEDED
        outcome = Outcome(told, attempt.amount if came else None, f"ch_{attempt.id}")
        payments.record_outcome(payments.locked(attempt.id), outcome, now=self.now)

    def take_back(self, _: None) -> None:
        try:
            with transaction():
                service.keep_plan(self.subscription_id, now=self.now)
        except PaymentUnderWay:
            pass

    def pay_period(self, _: None) -> None:
        unpaid = [one.instalment_id for one in self.found.periods if one.paid_at is None]
        for instalment_id in filter(None, unpaid):
            try:
                with transaction():
                    self._tell(self._page(instalment_id), OutcomeStatus.SUCCEEDED)
            except NothingToPay:
                pass

    def check(self) -> None:
        """What holds after every step."""
        db.session.rollback()
        found, changes = self.found, self.changes()
        waiting = [one for one in changes if one.status in OPEN]
        assert len(waiting) <= 1
        self._check_periods(found, changes)
        self._check_money(changes)
        self._check_rights(found, changes)

    def _check_periods(self, found: Subscription, changes: list[PlanChange]) -> None:
        periods = found.periods
        assert [one.number for one in periods] == list(range(1, len(periods) + 1))
        for one, following in pairwise(periods):
            assert one.ends_on == following.starts_on
        for period in periods:
            up = [
                one
                for one in changes
                if one.period_id == period.id and one.status is ChangeStatus.DONE and one.net_minor
            ]
            dearest = max([period.net_minor, *(one.price_net_minor for one in up)])
            assert period.net_minor + sum(one.net_minor for one in up) <= dearest

    def _check_money(self, changes: list[PlanChange]) -> None:
        """What came is what is paid, once; all else is on its way back."""
        came = db.session.scalars(
            select(Payment).where(
                Payment.order_id == self.found.order_id, Payment.status == PaymentStatus.SUCCEEDED
            )
        ).all()
        back = set(db.session.scalars(select(Refund.payment_id)))
        kept = Counter(one.instalment_id for one in came if one.id not in back)
        assert all(count == 1 for count in kept.values())
        for change in changes:
            if change.instalment_id is None:
                continue
            owed = db.session.get_one(Instalment, change.instalment_id)
            if change.status is ChangeStatus.DONE:
                assert owed.status is InstalmentStatus.PAID
                assert kept[change.instalment_id] == 1
            elif change.status is not ChangeStatus.AWAITING_PAYMENT:
                assert owed.status in (InstalmentStatus.CANCELLED, InstalmentStatus.PAID)
                assert kept[change.instalment_id] == 0

    def _check_rights(self, found: Subscription, changes: list[PlanChange]) -> None:
        done = [one for one in changes if one.status is ChangeStatus.DONE and one.done_at]
        last = max(done, key=lambda one: (one.done_at, one.requested_at), default=None)
        if last is not None:
            assert found.version_id == last.to_version_id
            assert found.net_minor == last.price_net_minor
        runs = found.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
        expected = contract_of(found.version.features).entitlements if runs else frozenset()
        granted = queries.granted(found.user_id, self.now)
        assert granted.entitlements == expected


def begin(variant_id: uuid.UUID, now: datetime, number: int) -> History:
    """Another buyer orders a plan and has paid its first period."""
    with transaction():
        variant = db.session.get_one(Variant, variant_id)
        who = factories.buyer(BuyerKind.PROFESSIONAL, email=f"client-{number}@exemple.example")
        order = factories.order(variant, now=now, who=who)
        wanted = select(Instalment).where(
            Instalment.order_id == order.id, Instalment.schedule == PRICE
        )
        first = db.session.scalars(wanted).one()
        attempt = instalments.attempt(first, "stripe", expires_at=now + PAGE_LIFETIME, now=now)
        history = History(order.id, now)
        history._tell(attempt, OutcomeStatus.SUCCEEDED)
        order_id = order.id
    worker.run_due(now)
    (history.subscription_id,) = [one.id for one in queries.of_order(order_id)]
    return history


def test_whatever_a_subscriber_does_each_period_is_paid_once_and_opens_what_it_says(app: Flask):
    with transaction():
        factories.terms(START)
        variant_id = shelf()["essentiel"].id
    clock, numbers = [START], count()

    @settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEPS, min_size=8, max_size=10))
    def live(steps: list[tuple[str, str | int | None]]) -> None:
        history = begin(variant_id, clock[0], next(numbers))
        for name, value in steps:
            if name == "pass":
                history.now += timedelta(hours=int(value or 0))
            else:
                getattr(history, name)(value)
            worker.run_due(history.now)
            history.check()
        clock[0] = history.now

    live()
