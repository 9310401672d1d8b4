"""What was sold stopped, for a while or for good, each time with its cause (M-04, M-10, R-07).

A cause is a short code ("unpaid", "dispute:<id>"), worded in templates. Several can stop the same
order at once: it comes back when the last of them is lifted, as it was before the first. Every
function locks the order's lines first, so that two causes never decide on the same past.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select

from storefront.arrears import queries as arrears
from storefront.arrears.events import PlanResumed, PlanSuspended
from storefront.catalogue import service as catalogue
from storefront.credits import service as credits
from storefront.fulfilment import queries
from storefront.fulfilment.events import SupplyResumed, SupplyRevoked, SupplySuspended
from storefront.fulfilment.models import Shipment, Suspension
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments.models import PRICE
from storefront.kernel.errors import Refusal
from storefront.orders.models import FulfilmentStatus, OrderLine

UNPAID = "unpaid"


class SupplyStopped(Refusal):
    """What this line sold is suspended or withdrawn. Details: line, causes (their codes)."""

    status = 409


def lines_of(order_id: uuid.UUID) -> Sequence[OrderLine]:
    """The lines of an order as they are now, locked until the end of the transaction."""
    return db.session.scalars(
        select(OrderLine)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def locked_line(order_line_id: uuid.UUID) -> OrderLine:
    """The line as it is now, locked until the end of the transaction."""
    return db.session.get_one(
        OrderLine, order_line_id, with_for_update=True, populate_existing=True
    )


def check_running(line: OrderLine) -> None:
    """Raise `SupplyStopped` when a locked line is suspended or withdrawn."""
    if line.fulfilment in queries.STOPPED:
        causes = [row.cause for row in queries.open_suspensions([line.id])]
        raise SupplyStopped(line=line, causes=causes)


def suspend(
    order_id: uuid.UUID, cause: str, *, only: uuid.UUID | None = None, now: datetime
) -> bool:
    """Stop what was sold on this order until `resume` is told the same cause; says if it did.

    `only` names a line of it.

    Downloads and lessons close, no hour can be held any more, no parcel leaves; a seat stays
    taken. What was promised to others stays: an appointment that was confirmed keeps the hours
    that it holds, a parcel that left arrives, goods that were delivered are the buyer's.
    """
    stopped = False
    for line in lines_of(order_id):
        if only not in (None, line.id) or not _can_be_stopped(line):
            continue
        known = queries.open_suspensions([line.id])
        if any(row.cause == cause for row in known):
            continue
        row = _open(line, cause, known, now)
        line.fulfilment = FulfilmentStatus.SUSPENDED
        credits.suspend(line.id, now=now)
        journal.record("fulfilment.suspended", row, {"line": line.id, "cause": cause}, now=now)
        stopped = True
    if stopped:
        publish(SupplySuspended(order_id, cause), now=now)
    return stopped


def resume(
    order_id: uuid.UUID, cause: str, *, only: uuid.UUID | None = None, now: datetime
) -> bool:
    """Lift exactly this cause; what has no other comes back as it was. Says if one was lifted.

    `only` names a line of the order.
    """
    lifted = False
    for line in lines_of(order_id):
        if only not in (None, line.id):
            continue
        rows = queries.open_suspensions([line.id])
        own = [row for row in rows if row.cause == cause and row.revoked_at is None]
        for row in own:
            row.lifted_at = now
            journal.record("fulfilment.resumed", row, {"line": line.id, "cause": cause}, now=now)
            lifted = True
        if own and len(rows) == len(own):
            line.fulfilment = own[0].before
            credits.resume(line.id, now=now)
    if lifted:
        publish(SupplyResumed(order_id, cause), now=now)
    return lifted


def revoke(
    order_id: uuid.UUID,
    cause: str,
    *,
    only: Collection[uuid.UUID] | None = None,
    now: datetime,
) -> bool:
    """Take back for good what was sold on this order: it was refused, a dispute was lost, its
    customer has withdrawn. `only` names lines of it.

    Nothing that is left can be used, seats and unsent goods are for sale again, hours that no
    appointment holds are deducted. What was delivered stays delivered. Says if it did.
    """
    taken: list[OrderLine] = []
    for line in lines_of(order_id):
        if (only is not None and line.id not in only) or not _can_be_stopped(line):
            continue
        known = queries.open_suspensions([line.id])
        row = next((one for one in known if one.cause == cause), None)
        row = row or _open(line, cause, known, now)
        row.revoked_at = now
        line.fulfilment = FulfilmentStatus.REVOKED
        credits.revoke(line.id, row.id, reason=line.name, now=now)
        journal.record("fulfilment.revoked", row, {"line": line.id, "cause": cause}, now=now)
        taken.append(line)
    if taken:
        db.session.flush()
        variant_ids = [line.variant_id for line in taken if line.variant_id is not None]
        catalogue.release_holds(order_id, variant_ids)
        named = None if only is None else tuple(line.id for line in taken)
        publish(SupplyRevoked(order_id, cause, named), now=now)
    return bool(taken)


def follow_arrears(event: PlanSuspended | PlanResumed, *, now: datetime) -> None:
    """Stop or open what an order sold as the unpaid parts of its price stand now (M-04).

    Whichever of the two events is heard last, the present decides, under the lines' lock. What an
    unpaid month stops is for the room of subscriptions to say.
    """
    lines_of(event.order_id)
    if arrears.stops(event.order_id, PRICE):
        suspend(event.order_id, UNPAID, now=now)
    else:
        resume(event.order_id, UNPAID, now=now)


def stop_new_hours(order_line_id: uuid.UUID, *, now: datetime) -> None:
    """Hours just granted on a line that is stopped are stopped too."""
    if locked_line(order_line_id).fulfilment in queries.STOPPED:
        credits.suspend(order_line_id, now=now)


def keep_stopped(line: OrderLine, *, now: datetime) -> None:
    """A line that was stopped before it was prepared is prepared now, and stays stopped."""
    for row in queries.open_suspensions([line.id]):
        row.before = line.fulfilment
    line.fulfilment = FulfilmentStatus.SUSPENDED
    credits.suspend(line.id, now=now)


def _can_be_stopped(line: OrderLine) -> bool:
    """Not a charge of its own, nor what is over, withdrawn, or on its way."""
    over = (FulfilmentStatus.DONE, FulfilmentStatus.REVOKED)
    if line.kind is None or line.fulfilment in over:
        return False
    sent = select(Shipment.id).where(
        Shipment.order_line_id == line.id, Shipment.shipped_at.is_not(None)
    )
    return db.session.scalar(sent) is None


def _open(line: OrderLine, cause: str, known: Sequence[Suspension], now: datetime) -> Suspension:
    row = Suspension(
        id=uuid.uuid4(),
        order_line_id=line.id,
        cause=cause,
        before=known[0].before if known else line.fulfilment,
        since=now,
    )
    db.session.add(row)
    db.session.flush()
    return row
