"""The checkout: who and where, check and accept, pay; then back from the provider's page."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
)
from flask import (
    Response as Answer,
)
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from storefront.cart import queries as carts
from storefront.cart import service as cart_service
from storefront.cart.models import Cart
from storefront.cart.queries import Contents
from storefront.cart.views import cart_id, remember_ordered
from storefront.catalogue.queries import ProductPage
from storefront.catalogue.rules import NotSoldThere
from storefront.checkout import queries, service
from storefront.checkout.forms import (
    DetailsForm,
    PayAgainForm,
    ReviewForm,
    buyer_from,
    refusal_message,
    review_form,
)
from storefront.checkout.queries import Promises, Review
from storefront.checkout.rules import CartChanged, ProfessionalsOnly
from storefront.documents.queries import with_content
from storefront.infra import clock, outbox
from storefront.infra.db import db, transaction
from storefront.infra.web import client_ip, found_or_404, user_agent
from storefront.instalments.rules import PlannedInstalment
from storefront.legal.models import TermsVersion
from storefront.legal.rules import TermsParameters, address_of
from storefront.orders import queries as order_queries
from storefront.orders.models import Order
from storefront.orders.rules import TooHeavyToShip
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments.models import Payment
from storefront.payments.providers.base import Provider, ProviderRejected, ProviderUnavailable

log = logging.getLogger(__name__)

bp = Blueprint("checkout", __name__)

STEPS = [
    ("Panier", "/panier"),
    ("Vos coordonnées", "/commande/coordonnees"),
    ("Vérifier", "/commande/verification"),
    ("Payer", None),
]
NO_PAGE = (
    "Le service de paiement ne répond pas. Votre commande est enregistrée et rien n’a été "
    "débité : réessayez dans un instant, ou choisissez un autre moyen de paiement."
)
NOT_KNOWN_YET = (
    "Le service de paiement ne nous a pas encore répondu. Nous le lui redemandons et nous vous "
    "écrirons : ne payez pas une seconde fois."
)
CHANGED = {
    "terms": "Nos conditions ont été mises à jour. Relisez-les et acceptez-les à nouveau.",
    "total": "Le total n’est plus celui que vous avez vu. Vérifiez-le avant de commander.",
    "cart": "Un article de votre panier a changé entre-temps. Corrigez ce qui est signalé.",
}
T = TypeVar("T")


@bp.app_template_global()
def promises_of(page: ProductPage) -> Promises | None:
    """For the catalogue's pages: what the terms in force promise of a product (C-02)."""
    return queries.promises_of(page, clock.now())


@bp.app_template_global()
def terms_today() -> TermsParameters | None:
    """For the catalogue's pages: the figures of the general terms in force."""
    return queries.terms_today(clock.now())


@bp.app_template_global()
def from_today(parts: Sequence[PlannedInstalment]) -> list[dict[str, object]]:
    """A plan as the schedule shows it: the first part is paid with the order, today."""
    return [
        {"due_on": None if part.rank == 1 else part.due_on, "amount": part.amount} for part in parts
    ]


@bp.app_template_global()
def terms_address(version: TermsVersion) -> str:
    """Where one version of the terms is read."""
    return address_of(version.document, version.number)


def _user_id() -> uuid.UUID | None:
    return current_user.id if current_user.is_authenticated else None


def _hosted() -> list[Provider]:
    return [one for one in payments.providers().values() if one.capabilities.hosted_page]


def _to_order() -> tuple[Cart, Contents] | Response:
    """What this browser has to order, or where it belongs: an order placed before, or the cart."""
    named = cart_id()
    cart = carts.open_cart(named) if named else None
    if cart is None:
        placed = order_queries.of_cart(named) if named else None
        return redirect(order_url(placed) if placed else "/panier")
    contents = carts.contents(cart.id, clock.now())
    return redirect("/panier") if contents.blocked else (cart, contents)


