"""What proves the demo's fullest orders holds, far from the demo (X-01)."""

from __future__ import annotations

import io
from pathlib import Path

from sqlalchemy import func, select

from storefront.evidence import service
from storefront.infra import clock
from storefront.infra.db import db, snapshot
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.subscriptions.models import SubscriptionPeriod
from storefront.tickets.models import Ticket
from tests.demo.conftest import Demo
from tests.evidence.orders import unpacked, verified


def fullest(demo: Demo) -> list[Order]:
    """The three orders that were written about most."""
    assert demo.said
    written = func.count(Email.id)
    statement = select(Order).join(Email, Email.order_id == Order.id).group_by(Order.id)
    return list(db.session.scalars(statement.order_by(written.desc(), Order.id).limit(3)))


def test_the_evidence_of_the_fullest_orders_holds(demo: Demo, tmp_path: Path) -> None:
    told = b""
    for number in range(3):
        out = io.BytesIO()
        with snapshot():
            made = service.write(fullest(demo)[number], out, now=clock.now())
        path = tmp_path / made.filename
        path.write_bytes(out.getvalue())
        code, said = verified(path, "--sha256", made.manifest_sha256)
        assert code == 0, said
        files = unpacked(out.getvalue())
        told += b"".join(content for name, content in files.items() if name.endswith(".json"))
    for model in (Ticket, SubscriptionPeriod):
        assert f'"table": "{model.__tablename__}"'.encode() in told
