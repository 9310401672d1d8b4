"""Orders of several things, used in part, withdrawn from, and staff who decide."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select, update

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits.models import HourLot
from storefront.fulfilment import service as fulfilment
from storefront.fulfilment.models import Access, Shipment
from storefront.infra.db import db, transaction
from storefront.legal.models import AcceptanceKind
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders.models import Order, OrderLine
from storefront.payments.models import Refund
from storefront.tickets import service as tickets
from storefront.tickets.models import Intervention, Ticket
from storefront.withdrawals.models import WithdrawalDecision
from tests import factories
from tests.identity import people
from tests.invoicing import buying
from tests.tickets.desk import DECLARED, technician, user

DESK = "/gestion/declarations"
BOTH = (AcceptanceKind.EARLY_START, AcceptanceKind.DIGITAL_WAIVER)
GUIDE = (ProductKind.PAPER_GUIDE, {"price": 2900, "name": "Guide des fleurs"})
TOOLBOX = (ProductKind.DIGITAL_PRODUCT, {"price": 4900, "name": "Boîte à outils"})
PACK = (
    ProductKind.HOUR_PACK,
    {"price": 44900, "name": "Forfait 5 heures", "features": {"minutes": 300}},
)
LESSONS = (ProductKind.E_LEARNING, {"price": 69000, "name": "Organiser un mariage"})
CONTRACT = (ProductKind.SUPPORT_CONTRACT, {"price": 3000, "name": "Contrat mensuel"})

Sold = tuple[ProductKind, dict[str, Any]]


def bought(
    now: datetime,
    *sold: Sold,
    consents: tuple[AcceptanceKind, ...] = BOTH,
    provider: str = "offline",
    confirmed: bool = True,
    **order: Any,
) -> uuid.UUID:
    """An order of these, paid, and everything that follows at that instant; its id.

    Not `confirmed`: its confirmation never left.
    """
    with transaction():
        factories.terms(now)
        first, *also = [factories.product(kind, **dict(fields)) for kind, fields in sold]
        placed = factories.order(
            first, also=also, now=now, consents=consents, provider=provider, **order
        )
        order_id = placed.id
    buying.pay(order_id, now=now)
    worker.run_due(now)
    if not confirmed:
        unsent = {"sent_at": None, "status": EmailStatus.FAILED}
        with transaction():
            db.session.execute(
                update(Email).where(Email.kind == "order_confirmation").values(unsent)
            )
    return order_id


def order_of(order_id: uuid.UUID) -> Order:
    """The order as it is now."""
    db.session.rollback()
    return db.session.get_one(Order, order_id, populate_existing=True)


def line_of(order_id: uuid.UUID, kind: ProductKind | None) -> OrderLine:
    """The order's line of this kind, as it is now."""
    return next(line for line in order_of(order_id).lines if line.kind is kind)


def opened(order_id: uuid.UUID, now: datetime) -> None:
    """The customer opens every file that is open."""
    with transaction():
        accesses = db.session.scalars(
            select(Access).join(OrderLine).where(OrderLine.order_id == order_id)
        ).all()
        for access in accesses:
            fulfilment.use_access(access, ip="127.0.0.1", user_agent="test", now=now)


def shipped(order_id: uuid.UUID, now: datetime) -> None:
    """The parcel leaves and arrives."""
    with transaction():
        for parcel in db.session.scalars(
            select(Shipment).join(OrderLine).where(OrderLine.order_id == order_id)
        ).all():
            fulfilment.ship(parcel, "", now=now)
            fulfilment.deliver(parcel, now=now)


def agreed(order_id: uuid.UUID, at: datetime, minutes: int, *, now: datetime) -> uuid.UUID:
    """An appointment on the hours of this order."""
    with transaction():
        lot = db.session.scalars(select(HourLot).where(HourLot.order_id == order_id)).one()
        staff = db.session.scalar(select(people.User.id).where(people.User.role == "technician"))
        staff_id = staff or technician(now).id
        ticket = tickets.open_ticket(
            uuid.uuid4(), user(lot.user_id), lot.id, "Plus de son", "Plus rien.", now=now
        )
        proposal = tickets.propose(
            uuid.uuid4(),
            ticket.id,
            user(staff_id),
            user(staff_id),
            at,
            minutes,
            "Réinstaller le pilote.",
            seen=ticket.version,
            now=now,
        )
        return tickets.accept(proposal.id, user(lot.user_id), DECLARED, now=now).id


def worked(order_id: uuid.UUID, at: datetime, minutes: int, *, now: datetime) -> None:
    """An appointment that took place and lasted so long."""
    intervention_id = agreed(order_id, at, minutes, now=now)
    staff_id = db.session.get_one(Intervention, intervention_id).staff_id
    end = at + timedelta(minutes=minutes)
    with transaction():
        tickets.start(intervention_id, user(staff_id), seen=_seen(intervention_id), now=at)
    with transaction():
        tickets.stop(intervention_id, user(staff_id), seen=_seen(intervention_id), now=end)
    with transaction():
        tickets.report(
            intervention_id, user(staff_id), "Fait.", seen=_seen(intervention_id), now=end
        )


def _seen(intervention_id: uuid.UUID) -> int:
    one = db.session.get_one(Intervention, intervention_id, populate_existing=True)
    return db.session.get_one(Ticket, one.ticket_id, populate_existing=True).version


def form_of(staff: FlaskClient, reference: str) -> dict[str, str]:
    """What the decision's form would send as it stands."""
    page = staff.get(f"{DESK}/{reference}").text
    form = page[page.index(f'action="{DESK}/{reference}/decider"') :]
    form = form[: form.index("</form>")]
    fields = {}
    for tag in re.findall(r"<input [^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") == "checkbox" and " checked" not in tag:
            continue
        fields[attributes["name"]] = unescape(attributes.get("value", ""))
    return fields


def words_of(staff: FlaskClient, reference: str) -> str:
    """What the page says, without markup, in plain spaces."""
    page = staff.get(f"{DESK}/{reference}").text
    text = unescape(re.sub(r"<[^>]+>", " ", page))
    return re.sub(r"\s+", " ", text.replace("\u202f", " "))


def decisions() -> Sequence[WithdrawalDecision]:
    """Everything that was decided."""
    db.session.rollback()
    return db.session.scalars(
        select(WithdrawalDecision).order_by(WithdrawalDecision.decided_at)
    ).all()


def refunds() -> Sequence[Refund]:
    """Everything that goes back."""
    db.session.rollback()
    return db.session.scalars(select(Refund).order_by(Refund.asked_at)).all()