@bp.route("/commande/coordonnees", methods=["GET", "POST"])
def details() -> Response | str | tuple[str, int]:
    """First step: as whom, who, where."""
    if isinstance(found := _to_order(), Response):
        return found
    cart, contents = found
    form = DetailsForm(data=cart.details or _known_of_customer())
    status = 200
    if form.is_submitted():
        if form.validate() and _can_be_sold(form, contents):
            with transaction():
                kept = found_or_404(service.lock_cart(cart.id))
                cart_service.keep_details(kept, form.kept(), now=clock.now())
            return redirect("/commande/verification", 303)
        status = 422
    page = render_template(
        "checkout/details.html",
        form=form,
        contents=contents,
        trains=any(line.facts.instalment_family == "training" for line in contents.lines),
        ships=any(line.facts.needs_shipping for line in contents.lines),
        checkout_steps=STEPS,
        checkout_step=2,
    )
    return page, status


def _known_of_customer() -> dict[str, str]:
    if not current_user.is_authenticated:
        return {}
    return {"name": current_user.name, "email": current_user.email, "phone": current_user.phone}


def _can_be_sold(form: DetailsForm, contents: Contents) -> bool:
    """Whether this buyer can have the cart there; what stands in the way goes to its field."""
    try:
        queries.priced(contents, form.buyer())
    except ProfessionalsOnly as refused:
        form.buyer_kind.errors = [refusal_message(refused)]
    except (NotSoldThere, TooHeavyToShip) as refused:
        form.country.errors = [refusal_message(refused)]
    else:
        return True
    return False


def _review(contents: Contents, details: dict[str, Any]) -> Review:
    return queries.review(contents, buyer_from(details), _hosted(), clock.now())


@bp.get("/commande/verification")
def check() -> Response | str:
    """Second step: everything on one page, the boxes, the means of payment, one button."""
    if isinstance(found := _to_order(), Response):
        return found
    cart, contents = found
    if "buyer_kind" not in cart.details:
        return redirect("/commande/coordonnees")
    try:
        review = _review(contents, cart.details)
    except (ProfessionalsOnly, NotSoldThere, TooHeavyToShip) as refused:
        flash(refusal_message(refused), "refusal")
        return redirect("/commande/coordonnees")
    return _check_page(review, review_form(review))


def _check_page(review: Review, form: ReviewForm) -> str:
    return render_template(
        "checkout/check.html",
        review=review,
        form=form,
        checkout_steps=STEPS,
        checkout_step=3,
    )


@bp.get("/commande/payer")
def pay_reloaded() -> Response:
    """The address of the order click, asked for again without the click."""
    return redirect("/commande/verification")


@bp.post("/commande/payer")
def pay() -> Response | tuple[str, int]:
    """The order click: place the order, then send the buyer to the provider's page.

    A second click, another tab or a reload finds the order that the first one placed.
    """
    named = cart_id()
    if isinstance(found := _to_order(), Response):
        placed = order_queries.of_cart(named) if named else None
        return _go_and_pay(placed, service.current_attempt(placed)) if placed else found
    cart, contents = found
    if "buyer_kind" not in cart.details:
        return redirect("/commande/coordonnees", 303)
    review = _review(contents, cart.details)
    form = review_form(review)
    if not form.validate():
        return _check_page(review, form), 422
    try:
        order, payment = _twice_at_most(lambda: _place(cart.id, form))
    except CartChanged as changed:
        what = str(changed.details["what"])
        flash(CHANGED[what], "refusal")
        return redirect("/panier" if what == "cart" else "/commande/verification", 303)
    remember_ordered()
    return _go_and_pay(order, payment)


def _twice_at_most(act: Callable[[], T]) -> T:
    """Again, once, when two first orders of one e-mail address met."""
    try:
        return act()
    except IntegrityError:
        return act()


def _place(named: uuid.UUID, form: ReviewForm) -> tuple[Order, Payment | None]:
    """Read everything again under the cart's lock, compare with what was seen, and place it."""
    now = clock.now()
    with transaction():
        cart = found_or_404(service.lock_cart(named))
        if (known := order_queries.of_cart(cart.id)) is not None:
            return known, service.current_attempt(known)
        contents = carts.contents(cart.id, now)
        if contents.blocked:
            raise CartChanged(what="cart")
        review = queries.review(contents, buyer_from(cart.details), _hosted(), now)
        if form.versions.data != review.versions:
            raise CartChanged(what="terms")
        if form.total.data != str(review.priced.gross):
            raise CartChanged(what="total")
        return service.place_order(
            cart,
            review,
            form.consents(),
            user_id=_user_id(),
            provider=form.chosen_provider(),
            instalment_count=form.chosen_count(),
            trainee=str(cart.details.get("trainee", "")),
            ip=client_ip(),
            user_agent=user_agent(),
            now=now,
        )


