"""Declarations: kept as they were made, whatever they say; then matched, apart from them.

Whether a reference exists is told to nobody: what the page answers never depends on the match.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError

from storefront.identity.rules import normal_email
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.infra.outbox import publish
from storefront.kernel.calendar import end_of_day, paris_date, start_of_day
from storefront.kernel.errors import Refusal
from storefront.orders import service as orders
from storefront.orders.models import Order
from storefront.subscriptions import queries as subscription_queries
from storefront.subscriptions import service as subscriptions
from storefront.withdrawals import queries, rules
from storefront.withdrawals.events import (
    CancellationMatched,
    CancellationNotified,
    WithdrawalDeclared,
)
from storefront.withdrawals.models import (
    CancellationMatch,
    CancellationRequest,
    Channel,
    WithdrawalMatch,
    WithdrawalRequest,
)

M = TypeVar("M", WithdrawalMatch, CancellationMatch)


class DeclarationMatched(Refusal):
    """Somebody found the contract of this declaration before. Details: reference, order."""

    status = 409


@dataclass(frozen=True)
class ChosenLine:
    """A line of the order that is withdrawn from: its id, and its name as it was read."""

    line: str
    name: str


@dataclass(frozen=True)
class Withdrawal:
    """What is declared on the withdrawal page (L221-21). No `lines`: they do not say which."""

    name: str
    email: str
    contract: str
    remark: str
    lines: tuple[ChosenLine, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the lines, as they are read again."""
        return [one.name for one in self.lines]


@dataclass(frozen=True)
class Received:
    """How and when a declaration came that staff write down: sent is in time, received counts for
    the refund (L221-21, L221-24)."""

    channel: Channel
    sent_on: date
    received_on: date


@dataclass(frozen=True)
class Cancellation:
    """What is declared on the cancellation page (D215-2). E-mail or postal address, or both."""

    name: str
    email: str
    postal_address: str
    contract: str
    wanted_on: date | None
    reason: str


def withdrawal_key(token: str, declared: Withdrawal) -> str:
    """The key under which this act is kept."""
    return rules.submission_key(token, asdict(declared))


def cancellation_key(token: str, declared: Cancellation) -> str:
    """The key under which this act is kept."""
    return rules.submission_key(token, asdict(declared))


def withdraw(
    declared: Withdrawal, *, key: str, user_id: uuid.UUID | None, now: datetime
) -> WithdrawalRequest:
    """Keep a withdrawal as it was declared, early, late or without a right to it (WDR-04).

    The same key again returns the first row and changes nothing.
    """
    request = WithdrawalRequest(
        id=uuid.uuid4(),
        key=key,
        user_id=user_id,
        declared_at=now,
        received_at=now,
        channel=Channel.ONLINE,
        **_words(declared),
    )
    return _keep(request, now)


def record_withdrawal(
    declared: Withdrawal, received: Received, *, key: str, staff_id: uuid.UUID, now: datetime
) -> WithdrawalRequest:
    """Staff write down what came by e-mail or post, with its dates (W-01).

    It is in time when it was sent in time, to the end of that day. The same key again returns the
    first row and changes nothing.
    """
    sent_at = min(end_of_day(received.sent_on) - timedelta(seconds=1), now)
    request = WithdrawalRequest(
        id=uuid.uuid4(),
        key=key,
        declared_at=sent_at,
        received_at=max(min(start_of_day(received.received_on), now), sent_at),
        channel=received.channel,
        recorded_by=staff_id,
        **_words(declared),
    )
    return _keep(request, now)


def _words(declared: Withdrawal) -> dict[str, Any]:
    return {**asdict(declared), "lines": [asdict(one) for one in declared.lines]}


def _keep(request: WithdrawalRequest, now: datetime) -> WithdrawalRequest:
    if (known := queries.withdrawal_by_key(request.key)) is not None:
        return known
    if not _insert(request, f"RET-{paris_date(now).year}"):
        return queries.kept(queries.withdrawal_by_key(request.key))
    facts = {
        "user": request.user_id,
        "channel": request.channel,
        "sent_at": request.declared_at,
        "received_at": request.received_at,
        "recorded_by": request.recorded_by,
        "lines": [one["line"] for one in request.lines],
    }
    journal.record("withdrawal.declared", request, facts, now=now)
    order = queries.order_meant(request.contract, request.email, request.name, request.user_id)
    if order is not None:
        _match_withdrawal(request, order, None, now)
    publish(WithdrawalDeclared(request.id), now=now)
    return request


