"""Saying whether a contract goes on after its term, and leaving one that nobody announced."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, service
from storefront.subscriptions.rules import Answer

bp = Blueprint("subscription_renewals", __name__, url_prefix="/compte/abonnements")

ANSWERS = {"oui": Answer.YES, "non": Answer.NO}
SAID = {
    Answer.YES: "C’est noté : votre contrat est reconduit à son terme.",
    Answer.NO: "C’est noté : votre contrat s’arrête à son terme.",
}


@bp.post("/<uuid:subscription_id>/reconduction")
@signed_in
def answer(subscription_id: uuid.UUID) -> Response:
    """One click each way, as often as one likes until the deadline."""
    found_or_404(queries.of_holder(subscription_id, current_user.id))
    said = ANSWERS.get(request.form.get("reponse", ""))
    if said is None:
        abort(400)
    now = clock.now()
    with transaction():
        service.answer(subscription_id, said, today=paris_date(now), now=now)
    flash(SAID[said], "success")
    return redirect(f"/compte/abonnements/{subscription_id}#reconduction", 303)


@bp.post("/<uuid:subscription_id>/arret")
@signed_in
def leave(subscription_id: uuid.UUID) -> Response:
    """End today a contract that was renewed without a word in time (L215-1)."""
    found_or_404(queries.of_holder(subscription_id, current_user.id))
    now = clock.now()
    with transaction():
        service.leave_now(subscription_id, today=paris_date(now), now=now)
    flash("C’est noté : votre contrat s’arrête aujourd’hui, sans frais.", "success")
    return redirect(f"/compte/abonnements/{subscription_id}", 303)
