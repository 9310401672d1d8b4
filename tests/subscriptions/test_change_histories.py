"""Any history of a subscriber: up, down, unpaid, out, back in, ended by the seller.

Nobody pays twice or for nothing, nobody is given back more, and what is open is what runs.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
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
from storefront.kernel.calendar import paris_date
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.models import Payment, PaymentStatus, Refund, RefundReason
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
from storefront.subscriptions.rules import Direction, Ground, contract_of, pro_rata
from storefront.subscriptions.service import (
    ChangeRefused,
    Choice,
    EndAnnounced,
    NothingToKeep,
    SubscriptionOver,
)
from tests import factories
from tests.subscriptions import running
from tests.subscriptions.plans import FAMILY, shelf

START = datetime.fromisoformat("2027-01-31T15:00:00+01:00")

# What happens; and how long nothing does before: an hour, a day, half a month, a month and more.
# A month that nobody pays for is suspended after seven days.
ACTS = (
    *(("choose", slug) for slug in (*sorted(FAMILY), "premium", "atelier")),
    *(("paid", None), ("paid", None), ("closed", None), ("late", None), ("take_back", None)),
    *(("pay_period", None), ("pay_period", None), ("pay_period", None)),
    *(("cancel", None), ("keep", None), ("close", None)),
)
STEPS = st.tuples(st.sampled_from(ACTS), st.sampled_from([0, 1, 24, 350, 760]))


@dataclass
class History:
    """One subscriber, whatever they do; `now` only grows.

    `over`: what had ended when they ordered again. `stopped`: what the seller ended.
    """

    subscription_id: uuid.UUID
    variant_id: uuid.UUID
    now: datetime
    over: list[uuid.UUID] = field(default_factory=list)
    stopped: set[uuid.UUID] = field(default_factory=set)

    @property
    def found(self) -> Subscription:
        return db.session.get_one(Subscription, self.subscription_id)

    def changes(self) -> list[PlanChange]:
        mine = PlanChange.subscription_id == self.subscription_id
        return list(db.session.scalars(select(PlanChange).where(mine)))

    def choose(self, slug: str) -> None:
        if self.found.status is SubscriptionStatus.ENDED:
            self._again()
            return
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

    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

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

    def cancel(self, _: None) -> None:
        try:
            with transaction():
                service.end_by_holder(
                    self.subscription_id, notified_on=paris_date(self.now), now=self.now
                )
        except SubscriptionOver:
            pass

    def keep(self, _: None) -> None:
        try:
            with transaction():
                service.take_back(self.subscription_id, by=self.found.user_id, now=self.now)
        except NothingToKeep:
            pass

    def close(self, _: None) -> None:
        """The seller stops it: what is paid and not supplied goes back."""
        by = running.staff(self.now)
        try:
            with transaction():
                service.give_notice(
                    self.subscription_id,
                    Ground.CLOSURE,
                    running.REASONS,
                    recorded_by=by,
                    now=self.now,
                )
        except (SubscriptionOver, EndAnnounced):
            return
        self.stopped.add(self.subscription_id)

    def _again(self) -> None:
        """What is over is ordered once more."""
        email = self.found.order.email
        self.over.append(self.subscription_id)
        self.subscription_id = ordered(self.variant_id, email, self.now)

    def check(self) -> None:
        """What holds after every step."""
        db.session.rollback()
        for ended in self.over:
            found = db.session.get_one(Subscription, ended)
            assert found.status is SubscriptionStatus.ENDED
            self._check_given_back(found)
        found, changes = self.found, self.changes()
        self._check_given_back(found)
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
        if found.status is SubscriptionStatus.ENDED and found.ends_on:
            assert all(one.starts_on < found.ends_on or not one.paid_at for one in periods)
        owed = [one.instalment_id for one in periods if one.instalment_id]
        assert len(owed) == len(set(owed))
        for period in periods:
            up = [
                one
                for one in changes
                if one.period_id == period.id
                and (one.direction, one.status) == (Direction.UP, ChangeStatus.DONE)
            ]
            paid = period.net_minor
            for one in sorted(up, key=lambda one: one.counted_from):
                rest = pro_rata(
                    one.price_net_minor, 0, 0, period.starts_on, period.ends_on, one.counted_from
                )
                assert rest.share - one.net_minor <= paid, "more credited than was paid"
                paid += one.net_minor
            assert paid <= max([period.net_minor, *(one.price_net_minor for one in up)])

    def _check_money(self, changes: list[PlanChange]) -> None:
        """What came is what is paid, once; all else is on its way back."""
        came = db.session.scalars(
            select(Payment).where(
                Payment.order_id == self.found.order_id, Payment.status == PaymentStatus.SUCCEEDED
            )
        ).all()
        back = set(
            db.session.scalars(
                select(Refund.payment_id).where(Refund.reason == RefundReason.NOT_DUE)
            )
        )
        kept = Counter(one.instalment_id for one in came if one.id not in back)
        assert all(count == 1 for count in kept.values())
        for period in self.found.periods:
            if period.instalment_id is not None and period.gross_minor:
                assert kept[period.instalment_id] == (period.paid_at is not None)
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

    def _check_given_back(self, found: Subscription) -> None:
        """Of no payment goes back more than came, and of what was due only when the seller
        has stopped."""
        came = {
            one.id: one.taken_minor
            for one in db.session.scalars(select(Payment).where(Payment.order_id == found.order_id))
        }
        gone: Counter[uuid.UUID] = Counter()
        for one in db.session.scalars(select(Refund).where(Refund.order_id == found.order_id)):
            gone[one.payment_id] += one.amount_minor
            if one.reason is not RefundReason.NOT_DUE:
                assert found.status is SubscriptionStatus.ENDED
                assert found.id in self.stopped
        assert all(minor <= came[payment_id] for payment_id, minor in gone.items())

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


def ordered(variant_id: uuid.UUID, email: str, now: datetime) -> uuid.UUID:
    """A buyer orders a plan and has paid its first period: the subscription."""
    with transaction():
        variant = db.session.get_one(Variant, variant_id)
        who = factories.buyer(BuyerKind.PROFESSIONAL, email=email)
        order_id = factories.order(variant, now=now, who=who).id
        first = select(Instalment).where(
            Instalment.order_id == order_id, Instalment.schedule == PRICE
        )
        attempt = instalments.attempt(
            db.session.scalars(first).one(), "stripe", expires_at=now + PAGE_LIFETIME, now=now
        )
        outcome = Outcome(OutcomeStatus.SUCCEEDED, attempt.amount, f"ch_{attempt.id}")
        payments.record_outcome(payments.locked(attempt.id), outcome, now=now)
    worker.run_due(now)
    (subscription_id,) = [one.id for one in queries.of_order(order_id)]
    return subscription_id


def test_whatever_a_subscriber_does_each_period_is_paid_once_and_opens_what_it_says(app: Flask):
    with transaction():
        factories.terms(START)
        variant_id = shelf()["essentiel"].id
    clock, numbers = [START], count()

    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEPS, min_size=8, max_size=10))
    def live(steps: list[tuple[tuple[str, str | None], int]]) -> None:
        email = f"client-{next(numbers)}@exemple.example"
        history = History(ordered(variant_id, email, clock[0]), variant_id, clock[0])
        for (name, value), hours in steps:
            for act, what in (("wait", hours), (name, value)):
                getattr(history, act)(what)
                worker.run_due(history.now)
                history.check()
        clock[0] = history.now

    live()