def order_url(order: Order) -> str:
    """The order's page: the owner's plain address, or a guest's with the secret token."""
    path = f"/commandes/{order.reference}"
    return path if order.user_id == _user_id() else f"{path}?jeton={order.token}"


def _go_and_pay(order: Order, payment: Payment | None) -> Response:
    """To the provider's page; to the order's own when nothing is due or nobody answers."""
    here = order_url(order)
    if payment is None or not service.is_waiting(order):
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


def _paid_order(payment_id: uuid.UUID) -> Order:
    """The order of a payment, for who may see it; for anybody else it does not exist."""
    payment = found_or_404(db.session.get(Payment, payment_id))
    found = order_queries.visible(
        payment.order_reference, user_id=_user_id(), token=request.args.get("jeton")
    )
    return found_or_404(found)


def _ask_provider(order: Order) -> bool:
    """Ask what became of every attempt whose end is not known; False when nobody answered."""
    answered = True
    for attempt in payment_queries.of_order(order.id):
        if attempt.status in payment_queries.UNDECIDED:
            try:
                payments.refresh(attempt.id, clock.now())
            except (ProviderUnavailable, ProviderRejected) as error:
                log.warning("payment %s stays in doubt: %s", attempt.id, error)
                answered = False
    return answered


@bp.get("/commande/retour/<uuid:payment_id>")
def back(payment_id: uuid.UUID) -> Response:
    """From the provider's page: ask the provider, never the address; then show the order."""
    order = _paid_order(payment_id)
    if not _ask_provider(order):
        flash(NOT_KNOWN_YET, "info")
    # The webhook may have been first: what it set off is done before the buyer sees the order.
    outbox.hurry()
    return redirect(order_url(order), 303)


@bp.get("/commande/annulation/<uuid:payment_id>")
def interrupted(payment_id: uuid.UUID) -> Response:
    """The buyer left the provider's page; money may have moved all the same."""
    order = _paid_order(payment_id)
    if not _ask_provider(order):
        flash(NOT_KNOWN_YET, "info")
    elif service.is_waiting(order):
        flash("Vous avez interrompu le paiement. Votre commande est gardée.", "info")
    return redirect(order_url(order), 303)


@bp.get("/commandes/<reference>")
def order(reference: str) -> Answer:
    """One order: lines, money, what it opened, its dates (X-03)."""
    found = found_or_404(
        order_queries.visible(reference, user_id=_user_id(), token=request.args.get("jeton"))
    )
    return _order_page(found)


def _order_page(found: Order, form: PayAgainForm | None = None) -> Answer:
    view = queries.order_view(found, clock.now())
    page = render_template(
        "orders/order.html",
        view=view,
        order=found,
        consents={acceptance.kind.value for acceptance in view.accepted},
        form=form or PayAgainForm.for_order(found, _hosted()),
        token=request.args.get("jeton", ""),
        names={one.key: one.name_fr for one in payments.providers().values()},
    )
    return Answer(page, headers={"Cache-Control": "private, no-store"})


@bp.post("/commandes/<reference>/payer")
def pay_again(reference: str) -> Response:
    """Try to pay again, by the same or another means (M-08)."""
    found = found_or_404(
        order_queries.visible(reference, user_id=_user_id(), token=request.args.get("jeton"))
    )
    form = PayAgainForm.for_order(found, _hosted())
    if not form.validate():
        answer = _order_page(found, form)
        answer.status_code = 422
        return answer
    if not _ask_provider(found):
        flash(NOT_KNOWN_YET, "info")
        return redirect(order_url(found), 303)
    if not service.is_waiting(found):
        return redirect(order_url(found), 303)
    with transaction():
        payment = service.pay_again(found, form.provider.data, now=clock.now())
    return _go_and_pay(found, payment)


@bp.get("/commandes/<reference>/documents/<uuid:document_id>")
def document(reference: str, document_id: uuid.UUID) -> Answer:
    """An invoice of the order, or the text of the terms that it accepted."""
    found = found_or_404(
        order_queries.visible(reference, user_id=_user_id(), token=request.args.get("jeton"))
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
