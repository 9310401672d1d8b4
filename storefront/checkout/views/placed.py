"""What was ordered: back from the provider's page, the order's own page, another try."""

from __future__ import annotations

import uuid

from flask import Response as Answer
from flask import abort, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from storefront.checkout import queries, service
from storefront.checkout.forms import PayAgainForm
from storefront.checkout.views.paying import (
    NOT_KNOWN_YET,
    ask_provider,
    bp,
    close_pages,
    go_and_pay,
    order_url,
    user_id,
)
from storefront.documents.queries import with_content
from storefront.infra import clock, outbox
from storefront.infra.db import db, transaction
from storefront.infra.web import found_or_404
from storefront.orders import queries as order_queries
from storefront.orders.models import Order, OrderStatus
from storefront.payments import jobs as payments
from storefront.payments.models import Payment
from storefront.timeline import queries as timelines


def _paid_order(payment_id: uuid.UUID) -> Order:
    """The order of a payment, for who may see it; for anybody else it does not exist."""
    payment = found_or_404(db.session.get(Payment, payment_id))
    found = order_queries.visible(
        payment.order_reference, user_id=user_id(), token=request.args.get("jeton")
    )
    return found_or_404(found)


@bp.get("/commande/retour/<uuid:payment_id>")
def back(payment_id: uuid.UUID) -> Response:
    """From the provider's page: ask the provider, never the address; then show the order."""
    order = _paid_order(payment_id)
    if not ask_provider(order):
        flash(NOT_KNOWN_YET, "info")
    # The webhook may have been first: what it set off is done before the buyer sees the order.
    outbox.hurry()
    return redirect(order_url(order), 303)


@bp.get("/commande/annulation/<uuid:payment_id>")
def interrupted(payment_id: uuid.UUID) -> Response:
    """The buyer left the provider's page; money may have moved all the same."""
    order = _paid_order(payment_id)
    if not ask_provider(order):
        flash(NOT_KNOWN_YET, "info")
    elif service.is_waiting(order):
        flash("Vous avez interrompu le paiement. Votre commande est gardée.", "info")
    return redirect(order_url(order), 303)


@bp.get("/commandes/<reference>")
def order(reference: str) -> Answer:
    """One order: lines, money, what it opened, its dates (X-03)."""
    found = found_or_404(
        order_queries.visible(reference, user_id=user_id(), token=request.args.get("jeton"))
    )
    return _order_page(found)


def _order_page(found: Order, form: PayAgainForm | None = None) -> Answer:
    view = queries.order_view(found, clock.now())
    page = render_template(
        "orders/order.html",
        view=view,
        order=found,
        consents={acceptance.kind.value for acceptance in view.accepted},
        form=form or _pay_again_form(found),
        token=request.args.get("jeton", ""),
        names={one.key: one.name_fr for one in payments.providers().values()},
    )
    return Answer(page, headers={"Cache-Control": "private, no-store"})


def _pay_again_form(found: Order) -> PayAgainForm:
    due = found.status is not OrderStatus.AWAITING_PAYMENT or service.due_at_order(found)
    in_time = service.last_day_by_hand(found, clock.now()) is not None
    ways = [one for one in payments.offered() if in_time or one.capabilities.hosted_page]
    return PayAgainForm.for_order(found, ways, due_at_order=due)


@bp.get("/commandes/<reference>/dates")
def dates(reference: str) -> Answer:
    """All that was done about an order, and all that is to come of it (X-03)."""
    found = found_or_404(
        order_queries.visible(reference, user_id=user_id(), token=request.args.get("jeton"))
    )
    page = render_template(
        "orders/dates.html",
        order=found,
        line=timelines.of_order(found.id, clock.now()),
        token=request.args.get("jeton", ""),
    )
    return Answer(page, headers={"Cache-Control": "private, no-store"})


@bp.post("/commandes/<reference>/payer")
def pay_again(reference: str) -> Response:
    """Try to pay again, by the same or another means (M-08)."""
    found = found_or_404(
        order_queries.visible(reference, user_id=user_id(), token=request.args.get("jeton"))
    )
    form = _pay_again_form(found)
    if not form.validate():
        answer = _order_page(found, form)
        answer.status_code = 422
        return answer
    if not (ask_provider(found) and close_pages(found, form.provider.data)):
        flash(NOT_KNOWN_YET, "info")
        return redirect(order_url(found), 303)
    if not service.is_waiting(found):
        return redirect(order_url(found), 303)
    with transaction():
        payment = service.pay_again(found, form.provider.data, now=clock.now())
    return go_and_pay(found, payment)


@bp.get("/commandes/<reference>/documents/<uuid:document_id>")
def document(reference: str, document_id: uuid.UUID) -> Answer:
    """An invoice of the order, or the text of the terms that it accepted."""
    found = found_or_404(
        order_queries.visible(reference, user_id=user_id(), token=request.args.get("jeton"))
    )
    if document_id not in {one.id for one in queries.documents_of(found.id)}:
        abort(404)
    stored = with_content(document_id)
    return Answer(
        stored.content,
        mimetype=stored.media_type,
        headers={
            "Content-Disposition": f'inline; filename="{stored.filename}"',
            "Cache-Control": "private, no-store",
        },
    )
