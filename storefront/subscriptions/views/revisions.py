"""Stopping before an announced change, at no cost, or going on after all (R-06)."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import VersionNotice

bp = Blueprint("subscription_revisions", __name__, url_prefix="/compte/abonnements")


def _mine(subscription_id: uuid.UUID, notice_id: uuid.UUID) -> VersionNotice:
    found_or_404(queries.of_holder(subscription_id, current_user.id))
    notice = found_or_404(db.session.get(VersionNotice, notice_id))
    return found_or_404(notice if notice.subscription_id == subscription_id else None)


@bp.post("/<uuid:subscription_id>/changements/<uuid:notice_id>/arreter")
@signed_in
def stop_before(subscription_id: uuid.UUID, notice_id: uuid.UUID) -> Response:
    """The contract ends the day before the change."""
    _mine(subscription_id, notice_id)
    now = clock.now()
    with transaction():
        service.stop_before(notice_id, today=paris_date(now), now=now)
    flash("C’est noté : votre contrat s’arrête avant ce changement, sans frais.", "success")
    return redirect(f"/compte/abonnements/{subscription_id}#changements", 303)


@bp.post("/<uuid:subscription_id>/changements/<uuid:notice_id>/continuer")
@signed_in
def go_on(subscription_id: uuid.UUID, notice_id: uuid.UUID) -> Response:
    """The contract goes on, with the change."""
    _mine(subscription_id, notice_id)
    now = clock.now()
    with transaction():
        service.go_on_with(notice_id, today=paris_date(now), now=now)
    flash("Votre contrat continue, avec ce changement.", "success")
    return redirect(f"/compte/abonnements/{subscription_id}#changements", 303)
