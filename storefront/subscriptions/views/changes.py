"""Changing plans: see what it costs and does, click, pay, take back (B-07, PRE-03)."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.views import signed_in
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.infra.web import client_ip, found_or_404, user_agent
from storefront.instalments import service as instalments
from storefront.orders.models import Order
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments.providers.base import (
    PAGE_LIFETIME,
    Provider,
    ProviderRejected,
    ProviderUnavailable,
)
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import ChangeStatus, PlanChange, Subscription
from storefront.subscriptions.queries import Offer, Quote
from storefront.subscriptions.rules import Hindrance
from storefront.subscriptions.service import ChangeRecomputed, ChangeRefused, Choice

log = logging.getLogger(__name__)

bp = Blueprint("plan_changes", __name__, url_prefix="/compte/abonnements")

NO_ANSWER = (
    "Le service de paiement ne répond pas. Rien n’a été débité ni changé : reprenez le paiement "
    "dans un instant."
)
NOT_KNOWN_YET = (
    "Le service de paiement ne nous a pas encore répondu. Nous le lui redemandons, et vous "
    "écrivons dès que votre paiement est confirmé : ne payez pas une seconde fois."
)
TAKEN_BACK = "Votre changement est annulé : rien ne change et vous ne devez rien."
PAID = "Votre paiement est reçu : merci."
NOTHING_OPEN = "Aucun changement n’attend : il est déjà fait, ou annulé."


@bp.after_request
def _not_kept(response: Response) -> Response:
    """What one person sees stays out of every cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _mine(subscription_id: uuid.UUID) -> Subscription:
    return found_or_404(queries.of_holder(subscription_id, current_user.id))


def _home(subscription_id: uuid.UUID) -> str:
    return f"/compte/abonnements/{subscription_id}"


def _page(subscription: Subscription, quote: Quote, *, changed: bool = False) -> str:
    return render_template(
        "subscriptions/change.html",
        subscription=subscription,
        quote=quote,
        sentence=_sentence(subscription, quote),
        provider=_provider(subscription.order, subscription.currency) if quote.due.gross else None,
        changed=changed,
    )


def _sentence(subscription: Subscription, quote: Quote) -> str:
    """What stands above the button, word for word, and is kept with the acceptance."""
    text = render_template(
        "subscriptions/sentence.txt", subscription=subscription, quote=quote, offer=quote.offer
    )
    return text.strip()


def _provider(order: Order, currency: str) -> Provider | None:
    """Who takes the payment: the order's own, or the first that has a page; None when nobody."""
    known = payments.providers()
    able = [
        one
        for one in known.values()
        if one.capabilities.hosted_page and currency in one.capabilities.currencies
    ]
    own = known.get(order.payment_provider)
    return own if own in able else next(iter(able), None)


def _quoted(subscription: Subscription, offer: Offer, now: datetime) -> Quote:
    """The change as it stands now. Raises `ChangeRefused`."""
    reason = queries.hindrance(subscription, offer.direction, now)
    quote = queries.quote(subscription, offer, now.replace(microsecond=0))
    if reason is not None or quote is None:
        raise ChangeRefused(reason=reason or Hindrance.TURNING, subscription=subscription)
    if quote.due.gross and _provider(subscription.order, subscription.currency) is None:
        raise ChangeRefused(reason=Hindrance.NO_PAGE, subscription=subscription)
    return quote


def _offer(subscription: Subscription, slug: str) -> Offer:
    offer = queries.offer(subscription, slug)
    if offer is None:
        raise ChangeRefused(reason=Hindrance.GONE, subscription=subscription)
    return offer


@bp.get("/<uuid:subscription_id>/changer/<slug>")
@signed_in
def preview(subscription_id: uuid.UUID, slug: str) -> str | Response:
    """What changes, what it costs now and later, word and figure, before anything is clicked."""
    found = _mine(subscription_id)
    offer = _offer(found, slug)
    if offer.purchase:
        return redirect(f"/produits/{slug}")
    return _page(found, _quoted(found, offer, clock.now()))


