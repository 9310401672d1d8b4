"""To the provider's page and back: shared by the steps of the checkout and the order's page."""

from __future__ import annotations

import logging
import uuid

from flask import Blueprint, current_app, flash, redirect
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.checkout import service
from storefront.infra import clock
from storefront.orders.models import Order
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.base import ProviderRejected, ProviderUnavailable

log = logging.getLogger(__name__)

bp = Blueprint("checkout", __name__)

NO_PAGE = (
    "Le service de paiement ne répond pas. Votre commande est enregistrée et rien n’a été "
    "débité : réessayez dans un instant, ou choisissez un autre moyen de paiement."
)
NOT_KNOWN_YET = (
    "Le service de paiement ne nous a pas encore répondu. Nous le lui redemandons et nous vous "
    "écrirons : ne payez pas une seconde fois."
)


def user_id() -> uuid.UUID | None:
    """Who is signed in, if anybody."""
    return current_user.id if current_user.is_authenticated else None


def order_url(order: Order) -> str:
    """The order's page: the owner's plain address, or a guest's with the secret token."""
    path = f"/commandes/{order.reference}"
    return path if order.user_id == user_id() else f"{path}?jeton={order.token}"


def go_and_pay(order: Order, payment: Payment | None) -> Response:
    """To the provider's page; to the order's own when nothing is due, nobody answers, or the buyer
    pays by their own means."""
    here = order_url(order)
    if payment is None or payment.by_hand or not service.is_waiting(order):
        return redirect(here, 303)
    shop, payment_id = current_app.config["SETTINGS"].base_url, payment.id
    try:
        url = payments.open_page(
            payment_id,
            email=order.email,
            return_url=f"{shop}/commande/retour/{payment_id}?jeton={order.token}",
            cancel_url=f"{shop}/commande/annulation/{payment_id}?jeton={order.token}",
            now=clock.now(),
        )
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("no page for payment %s: %s", payment_id, error)
        flash(NO_PAGE, "refusal")
        return redirect(here, 303)
    return redirect(url, 303)


def ask_provider(order: Order) -> bool:
    """Ask what became of every attempt whose end is not known; False when nobody answered."""
    answered = True
    for attempt in payment_queries.of_order(order.id):
        if attempt.status in payment_queries.UNDECIDED and not attempt.by_hand:
            try:
                payments.refresh(attempt.id, clock.now())
            except (ProviderUnavailable, ProviderRejected) as error:
                log.warning("payment %s stays in doubt: %s", attempt.id, error)
                answered = False
    return answered


def close_pages(order: Order, provider: str) -> bool:
    """Leave open no page of another provider than the one chosen; False when nobody answered."""
    others = [
        attempt.id
        for attempt in payment_queries.of_order(order.id)
        if attempt.status is PaymentStatus.OPEN and attempt.provider != provider
    ]
    try:
        for payment_id in others:
            payments.close_page(payment_id, clock.now())
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("a page of order %s stays open: %s", order.id, error)
        return False
    return True
