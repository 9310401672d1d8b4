"""For the staff: how far the debits of the day are, and what became of those of the month."""

from __future__ import annotations

from flask import Blueprint, render_template

from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, heartbeat
from storefront.instalments import queries
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import paris_date

bp = Blueprint("staff_billing", __name__, url_prefix="/gestion/argent")


@bp.get("/prelevements")
@staff_required(Role.SHOPKEEPER)
def debits() -> str:
    """The run of today, or the last one there was, and thirty days of them."""
    now = clock.now()
    today = paris_date(now)
    days = queries.billing_days(today)
    return render_template(
        "staff/billing/debits.html",
        shown=next((day for day in days if day.due), days[0]),
        days=[day for day in days if day.due],
        today=today,
        now=now,
        morning=morning_of(today),
        worker_at=heartbeat.last_beat(heartbeat.WORKER),
    )
