"""For the staff: the plans that buyers are offered today, with the reasons that they are told, and
the parts that a product has of its own."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from storefront.catalogue import queries as catalogue
from storefront.catalogue import service
from storefront.catalogue.queries import ProductPage
from storefront.catalogue.rules import OwnParts, PartsRefused, checked_parts, own_parts
from storefront.checkout.queries import Promises, promises_to, terms_today
from storefront.checkout.rules import most_parts
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import found_or_404
from storefront.instalments.rules import SOURCES
from storefront.staff.plans.forms import SAVE, PartsForm

bp = Blueprint("staff_plans", __name__, url_prefix="/gestion/echeanciers")


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def products() -> str:
    """Every product on sale, to look at its plans."""
    now = clock.now()
    shelves = [(shelf, catalogue.cards_of_shelf(shelf.slug, now)) for shelf in catalogue.shelves()]
    return render_template("staff/plans/products.html", shelves=shelves)


def _page(slug: str) -> ProductPage:
    return found_or_404(catalogue.product_page(slug, clock.now()))


def _most(page: ProductPage) -> int:
    terms = terms_today(clock.now())
    return most_parts(page.card.facts, terms) if terms else 1


def _shown(page: ProductPage, form: PartsForm, *, tried: bool = False) -> str:
    """What each buyer is offered for one product ordered today; `tried`: by what was typed."""
    now = clock.now()
    buyers: list[tuple[str, Promises | None]] = [
        ("Une entreprise", promises_to(page, now, consumer=False))
    ]
    if not page.card.features.get("professionals_only"):
        buyers.insert(0, ("Un particulier", promises_to(page, now, consumer=True)))
    return render_template(
        "staff/plans/product.html",
        page=page,
        buyers=buyers,
        sources=SOURCES,
        form=form,
        most=_most(page),
        own=own_parts(page.card.features),
        tried=tried,
    )


@bp.get("/<slug>")
@staff_required(Role.SHOPKEEPER)
def product(slug: str) -> str:
    """What a private person and a company are offered for one product ordered today."""
    page, form = _page(slug), PartsForm(formdata=None)
    form.show(own_parts(page.card.features), page.version)
    return _shown(page, form)


@bp.post("/<slug>")
@staff_required(Role.SHOPKEEPER)
def parts(slug: str) -> str | Response | tuple[str, int]:
    """Show what buyers would be offered by other parts; or give the product these parts."""
    page, form = _page(slug), PartsForm()
    typed = form.typed() if form.validate_on_submit() else None
    if typed is None:
        return _shown(page, form), 422
    try:
        wanted = checked_parts(*typed, most=_most(page)) if typed[0] else None
    except PartsRefused as refused:
        form.refuse(refused)
        return _shown(page, form), 422
    if request.form.get("etape") != SAVE:
        return _shown(_with(page, wanted), form, tried=True)
    with transaction():
        service.set_parts(page.card.id, wanted, seen=form.seen, now=clock.now())
    flash("Les parts de cet article sont enregistrées, pour les commandes à venir.", "success")
    return redirect(f"/gestion/echeanciers/{slug}", 303)


def _with(page: ProductPage, parts: OwnParts | None) -> ProductPage:
    features = {name: value for name, value in page.card.features.items() if name != "parts"}
    if parts:
        features["parts"] = vars(parts)
    return replace(page, card=replace(page.card, features=features))
