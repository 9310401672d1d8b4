"""A decision is made once, whoever confirms it at the same moment, and outlives a crash."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role, User
from storefront.infra.db import db, transaction
from storefront.payments.models import RefundStatus
from storefront.withdrawals import queries, service
from storefront.withdrawals.models import WithdrawalRequest
from storefront.withdrawals.service import Act, AmountsMoved, Choice, LineDecided
from tests import paying
from tests.identity import people
from tests.parallel import at_once
from tests.withdrawals.deciding import PACK, TOOLBOX, bought, decisions, order_of, refunds
from tests.withdrawals.declaring import withdrawn_at

PEOPLE = 4


def request_id() -> uuid.UUID:
    db.session.rollback()
    return db.session.scalars(select(WithdrawalRequest.id)).one()


def choices() -> tuple[Choice, ...]:
    """Everything that is proposed, as a page shows it."""
    request = db.session.get_one(WithdrawalRequest, request_id())
    match = queries.withdrawal_match(request.id)
    assert match is not None
    rows = queries.proposal(request, match.order).open_rows
    return tuple(Choice(row.line.id, row.result.due_minor, row.result.due_minor) for row in rows)


def staff_id(now: datetime) -> uuid.UUID:
    people.staff(now, Role.SHOPKEEPER)
    return db.session.scalars(select(User.id).where(User.role == Role.SHOPKEEPER)).one()


def test_one_form_sent_by_many_clicks_at_once_is_one_decision(app: Flask, now: datetime) -> None:
    order_id = bought(now - timedelta(days=1), PACK, TOOLBOX)
    withdrawn_at(now, order_of(order_id).reference)
    act, who, request = Act(uuid.uuid4(), choices()), staff_id(now), request_id()

    def click(_rank: int) -> int:
        with transaction():
            decision, made = service.decide(request, act, staff_id=who, now=now)
            return decision.due_minor + len(made)

    # Both are whole: nobody opened the file. One refund.
    assert at_once(app, click, PEOPLE) == [44900 + 4900 + 1] * PEOPLE
    assert len(decisions()) == 1
    assert [one.amount_minor for one in refunds()] == [49800]


def test_more_than_what_is_left_is_refused_again_under_the_lock(app: Flask, now: datetime) -> None:
    order_id = bought(now - timedelta(days=1), PACK, TOOLBOX)
    withdrawn_at(now, order_of(order_id).reference)
    hours, _ = choices()
    act = Act(uuid.uuid4(), (replace(hours, due_minor=hours.due_minor + 1, reason="Geste"),))
    who, request = staff_id(now), request_id()
    with pytest.raises(AmountsMoved), transaction():
        service.decide(request, act, staff_id=who, now=now)
    assert refunds() == []


def test_of_several_people_who_confirm_at_once_one_decides(app: Flask, now: datetime) -> None:
    order_id = bought(now - timedelta(days=1), PACK)
    withdrawn_at(now, order_of(order_id).reference)
    chosen, who, request = choices(), staff_id(now), request_id()

    def confirm(_rank: int) -> str:
        try:
            with transaction():
                service.decide(request, Act(uuid.uuid4(), chosen), staff_id=who, now=now)
        except LineDecided:
            return "told"
        return "decided"

    assert sorted(map(str, at_once(app, confirm, PEOPLE))) == ["decided", *["told"] * 3]
    assert len(decisions()) == 1
    assert [one.amount_minor for one in refunds()] == [44900]


def test_a_crash_after_the_decision_leaves_the_refund_to_the_worker(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    order_id = paying.bought(sandbox, ProductKind.HOUR_PACK, now, price=15900)
    withdrawn_at(now, order_of(order_id).reference)
    act, who, request = Act(uuid.uuid4(), choices()), staff_id(now), request_id()
    with transaction():
        service.decide(request, act, staff_id=who, now=now)
    assert [one.status for one in refunds()] == [RefundStatus.RESERVED]

    worker.run_due(now + timedelta(minutes=10))
    assert [one.status for one in refunds()] == [RefundStatus.SUCCEEDED]
    assert len(sandbox.control("ledger")["stripe"]["refunded"]) == 1
    with transaction():
        again, made = service.decide(request, act, staff_id=who, now=now)
        assert (again.id, len(made)) == (act.id, 1)
    assert len(sandbox.control("ledger")["stripe"]["refunded"]) == 1
