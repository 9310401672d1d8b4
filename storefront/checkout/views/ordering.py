"""The steps of the checkout: who and where, check and accept, order."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import flash, redirect, render_template
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
    ReviewForm,
    buyer_from,
    refusal_message,
    review_form,
)
from storefront.checkout.queries import Promises, Review
from storefront.checkout.rules import CartChanged, PricedElsewhere, ProfessionalsOnly
from storefront.checkout.views.paying import bp, go_and_pay, order_url, user_id
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import client_ip, found_or_404, user_agent
from storefront.instalments.rules import PlannedInstalment
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.legal.models import TermsVersion
from storefront.legal.rules import TermsParameters, address_of
from storefront.orders import queries as order_queries
from storefront.orders.models import Order
from storefront.orders.rules import TooHeavyToShip
from storefront.payments import jobs as payments
from storefront.payments.models import Payment

STEPS = [
    ("Panier", "/panier"),
    ("Vos coordonnées", "/commande/coordonnees"),
    ("Vérifier", "/commande/verification"),
    ("Payer", None),
]
CHANGED = {
    "plan": "L’échéancier n’est plus celui que vous avez vu. Vérifiez-le avant de commander.",
    "total": "Le total n’est plus celui que vous avez vu. Vérifiez-le avant de commander.",
    "cart": "Un article de votre panier a changé entre-temps. Corrigez ce qui est signalé.",
}
CANNOT_WAIT = (
    "Ce moyen de paiement ne peut pas être enregistré sans un premier paiement : choisissez-en un "
    "autre, ou un échéancier dont une partie est réglée aujourd’hui."
)
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
    """A plan as the schedule shows it: what is due today is paid with the order."""
    today = paris_date(clock.now())
    return [
        {"due_on": part.due_on if part.due_on > today else None, "amount": part.amount}
        for part in parts
    ]


@bp.app_template_global()
def due_today(parts: Sequence[PlannedInstalment]) -> Money:
    """What a plan takes with the order: its first part, or nothing yet."""
    first = parts[0]
    return first.amount if first.due_on <= paris_date(clock.now()) else first.amount * 0


@bp.app_template_global()
def terms_address(version: TermsVersion) -> str:
    """Where one version of the terms is read."""
    return address_of(version.document, version.number)


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
    form = DetailsForm(data={**_starting_point(contents), **cart.details})
    status, refused = 200, None
    if form.is_submitted():
        if form.validate() and (refused := _refused(form, contents)) is None:
            with transaction():
                kept = found_or_404(service.lock_cart(cart.id))
                cart_service.keep_details(kept, form.kept(), now=clock.now())
            return redirect("/commande/verification", 303)
        status = 422
    page = render_template(
        "checkout/details.html",
        form=form,
        contents=contents,
        instead=refused.details.get("instead") if refused else None,
        means=[
            one for one in payments.offered() if contents.currency in one.capabilities.currencies
        ],
        trains=any(line.facts.instalment_family == "training" for line in contents.lines),
        ships=any(line.facts.needs_shipping for line in contents.lines),
        checkout_steps=STEPS,
        checkout_step=2,
    )
    return page, status


def _starting_point(contents: Contents) -> dict[str, str]:
    """What is known before anything is typed: the customer, and where the cart can be sold."""
    known = {"country": contents.countries[0]} if contents.countries else {}
    if current_user.is_authenticated:
        user = current_user
        known |= {"name": user.name, "email": user.email, "phone": user.phone}
    return known


def _refused(form: DetailsForm, contents: Contents) -> Refusal | None:
    """Why this buyer cannot have the cart there, said at its field; None when nothing is."""
    try:
        queries.priced(contents, form.buyer())
    except ProfessionalsOnly as refused:
        form.buyer_kind.errors = [refusal_message(refused)]
        return refused
    except (NotSoldThere, PricedElsewhere, TooHeavyToShip) as refused:
        form.country.errors = [refusal_message(refused)]
        return refused
    return None


def _review(contents: Contents, details: dict[str, Any]) -> Review:
    return queries.review(contents, buyer_from(details), payments.offered(), clock.now())


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
    service.check_may_buy(review, user_id(), now=clock.now())
    return _check_page(review, review_form(review))


def _check_page(review: Review, form: ReviewForm, **context: object) -> str:
    return render_template(
        "checkout/check.html",
        review=review,
        form=form,
        **context,
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
        return go_and_pay(placed, service.current_attempt(placed)) if placed else found
    cart, contents = found
    if "buyer_kind" not in cart.details:
        return redirect("/commande/coordonnees", 303)
    review = _review(contents, cart.details)
    form = review_form(review)
    if _what_changed(review, form):
        return _ask_again(review, form)
    if not form.validate() or not _can_wait(review, form):
        return _check_page(review, form), 422
    try:
        order, payment = _twice_at_most(lambda: _place(cart.id, form))
    except CartChanged as changed:
        if changed.details["what"] == "cart" or isinstance(found := _to_order(), Response):
            flash(CHANGED["cart"], "refusal")
            return redirect("/panier", 303)
        cart, contents = found
        review = _review(contents, cart.details)
        return _ask_again(review, review_form(review))
    remember_ordered()
    return go_and_pay(order, payment)


def _what_changed(review: Review, form: ReviewForm) -> str | None:
    """What is no longer as the buyer saw it: "terms", "total" or "plan"."""
    if review.texts_new_to(form.text("versions")):
        return "terms"
    if form.text("total") != str(review.priced.gross):
        return "total"
    return "plan" if form.text("versions") != review.seen else None


def _ask_again(review: Review, form: ReviewForm) -> tuple[str, int]:
    """The same page with what changed told, and everything kept that was chosen: only the boxes of
    the texts that are new have to be ticked again (R-02)."""
    new_texts = review.texts_new_to(form.text("versions"))
    form.untick(review, new_texts)
    changed = CHANGED.get(_what_changed(review, form) or "")
    return _check_page(review, form, new_texts=new_texts, changed=changed), 409


def _can_wait(review: Review, form: ReviewForm) -> bool:
    """Whether the chosen means can be kept for a plan of which nothing is due today."""
    if "provider" in form and review.waits(form.chosen_count(), form.chosen_provider()):
        form.provider.errors = [CANNOT_WAIT]
        return False
    return True


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
        review = queries.review(contents, buyer_from(cart.details), payments.offered(), now)
        if changed := _what_changed(review, form):
            raise CartChanged(what=changed)
        return service.place_order(
            cart,
            review,
            form.consents(),
            user_id=user_id(),
            provider=form.chosen_provider(),
            instalment_count=form.chosen_count(),
            trainee=str(cart.details.get("trainee", "")),
            ip=client_ip(),
            user_agent=user_agent(),
            now=now,
        )
