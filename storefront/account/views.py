"""The customer's own pages: what needs them, what comes next, what they can use (X-03)."""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import cast

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from storefront.account import queries
from storefront.account.forms import PersonForm
from storefront.arrears import queries as arrears
from storefront.credits import queries as credits
from storefront.fulfilment import queries as fulfilment
from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.identity.forms import MARKETING_SENTENCE
from storefront.identity.models import User
from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import client_ip, found_or_404, user_agent
from storefront.instalments import queries as instalments
from storefront.invoicing import queries as invoices
from storefront.kernel.calendar import paris_date
from storefront.orders import queries as orders
from storefront.payments import queries as payments
from storefront.payments.jobs import providers
from storefront.subscriptions import queries as subscriptions
from storefront.subscriptions.models import SubscriptionStatus
from storefront.subscriptions.queries import outages
from storefront.timeline import queries as timelines

bp = Blueprint("account", __name__, url_prefix="/compte")


@bp.after_request
def _not_kept(response: Response) -> Response:
    """What one person sees stays out of every cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@bp.get("")
@bp.get("/")
@signed_in
def overview() -> str:
    """What needs the customer, the contract's clock, what can be used now."""
    found = queries.overview(current_user.id, clock.now())
    return render_template("account/overview.html", overview=found, incidents=found.incidents)


@bp.get("/calendrier")
@signed_in
def calendar() -> str:
    """What was done and what is to come of everything that was ordered (X-03)."""
    line = timelines.of_user(current_user.id, clock.now())
    return render_template("account/calendar.html", line=line)


@bp.get("/commandes")
@signed_in
def order_list() -> str:
    """Every order, the last one first, with the state of the contract and of the money."""
    found = orders.of_user(current_user.id)
    paid = instalments.paid_of_orders(order.id for order in found)
    return render_template("account/orders.html", orders=found, paid=paid)


@bp.get("/factures")
@signed_in
def invoice_list() -> str:
    """Every invoice and credit note with its PDF (V-01), and what was given back."""
    given = payments.refunds_of_user(current_user.id)
    return render_template(
        "account/invoices.html",
        invoices=invoices.of_user(current_user.id),
        credit_notes=invoices.credit_notes_of_user(current_user.id),
        refunds=[one for one in reversed(given) if one.is_told],
        references=orders.references(one.order_id for one in given),
    )


@bp.get("/echeances")
@signed_in
def instalment_list() -> str:
    """What is owed and what was paid; what is not can be paid now (M-03)."""
    found = instalments.of_user(current_user.id)
    late = arrears.statement(current_user.id, paris_date(clock.now()))
    overdue = {line.instalment.id for line in late.lines}
    unsettled = [part for part in found if part.status in instalments.UNSETTLED]
    return render_template(
        "account/instalments.html",
        statement=late,
        to_come=[part for part in unsettled if part.id not in overdue],
        settled=[part for part in reversed(found) if part.status not in instalments.UNSETTLED],
    )


@bp.get("/abonnements")
@signed_in
def subscription_list() -> str:
    """Monthly contracts: what runs, and folded away what has ended (B-02, B-03)."""
    found = subscriptions.of_user(current_user.id)
    over = [one for one in found if one.status is SubscriptionStatus.ENDED]
    return render_template(
        "account/subscriptions.html",
        running=[one for one in found if one not in over],
        over=over,
        owed=subscriptions.owed_of_user(current_user.id),
    )


@bp.get("/abonnements/<uuid:subscription_id>")
@signed_in
def subscription_page(subscription_id: uuid.UUID) -> str:
    """One contract: what is due, what comes, how to change it and to end it (B-01 to B-07)."""
    before = request.args.get("avant", type=int)
    today = paris_date(clock.now())
    page = found_or_404(
        subscriptions.holder_page(subscription_id, current_user.id, today, before=before)
    )
    found = page.subscription
    changes = subscriptions.ahead(found, today)
    next_on = found.next_period_on or today
    return render_template(
        "account/subscription.html",
        subscription=found,
        page=page,
        before=before,
        today=today,
        can_change=any(one.capabilities.set_up for one in providers().values()),
        changes=changes,
        next_gross=subscriptions.gross_on(found, next_on, [one.notice for one in changes]),
        next_term=subscriptions.next_term(found, today),
        would_go_back=subscriptions.would_go_back(found, today),
        outage_credits=outages.credits_of_subscription(found.id),
        incidents=outages.under_way_about([found]),
        ending=subscriptions.ending_of(found, today),
        changing=subscriptions.changing(found),
    )


@bp.get("/heures")
@signed_in
def hours() -> str:
    """What is left of the hours bought, and every movement (K-01)."""
    return render_template(
        "account/hours.html",
        lots=credits.lots_of(current_user.id, paris_date(clock.now())),
        statement=credits.statement(current_user.id),
    )


@bp.get("/telechargements")
@signed_in
def download_list() -> str:
    """Files and courses; what is closed says when it opens (W-03)."""
    accesses = fulfilment.accesses_of(current_user.id)
    by_line = groupby(accesses, key=lambda access: access.order_line_id)
    groups = [list(group) for _, group in by_line]
    return render_template(
        "account/downloads.html",
        lines=[(group[0].order_line, group) for group in groups],
        causes=fulfilment.causes_by_line(group[0].order_line_id for group in groups),
    )


@bp.route("/donnees", methods=["GET", "POST"])
@signed_in
def personal_data() -> str | BaseResponse | tuple[str, int]:
    """See and correct what is kept of oneself (D-01)."""
    user = cast(User, current_user)
    form = PersonForm(obj=user)
    if form.validate_on_submit():
        with transaction():
            identity.correct(user, form.text("name"), form.text("phone"), now=clock.now())
        flash("Vos coordonnées sont enregistrées.", "success")
        return redirect("/compte/donnees")
    choice = people.marketing_choice(user.id)
    page = render_template(
        "account/data.html", form=form, choice=choice, sentence=MARKETING_SENTENCE
    )
    return page, 422 if form.errors else 200


@bp.post("/donnees/offres")
@signed_in
def marketing() -> BaseResponse:
    """Say yes or no to offers by e-mail, in one click (D-03, DAT-05)."""
    wanted, person = request.form.get("recevoir") == "oui", current_user.id
    with transaction():
        identity.choose_marketing(
            person,
            wanted,
            MARKETING_SENTENCE,
            "account",
            ip=client_ip(),
            user_agent=user_agent(),
            now=clock.now(),
        )
    said = "Vous recevrez nos offres." if wanted else "Vous ne recevrez plus d’offres."
    flash(said, "success")
    return redirect("/compte/donnees#offres", 303)