@bp.post("/<uuid:subscription_id>/changer/<slug>")
@signed_in
def change(subscription_id: uuid.UUID, slug: str) -> Response | tuple[str, int]:
    """The click that obliges: written down, then paid on the provider's page when it costs."""
    found, now = _mine(subscription_id), clock.now()
    offer = _offer(found, slug)
    counted_from = _instant(request.form.get("counted_from", ""))
    shown = queries.quote(found, offer, counted_from) if counted_from else None
    choice = Choice(
        slug=slug,
        counted_from=counted_from or now,
        seen=request.form.get("seen", ""),
        sentence=_sentence(found, shown) if shown else "",
        ip=client_ip(),
        user_agent=user_agent(),
    )
    try:
        with transaction():
            made = service.choose(subscription_id, choice, expires_at=now + PAGE_LIFETIME, now=now)
            payment_id = _reserve(made, now)
    except ChangeRecomputed:
        db.session.rollback()
        again = _mine(subscription_id)
        return _page(again, _quoted(again, _offer(again, slug), now), changed=True), 409
    if payment_id is not None:
        return _go(subscription_id, payment_id, now)
    flash(_said(subscription_id), "success")
    return redirect(_home(subscription_id), 303)


def _instant(typed: str) -> datetime | None:
    """The instant that our own page wrote; None for anything else."""
    try:
        instant = datetime.fromisoformat(typed)
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _reserve(change: PlanChange, now: datetime) -> uuid.UUID | None:
    if change.status is not ChangeStatus.AWAITING_PAYMENT or change.instalment_id is None:
        return None
    subscription = change.subscription
    provider = _provider(subscription.order, subscription.currency)
    if provider is None:
        raise ChangeRefused(reason=Hindrance.NO_PAGE, subscription=subscription)
    return instalments.pay_now(
        change.instalment_id, provider.key, expires_at=now + PAGE_LIFETIME, now=now
    ).id


def _said(subscription_id: uuid.UUID) -> str:
    pending = queries.open_change(subscription_id)
    if pending is None:
        return "Votre nouvelle offre est en place."
    return "C’est noté : votre offre change avec la période suivante. Vous pouvez l’annuler ici."


def _go(subscription_id: uuid.UUID, payment_id: uuid.UUID, now: datetime) -> Response:
    try:
        url = payments.open_page(
            payment_id,
            email=current_user.email,
            return_url=url_for(
                "plan_changes.back", subscription_id=subscription_id, _external=True
            ),
            cancel_url=url_for(
                "account.subscription_page", subscription_id=subscription_id, _external=True
            ),
            now=now,
        )
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("no page for payment %s: %s", payment_id, error)
        flash(NO_ANSWER, "refusal")
        return redirect(_home(subscription_id), 303)
    return redirect(url, 303)


@bp.post("/<uuid:subscription_id>/changement/payer")
@signed_in
def pay(subscription_id: uuid.UUID) -> Response:
    """Come back to the page of an upgrade that waits for its payment."""
    _mine(subscription_id)
    now = clock.now()
    with transaction():
        waiting = service.awaiting(subscription_id, now=now)
        payment_id = _reserve(waiting, now) if waiting else None
    if payment_id is None:
        flash(NOTHING_OPEN, "info")
        return redirect(_home(subscription_id), 303)
    return _go(subscription_id, payment_id, now)


@bp.get("/<uuid:subscription_id>/changement/retour")
@signed_in
def back(subscription_id: uuid.UUID) -> Response:
    """From the provider's page: ask what became of it, then show it."""
    _mine(subscription_id)
    _settle_page(subscription_id, clock.now(), close=False)
    last = queries.last_change(subscription_id)
    if last is not None and queries.payment_of_change(last) is not None:
        flash(PAID, "success")
    return redirect(_home(subscription_id))


@bp.post("/<uuid:subscription_id>/changement/annuler")
@signed_in
def take_back(subscription_id: uuid.UUID) -> Response:
    """Take the open choice back: a page that could still be paid is closed first."""
    _mine(subscription_id)
    now = clock.now()
    _settle_page(subscription_id, now, close=True)
    with transaction():
        dropped = service.keep_plan(subscription_id, now=now) is not None
    flash(*((TAKEN_BACK, "success") if dropped else (NOTHING_OPEN, "info")))
    return redirect(_home(subscription_id), 303)


def _settle_page(subscription_id: uuid.UUID, now: datetime, *, close: bool) -> None:
    """Ask the provider what became of an upgrade's page, or have it closed."""
    pending = queries.open_change(subscription_id)
    owed = pending.instalment_id if pending else None
    attempt = payment_queries.undecided_of_instalment(owed) if owed else None
    if attempt is None:
        return
    try:
        if close:
            payments.close_page(attempt.id, now)
        else:
            payments.refresh(attempt.id, now)
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("payment %s stays in doubt: %s", attempt.id, error)
        flash(NOT_KNOWN_YET, "info")
