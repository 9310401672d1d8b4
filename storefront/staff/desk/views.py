"""The first page of the staff: one queue of everything that waits for somebody here (X-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.fulfilment import queries as fulfilment
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, outbox
from storefront.infra.db import transaction
from storefront.instalments import queries as instalments
from storefront.kernel.calendar import end_of_day, paris_date, start_of_day
from storefront.legal import queries as legal
from storefront.notifications import queries as notifications
from storefront.orders import queries as orders
from storefront.payments import queries as payments
from storefront.refunds.queries import LONG_DOUBT
from storefront.staff.desk.forms import SampleForm
from storefront.subscriptions.queries import outages
from storefront.tickets import queries as tickets
from storefront.withdrawals import queries as withdrawals

bp = Blueprint("desk", __name__, url_prefix="/gestion")

SHOWN = 12


def _may(role: Role) -> bool:
    return current_user.role in (role, Role.MANAGER)


@bp.get("")
@bp.get("/")
@staff_required()
def today() -> str:
    """What is late, what is next, who waits: for support and for the shop, by role."""
    now = clock.now()
    day = paris_date(now)
    support = selling = None
    if _may(Role.TECHNICIAN):
        queue = tickets.queue(now)
        support = {
            "queue": queue[:SHOWN],
            "more": len(queue[SHOWN:]),
            "agenda": tickets.agenda(start_of_day(day), end_of_day(day)),
        }
    if _may(Role.SHOPKEEPER):
        selling = {
            "reactions": _given_up(),
            "mismatched": payments.mismatched(),
            "doubtful": payments.in_doubt_since(now - LONG_DOUBT),
            "ended": orders.paid_but_cancelled(),
            "emails": notifications.undelivered(),
            "to_ship": fulfilment.to_ship(),
            "under_way": fulfilment.under_way(),
            "overdue": instalments.overdue(),
            "outages": outages.waiting(),
            "unpublished": legal.failed_releases(),
            "withdrawals": withdrawals.awaited(day),
        }
    return render_template(
        "staff/desk/today.html", now=now, today=day, support=support, selling=selling
    )


@dataclass(frozen=True)
class GivenUp:
    """What one reaction gave up: how often, since when, why the last time."""

    reaction: str
    count: int
    since: datetime
    error: str


def _given_up() -> list[GivenUp]:
    by_reaction: dict[str, list[outbox.OutboxEntry]] = {}
    for entry in outbox.failed():
        by_reaction.setdefault(entry.reaction, []).append(entry)
    return [
        GivenUp(reaction, len(entries), entries[0].published_at, entries[-1].last_error or "")
        for reaction, entries in by_reaction.items()
    ]


@bp.post("/travaux/reprendre")
@staff_required(Role.SHOPKEEPER)
def retry_reaction() -> Response:
    """Give what a reaction gave up its tries again, once the cause is repaired."""
    with transaction():
        count = outbox.retry(request.form.get("reaction", ""), now=clock.now())
    if count:
        flash("Le travail est repris. S’il échoue encore, il reviendra ici.", "success")
    else:
        flash("Ce travail est déjà repris ou terminé.", "info")
    return redirect("/gestion", 303)


@bp.get("/charte")
def style_guide() -> str:
    """Every component of the pages with sample content; in the demo only."""
    if current_app.config["SETTINGS"].env == "production":
        abort(404)
    form = SampleForm(formdata=None)
    form.validate()
    day = paris_date(clock.now())
    days = [day + timedelta(days=step) for step in (-9, 5, 14, 21, 52, 364)]
    return render_template("staff/styleguide.html", days=days, form=form)
