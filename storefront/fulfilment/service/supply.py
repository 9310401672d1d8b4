"""What a paid order opens: one handler a product kind, each idempotent."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select

from storefront.catalogue.rules import ProductKind
from storefront.credits import service as credits
from storefront.fulfilment import queries, rules
from storefront.fulfilment.events import AccessOpened
from storefront.fulfilment.models import Access, AccessEvent, Shipment
from storefront.fulfilment.rules import AccessKind
from storefront.fulfilment.service.suspensions import (
    check_running,
    keep_stopped,
    lines_of,
    locked_line,
)
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import end_of_day, paris_date, withdrawal_last_day
from storefront.kernel.errors import Refusal
from storefront.legal.queries import acceptances_of, parameters_of
from storefront.legal.rules import AcceptanceKind
from storefront.notifications.events import EmailSent
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import FulfilmentStatus, Order, OrderLine
from storefront.orders.rules import BuyerKind

Handler = Callable[[OrderLine, Order, datetime], None]


class AccessNotOpen(Refusal):
    """It opens later, or was stopped. Details: opens_at, suspended, revoked, causes (codes)."""


def prepare_order(event: OrderConfirmed, *, now: datetime) -> None:
    """Grant what each line of a paid order gives; what must wait is written down as waiting.

    A line that something stopped before is prepared all the same, and stays stopped.
    """
    order = db.session.get_one(Order, event.order_id)
    for line in lines_of(order.id):
        if line.kind is None or line.fulfilment is FulfilmentStatus.REVOKED:
            continue
        stopped = queries.open_suspensions([line.id])
        waits = stopped[0].before if stopped else line.fulfilment
        if waits is not FulfilmentStatus.PENDING:
            continue
        HANDLERS[line.kind](line, order, now)
        journal.record(
            "fulfilment.prepared", line, {"order": order.id, "state": line.fulfilment}, now=now
        )
        if stopped:
            keep_stopped(line, now=now)


def _grant_hours(line: OrderLine, order: Order, now: datetime) -> None:
    parameters = parameters_of(order.terms_version)
    bought_on = paris_date(order.confirmed_at or now)
    credits.grant(
        line,
        order.user_id,
        minutes=line.features.get("minutes", 0) * line.quantity,
        expires_on=rules.hours_expire_on(bought_on, parameters.hour_pack_validity_months),
        slice_minutes=parameters.hour_slice_minutes,
        reminder_days=parameters.expiry_reminder_days,
        single_use=line.kind is ProductKind.ONE_SHOT_PACK,
        now=now,
    )
    line.fulfilment = FulfilmentStatus.OPEN


def _prepare_downloads(line: OrderLine, order: Order, now: datetime) -> None:
    for item in line.features.get("files", []):
        _prepare_access(line, order, AccessKind.DOWNLOAD, item, f"{line.name} – {item}")
    line.fulfilment = FulfilmentStatus.WAITING


def _prepare_course(line: OrderLine, order: Order, now: datetime) -> None:
    lessons = line.features.get("lessons", [])
    for rank, item in enumerate(lessons, start=1):
        title = line.name if len(lessons) == 1 else f"{line.name} – leçon {rank}"
        _prepare_access(line, order, AccessKind.COURSE, item, title)
    line.fulfilment = FulfilmentStatus.WAITING


def _prepare_access(line: OrderLine, order: Order, kind: AccessKind, item: str, title: str) -> None:
    known = select(Access.id).where(Access.order_line_id == line.id, Access.item == item)
    if db.session.scalar(known) is None:
        db.session.add(
            Access(
                id=uuid.uuid4(),
                user_id=order.user_id,
                order_line_id=line.id,
                kind=kind,
                item=item,
                title=title[:250],
                code=secrets.token_urlsafe(18),
            )
        )


def _prepare_shipment(line: OrderLine, order: Order, now: datetime) -> None:
    if db.session.scalar(select(Shipment.id).where(Shipment.order_line_id == line.id)) is None:
        db.session.add(Shipment(id=uuid.uuid4(), order_line_id=line.id))
    line.fulfilment = FulfilmentStatus.WAITING


def _open_at_once(line: OrderLine, order: Order, now: datetime) -> None:
    """A seat is theirs by its settled hold; a subscription runs by its own room."""
    line.fulfilment = FulfilmentStatus.OPEN


HANDLERS: Mapping[ProductKind, Handler] = {
    ProductKind.CLASSROOM_TRAINING: _open_at_once,
    ProductKind.E_LEARNING: _prepare_course,
    ProductKind.BUNDLE: _prepare_course,
    ProductKind.PAPER_GUIDE: _prepare_shipment,
    ProductKind.DIGITAL_PRODUCT: _prepare_downloads,
    ProductKind.TEMPLATE: _prepare_downloads,
    ProductKind.HOUR_PACK: _grant_hours,
    ProductKind.ONE_SHOT_PACK: _grant_hours,
    ProductKind.SUPPORT_CONTRACT: _open_at_once,
    ProductKind.PLAN: _open_at_once,
}

CONSENT_FOR = {
    AccessKind.DOWNLOAD: AcceptanceKind.DIGITAL_WAIVER,
    AccessKind.COURSE: AcceptanceKind.EARLY_START,
}


def open_after_confirmation(event: EmailSent, *, now: datetime) -> None:
    """The confirmation with the consents was sent: what may open opens (PRE-05, WDR-10)."""
    if event.kind != "order_confirmation" or event.order_id is None:
        return
    order = db.session.get_one(Order, event.order_id)
    given = {acceptance.kind for acceptance in acceptances_of(order.id)}
    for access in queries.of_order(order.id):
        if access.opens_at is not None:
            continue
        line = access.order_line
        until = line.withdrawal_until if order.buyer_kind is BuyerKind.CONSUMER else None
        access.opens_at = rules.opens_at(
            confirmed_to_customer_at=now,
            consented=CONSENT_FOR[access.kind] in given,
            withdrawal_until=until,
        )
        if access.opens_at <= now:
            open_access(access.id, now=now)


def open_access(access_id: uuid.UUID, *, now: datetime) -> bool:
    """Open an access whose time has come, once; says whether it did.

    What is suspended opens when it comes back.
    """
    access = db.session.get_one(Access, access_id, with_for_update=True)
    if access.opened_at is not None or access.opens_at is None or access.opens_at > now:
        return False
    line = locked_line(access.order_line_id)
    if line.fulfilment in queries.STOPPED:
        return False
    access.opened_at = now
    if line.fulfilment is FulfilmentStatus.WAITING:
        line.fulfilment = FulfilmentStatus.OPEN
    journal.record("fulfilment.opened", access, {"line": access.order_line_id}, now=now)
    publish(AccessOpened(access.id), now=now)
    return True


def use_access(access: Access, *, ip: str, user_agent: str, now: datetime) -> None:
    """Log one opening: who, what, when, from where (F-01). Raises `AccessNotOpen`."""
    if access.opened_at is None or access.suspended or access.revoked:
        causes = [row.cause for row in queries.open_suspensions([access.order_line_id])]
        raise AccessNotOpen(
            opens_at=access.opens_at,
            suspended=access.suspended,
            revoked=access.revoked,
            causes=causes,
        )
    entry = AccessEvent(
        id=uuid.uuid4(),
        access_id=access.id,
        user_id=access.user_id,
        at=now,
        ip=ip,
        user_agent=user_agent,
    )
    db.session.add(entry)
    journal.record("fulfilment.used", entry, {"access": access.id}, now=now)


def ship(shipment: Shipment, tracking: str, *, now: datetime) -> None:
    """The parcel left (F-02). Raises `SupplyStopped` while its line is suspended."""
    line = locked_line(shipment.order_line_id)
    db.session.refresh(shipment)
    if shipment.shipped_at is None:
        check_running(line)
        shipment.shipped_at, shipment.tracking = now, tracking.strip()[:60]
        journal.record("fulfilment.shipped", shipment, {}, now=now)


def deliver(shipment: Shipment, *, now: datetime) -> None:
    """The parcel arrived: a consumer's withdrawal period starts now (W-01, WDR-02).

    Raises `SupplyStopped` for a parcel that never left, while its line is suspended.
    """
    line = locked_line(shipment.order_line_id)
    db.session.refresh(shipment)
    if shipment.delivered_at is not None:
        return
    if shipment.shipped_at is None:
        check_running(line)
    shipment.delivered_at = now
    shipment.shipped_at = shipment.shipped_at or now
    line.fulfilment = FulfilmentStatus.DONE
    if line.order.buyer_kind is BuyerKind.CONSUMER:
        days = parameters_of(line.order.terms_version).withdrawal_days
        line.withdrawal_until = withdrawal_last_day(paris_date(now), days)
    journal.record(
        "fulfilment.delivered", shipment, {"withdrawal_until": line.withdrawal_until}, now=now
    )


def finish(order_line_id: uuid.UUID, *, now: datetime) -> None:
    """Nothing is left to supply of what was open: a subscription that has ended."""
    line = locked_line(order_line_id)
    if line.fulfilment is FulfilmentStatus.OPEN:
        line.fulfilment = FulfilmentStatus.DONE
        journal.record("fulfilment.finished", line, {}, now=now)


def withdrawal_ends_at(line: OrderLine) -> datetime | None:
    """The instant at which a line's withdrawal period is over; None without such a period."""
    return end_of_day(line.withdrawal_until) if line.withdrawal_until else None
