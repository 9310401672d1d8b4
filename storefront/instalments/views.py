"""Paying one instalment by hand: late, refused, or ahead of its day (M-03)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.web import found_or_404, owned_or_404
from storefront.instalments import service
from storefront.instalments.forms import PayForm
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.base import (
    PAGE_LIFETIME,
    Provider,
    ProviderRejected,
    ProviderUnavailable,
)
from storefront.payments.rules import ways_to_pay

log = logging.getLogger(__name__)

bp = Blueprint("instalments", __name__)

NO_ANSWER = (
    "Le service de paiement ne répond pas. Rien n’a été débité : réessayez dans un instant, "
    "ou choisissez un autre moyen de paiement."
)
NOT_KNOWN_YET = (
    "Le service de paiement ne nous a pas encore répondu. Nous le lui redemandons, et vous "
    "écrivons dès que votre paiement est confirmé : ne payez pas une seconde fois."
)


def _mine(instalment_id: uuid.UUID) -> Instalment:
    instalment = found_or_404(db.session.get(Instalment, instalment_id))
    owned_or_404(instalment.order, current_user.id)
    return instalment


def _form(instalment: Instalment) -> PayForm:
    """By the buyer's own means only what is paid so, or what nothing is debited for any more."""
    order = instalment.order
    by_hand = order.by_hand or instalment.status is InstalmentStatus.UNPAID
    form = PayForm(provider=order.payment_provider)
    form.provider.choices = [
        (provider.key, provider.name_fr)
        for provider in ways_to_pay(
            payments.offered(), instalment.currency, debited_later=False, due_today=True
        ).offered
        if by_hand or provider.capabilities.hosted_page
    ]
    return form


def _page(instalment: Instalment, form: PayForm) -> str:
    return render_template(
        "instalments/pay.html",
        instalment=instalment,
        order=instalment.order,
        form=form,
        attempt=payment_queries.undecided_of_instalment(instalment.id),
        names={key: provider.name_fr for key, provider in payments.providers().items()},
        more_to_come=service.more_to_come(instalment),
        method=payment_queries.usable_method(
            instalment.order.user_id, instalment.order.payment_provider
        ),
        can_change=_keeper() is not None,
    )


@bp.get("/compte/echeances/<uuid:instalment_id>")
@signed_in
def instalment(instalment_id: uuid.UUID) -> str:
    """What is owed, since when, and how to pay it now."""
    owed = _mine(instalment_id)
    return _page(owed, _form(owed))


@bp.post("/compte/echeances/<uuid:instalment_id>")
@signed_in
def pay(instalment_id: uuid.UUID) -> Response | tuple[str, int]:
    """Reserve, then go to the provider's page; a second click comes to the same page."""
    owed, now = _mine(instalment_id), clock.now()
    form = _form(owed)
    if not form.validate_on_submit():
        return _page(owed, form), 422
    provider = form.text("provider")
    _close_others(instalment_id, now, keep=provider)
    with transaction():
        payment = service.pay_now(instalment_id, provider, expires_at=now + PAGE_LIFETIME, now=now)
        payment_id, by_hand = payment.id, payment.by_hand
    if by_hand:
        return redirect(url_for("instalments.instalment", instalment_id=instalment_id), 303)
    return _go(instalment_id, payment_id, now)


@bp.post("/compte/echeances/<uuid:instalment_id>/carte")
@signed_in
def change_method(instalment_id: uuid.UUID) -> Response:
    """Keep another card for what is still to come, on the page of who can do so."""
    _mine(instalment_id)
    now, provider = clock.now(), found_or_404(_keeper())
    _close_others(instalment_id, now)
    with transaction():
        payment = service.change_method(
            instalment_id, provider.key, expires_at=now + PAGE_LIFETIME, now=now
        )
        payment_id = payment.id
    return _go(instalment_id, payment_id, now)


def _keeper() -> Provider | None:
    """The provider that can keep a means of payment while nothing is taken."""
    able = (one for one in payments.providers().values() if one.capabilities.set_up)
    return next(able, None)


def _go(instalment_id: uuid.UUID, payment_id: uuid.UUID, now: datetime) -> Response:
    here = url_for("instalments.instalment", instalment_id=instalment_id, _external=True)
    try:
        url = payments.open_page(
            payment_id,
            email=current_user.email,
            return_url=f"{here}/retour",
            cancel_url=here,
            now=now,
        )
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("no page for payment %s: %s", payment_id, error)
        flash(NO_ANSWER, "refusal")
        return redirect(here, 303)
    return redirect(url, 303)


@bp.get("/compte/echeances/<uuid:instalment_id>/retour")
@signed_in
def back(instalment_id: uuid.UUID) -> Response:
    """From the provider's page: ask what became of it, then show it."""
    _mine(instalment_id)
    attempt = payment_queries.undecided_of_instalment(instalment_id)
    if attempt is not None and not attempt.by_hand:
        _ask(attempt, clock.now())
    return redirect(url_for("instalments.instalment", instalment_id=instalment_id))


def _close_others(instalment_id: uuid.UUID, now: datetime, *, keep: str = "") -> None:
    """Before a page is opened no other leads anywhere: neither one whose time is over, nor one
    where something else, or by another provider than `keep`, is being done."""
    attempt = payment_queries.undecided_of_instalment(instalment_id)
    if attempt is None or attempt.status is PaymentStatus.CHARGING:
        return
    if attempt.expires_at is not None and attempt.expires_at <= now:
        _ask(attempt, now)
    elif attempt.provider != keep or attempt.is_set_up:
        _tell_doubt(lambda: payments.close_page(attempt.id, now), attempt)


def _ask(attempt: Payment, now: datetime) -> None:
    _tell_doubt(lambda: payments.refresh(attempt.id, now), attempt)


def _tell_doubt(question: Callable[[], object], attempt: Payment) -> None:
    try:
        question()
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("payment %s stays in doubt: %s", attempt.id, error)
        flash(NOT_KNOWN_YET, "info")