def cancel(
    declared: Cancellation, *, key: str, user_id: uuid.UUID | None, now: datetime
) -> CancellationRequest:
    """Keep a cancellation as it was notified, and set the end of the contract it names.

    When no contract agrees with it, staff look for it. The same key again returns the first row
    and changes nothing.
    """
    if (known := queries.cancellation_by_key(key)) is not None:
        return known
    request = CancellationRequest(
        id=uuid.uuid4(), key=key, user_id=user_id, declared_at=now, **asdict(declared)
    )
    if not _insert(request, f"RES-{paris_date(now).year}"):
        return queries.kept(queries.cancellation_by_key(key))
    facts = {"user": user_id, "wanted_on": request.wanted_on, "early": bool(request.reason)}
    journal.record("cancellation.notified", request, facts, now=now)
    order = queries.order_meant(request.contract, request.email, request.name, user_id)
    if order is not None:
        _match_cancellation(request, order, None, now)
    publish(CancellationNotified(request.id), now=now)
    return request


def _insert(request: WithdrawalRequest | CancellationRequest, series: str) -> bool:
    """Add a declaration under the next number of its series; False when its key was used."""
    session = db.session()
    request.email = normal_email(request.email)
    try:
        with session.begin_nested():
            # Drawn inside the savepoint: a second click gives its number back.
            request.reference = f"{series}-{next_number(series):06d}"
            session.add(request)
    except IntegrityError:
        if queries.key_is_free(request):
            raise
        return False
    return True


def match_withdrawal(
    request_id: uuid.UUID, order_id: uuid.UUID, *, staff_id: uuid.UUID, now: datetime
) -> None:
    """Staff found the order that a withdrawal is about. Raises `DeclarationMatched`."""
    request = db.session.get_one(WithdrawalRequest, request_id)
    if (known := queries.withdrawal_match(request.id)) is not None:
        raise DeclarationMatched(reference=request.reference, order=known.order.reference)
    _match_withdrawal(request, db.session.get_one(Order, order_id), staff_id, now)


def match_cancellation(
    request_id: uuid.UUID, order_id: uuid.UUID, *, staff_id: uuid.UUID, now: datetime
) -> None:
    """Staff found the contract that a cancellation is about: its end is set, and told.

    The end counts from the notification, however late the contract is found. Raises
    `DeclarationMatched`.
    """
    request = db.session.get_one(CancellationRequest, request_id)
    if (known := queries.cancellation_match(request.id)) is not None:
        raise DeclarationMatched(reference=request.reference, order=known.order.reference)
    _match_cancellation(request, db.session.get_one(Order, order_id), staff_id, now)
    publish(CancellationMatched(request.id), now=now)


def _match_withdrawal(
    request: WithdrawalRequest, order: Order, staff_id: uuid.UUID | None, now: datetime
) -> None:
    match = _matched(WithdrawalMatch, request, order, staff_id, now)
    orders.stop_debits(order, now=now)
    facts = {"withdrawal": request.id, "order": order.id, "staff": staff_id}
    journal.record("withdrawal.matched", match, facts, now=now)


def _match_cancellation(
    request: CancellationRequest, order: Order, staff_id: uuid.UUID | None, now: datetime
) -> None:
    match = _matched(CancellationMatch, request, order, staff_id, now)
    facts = {"cancellation": request.id, "order": order.id, "staff": staff_id}
    journal.record("cancellation.matched", match, facts, now=now)
    for subscription in subscription_queries.of_order(order.id):
        subscriptions.schedule_end(
            subscription.id,
            notified_on=paris_date(request.declared_at),
            wanted_on=request.wanted_on,
            cause_id=request.id,
            now=now,
        )


def _matched(
    model: type[M],
    request: WithdrawalRequest | CancellationRequest,
    order: Order,
    staff_id: uuid.UUID | None,
    now: datetime,
) -> M:
    """UNIQUE(request): of two members of the staff at once, one is told."""
    match = model(
        id=uuid.uuid4(),
        request_id=request.id,
        order_id=order.id,
        staff_id=staff_id,
        matched_at=now,
    )
    session = db.session()
    try:
        with session.begin_nested():
            session.add(match)
    except IntegrityError as error:
        raise DeclarationMatched(reference=request.reference, order=order.reference) from error
    return match
