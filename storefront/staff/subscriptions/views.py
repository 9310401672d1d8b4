"""Subscriptions for staff: what recurs, what fails, what ends, and each one whole."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, render_template, request
from flask_login import current_user

from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, journal
from storefront.infra.db import transaction
from storefront.infra.spreadsheet import download
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.staff.journal.service import readable_facts
from storefront.staff.subscriptions.forms import SearchForm, known_id
from storefront.staff.subscriptions.service import subscriptions_csv
from storefront.subscriptions import queries
from storefront.subscriptions.models import SubscriptionStatus
from storefront.subscriptions.queries import MovementKind
from storefront.subscriptions.rules import contract_of

bp = Blueprint("staff_subscriptions", __name__, url_prefix="/gestion/abonnements")

PAGE = 50
EXPORTED_AT_MOST = 20_000
SHOWN = 15  # on the board; the rest is in the list
HOME = "EUR"


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def board() -> str:
    """Recurring revenue and its movements, churn, failed payments, what ends, cohorts."""
    today = paris_date(clock.now())
    moves = queries.movements(today)
    standings = queries.standings()
    currencies = {one.currency for one in moves} | {one.currency for one in standings}
    curves = {
        currency: queries.curve(moves, currency, today)
        for currency in sorted(currencies, key=lambda code: (code != HOME, code))
    }
    cohorts = queries.cohorts(today)
    return render_template(
        "staff/subscriptions/board.html",
        today=today,
        curves=curves,
        lost={code: queries.revenue_lost(*curve[-2:]) for code, curve in curves.items()},
        customers=queries.customers_lost(today),
        standings=standings,
        kinds=list(MovementKind),
        failing=queries.failing(limit=SHOWN + 1),
        coming=queries.coming(today, limit=SHOWN + 1),
        most=SHOWN,
        cohorts=cohorts,
        retention=queries.retention(cohorts),
    )


def _form() -> SearchForm:
    return SearchForm(request.args, queries.plans(), queries.families())


@bp.get("/liste")
@staff_required(Role.SHOPKEEPER)
def subscription_list() -> str:
    """Subscriptions, the last one first, by words, state, plan and family."""
    form, before = _form(), known_id(request.args.get("avant", ""))
    found = queries.search(
        text=form.text("q"),
        status=form.status,
        product_id=form.product_id,
        family=form.text("famille"),
        before=before,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    return render_template(
        "staff/subscriptions/list.html",
        form=form,
        subscriptions=shown,
        before=before,
        after=shown[-1].id if len(found) > PAGE else None,
    )


@bp.get("/export.csv")
@staff_required(Role.SHOPKEEPER)
def export() -> Response:
    """The same list as a file for a spreadsheet; who took it stands in the journal."""
    form = _form()
    found = queries.search(
        text=form.text("q"),
        status=form.status,
        product_id=form.product_id,
        family=form.text("famille"),
        limit=EXPORTED_AT_MOST,
    )
    content = subscriptions_csv(found)
    with transaction():
        facts = {"count": len(found)}
        journal.record("subscriptions.exported", current_user, facts, now=clock.now())
    return download(content, "abonnements.csv")


@bp.get("/<uuid:subscription_id>")
@staff_required(Role.SHOPKEEPER)
def subscription(subscription_id: uuid.UUID) -> str:
    """Everything that is known of one subscription."""
    found = found_or_404(queries.whole(subscription_id))
    entries = journal.about([found.id, *(period.id for period in found.periods)])
    return render_template(
        "staff/subscriptions/subscription.html",
        subscription=found,
        over=found.status is SubscriptionStatus.ENDED,
        contract=contract_of(found.version.features),
        invoices=queries.invoices_of(found, found.periods),
        entries=entries,
        facts=readable_facts(entries),
        actors=people.names_of_actors(entry.actor for entry in entries),
    )
