"""Somebody in front of the two pages, and the contracts that they are about."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape

from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.notifications.models import Email
from storefront.orders import service as orders
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import OrderLine
from storefront.subscriptions import service as subscriptions
from storefront.withdrawals import service
from storefront.withdrawals.models import CancellationRequest, WithdrawalRequest
from tests import factories

Fields = dict[str, str]

CLAIRE = {"name": "Claire Essai", "email": "claire@exemple.example"}
WITHDRAW = "/retractation"
CANCEL = "/resiliation/demande"


def confirmed(
    now: datetime,
    kind: ProductKind = ProductKind.HOUR_PACK,
    *,
    features: dict[str, object] | None = None,
    email: str = CLAIRE["email"],
) -> str:
    """The reference of Claire's order, paid at `now`; what runs monthly has started."""
    with transaction():
        factories.terms(now)
        variant = factories.product(kind, features=features)
        order = factories.order(variant, now=now, who=factories.buyer(email=email))
        orders.confirm(order, now=now)
        subscriptions.start_for_order(OrderConfirmed(order.id), now=now)
        return order.reference


def hidden(page: str) -> Fields:
    """What a page carries to the next one."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def token_of(page: str) -> str:
    """The secret that a page was given."""
    found = re.search(r'name="token" type="hidden" value="([\w-]{43})"', page)
    assert found, page
    return found[1]


def read_again(client: FlaskClient, path: str, **fields: str) -> Fields:
    """Fill in the page and send it to be read again: what the next page would send."""
    token = token_of(client.get(path).text)
    answer = client.post(path, data={**CLAIRE, "token": token, "suite": "relire", **fields})
    assert answer.status_code == 200, answer.text
    return hidden(answer.text)


def declare(client: FlaskClient, path: str, **fields: str) -> str:
    """Go through both pages; the address of the page that says what was received."""
    carried = read_again(client, path, **fields)
    answer = client.post(path, data={**carried, "suite": "envoyer"})
    assert answer.status_code == 303, answer.text
    return answer.location


def withdrawals() -> list[WithdrawalRequest]:
    db.session.rollback()
    return list(db.session.scalars(select(WithdrawalRequest)))


def cancellations() -> list[CancellationRequest]:
    db.session.rollback()
    return list(db.session.scalars(select(CancellationRequest)))


def messages(kind: str) -> list[Email]:
    db.session.rollback()
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def withdrawn_at(instant: datetime, contract: str, *lines: OrderLine) -> str:
    """The reference of a withdrawal that reached the shop at exactly this instant; of these
    lines, or without saying which."""
    chosen = tuple(service.ChosenLine(str(line.id), line.name) for line in lines)
    declared = service.Withdrawal(**CLAIRE, contract=contract, remark="", lines=chosen)
    with transaction():
        request = service.withdraw(declared, key=f"{instant:%j%H%M%S}", user_id=None, now=instant)
        return request.reference
