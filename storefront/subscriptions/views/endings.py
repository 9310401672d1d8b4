"""Ending it, in two steps, and keeping it after all (B-02, B-03)."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.templating import date_fr
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import Subscription

bp = Blueprint("subscription_endings", __name__, url_prefix="/compte/abonnements")


def _mine(subscription_id: uuid.UUID) -> Subscription:
    return found_or_404(queries.of_holder(subscription_id, current_user.id))


@bp.get("/<uuid:subscription_id>/fin")
@signed_in
def check(subscription_id: uuid.UUID) -> str | Response:
    """What ending it does, and when, before anything is done; the second step is a button."""
    subscription = _mine(subscription_id)
    ending = queries.ending_of(subscription, paris_date(clock.now()))
    if ending.wish is not None or subscription.next_period_on is None:
        return redirect(f"/compte/abonnements/{subscription_id}#fin")
    return render_template(
        "account/subscription/end.html", subscription=subscription, ending=ending
    )


@bp.post("/<uuid:subscription_id>/fin")
@signed_in
def confirm(subscription_id: uuid.UUID) -> Response:
    """End it with what is paid, or with the commitment; confirmed by e-mail."""
    _mine(subscription_id)
    now = clock.now()
    with transaction():
        termination = service.end_by_holder(subscription_id, notified_on=paris_date(now), now=now)
        ends_on = paris_date(termination.effective_at)
    flash(
        f"C’est noté : votre abonnement prend fin le {date_fr(ends_on)}. "
        "Un courriel vous le confirme.",
        "success",
    )
    return redirect(f"/compte/abonnements/{subscription_id}#fin", 303)


@bp.post("/<uuid:subscription_id>/garder")
@signed_in
def keep(subscription_id: uuid.UUID) -> Response:
    """Keep it after all, as long as the end has not come."""
    _mine(subscription_id)
    with transaction():
        service.take_back(subscription_id, by=current_user.id, now=clock.now())
    flash("Vous gardez votre abonnement : il continue comme avant.", "success")
    return redirect(f"/compte/abonnements/{subscription_id}#fin", 303)
