"""The cart page. A visitor's cart is named in the signed session cookie."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, has_request_context, redirect, render_template, request, session
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.cart import queries, service
from storefront.cart.models import Cart
from storefront.catalogue.rules import QuantityRefused
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import csrf

bp = Blueprint("cart", __name__)


def cart_id() -> uuid.UUID | None:
    """The cart that this browser names, if it names one."""
    try:
        return uuid.UUID(session["cart"])
    except (KeyError, ValueError, TypeError):
        return None


def remember(cart_id: uuid.UUID) -> None:
    """Name the cart in the browser's session, with its count for the header of every page."""
    session["cart"] = str(cart_id)
    session["cart_count"] = queries.count(cart_id)


def remember_ordered() -> None:
    """The cart became an order: nothing is left in it, but its name still leads to the order."""
    session["cart_count"] = 0


def _user_id() -> uuid.UUID | None:
    return current_user.id if current_user.is_authenticated else None


@bp.before_app_request
def adopt_after_sign_in() -> None:
    """The first request of a signed-in browser makes its cart the customer's (O-02)."""
    if "_user_id" not in session or request.endpoint in (None, "static", "health"):
        return
    user_id = _user_id()
    if user_id is None or session.get("cart_owner") == str(user_id):
        return
    with transaction():
        cart = service.adopt(user_id, cart_id(), now=clock.now())
        if cart is not None:
            remember(cart.id)
    session["cart_owner"] = str(user_id)


@bp.app_context_processor
def _count() -> dict[str, Any]:
    """How much is in this browser's cart; an e-mail is rendered outside of any request."""
    return {"cart_count": session.get("cart_count", 0) if has_request_context() else 0}


def _present() -> Cart:
    """The open cart of this browser, a new one when it has none."""
    found = queries.open_cart(named) if (named := cart_id()) else None
    return found or service.new_cart(user_id=_user_id(), now=clock.now())


@bp.get("/panier")
def show() -> str:
    """The cart: what it holds, what it costs, what stands in the way."""
    named = cart_id()
    cart = queries.open_cart(named) if named else None
    found = queries.contents(cart.id if cart else None, clock.now())
    ordered = named is not None and cart is None and queries.was_ordered(named)
    return render_template("cart/cart.html", contents=found, ordered=ordered)


# The catalogue's pages carry no token, so that they need no session; what another site posts is
# refused by its origin before it comes here.
@bp.post("/panier/ajouter")
@csrf.exempt  # type: ignore[untyped-decorator]
def add() -> Response:
    """Put a product in the cart."""
    try:
        variant_id = uuid.UUID(request.form.get("variante", ""))
    except ValueError:
        flash(
            "Choisissez d’abord une session ou une version, puis ajoutez-la au panier.", "refusal"
        )
        return redirect(_back())
    now = clock.now()
    try:
        with transaction():
            cart = _present()
            line = service.add(cart, variant_id, request.form.get("quantite", "1"), now=now)
            kept, name = cart.id, line.variant.product.name
    except QuantityRefused as refused:
        flash(quantity_message(refused), "refusal")
        return redirect(_back())
    remember(kept)
    flash(f"« {name} » est dans votre panier.", "success")
    return redirect("/panier")


@bp.post("/panier/modifier")
def change() -> Response:
    """Change a quantity, or take a line out: one form, two buttons."""
    named = cart_id()
    try:
        variant_id = uuid.UUID(request.form.get("variante", ""))
    except ValueError:
        return redirect("/panier")
    try:
        with transaction():
            cart = queries.open_cart(named) if named else None
            if cart is not None and "retirer" in request.form:
                service.remove(cart, variant_id, now=clock.now())
            elif cart is not None:
                service.change(cart, variant_id, request.form.get("quantite", ""), now=clock.now())
    except QuantityRefused as refused:
        flash(quantity_message(refused), "refusal")
        return redirect("/panier")
    if named is not None:
        remember(named)
    return redirect("/panier")


def quantity_message(refused: QuantityRefused) -> str:
    """Why this is not a quantity, and which ones are."""
    limit = refused.details["limit"]
    typed = str(refused.details["typed"]) or "rien"
    if limit == 1:
        return (
            f"« {typed} » : cet article est personnel, il s’achète à l’unité. "
            "Pour plusieurs personnes, passez une commande pour chacune ou écrivez-nous."
        )
    return f"« {typed} » n’est pas une quantité possible : choisissez un nombre de 1 à {limit}."


def _back() -> str:
    """The page of this shop that the form was on; the cart when nobody says."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host or not came_from.path.startswith("/produits/"):
        return "/panier"
    return came_from.path
